"""Energy Flow Polynomials (arXiv:1712.07124): sums over constituents of products of pT shares and angles.

A polynomial belongs to a multigraph without loops: a vertex is a sum over constituents with the pT share as its
weight, an edge the angle between two of them (eq. 8). Its degree is the number of edges. Those of graphs of several
parts are products, and all up to some degree are a linear basis of infrared- and collinear-safe observables.

Letters: B jets, N constituents, G graphs.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from functools import cache
from itertools import accumulate, combinations, permutations

import numpy as np
import torch

from jetssl.data.jets import constituents_of, gather_jets
from jetssl.data.table import PairTable
from jetssl.data.tensors import pad
from resim.common.arrays import Floats32, Integers

DEGREE = 5
"""Largest number of edges."""
BETA = 1.0
"""Power of the distance in (eta, phi) that is the angle."""
BATCH_SIZE = 32
"""Jets at once: the matrices of more leave the cache."""
Graph = tuple[tuple[int, int], ...]
"""Edges, sorted; vertices are 0, 1 …"""


@cache
def connected_graphs(degree: int) -> tuple[Graph, ...]:
    """All connected multigraphs of so many edges, none twice: 1, 2, 5, 12, 33 for 1 to 5 edges."""
    if degree == 1:
        return (((0, 1),),)
    found: dict[Graph, None] = {}
    for graph in connected_graphs(degree - 1):
        n_vertices = 1 + max(map(max, graph))
        for edge in combinations(range(n_vertices + 1), 2):
            # A vertex more is joined to the others by this edge, as the pairs with its number are.
            found[_canonical((*graph, edge))] = None
    return tuple(found)


def _canonical(graph: Graph) -> Graph:
    """The smallest of all ways to number the vertices."""
    n_vertices = 1 + max(map(max, graph))
    return min(
        tuple(sorted((min(order[a], order[b]), max(order[a], order[b])) for a, b in graph))
        for order in permutations(range(n_vertices))
    )


@cache
def products(degree: int) -> tuple[tuple[Graph, ...], ...]:
    """Connected parts of every multigraph of 1 to so many edges: 101 for 5."""
    parts = [graph for edges in range(1, degree + 1) for graph in connected_graphs(edges)]

    def chosen(first: int, left: int) -> Iterator[tuple[Graph, ...]]:
        for place in range(first, len(parts)):
            if len(parts[place]) <= left:
                yield (parts[place],)
                yield from ((parts[place], *others) for others in chosen(place, left - len(parts[place])))

    return tuple(chosen(0, degree))


def polynomial(graph: Graph, share: torch.Tensor, powers: Sequence[torch.Tensor]) -> torch.Tensor:
    """The polynomial of a connected graph, `(B,)`, by summing over one vertex after the other.

    A graph of at most five edges always has a vertex with one or two neighbours, so nothing is larger than a matrix.

    Args:
        graph: its edges, each with the lower vertex first.
        share: share of the jet's pT, `(B, N)`, 0 for padding.
        powers: of the angle between constituents, from the first on, each `(B, N, N)`.
    """
    edges = {pair: powers[power - 1] for pair, power in Counter(graph).items()}
    weights = {vertex: share for pair in edges for vertex in pair}
    while edges:
        vertex = min(sorted(weights), key=lambda each: sum(each in pair for pair in edges))
        weight = weights.pop(vertex)
        around = [_from(vertex, pair, edges.pop(pair)) for pair in sorted(edges) if vertex in pair]
        if len(around) == 1:
            ((other, matrix),) = around
            weights[other] = weights[other] * torch.einsum("bj,bji->bi", weight, matrix)
        else:
            (one, left), (other, right) = sorted(around, key=lambda found: found[0])
            joined = torch.bmm((left * weight[:, :, None]).mT, right)
            edges[one, other] = edges[one, other] * joined if (one, other) in edges else joined
    (last,) = weights.values()
    return last.sum(1)


def _from(vertex: int, pair: tuple[int, int], matrix: torch.Tensor) -> tuple[int, torch.Tensor]:
    """The other end of an edge, and its matrix with `vertex` as the first index: what was joined is not symmetric."""
    return (pair[1], matrix) if pair[0] == vertex else (pair[0], matrix.mT)


def polynomials(share: torch.Tensor, angle: torch.Tensor, degree: int = DEGREE) -> torch.Tensor:
    """All polynomials up to a degree, in the order of `products`.

    Args:
        share: share of the jet's pT, `(B, N)`, 0 for padding.
        angle: between constituents, `(B, N, N)`, symmetric.
        degree: largest number of edges.

    Returns:
        `(B, G)`.
    """
    powers = list(accumulate([angle] * degree, torch.mul))
    of_graph = {
        graph: polynomial(graph, share, powers) for edges in range(1, degree + 1) for graph in connected_graphs(edges)
    }
    columns = [torch.stack([of_graph[part] for part in parts]).prod(0) for parts in products(degree)]
    return torch.stack(columns, dim=1)


@torch.inference_mode()
def energy_flow_polynomials(table: PairTable, view: int) -> Floats32:
    """Those of every row in a view: float32 `(R, 101)`, 0 for rows without a jet."""
    rows = np.flatnonzero(table.rows.valid[view])
    rows = rows[np.argsort(table.counts[view, rows], kind="stable")]
    filled = np.zeros((table.rows.n_rows, len(products(DEGREE))), np.float32)
    for chosen in _batches(rows):
        share, place = _padded(table, view, chosen)
        distance = torch.linalg.vector_norm(place[:, :, None] - place[:, None], dim=-1)
        filled[chosen] = polynomials(share, distance**BETA).numpy()
    return filled


def _batches(rows: Integers) -> Iterator[Integers]:
    yield from (rows[start : start + BATCH_SIZE] for start in range(0, len(rows), BATCH_SIZE))


def _padded(table: PairTable, view: int, rows: Integers) -> tuple[torch.Tensor, torch.Tensor]:
    """Share of the scalar sum of pT, `(B, N)`, and (delta eta, delta phi), `(B, N, 2)`."""
    jets = constituents_of(gather_jets(table, np.full(len(rows), view), rows))
    total = np.add.reduceat(jets.pt, jets.starts)
    values = np.stack([jets.pt / jets.per_constituent(total), jets.d_eta, jets.d_phi], axis=1)
    mask = np.arange(jets.counts.max()) < jets.counts[:, None]
    padded = torch.from_numpy(pad(values.astype(np.float32), mask))
    return padded[..., 0], padded[..., 1:]
