"""The way back: weaver-core's own class loads the file, unmodified, and says the same."""

import importlib
import logging

import pytest
import torch
from click.testing import CliRunner

from jetssl.cli import jetssl
from jetssl.config.card import Card
from jetssl.config.data import DataCard
from jetssl.config.encoders import TransformerCard
from jetssl.config.objectives import SupervisedCard
from jetssl.config.projectors import ProjectorCard
from jetssl.evaluation.heads import Head, build_head, perceptron
from jetssl.evaluation.trained import HEAD_FILE, HeadRecord, load_trained
from jetssl.exchange.weaver_export import export_weaver
from jetssl.exchange.weaver_import import import_weaver
from jetssl.models import checkpoints
from jetssl.models.builder import build_encoder
from jetssl.training.provenance import ImportRecord, record_of_import
from jetssl.training.run_folder import RunFolder
from resim.common.errors import InputError
from tests.helpers.weaver import CARDS, Wrapped, outputs, silent


def loaded_by_weaver(file, written):
    """With the class and the arguments that the export names; every key must fit."""
    module, _, name = written.network.rpartition(".")
    with silent():
        network = getattr(importlib.import_module(module), name)(**written.arguments)
    Wrapped(network).load_state_dict(torch.load(file, weights_only=True))
    return network.eval()


@pytest.mark.parametrize("architecture", CARDS)
def test_there_and_back_is_the_same_bit_by_bit(architecture, bench, tmp_path):
    theirs = bench.network(architecture)
    import_weaver(bench.ask(bench.save(theirs), architecture), RunFolder(tmp_path / "run"))
    written = export_weaver(tmp_path / "run", tmp_path / "back.pt")
    back = loaded_by_weaver(tmp_path / "back.pt", written).state_dict()
    assert back.keys() == theirs.state_dict().keys()
    assert all(torch.equal(value, back[name]) for name, value in theirs.state_dict().items())
    assert written.classes == ("two_prong", "QCD", "Hbb")
    assert written.features[0] == "part_pt_log"


def write_run(folder, encoder_card, head, classes=("b", "q"), record=None):
    """A run as a training leaves it, with features that are normalized."""
    card = Card(data=DataCard(files=(), features="kin"), encoder=encoder_card, objective=SupervisedCard())
    run, encoder = RunFolder(folder), build_encoder(card, seed=3)
    generator = torch.Generator().manual_seed(4)
    for name, buffer in encoder.named_buffers():
        if name.endswith(("spread", "running_var")):
            buffer.uniform_(0.1, 2, generator=generator)
        elif name.endswith("mean"):
            buffer.normal_(generator=generator)
    prefix = "head" if record else "classifier"
    state = {f"encoder.{name}": value for name, value in encoder.state_dict().items()}
    state |= {f"{prefix}.{name}": value for name, value in head.state_dict().items()}
    content = {"state_dict": state, "epoch": 0, checkpoints.KEY: checkpoints.description(card, classes)}
    checkpoints.write_checkpoint(run.best, content)
    run.card.write_text(card.to_yaml())
    provenance = record_of_import(ImportRecord(program="weaver", path="none", sha256="0"), {})
    run.provenance.write_text(provenance.model_dump_json())
    if record:
        (folder / HEAD_FILE).write_text(record.model_dump_json())
    return folder


@pytest.mark.parametrize("architecture", CARDS)
def test_normalized_features_are_read_as_they_are(architecture, some_jets, tmp_path):
    run, batch = (
        write_run(tmp_path / "run", CARDS[architecture], torch.nn.Linear(16, 3), ("a", "b", "c")),
        some_jets("kin"),
    )
    theirs = loaded_by_weaver(tmp_path / "out.pt", export_weaver(run, tmp_path / "out.pt"))
    ours = load_trained(run)
    with torch.inference_mode():
        expected = ours.head(ours.loaded.encoder(*batch).jet)
    torch.testing.assert_close(outputs(theirs, batch, padding=4)[0], expected, rtol=1e-4, atol=1e-4)


def test_one_output_becomes_two(some_jets, tmp_path):
    """The softmax over both is the sigmoid of the one."""
    record = HeadRecord(classes=("b", "q"), method="finetune_full", baseline=None, n_labels=9, all_labels=False)
    head = Head(torch.nn.Identity(), perceptron(16, (), 1))
    run = write_run(tmp_path / "run", CARDS["part"], head, record=record)
    written, batch = export_weaver(run, tmp_path / "out.pt"), some_jets("kin")
    assert (written.classes, written.arguments["num_classes"]) == (("b", "q"), 2)
    logits = outputs(loaded_by_weaver(tmp_path / "out.pt", written), batch)[0]
    ours = load_trained(run)
    with torch.inference_mode():
        expected = ours.head(ours.loaded.encoder(*batch).jet)[:, 0].sigmoid()
    torch.testing.assert_close(logits.softmax(1)[:, 0], expected, rtol=1e-4, atol=1e-5)


def test_what_weaver_does_not_have(finished_run, tmp_path, caplog):
    with pytest.raises(InputError, match="a pre-trained encoder without a head"):
        export_weaver(finished_run.path, tmp_path / "out.pt")
    record = HeadRecord(
        classes=("b", "q"), method="finetune_full_rs3l", baseline=None, n_labels=9, all_labels=False, head="rs3l"
    )
    run = write_run(tmp_path / "rs3l", CARDS["part"], build_head("rs3l", 16, ProjectorCard(), 2), record=record)
    with pytest.raises(InputError, match="its head 'rs3l' reads the projector"):
        export_weaver(run, tmp_path / "out.pt")
    run = write_run(tmp_path / "transformer", TransformerCard(width=16, heads=2), torch.nn.Linear(16, 2))
    with pytest.raises(InputError, match="encoder 'transformer'; weaver-core has particlenet, part"):
        export_weaver(run, tmp_path / "out.pt")
    assert not (tmp_path / "out.pt").exists()
    left_out = CARDS["particlenet"].model_copy(update={"missing_neighbours": "left_out"})
    run = write_run(tmp_path / "left_out", left_out, torch.nn.Linear(16, 2))
    with caplog.at_level(logging.WARNING):
        export_weaver(run, tmp_path / "out.pt")
    assert "averages over padding where a jet has fewer than 5 constituents" in caplog.text


def test_the_command_says_what_reads_it(bench, tmp_path):
    import_weaver(bench.ask(bench.save(bench.network("particlenet")), "particlenet"), RunFolder(tmp_path / "run"))
    words = ["export", str(tmp_path / "run"), "--format", "weaver", "-o", str(tmp_path / "out.pt")]
    done = CliRunner().invoke(jetssl, words)
    assert done.exit_code == 0, done.exception
    assert "weaver.nn.model.ParticleNet.ParticleNet(input_dims=7, num_classes=3" in done.output
    assert "outputs: two_prong, QCD, Hbb" in done.output
    assert "exists already" in str(CliRunner().invoke(jetssl, words).exception)
