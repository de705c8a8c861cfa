import pickle
import re
from pathlib import Path

import numpy as np
import pytest

from resim.card.delphes_card import content_digest
from resim.common.errors import InputError
from resim.common.ragged import offsets_of
from resim.common.tcl.values import text_of
from resim.detector import Detector
from resim.detector.card import read_card
from resim.particles import Particles

CARDS = Path(__file__).parents[3] / "cards/delphes"
CMS = (CARDS / "cms.tcl").read_text()
SHIPPED = sorted(CARDS.glob("*.tcl"))


@pytest.fixture
def write(tmp_path):
    def write(text: str) -> Path:
        path = tmp_path / "card.tcl"
        path.write_text(text)
        return path

    return write


def edited(old: str, new: str, count: int = 1) -> str:
    assert old in CMS
    return CMS.replace(old, new, count)


def no_events() -> Particles:
    floats = {name: np.empty(0) for name in ("px", "py", "pz", "energy", "mass", "charge", "vx", "vy", "vz")}
    return Particles(offsets=offsets_of([0]), pdg_id=np.empty(0, np.int32), **floats)


def test_a_module_may_stand_twice_in_the_path_if_candidates_do_not_need_it(write):
    """As in one of the CMS cards for Phase II that come with Delphes."""
    path = write(edited("  EFlowMerger\n", "  TreeWriter\n  EFlowMerger\n"))
    assert Detector.from_card(path).left_out == ("TreeWriter TreeWriter",)
    with pytest.raises(
        InputError, match=r"card\.tcl:\d+: HCal: ExecutionPath names HCal twice, and EFlowMerger depends"
    ):
        Detector.from_card(write(edited("  HCal\n", "  HCal\n  HCal\n")))


def test_every_shipped_card_is_read():
    assert [path.stem for path in SHIPPED] == [
        "cms",
        "cms_pileup",
        "cms_puppi",
        "cms_shifted",
        "cms_shifted_puppi",
        "cms_tracking",
        "ideal",
    ]
    for path in SHIPPED:
        detector = Detector.from_card(path)
        puppi = path.stem.endswith("puppi")
        unused = ("Merger EFlowMerger",) if path.stem == "cms_puppi" else ()
        assert detector.left_out == (*unused, "TreeWriter TreeWriter")
        assert pickle.loads(pickle.dumps(detector)).modules[-1][0] == "RunPUPPI" if puppi else "EFlowMerger"  # noqa: S301


TRACKS = [
    f"{kind}{name}"
    for kind in ("ChargedHadron", "Electron", "Muon")
    for name in ("TrackSmearing", "MomentumSmearing")
]
SHIFTS = {
    ("ChargedHadronTrackingEfficiency", "EfficiencyFormula"): 0.92,
    ("ElectronTrackingEfficiency", "EfficiencyFormula"): 1,
    ("MuonTrackingEfficiency", "EfficiencyFormula"): 1,
    **{(name, "ResolutionFormula"): 1.5 for name in TRACKS if name.endswith("MomentumSmearing")},
    **{
        (name, f"{d}ResolutionFormula"): 1.3
        for name in TRACKS
        if name.endswith("TrackSmearing")
        for d in ("D0", "DZ")
    },
    **{(name, "ResolutionFormula"): 1.2 for name in ("ECal", "HCal")},
}


@pytest.mark.parametrize(("name", "parameter"), SHIFTS)
def test_the_shifted_card_is_off_by_what_it_says(name, parameter):
    """Formulas of cms_shifted over those of cms_tracking, over pT, eta and energy."""
    points = [
        axis.ravel() for axis in np.meshgrid([0.5, 0.95, 5.0, 200.0], [0.1, -0.7, 1.2, -2.2, 2.9], [2.0, 300.0])
    ]
    columns = dict(zip(("pt", "eta", "energy"), points, strict=True))
    values = [
        read_card(CARDS / f"{card}.tcl").by_name[name].formula(parameter, tuple(columns))(columns, len(points[0]))
        for card in ("cms_shifted", "cms_tracking")
    ]
    assert values[0] == pytest.approx(SHIFTS[name, parameter] * values[1])
    assert values[1].any()


def test_the_shifted_card_has_other_scales():
    shifted, nominal = (
        {name: {int(pdg_id): float(share) for pdg_id, share in _fractions(card, name)} for name in ("ECal", "HCal")}
        for card in ("cms_shifted", "cms_tracking")
    )
    for name, scale in (("ECal", 0.98), ("HCal", 0.95)):
        assert shifted[name] == pytest.approx({pdg_id: scale * share for pdg_id, share in nominal[name].items()})


def test_the_shifted_card_with_pile_up_is_both():
    """Its modules are those of cms_shifted and, for pile-up, those of cms_puppi."""
    both, shifted, puppi = (
        read_card(CARDS / f"{name}.tcl").by_name for name in ("cms_shifted_puppi", "cms_shifted", "cms_puppi")
    )
    moved = {"ParticlePropagator", "NeutralEFlowMerger", "TreeWriter"}  # the wiring
    for name in both.keys() - moved:
        other = shifted if name in shifted else puppi
        texts = [{key: text_of(value) for key, value in card[name].parameters.items()} for card in (both, other)]
        assert texts[0] == texts[1], name
    assert both.keys() == (shifted.keys() - {"EFlowMerger"}) | (puppi.keys() - {"EFlowMerger"})


def _fractions(card: str, module: str) -> list[tuple[str, str]]:
    pairs = read_card(CARDS / f"{card}.tcl").by_name[module].pairs("EnergyFraction")
    return [(text_of(pdg_id), text_of(share)) for pdg_id, share in pairs]


def test_pile_up_is_read_and_refused_when_it_runs():
    detector = Detector.from_card(CARDS / "cms_pileup.tcl")
    assert {"PileUpMerger", "TrackPileUpSubtractor"} <= {name for name, _ in detector.modules}
    with pytest.raises(InputError, match=r"cms_pileup.tcl:\d+: PileUpMerger: pile-up needs a pool"):
        detector.run(no_events(), [1])


def test_tcl_is_evaluated():
    modules = read_card(CARDS / "cms.tcl").by_name
    assert modules["ECal"].text("EnergyMin") == "0.5"
    pairs = modules["ECal"].pairs("EtaPhiBins")
    assert len(pairs) == 363
    assert len(modules["ECal"].numbers([pairs[0][1]], "EtaPhiBins")[0]) == 361
    assert CMS.splitlines()[modules["HCal"].line - 1] == "module SimpleCalorimeter HCal {"
    assert "EnergyMin" in CMS.splitlines()[modules["HCal"].lines["EnergyMin"] - 1]


def test_modules_that_do_not_shape_candidates_are_left_out_by_name(write):
    extra = "module FastJetFinder Jets {\n  set InputArray EFlowMerger/eflow\n}\n"
    text = edited("  EFlowMerger\n", "  EFlowMerger\n  Jets\n") + extra
    assert Detector.from_card(write(text)).left_out == ("FastJetFinder Jets", "TreeWriter TreeWriter")


def test_time_smearing_is_ignored_and_said(write):
    text = edited("  ECal\n", "  Clock\n  ECal\n").replace(
        "TrackInputArray TrackMerger/tracks", "TrackInputArray Clock/tracks"
    )
    text += "module TimeSmearing Clock {\n  set InputArray TrackMerger/tracks\n  set OutputArray tracks\n}\n"
    assert Detector.from_card(write(text)).ignored == ("TimeSmearing Clock",)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("set a 1\nset b $c\n", r"card.tcl:2: Tcl: can't read \"c\""),
        ("module A a {\n  set x 1\n  set y [expr {1/0}]\n}\n", r"card.tcl:3: Tcl: divide by zero"),
        ("set x 1\n\nmodule A a { set b {", r"card.tcl:3: Tcl: missing close-brace"),
        ("proc f {} {f}\n", r"card.tcl:1: Tcl: invalid command name \"proc\""),
        ("open /etc/passwd\n", r"card.tcl:1: Tcl: invalid command name \"open\""),
        ("exec true\n", r"invalid command name \"exec\""),
        ("socket localhost 80\n", r"invalid command name \"socket\""),
        ("source other.tcl\n", r"card.tcl:1: Tcl: source other.tcl: no such file in the folder of the card"),
        ("source ../cms.tcl\n", r"no such file in the folder"),
        ("source /etc/passwd\n", r"no such file in the folder"),
        ("interp create x\nx eval {open /etc/passwd}\n", r"invalid command name \"interp\""),
        ("set ::resim::modules broken\n", r"no module .resim"),
        ("set x 1\n", r"no ExecutionPath"),
        ("set ExecutionPath {A}\n", r"ExecutionPath names 'A', which the card does not define"),
        ("set ExecutionPath {A}\nmodule B A {}\n", r"has no EFlowMerger"),
    ],
)
def test_wrong_tcl_is_one_clear_line(write, text, message):
    with pytest.raises(InputError, match=message) as error:
        Detector.from_card(write(text))
    assert "\n" not in str(error.value)


ENDLESS = {
    "a loop": ("for {set i 0} {1} {incr i} {}", "more than 1000000 steps"),
    "a power": ("expr {9**9999999}", "has more than 256 bits"),
    "a shift": ("expr {1 << 99999999999}", "the limit is 256"),
    "a text that doubles": ("set x abcdefgh\nfor {set i 0} {$i < 40} {incr i} { set x $x$x }", "more than 10000000 char"),
    "a list that doubles": ("set x a\nfor {set i 0} {$i < 90} {incr i} { lappend x {*}$x }", "steps; look for an endless"),
    "a list in itself": ("set x a\nfor {set i 0} {$i < 90} {incr i} { set x [list $x $x] }\nset y a$x", "nested deeper"),
    "brackets": ("set x " + "[list " * 99 + "]" * 99, "nested"),
    "parentheses": ("expr {" + "(" * 99 + "1" + ")" * 99 + "}", "nested deeper than 50"),
    "signs": ("expr {" + "-" * 99 + "1}", "syntax error"),
    "scripts": ("if 1 {" * 99 + "}" * 99, "too many nested evaluations"),
    "a card that is too long": ("#" * 500_001, "at most 500000 bytes"),
    "modules": ("for {set i 0} {$i < 501} {incr i} { module A m$i {} }", "more than 500 modules"),
    "expressions": ("for {} {1} {} { expr {" + "1+" * 500 + "1} }", "more than 1000000 steps"),
}  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("case", ENDLESS)
def test_time_and_memory_are_bounded(write, case):
    text, message = ENDLESS[case]
    with pytest.raises(InputError, match=message):
        read_card(write(text))


def test_files_below_the_card_are_sourced_and_are_part_of_it(write, tmp_path):
    path = write(edited("set Radius 1.29", "source parts/radius.tcl"))
    (tmp_path / "parts").mkdir()
    (tmp_path / "parts/radius.tcl").write_text("set Radius 1.29\n")
    assert read_card(path).by_name["ParticlePropagator"].number("Radius") == 1.29
    before = content_digest(path)
    (tmp_path / "parts/radius.tcl").write_text("set Radius 1.3\n")
    assert content_digest(path) != before
    (tmp_path / "parts/radius.tcl").write_text("set x 1\nset Radius $nothing\n")
    with pytest.raises(InputError, match=r"radius.tcl:2: Tcl: can't read \"nothing\""):
        read_card(path)
    (tmp_path / "parts/radius.tcl").write_text("source ../card.tcl\n")
    with pytest.raises(InputError, match="sources itself"):
        read_card(path)


def test_a_link_out_of_the_folder_is_not_sourced(write, tmp_path):
    folder = tmp_path / "folder"
    folder.mkdir()
    write("set x 1\n")
    (folder / "link.tcl").symlink_to(tmp_path / "card.tcl")
    (folder / "card.tcl").write_text("source link.tcl\n")
    with pytest.raises(InputError, match="no such file in the folder of the card"):
        read_card(folder / "card.tcl")


@pytest.mark.slow
def test_a_long_list_that_nobody_reads_is_not_text(write):
    loop = "for {set i 0} {$i < 20000} {incr i} { lappend row $i }\n"
    card = "set ExecutionPath {A}\n" + loop + "module B A {\nfor {set i 0} {$i < 999} {incr i} { add Rows $row }\n}\n"
    module = read_card(write(card)).by_name["A"]
    assert len(module.items("Rows")) == 999
    with pytest.raises(InputError, match="more than 10000000 characters"):
        module.text("Rows")


def test_missing_files_and_binaries_are_refused(tmp_path):
    with pytest.raises(InputError, match="No such file"):
        Detector.from_card(tmp_path / "absent.tcl")
    (tmp_path / "binary.tcl").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InputError, match="cannot be read"):
        Detector.from_card(tmp_path / "binary.tcl")


BAD_EDITS = {
    "not a number": ("set Radius 1.29", "set Radius wide", r"ParticlePropagator.Radius: 'wide' is not a number"),
    "not finite": ("set Radius 1.29", "set Radius Inf", "is not finite"),
    "not positive": ("set Radius 1.29", "set Radius -1", "-1 is not positive"),
    "not a boolean": ("set IsEcal true", "set IsEcal perhaps", "not a boolean"),
    "unknown function": ("sqrt((0.008*energy)^2", "erf((0.008*energy)^2", "unknown function erf"),
    "unknown variable": ("(pt > 0.1 && pt <= 1.0) * 0.70", "(p > 0.1) * 0.70", "unknown variable p "),
    "unknown class that matters": ("module Merger TrackMerger", "module Nonsense TrackMerger", "class Nonsense is not known"),
    "class that does more": ("module Merger TrackMerger", "module TrackCovariance TrackMerger", "TrackCovariance computes .* not supported"),
    "a filter of tracks that were propagated once": ("set InputArray ParticlePropagator/chargedHadrons", "set InputArray TrackMerger/tracks\n}\nmodule DenseTrackFilter TrackMerger {\n  set TrackInputArray ParticlePropagator/chargedHadrons\n  add EtaPhiBins {-1 1} {-1 1}\n", "ECal: reads TrackMerger/tracks, tracks of a DenseTrackFilter that were not propagated"),
    "array from nowhere": ("add InputArray HCal/eflowTracks", "add InputArray HCal/eflowTrax", "reads HCal/eflowTrax, which no earlier"),
    "module from nowhere": ("add InputArray HCal/eflowTracks", "add InputArray HCAL/eflowTracks", "no module HCAL"),
    "phi edges that fall": ("{$k * $pi / 180.0}", "{-$k * $pi / 180.0}", "ECal.EtaPhiBins: the phi edges .* do not ascend"),
    "phi edges too wide": ("{$k * $pi / 180.0}", "{$k * $pi / 90.0}", "leave -pi ... pi"),
    "eta edges that fall": ("foreach eta {-5 -4.7 -4.525 4.7 5} { add", "foreach eta {{-5 -4.7 -4.8}} { add", "eta edges .* of one list do not ascend"),
    "unbalanced braces": ("  set OutputArray eflow\n", "  set OutputArray eflow\n  set InputArray \\{\n", "is not a Tcl list"),
    "pairs that do not fit": ("add EnergyFraction {0} {0.0}", "add EnergyFraction {0}", "want pairs|want a PDG id"),
    "a PDG id beyond integers": ("add EnergyFraction {0} {0.0}", "add EnergyFraction {" + "9" * 30 + "} {0.0}", "want a PDG id"),
    "fraction above 1": ("add EnergyFraction $id {1.0}", "add EnergyFraction $id {1.5}", "fractions in 0 ... 1"),
    "unbalanced list": ("set ResolutionFormula {\n    (abs(eta) <= 0.5)", "set ResolutionFormula {)\n (abs(eta) <= 0.5)", "where a value is wanted"),
    "a volume of no size": ("set Bz 3.8", "set Bz 3.8\n  set RadiusMax 0", "ParticlePropagator.RadiusMax: 0 is not positive"),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD_EDITS)
def test_wrong_parameters_name_card_and_line(write, case):
    old, new, message = BAD_EDITS[case]
    with pytest.raises(InputError, match=message) as error:
        Detector.from_card(write(edited(old, new)))
    assert re.match(r".*card\.tcl:\d+: \w+", str(error.value))


def test_the_line_is_that_of_the_parameter(write):
    text = edited("set Radius 1.29", "set Radius wide")
    with pytest.raises(InputError) as error:
        Detector.from_card(write(text))
    line = int(re.search(r"card\.tcl:(\d+)", str(error.value))[1])
    assert text.splitlines()[line - 1].strip() == "set Radius wide"


def test_circles_and_wrong_order_are_refused(write):
    circle = edited("set TrackInputArray TrackMerger/tracks", "set TrackInputArray HCal/eflowTracks")
    with pytest.raises(InputError, match="ECal: reads HCal/eflowTracks, which no earlier module"):
        Detector.from_card(write(circle))
    order = edited("  ECal\n  HCal\n", "  HCal\n  ECal\n")
    with pytest.raises(InputError, match="HCal: reads ECal/eflowTracks, which no earlier module"):
        Detector.from_card(write(order))
    early = edited("set InputArray ParticlePropagator/chargedHadrons", "set InputArray Delphes/stableParticles")
    with pytest.raises(InputError, match="as an array of propagated objects"):
        Detector.from_card(write(early))


def test_a_formula_that_is_not_finite_is_an_error_when_it_runs(write):
    text = edited("sqrt(0.06^2 + (pt*1.3e-3)^2)", "sqrt(0.06^2 - pt)")
    one = {"px": [5.0], "py": [0.0], "pz": [0.0], "energy": [5.1], "mass": [0.1], "charge": [1.0]}
    columns = {name: np.array(value) for name, value in one.items()} | {v: np.zeros(1) for v in ("vx", "vy", "vz")}
    particles = Particles(offsets=offsets_of([1]), pdg_id=np.array([211], np.int32), **columns)
    detector = Detector.from_card(write(text))
    seed = next(s for s in range(30) if Detector.from_card(CARDS / "cms.tcl").run(particles, [s]).charge.any())
    with pytest.raises(InputError, match=r"ChargedHadronMomentumSmearing.ResolutionFormula: .* nan for .*pt = 5"):
        detector.run(particles, [seed])


def test_histograms_of_track_resolutions_are_refused(write):
    text = (CARDS / "cms_tracking.tcl").read_text().replace("PResolutionFormula { 0.0 }", "PResolutionFormula 0.0")
    with pytest.raises(InputError, match=r"PResolutionFormula: 0\.0 asks Delphes for a histogram"):
        Detector.from_card(write(text))


def test_an_eta_edge_with_two_divisions_has_the_phi_edges_of_both(write):
    once, twice = (Detector.from_card(write(text)) for text in (CMS, edited("-3.125 -2.958\n", "-3.125 -2.9406\n")))
    assert dict(twice.modules)["ECal"].segmentation.n_towers != dict(once.modules)["ECal"].segmentation.n_towers
