"""Calorimeter cards: the shipped one, and what is refused."""

from pathlib import Path

import pytest
import yaml

from resim.card.calorimeter_card import is_calorimeter_card, read_calorimeter
from resim.common.errors import InputError
from tests.helpers.chain import REPOSITORY

COCOA = REPOSITORY / "cards/calorimeter/cocoa.yaml"


def changed(folder: Path, *keys: str | int, value: object) -> Path:
    """The shipped card with another value."""
    card = yaml.safe_load(COCOA.read_text())
    place = card
    for key in keys[:-1]:
        place = place[key]
    place[keys[-1]] = value
    path = folder / "calorimeter.yaml"
    path.write_text(yaml.safe_dump(card))
    return path


def test_the_shipped_card_has_the_geometry_of_cocoa():
    """arXiv:2303.02101 and the default configuration of the program."""
    card = read_calorimeter(COCOA)
    assert [layer.cells for layer in card.layers] == [256, 256, 128, 64, 64, 32]
    assert [layer.depth for layer in card.layers] == [4, 16, 2, 1.5, 4.1, 1.8]
    assert [layer.noise for layer in card.layers] == [0.013, 0.034, 0.041, 0.075, 0.050, 0.025]
    assert (card.radius, card.abs_eta_barrel, card.abs_eta_max, card.tracker.field) == (1500, 1.5, 3.0, 3.8)
    assert (card.clusters.seed, card.clusters.growth, card.clusters.boundary) == (4.6, 2.0, 0.0)


@pytest.mark.parametrize(("name", "cells", "noise"), [("cocoa_coarse", 0.5, 2), ("cocoa_noisy", 1, 2)])
def test_variants_differ_in_what_their_name_says(name, cells, noise):
    """Four cells that are read as one have twice the noise of one."""
    card, variant = (read_calorimeter(COCOA.with_stem(stem)) for stem in ("cocoa", name))
    assert [layer.cells for layer in variant.layers] == [cells * layer.cells for layer in card.layers]
    assert [layer.noise for layer in variant.layers] == pytest.approx([noise * layer.noise for layer in card.layers])
    assert {name for name, value in card if value != getattr(variant, name)} == {"sections", "flow", "cocoa"}
    for section, other in zip(card.sections, variant.sections, strict=True):
        layers = tuple(layer.model_copy(update={"cells": c.cells, "noise": c.noise})
                       for layer, c in zip(other.layers, section.layers, strict=True))  # fmt: skip
        assert other.model_copy(update={"layers": layers}) == section


@pytest.mark.parametrize(
    ("keys", "value", "message"),
    [
        (("abs_eta_max",), 1.5, "abs_eta_barrel: want less than abs_eta_max 1.5"),
        (("sections", 0, "mixture"), {"gold": 1}, "material 'gold' is not among materials: iron, lead, liquid_argon"),
        (("sections", 1, "in_front", "material"), "tin", "material 'tin' is not among materials"),
        (("clusters", "seed"), 1.0, "want seed >= growth >= boundary, not 1, 2, 0"),
        (("sections", 0, "layers", 0, "cells"), 2048, "4285440 cells, want 4000000 at most"),
        (("sections", 0, "unit"), "cm", "sections.0.unit: 'cm'"),
        (
            ("sections", 0, "sampling"),
            1e-6,
            "sections.0.sampling: 1e-06: Input should be greater than or equal to 0.01",
        ),
        (
            ("sections", 0, "layers", 0, "noise"),
            1e-50,
            "noise: 1e-50: Input should be greater than or equal to 0.000001",
        ),
        (("radius",), 1e300, "radius: 1e+300: Input should be less than or equal to 100000"),
        (("abs_eta_max",), 800, "abs_eta_max: 800: Input should be less than or equal to 6"),
        (("depth",), 3, "unknown key depth; valid keys here: radius,"),
    ],
)
def test_a_wrong_card_is_refused(tmp_path, keys, value, message):
    with pytest.raises(InputError, match=r"calorimeter\.yaml: ") as caught:
        read_calorimeter(changed(tmp_path, *keys, value=value))
    assert message in str(caught.value)


def test_the_suffix_tells_the_kinds_of_cards_apart():
    assert is_calorimeter_card(COCOA)
    assert not is_calorimeter_card(Path("cards/delphes/cms.tcl"))
