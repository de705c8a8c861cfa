"""`training.compile`: the same numbers under the same names, one set of graphs for all shapes."""

import pytest
import torch
from torch import nn
from torch._dynamo.utils import counters

from jetssl.config.card import Card, load_card
from jetssl.config.data import DataCard
from jetssl.data.datamodule import PairDataModule
from jetssl.data.tensors import to_tensors
from jetssl.methods.builder import METHODS
from jetssl.methods.compilation import compile_in_place
from jetssl.models import checkpoints
from jetssl.models.builder import build_encoder
from jetssl.training.run_folder import RunFolder
from resim.common.errors import InputError
from tests.helpers.programs import run_jetssl as run
from tests.helpers.toys import ENCODER_CARDS, make_jets


def test_no_compiler_is_one_line():
    from torch._inductor import config

    message = r"no C\+\+ compiler found; install one .*CXX, or set training.compile=false"
    with config.patch({"cpp.cxx": ("/nowhere/g++",)}), pytest.raises(InputError, match=message):
        compile_in_place(nn.Linear(2, 2))


@pytest.fixture
def compiler():
    """Where the path of torch has a blank it cannot compile: that is said in one line, and the rest is left out."""
    if " " in torch.__file__:
        with pytest.raises(InputError, match="torch does not quote blanks"):
            compile_in_place(nn.Linear(2, 2))
        pytest.skip("torch does not quote the blank in the path of its installation")


@pytest.mark.slow
@pytest.mark.usefixtures("compiler")
@pytest.mark.filterwarnings("default")
def test_equals_eager_and_does_not_compile_again(card_file, table):
    plain, compiled = (
        METHODS["ntxent"](load_card(card_file, [f"training.compile={value}"]), 10, table.rows.classes)
        for value in ("false", "true")
    )
    assert list(plain.state_dict()) == list(compiled.state_dict())
    data = PairDataModule(table.rows, plain.card)
    counters.clear()
    graphs, shapes = [], set()
    for epoch in range(2):
        for batch in data.training_batches(epoch):
            shapes.add(tuple(batch.jets.mask.shape))
            wanted, found = plain.losses(batch)["loss"], compiled.losses(batch)["loss"]
            torch.testing.assert_close(found, wanted, rtol=1e-5, atol=1e-5)
            graphs.append(counters["stats"]["unique_graphs"])
            wanted.backward()
            found.backward()
    assert len(shapes) > 2
    assert graphs[0] > 0
    assert graphs[-1] <= graphs[0] + 1  # the first batch may have a part without padding
    for one, other in zip(plain.parameters(), compiled.parameters(), strict=True):
        torch.testing.assert_close(one.grad, other.grad, rtol=1e-4, atol=1e-5)


@pytest.mark.slow
@pytest.mark.usefixtures("compiler")
def test_command(card_file, tmp_path):
    """With an average of weights, for which the compiled encoder is copied; and the compiler says nothing."""
    done = run(
        "train", card_file, "training.compile=true", "training.ema=0.9", "training.epochs=1", "-o", tmp_path / "r"
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("\n") == 1, done.stderr
    assert checkpoints.load_encoder(RunFolder(tmp_path / "r").best).card.training.compile


@pytest.mark.slow
@pytest.mark.filterwarnings("default")
def test_other_lengths_need_no_other_graphs(rng):
    """Also where edges are counted; the graphs are run as they are, which takes seconds instead of minutes."""
    torch._dynamo.reset()
    counters.clear()
    card = Card(data=DataCard(files=("none",), normalize=False), encoder=ENCODER_CARDS["rs3l_gnn"])
    compiled, graphs = build_encoder(card, seed=1).train(), []
    compiled.compile(dynamic=True, backend="eager")
    for _ in range(3):
        compiled(*to_tensors(make_jets(rng, rng.integers(2, 12, 60).tolist()), "relative"))
        graphs.append(counters["stats"]["unique_graphs"])
    assert 0 < graphs[-1] <= graphs[0] + 1
