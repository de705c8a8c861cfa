"""Networks of OmniLearned's own class with random weights: the run says what they say."""

import hashlib
import json
import pickle
import sys

import pytest
import torch
from click.testing import CliRunner

from jetssl.cli import jetssl
from jetssl.config.evaluation import FineTuneCard
from jetssl.evaluation.finetune import FineTuning, finetune
from jetssl.evaluation.trained import load_trained
from jetssl.exchange.omnilearned_import import OmniLearnedWeights, import_omnilearned
from jetssl.training.run_folder import RunFolder
from resim.common.errors import InputError
from tests.helpers.omnilearned import KINEMATICS, outputs, random_network, save

CLASSES = ("two_prong", "QCD", "Hbb")


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """A checkpoint and its network, which no test changes."""
    network = random_network()
    return save(network, tmp_path_factory.mktemp("saved")), network


def ask(file, **more):
    return OmniLearnedWeights(file, **{"neighbours": 4, **more})


def imported(file, folder, **more):
    run = RunFolder(folder / "run")
    import_omnilearned(ask(file, **more), run)
    return run


@pytest.mark.slow
@pytest.mark.parametrize(
    ("options", "heads"),
    [({}, None), ({"local_int": True, "pid": False}, None), (KINEMATICS, 4), ({"mode": "pretrain"}, None)],
)
def test_parity(options, heads, some_jets, tmp_path, capsys):
    """Logits and pooled vectors of ragged jets: of one constituent, and of fewer than there are neighbours."""
    theirs, batch = random_network(**options), some_jets("omnilearned")
    file = save(theirs, tmp_path, averaged=random_network(seed=2, **options))
    run = imported(file, tmp_path, heads=heads)
    model = load_trained(run.path)
    logits, pooled = outputs(theirs, batch, padding=3)
    with torch.inference_mode():
        vectors = model.loaded.encoder(*batch).jet
        torch.testing.assert_close(vectors, pooled, rtol=1e-5, atol=1e-5)
        torch.testing.assert_close(model.head(vectors), logits, rtol=1e-5, atol=1e-5)
    assert pooled.std(0).min() > 1e-2
    assert logits.std(0).min() > 1e-2


def test_what_weights_do_not_tell_matters(saved, some_jets, tmp_path):
    file, network = saved
    batch = some_jets("omnilearned")
    vectors = load_trained(imported(file, tmp_path, neighbours=2).path).loaded.encoder(*batch).jet
    assert (vectors - outputs(network, batch)[1]).abs().max() > 1e-3


def test_what_the_run_says_of_itself(saved, tmp_path):
    file, _ = saved
    run = imported(file, tmp_path)
    provenance, card, trained = run.load_provenance(), run.load_card(), load_trained(run.path)
    assert provenance.imported.program == "omnilearned"
    assert provenance.imported.sha256 == hashlib.sha256(file.read_bytes()).hexdigest()
    assert provenance.versions["omnilearned"].startswith("0.2.")
    assert provenance.parameters["classifier"] == sum(weights.numel() for weights in trained.head.parameters())
    assert provenance.parameters["encoder"] == sum(p.numel() for p in trained.loaded.encoder.parameters())
    assert trained.record.classes == ("0", "1", "2")
    sizes = {"width": 16, "layers": 2, "class_layers": 1, "tokens": 2, "heads": 4, "expansion": 2, "neighbours": 4}
    of = card.encoder
    assert of.model_dump() == {
        **{"name": "omnilearned", **sizes},
        **{"interactions": True, "local_interactions": False, "types": 9, "displacements": True},
    }


def test_outputs_have_the_names_that_are_given(saved, tmp_path):
    run = imported(saved[0], tmp_path, classes=CLASSES)
    assert load_trained(run.path).record.classes == CLASSES


@pytest.mark.parametrize(
    ("part", "damage", "message"),
    [
        ("body", lambda state: state.pop("norm.alpha"), r"best\.pt: misses body\.norm\.alpha; want a checkpoint of"),
        ("body", lambda state: state.pop("token"), r"misses body\.token"),
        ("body", lambda state: state.update(extra=torch.ones(1)), r"has, beyond this network, body\.extra"),
        ("body", lambda state: state.update(token=torch.ones(1, 2, 12)), r"another shape of body\.\S+ \("),
        ("body", lambda state: state.update(token=torch.ones(3)), "impossible sizes"),
        ("body", lambda state: state["norm.weight"].fill_(torch.inf), r"not finite in body\.norm\.weight"),
        ("body", lambda state: state.update(note="dear"), "entry 'note' is no tensor"),
        ("body", lambda state: state.update({"cond_embed.0.fc1.weight": torch.ones(2, 3)}), "--conditional"),
        ("body", lambda state: state.update({"add_embed.0.fc1.weight": torch.ones(32, 17)}), "reads 17 additional"),
        ("body", lambda state: state.update({"embed.mlp.fc1.weight": torch.ones(32, 3)}), "reads 3 kinematic"),
        ("body", lambda state: state.update({"pid_embed.0.weight": torch.ones(5, 16)}), "5 of 8 types have a vector"),
        ("classifier_head", lambda state: state.pop("fc.norm.weight"), r"misses classifier_head\.fc\.norm\.weight"),
        ("classifier_head", lambda state: state.pop("out.weight"), r"misses classifier_head\.out\.weight"),
        ("classifier_head", lambda state: state.clear(), "impossible sizes: class_layers"),
        ("classifier_head", lambda state: state.update({"out.weight": torch.ones(1, 32)}), "has 1 outputs"),
    ],
)
def test_damaged_weights_are_named_and_nothing_is_written(part, damage, message, saved, tmp_path):
    content = torch.load(saved[0], weights_only=True)
    damage(content[part])
    torch.save(content, tmp_path / "best.pt")
    with pytest.raises(InputError, match=message) as error:
        imported(tmp_path / "best.pt", tmp_path)
    assert "\n" not in str(error.value)
    assert not (tmp_path / "run").exists()


class Evil:
    def __reduce__(self):
        return print, ("executed",)


def test_foreign_files_are_refused_and_not_executed(capsys, tmp_path):
    (tmp_path / "evil.pt").write_bytes(pickle.dumps({"body": Evil()}))
    torch.save({"generator_head": {}, "body": {}}, tmp_path / "generator.pt")
    torch.save({"body": torch.ones(2)}, tmp_path / "tensor.pt")
    for name, message in (
        ("evil.pt", "no state dict"),
        ("generator.pt", "misses classifier_head"),
        ("tensor.pt", "misses body"),
        ("none.pt", "cannot be read"),
    ):
        with pytest.raises(InputError, match=message):
            imported(tmp_path / name, tmp_path)
    assert "executed" not in capsys.readouterr().out
    assert not (tmp_path / "run").exists()


def test_what_does_not_fit_the_weights(saved, tmp_path):
    for options, message in (
        ({"classes": ("QCD", "Hbb")}, "has 3 outputs, --classes names 2: name each once, in their order, or none"),
        ({"classes": ("QCD", "Hbb", "QCD")}, "--classes names 2"),
        ({"heads": 3}, "impossible sizes: .*width 16 is not a multiple of heads 3"),
        ({"heads": 8}, r"another shape of body\.interaction\.mlp\.fc2\.weight \(4, 32\) instead of \(8, 32\)"),
    ):
        with pytest.raises(InputError, match=message):
            imported(saved[0], tmp_path, **options)


def test_heads_without_interactions_are_those_of_its_sizes(tmp_path):
    sizes = {"use_int": False, "num_transformers": 1}
    file = save(random_network(**sizes), tmp_path)
    with pytest.raises(InputError, match="how many heads its tokens of 16 numbers have: say so with --heads"):
        imported(file, tmp_path)
    run = imported(save(random_network(**sizes, base_dim=128, num_heads=8), tmp_path), tmp_path)
    assert run.load_card().encoder.heads == 8


def test_without_the_package(saved, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "omnilearned.network", None)
    with pytest.raises(InputError, match=r"needs omnilearned.*; install the extra `omnilearned`"):
        imported(saved[0], tmp_path)
    assert not (tmp_path / "run").exists()


def call(*words):
    result = CliRunner().invoke(jetssl, [str(word) for word in words])
    assert result.exit_code == 0, (words, result.exception, result.output)
    return result.stdout


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--from", "omnilearned", "--architecture", "part"), "--architecture does not go with --from omnilearned"),
        (("--from", "weaver", "--architecture", "part"), "--from weaver needs --features"),
        (("--from", "weaver", "--heads", "2"), "--heads does not go with --from weaver"),
    ],
)
def test_options_are_those_of_the_program(words, message, tmp_path):
    result = CliRunner().invoke(jetssl, ["import", "none.pt", *words, "-o", str(tmp_path / "run")])
    assert result.exit_code == 2
    assert message in result.output


@pytest.mark.slow
def test_evaluations_take_it(saved, mock_file, tmp_path, monkeypatch):
    """The whole way, by the command line, without any training."""
    monkeypatch.chdir(tmp_path)
    words = ("--from", "omnilearned", "--neighbours", "4", "--classes", ",".join(CLASSES))
    assert "run: imported, encoder of" in call("import", saved[0], *words, "-o", "run")
    task = ("--data", mock_file, "--signal", "two_prong", "--background", "one_prong")
    records = json.loads(call("probe", "run", *task, "--labels", "20", "--json", "--quiet"))
    assert {record["encoder"] for record in records} == {"omnilearned", None}
    call("embed", "run", mock_file, "-o", "vectors.h5", "--quiet")
    logit = ("--logit", "two_prong+Hbb-QCD", "--view", "seed")
    (auc, *_) = json.loads(call("evaluate", "run", *task, *logit, "-o", "robust", "--json", "--quiet"))
    assert (auc["n_labels"], auc["method"]) == (0, "supervised")
    few = FineTuneCard(
        data=(mock_file,), classes="two_prong,one_prong", labels=(20,), seeds=2, steps=1, mode=("full",)
    )
    finetune(FineTuning(tmp_path / "run", tmp_path / "fits", few, jobs=1), quiet=True)
    call("export", "run", "--format", "safetensors", "--licence", "MIT", "-o", "release")
    assert "Weights of omnilearned, file `best.pt`" in (tmp_path / "release/README.md").read_text()
