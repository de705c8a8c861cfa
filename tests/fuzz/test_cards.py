"""Mutants of cards and overrides: a card, or one line; nothing is simulated or trained."""

import random
import re
from pathlib import Path

import pytest
import yaml

from jetssl.config.card import load_card as load_train
from resim.card.generation_card import load_card
from resim.card.pythia_settings import read_cmnd
from resim.detector.cells.cell_detector import CellDetector
from resim.detector.detector import Detector
from resim.formats.mapping_card import mapping_card
from resim.hard_scatter.process_card import load_process_card
from resim.pairfile.mock import write_mock
from tests.helpers.chain import REPOSITORY
from tests.helpers.mutants import INPUTS, KINDS, SEED, TOKENS, Kind, mutant, refused
from tests.helpers.particles import gun

pytestmark = pytest.mark.mutants
CARDS = REPOSITORY / "cards"
WORDS = (
    b"from:",
    b"freeze:",
    b"views:",
    b"<<: *a",
    b"hard_scatter",
    b"parton_shower",
    b"pythia8",
    b"herwig7",
    b"none",
)


def texts(pattern: str, root: Path = CARDS) -> list[bytes]:
    return [path.read_bytes() for path in sorted(root.glob(pattern))]


def both(kind: Kind, sound: list[bytes], folder: Path) -> None:
    accepted, refusals = kind.try_all(sound, folder)
    assert accepted
    assert refusals


def test_generation_cards(tmp_path, monkeypatch):
    monkeypatch.chdir(REPOSITORY)
    both(Kind("generation card", ".yaml", (load_card,), WORDS), texts("generate/*.yaml"), tmp_path)


def test_process_cards(tmp_path, monkeypatch):
    monkeypatch.chdir(REPOSITORY)
    kind = Kind("process card", ".yaml", (load_process_card,), (b"import model x", b"! ls", b"generate p p > j j"))
    both(kind, [*texts("process/*.yaml"), *texts("madgraph/*.yaml")], tmp_path)


def test_mapping_cards(tmp_path):
    words = (b"px:", b"mirrored: true", b"unit: MeV", b"X[99999999]", b"flags:", b"pandas")
    both(
        Kind("mapping card", ".yaml", (lambda path: mapping_card(None, path).arrays,), words),
        texts("import/*.yaml"),
        tmp_path,
    )


def test_training_cards(tmp_path):
    write_mock(tmp_path / "pairs.h5", 20, ("nominal", "seed"))
    cards = [yaml.safe_load(text) for text in texts("train/*.yaml")]
    sound = [
        yaml.safe_dump(card | {"data": card["data"] | {"files": ["pairs.h5"]}}).encode()
        for card in cards
        if "data" in card
    ]
    both(Kind("training card", ".yaml", (load_train,), WORDS), sound, tmp_path)


OVERRIDES = [
    b"training.epochs=3", b"data.batch_size=64", b"encoder={name: part, width: 64}", b"views.pairs=[[nominal, any]]",
    b"projector.hidden=[64, 64]", b"training.seed=1", b"objective.name=vicreg", b"data.bins={pt: 4}",
]  # fmt: skip


def test_overrides(tmp_path):
    """`key=value`: a mutant of one or of two."""
    write_mock(tmp_path / "pairs.h5", 20, ("nominal", "seed"))
    card = tmp_path / "card.yaml"
    card.write_text("data: {files: [pairs.h5]}\n")
    for number in range(INPUTS // KINDS):
        text = mutant(OVERRIDES, "override", number).decode("utf-8", "surrogateescape")
        draw = random.Random(f"more {SEED} {number}")
        more = [draw.choice(OVERRIDES).decode()] if draw.random() < 0.5 else []
        refused(lambda words=[text, *more]: load_train(card, words))


def test_pythia_cards(tmp_path):
    kind = Kind(
        "pythia card", ".cmnd", (read_cmnd,), (b"Init:plugins = {a::b}", b"include = /etc/passwd", b"/*", b"*/")
    )
    both(kind, texts("pythia/*.cmnd"), tmp_path)


@pytest.mark.slow
def test_tcl_cards(tmp_path):
    words = (b"[expr 1/0]", b"[source x]", b"for {} {1} {} {}", b"{*}$x", b"lappend", b"exec", b"module A b {", b"; ")
    kind = Kind("tcl card", ".tcl", (Detector.from_card,), words)
    both(kind, [(CARDS / "delphes/ideal.tcl").read_bytes(), (CARDS / "delphes/cms.tcl").read_bytes()], tmp_path)


def test_calorimeter_cards(tmp_path, coarse_card):
    kind = Kind("calorimeter card", ".yaml", (measure,), (b"1e-50", b"1e300", b"energy / 0", b"interaction_length"))
    _, refusals = kind.try_all([coarse_card], tmp_path)
    assert refusals


@pytest.mark.slow
def test_every_number_of_a_calorimeter_card(tmp_path, coarse_card):
    """Too small, too large, and such as a person may write: refused, or a pion is measured."""
    path, refusals = tmp_path / "card.yaml", []
    for number in re.finditer(rb"(?<=[ -])[\d.]+(?=\n)", coarse_card):
        for value in (b"1e-50", b"0.001", b"3", b"1e300"):
            path.write_bytes(coarse_card[: number.start()] + value + coarse_card[number.end() :])
            refusals.append(refused(lambda: measure(path)))
    assert "" in refusals
    assert any(refusals)


def measure(path: Path) -> None:
    """Read a calorimeter card, and run it once."""
    CellDetector.from_card(path).read_out(gun(211, [5.0], [0.3]), [1])


@pytest.fixture(scope="module")
def coarse_card(tmp_path_factory) -> bytes:
    card = yaml.safe_load((CARDS / "calorimeter/cocoa.yaml").read_text())
    for section in card["sections"]:
        for layer in section["layers"]:
            layer["cells"] //= 8
    path = tmp_path_factory.mktemp("sound") / "coarse.yaml"
    path.write_text(yaml.safe_dump(card))
    measure(path)  # compiled before the time is limited
    return path.read_bytes()


def test_mutants_are_a_function_of_kind_seed_and_number():
    assert mutant(OVERRIDES, "override", 3) == mutant(OVERRIDES, "override", 3)
    assert len({mutant(OVERRIDES, "override", number) for number in range(50)}) > 40
    assert len(set(TOKENS)) == len(TOKENS)
