import pytest
import yaml

from resim.common.errors import InputError
from resim.formats.columns_card import VerticesCard
from resim.formats.mapping_card import known_formats, mapping_card
from tests.helpers.chain import REPOSITORY

FORMATS = [
    "adc2021",
    "aspen",
    "cms_hbb",
    "jetclass",
    "jetclass2",
    "lhco",
    "omnilearned",
    "quark_gluon",
    "resim_parquet",
    "rs3l",
    "top_tagging",
]


def test_every_shipped_card_is_read_and_documented():
    assert known_formats() == FORMATS
    page = (REPOSITORY / "docs/formats.md").read_text()
    for name in FORMATS:
        assert mapping_card(name, None).arrays
        assert f"| `{name}` |" in page


@pytest.mark.parametrize(("name", "card"), [(None, None), ("jetclass", "card.yaml")])
def test_one_of_format_and_columns(name, card):
    with pytest.raises(InputError, match="give --format, or --columns with a card of your own"):
        mapping_card(name, card)


def test_an_unknown_format_is_said_with_those_that_are_known():
    with pytest.raises(InputError, match=r"--format \.\./x: unknown, known are adc2021, aspen, cms_hbb"):
        mapping_card("../x", None)


WRONG = {
    "unit": ({"columns": {"momenta": {"px": "a", "py": "b", "pz": "c", "energy": "d"}}}, "columns.momenta.unit: Field required"),
    "set": ({"columns": {"momenta": {"unit": "GeV", "pt": "a", "eta": "b"}}}, "eta, pt given, want energy, px, py, pz; or "),
    "jets": ({"columns": {"jets": {"pt": "a"}}}, "has momenta, and no unit: want GeV or MeV"),
    "labels": ({"labels": {"all": "x", "column": "y"}}, "given, want one of flags, column .with names. and all"),
    "tree": ({"container": {"kind": "root"}}, "kind root with tree None: a ROOT file needs a tree"),
    "key": ({"colums": {}}, "unknown key colums; valid keys here: name, container"),
    "flags": ({"columns": {"particles": {"photon": "g"}}}, "flags of types need a charge"),
    "codes": ({"columns": {"particles": {"codes": {1: 22}}}}, "codes without pdg_id"),
    "mirrored": ({"columns": {"momenta": {"unit": "GeV", "pt": "a", "eta": "b", "phi": "c", "mass": 0, "mirrored": True}}}, "mirrored without d_eta"),
    "sign": ({"columns": {"displacements": {"unit": "mm", "d0": "a", "dz": "b"}}}, "columns.displacements.sign: Field required"),
    "errors": (
        {"columns": {"displacements": {"unit": "cm", "sign": "same", "d0": "a", "dz": "b", "d0_err": "c", "d0_significance": "d"}}},
        "d0_err and d0_significance: one of them says the error",
    ),
    "fraction": (
        {"columns": {"momenta": {"unit": "GeV", "pt_fraction": "a", "mass": 0, "d_eta": "b", "d_phi": "c"}}},
        "pt_fraction without jets.pt and jets.eta",
    ),
    "vertices": (
        {"columns": {"vertices": dict.fromkeys(set(VerticesCard.model_fields) - {"unit"}, "a") | {"unit": "cm"}}},
        "vertices without jets.eta and jets.phi",
    ),
    "unlabelled": ({"labels": {"all": "x", "unlabelled": "leave_out"}}, "unlabelled: leave_out is for labels by flags"),
    "pairs": (
        {"labels": {"flags": {"a": "x"}, "unlabelled": "leave_out"}, "cluster": {"radius": 1.0, "pt_min": 20}},
        "want one jet an entry: no cluster, no views",
    ),
    "substructure": ({"substructure": {"pt_min": 30}}, "unknown key substructure.pt_min; valid keys here: radius, softdrop_z_cut"),
    "radius": ({"substructure": {"radius": 0}}, "substructure.radius: .* greater than 0"),
    "name": ({"name": "a\nb"}, "name: .* want printable characters"),
}  # fmt: skip


@pytest.mark.parametrize("fault", WRONG)
def test_what_a_card_must_say_is_asked_for(tmp_path, fault):
    changes, message = WRONG[fault]
    momenta = {"unit": "GeV", "pt": "pt", "eta": "eta", "phi": "phi", "mass": 0}
    card = {"name": "x", "container": {"kind": "parquet"}, "labels": {"all": "x"}, "columns": {"momenta": momenta}}
    columns = card["columns"] | changes.get("columns", {})
    (tmp_path / "card.yaml").write_text(yaml.safe_dump(card | changes | {"columns": columns}))
    with pytest.raises(InputError, match=message):
        mapping_card(None, tmp_path / "card.yaml")


def test_the_card_of_the_documentation_is_read(tmp_path):
    page = (REPOSITORY / "docs/formats.md").read_text()
    (tmp_path / "card.yaml").write_text(page.split("```yaml\n")[1].split("```")[0])
    card = mapping_card(None, tmp_path / "card.yaml")
    assert card.arrays[:3] == ("truth", "c_pt", "c_eta")
    assert card.missing == []


@pytest.mark.parametrize("label", ["", " ", "a\nb"])
def test_a_class_without_a_name_is_refused(label):
    with pytest.raises(InputError, match=r"--label '.*': want the name of a class, printable characters"):
        mapping_card("adc2021", None).of_one_class(label)
