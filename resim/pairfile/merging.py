"""Join the shards of a run to the file that the whole run would have made."""

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace
from functools import reduce
from pathlib import Path
from typing import Final

from resim.card.run_options import Shard
from resim.common.errors import InputError
from resim.common.versions import utc_now
from resim.pairfile.provenance import Provenance
from resim.pairfile.reader import PairFile
from resim.pairfile.writer import PLAIN, PairWriter, Storage

_ROWS_AT_ONCE: Final = 5_000


def merge(paths: Sequence[Path], output: Path, storage: Storage = PLAIN) -> Provenance:
    """Join shards. The arrays are those of the whole run, in any order of `paths`; a whole file is its only shard.

    Args:
        paths: all shards of a run.
        output: the pair file.
        storage: how it keeps its numbers; shards that are rounded stay so.

    Raises:
        InputError: a file is no shard of the same run, a shard is missing or there twice.
    """
    with ExitStack() as stack:
        files = _in_order([stack.enter_context(PairFile(path)) for path in paths])
        first = files[0]
        provenance = reduce(lambda a, b: a.joined(b), (file.provenance for file in files))
        shape = (first.views, first.labels, first.source_hashes)
        layout = first.layout
        with PairWriter(
            output,
            *shape,
            vertices=layout.vertices,
            version=layout.version,
            weights=first.weight_names,
            cells=layout.cells,
            storage=replace(storage, rounded=storage.rounded or any(file.rounded for file in files)),
        ) as writer:
            for file in files:
                for start in range(0, len(file), _ROWS_AT_ONCE):
                    writer.append(file.block(start, min(start + _ROWS_AT_ONCE, len(file))))
            provenance = provenance.model_copy(update={"shard": "1/1", "created": utc_now()})
            writer.finish(provenance)
    return provenance


def _in_order(files: Sequence[PairFile]) -> list[PairFile]:
    first = files[0]
    shards: dict[int, PairFile] = {}
    for file in files:
        if file.provenance.run_key != first.provenance.run_key:
            raise InputError(f"{file.path}: not a shard of the run that made {first.path}; merge shards of one run")
        shard = Shard.parse(file.provenance.shard)
        if shard.number in shards:
            raise InputError(f"{file.path}: holds shard {shard} as {shards[shard.number].path} does; leave one out")
        shards[shard.number] = file
    of = {Shard.parse(file.provenance.shard).of for file in files}
    if len(of) > 1:
        raise InputError(f"{first.path}: the files are shards of {sorted(of)} parts; merge those of one division")
    if missing := [str(Shard(number, max(of))) for number in range(1, max(of) + 1) if number not in shards]:
        raise InputError(f"{first.path}: shards {', '.join(missing)} are missing; make them or name their files")
    return [shards[number] for number in sorted(shards)]
