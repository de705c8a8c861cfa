"""Momenta of constituents and jets from the columns of others: absolute, in GeV."""

from typing import Final

import numpy as np

from resim.common.angles import wrap
from resim.common.arrays import Arrays, Floats, Integers
from resim.common.errors import InputError
from resim.common.ragged import offsets_of
from resim.formats.columns_card import JetsCard, MomentaCard
from resim.formats.flat_columns import FlatColumns

_ROUNDING: Final = 5e-3
"""Largest relative amount by which rounding may put an energy below the momentum, or off that of momentum and mass:
ten times the last bit of float16, as pT, eta and energy are each rounded."""
_SUM_OVER_JET: Final = (0.3, 3.0)
"""Median pT of all constituents together over that of the jet: corrections and cut-off constituents move it by some
10 %, a wrong unit by 1,000."""
_ANGLE: Final = 0.01
"""By how much delta eta and delta phi of a file may differ from those of the momenta; NanoAOD keeps three digits."""
_ODD_ANGLES: Final = 0.01
"""Share of constituents for which they may differ by more."""


def momenta_of(columns: FlatColumns, momenta: MomentaCard, jets: JetsCard) -> Arrays:
    """`pt`, `eta`, `phi`, `energy` of the constituents, float64 `(n_constituents,)` each, in GeV.

    Raises:
        InputError: a momentum is impossible, or a redundant column contradicts.
    """
    read = {name: columns.of_constituents(column) for name, column in momenta.columns.items()}
    if isinstance(momenta.mass, float | int):
        read["mass"] = np.full(len(next(iter(read.values()))), float(momenta.mass))
    four = _relative(columns, read, momenta, jets) if momenta.relative else _absolute(read)
    factor = momenta.scale * read.get("weight", 1.0)
    four |= {name: four[name] * factor for name in ("pt", "energy")}
    columns.refuse(~(four["pt"] > 0), "pT", "is not positive")
    columns.refuse(~np.isfinite(four["energy"] + four["eta"]), "energy or eta", "is not finite")
    below = four["energy"] < (1 - _ROUNDING) * four["pt"] * np.cosh(four["eta"])
    columns.refuse(below, "energy", "is below the momentum, so columns are mixed up,")
    return four


def _absolute(read: Arrays) -> Arrays:
    if "px" in read:
        px, py, pz = read["px"], read["py"], read["pz"]
        pt = np.hypot(px, py)
        with np.errstate(divide="ignore", invalid="ignore"):
            return {"pt": pt, "eta": np.arcsinh(pz / pt), "phi": np.arctan2(py, px), "energy": read["energy"]}
    pt, phi = read["pt"], wrap(read["phi"])
    if "rapidity" in read:
        transverse = np.hypot(pt, read["mass"])
        with np.errstate(divide="ignore", invalid="ignore"):
            eta = np.arcsinh(transverse * np.sinh(read["rapidity"]) / pt)
        return {"pt": pt, "eta": eta, "phi": phi, "energy": transverse * np.cosh(read["rapidity"])}
    energy = read["energy"] if "energy" in read else np.hypot(pt * np.cosh(read["eta"]), read["mass"])
    return {"pt": pt, "eta": read["eta"], "phi": phi, "energy": energy}


def _relative(columns: FlatColumns, read: Arrays, momenta: MomentaCard, jets: JetsCard) -> Arrays:
    """Directions are those of the jet and the differences; an azimuth that nobody wrote down is 0."""
    counts, d_eta = columns.counts, read["d_eta"]
    if jets.eta is not None:
        axis = columns.numbers_of_jets(jets.eta)
    else:
        axis = axis_from_energies(np.exp(read["log_pt"]), np.exp(read["log_energy"]), d_eta, counts, momenta.mirrored)
    eta = np.repeat(axis, counts) + _mirror(axis, counts, momenta.mirrored) * d_eta
    if jets.pt is not None and "pt_fraction" in read:
        of_jet = columns.numbers_of_jets(jets.pt) * jets.scale / momenta.scale
        pt = read["pt_fraction"] * np.repeat(of_jet, counts)
        energy = np.hypot(pt * np.cosh(eta), read["mass"])
    else:
        pt, energy = np.exp(read["log_pt"]), np.exp(read["log_energy"])
    phi = columns.numbers_of_jets(jets.phi) if jets.phi is not None else np.zeros(len(counts))
    return {"pt": pt, "eta": eta, "phi": wrap(np.repeat(phi, counts) + read["d_phi"]), "energy": energy}


def _mirror(axis: Floats, counts: Integers, mirrored: bool) -> Floats:
    """Sign of delta eta for every constituent."""
    signs = np.where(axis > 0, 1.0, -1.0) if mirrored else np.ones(len(axis))
    return np.repeat(signs, counts)


def axis_from_energies(pt: Floats, energy: Floats, d_eta: Floats, counts: Integers, mirrored: bool) -> Floats:
    """Pseudorapidity of jets whose constituents are known by pT, energy and delta eta alone, float64 `(n_jets,)`.

    No energy is below its momentum: |eta_jet + delta eta| <= arcosh(E/pT) for every constituent, and equal for what
    has no mass, as photons. So the jet lies at the upper or at the lower end of what all constituents allow, at that
    which more of them reach, weighted by pT. Where delta eta is mirrored the jet is put at positive eta.

    Args:
        pt: transverse momenta of the constituents, `(n_constituents,)`.
        energy: their energies, in the same unit.
        d_eta: their pseudorapidities minus that of the jet.
        counts: constituents of each jet; none is empty.
        mirrored: as in `MomentaCard`.
    """
    starts = offsets_of(counts)[:-1]
    largest = np.arccosh(np.maximum(energy / pt, 1.0))
    upper, lower = np.minimum.reduceat(largest - d_eta, starts), np.maximum.reduceat(-largest - d_eta, starts)

    def missed(axis: Floats) -> Floats:
        """How far the constituents are from having no mass."""
        return np.asarray(np.add.reduceat(pt * (largest - np.abs(np.repeat(axis, counts) + d_eta)), starts))

    return upper if mirrored else np.where(missed(upper) <= missed(lower), upper, lower)


def jet_momenta(columns: FlatColumns, four: Arrays, momenta: MomentaCard, jets: JetsCard) -> Arrays:
    """`pt`, `eta`, `phi`, `mass`, `energy` of the jets, float64 `(n_jets,)` each, in GeV.

    What no column says is that of the sum of the constituents; mass and energy of a jet agree with each other.

    Args:
        columns: of the file.
        four: what `momenta_of` gives.
        momenta: columns of the constituents.
        jets: columns of the jets.

    Raises:
        InputError: jets and constituents contradict each other, or mass and energy of a jet do.
    """
    starts = offsets_of(columns.counts)[:-1]
    summed = _sum(four, starts)
    given = {name: columns.numbers_of_jets(column) for name, column in jets.columns.items()}
    found = {name: given.get(name, summed[name]) for name in summed}
    for name in ("pt", "energy", "mass"):
        found[name] = found[name] * jets.scale if name in given else found[name]
    for name, column in (("pt", momenta.log_pt_fraction), ("energy", momenta.log_energy_fraction)):
        if column is not None and name not in given:
            found[name] = four[name][starts] / np.exp(columns.of_constituents(column)[starts])
    known = {"energy"} & set(given) or ({"energy"} if momenta.log_energy_fraction else set())
    momentum = found["pt"] * np.cosh(found["eta"])
    if "mass" not in given and known:
        found["mass"] = np.sqrt(np.maximum(found["energy"] ** 2 - momentum**2, 0.0))
    elif known:
        _refuse_other_mass(columns, found["energy"], np.hypot(momentum, found["mass"]))
    if not known and (given.keys() & {"pt", "eta", "mass"} or momenta.log_pt_fraction):
        found["energy"] = np.hypot(momentum, found["mass"])
    _compare(columns, four, found, summed, momenta)
    return found | {"phi": wrap(found["phi"])}


def event_momenta(four: Arrays, counts: Integers) -> Arrays:
    """Likewise of events: scalar sum of pT along eta = 0, phi = 0, and the invariant mass of all objects.

    Args:
        four: what `momenta_of` gives.
        counts: objects of each event, `(n_events,)`; at least one.
    """
    starts = offsets_of(counts)[:-1]
    pt, mass, nothing = np.add.reduceat(four["pt"], starts), _sum(four, starts)["mass"], np.zeros(len(counts))
    return {"pt": pt, "eta": nothing, "phi": nothing, "mass": mass, "energy": np.hypot(pt, mass)}


def _refuse_other_mass(columns: FlatColumns, energy: Floats, expected: Floats) -> None:
    """Refuse jets whose mass is not that of their energy and momentum, as a groomed one."""
    if (wrong := np.abs(energy - expected) > _ROUNDING * energy).any():
        jet = int(np.argmax(wrong))
        raise InputError(
            f"{columns.path}: energy of {columns.jet(jet)} is {energy[jet]:.5g} GeV, its pT, eta and mass give"
            f" {expected[jet]:.5g}; take `energy` or `mass` out of `columns.jets` in the mapping card"
        )


def _sum(four: Arrays, starts: Integers) -> Arrays:
    """Momentum of the constituents of each jet together."""
    pt, phi = four["pt"], four["phi"]
    parts = (pt * np.cos(phi), pt * np.sin(phi), pt * np.sinh(four["eta"]), four["energy"])
    px, py, pz, energy = (np.add.reduceat(part, starts) for part in parts)
    mass = np.sqrt(np.maximum(energy**2 - px**2 - py**2 - pz**2, 0.0))
    jet_pt = np.hypot(px, py)
    return {"pt": jet_pt, "eta": np.arcsinh(pz / jet_pt), "phi": np.arctan2(py, px), "mass": mass, "energy": energy}


def _compare(columns: FlatColumns, four: Arrays, jets: Arrays, summed: Arrays, momenta: MomentaCard) -> None:
    """Refuse units and signs that the file itself contradicts."""
    if (wrong := ~(jets["pt"] > 0)).any():
        raise InputError(
            f"{columns.path}: pT of {columns.jet(int(np.argmax(wrong)))} is not positive; correct the file"
        )
    ratio = float(np.median(summed["pt"] / jets["pt"]))
    if not _SUM_OVER_JET[0] < ratio < _SUM_OVER_JET[1]:
        raise InputError(
            f"{columns.path}: the pT of the constituents is {ratio:.3g} times that of the jet; correct the units of"
            " `columns.momenta` and `columns.jets` in the mapping card"
        )
    if momenta.relative:
        return
    owner = np.repeat(np.arange(len(columns.counts)), columns.counts)
    mirror = _mirror(jets["eta"], columns.counts, momenta.mirrored)
    expected = {"d_eta": mirror * (four["eta"] - jets["eta"][owner]), "d_phi": wrap(four["phi"] - jets["phi"][owner])}
    for name, values in expected.items():
        column = momenta.columns.get(name)
        if column is not None:
            odd = float(np.mean(np.abs(wrap(columns.of_constituents(column) - values)) > _ANGLE))
            if odd > _ODD_ANGLES:
                raise InputError(
                    f"{columns.path}: {column} is not that of momenta and jets for {odd:.0%} of the constituents;"
                    f" correct `columns.momenta.{name}`, or `mirrored` (now {str(momenta.mirrored).lower()})"
                )
