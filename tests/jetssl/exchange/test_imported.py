"""What all imports share: files that are read without trust, runs that are written last."""

import hashlib

import pytest
import torch

from jetssl.config.encoders import TransformerCard
from jetssl.evaluation.trained import load_trained
from jetssl.exchange.imported import Imported, WeightsFile, imported_card, refuse_no_tensors
from jetssl.models.builder import build_encoder
from jetssl.training.run_folder import RunFolder
from resim.common.errors import InputError


@pytest.fixture
def imported():
    card = imported_card("kin", TransformerCard(width=8, layers=1, heads=2))
    encoder = build_encoder(card, seed=1)
    classifier = torch.nn.Linear(8, 2)
    state = {f"encoder.{name}": value for name, value in encoder.state_dict().items()}
    state |= {f"classifier.{name}": value for name, value in classifier.state_dict().items()}
    return Imported(card, ("a", "b"), state, encoder, classifier, {"theirs": "1.0"})


@pytest.fixture
def file(tmp_path):
    torch.save({"one": torch.ones(2)}, tmp_path / "weights.pt")
    return WeightsFile.read("theirs", tmp_path / "weights.pt", "weights")


def test_the_run_holds_what_was_imported(imported, file, tmp_path):
    run = RunFolder(tmp_path / "run")
    provenance = imported.write(file.record, run, force=False)
    assert provenance == run.load_provenance()
    assert provenance.imported.sha256 == hashlib.sha256((tmp_path / "weights.pt").read_bytes()).hexdigest()
    assert provenance.versions["theirs"] == "1.0"
    assert provenance.parameters["classifier"] == 18
    trained = load_trained(run.path)
    assert trained.record.classes == ("a", "b")
    assert torch.equal(trained.head.weight, imported.classifier.weight)
    assert trained.loaded.card.data.files == ()
    with pytest.raises(InputError, match="exists already"):
        imported.write(file.record, run, force=False)
    imported.write(file.record, run, force=True)


def test_what_is_no_state_dict(file, tmp_path):
    assert file.load()["one"].tolist() == [1, 1]
    refuse_no_tensors(file.load())
    with pytest.raises(InputError, match="entry 'two' is no tensor"):
        refuse_no_tensors({"two": 2})
    with pytest.raises(InputError, match=r"none\.pt: cannot be read \(No such file.*\); want weights"):
        WeightsFile.read("theirs", tmp_path / "none.pt", "weights")
    torch.save({}, tmp_path / "empty.pt")
    with pytest.raises(InputError, match="holds dict, no state dict"):
        WeightsFile.read("theirs", tmp_path / "empty.pt", "weights").load()
