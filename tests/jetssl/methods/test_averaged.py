"""The average that makes targets: begins as the student, moves once a step, ends still."""

import itertools

import numpy as np
import pytest
import torch

from jetssl.config.card import load_card
from jetssl.methods.averaged import average_decay
from jetssl.methods.builder import METHODS
from jetssl.training import pretrain as program
from jetssl.training.epoch_log import EpochLog
from jetssl.training.pretrain import pretrain
from jetssl.training.run_folder import RunFolder
from resim.common.errors import InputError
from tests.helpers.toys import JEPA, PART

AVERAGED = {"jepa": JEPA, "dino": "objective={name: dino}"}


def test_the_average_ends_at_one():
    decays = [average_decay(0.99, step, 100) for step in range(1, 101)]
    assert decays[0] == pytest.approx(0.99 + 0.01 / 100)
    assert decays[-1] == 1
    assert np.diff(decays) == pytest.approx(0.01 / 100)


@pytest.mark.parametrize("name", AVERAGED)
def test_averages_begin_as_what_they_average_and_do_not_learn(card_file, name):
    method = METHODS[name](load_card(card_file, [AVERAGED[name]]), 10, ("a", "b"))
    for average, source in method.averages:
        for key, value in source.state_dict().items():
            assert torch.equal(value, average.state_dict()[key])
        assert not any(weights.requires_grad for weights in average.parameters())
    (group,) = method.configure_optimizers()["optimizer"].param_groups
    assert {id(w) for w in group["params"]} == {id(w) for w in method.parameters() if w.requires_grad}


@pytest.mark.slow
@pytest.mark.parametrize("name", AVERAGED)
def test_averages_move_once_a_step_after_the_optimizer(card_file, tmp_path, name):
    """Against a loop over the weights, among them the running statistics of a batch norm."""
    overrides = [AVERAGED[name], PART, "objective.average=0.5", "training.learning_rate=0.01", "training.epochs=1"]
    card = load_card(card_file, [*overrides, "projector.batch_norm=true"])
    seen, averages = [], {}

    class Watch(EpochLog):
        def on_train_batch_end(self, trainer, module, *_):
            of_module = {id(child): name for name, child in module.named_children()}
            averages.update({of_module[id(a)]: of_module[id(b)] for a, b in module.averages})
            seen.append({key: value.detach().clone() for key, value in module.state_dict().items()})

    run = RunFolder(tmp_path / "run")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(program, "EpochLog", Watch)
        pretrain(card, run, quiet=True)
    assert averages["encoder"] == "student"
    for step, (now, then) in enumerate(itertools.pairwise(seen), 2):
        decay = average_decay(0.5, step, len(seen))
        for key in now:
            module, _, rest = key.partition(".")
            if module not in averages:
                continue
            source = then[f"{averages[module]}.{rest}"]
            if "running" in key or "batches" in key or rest in {"mean", "spread"}:
                assert torch.equal(then[key], source), key
            else:
                wanted = decay * now[key] + (1 - decay) * source
                torch.testing.assert_close(then[key], wanted, rtol=0, atol=1e-6)
    assert not torch.equal(seen[-1]["student.mean"], torch.zeros(10))  # normalized as the one that saw the data


@pytest.mark.parametrize("name", AVERAGED)
def test_bad_cards_are_one_line(card_file, name):
    with pytest.raises(InputError, match=rf"training.ema is 0.9: objective {name} keeps an average itself"):
        load_card(card_file, [AVERAGED[name], "training.ema=0.9"])
    with pytest.raises(InputError, match=rf"training.patience is 3: the targets of objective {name} change"):
        load_card(card_file, [AVERAGED[name], "training.patience=3"])
