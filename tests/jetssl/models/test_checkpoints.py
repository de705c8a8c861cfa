import json

import pytest
import torch

from jetssl.models import checkpoints
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


def test_foreign_torch_file(tmp_path):
    torch.save({"state_dict": {}}, tmp_path / "x.ckpt")
    with pytest.raises(InputError, match="no checkpoint of jetssl"):
        checkpoints.load_encoder(tmp_path / "x.ckpt")


def test_weights_of_another_encoder(finished_run, tmp_path):
    raw = torch.load(finished_run.last, weights_only=True)
    raw["state_dict"]["encoder.pool.weight"] = torch.zeros(3, 3)
    torch.save(raw, tmp_path / "x.ckpt")
    with pytest.raises(InputError, match=r"weights do not fit encoder 'transformer'.*pool.weight"):
        checkpoints.load_encoder(tmp_path / "x.ckpt")


def test_other_format_version(finished_run, tmp_path):
    raw = torch.load(finished_run.last, weights_only=True)
    raw[checkpoints.KEY] = json.dumps({"format_version": 99})
    torch.save(raw, tmp_path / "x.ckpt")
    with pytest.raises(InputError, match="checkpoint format 99, this jetssl reads 3"):
        checkpoints.load_encoder(tmp_path / "x.ckpt")
