import pytest
import torch

from jetssl.common.determinism import deterministic
from jetssl.config.card import load_card
from jetssl.models import checkpoints
from jetssl.training.pretrain import pretrain
from jetssl.training.run_folder import RunFolder


def test_only_inside_the_block(monkeypatch):
    monkeypatch.delenv("CUBLAS_WORKSPACE_CONFIG", raising=False)
    with deterministic(True):
        assert torch.are_deterministic_algorithms_enabled()
    assert not torch.are_deterministic_algorithms_enabled()
    with deterministic(False):
        assert not torch.are_deterministic_algorithms_enabled()


@pytest.mark.slow
@pytest.mark.parametrize("encoder", ["transformer", "rs3l_gnn"])
def test_on_the_cpu_it_changes_no_bit(card_file, tmp_path, encoder):
    weights = []
    for wanted in ("true", "false"):
        run = RunFolder(tmp_path / wanted)
        words = ["training.epochs=1", f"training.deterministic={wanted}", f"encoder={{name: {encoder}}}"]
        pretrain(load_card(card_file, words), run, quiet=True)
        weights.append(checkpoints.load_encoder(run.best).encoder.state_dict())
    assert all(torch.equal(value, weights[1][name]) for name, value in weights[0].items())
