import contextlib
import gzip
import re
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from resim.errors import InputError
from resim.hard_scatter.reading import Beams, event_blocks, parse_event, survey
from tests.resim.conftest import HARD_SCATTERS


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
    with pytest.raises(InputError, match=r"late.lhe: event 2: .*-n 2"):
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
            "event 0: incoming partons have 2196.37 GeV, the beams 1301",
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


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_damaged_bytes_give_an_input_error_or_a_sound_file(tmp_path, qcd_text, data):
    content = bytearray(qcd_text.encode())
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, len(content) - 1))
        content[place : place + data.draw(st.integers(1, 30))] = data.draw(st.binary(max_size=8))
    path = tmp_path / "fuzzed.lhe"
    path.write_bytes(bytes(content))
    with contextlib.suppress(InputError):  # anything else is a defect
        assert survey(path).n_events >= 1
