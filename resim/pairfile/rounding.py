"""Constituents in fewer bits: what no detector resolves is zeros, which compression packs away.

Columns stay float32, so every reader reads them. pT and displacements keep 13 of the 23 bits of their mantissa: they
move by 6e-5 of their value at most; our detectors smear pT by 1e-2, energies of photons by 8e-3 at best
(`cards/delphes/cms_tracking.tcl`). Errors of displacements keep 10 bits: 5e-4. Angles are multiples of 2^-14 and move
by 3e-5 rad at most (6e-5 next to phi = pi): 3 um at 10 cm, where hits of CMS are known to 10 um. The energy is that
of the rounded momentum and the particle's own mass, with all of its bits: energies that are rounded by themselves
would move masses of light jets by per cents, as m^2 is a small difference.
"""

from typing import Any, Final

import numpy as np
import numpy.typing as npt

from resim.common.arrays import Arrays
from resim.pairfile import schema
from resim.pairfile.row_block import RowBlock

Array = npt.NDArray[Any]
BITS: Final = {"pt": 13, "d0": 13, "dz": 13, "d0_err": 10, "dz_err": 10}
"""Column of the constituents -> bits of the mantissa that are kept."""
STEP: Final = 2.0**-14
"""rad, of `eta` and `phi`."""
_LAST: Final = {"eta": np.inf, "phi": np.floor(np.pi / STEP) * STEP}
"""Largest absolute value: azimuths stay in (-pi, pi]."""
_MANTISSA: Final = 23


def rounded(constituents: Arrays) -> Arrays:
    """Columns of constituents, `(n,)` each in the types of the schema, rounded to nearest; descending pT stays so.

    Args:
        constituents: `resim.pairfile.schema.CONSTITUENTS`; charge and PDG id are left as they are.
    """
    found = dict(constituents)
    for name, bits in BITS.items():
        found[name] = with_bits(constituents[name], bits)
    for name, last in _LAST.items():
        steps = np.rint(constituents[name].astype(np.float64) / STEP)
        found[name] = np.clip(steps * STEP, -last, last).astype(np.float32)
    mass_squared = constituents["energy"].astype(np.float64) ** 2 - _momentum(constituents) ** 2
    energy = np.sqrt(_momentum(found) ** 2 + np.maximum(mass_squared, 0.0))
    return found | {"energy": energy.astype(np.float32)}


def rounded_block(block: RowBlock) -> RowBlock:
    """The same rows with rounded constituents in every view."""
    arrays = dict(block.arrays)
    for view in block.views:
        names = {column.name: f"views/{view}/constituents/{column.name}" for column in schema.CONSTITUENTS}
        kept = rounded({name: block.arrays[path] for name, path in names.items()})
        arrays |= {path: kept[name] for name, path in names.items()}
    return RowBlock(block.views, arrays)


def _momentum(constituents: Arrays) -> Array:
    return np.asarray(constituents["pt"].astype(np.float64) * np.cosh(constituents["eta"].astype(np.float64)))


def with_bits(values: Array, bits: int) -> Array:
    """float32 of which only the first `bits` of the mantissa are not 0, the nearest such numbers, ties to even.

    >>> with_bits(np.array([1.0, 1.2, -300.7], np.float32), 3).tolist()
    [1.0, 1.25, -288.0]
    """
    drop = np.uint32(_MANTISSA - bits)
    raw = np.ascontiguousarray(values, np.float32).view(np.uint32)
    half = (np.uint32(1) << (drop - np.uint32(1))) - np.uint32(1) + ((raw >> drop) & np.uint32(1))
    return (((raw + half) >> drop) << drop).view(np.float32)
