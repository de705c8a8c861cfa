"""Bytes of a constituent in HDF5, and how fast it is written and read, by compression and by bits that are kept.

The columns of constituents of a pair file are written and read as in a pair file, in pieces of 65,536, by each of:

- `gzip`: gzip 1 after a byte shuffle, as pair files have it; `zstd`: Zstandard 3 and a sum, `blosc_zstd`: by Blosc2,
  `blosc_lz4`: LZ4 by Blosc2, all after a byte shuffle; `lz4`: LZ4 after a bit shuffle; `none`. All but gzip and none
  need the package hdf5plugin.
- bits: `exact`; `rounded`: what `resim.pairfile.rounding` keeps, still float32; `float16`.

`bytes` are those of a constituent on the disk, `written` and `read` millions of constituents per second of CPU time
of this process, the median of `--rounds` rounds in which all take turns. `smaller`, `writes`, `reads` are ratios to
exact gzip. `loss` is by how much rounding changes masses of jets, the median and the 99.9 % quantile of |dm|/m, and
the largest change of a direction in rad.

    python benchmarks/size.py PAIRS.h5 [--json] [--rounds 5] [--most 2000000]
"""

import argparse
import json
import statistics
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import h5py
import hdf5plugin
import numpy as np
import numpy.typing as npt

from resim.common.arrays import Arrays
from resim.pairfile import schema
from resim.pairfile.reader import PairFile
from resim.pairfile.rounding import rounded
from resim.pairfile.writer import Storage

FILTERS: Final[dict[str, Mapping[str, Any]]] = {
    "gzip": Storage("gzip").options(),
    "zstd": Storage("zstd").options(),
    "blosc_zstd": hdf5plugin.Blosc2("zstd", clevel=3, filters=hdf5plugin.Blosc2.SHUFFLE),
    "blosc_lz4": hdf5plugin.Blosc2("lz4", clevel=5, filters=hdf5plugin.Blosc2.SHUFFLE),
    "lz4": hdf5plugin.Bitshuffle(cname="lz4"),
    "none": {},
}
CHUNK: Final = 65536


def columns_of(path: Path, most: int) -> tuple[Arrays, npt.NDArray[np.int64]]:
    """Columns of the constituents of the root view, at most so many, and the offsets of the jets that are whole."""
    with PairFile(path) as file:
        view = file.view_names[0]
        offsets = file.offsets(view)
        offsets = offsets[: np.searchsorted(offsets, most, side="right")]
        part = slice(0, int(offsets[-1]))
        return {c.name: file.constituents(view, c.name, part) for c in schema.CONSTITUENTS}, offsets


def in_bits(columns: Arrays) -> dict[str, Arrays]:
    """The columns, by how many of their bits are kept."""
    halves = {n: v.astype(np.float16) if v.dtype.kind == "f" else v for n, v in columns.items()}
    return {"exact": columns, "rounded": rounded(columns), "float16": halves}


def measured(path: Path, columns: Arrays, options: Mapping[str, Any]) -> tuple[float, float, float]:
    """Bytes of a constituent, and seconds of CPU time to write and to read all."""
    n = len(columns["pt"])
    start = time.process_time()
    with h5py.File(path, "w") as file:
        for name, values in columns.items():
            file.create_dataset(name, data=values, maxshape=(None,), chunks=(CHUNK,), **options)
    written = time.process_time()
    with h5py.File(path, "r") as file:
        for name in columns:
            file[name][:]
        read = time.process_time()
        size = sum(file[name].id.get_storage_size() for name in columns)
    return size / n, written - start, read - written


def masses(columns: Arrays, offsets: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    """Masses of the sums of the constituents of each jet, GeV `(n_jets,)`; jets without constituents are left out."""
    pt, eta, phi, energy = (columns[name].astype(float) for name in ("pt", "eta", "phi", "energy"))
    starts = offsets[:-1][np.diff(offsets) > 1]
    parts = (energy, pt * np.cos(phi), pt * np.sin(phi), pt * np.sinh(eta))
    total, *momentum = (np.add.reduceat(part, starts) for part in parts)
    return np.asarray(np.sqrt(np.maximum(total**2 - sum(p**2 for p in momentum), 0)))


def loss(exact: Arrays, kept: Arrays, offsets: npt.NDArray[np.int64]) -> list[float]:
    """Median and 99.9 % quantile of |dm|/m, largest change of an angle."""
    before, after = masses(exact, offsets), masses(kept, offsets)
    changes = np.abs(after - before)[before > 1] / before[before > 1]
    angles = max(float(np.abs(kept[name].astype(float) - exact[name]).max()) for name in ("eta", "phi"))
    return [float(np.median(changes)), float(np.quantile(changes, 0.999)), angles]


def main() -> None:
    """Measure, and print a table or JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pairs", type=Path)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--most", type=int, default=2_000_000)
    options = parser.parse_args()
    exact, offsets = columns_of(options.pairs, options.most)
    kinds = in_bits(exact)
    rounds: dict[tuple[str, str], list[tuple[float, float, float]]] = {}
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(options.rounds):
            for bits, columns in kinds.items():
                for name, how in FILTERS.items():
                    result = measured(Path(folder) / "columns.h5", columns, how)
                    rounds.setdefault((bits, name), []).append(result)
    n = len(exact["pt"]) / 1e6
    medians = {
        key: [statistics.median(values) for values in zip(*found, strict=True)] for key, found in rounds.items()
    }
    size, write, read = medians["exact", "gzip"]
    table = {
        f"{bits} {name}": {
            "bytes": values[0], "written": n / values[1], "read": n / values[2],
            "smaller": size / values[0], "writes": write / values[1], "reads": read / values[2],
        }
        for (bits, name), values in medians.items()
    }  # fmt: skip
    losses = {bits: loss(exact, kinds[bits], offsets) for bits in ("rounded", "float16")}
    if options.json:
        print(json.dumps({"constituents": len(exact["pt"]), "table": table, "loss": losses}))
        return
    for name, row in table.items():
        print(f"{name:18}", "  ".join(f"{key} {value:6.2f}" for key, value in row.items()))
    for bits, (median, most, angle) in losses.items():
        print(f"{bits}: |dm|/m {median:.1e}, 99.9 % {most:.1e}; directions {angle:.1e}")


if __name__ == "__main__":
    main()
