"""A hash of the arrays of a pair file. It does not depend on dates, compression or chunk sizes."""

import hashlib
from dataclasses import replace
from pathlib import Path

from resim.pairfile import schema
from resim.pairfile.reader import PairFile

_ENTRIES_AT_ONCE = 1_000_000


def digest(path: Path, version: int = schema.SCHEMA_VERSION) -> str:
    """SHA-256 over name, dtype, length and bytes of every dataset of the schema, in a fixed order.

    Args:
        path: a pair file.
        version: columns that came after this version of the schema are left out.
    """
    total = hashlib.sha256()
    with PairFile(path) as file:
        layout = replace(file.layout, version=min(version, file.version), weights=file.layout.weights and version > 2)
        paths = list(layout.row_columns())
        for group in layout.ragged_groups():
            paths += [group.offsets, *group.columns]
        for name in paths:
            length = file.length(name)
            total.update(f"{name} {file.read(name, slice(0, 0)).dtype.str} {length}\n".encode())
            for start in range(0, length, _ENTRIES_AT_ONCE):
                total.update(file.read(name, slice(start, start + _ENTRIES_AT_ONCE)).tobytes())
        names = list(file.weight_names or ()) if layout.weights else []
        total.update("\n".join(file.labels + file.source_hashes + names).encode())
    return total.hexdigest()
