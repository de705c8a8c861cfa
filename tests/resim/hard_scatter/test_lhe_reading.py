import bz2
import gzip
import re
from pathlib import Path

import pytest

from resim.common.errors import InputError
from resim.hard_scatter.lhe_reading import BadEventError, Beams, event_blocks, parse_event, survey
from tests.helpers.chain import FAULTS, HARD_SCATTERS
from tests.helpers.waiting import cpu_limit


def write(path: Path, text: str) -> Path:
    path.write_text(text, encoding="latin-1", newline="")
    return path


def first_event(path: Path):
    index, block = next(event_blocks(path))
    return parse_event(block, path, index)


@pytest.mark.parametrize("name", ["hbb_j", "qcd_jj", "wqq_z", "top", "tautau", "dijet_soft"])
def test_shipped_samples_hold_2000_madgraph_events(name):
    found = survey(HARD_SCATTERS / f"{name}.lhe.gz")
    assert found.n_events == 2000
    assert found.beams == Beams(2212, 2212, 6500.0, 6500.0)
    assert found.generator == "MadGraph5_aMC@NLO 3.5.7"


def test_identity_is_the_hash_of_the_decompressed_bytes(tmp_path, qcd_text):
    plain = write(tmp_path / "plain.lhe", qcd_text)
    packed = tmp_path / "packed.lhe"  # found by its first bytes, not by its name
    packed.write_bytes(gzip.compress(plain.read_bytes()))
    assert survey(plain) == survey(packed)
    import hashlib

    assert survey(plain).sha256 == hashlib.sha256(plain.read_bytes()).hexdigest()


def test_only_the_first_events_are_parsed_but_all_are_counted(tmp_path, qcd_text):
    head = qcd_text[: qcd_text.rindex("<event>")]
    path = write(tmp_path / "late.lhe", head + "<event>\n garbage\n</event>\n</LesHouchesEvents>\n")
    assert survey(path, n_events=2).n_events == 3
    with pytest.raises(InputError, match=r"late.lhe:\d+: event 2: .*-n 2"):
        survey(path)


# --- other generators' form ---------------------------------------------------------------------------------------


def powheg(text: str) -> str:
    """POWHEG-BOX: run card in an illegal XML comment, Fortran exponents, trailing comments and weights."""
    text = text.replace("<header>", "<!--\nfile generated with POWHEG-BOX-V2 -- <no> & XML\n-->\n<header>", 1)
    text = re.sub(r"(\d\.\d+)e([+-]\d\d)", r"\1D\2", text)
    extra = (
        "#pdf 2 21 0.1 0.2 91.2 0.3 0.4\n#rwgt 1 9 4.4 5 77 1\n<rwgt>\n<wgt id='1'> 1.0D+00 </wgt>\n</rwgt>\n</event>"
    )
    return text.replace("</event>", extra)


def sherpa(text: str) -> str:
    """Sherpa: attributes of the event tag, scales and weights without a declaration, no header."""
    text = text[: text.index("<header>")] + text[text.index("</header>") + len("</header>\n") :]
    text = text.replace("<event>", "<event trials='7' kfac=\"1\">")
    return text.replace("</event>", "<scales muf2='8100' mur2='8100'/>\n<weights> 1.0 0.9 1.1 </weights>\n</event>")


def whizard(text: str) -> str:
    """WHIZARD: more tags in the init block, beam particles with status -9, blank lines."""
    text = text.replace("</init>", "<xsecinfo neve='3' totxsec='1.0' />\n</init>")
    beams = "".join(f" 2212 -9 0 0 0 0 0 0 {sign}6500 6500 0.938 0 9\n" for sign in "+-")

    def rewrite(match: re.Match[str]) -> str:
        head, *particles = match[1].strip().splitlines()
        n, rest = head.split(None, 1)
        lines = []
        for line in particles:
            f = line.split()
            f[2:4] = [str(int(m) + 2) for m in f[2:4]]
            lines.append(" ".join(f))
        lines[:2] = [line.replace(" 2 2 ", " 1 2 ", 1) for line in lines[:2]]
        return f"<event>\n\n{int(n) + 2} {rest}\n{beams}" + "\n".join(lines) + "\n</event>"

    return re.sub(r"<event>(.*?)</event>", rewrite, text, flags=re.DOTALL)


def windows(text: str) -> str:
    return text.replace("\n", "\r\n")


def cramped(text: str) -> str:
    """Tags that share lines, comments beside and inside events, tags where nobody expects them in the header."""
    text = text.replace(">\n<header>", "><header>", 1).replace("</header>\n<init>", "</header><init>", 1)
    text = text.replace("<header>", "<header> <!-- c --> <![CDATA[ <event> <init> ]]>", 1)
    text = text.replace("</event>\n<event>", "</event><event><!-- x -->")
    return text.replace("</event>\n</Les", "</event></Les").replace("<event>", "<event npLO='1'\n npNLO='0'>")


@pytest.mark.parametrize("style", [powheg, sherpa, whizard, windows, cramped])
def test_form_of_other_generators_changes_nothing_of_the_content(tmp_path, qcd_text, style):
    plain = write(tmp_path / "plain.lhe", qcd_text)
    styled = write(tmp_path / "styled.lhe", style(qcd_text))
    assert styled.read_bytes() != plain.read_bytes()
    assert survey(styled).n_events == 3
    for (i, ours), (_, theirs) in zip(event_blocks(plain), event_blocks(styled), strict=True):
        a, b = parse_event(ours, plain, i), parse_event(theirs, styled, i)
        assert a.eventinfo.scale == b.eventinfo.scale
        assert [(p.id, p.status, p.px, p.e) for p in a.particles] == [
            (p.id, p.status, p.px, p.e) for p in b.particles
        ]
        assert [p.mother1 for p in a.particles][2:] == [p.mother1 for p in b.particles][2:]


def test_a_file_that_pythia_wrote_is_read(pythia_lhe):
    found = survey(pythia_lhe)
    assert found.n_events == 8
    assert found.pdg_ids & {1, 2, 3, 4, 5, 21}


# --- bad content --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda t: "", "is empty"),
        (lambda t: "# just text\n" * 10, "no <LesHouchesEvents> tag"),
        (lambda t: t[: t.index("<event>")], "truncated before its first event"),
        (lambda t: t.replace("</LesHouchesEvents>", ""), "truncated after event 2"),
        (lambda t: t[: t.rindex("</event>") - 40], "truncated after event 1"),
        (lambda t: t[: t.index("<event>")] + "</LesHouchesEvents>", "holds no event"),
        (lambda t: re.sub(r"<init>.*</init>", "", t, flags=re.DOTALL), "<event> before its <init>"),
        (lambda t: t.replace("2212 2212 6.500000e+03", "2212 proton 6.5"), "unreadable <init> block"),
        (lambda t: t.replace("</event>", "", 1), "event 0 has no end tag before the next <event>"),
        (lambda t: t + t, "more than one LHE document"),
        (lambda t: t.replace("6.500000e+03", "0.0"), "beam energy 0.0 GeV"),
        (lambda t: t.replace("6.500000e+03", "inf"), "beam energy inf GeV"),
        (
            lambda t: t.replace("6.500000e+03", "6.5e+02"),
            r"event 0: an incoming parton has \d+\.?\d* GeV, its beam 650 GeV",
        ),
        (lambda t: t.replace(" 4      1 ", " 1e400      1 ", 1), "event 0: cannot convert float infinity"),
        (lambda t: t.replace(" 4      1 ", " 5      1 ", 1), "event 0: NUP says 5 particles, the block has 4"),
        (lambda t: t.replace("    1    2  503", "    1    9  503", 1), "event 0: mother 9 out of range"),
        (lambda t: t.replace("1.7053848363e+03", "nan", 1), "event 0: particle 3 .* not finite"),
        (lambda t: t.replace("1.7053848363e+03", "1.7e+02", 1), "event 0: e is out of balance"),
        (lambda t: t.replace("1.7053848363e+03", "abc", 1), "event 0: could not convert"),
        (lambda t: t.replace("0.0000e+00 -1.0000e+00\n", "\n", 1), "event 0: particle line has 11 fields, want 13"),
    ],
)
def test_broken_files_are_named_in_one_line(tmp_path, qcd_text, damage, message):
    path = write(tmp_path / "broken.lhe", damage(qcd_text))
    with pytest.raises(InputError, match=message) as caught:
        survey(path)
    assert str(caught.value).startswith(str(path))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("damage", [lambda b: b[:-400], lambda b: b[:2000] + bytes(200) + b[2200:]])
def test_corrupt_gzip(tmp_path, damage):
    path = tmp_path / "corrupt.lhe.gz"
    path.write_bytes(damage((HARD_SCATTERS / "qcd_jj.lhe.gz").read_bytes()))
    with pytest.raises(InputError, match="corrupt or truncated gzip"):
        survey(path)


def test_missing_file_and_folder(tmp_path):
    for path in (tmp_path / "none.lhe", tmp_path):
        with pytest.raises(InputError, match="cannot be read"):
            survey(path)


# --- what sound files may hold ------------------------------------------------------------------------------------


def test_several_processes_in_the_init_block(tmp_path, qcd_text):
    text = qcd_text.replace(" -4 1\n", " -4 3\n 1.0 0.1 1.0 7\n 2.0 0.1 1.0 8\n", 1)
    path = write(tmp_path / "several.lhe", text)
    assert text != qcd_text
    assert survey(path).beams == Beams(2212, 2212, 6500.0, 6500.0)
    assert survey(HARD_SCATTERS / "wqq_z.lhe.gz").n_events == 2000  # MadGraph's own file with two


@pytest.mark.parametrize("weights", [("-1.5e+00", "0.0", "+3.0e+02"), ("1e-300", "-0.0", "1e300")])
def test_weights_may_vary_vanish_and_be_negative(tmp_path, qcd_text, weights):
    parts = qcd_text.split("+1.7878384e+04")
    assert len(parts) == 4
    text = "".join(part + weight for part, weight in zip(parts, (*weights, ""), strict=True))
    path = write(tmp_path / "weights.lhe", text)
    read = [parse_event(block, path, index).eventinfo.weight for index, block in event_blocks(path)]
    assert read == [float(weight) for weight in weights]


def event_of(*particles: str, energy: int = 500) -> str:
    """An event from two gluons of this energy in GeV and these outgoing particles and resonances."""
    gluons = [
        f"21 -1 0 0 {colours} 0 0 {pz} {energy} 0 0 9" for colours, pz in (("501 502", energy), ("502 501", -energy))
    ]
    records = "\n".join([f"{len(particles) + 2} 1 1.0 500 0.0078 0.1", *gluons, *particles])
    return f"<event>\n{records}\n</event>\n"


DECAYED = (
    "25 2 1 2 0 0 0 0 0 1000 1000 0 0",
    "5 1 3 3 501 0 300 0 400 500 0 0 9",
    "-5 1 3 3 0 501 -300 0 -400 500 0 0 9",
)
UNDECAYED = ("25 1 1 2 0 0 300 0 400 500 0 0 0", "23 1 1 2 0 0 -300 0 -400 500 0 0 9")
DARK = (
    "4900023 2 1 2 0 0 0 0 0 1000 1000 0 9",
    "4900101 1 3 3 0 0 300 0 400 500 20 0 9",
    "-4900101 1 3 3 0 0 -300 0 -400 500 20 0 9",
)


def with_events(qcd_text: str, *events: str) -> str:
    head = qcd_text[: qcd_text.index("<event>")]
    return head + "".join(events) + "</LesHouchesEvents>\n"


def test_decayed_undecayed_and_unknown_particles_in_one_file(tmp_path, qcd_text):
    path = write(tmp_path / "mixed.lhe", with_events(qcd_text, *(event_of(*p) for p in (DECAYED, UNDECAYED, DARK))))
    assert survey(path).pdg_ids == {5, 23, 25, 4900023, 4900101}
    events = [parse_event(block, path, index) for index, block in event_blocks(path)]
    assert [sum(p.status == 2 for p in event.particles) for event in events] == [1, 0, 1]


@pytest.mark.parametrize("tag", ["<event npLO='0' npNLO='1'>", "<event\n  attr='a b'\n>", "<event id=7 >"])
def test_event_tags_may_have_attributes(tmp_path, qcd_text, tag):
    path = write(tmp_path / "tags.lhe", qcd_text.replace("<event>", tag))
    assert survey(path).n_events == 3
    assert first_event(path).particles[3].id == first_event(write(tmp_path / "plain.lhe", qcd_text)).particles[3].id


# --- lines of the file --------------------------------------------------------------------------------------------


def line_of(text: str, place: int) -> int:
    return text.count("\n", 0, place) + 1


@pytest.mark.parametrize(
    "style", [lambda t: t, windows, cramped, powheg], ids=["plain", "windows", "cramped", "powheg"]
)
@pytest.mark.parametrize("event", [0, 1, 2])
def test_a_broken_record_is_named_by_its_line(tmp_path, qcd_text, style, event):
    end = [match.start() for match in re.finditer("\n</event>", qcd_text)][event]
    text = style(f"{qcd_text[: end - 4]}oops{qcd_text[end:]}")
    path = write(tmp_path / "broken.lhe", text)
    with pytest.raises(BadEventError, match=f"event {event}: .*oops") as caught:
        survey(path)
    assert str(caught.value).startswith(f"{path}:{line_of(text, text.index('oops'))}: ")


def test_an_inconsistent_event_is_named_by_its_first_line(tmp_path, qcd_text):
    text = qcd_text.replace("1.7053848363e+03", "1.7e+02", 1)
    with pytest.raises(BadEventError, match="out of balance") as caught:
        survey(write(tmp_path / "broken.lhe", text))
    assert f"broken.lhe:{line_of(text, text.index('<event>'))}: event 0: " in str(caught.value)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [("</event>\n<event>", "\n<event>", "event 0 has no end tag"), ("<event>\n", "\n", "event 0 has no start tag")],
)
def test_a_missing_tag_is_named_by_its_line(tmp_path, qcd_text, old, new, message):
    text = qcd_text.replace(old, new, 1)
    with pytest.raises(InputError, match=message) as caught:
        survey(write(tmp_path / "broken.lhe", text))
    assert re.search(r"broken\.lhe:\d+: ", str(caught.value))


# --- broken events that are passed over ---------------------------------------------------------------------------

ENERGY = re.compile(r"\d\.\d{10}e\+\d\d(?= 0\.0{10}e)")
DAMAGES = {
    "unparsable": lambda event: event.replace("0.0000e+00", "zero", 1),
    "not_finite": lambda event: ENERGY.sub("nan", event, count=1),
    "unbalanced": lambda event: ENERGY.sub("1.0", event, count=1),
    "above_the_beam_energy": lambda _: event_of(
        "21 1 1 2 501 503 0 0 7000 7000 0 0 9", "21 1 1 2 503 501 0 0 -7000 7000 0 0 9", energy=7000
    ),
    "without_colours": lambda event: re.sub(r"(\n +-?\d+ +-1 +\d+ +\d+) +\d+ +\d+", r"\1 0 0", event, count=1),
    "no_start_or_end_tag": lambda event: event.replace("</event>", ""),
}


def six_events(qcd_text: str) -> list[str]:
    return [f"<event>{event}" for event in qcd_text.replace("</LesHouchesEvents>\n", "").split("<event>")[1:]] * 2


@pytest.mark.parametrize("reason", DAMAGES)
@pytest.mark.parametrize("place", [0, 2, 4])
def test_a_broken_event_is_counted_and_the_others_keep_their_index(tmp_path, qcd_text, reason, place):
    events = six_events(qcd_text)
    sound = write(tmp_path / "sound.lhe", with_events(qcd_text, *events))
    events[place] = DAMAGES[reason](events[place])
    path = write(tmp_path / "broken.lhe", with_events(qcd_text, *events))
    with pytest.raises(InputError, match=f"event {place}") as caught:
        survey(path)
    found = survey(path, skip_bad=True)
    assert (found.n_events, found.bad_events, found.bad_reasons) == (6, {place: reason}, {reason: 1})
    assert re.search(rf"broken\.lhe:\d+: event {place}: ", found.first_bad)
    if isinstance(caught.value, BadEventError):
        assert (caught.value.reason, str(caught.value)) == (reason, found.first_bad)
    assert found.sha256 == survey(path, 3, skip_bad=True).sha256
    expected = [(index, block) for index, block in event_blocks(sound) if index != place]
    assert list(event_blocks(path, None, found.bad_events)) == expected
    assert [index for index, _ in event_blocks(path, 3, found.bad_events)] == [i for i in range(3) if i != place]
    assert place == 0 or not survey(path, place, skip_bad=True).bad_events  # it lies behind those that are read


def test_an_event_without_its_start_tag_is_passed_over(tmp_path, qcd_text):
    events = six_events(qcd_text)
    events[3] = events[3].replace("<event>", "")
    path = write(tmp_path / "broken.lhe", with_events(qcd_text, *events))
    found = survey(path, skip_bad=True)
    assert (found.n_events, found.bad_events) == (6, {3: "no_start_or_end_tag"})
    assert [index for index, _ in event_blocks(path, None, found.bad_events)] == [0, 1, 2, 4, 5]


def test_reasons_are_counted(tmp_path, qcd_text):
    events = [DAMAGES[reason](event) for reason, event in zip(DAMAGES, six_events(qcd_text), strict=False)]
    path = write(tmp_path / "bad.lhe", with_events(qcd_text, *events, *six_events(qcd_text)[:1], events[1]))
    found = survey(path, skip_bad=True)
    assert found.bad_reasons == dict.fromkeys(DAMAGES, 1) | {"not_finite": 2}
    assert (found.n_events, sorted(found.bad_events)) == (8, [0, 1, 2, 3, 4, 5, 7])


def test_a_sound_file_reads_the_same_with_and_without_skipping(qcd_text, tmp_path):
    path = write(tmp_path / "sound.lhe", cramped(qcd_text))
    assert survey(path, skip_bad=True) == survey(path)


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda t: t[: t.rindex("</event>") - 40], "truncated after event 1"),
        (lambda t: t.replace("</LesHouchesEvents>", ""), "truncated after event 2"),
        (lambda t: t + t, "more than one LHE document"),
        (lambda t: t.replace("6.500000e+03", "nan"), "beam energy nan GeV"),
        (lambda t: t.replace("</init>", ""), "its <init> block has no end tag"),
        (lambda t: t.replace(" 0.0000e+00 ", " zero "), "no sound event among 3; the first: .* could not convert"),
    ],
)
def test_a_file_that_is_broken_as_a_whole_is_not_passed_over(tmp_path, qcd_text, damage, message):
    with pytest.raises(InputError, match=message):
        survey(write(tmp_path / "broken.lhe", damage(qcd_text)), skip_bad=True)


def test_memory_does_not_grow_with_the_file(tmp_path, qcd_text):
    import tracemalloc

    sound, bad = six_events(qcd_text)[0], DAMAGES["unparsable"](six_events(qcd_text)[1])

    def peak(n: int) -> int:
        comment = "<!--" + "x\n" * 300 * n + "-->\n"
        path = write(tmp_path / "long.lhe", with_events(qcd_text, comment, *[sound, bad] * n))
        tracemalloc.start()
        found = survey(path, skip_bad=True)
        assert (found.n_events, len(found.bad_events)) == (2 * n, n)
        assert sum(1 for _ in event_blocks(path, None, found.bad_events)) == n
        size = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return size

    assert peak(600) < peak(120) + 100_000  # the file is longer by a megabyte


def test_time_is_linear_in_broken_decoration(tmp_path, qcd_text):
    """Searching the end of each of 100,000 tags that have none would take minutes."""
    path = write(tmp_path / "tags.lhe", qcd_text.replace("</event>", "<a>" * 100_000 + "</event>", 1))
    with cpu_limit(30), pytest.raises(BadEventError, match="event 0"):
        survey(path)


@pytest.mark.slow
def test_a_file_on_one_line_is_read_in_linear_time(tmp_path, qcd_text):
    """40,000 events on one line of 20 MB; copying the rest of the line after each would take two minutes."""
    one_line = "".join(f"<event>{' ' * 500}</event>" for _ in range(40_000))
    path = write(tmp_path / "line.lhe", with_events(qcd_text, one_line, *six_events(qcd_text)))
    with cpu_limit(30):
        found = survey(path, skip_bad=True)
    assert (found.n_events, found.bad_reasons) == (40_006, {"unparsable": 40_000})


def test_groups_of_events_are_passed_over():
    """<eventgroup> of LHEF 2.0, as MadGraph's fixed-order files have it."""
    assert [index for index, _ in event_blocks(FAULTS / "group.lhe")] == [0, 1, 2, 3]
    assert survey(FAULTS / "group.lhe", skip_bad=True).bad_events == {}


def test_exponents_of_three_digits_without_a_letter():
    ((_, block),) = list(event_blocks(FAULTS / "fortran.lhe", 1))
    assert {p.lifetime for p in parse_event(block, FAULTS / "fortran.lhe", 0).particles} == {0.1234e-102}


def test_compressed_files_are_read_or_named(tmp_path, qcd_text):
    assert survey(FAULTS / "x.lhe.xz").n_events >= 1
    (tmp_path / "x.lhe.bz2").write_bytes(bz2.compress(qcd_text.encode()))
    assert survey(tmp_path / "x.lhe.bz2").n_events == 3
    (tmp_path / "cut.lhe.xz").write_bytes((FAULTS / "x.lhe.xz").read_bytes()[:200])
    with pytest.raises(InputError, match="corrupt or truncated gzip, bzip2 or xz file"):
        survey(tmp_path / "cut.lhe.xz")
    (tmp_path / "x.lhe.zst").write_bytes(b"\x28\xb5\x2f\xfd....")
    with pytest.raises(InputError, match=r"x.lhe.zst: is compressed by zstd; unpack it"):
        survey(tmp_path / "x.lhe.zst")
