import pytest

from resim.common.errors import InputError
from resim.hard_scatter.process_card import MadGraphProcess, PythiaProcess, Requirement, load_process_card
from tests.helpers.chain import REPOSITORY

CARDS = sorted((REPOSITORY / "cards/process").glob("*.yaml")) + sorted((REPOSITORY / "cards/madgraph").glob("*.yaml"))
MADGRAPH = "backend: madgraph\nprocess: [import model sm, generate p p > j j]\n"
PYTHIA = "settings: ['HardQCD:all = on']\n"


def load(tmp_path, text):
    path = tmp_path / "card.yaml"
    path.write_text(text)
    return load_process_card(path)


@pytest.mark.parametrize("card", CARDS, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_shipped_cards_are_valid(card):
    backend = {"madgraph": MadGraphProcess, "process": PythiaProcess}[card.parent.name]
    assert isinstance(load_process_card(card), backend)


def test_defaults(tmp_path):
    assert load(tmp_path, PYTHIA) == PythiaProcess(settings=("HardQCD:all = on",), e_cm=13000, n_events=10000)
    assert load(tmp_path, MADGRAPH).beam_energies == (6500, 6500)
    assert load(tmp_path, MADGRAPH + "run_card: {ebeam1: 4000}\n").beam_energies == (4000, 6500)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[1, 2]", "want a mapping"),
        ("backend: herwig\n", "backend: 'herwig': must be 'pythia' or 'madgraph'"),
        ("backend: [1]\n", "must be 'pythia' or 'madgraph'"),
        ("backend: pythia\n", "settings: Field required"),
        (PYTHIA + "ecm: 14000\n", "unknown key ecm; valid keys here: n_events, require, backend, e_cm, settings"),
        (PYTHIA + "n_events: 0\n", "n_events: 0: Input should be greater than or equal to 1"),
        (PYTHIA + "e_cm: -1\n", "e_cm: -1"),
        ("settings: ['Beams:eCM = 14000']\n", "settings:1: sets Beams:eCM, which resim controls"),
        ("settings: ['HardQCD:all = on', 'Random:seed = 3']\n", "settings:2: sets Random:seed"),
        ("settings: ['SoftQCD:all = on']\n", "SoftQCD: has no effect on a hard process"),
        ("settings: ['timeshower:pTmin = 1']\n", "TimeShower: has no effect on a hard process"),
        ("settings: ['PhaseSpace:pTHatMin = 300']\n", "has no effect on some processes; say under `require`"),
        (PYTHIA + "require: [{pdg_ids: [-1]}]\n", "require.0.pdg_ids.0: -1: Input should be greater than 0"),
        (PYTHIA + "require: [{pdg_ids: []}]\n", "require.0.pdg_ids"),
        ("backend: madgraph\nprocess: []\n", "process"),
        ("backend: madgraph\nprocess: [import model sm]\n", "no line 'generate ...'"),
        (
            MADGRAPH.replace("model sm", "model heft"),
            "does not ship the model heft; use 'import model sm' and 'add mod",
        ),
        (MADGRAPH.replace("import model sm", "launch"), "'launch' is none of import, define, generate, add"),
        (MADGRAPH.replace("import model sm", "import model sm; quit"), "must be one command of printable characters"),
        (MADGRAPH.replace("import model sm", '"import model sm\\nquit"'), "must be one command"),
        (MADGRAPH.replace("import model sm", "' '"), "must be one command of printable characters"),
        (MADGRAPH.replace("model sm", "command evil.txt"), "of import only `import model NAME` may stand here"),
        (MADGRAPH.replace("model sm", "model ../evil"), "of import only `import model NAME` may stand here"),
        (
            MADGRAPH + "options: {fortran_compiler: /tmp/evil}\n",
            "options.fortran_compiler: '/tmp/evil': want one of gf",
        ),
        (MADGRAPH + "options: {pythia8_path: evil}\n", "options.pythia8_path: want one of complex_mass_scheme"),
        (MADGRAPH + "run_card: {bias_module: evil}\n", "run_card.bias_module: 'evil' names a file"),
        (MADGRAPH + "run_card: {lhapdf: /tmp/x}\n", "run_card.lhapdf: '/tmp/x' names a file"),
        (MADGRAPH + "run_card: {ptj: 20}\n", "run_card.ptj: MadGraph ignores cuts that do not fit"),
        (MADGRAPH + "run_card: {nevents: 20}\n", "run_card.nevents: is set by resim"),
        (MADGRAPH + "run_card: {iseed: 20}\n", "run_card.iseed: is set by resim"),
        (MADGRAPH + "run_card: {ebeam1: high}\n", "run_card.ebeam1: 'high' must be an energy in GeV"),
        (MADGRAPH + "run_card: {'pt j': 20}\n", "run_card"),
        (MADGRAPH + "custom_fcts: none.f\nrequire: [{pdg_ids: [21]}]\n", "none.f not found"),
        (MADGRAPH + "custom_fcts: none.f\n", "custom_fcts: say under `require`"),
        (
            MADGRAPH.replace("p p > j j", "'p p > t t~, t > w+ b'") + "run_card: {pt_min_pdg: '{6: 350}'}\n",
            "run_card.pt_min_pdg: does nothing for resonances that decay in the process; cut with `custom_fcts`",
        ),
    ],
)
def test_bad_cards_are_named_in_one_line(tmp_path, text, message):
    text = text.replace("generate 'p p > t t~, t > w+ b'", "'generate p p > t t~, t > w+ b'")
    with pytest.raises(InputError, match=message) as caught:
        load(tmp_path, text)
    assert "\n" not in str(caught.value)
    assert str(caught.value).startswith(str(tmp_path))


def test_cuts_with_a_requirement_are_allowed(tmp_path):
    card = load(tmp_path, MADGRAPH + "run_card: {ptj: 20, etaj: 2.5}\nrequire: [{pdg_ids: [21, 1], pt_min: 20}]\n")
    assert card.require == (Requirement(pdg_ids=(21, 1), pt_min=20),)
