"""Mutants of what the programs wrote themselves: pair files, finished chunks, checkpoints, folders of runs."""

from pathlib import Path

import numpy as np
import pytest
import torch

from jetssl.config.card import load_card
from jetssl.models.checkpoints import load_encoder
from jetssl.training.pretrain import pretrain
from jetssl.training.run_folder import RunFolder
from resim.common.errors import InputError
from resim.common.row_counts import SourceCounts
from resim.formats.export_jets import export_jets
from resim.formats.import_jets import import_jets
from resim.formats.layouts import ExportOptions
from resim.formats.mapping_card import mapping_card
from resim.pairfile.digest import digest
from resim.pairfile.inspection import summarize
from resim.pairfile.mock import write_mock
from resim.pairfile.reader import PairFile
from resim.pairfile.row_block import RowBlock
from resim.pairfile.validation import violations
from resim.run.checkpoint import Checkpoint
from resim.run.chunks import ChunkResult
from tests.helpers.mutants import Kind
from tests.helpers.toys import CARD

pytestmark = [pytest.mark.mutants, pytest.mark.slow]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    """A training of one epoch on 40 rows."""
    torch.set_num_threads(1)
    folder = tmp_path_factory.mktemp("fuzz")
    write_mock(folder / "pairs.h5", 40, ("nominal", "seed"))
    (folder / "card.yaml").write_text(CARD.format(file=folder / "pairs.h5"))
    pretrain(load_card(folder / "card.yaml"), RunFolder(folder / "run"), quiet=True)
    return RunFolder(folder / "run")


def read_rows(path: Path) -> None:
    """The rows of a pair file, as the trainer reads them."""
    with PairFile(path) as file:
        assert len(file.block(0, len(file)).arrays) > 1


def test_pair_files(tmp_path, run):
    kind = Kind("pair file", ".h5", (violations, read_rows, summarize, digest))
    assert kind.try_all([(run.path.parent / "pairs.h5").read_bytes()], tmp_path)[1]


@pytest.mark.parametrize("name", ["quark_gluon", "rs3l"])
def test_files_of_others(tmp_path, name):
    """Read whole, as `resim import` does."""
    toys = write_mock(tmp_path / "toys.h5", 12, ("nominal", "seed"))
    sound = tmp_path / ("sound.npz" if name == "quark_gluon" else "sound.h5")
    if name == "quark_gluon":
        np.savez(sound, X=np.random.default_rng(1).uniform(0.1, 1, (9, 5, 4)) * [9, 1, 1, 0], y=np.arange(9) % 2)
    else:
        labels = {"one_prong": "qcd", "two_prong": "hbb"}
        export_jets(toys, sound, "rs3l-hdf5", ExportOptions(labels=labels, quiet=True))

    def read(path: Path) -> None:
        import_jets([path], tmp_path / "out.h5", mapping_card(name, None), quiet=True)

    assert Kind(f"{name} file", sound.suffix, (read,)).try_all([sound.read_bytes()], tmp_path, share=0.5)[1]


def test_chunks(tmp_path, run):
    """A damaged chunk gives the arrays that were finished, or is removed and made again."""
    with PairFile(run.path.parent / "pairs.h5") as file:
        block = file.block(0, len(file))
    counts = SourceCounts(events=40, events_with_rows=40, partons=40, rejected={}, rows=40)
    with Checkpoint(tmp_path / "pairs.h5", "key") as checkpoint:
        checkpoint.prepare(resume=False, force=False)
        checkpoint.save(0, ChunkResult(0, 1.0, block, counts, {}))
        path = checkpoint.folder / "00000000.npz"
        kind = Kind("chunk", ".npz", (lambda mutant: _same_or_removed(checkpoint, path, mutant, block),))
        assert kind.try_all([path.read_bytes()], tmp_path)[1]


def _same_or_removed(checkpoint: Checkpoint, path: Path, mutant: Path, finished: RowBlock) -> None:
    path.write_bytes(mutant.read_bytes())
    if (found := checkpoint.find(0)) is None:
        raise InputError(f"{path}: removed")
    assert found.block.arrays.keys() == finished.arrays.keys()
    for name, array in finished.arrays.items():
        np.testing.assert_array_equal(found.block.arrays[name], array)


def test_checkpoints(tmp_path, run):
    assert Kind("checkpoint", ".ckpt", (load_encoder,)).try_all([run.best.read_bytes()], tmp_path)[1]


@pytest.mark.parametrize("name", ["card", "provenance"])
def test_run_folders(run, name):
    path = getattr(run, name)
    sound = path.read_bytes()
    kind = Kind(f"run folder {name}", path.suffix, (lambda file: _state(run, path, file),))
    try:
        kind.try_all([sound], run.path.parent)
    finally:
        path.write_bytes(sound)


def _state(run: RunFolder, path: Path, mutant: Path) -> None:
    path.write_bytes(mutant.read_bytes())
    run.load_card()
    run.load_provenance()
