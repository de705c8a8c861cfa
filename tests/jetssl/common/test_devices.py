"""Which devices are chosen, on machines that are told to have some."""

import pytest
import torch
from torch import nn

from jetssl.common import devices as module
from jetssl.common.devices import Devices, choose, device_of, moved
from jetssl.config.card import Card
from jetssl.config.data import DataCard, ViewsCard
from jetssl.config.training import TrainingCard
from resim.common.errors import InputError


@pytest.fixture
def machine(monkeypatch):
    def has(gpus, cores=4):
        monkeypatch.setattr(torch.cuda, "is_available", lambda: gpus > 0)
        monkeypatch.setattr(torch.cuda, "device_count", lambda: gpus)
        monkeypatch.setattr(module.os, "cpu_count", lambda: cores)

    return has


@pytest.mark.parametrize(
    ("gpus", "choice", "kind", "numbers"),
    [
        (0, "auto", "cpu", (0,)),
        (0, 2, "cpu", (0, 1)),
        (4, "auto", "cuda", (0, 1, 2, 3)),
        (4, "cpu", "cpu", (0,)),
        (4, 2, "cuda", (0, 1)),
        (4, (3, 1), "cuda", (3, 1)),
    ],
)
def test_choices(machine, gpus, choice, kind, numbers):
    machine(gpus)
    assert choose(choice) == Devices(kind, numbers)


@pytest.mark.parametrize(
    ("gpus", "choice", "message"),
    [
        (0, 8, "training.devices: 8, this machine has 4 processor cores, and no GPU that torch sees"),
        (2, 3, "training.devices: 3, this machine has 2 GPUs"),
        (2, (0, 2), "GPU 2, torch sees GPUs 0 to 1"),
        (0, (0,), "GPU 0, torch sees no GPU"),
    ],
)
def test_more_than_there_are(machine, gpus, choice, message):
    machine(gpus)
    with pytest.raises(InputError, match=message):
        choose(choice)


def test_processes_that_run_already_take_the_first(machine):
    machine(4)
    assert choose("auto").shared_by(2).of(1) == torch.device("cuda", 1)
    assert choose((3, 1)).shared_by(1).of(0) == torch.device("cuda", 3)
    assert choose("cpu").shared_by(3) == Devices("cpu", (0, 1, 2))
    with pytest.raises(InputError, match="5 processes on this machine, of whose GPUs torch sees 4"):
        choose("auto").shared_by(5)


@pytest.mark.parametrize("devices", [[], [0, 0], [-1], 0, "gpu"])
def test_cards_with_other_devices_are_refused(devices):
    with pytest.raises(ValueError, match="devices"):
        TrainingCard(devices=devices)


def test_a_training_goes_on_with_other_devices_but_not_with_another_card():
    one = Card(data=DataCard(files=("a",)))
    elsewhere, other = (
        one.model_copy(update={"training": TrainingCard(**change)}) for change in ({"devices": 8}, {"epochs": 3})
    )
    assert one.trains_like(elsewhere)
    assert not one.trains_like(other)


def test_a_training_goes_on_with_other_processes_of_its_detector_but_not_with_another_detector():
    one, elsewhere, other = (
        Card(data=DataCard(files=("a",)), views=ViewsCard(source="live", live={"detector": path, "processes": count}))
        for path, count in (("a.tcl", 1), ("a.tcl", 4), ("b.tcl", 1))
    )
    assert one.trains_like(elsewhere)
    assert not one.trains_like(other)


def test_inputs_follow_the_weights():
    layer = nn.Linear(2, 2, device="meta")
    assert device_of(layer).type == "meta"
    assert device_of(nn.Identity()).type == "cpu"
    tensor, nothing = moved((torch.ones(1), None), torch.device("meta"))
    assert (tensor.device.type, nothing) == ("meta", None)
