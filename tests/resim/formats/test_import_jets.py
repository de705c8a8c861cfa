"""Files with the published layouts, written here, come out of `resim import` as the jets that went in."""

import awkward as ak
import h5py
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet
import pytest
import uproot
import yaml

from jetssl.config.card import load_card
from jetssl.data.rows import rows_of
from jetssl.training.pretrain import pretrain
from jetssl.training.run_folder import RunFolder
from resim.card.jet_settings import JetSettings
from resim.common.errors import InputError
from resim.formats.import_jets import import_jets
from resim.formats.mapping_card import mapping_card
from resim.jets.substructure import substructure
from resim.pairfile.digest import digest
from resim.pairfile.reader import PairFile
from resim.pairfile.validation import violations
from tests.helpers.chain import REPOSITORY, run_cli
from tests.helpers.foreign import KINDS, ForeignJets, assert_same_constituents
from tests.helpers.foreign_files import jetclass_columns, write_jetclass, write_quark_gluon, write_rs3l
from tests.helpers.packages import install

MOMENTUM = ("pt", "eta", "phi", "energy")
TYPES = ("charge", "pdg_id")
DISPLACEMENTS = ("d0", "d0_err", "dz", "dz_err")


@pytest.fixture(scope="module")
def jets():
    return ForeignJets()


def imported(path, name, output):
    provenance = import_jets([path], output, mapping_card(name, None), quiet=True)
    assert violations(output) == []
    return provenance


def write_top(path, jets, **options):
    """Columns E_0, PX_0 ... of a frame (doi:10.5281/zenodo.2603256)."""
    blocks = {"E": jets.energy, "PX": jets.px, "PY": jets.py, "PZ": jets.pz}
    arrays = {name: jets.padded(values, 200) for name, values in blocks.items()}
    columns = {f"{name}_{i}": arrays[name][:, i] for i in range(200) for name in arrays}
    columns |= {f"truth{name}": np.zeros(len(jets.counts), np.float32) for name in blocks}
    frame = pd.DataFrame(columns | {"ttv": np.zeros(len(jets.counts), int), "is_signal_new": jets.label})
    frame.to_hdf(path, key="table", **options)


def test_jetclass(jets, tmp_path):
    write_jetclass(tmp_path / "j.root", jets)
    provenance = imported(tmp_path / "j.root", "jetclass", tmp_path / "p.h5")
    assert_same_constituents(tmp_path / "p.h5", jets, MOMENTUM + DISPLACEMENTS + ("charge",))
    with PairFile(tmp_path / "p.h5") as file:
        assert file.label_names().tolist() == [("qcd", "hbb")[i] for i in jets.label]
        assert file.jets("nominal", "mass") == pytest.approx(jets.jet["mass"], rel=1e-3)
        assert file.jets("nominal", "tau2") == pytest.approx(0.15)
        assert file.jets("nominal", "softdrop_mass") == pytest.approx(0.5 * jets.jet["mass"], rel=1e-5)
        number = np.abs(file.constituents("nominal", "pdg_id"))
        assert number.tolist() == np.where(jets.by_pt(jets.species) == 130, 0, jets.by_pt(jets.species)).tolist()
    assert provenance.sources[0].generator == "JetClass"


def test_jetclass_ii(jets, tmp_path):
    particles, of_jets = jetclass_columns(jets)
    offsets = pa.array(np.append(jets.starts, len(jets.owner)).astype(np.int32))
    types = {"charge": np.int32} | {f"is{kind}": bool for kind in KINDS.values()}
    lists = {k: pa.array(np.asarray(v, types.get(k, np.float32))) for k, v in particles.items()}
    columns = {f"part_{k}": pa.ListArray.from_arrays(offsets, v) for k, v in lists.items()}
    table = pa.table(columns | of_jets | {"jet_label": (187 * jets.label).astype(np.int32)})
    pa.parquet.write_table(table, tmp_path / "j.parquet", row_group_size=4)
    imported(tmp_path / "j.parquet", "jetclass2", tmp_path / "p.h5")
    assert_same_constituents(tmp_path / "p.h5", jets, MOMENTUM + DISPLACEMENTS + ("charge",))
    with PairFile(tmp_path / "p.h5") as file:
        assert file.label_names().tolist() == [("x_bb", "qcd_light")[i] for i in jets.label]
        assert len(file.labels) == 188


def test_rs3l_comes_back_as_pairs(tmp_path):
    """Directions of jets are not in the layout: pseudorapidities follow from the energies, azimuths are 0."""
    jets = ForeignJets(8)
    write_rs3l(tmp_path / "r.h5", jets, [-1, 0, -1, 3, -1, 0, -1, 0])
    imported(tmp_path / "r.h5", "rs3l", tmp_path / "p.h5")
    with PairFile(tmp_path / "p.h5") as file:
        assert file.view_names == ["nominal", "seed", "herwig"]
        assert file.valid("herwig").tolist() == [False, True, False, False]
        assert (file.valid("nominal") & (file.valid("seed") != file.valid("herwig"))).all()
        assert file.label_names().tolist() == [("qcd", "hbb")[i] for i in jets.label[::2]]
        for view, entries in (("nominal", [0, 2, 4, 6]), ("seed", [1, 5, 7]), ("herwig", [3])):
            valid = file.valid(view)
            assert file.jets(view, "eta")[valid] == pytest.approx(jets.jet["eta"][entries], abs=2e-3)
            assert file.jets(view, "pt")[valid] == pytest.approx(jets.jet["pt"][entries], rel=1e-5)
            chosen = np.isin(jets.owner, entries)
            for name in ("pt", "energy", "charge", "d0", "dz"):
                wanted = jets.by_pt(getattr(jets, name))[chosen]
                np.testing.assert_allclose(file.constituents(view, name), wanted, rtol=1e-5, atol=1e-5, err_msg=name)


@pytest.mark.parametrize(
    "options", [{"format": "table"}, {"format": "fixed"}, {"format": "table", "data_columns": True}]
)
def test_top_tagging(jets, tmp_path, options, caplog):
    if "data_columns" in options:
        options = options | {"data_columns": ["is_signal_new"]}
    write_top(tmp_path / "t.h5", jets, **options)
    imported(tmp_path / "t.h5", "top_tagging", tmp_path / "p.h5")
    assert_same_constituents(tmp_path / "p.h5", jets, MOMENTUM)
    with PairFile(tmp_path / "p.h5") as file:
        assert file.label_names().tolist() == [("qcd", "top")[i] for i in jets.label]
        assert file.jets("nominal", "mass") == pytest.approx(jets.jet["mass"], rel=1e-4)
        assert 0 < file.jets("nominal", "tau1").min() < 1
    assert "says nothing of charge and type and impact parameters: these are 0" in caplog.text


def test_quark_and_gluon_jets(jets, tmp_path):
    write_quark_gluon(tmp_path / "q.npz", jets)
    imported(tmp_path / "q.npz", "quark_gluon", tmp_path / "p.h5")
    assert_same_constituents(tmp_path / "p.h5", jets, ("pt", "eta", "phi", *TYPES))
    with PairFile(tmp_path / "p.h5") as file:
        assert file.label_names().tolist() == [("qcd_g", "qcd_q")[i] for i in jets.label]
        massless = file.constituents("nominal", "pt") * np.cosh(file.constituents("nominal", "eta"))
        assert file.constituents("nominal", "energy") == pytest.approx(massless, rel=1e-5)


def test_aspen_open_jets(jets, tmp_path):
    """Centimetres, CMS's sign of dxy, -1 where there is no track, PUPPI's weights (arXiv:2412.10504)."""
    weight = np.where(np.arange(len(jets.owner)) % 7 == 3, 0.0, 0.5)
    none = jets.charge == 0
    tracks = [
        np.where(none, -1, values) for values in (-0.1 * jets.d0, 0.1 * jets.d0_err, 0.1 * jets.dz, 0.1 * jets.dz_err)
    ]
    columns = [2 * jets.px, 2 * jets.py, 2 * jets.pz, 2 * jets.energy, *tracks, jets.charge, jets.pdg_id, weight]
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file.create_dataset("PFCands", data=jets.padded(columns, 150), compression="gzip")
        file["jet_kinematics"] = np.stack([jets.jet[name] for name in ("pt", "eta", "phi", "mass")], 1).astype(
            np.float32
        )
        file["jet_tagging"] = np.full((len(jets.counts), 13), 0.2, np.float32)
        file["event_info"] = np.ones((len(jets.counts), 3), np.int64)
    imported(tmp_path / "a.h5", "aspen", tmp_path / "p.h5")
    kept = jets.by_pt(weight) > 0
    with PairFile(tmp_path / "p.h5") as file:
        for name in ("pt", "energy", *TYPES, *DISPLACEMENTS):
            wanted = jets.by_pt(getattr(jets, name))[kept]
            np.testing.assert_allclose(file.constituents("nominal", name), wanted, rtol=1e-4, atol=1e-6, err_msg=name)
        assert set(file.label_names()) == {"data"}


def write_cms_hbb(path, jets, seed=3):
    """Tree `deepntuplizer/tree` of CMS Open Data record 12102: shares of the jet, delta eta mirrored, cm, CMS's dxy."""
    sign, of_jet = (
        np.where(jets.jet["eta"] > 0, 1, -1),
        {name: jets.jet[name][jets.owner] for name in ("pt", "energy")},
    )
    measured = jets.charge != 0
    particles = {"ptrel": jets.pt / of_jet["pt"], "erel": jets.energy / of_jet["energy"], "mass": jets.mass}
    particles |= {"etarel": sign[jets.owner] * jets.d_eta, "phirel": jets.d_phi, "charge": jets.charge}
    particles |= {"dxy": -0.1 * jets.d0, "dz": 0.1 * jets.dz}
    for name, value, error in (("dxysig", -jets.d0, jets.d0_err), ("dzsig", jets.dz, jets.dz_err)):
        particles[name] = np.divide(value, error, out=np.zeros(len(value)), where=measured)
    kinds = {211: "ChargedHad", 130: "NeutralHad", 22: "Gamma", 11: "El", 13: "Mu"}
    particles |= {f"is{kind}": jets.species == number for number, kind in kinds.items()}
    n_sv = np.arange(len(jets.counts)) % 3
    rng, size = np.random.default_rng(seed), int(n_sv.sum())
    vertices = {
        name: rng.uniform(0.1, 1, size) for name in ("mass", "etarel", "phirel", "dxy", "d3d", "costhetasvpv")
    }
    vertices |= {name: rng.uniform(1, 40, size) for name in ("pt", "dxysig", "d3dsig", "normchi2")}
    vertices |= {"ntracks": rng.integers(2, 6, size)}
    columns = {f"pfcand_{k}": ak.unflatten(np.asarray(v, np.float32), jets.counts) for k, v in particles.items()}
    columns |= {f"sv_{k}": ak.unflatten(np.asarray(v, np.float32), n_sv) for k, v in vertices.items()}
    of_jets = {name: jets.jet[name] for name in ("pt", "eta", "phi", "mass")} | {"sdmass": 0.5 * jets.jet["mass"]}
    of_jets |= {f"tau{i}": np.full(len(n_sv), 0.3 / i) for i in (1, 2, 3)}
    columns |= {f"fj_{name}": np.asarray(values, np.float32) for name, values in of_jets.items()}
    flags = {"label_H_bb": jets.label == 1, "sample_isQCD": jets.label == 0}
    flags["label_H_bb"][4], flags["sample_isQCD"][4] = False, False  # of the Higgs sample, and no Higgs boson
    counts = {"n_pfcands": jets.counts, "n_sv": n_sv}
    columns |= {name: np.asarray(values, np.int32) for name, values in (flags | counts).items()}
    with uproot.recreate(path) as file:
        types = {k: v.type if isinstance(v, ak.Array) else v.dtype for k, v in columns.items()}
        file.mktree("deepntuplizer/tree", types)
        file["deepntuplizer/tree"].extend(columns)
    return columns


def test_cms_hbb(jets, tmp_path):
    columns = write_cms_hbb(tmp_path / "c.root", jets)
    counts = imported(tmp_path / "c.root", "cms_hbb", tmp_path / "p.h5").sources[0].counts
    assert (counts.rows, counts.rejected) == (8, {"unlabelled": 1})
    kept = jets.owner != 4
    with PairFile(tmp_path / "p.h5") as file:
        for name in MOMENTUM + DISPLACEMENTS + ("charge", "pdg_id"):
            wanted = jets.pdg_id if name == "pdg_id" else getattr(jets, name)
            wanted = jets.by_pt(np.where(jets.species == 130, 0, wanted) if name == "pdg_id" else wanted)[kept]
            np.testing.assert_allclose(file.constituents("nominal", name), wanted, rtol=3e-5, atol=1e-5, err_msg=name)
        rows = np.delete(np.arange(9), 4)
        assert file.hard_scatter("event").tolist() == rows.tolist()
        assert file.label_names().tolist() == [("qcd", "hbb")[i] for i in jets.label[rows]]
        assert file.jets("nominal", "tau2") == pytest.approx(0.15)
        assert np.diff(file.vertex_offsets("nominal")).tolist() == (rows % 3).tolist()
        vertices = {name: columns[f"sv_{name}"][rows] for name in ("pt", "etarel", "dxy", "d3dsig", "costhetasvpv")}
        order = ak.argsort(vertices["d3dsig"], ascending=False)
        found = {name: ak.to_numpy(ak.flatten(values[order])) for name, values in vertices.items()}
        axis = np.repeat(jets.jet["eta"][rows], rows % 3)
        assert file.vertices("nominal", "eta") == pytest.approx(axis + np.sign(axis) * found["etarel"], rel=1e-5)
        for name, wanted in (("pt", found["pt"]), ("flight_2d", 10 * found["dxy"])):
            assert file.vertices("nominal", name) == pytest.approx(wanted, rel=1e-6), name
        assert file.vertices("nominal", "cos_pointing") == pytest.approx(found["costhetasvpv"])


def own_card(tmp_path, **changes):
    """A card for a parquet file in MeV with names of classes."""
    card = {
        "name": "mine",
        "container": {"kind": "parquet"},
        "labels": {"column": "kind"},
        "columns": {"momenta": {"unit": "MeV", "pt": "p", "eta": "e", "phi": "f", "mass": "m"}},
    }
    card["columns"] |= changes.pop("columns", {})
    path = tmp_path / "card.yaml"
    path.write_text(yaml.safe_dump(card | changes))
    return path


@pytest.mark.parametrize(
    ("stored", "names"),
    [
        (np.array([b"w", b"z"]), ("w", "z")),
        (np.array(["w", "z"], h5py.string_dtype()), ("w", "z")),
        (np.array([1.0, 10.0], np.float32), ("1", "10")),
        (np.array([0.5, 0.1], np.float32), ("0.5", "0.10000000149011612")),
    ],
)
def test_classes_of_hdf5_are_named_by_text_or_numbers(jets, tmp_path, stored, names):
    arrays = {"p": 1000 * jets.pt, "e": jets.eta, "f": jets.phi, "m": 1000 * jets.mass}
    with h5py.File(tmp_path / "o.h5", "w") as file:
        for name, values in arrays.items():
            file[name] = jets.padded([values], jets.counts.max())[..., 0]
        file.create_dataset("kind", data=stored[jets.label], dtype=stored.dtype)
    card = own_card(tmp_path, container={"kind": "hdf5"}, padding={"columns": ["p"]})
    import_jets([tmp_path / "o.h5"], tmp_path / "p.h5", mapping_card(None, card), quiet=True)
    with PairFile(tmp_path / "p.h5") as file:
        assert file.label_names().tolist() == [names[i] for i in jets.label]


def write_own(path, jets, **more):
    columns = {"p": 1000 * jets.pt, "e": jets.eta, "f": jets.phi, "m": 1000 * jets.mass}
    lists = {name: ak.to_list(ak.unflatten(values, jets.counts)) for name, values in columns.items()}
    pa.parquet.write_table(pa.table(lists | {"kind": [("w", "z")[i] for i in jets.label]} | more), path)


def write_padded(path, jets):
    """The columns of `write_own` with zeros behind the constituents: `float p[n]`, or lists of one length."""
    columns = {"p": 1000 * jets.pt, "e": jets.eta, "f": jets.phi, "m": 1000 * jets.mass}
    arrays = {name: jets.padded(values, int(jets.counts.max())) for name, values in columns.items()}
    if path.suffix == ".root":
        with uproot.recreate(path) as file:
            kinds = {name: np.dtype((values.dtype, values.shape[1:])) for name, values in arrays.items()}
            file.mktree("tree", kinds | {"kind": np.dtype(np.int32)})
            file["tree"].extend(arrays | {"kind": jets.label.astype(np.int32)})
        return
    size = -1 if path.stem == "lists" else int(jets.counts.max())
    lists = {name: pa.array(values.tolist(), pa.list_(pa.float32(), size)) for name, values in arrays.items()}
    pa.parquet.write_table(pa.table(lists | {"kind": jets.label}), path)


@pytest.mark.parametrize("name", ["arrays.root", "arrays.parquet", "lists.parquet"])
def test_padded_columns_of_tables(jets, tmp_path, name, monkeypatch):
    monkeypatch.setattr("resim.formats.import_jets.JETS_AT_ONCE", 4)
    write_padded(tmp_path / name, jets)
    container = {"kind": "root", "tree": "tree"} if name.endswith("root") else {"kind": "parquet"}
    changes = {"container": container, "labels": {"column": "kind", "names": {0: "w", 1: "z"}}}
    card = own_card(tmp_path, padding={"columns": ["p"]}, **changes)
    import_jets([tmp_path / name], tmp_path / "p.h5", mapping_card(None, card), quiet=True)
    assert_same_constituents(tmp_path / "p.h5", jets, MOMENTUM)
    with PairFile(tmp_path / "p.h5") as file:
        assert file.label_names().tolist() == [("w", "z")[i] for i in jets.label]
    card = own_card(tmp_path, **changes)
    message = "pT is not positive in jet" if name == "lists.parquet" else "has padded jets, want ragged columns, or"
    with pytest.raises(InputError, match=message):
        import_jets([tmp_path / name], tmp_path / "q.h5", mapping_card(None, card), quiet=True)


def test_anybodys_columns_by_the_command_line(jets, tmp_path):
    write_own(tmp_path / "o.parquet", jets)
    output = tmp_path / "p.h5"
    done = run_cli("import", tmp_path / "o.parquet", "--columns", own_card(tmp_path), "-o", output, "--quiet")
    assert done.output.endswith(f"{output}: 9 rows of 1 files; views nominal\n"), done.output
    assert_same_constituents(output, jets, MOMENTUM)
    with PairFile(output) as file:
        assert file.label_names().tolist() == [("w", "z")[i] for i in jets.label]
    assert run_cli("validate", output).exit_code == 0
    assert "not known" in run_cli("inspect", output).output
    card = tmp_path / "again.yaml"
    card.write_text(run_cli("provenance", output).output)
    assert f"import {tmp_path}/o.parquet --columns card.yaml -o p.h5" in card.read_text()
    import_jets([tmp_path / "o.parquet"], tmp_path / "again.h5", mapping_card(None, card), quiet=True)
    assert digest(tmp_path / "again.h5") == digest(output)
    for command in (["replay", output], ["reproduce", output, "-o", tmp_path / "r.h5"]):
        assert "its jets were imported" in str(run_cli(*command).exception)


@pytest.mark.slow
def test_imported_jets_are_drawn_and_trained_on(tmp_path):
    """With one view an encoder learns from augmentations; splits, features and labels are those of any pair file."""
    jets = ForeignJets(60)
    write_own(tmp_path / "o.parquet", jets)
    output = tmp_path / "p.h5"
    import_jets([tmp_path / "o.parquet"], output, mapping_card(None, own_card(tmp_path)), quiet=True)
    assert run_cli("show", output, "-o", tmp_path / "row.png").exit_code == 0
    card = load_card(
        REPOSITORY / "cards/train/demo.yaml",
        [
            f"data.files=[{output}]",
            "data.features=kin",
            "data.batch_size=8",
            "views={source: augment, pairs: [[any, any]]}",
            "training={epochs: 1, threads: 1}",
        ],
    )
    pretrain(card, RunFolder(tmp_path / "run"), quiet=True)
    assert (tmp_path / "run/metrics.csv").is_file()


def test_substructure_is_computed_as_the_card_says(jets, tmp_path):
    write_own(tmp_path / "o.parquet", jets)
    settings = {"radius": 1.0, "softdrop_z_cut": 0.3, "softdrop_beta": 1.0, "nsubjettiness_beta": 2.0}
    card = mapping_card(None, own_card(tmp_path, substructure=settings))
    import_jets([tmp_path / "o.parquet"], tmp_path / "p.h5", card, quiet=True)
    pt, eta, phi, energy = (jets.by_pt(getattr(jets, name)).astype(float) for name in MOMENTUM)
    momenta = {"px": pt * np.cos(phi), "py": pt * np.sin(phi), "pz": pt * np.sinh(eta), "energy": energy}
    wanted = substructure(np.append(jets.starts, len(pt)), momenta, JetSettings(**settings))
    with PairFile(tmp_path / "p.h5") as file:
        for name, values in wanted.items():
            assert file.jets("nominal", name) == pytest.approx(values, rel=1e-4), name


def test_the_limit_of_jets_and_several_files(tmp_path, monkeypatch):
    """Batches of any size give the same file; an equal jet of another file is the same jet to every split."""
    monkeypatch.setattr("resim.formats.import_jets.JETS_AT_ONCE", 4)
    one, two = ForeignJets(9, seed=1), ForeignJets(6, seed=2)
    for name, jets in (("one", one), ("two", two), ("extract", one)):
        extra = {"id": np.arange(len(jets.counts))} if name == "extract" else {}
        write_own(tmp_path / f"{name}.parquet", jets, **extra)
    card = mapping_card(None, own_card(tmp_path))
    paths = [tmp_path / f"{name}.parquet" for name in ("one", "two")]
    import_jets(paths, tmp_path / "p.h5", card, 5, quiet=True)
    import_jets([tmp_path / "extract.parquet"], tmp_path / "e.h5", card, quiet=True)
    with PairFile(tmp_path / "p.h5") as file, PairFile(tmp_path / "e.h5") as other:
        assert file.hard_scatter("source").tolist() == 5 * [0] + 5 * [1]
        assert file.hard_scatter("event").tolist() == 2 * [0, 1, 2, 3, 4]
        assert file.hard_scatter("identity")[:5].tolist() == other.hard_scatter("identity")[:5].tolist()
        assert len(set(other.hard_scatter("identity").tolist())) == 9
    rows = rows_of([tmp_path / "p.h5"])
    assert rows.classes == ("w", "z")
    monkeypatch.setattr("resim.formats.import_jets.JETS_AT_ONCE", 10_000)
    import_jets(paths, tmp_path / "q.h5", card, 5, quiet=True)
    assert digest(tmp_path / "p.h5") == digest(tmp_path / "q.h5")


def test_an_empty_jet_is_counted_and_left_out(tmp_path):
    jets = ForeignJets(4)
    features = np.concatenate([jets.padded([jets.pt, jets.eta, jets.phi, jets.pdg_id], 40), np.zeros((1, 40, 4))])
    np.savez(tmp_path / "q.npz", X=features, y=np.zeros(5))
    source = imported(tmp_path / "q.npz", "quark_gluon", tmp_path / "p.h5").sources[0]
    assert (source.counts.rows, source.counts.rejected) == (4, {"empty_jet": 1})


FAULTS = {
    "mirrored": (
        {"columns": {"momenta": {"mirrored": False}}},
        "is not that of momenta and jets for .*correct .*`mirrored`",
    ),
    "unit": ({"columns": {"momenta": {"unit": "MeV"}}}, "pT of the constituents is 0.001 times that of the jet"),
    "mixed up": ({"columns": {"momenta": {"energy": "part_px"}}}, "energy is below the momentum"),
    "column": ({"columns": {"momenta": {"px": "part_x"}}}, "has no column 'part_x', but npart_px, part_px"),
    "flag": ({"labels": {"flags": {"label_Hcc": "hcc", "label_Hbb": "hbb"}}}, "has not exactly one of the flags"),
    "charge": (
        {"columns": {"particles": {"charge": "part_d0err"}}},
        "part_d0err is no charge in units of e in jet 0",
    ),
    "tree": ({"container": {"tree": "events"}}, "has no tree 'events'; its trees: tree; correct `container.tree`"),
    "counts": ({"columns": {"jets": {"n_constituents": "jet_pt"}}}, "jet 0 has .* constituents, jet_pt says"),
    "mass": (
        {"columns": {"jets": {"mass": "jet_sdmass"}}},
        "energy of jet . is .* GeV, its pT, eta and mass give .*; take `energy` or `mass` out of `columns.jets`",
    ),
    "several": ({"columns": {"jets": {"pt": "part_px"}}}, "part_px has several values for each jet"),
}


def changed(card, changes):
    for key, value in changes.items():
        if isinstance(value, dict) and key != "flags":
            changed(card.setdefault(key, {}), value)
        else:
            card[key] = value
    return card


@pytest.mark.parametrize("fault", FAULTS)
def test_a_card_that_the_file_contradicts_is_refused_and_nothing_written(jets, tmp_path, fault):
    changes, message = FAULTS[fault]
    write_jetclass(tmp_path / "j.root", jets)
    card = changed(mapping_card("jetclass", None).model_dump(mode="json", exclude_none=True), changes)
    (tmp_path / "card.yaml").write_text(yaml.safe_dump(card))
    with pytest.raises(InputError, match=message):
        import_jets([tmp_path / "j.root"], tmp_path / "p.h5", mapping_card(None, tmp_path / "card.yaml"), quiet=True)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["card.yaml", "j.root"]


@pytest.mark.parametrize(
    ("vartype", "message"),
    [
        ([0, -1, -1, 0], "vartype is 0 in jet 0; want -1 in jets 0, 2, 4"),
        ([-1, 0, -1, 9], "vartype is 9 in jet 3"),
    ],
)
def test_pairs_that_are_none_are_refused(tmp_path, vartype, message):
    write_rs3l(tmp_path / "r.h5", ForeignJets(4), vartype)
    with pytest.raises(InputError, match=message):
        import_jets([tmp_path / "r.h5"], tmp_path / "p.h5", mapping_card("rs3l", None), quiet=True)


def test_the_same_file_twice_is_refused(jets, tmp_path):
    write_own(tmp_path / "o.parquet", jets)
    (tmp_path / "copy.parquet").write_bytes((tmp_path / "o.parquet").read_bytes())
    with pytest.raises(InputError, match="two of these files are equal; give each once"):
        import_jets(
            [tmp_path / "o.parquet", tmp_path / "copy.parquet"],
            tmp_path / "p.h5",
            mapping_card(None, own_card(tmp_path)),
        )


def test_a_reader_of_an_installed_package(jets, tmp_path, monkeypatch):
    """That of examples/plugin: lines of text."""
    code = (REPOSITORY / "examples/plugin/jetssl_deep_sets/reader.py").read_text()
    install(tmp_path, "fake_lines", code, "[jetssl.readers]\nlines = fake_lines:Lines\n")
    monkeypatch.syspath_prepend(tmp_path)
    columns = [jets.owner, jets.px, jets.py, jets.pz, jets.energy]
    np.savetxt(tmp_path / "jets.txt", np.column_stack(columns))
    momenta = {"unit": "GeV", "px": "px", "py": "py", "pz": "pz", "energy": "E"}
    card = {
        "name": "lines",
        "container": {"kind": "lines"},
        "labels": {"all": "qcd"},
        "columns": {"momenta": momenta},
    }
    path, output = tmp_path / "card.yaml", tmp_path / "pairs.h5"
    path.write_text(yaml.safe_dump(card))
    provenance = import_jets([tmp_path / "jets.txt"], output, mapping_card(None, path), quiet=True)
    assert violations(output) == []
    assert provenance.versions["fake_lines"] == "1.2"
    assert provenance.card["container"]["columns"] == ["px", "py", "pz", "E"]
    with PairFile(output) as file:
        assert (file.read("views/nominal/jets/n_constituents") == jets.counts).all()
    (tmp_path / "jets.txt").write_text("0 1 2\n")
    with pytest.raises(InputError, match=r"jets\.txt: not a readable lines file \(want 4 numbers behind"):
        import_jets([tmp_path / "jets.txt"], output, mapping_card(None, path), quiet=True)
    for kind, message in (("rows", "'rows': want one of root, .*, lines, or install"), ("os:system", "want one of")):
        path.write_text(yaml.safe_dump(card | {"container": {"kind": kind}}))
        with pytest.raises(InputError, match=message):
            mapping_card(None, path)
    assert "lines (fake_lines 1.2): Text, a line for each constituent" in run_cli("readers").output
