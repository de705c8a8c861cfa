"""Constants of mixtures against numbers worked out by hand, and the slabs of the shipped card."""

import numpy as np
import pytest

from resim.card.calorimeter_card import Material
from resim.detector.cells.media import Medium

LEAD = Material(
    z=82,
    density=11.35,
    radiation_length=6.37,
    interaction_length=199.6,
    critical_energy=7.43,
    minimum_ionization=1.122,
)


def test_a_pure_material_keeps_its_constants():
    """PDG: lead has X0 = 5.612 mm, a Moliere radius of 16.02 mm and lambda = 17.59 cm."""
    lead = Medium.mixed({"lead": LEAD}, {"lead": 3.0})
    assert lead.radiation_length == pytest.approx(5.612, rel=1e-3)
    assert lead.moliere_radius == pytest.approx(16.02, rel=1e-3)
    assert lead.interaction_length == pytest.approx(175.9, rel=1e-3)
    assert (lead.z, lead.critical_energy) == (82, pytest.approx(7.43e-3))
    assert lead.ionization == pytest.approx(12.74e-4, rel=1e-3)


def test_a_mixture_of_a_material_with_itself_is_the_material():
    names = {"a": LEAD, "b": LEAD}
    half, whole = Medium.mixed(names, {"a": 1, "b": 3}), Medium.mixed(names, {"a": 1})
    for name in Medium.__slots__:
        assert getattr(half, name) == pytest.approx(getattr(whole, name))


def test_the_slabs_of_the_shipped_card(cocoa):
    stack = cocoa.stack
    assert stack.layer.tolist() == [0, 1, 2, -1, 3, 4, 5]
    assert stack.section.tolist() == [0, 0, 0, 1, 1, 1, 1]
    assert stack.x0_edges[:4] == pytest.approx([0, 4, 20, 22])
    assert np.diff(stack.lambda_edges)[4:] == pytest.approx([1.5, 4.1, 1.8])
    assert stack.edges[4] - stack.edges[3] == pytest.approx(80)
