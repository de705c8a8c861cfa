"""Lorentz symmetry of the Particle Transformer in local frames, and the package of its authors."""

from dataclasses import replace
from functools import partial

import numpy as np
import pytest
import torch

from jetssl.config.encoders import LocalFramesCard
from jetssl.data.ragged import Ragged
from jetssl.data.tensors import to_tensors
from jetssl.models.builder import ENCODERS
from jetssl.models.lloca import FrameNetwork, LocalAttention, LocalFramesTransformer
from tests.helpers.lorentz import BROKEN, MOVES, any_move, pions, shift
from tests.helpers.toys import make_jets, normal

F = 6
EXACT = {"rtol": 1e-8, "atol": 1e-8}
"""Of a symmetry in double precision, after two blocks and boosts of rapidity 0.7."""
SINGLE = {"rtol": 0, "atol": 1e-2}
"""In single precision, of vectors of order 1: momenta are rounded, and frames are made of masses."""
COUNTS = [7, 3, 1, 9, 6, 2, 4] * 5
"""One, two and three constituents define no frame, or not all of it."""
CARD = LocalFramesCard(
    **{"width": 16, "layers": 2, "heads": 2, "embedding": (8,), "pair_embedding": (8,), "frame_hidden": (8,)},
    **{"vectors": 1, "beam": None, "time": False, "dropout": 0.0},
)


QUIET = pytest.mark.filterwarnings("ignore:.torch.jit:DeprecationWarning")
"""torch-geometric, which `lloca` imports, uses what torch will drop."""


@pytest.fixture(scope="module")
def jets():
    return pions(COUNTS)


def built(**changes):
    torch.manual_seed(1)
    return ENCODERS["lloca_part"](F, CARD.model_copy(update=changes)).double().eval()


@pytest.mark.parametrize("changes", [{}, {"vectors": 0}], ids=["vectors", "scalars"])
def test_without_spurions_no_boost_or_rotation_matters(changes, jets):
    encoder, moved = built(**changes), jets._replace(momenta=jets.momenta @ any_move().T)
    with torch.no_grad():
        before, after = encoder(*jets[:3]), encoder(*moved[:3])
        torch.testing.assert_close(after.jet, before.jet, **EXACT)
        torch.testing.assert_close(after.tokens, before.tokens, **EXACT)
        encoder.float()
        before, after = (encoder(x.features.float(), x.momenta.float(), x.mask).jet for x in (jets, moved))
    torch.testing.assert_close(after, before, **SINGLE)
    assert before.std(0).min() > 10 * SINGLE["atol"]


@pytest.mark.parametrize(
    ("beam", "time", "kept"),
    [
        (None, True, ("rotation about the beam", "rotation about the jet")),
        ("lightlike", False, ("rotation about the beam",)),
        ("lightlike", True, ("rotation about the beam",)),
    ],
)
def test_spurions_break_what_they_should(beam, time, kept, jets):
    encoder = built(beam=beam, time=time)
    shifts = {what: shift(encoder, jets, move) for what, move in MOVES.items()}
    assert {what for what, size in shifts.items() if size < EXACT["atol"]} == set(kept)
    assert all(size > BROKEN for what, size in shifts.items() if what not in kept), shifts


def test_a_common_scale_is_hidden_on_request(jets):
    scale = 3 * torch.eye(4, dtype=torch.float64)
    assert shift(built(), jets, scale) > BROKEN
    assert shift(built(time=True, jet_energy=500), jets, scale) < EXACT["atol"]


def test_vectors_are_exchanged(jets):
    """With the frames of vectors left alone, the result is another; so it is for each part of the network."""
    encoder = built(vectors=2)
    with torch.no_grad():
        before = encoder(*jets[:3]).jet
        for block in encoder.blocks:
            block.attn.n_scalars = CARD.width // CARD.heads
        assert (encoder(*jets[:3]).jet - before).abs().max() > BROKEN


def test_layers_of_the_frames_learn_as_those_of_the_embedding():
    depths = LocalFramesTransformer(F, CARD).depths()
    assert depths["embed.frames.rest.1.weight"] == depths["embed.embed.0.weight"] == CARD.layers + 1


@pytest.mark.parametrize("mass", [0.0, 0.14])
def test_the_last_bit_of_an_energy_decides_nothing(mass):
    """Jets of one constituent, 1 to 2,000 GeV in single precision; the mass of a photon is noise there.

    With it as rest frame, a bit moved vectors by twice their size.
    """
    rng, n = np.random.default_rng(3), 300
    jets = replace(make_jets(rng, [1] * n), mass=np.full(n, mass, np.float32))
    batch = to_tensors(replace(jets, pt=np.exp(rng.uniform(0, 7.6, n)).astype(np.float32)), "scalars")
    encoder = built(beam="lightlike", time=True).float()
    energy, momentum = batch.momenta[..., :1], batch.momenta[..., 1:]
    ends = (torch.tensor(0.0), torch.tensor(torch.inf))
    with torch.no_grad():
        below, above = (
            encoder(batch.features, torch.cat([energy.nextafter(end), momentum], 2), batch.mask).jet for end in ends
        )
    assert below.std(0).min() > 0.1
    assert (below - above).abs().max() < 0.05


@pytest.mark.slow
@QUIET
def test_frames_are_those_of_the_package():
    """`lloca` with the same weights; spurions are further particles there, with scalars of their own."""
    from lloca import LearnedPDFrames, MLPVectors

    jets, n = pions([6] * 5), 6
    ours = FrameNetwork(F, CARD.model_copy(update={"beam": "lightlike", "time": True})).double()
    network = partial(MLPVectors, num_scalars=F, hidden_channels=8, num_layers_mlp=1)
    theirs = LearnedPDFrames(network).double()
    scalars_of_spurions = normal(3, F, seed=2).double()
    with torch.no_grad():
        block = theirs.equivectors.block
        block.edge_inited.fill_(True)
        block.edge_std.fill_(2.2)
        first, last = block.mlp.mlp[0], block.mlp.mlp[2]
        first.weight.copy_(torch.cat([ours.receiver.weight, ours.sender.weight, ours.mass.weight], dim=1))
        first.bias.copy_(ours.receiver.bias)
        last.weight.copy_(ours.rest[1].weight)
        last.bias.zero_()
        ours.reference.copy_(scalars_of_spurions @ ours.sender.weight.T)
        frames = [frames_of_jet(ours, jets.features[i], jets.momenta[i]) for i in range(5)]
        for i, found in enumerate(frames):
            momenta = torch.cat([jets.momenta[i], ours.spurions])
            scalars = torch.cat([jets.features[i], scalars_of_spurions])
            expected = theirs(momenta, scalars).matrices[:n]
            torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-5)


def frames_of_jet(network, scalars, momenta):
    """Frames `(n, 4, 4)` in the frame of the momenta, from what the network computes in the rest frame of the jet."""
    from jetssl.models.minkowski import local_frames

    valid = torch.ones(1, len(momenta), dtype=torch.bool)
    return local_frames(network.vectors(momenta[None], scalars[None], network.spurions[None], valid))[0]


@pytest.mark.slow
@QUIET
def test_attention_is_that_of_the_package():
    from lloca.backbone.attention import LLoCaAttention
    from lloca.framesnet.frames import Frames

    jets, ours = pions([6] * 5), FrameNetwork(F, CARD).double()
    ragged = Ragged.of(jets.mask)
    (bucket,) = ragged.buckets
    rows = torch.cat([ragged.flatten(jets.momenta), ragged.flatten(jets.features)], dim=1)
    attention = LocalAttention(16, 2, 0.0, vectors=1).double()
    values = normal(len(rows), 16, seed=3).double()
    with torch.no_grad():
        scaled = ours(rows, bucket)[1]
        bias = torch.zeros(5, 2, 6, 6, dtype=torch.float64)
        found = attention.exchange(values, bucket, bias, scaled, torch.ones(16).double())
        theirs = LLoCaAttention("4x0n+1x1n", 2, variance_eps=0.0).double()
        momenta = ragged.flatten(jets.momenta).view(5, 6, 4)
        frames = torch.stack(
            [frames_of_jet(ours, ragged.flatten(jets.features).view(5, 6, F)[i], momenta[i]) for i in range(5)]
        )
        theirs.prepare_frames(Frames(frames), p_ref=momenta.sum(1))
        query, key, value = attention._heads(bucket, attention.in_proj(values))
        mixed = theirs(query, key, value).transpose(1, 2).flatten(2)
        torch.testing.assert_close(found, attention.out_proj(bucket.flatten(mixed)), rtol=1e-6, atol=1e-6)
