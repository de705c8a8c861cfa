"""Random damage to what users hand in: the readers give sound content or one line of `InputError`, nothing else."""

import gzip
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from resim.card.generation_card import GenerationCard, Source, load_card
from resim.card.stages import ShowerSection
from resim.card.view_tree import View
from resim.common.errors import InputError
from resim.hard_scatter.lhe_reading import event_blocks, parse_event, survey
from resim.hard_scatter.process_card import MadGraphProcess, PythiaProcess, Requirement, load_process_card
from tests.helpers.chain import HARD_SCATTERS, REPOSITORY

fuzz = settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture(scope="module")
def documents(pythia_lhe) -> list[bytes]:
    """A few events of every shipped sample, and a file that Pythia wrote."""
    samples = []
    for path in sorted(HARD_SCATTERS.glob("*.lhe.gz")):
        parts = gzip.decompress(path.read_bytes()).split(b"</event>")
        samples.append(b"</event>".join(parts[:3]) + b"</event>\n</LesHouchesEvents>\n")
    return [*samples, pythia_lhe.read_bytes()]


CONTROL = {chr(code) for code in range(32)}
"""What would move the cursor of a terminal, or worse."""


def one_line_or(function: Callable[[], Any]) -> Any:
    """What the function gives, or None if it raises an `InputError` of one line."""
    message = ""
    try:
        return function()
    except InputError as error:
        message = str(error)
    assert len(message.splitlines()) == 1
    assert not set(message) & CONTROL
    return None


def read_in_every_way(path: Path) -> None:
    strict = one_line_or(lambda: survey(path))
    lenient = one_line_or(lambda: survey(path, skip_bad=True))
    if strict is not None:
        assert strict.n_events >= 1
        assert strict == lenient
        for index, block in event_blocks(path):
            assert parse_event(block, path, index).particles
    if lenient is not None:
        sound = [parse_event(block, path, index) for index, block in event_blocks(path, None, lenient.bad_events)]
        assert len(sound) == lenient.n_events - len(lenient.bad_events)


@st.composite
def damages(draw: st.DrawFn, content: bytes) -> bytes:
    """Bytes flipped, replaced or inserted; lines deleted, doubled or swapped; cut off at any byte."""
    for _ in range(draw(st.integers(1, 4))):
        kind = draw(st.sampled_from(["bytes", "delete", "double", "swap", "cut", "token"]))
        lines = content.splitlines(keepends=True)
        if kind == "cut":
            content = content[: draw(st.integers(0, len(content)))]
        elif kind in ("bytes", "token"):
            tokens = [b"nan", b"-inf", b"1e999", b"<!--", b"</", b"<event", b"<init>", b"\r", b"\0", b"9" * 5000]
            new = draw(st.sampled_from(tokens) if kind == "token" else st.binary(max_size=8))
            place = draw(st.integers(0, len(content)))
            content = content[:place] + new + content[place + draw(st.integers(0, 30)) :]
        elif lines:
            i, j = (draw(st.integers(0, len(lines) - 1)) for _ in range(2))
            if kind == "delete":
                del lines[i]
            elif kind == "double":
                lines.insert(j, lines[i])
            else:
                lines[i], lines[j] = lines[j], lines[i]
            content = b"".join(lines)
    return content


@pytest.mark.slow
@fuzz
@given(data=st.data())
def test_damaged_lhe_files(tmp_path, documents, data):
    content = data.draw(damages(data.draw(st.sampled_from(documents))))
    path = tmp_path / "fuzzed.lhe"
    path.write_bytes(content)
    read_in_every_way(path)


@settings(fuzz, max_examples=60)
@given(data=st.data())
def test_damaged_gzip_files(tmp_path, documents, data):
    packed = bytearray(gzip.compress(documents[0], mtime=0))
    place = data.draw(st.integers(2, len(packed) - 1))
    if data.draw(st.booleans()):
        packed = packed[:place]
    else:
        packed[place] ^= data.draw(st.integers(1, 255))
    path = tmp_path / "fuzzed.lhe.gz"
    path.write_bytes(bytes(packed))
    found = one_line_or(lambda: survey(path))
    assert found is None or found.n_events == 3  # a flip in gzip's own header may do no harm


WORDS = [
    "<LesHouchesEvents>",
    "<init>",
    "</init>",
    "<event>",
    "</event>",
    "<header>",
    "</LesHouchesEvents>",
    "<!--",
    "-->",
]
NUMBERS = [
    "2212 2212 6500. 6500. 0 0 0 0 3 1",
    "4 1 1. 1. 1. 1.",
    "21 -1 0 0 501 502 0. 0. 5. 5. 0. 0. 9.",
    "<a b='c'>",
]


@fuzz
@given(
    parts=st.lists(st.sampled_from(WORDS + NUMBERS) | st.text(max_size=12), max_size=30),
    glue=st.sampled_from(["\n", " ", "\r\n"]),
)
def test_random_text_of_lhe_words(tmp_path, parts, glue):
    path = tmp_path / "random.lhe"
    path.write_text(glue.join(["<LesHouchesEvents>", *parts]), encoding="utf-8", errors="replace", newline="")
    read_in_every_way(path)


# --- cards --------------------------------------------------------------------------------------------------------

MODELS = (GenerationCard, Source, View, ShowerSection, PythiaProcess, MadGraphProcess, Requirement)
KEYS = st.sampled_from(["from", *(name for model in MODELS for name in model.model_fields)])
SCALARS = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=10) | st.dates() | st.binary(max_size=5)
    | st.sampled_from(["hard_scatter", "parton_shower", "nominal", "pythia8", "madgraph", "generate p p > j j", "/"])
)  # fmt: skip
TREES = st.recursive(
    SCALARS,
    lambda children: st.lists(children, max_size=3) | st.dictionaries(KEYS | SCALARS, children, max_size=4),
    max_leaves=15,
)


def load_in_every_way(path: Path) -> None:
    for load in (load_card, load_process_card):
        one_line_or(lambda load=load: load(path))


@pytest.mark.slow
@fuzz
@given(tree=st.dictionaries(KEYS, TREES, max_size=5) | TREES)
def test_cards_of_random_structure(tmp_path, tree):
    path = tmp_path / "card.yaml"
    path.write_text(yaml.safe_dump(tree), encoding="utf-8")
    load_in_every_way(path)


def places(node: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The ways to every value in a tree."""
    children = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    return [path] * bool(path) + [place for key, child in children for place in places(child, (*path, key))]


SHIPPED = [
    yaml.safe_load(path.read_text())
    for folder in ("generate", "process", "madgraph")
    for path in sorted((REPOSITORY / "cards" / folder).glob("*.yaml"))
]


@pytest.mark.slow
@settings(fuzz, max_examples=120)
@given(data=st.data())
def test_shipped_cards_with_a_value_replaced(tmp_path, data):
    card = yaml.safe_load(yaml.safe_dump(data.draw(st.sampled_from(SHIPPED))))
    *way, last = data.draw(st.sampled_from(places(card)))
    node = card
    for key in way:
        node = node[key]
    node[last] = data.draw(TREES)
    path = tmp_path / "card.yaml"
    path.write_text(yaml.safe_dump(card), encoding="utf-8")
    load_in_every_way(path)


@fuzz
@given(
    content=st.text(alphabet="abc:-[]{},&*!|>'\"#%@` \n\t\x00\x85\ud800?0.~=", max_size=60) | st.binary(max_size=60)
)
def test_cards_of_random_text(tmp_path, content):
    path = tmp_path / "card.yaml"
    path.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8", "surrogatepass"))
    load_in_every_way(path)


HANDMADE = {
    "deep": "{a: " * 2000,
    "aliases without end": "a: &a [x, x, x, x, x, x, x, x, x, x]\n"
    + "".join(f"{b}: &{b} [{', '.join([f'*{a}'] * 10)}]\n" for a, b in pairwise("abcdefghijkl"))
    + "sources: *l\nsettings: *l\n",
    "loop": "sources: &a [*a]\nsettings: *a\n",
    "long number": f"n_events: {'9' * 5000}\n",
    "beyond floats": f"backend: madgraph\nprocess: [generate p p > j j]\nrun_card: {{ebeam1: {'9' * 400}}}\n",
    "long path": f"sources: [{{lhe: {'a' * 5000}, rows: {{25: h}}}}]\nviews: {{n: {{}}}}\n",
    "nul": 'sources: [{lhe: "a\\0b", rows: {25: h}}]\nviews: {n: {}}\n',
    "long path of cuts": "backend: madgraph\nprocess: [generate p p > j j]\nrequire: [{pdg_ids: [1]}]\n"
    f"custom_fcts: {'a' * 5000}\n",
    "blank command": "backend: madgraph\nprocess: ['  ']\n",
}


@pytest.mark.parametrize("text", HANDMADE.values(), ids=HANDMADE)
def test_cards_that_want_to_hurt(tmp_path, text):
    path = tmp_path / "card.yaml"
    path.write_text(text)
    for load in (load_card, load_process_card):
        assert one_line_or(lambda load=load: load(path)) is None
