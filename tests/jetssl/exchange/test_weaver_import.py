"""Networks of weaver-core with random weights: the run says what they say."""

import hashlib
import json
import pickle

import pytest
import torch
from click.testing import CliRunner

from jetssl.cli import jetssl
from jetssl.config.evaluation import FineTuneCard
from jetssl.evaluation.finetune import FineTuning, finetune
from jetssl.evaluation.trained import load_trained
from jetssl.exchange.weaver_import import JETCLASS, import_weaver
from jetssl.training.run_folder import RunFolder
from resim.common.errors import InputError
from tests.helpers.weaver import outputs

CASES = [
    ("particlenet", "kin", {}),
    ("particlenet", "full", {}),
    ("part", "kinpid", {"pair_activation": True}),
    ("part", "kin", {"pair_activation": False}),
]


@pytest.mark.parametrize("case", CASES)
def test_parity(case, bench, some_jets, tmp_path):
    """Logits and pooled vectors, padding included, of jets with fewer constituents than neighbours."""
    architecture, features, options = case
    theirs = bench.network(architecture, features, **options)
    run = RunFolder(tmp_path / "run")
    import_weaver(bench.ask(bench.save(theirs), architecture, features, **options), run)
    model, batch = load_trained(run.path), some_jets(features)
    logits, pooled = outputs(theirs, batch, padding=3)
    with torch.inference_mode():
        vectors = model.loaded.encoder(*batch).jet
        torch.testing.assert_close(vectors, pooled, rtol=1e-4, atol=1e-5)
        torch.testing.assert_close(model.head(vectors), logits, rtol=1e-4, atol=1e-5)


def test_the_option_that_weights_do_not_tell_of_matters(bench, some_jets, tmp_path):
    """The Particle Transformer of jet-universe has it, weaver-core's default has not."""
    theirs, batch = bench.network("part", pair_activation=True), some_jets("kin")
    run = RunFolder(tmp_path / "run")
    import_weaver(bench.ask(bench.save(theirs), "part", pair_activation=False), run)
    vectors = load_trained(run.path).loaded.encoder(*batch).jet
    assert (vectors - outputs(theirs, batch)[1]).abs().max() > 1e-3


def test_what_the_run_says_of_itself(bench, tmp_path):
    file, run = bench.save(bench.network("particlenet")), RunFolder(tmp_path / "run")
    provenance = import_weaver(bench.ask(file, "particlenet"), run)
    assert provenance == run.load_provenance()
    assert provenance.imported.sha256 == hashlib.sha256(file.read_bytes()).hexdigest()
    assert provenance.finished
    trained = load_trained(run.path)
    assert trained.record.classes == ("two_prong", "QCD", "Hbb")
    assert (trained.record.n_labels, trained.record.all_labels) == (0, False)
    assert provenance.parameters["classifier"] == sum(weights.numel() for weights in trained.head.parameters())
    assert run.load_card().encoder.channels == ((8, 8), (8,), (12, 16))


def test_ten_outputs_are_those_of_jetclass(bench, tmp_path):
    network = bench.network("part")
    network.fc[0] = torch.nn.Linear(16, 10)
    import_weaver(bench.ask(bench.save(network), "part", classes=()), RunFolder(tmp_path / "run"))
    assert load_trained(tmp_path / "run").record.classes == JETCLASS


def test_names_of_older_versions(bench, tmp_path):
    file = bench.save(bench.network("part"))
    state = torch.load(file, weights_only=True)
    older = {name.removeprefix("mod.").replace("in_proj.", "in_proj_"): value for name, value in state.items()}
    assert older.keys() != state.keys()
    torch.save(older, tmp_path / "older.pt")
    for name, path in (("new", file), ("old", tmp_path / "older.pt")):
        import_weaver(bench.ask(path, "part"), RunFolder(tmp_path / name))
    new, old = (torch.load(RunFolder(tmp_path / name).best, weights_only=True) for name in ("new", "old"))
    assert all(torch.equal(value, old["state_dict"][name]) for name, value in new["state_dict"].items())


def without(state):
    del state["mod.edge_convs.1.bns.0.bias"]


def without_sizes(state):
    del state["mod.edge_convs.0.convs.0.weight"]


def with_fusion(state):
    state["mod.fusion_block.0.weight"] = torch.zeros(3)


def misshapen(state):
    state["mod.bn_fts.weight"] = torch.ones(9)


def not_finite(state):
    state["mod.fc.0.0.bias"][3] = torch.nan


def no_tensor(state):
    state["epoch"] = 3


def without_classifier(state):
    for name in [name for name in state if name.startswith("mod.fc.")]:
        del state[name]


def huge(state):
    """A few bytes on the disk, whatever its shape says."""
    state["mod.edge_convs.0.convs.0.weight"] = torch.zeros(1, 1, 1, 1).expand(20_000, 14, 1, 1)


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (without, r"weights\.pt: misses edge_convs\.1\.bns\.0\.bias; want weights of weaver-core's particlenet"),
        (without_sizes, r"misses edge_convs\.0\.convs\.0\.weight"),
        (with_fusion, r"has, beyond this network, fusion_block\.0\.weight"),
        (misshapen, r"another shape of bn_fts\.weight \(9,\) instead of \(7,\)"),
        (not_finite, r"not finite in fc\.0\.0\.bias"),
        (no_tensor, "entry 'epoch' is no tensor"),
        (without_classifier, r"misses fc\.0\.weight"),
        (huge, "impossible sizes"),
    ],
)
def test_damaged_weights_are_named_and_nothing_is_written(damage, message, bench, tmp_path):
    file = bench.save(bench.network("particlenet"))
    state = torch.load(file, weights_only=True)
    damage(state)
    torch.save(state, file)
    with pytest.raises(InputError, match=message):
        import_weaver(bench.ask(file, "particlenet"), RunFolder(tmp_path / "run"))
    assert not (tmp_path / "run").exists()


class Evil:
    def __reduce__(self):
        return print, ("executed",)


def test_foreign_files_are_refused_and_not_executed(bench, capsys, tmp_path):
    (tmp_path / "evil.pt").write_bytes(pickle.dumps({"mod.fc.0.weight": Evil()}))
    torch.save(torch.zeros(3), tmp_path / "tensor.pt")
    (tmp_path / "text.pt").write_text("dear")
    for name, message in (
        ("evil.pt", "no state dict"),
        ("tensor.pt", "holds Tensor"),
        ("text.pt", "no state dict"),
        ("none.pt", "cannot be read"),
    ):
        with pytest.raises(InputError, match=message):
            import_weaver(bench.ask(tmp_path / name, "part"), RunFolder(tmp_path / "run"))
    assert "executed" not in capsys.readouterr().out
    assert not (tmp_path / "run").exists()


def test_what_does_not_fit_the_weights(bench, tmp_path):
    file, run = bench.save(bench.network("particlenet")), RunFolder(tmp_path / "run")
    for options, message in (
        ({"classes": ("QCD", "Hbb")}, "has 3 outputs, --classes QCD,Hbb: name each output once"),
        ({"classes": ("QCD", "Hbb", "QCD")}, "name each output once"),
        ({"classes": ()}, "JetClass has 10"),
        ({"features": "kinpid"}, r"bn_fts\.weight \(7,\) instead of \(13,\)"),
    ):
        with pytest.raises(InputError, match=message):
            import_weaver(bench.ask(file, "particlenet", **options), run)
    with pytest.raises(InputError, match="misses cls_token"):
        import_weaver(bench.ask(file, "part"), run)


def test_a_folder_is_replaced_when_that_is_asked_for(bench, tmp_path):
    request, run = bench.ask(bench.save(bench.network("part")), "part"), RunFolder(tmp_path / "run")
    import_weaver(request, run)
    run.results.write_text("[]")
    with pytest.raises(InputError, match="exists already; give another -o, or --force"):
        import_weaver(request, run)
    import_weaver(request, run, force=True)
    assert not run.results.exists()
    with pytest.raises(InputError, match="is not a run, so --force will not delete it"):
        import_weaver(request, RunFolder(tmp_path), force=True)


def call(*words):
    result = CliRunner().invoke(jetssl, [str(word) for word in words])
    assert result.exit_code == 0, (words, result.exception, result.output)
    return result.stdout


@pytest.mark.slow
def test_every_evaluation_takes_it(bench, mock_file, tmp_path, monkeypatch):
    """The whole way, by the command line, without any training."""
    monkeypatch.chdir(tmp_path)
    names = ("--classes", "two_prong,QCD,Hbb", "--neighbours", "4")
    source = bench.save(bench.network("particlenet"))
    words = ("--from", "weaver", "--architecture", "particlenet", "--features", "kin", *names)
    assert "run: imported, encoder of" in call("import", source, *words, "-o", "run")
    task = ("--data", mock_file, "--signal", "two_prong", "--background", "one_prong")
    assert "no pair file" in str(CliRunner().invoke(jetssl, ["probe", "run"]).exception)
    records = json.loads(call("probe", "run", *task, "--labels", "20", "--json", "--quiet"))
    assert {record["encoder"] for record in records} == {"particlenet", None}
    call("embed", "run", mock_file, "-o", "vectors.h5", "--quiet")
    few = FineTuneCard(
        data=(mock_file,), classes="two_prong,one_prong", labels=(20,), seeds=2, steps=2, mode=("full",)
    )
    finetune(FineTuning(tmp_path / "run", tmp_path / "fits", few, jobs=1), quiet=True)
    call("geometry", "run", mock_file, "-o", "geometry", "--rows", "20", "--quiet")
    logit = ("--logit", "two_prong+Hbb-QCD", "--view", "seed")
    (auc, *_) = json.loads(call("evaluate", "run", *task, *logit, "-o", "robust", "--json", "--quiet"))
    assert (auc["n_labels"], auc["method"]) == (0, "supervised")
    wrong = CliRunner().invoke(jetssl, ["evaluate", "run", *map(str, task), "--logit", "Hbb-qcd", "-o", "wrong"])
    assert "--logit names 'qcd', outputs of its head are two_prong, QCD, Hbb" in str(wrong.exception)
    assert "run" in call("compare", "run", "fits")
    call("report", "run", "-o", "report.html")
    assert "imported weights" in (tmp_path / "report.html").read_text()
