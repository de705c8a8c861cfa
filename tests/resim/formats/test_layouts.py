"""What others read in our exports: weaver-core with its published data card, and numbers by hand."""

import json
import logging

import h5py
import numpy as np
import pyarrow.parquet
import pytest
import torch
import uproot

from jetssl.data.features import FEATURE_SETS
from jetssl.data.jet_table import read_jets
from jetssl.data.jets import gather_jets
from resim.common.errors import InputError
from resim.formats.export_jets import export_jets
from resim.formats.import_jets import import_jets
from resim.formats.layouts import ExportOptions, classes_of
from resim.formats.mapping_card import mapping_card
from resim.pairfile.reader import PairFile
from tests.helpers.chain import REPOSITORY, run_cli

DATA_CARD = REPOSITORY / "tests/data/weaver/JetClass_full.yaml"


@pytest.fixture(scope="module")
def jetclass(pairs, tmp_path_factory):
    """The pair file of real events as a JetClass file."""
    path = tmp_path_factory.mktemp("jetclass") / "jets.root"
    export_jets(pairs, path, "jetclass-root", ExportOptions(quiet=True))
    return path


@pytest.fixture(scope="module")
def weaver_jets(jetclass):
    """All jets as weaver-core's loader gives them to a network."""
    logging.disable(logging.INFO)
    from weaver.utils.dataset import SimpleIterDataset

    options = {"for_training": False, "load_range_and_fraction": ((0, 1), 1, 1), "fetch_step": 1, "async_load": False}
    data = SimpleIterDataset({"_": [str(jetclass)]}, str(DATA_CARD), **options)
    yield list(data)
    logging.disable(logging.NOTSET)


def features_of(pairs, name):
    """What jetssl makes of the valid jets of the root view, `(n, F)` for each."""
    features = FEATURE_SETS[name]
    with PairFile(pairs) as file:
        valid = np.flatnonzero(file.valid("nominal"))
        jets = gather_jets(read_jets(file, ["nominal"], 0, len(file), features.columns), np.zeros_like(valid), valid)
    return np.split(features.compute(jets), np.cumsum(jets.counts)[:-1])


def test_weaver_reads_the_features_that_we_compute(pairs, weaver_jets):
    """All 17 to 1e-6; Delta R before it is multiplied by 4, as single precision leaves 4e-7 of an azimuth near pi."""
    factor = np.where(np.array(FEATURE_SETS["full"].names) == "part_deltaR", 4.0, 1.0)
    ours = features_of(pairs, "full")
    assert len(weaver_jets) == len(ours)
    for (theirs, _, _), wanted in zip(weaver_jets, ours, strict=True):
        n = min(len(wanted), 128)
        assert theirs["pf_mask"].sum() == n
        assert theirs["pf_features"][:, :n].T / factor == pytest.approx(wanted[:n] / factor, rel=1e-6, abs=1e-6)


@pytest.mark.slow
def test_weaver_trains_its_particle_transformer_on_the_export(weaver_jets):
    """A small one, on all jets at once: in 15 steps it knows the few jets by heart."""
    from weaver.nn.model.ParticleTransformer import ParticleTransformer

    torch.manual_seed(1)
    blocks = {"embed_dims": [16], "pair_embed_dims": [8], "num_heads": 2, "num_layers": 1, "num_cls_layers": 1}
    network = ParticleTransformer(17, num_classes=10, pair_input_dim=4, **blocks)
    inputs, label = (
        {k: torch.stack([torch.as_tensor(x[i][k]) for x in weaver_jets]) for k in weaver_jets[0][i]} for i in (0, 1)
    )
    optimizer = torch.optim.AdamW(network.parameters(), 1e-2)
    losses = []
    for _ in range(15):
        logits = network(inputs["pf_features"], v=inputs["pf_vectors"], mask=inputs["pf_mask"])
        loss = torch.nn.functional.cross_entropy(logits, label["_label_"].long())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.5 * losses[0]


def test_weaver_reads_our_classes(pairs, weaver_jets):
    with PairFile(pairs) as file:
        names = file.label_names()[file.valid("nominal")]
    found = [int(label["_label_"]) for _, label, _ in weaver_jets]
    assert found == [1 if name == "hbb" else 0 for name in names]  # label_QCD, label_Hbb ...


def test_one_counter_for_all_constituents(jetclass):
    with uproot.open(jetclass) as file:
        assert [name for name in file["tree"].keys(recursive=False) if name.startswith("n")] == ["npart"]


def test_parquet_has_jetclass_columns_and_the_names_of_classes(pairs, tmp_path):
    path = tmp_path / "jets.parquet"
    done = run_cli("export", pairs, "--format", "parquet", "-o", path, "--label", "hbb=Hbb", "--quiet")
    assert done.exit_code == 0, done.output
    table = pyarrow.parquet.read_table(path)
    with PairFile(pairs) as file:
        valid = file.valid("nominal")
        assert table["jet_pt"].to_numpy() == pytest.approx(file.jets("nominal", "pt")[valid])
        assert (
            table["part_charge"].combine_chunks().flatten().to_numpy().tolist()
            == file.constituents("nominal", "charge").tolist()
        )
        names = file.label_names()[valid].tolist()
    assert table["label"].to_pylist() == ["Hbb" if name == "hbb" else name for name in names]
    assert done.output.endswith(f"{len(names)} jets\n")


def test_parquet_comes_back(pairs, tmp_path):
    export_jets(pairs, tmp_path / "j.parquet", "parquet", ExportOptions(quiet=True))
    import_jets([tmp_path / "j.parquet"], tmp_path / "p.h5", mapping_card("resim_parquet", None), quiet=True)
    with PairFile(pairs) as before, PairFile(tmp_path / "p.h5") as after:
        valid = before.valid("nominal")
        assert after.label_names().tolist() == before.label_names()[valid].tolist()
        for name in ("pt", "eta", "mass", "tau2", "n_constituents"):
            wanted = before.jets("nominal", name)[valid]
            assert after.jets("nominal", name) == pytest.approx(wanted, rel=1e-4, abs=2e-2), name
        for name in ("pt", "eta", "energy", "charge", "d0", "dz_err"):
            wanted = before.constituents("nominal", name)
            assert after.constituents("nominal", name) == pytest.approx(wanted, rel=1e-5, abs=1e-5), name


def test_omnilearned_by_hand(pairs, tmp_path):
    path = tmp_path / "jets.h5"
    export_jets(pairs, path, "omnilearned", ExportOptions(views=("seed",), quiet=True))
    with PairFile(pairs) as file, h5py.File(path) as found:
        names = json.loads(found.attrs["labels"])
        first = int(np.flatnonzero(file.valid("seed"))[0])
        start, stop = file.offsets("seed")[first : first + 2]
        data = found["data"][0]
        column = {
            name: file.constituents("seed", name)[start:stop] for name in ("pt", "eta", "energy", "charge", "pdg_id")
        }
        n = min(stop - start, 150)
        assert found["data"].shape[1:] == (150, 9)
        assert data[:n, 0] == pytest.approx(column["eta"][:n] - file.jets("seed", "eta")[first], abs=1e-6)
        assert data[:n, 2:4] == pytest.approx(np.log([column["pt"][:n], column["energy"][:n]]).T, rel=1e-5, abs=1e-6)
        assert not data[n:].any()
        types = {(22, 0): 5, (11, -1): 3, (-11, 1): 2, (13, -1): 4, (-13, 1): 1}
        pairs_of = zip(column["pdg_id"].tolist(), column["charge"].tolist(), strict=True)
        wanted = [types.get((i, q), 7 if q > 0 else 0 if q < 0 else 6) for i, q in pairs_of]
        assert data[:n, 4].tolist() == wanted[:n]
        assert [names[i] for i in found["pid"][:]] == file.label_names()[file.valid("seed")].tolist()
        assert found["global"][0].tolist() == [
            file.jets("seed", name)[first] for name in ("pt", "eta", "phi", "mass", "n_constituents")
        ]


def test_omnilearned_reads_the_features_that_we_compute(pairs, tmp_path):
    export_jets(pairs, tmp_path / "o.h5", "omnilearned", ExportOptions(quiet=True))
    ours = features_of(pairs, "omnilearned")
    with h5py.File(tmp_path / "o.h5") as file:
        assert len(file["data"]) == len(ours)
        for theirs, wanted in zip(file["data"][:], ours, strict=True):
            np.testing.assert_allclose(theirs[: len(wanted)], wanted[:150], rtol=2e-6, atol=2e-6)


def test_omnilearned_comes_back(pairs, tmp_path):
    """Classes by their number, jets at azimuth 0, antiparticles and charges as they were."""
    export_jets(pairs, tmp_path / "o.h5", "omnilearned", ExportOptions(quiet=True))
    import_jets([tmp_path / "o.h5"], tmp_path / "p.h5", mapping_card("omnilearned", None), quiet=True)
    with PairFile(pairs) as before, PairFile(tmp_path / "p.h5") as after:
        valid = before.valid("nominal")
        short = before.jets("nominal", "n_constituents")[valid] <= 150
        for name, tolerance in (("pt", 1e-2), ("eta", 5e-3), ("n_constituents", 0)):
            wanted = before.jets("nominal", name)[valid]
            assert after.jets("nominal", name)[short] == pytest.approx(wanted[short], abs=tolerance), name
        names = sorted(before.labels)
        found = [names[int(name)] for name in after.label_names()]
        assert found == before.label_names()[valid].tolist()
        assert short.any()
        of_short = np.repeat(short, np.diff(before.offsets("nominal"))[valid])
        of_short_after = np.repeat(short, np.diff(after.offsets("nominal")))
        for name in ("charge", "d0", "dz"):
            wanted = before.constituents("nominal", name)[of_short]
            found = after.constituents("nominal", name)[of_short_after]
            np.testing.assert_allclose(np.tanh(found), np.tanh(wanted), atol=1e-5, err_msg=name)


def test_a_label_without_a_class_is_refused_and_nothing_written(pairs, tmp_path):
    with PairFile(pairs) as file:
        with pytest.raises(InputError, match="label 'hbb' is none of qcd, higgs; say which with --label hbb=CLASS"):
            classes_of(file, {"qcd": "0", "higgs": "1"}, {})
        assert set(classes_of(file, {"qcd": "0", "higgs": "1"}, {"hbb": "higgs"}).values()) == {"0", "1"}
    done = run_cli("export", pairs, "--format", "jetclass-root", "-o", tmp_path / "x.root", "--label", "hbb=Higgs")
    assert done.exit_code == 1
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--view", "vincia"], "has no view 'vincia', but nominal"),
        (["--view", "nominal", "--view", "seed"], "--view nominal, seed: this format holds one view"),
        (["--label", "w=Wqq"], "has no label 'w', but hbb"),
        (["--label", "hbb"], "--label hbb: want LABEL=CLASS"),
    ],
)
def test_what_is_not_there_is_said(pairs, tmp_path, options, message):
    done = run_cli("export", pairs, "--format", "parquet", "-o", tmp_path / "x.parquet", *options)
    assert done.exit_code in (1, 2)
    assert message in str(done.exception) + done.output
    assert not list(tmp_path.iterdir())
