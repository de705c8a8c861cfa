"""Directions are smeared as the formulas say, and nothing else is."""

from pathlib import Path

import numpy as np
import pytest

from resim.detector.angular_smearing import AngularSmearing
from resim.detector.card import CardModule
from resim.detector.objects import Objects
from resim.detector.random import Stream


def smeared(tracks: Objects, **formulas: str) -> Objects:
    parameters = {f"{name}ResolutionFormula": formula for name, formula in formulas.items()}
    module = AngularSmearing.from_card(CardModule(Path("c.tcl"), "AngularSmearing", "A", 1, parameters, {}))
    assert module.inputs == ("ParticlePropagator/stableParticles",)
    (found,) = module.run(tracks, stream=Stream.of(np.zeros(1, np.uint64), "A"))
    return found


def tracks(n: int) -> Objects:
    eta, phi = np.linspace(-2, 2, n), np.linspace(-3, 3, n)
    made = Objects.of(
        event=np.zeros(n, np.int64), item=np.arange(n), mass=np.full(n, 0.14), charge=np.ones(n),
        slope=np.sinh(eta), ux=np.cos(phi), uy=np.sin(phi), d0=np.ones(n), outer_eta=eta + 1,
    )  # fmt: skip
    return made.with_pt(np.linspace(1, 5, n))


def test_shifts_have_the_spread_of_the_formulas():
    before = tracks(4000)
    after = smeared(before, Eta="0.01*(pt <= 3) + 0.03*(pt > 3)", Phi="0.002 + 0*energy")
    soft = before.pt <= 3
    for chosen, sigma in ((soft, 0.01), (~soft, 0.03)):
        shift = (after.eta - before.eta)[chosen]
        assert shift.mean() == pytest.approx(0, abs=4 * sigma / np.sqrt(len(shift)))
        assert shift.std() == pytest.approx(sigma, rel=4 / np.sqrt(2 * len(shift)))
    assert (after.phi - before.phi).std() == pytest.approx(0.002, rel=4 / np.sqrt(8000))
    for column in ("pt", "mass", "d0", "outer_eta", "item"):
        assert np.array_equal(getattr(after, column), getattr(before, column)), column
    assert after.energy == pytest.approx(np.sqrt((after.pt * np.cosh(after.eta)) ** 2 + 0.14**2))


def test_the_resolution_of_phi_is_that_at_the_smeared_eta():
    """A resolution in phi below the generated eta alone: only tracks that came out below have one."""
    before = tracks(500)
    after = smeared(before, Eta="1", Phi="0.1*(eta < 0)")
    turned = np.abs(after.phi - before.phi) > 1e-9
    assert np.array_equal(turned, after.eta < 0)


def test_without_formulas_nothing_moves_and_without_momentum_nothing_is_left():
    before = tracks(5)
    assert smeared(before).eta == pytest.approx(before.eta)
    assert len(smeared(before.with_pt(np.array([0.0, 1, 0, 1, 1])))) == 3
