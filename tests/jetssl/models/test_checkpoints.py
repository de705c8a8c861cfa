import json

import numpy as np
import pytest
import torch

from jetssl.models import checkpoints
from jetssl.models.checkpoints import write_checkpoint
from resim.common.errors import InputError


def test_loads_with_weights_only(finished_run):
    raw = torch.load(finished_run.last, weights_only=True)
    assert json.loads(raw[checkpoints.KEY])["card"]["encoder"]["width"] == 16
    loaded = checkpoints.load_encoder(finished_run.last)
    assert loaded.epoch == 2
    assert loaded.classes == ("one_prong", "two_prong")
    assert not loaded.encoder.training
    for name, value in loaded.encoder.state_dict().items():
        assert torch.equal(value, raw["state_dict"][f"encoder.{name}"])


@pytest.mark.parametrize(
    ("content", "message"),
    [(None, "no such checkpoint"), (b"text", "not a readable checkpoint"), (b"", "not a read")],
)
def test_not_a_checkpoint(tmp_path, content, message):
    path = tmp_path / "x.ckpt"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InputError, match=message):
        checkpoints.load_encoder(path)


def test_one_flipped_bit_is_an_error_that_names_the_file(finished_run, tmp_path):
    content, path = finished_run.best.read_bytes(), tmp_path / "x.ckpt"
    for place in np.random.default_rng(1).integers(8 * len(content), size=60):
        flipped = bytearray(content)
        flipped[place // 8] ^= 1 << place % 8
        path.write_bytes(flipped)
        with pytest.raises(InputError, match=r"x\.ckpt: not a readable checkpoint \(its bytes are not those that"):
            checkpoints.load_encoder(path)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"state_dict": {5: torch.zeros(1)}}, "its state_dict holds 5, want names and tensors"),
        ({"state_dict": {"encoder.x": "text"}}, "its state_dict holds 'encoder.x', want"),
        ({"state_dict": [1]}, "checkpoint without state_dict and epoch"),
        ({"epoch": "two"}, "checkpoint without state_dict and epoch"),
        ({checkpoints.KEY: "{"}, "its entry 'jetssl' is no description"),
        ({checkpoints.KEY: "[]"}, "its entry 'jetssl' is no description"),
        ({checkpoints.KEY: '{"format_version": 4}'}, "its entry 'jetssl' is no description"),
        ({checkpoints.KEY: '{"format_version": 4, "classes": [], "card": {"data": 1}}'}, r"x\.ckpt: "),
    ],
)
def test_entries_that_are_not_as_they_should_be(finished_run, tmp_path, change, message):
    write_checkpoint(tmp_path / "x.ckpt", torch.load(finished_run.best, weights_only=True) | change)
    with pytest.raises(InputError, match=message):
        checkpoints.load_encoder(tmp_path / "x.ckpt")


def test_foreign_torch_file(tmp_path):
    write_checkpoint(tmp_path / "x.ckpt", {"state_dict": {}})
    with pytest.raises(InputError, match="no checkpoint of jetssl"):
        checkpoints.load_encoder(tmp_path / "x.ckpt")


def test_a_checkpoint_of_another_training(finished_run, card):
    assert checkpoints.load_encoder(finished_run.best, finished_run.load_card()).card == finished_run.load_card()
    other = card.model_copy(update={"encoder": card.encoder.model_copy(update={"width": 32})})
    with pytest.raises(InputError, match=r"best\.ckpt: comes from a training .* with another card than the run's"):
        checkpoints.load_encoder(finished_run.best, other)


def test_weights_of_another_encoder(finished_run, tmp_path):
    raw = torch.load(finished_run.last, weights_only=True)
    raw["state_dict"]["encoder.pool.weight"] = torch.zeros(3, 3)
    write_checkpoint(tmp_path / "x.ckpt", raw)
    with pytest.raises(InputError, match=r"weights do not fit encoder 'transformer'.*pool.weight"):
        checkpoints.load_encoder(tmp_path / "x.ckpt")


def test_other_format_version(finished_run, tmp_path):
    raw = torch.load(finished_run.last, weights_only=True)
    raw[checkpoints.KEY] = json.dumps({"format_version": 99})
    write_checkpoint(tmp_path / "x.ckpt", raw)
    with pytest.raises(InputError, match="checkpoint format 99, this jetssl reads 4"):
        checkpoints.load_encoder(tmp_path / "x.ckpt")


def test_a_checkpoint_that_a_gpu_wrote_is_read_on_a_cpu(finished_run, tmp_path, monkeypatch):
    """The file says of every tensor that it lay on a GPU."""
    wanted = torch.load(finished_run.best, weights_only=True)
    with monkeypatch.context() as patch:
        patch.setattr(torch.serialization, "location_tag", lambda storage: "cuda:3")
        write_checkpoint(tmp_path / "gpu.ckpt", wanted)
    with pytest.raises(RuntimeError, match="deserialize object on a CUDA device"):
        torch.load(tmp_path / "gpu.ckpt", weights_only=True)
    found = checkpoints.load_encoder(tmp_path / "gpu.ckpt").encoder.state_dict()
    assert all(torch.equal(value, wanted["state_dict"][f"encoder.{name}"]) for name, value in found.items())
