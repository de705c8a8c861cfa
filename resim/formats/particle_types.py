"""Charge, PDG id and impact parameters of constituents from the columns of others."""

from collections.abc import Mapping
from typing import Final

import numpy as np

from resim.common.arrays import Arrays, Booleans, Floats
from resim.formats.columns_card import DisplacementsCard, ParticlesCard
from resim.formats.flat_columns import FlatColumns

CHARGED_PION: Final = 211
CHARGES: Final = {11: -1, 13: -1, 15: -1, 211: 1, 321: 1, 2212: 1, 3112: -1, 3222: 1, 3312: -1, 3334: -1}
"""Charge of the particle (not its antiparticle) of what lives long enough for a detector (PDG numbering scheme)."""
NEUTRAL: Final = (0, 1, 2, 22, 111, 130, 310, 311, 2112, 3122, 3212, 3322)
"""Neutral ones; 1 and 2 are deposits in the forward calorimeter in CMS's data formats."""
_LARGEST_TANH: Final = 1 - 2.0**-24
"""The float32 below 1: what a hyperbolic tangent in single precision can be taken back from, 9 mm."""


def particles_of(columns: FlatColumns, card: ParticlesCard) -> Arrays:
    """`charge` and `pdg_id` of the constituents, float64 `(n_constituents,)` each; 0 if the card says nothing.

    Raises:
        InputError: a charge is no integer, a constituent has two types, or no charge is known for its PDG id.
    """
    if not card.columns:
        zeros = np.zeros(int(columns.counts.sum()))
        return {"charge": zeros, "pdg_id": zeros}
    if card.pdg_id is not None:
        pdg_id = _numbers(columns, card.pdg_id, card.codes)
        return {"charge": _charges(columns, card, pdg_id), "pdg_id": pdg_id}
    charge = _stored_charges(columns, str(card.charge))
    flags = {name: columns.of_constituents(column) != 0 for name, column in card.flags.items()}
    n_types = np.sum([np.zeros(len(charge), bool), *flags.values()], axis=0)
    columns.refuse(n_types > 1, "type", "is given twice")
    return {"charge": charge, "pdg_id": _pdg_ids(charge, flags)}


def _stored_charges(columns: FlatColumns, name: str) -> Floats:
    charge = columns.of_constituents(name)
    columns.refuse((charge != np.rint(charge)) | (np.abs(charge) > 2), name, "is no charge in units of e")
    return charge


def _numbers(columns: FlatColumns, name: str, codes: Mapping[int, int] | None) -> Floats:
    """PDG ids."""
    values = np.rint(columns.of_constituents(name))
    if codes is None:
        return values
    known = np.array(sorted(codes))
    columns.refuse(~np.isin(values, known), name, "has a value that is none of `codes`")
    return np.array([codes[code] for code in known.tolist()], np.float64)[np.searchsorted(known, values)]


def _charges(columns: FlatColumns, card: ParticlesCard, pdg_id: Floats) -> Floats:
    """As a column says, else as the PDG ids do."""
    if card.charge is not None:
        return _stored_charges(columns, card.charge)
    charges = CHARGES | dict.fromkeys(NEUTRAL, 0)
    known = np.array(sorted(charges))
    columns.refuse(~np.isin(np.abs(pdg_id), known), str(card.pdg_id), "holds a particle whose charge is not known")
    of_known = np.array([charges[number] for number in known.tolist()], np.float64)
    return np.asarray(np.sign(pdg_id) * of_known[np.searchsorted(known, np.abs(pdg_id))])


def _pdg_ids(charge: Floats, flags: dict[str, Booleans]) -> Floats:
    """As a detector has them: charged hadrons are pions; without a flag the charge tells the hadrons apart."""
    pdg_id = CHARGED_PION * charge
    for name, number in (("photon", 22), ("electron", 11), ("muon", 13)):
        if name in flags:
            pdg_id = np.where(flags[name], number if name == "photon" else -number * charge, pdg_id)
    return np.asarray(pdg_id)


def displacements_of(columns: FlatColumns, card: DisplacementsCard | None, charge: Floats, *, typed: bool) -> Arrays:
    """`d0`, `d0_err`, `dz`, `dz_err` of the constituents, float64 `(n_constituents,)` each, in mm.

    0 for neutral constituents, and where the file says by a negative error, or a significance of 0, that nothing was
    measured.

    Args:
        columns: of the file.
        card: what they mean; None: the file has none, all are 0.
        charge: of the constituents, `(n_constituents,)`.
        typed: whether the file says which constituents are charged.
    """
    found: Arrays = {name: np.zeros(len(charge)) for name in ("d0", "d0_err", "dz", "dz_err")}
    if card is None:
        return found
    found |= {name: columns.of_constituents(column) for name, column in card.columns.items()}
    if card.tanh:
        limited = {name: found[name].clip(-_LARGEST_TANH, _LARGEST_TANH) for name in ("d0", "dz")}
        found |= {name: np.arctanh(values) for name, values in limited.items()}
    for name in ("d0", "dz"):
        if (significance := found.pop(f"{name}_significance", None)) is not None:
            found[f"{name}_err"] = _errors(found[name], significance)
    measured = (found["d0_err"] >= 0) & (found["dz_err"] >= 0) & ((charge != 0) | (not typed))
    signs = {"d0": -1.0 if card.sign == "opposite" else 1.0}
    return {
        name: np.where(measured, signs.get(name, 1.0) * card.scale * values, 0.0) for name, values in found.items()
    }


def _errors(values: Floats, significance: Floats) -> Floats:
    """What the values are divided by in the significance; -1 where that is 0."""
    errors = np.full(len(values), -1.0)
    np.divide(np.abs(values), np.abs(significance), out=errors, where=significance != 0)
    return errors
