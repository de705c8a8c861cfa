"""Toy cards, jets and rows of the trainer."""

import numpy as np
import torch

from jetssl.config.data import DataCard
from jetssl.config.encoders import (
    InteractionNetworkCard,
    LGATrCard,
    LGATrSlimCard,
    LocalFramesCard,
    OmniLearnedCard,
    ParticleNetCard,
    ParticleTransformerCard,
    ResimTransformerCard,
    Rs3lGnnCard,
    TransformerCard,
)
from jetssl.data.jets import Jets
from jetssl.data.rows import FileRecord, Rows
from resim.pairfile.places import identity_of_place

CARD = """
data: {{files: [{file}], batch_size: 16}}
encoder: {{width: 16, layers: 1, heads: 2}}
projector: {{hidden: 16, output: 8}}
training: {{epochs: 2, threads: 1}}
"""


CLASSES = ("--signal", "two_prong", "--background", "one_prong")


def make_jets(rng: np.random.Generator, counts: list[int]) -> Jets:
    """Random jets with the given numbers of constituents."""
    lengths, size = np.array(counts), sum(counts)
    charge = rng.integers(-1, 2, size)
    neutral, charged = rng.choice([22, 130, 0], size), rng.choice([11, 13, 211], size) * charge
    other = {name: rng.normal(0, 0.1, size) * (charge != 0) for name in ("d0", "dz")}
    other |= {name: rng.exponential(0.02, size) * (charge != 0) for name in ("d0_err", "dz_err")}
    pt = rng.exponential(10, size) + 0.1
    pt = np.concatenate([-np.sort(-part) for part in np.split(pt, np.cumsum(lengths)[:-1])]).astype(np.float32)
    eta = rng.uniform(-2, 2, len(counts)).astype(np.float32)
    jet_pt = np.add.reduceat(pt, np.cumsum(lengths) - lengths)
    return Jets(
        pt=pt,
        d_eta=rng.normal(0, 0.2, size).astype(np.float32),
        d_phi=rng.normal(0, 0.2, size).astype(np.float32),
        mass=np.full(size, 0.14, np.float32),
        other={"charge": charge.astype(np.int8), "pdg_id": np.where(charge == 0, neutral, charged).astype(np.int32)}
        | {name: values.astype(np.float32) for name, values in other.items()},
        counts=lengths,
        jet_pt=jet_pt,
        jet_energy=jet_pt * np.cosh(eta),
        jet_eta=eta,
        axis=eta - np.float32(0.01) * np.sign(eta),
    )


def split_by_jet(jets: Jets, values: np.ndarray) -> list[np.ndarray]:
    """Values of the constituents, `(T, ...)`, jet by jet."""
    return np.split(values, np.cumsum(jets.counts)[:-1])


PART = "encoder={name: part, width: 16, layers: 1, heads: 2, embedding: [8], pair_embedding: [8]}"


JEPA = "objective={name: jepa, predictor: {width: 8, layers: 1, heads: 2}}"
MPM = "objective={name: mpm, predictor: {width: 8, layers: 1, heads: 2}}"


ENCODER_OVERRIDES = {
    "transformer": "encoder={name: transformer, width: 16, layers: 1, heads: 2, dropout: 0.1, continuous_mask: true}",
    "part": PART,
    "particlenet": "encoder={name: particlenet, neighbours: 4, channels: [[8, 8], [16]]}",
    "rs3l_gnn": "encoder={name: rs3l_gnn, width: 16, neighbours: 4}",
    "interaction_network": "encoder={name: interaction_network}",
    "resim_transformer": "encoder={name: resim_transformer, cells: false, width: 16, heads: 2}",
    "lgatr": "encoder={name: lgatr, width: 16, layers: 1, heads: 2, multivectors: 4, scalars: 8}",
    "lgatr_slim": "encoder={name: lgatr_slim, width: 16, layers: 1, heads: 2, vectors: 4, scalars: 8, pool: mean}",
    "lloca_part": PART.replace("part", "lloca_part", 1).replace("}", ", vectors: 1, frame_hidden: [8]}"),
}


def forget_the_end(run):
    """As if the disk had been full when the last line of the provenance was written."""
    provenance = run.load_provenance().model_copy(update={"finished": None})
    run.provenance.write_text(provenance.model_dump_json())


def make_rows(*sizes, seed=3):
    """Files that hold runs of rows of one source each: `make_rows((30, 20), (50,))` are two files, three sources."""
    rng = np.random.default_rng(seed)
    runs = [size for file in sizes for size in file]
    total = sum(runs)
    source = np.repeat(np.arange(len(runs)), runs)
    event = np.concatenate([np.arange(size) for size in runs])
    sources = tuple(f"{i:064x}" for i in range(len(runs)))
    return Rows(
        views=("nominal", "seed"),
        sources=sources,
        classes=tuple(f"class{i}" for i in range(len(runs))),
        source=source,
        event=event,
        identity=identity_of_place(sources, source, event),
        class_index=source.astype(np.int16),
        parton_pt=(300 + rng.exponential(50 * (1 + source), total)).astype(np.float32),
        parton_eta=rng.uniform(-2.5, 2.5, total).astype(np.float32),
        weight=np.ones(total),
        valid=np.ones((2, total), bool),
        files=tuple(FileRecord(f"{i}.h5", "", sum(file), {}, ()) for i, file in enumerate(sizes)),
    )


def one_jet(table, view, row):
    """A jet from the table, slowly and in double precision: pT, delta eta, delta phi, mass of its constituents."""
    start = table.starts[view, row]
    inside = slice(start, start + table.counts[view, row])
    flat = table.constituents
    pt, eta, phi, energy = (column[inside].astype(float) for column in (flat.pt, flat.eta, flat.phi, flat.energy))
    jets = table.jets
    pt_jet, eta_jet, phi_jet, mass_jet = (float(x[view, row]) for x in (jets.pt, jets.eta, jets.phi, jets.mass))
    p_z, energy_jet = pt_jet * np.sinh(eta_jet), np.sqrt((pt_jet * np.cosh(eta_jet)) ** 2 + mass_jet**2)
    rapidity = 0.5 * np.log((energy_jet + p_z) / (energy_jet - p_z))
    mass = np.sqrt(np.maximum(energy**2 - (pt * np.cosh(eta)) ** 2, 0))
    return pt, eta - rapidity, (phi - phi_jet + np.pi) % (2 * np.pi) - np.pi, mass


ENCODER_CARDS = {
    "transformer": TransformerCard(width=16, layers=2, heads=2),
    "continuous": TransformerCard(width=16, layers=2, heads=2, continuous_mask=True),
    "part": ParticleTransformerCard(width=16, layers=2, heads=2, embedding=(8,), pair_embedding=(8,)),
    "particlenet": ParticleNetCard(neighbours=4, channels=((8, 8), (16, 16))),
    "padded": ParticleNetCard(neighbours=4, channels=((8, 8), (16, 16)), missing_neighbours="padded"),
    "rs3l_gnn": Rs3lGnnCard(width=16, neighbours=4),
    "interaction_network": InteractionNetworkCard(),
    "resim_transformer": ResimTransformerCard(cells=False, width=16, heads=2),
    "lgatr": LGATrCard(width=16, layers=1, heads=2, multivectors=4, scalars=8),
    "lgatr_mean": LGATrCard(
        width=16, layers=1, heads=2, multivectors=4, scalars=8, pool="mean", beam="lightlike", jet_energy=500
    ),
    "lgatr_slim": LGATrSlimCard(width=16, layers=2, heads=2, vectors=4, scalars=8),
    "lloca_part": LocalFramesCard(
        width=16, layers=2, heads=2, embedding=(8,), pair_embedding=(8,), vectors=1, frame_hidden=(8,)
    ),
    "omnilearned": OmniLearnedCard(
        width=8,
        layers=2,
        class_layers=1,
        tokens=2,
        heads=2,
        neighbours=4,
        interactions=False,
        local_interactions=True,
    ),
}


def toy_data(encoder, *, normalize=False):
    """Section `data` for one of `ENCODER_CARDS`; OmniLearned's reads its own features, as they are."""
    own = encoder == "omnilearned"
    features = "omnilearned" if own else "relative"
    return DataCard(files=("none",), features=features, normalize=normalize and not own)


WITHOUT_EFFECT = {
    "part": {f"pair_embed.embed.{layer}.bias" for layer in (0, 1, 4, 5)},
    "lloca_part": {f"pair_embed.embed.{layer}.bias" for layer in (0, 1, 4, 5)},
    "particlenet": {"input_norm.bias"},
    "lgatr": {"linear_in.mvs2s.weight"},
    "lgatr_mean": {"linear_in.mvs2s.weight"},
}
"""Offsets of the published networks that the next batch norm, or the softmax, takes away again; and what `lgatr` would
make of the scalar part of multivectors, which momenta and spurions have not."""


def normal(*shape, seed=1):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))
