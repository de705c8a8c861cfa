"""Lorentz symmetry of L-GATr and L-GATr-slim, and what of it each spurion leaves."""

import sys

import lgatr.primitives.compile as constants
import pytest
import torch

from jetssl.config.encoders import LGATrCard, LGATrSlimCard
from jetssl.models.builder import ENCODERS
from resim.common.errors import InputError
from tests.helpers.lorentz import BROKEN, MOVES, any_move, pions, shift

F = 6
EXACT = {"rtol": 1e-8, "atol": 1e-8}
"""Of a symmetry in double precision, after two blocks and boosts of rapidity 0.7."""
SINGLE = {"rtol": 0, "atol": 1e-3}
"""In single precision, of vectors of order 1: masses are differences of energies a hundred times as large."""

SMALL = {"width": 8, "layers": 2, "heads": 2, "scalars": 8}
OFF = {"beam": None, "time": False}
CARDS = {
    "lgatr": LGATrCard(**SMALL, **OFF, multivectors=4),
    "lgatr_mean": LGATrCard(**SMALL, **OFF, multivectors=4, pool="mean"),
    "lgatr_slim": LGATrSlimCard(**SMALL, **OFF, vectors=4),
    "lgatr_slim_mean": LGATrSlimCard(**SMALL, **OFF, vectors=4, pool="mean"),
}


@pytest.fixture(scope="module")
def jets():
    return pions([7, 3, 1, 9, 6] * 6)


def built(card):
    torch.manual_seed(1)
    return ENCODERS[card.name](F, card).double().eval()


@pytest.mark.parametrize("name", list(CARDS))
def test_without_spurions_no_boost_or_rotation_matters(name, jets):
    encoder, move = built(CARDS[name]), any_move()
    moved = jets._replace(momenta=jets.momenta @ move.T)
    with torch.no_grad():
        before, after = encoder(*jets[:3]), encoder(*moved[:3])
        torch.testing.assert_close(after.jet, before.jet, **EXACT)
        torch.testing.assert_close(after.tokens, before.tokens, **EXACT)
        encoder.float()
        before, after = (encoder(x.features.float(), x.momenta.float(), x.mask).jet for x in (jets, moved))
    assert before.abs().max() < 10
    torch.testing.assert_close(after, before, **SINGLE)
    assert before.std(0).min() > 10 * SINGLE["atol"]


@pytest.mark.parametrize(
    ("name", "beam", "time", "kept"),
    [
        ("lgatr", None, True, ("rotation about the beam", "rotation about the jet")),
        ("lgatr", "plane", False, ("boost along the beam", "rotation about the beam")),
        ("lgatr", "plane", True, ("rotation about the beam",)),
        ("lgatr", "lightlike", False, ("rotation about the beam",)),
        ("lgatr_slim", None, True, ("rotation about the beam", "rotation about the jet")),
        ("lgatr_slim", "lightlike", False, ("rotation about the beam",)),
        ("lgatr_slim", "lightlike", True, ("rotation about the beam",)),
    ],
)
def test_spurions_break_what_they_should(name, beam, time, kept, jets):
    encoder = built(CARDS[name].model_copy(update={"beam": beam, "time": time}))
    shifts = {what: shift(encoder, jets, move) for what, move in MOVES.items()}
    assert {what for what, size in shifts.items() if size < EXACT["atol"]} == set(kept)
    assert all(size > BROKEN for what, size in shifts.items() if what not in kept), shifts


@pytest.mark.parametrize("name", list(CARDS))
def test_a_common_scale_is_hidden_on_request(name, jets):
    scale = 3 * torch.eye(4, dtype=torch.float64)
    seen, hidden = (CARDS[name].model_copy(update={"time": True, "jet_energy": energy}) for energy in (None, 500))
    assert shift(built(seen), jets, scale) > BROKEN
    assert shift(built(hidden), jets, scale) < EXACT["atol"]


def test_units_are_those_of_the_card(jets):
    """In units twice as large, momenta twice as large are the same."""
    card = CARDS["lgatr_slim"]
    twice = built(card.model_copy(update={"unit": 2 * card.unit}))
    with torch.no_grad():
        torch.testing.assert_close(
            twice(jets.features, 2 * jets.momenta, jets.mask).jet, built(card)(*jets[:3]).jet, **EXACT
        )


def test_learns_after_it_was_only_evaluated(jets):
    """`lgatr` keeps constants for the process; made in inference mode, they could not be part of a gradient."""
    for function in vars(constants).values():
        if hasattr(function, "cache_clear"):
            function.cache_clear()
    encoder = ENCODERS["lgatr"](F, CARDS["lgatr"])
    single = jets.features.float(), jets.momenta.float(), jets.mask
    with torch.inference_mode():
        encoder(*single)
    encoder(*single).jet.sum().backward()
    assert all(torch.isfinite(p.grad).all() for p in encoder.parameters())


@pytest.mark.parametrize("name", ["lgatr", "lgatr_slim"])
def test_first_built_without_memory(name, monkeypatch):
    """A training measures its network on `meta` first; constants that `lgatr` makes when imported stay on the CPU."""
    for module in [module for module in sys.modules if module.split(".")[0] == "lgatr"]:
        monkeypatch.delitem(sys.modules, module)
    with torch.device("meta"):
        encoder = ENCODERS[name](F, CARDS[name].model_copy(update={"time": True}))
    assert {tensor.device.type for tensor in (*encoder.parameters(), *encoder.buffers())} == {"meta"}
    jet = ENCODERS[name](F, CARDS[name])(torch.ones(1, 2, F), torch.ones(1, 2, 4), torch.ones(1, 2, dtype=bool)).jet
    assert torch.isfinite(jet).all()


@pytest.mark.parametrize("name", ["lgatr", "lgatr_slim"])
def test_without_the_package(name, monkeypatch):
    monkeypatch.setitem(sys.modules, "lgatr", None)
    with pytest.raises(InputError, match=rf"encoder {name} needs lgatr; install the extra `equivariant`"):
        ENCODERS[name](F, CARDS[name])
