"""`training.compile`: the same numbers under the same names, one set of graphs for all shapes."""

import json

import pytest
import torch
from torch import nn
from torch._dynamo.utils import counters

from jetssl.config.card import Card, load_card
from jetssl.config.data import DataCard
from jetssl.data.ragged import Bucket, keep_lengths_out_of_graphs
from jetssl.data.tensors import to_tensors
from jetssl.methods.compilation import compile_in_place
from jetssl.models import checkpoints
from jetssl.models.builder import build_encoder
from jetssl.training.epoch_metrics import read_metrics
from jetssl.training.pretrain import pretrain
from jetssl.training.run_folder import RunFolder
from resim.common.errors import InputError
from tests.helpers.forked import run_program
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


COUNTED = """
import json
from torch._dynamo.utils import counters
from jetssl.cli import main
from jetssl.methods.builder import METHODS

METHOD, counts = METHODS["ntxent"], []
losses = METHOD.losses
def counted(self, batch):
    result = losses(self, batch)
    counts.append((tuple(batch.jets.mask.shape), counters["stats"]["unique_graphs"]))
    return result
METHOD.losses = counted
try:
    main()
finally:
    print(json.dumps(counts))
"""


@pytest.mark.slow
@pytest.mark.usefixtures("compiler")
def test_equals_eager_and_does_not_compile_again(card_file, tmp_path):
    """The command, with an average of weights, for which the compiled encoder is copied; the compiler says nothing."""
    compiled, eager = RunFolder(tmp_path / "compiled"), RunFolder(tmp_path / "eager")
    words = ["training.ema=0.9", "training.epochs=2"]
    done = run_program(COUNTED, "train", card_file, "training.compile=true", *words, "-o", compiled.path)
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("\n") == 2, done.stderr  # one line for each epoch
    shapes, graphs = zip(*json.loads(done.stdout.splitlines()[-1]), strict=True)
    assert len({tuple(shape) for shape in shapes}) > 2
    assert 0 < graphs[-1] <= graphs[0] + 1  # the first batch may have a part without padding
    pretrain(load_card(card_file, words), eager, quiet=True)
    found, wanted = (torch.load(run.last, weights_only=True)["state_dict"] for run in (compiled, eager))
    assert list(found) == list(wanted)
    different = {name for name, value in wanted.items() if not torch.allclose(found[name], value, 1e-3, 1e-4)}
    # The key bias cancels in the softmax: its gradient is rounding, which AdamW makes a step of.
    assert different <= {name for name in wanted if name.endswith("attention.in_proj.bias")}
    losses = [[row["loss"] for row in read_metrics(run.metrics)] for run in (compiled, eager)]
    assert losses[0] == pytest.approx(losses[1], rel=1e-5)
    assert checkpoints.load_encoder(compiled.best).card.training.compile


@pytest.mark.slow
@pytest.mark.filterwarnings("default")
def test_other_lengths_need_no_other_graphs(rng, monkeypatch):
    """Also where edges are counted; the graphs are run as they are, which takes seconds instead of minutes."""
    torch._dynamo.reset()
    counters.clear()
    monkeypatch.setattr(Bucket, "edges", Bucket.edges)  # back at the end
    monkeypatch.setattr(Bucket, "pairs", Bucket.pairs)
    keep_lengths_out_of_graphs()
    card = Card(data=DataCard(files=("none",), normalize=False), encoder=ENCODER_CARDS["rs3l_gnn"])
    compiled, graphs = build_encoder(card, seed=1).train(), []
    compiled.compile(dynamic=True, backend="eager")
    for _ in range(3):
        compiled(*to_tensors(make_jets(rng, rng.integers(2, 12, 60).tolist()), "relative"))
        graphs.append(counters["stats"]["unique_graphs"])
    assert 0 < graphs[-1] <= graphs[0] + 1
