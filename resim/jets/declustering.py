"""Sequential recombination of one jet's constituents, compiled: soft drop and the axes of N-subjettiness.

The algorithms are FastJet's; the tests compare the results with it. Through FastJet's Python interface a jet
takes 0.8 ms, here less than 0.1 ms; Pythia takes 6 to 14 ms for an event.
"""

import math

import numba
import numpy as np
import numpy.typing as npt

from resim.common.arrays import Floats

_BEYOND_ANY_RAPIDITY = 1e5


@numba.njit(cache=True)
def softdrop_mass(four: Floats, z_cut: float, beta: float, radius: float) -> float:
    """Mass after soft drop (arXiv:1402.2657) on the Cambridge/Aachen tree.

    Args:
        four: float64 `(4, n)`, px, py, pz, energy of the n > 0 constituents, GeV.
        z_cut: soft drop stops at the first splitting with z > z_cut (Delta R / radius)^beta.
        beta: angular exponent of that condition.
        radius: radius of that condition.

    Returns:
        The mass in GeV; the mass of the particle that is left if no splitting passes.
    """
    nodes, parents = _cambridge_tree(four)
    node = nodes.shape[1] - 1
    while parents[0, node] >= 0:
        a, b = parents[0, node], parents[1, node]
        pt_a, pt_b = math.hypot(nodes[0, a], nodes[1, a]), math.hypot(nodes[0, b], nodes[1, b])
        y_a, y_b = _rapidity(nodes[:, a]), _rapidity(nodes[:, b])
        angle2 = _distance2(y_a, _phi(nodes[:, a]), y_b, _phi(nodes[:, b]))
        if min(pt_a, pt_b) > z_cut * (angle2 / radius**2) ** (0.5 * beta) * (pt_a + pt_b):
            break
        node = a if pt_a > pt_b else b
    px, py, pz, energy = nodes[0, node], nodes[1, node], nodes[2, node], nodes[3, node]
    return math.sqrt(max(energy**2 - px**2 - py**2 - pz**2, 0.0))


@numba.njit(cache=True)
def subjettiness(four: Floats, n_axes: int, beta: float, radius: float) -> Floats:
    """N-subjettiness tau_1 ... tau_n (arXiv:1011.2268) around the exclusive kT axes of the winner-take-all scheme.

    Args:
        four: float64 `(4, n)`, px, py, pz, energy of the n > 0 constituents, GeV.
        n_axes: largest N.
        beta: angular exponent.
        radius: jet radius R in the normalization sum(pT) R^beta.

    Returns:
        float64 `(n_axes,)`; 0 for N not below the number of constituents.
    """
    n = four.shape[1]
    y, phi, pt = np.empty(n), np.empty(n), np.empty(n)
    for i in range(n):
        y[i], phi[i] = _rapidity(four[:, i]), _phi(four[:, i])
        pt[i] = math.hypot(four[0, i], four[1, i])
    axis_y, axis_phi, axis_pt = y.copy(), phi.copy(), pt.copy()
    table = _distances(axis_y, axis_phi)
    nearest, distance = _all_nearest(table)
    tau = np.zeros(n_axes)
    for alive in range(n, 0, -1):
        if alive <= n_axes and alive < n:
            tau[alive - 1] = _tau(y, phi, pt, axis_y, axis_phi, alive, beta) / (pt.sum() * radius**beta)
        if alive == 1:
            break
        i, smallest = 0, np.inf
        for k in range(alive):  # min(pT_i², pT_j²) Delta R_ij² is smallest at a nearest neighbour
            of_pair = axis_pt[k] ** 2 * distance[k]
            if of_pair < smallest:
                i, smallest = k, of_pair
        j = nearest[i]
        winner = i if axis_pt[i] > axis_pt[j] else j
        i, j = min(i, j), max(i, j)
        axis_y[i], axis_phi[i], axis_pt[i] = axis_y[winner], axis_phi[winner], axis_pt[i] + axis_pt[j]
        last = alive - 1
        axis_y[j], axis_phi[j], axis_pt[j] = axis_y[last], axis_phi[last], axis_pt[last]
        _update(axis_y, axis_phi, table, nearest, distance, i, j, last)
    return tau


@numba.njit(cache=True)
def _tau(y: Floats, phi: Floats, pt: Floats, axis_y: Floats, axis_phi: Floats, n_axes: int, beta: float) -> float:
    total = 0.0
    for i in range(len(y)):
        smallest = math.inf
        for k in range(n_axes):
            smallest = min(smallest, _distance2(y[i], phi[i], axis_y[k], axis_phi[k]))
        total += pt[i] * smallest ** (0.5 * beta)
    return total


@numba.njit(cache=True)
def _cambridge_tree(four: Floats) -> tuple[Floats, npt.NDArray[np.int64]]:
    """The Cambridge/Aachen tree of a jet, as nodes and parents.

    Returns:
        Momenta of the nodes, float64 `(4, 2n - 1)`: first the n particles, last the jet. The two nodes of which each
        node is the sum, int64 `(2, 2n - 1)`; -1 for particles.
    """
    n = four.shape[1]
    nodes, parents = np.empty((4, 2 * n - 1)), np.full((2, 2 * n - 1), -1)
    nodes[:, :n] = four
    y, phi, node = np.empty(n), np.empty(n), np.arange(n)
    for i in range(n):
        y[i], phi[i] = _rapidity(four[:, i]), _phi(four[:, i])
    table = _distances(y, phi)
    nearest, distance = _all_nearest(table)
    for new in range(n, 2 * n - 1):
        last = 2 * n - 2 - new + 1
        i, _ = _nearest(distance[: last + 1])
        i, j = min(i, nearest[i]), max(i, nearest[i])
        nodes[:, new] = nodes[:, node[i]] + nodes[:, node[j]]
        parents[0, new], parents[1, new] = node[i], node[j]
        node[i], y[i], phi[i] = new, _rapidity(nodes[:, new]), _phi(nodes[:, new])
        node[j], y[j], phi[j] = node[last], y[last], phi[last]
        _update(y, phi, table, nearest, distance, i, j, last)
    return nodes, parents


@numba.njit(cache=True)
def _distances(y: Floats, phi: Floats) -> Floats:
    """Squared distances between n points, float64 `(n, n)`; infinite from each to itself."""
    n = len(y)
    table = np.empty((n, n))
    for k in range(n):
        for m in range(n):
            table[k, m] = _distance2(y[k], phi[k], y[m], phi[m])
        table[k, k] = np.inf
    return table


@numba.njit(cache=True)
def _all_nearest(table: Floats) -> tuple[npt.NDArray[np.int64], Floats]:
    """Nearest neighbour of each of n points, int64 `(n,)`, and squared distance to it, float64 `(n,)`."""
    n = len(table)
    nearest, distance = np.empty(n, np.int64), np.empty(n)
    for k in range(n):
        nearest[k], distance[k] = _nearest(table[k])
    return nearest, distance


@numba.njit(cache=True)
def _nearest(row: Floats) -> tuple[int, float]:
    """The first of the smallest distances, and its place; -1 where there is no other point."""
    place, smallest = -1, np.inf
    for m in range(len(row)):
        if row[m] < smallest:
            place, smallest = m, row[m]
    return place, smallest


@numba.njit(cache=True)
def _update(
    y: Floats,
    phi: Floats,
    table: Floats,
    nearest: npt.NDArray[np.int64],
    distance: Floats,
    i: int,
    j: int,
    last: int,
) -> None:
    """Update the neighbours after a recombination: point i < j is the sum, the last point has moved to place j."""
    nearest[j], distance[j] = nearest[last], distance[last]
    for m in range(last):
        table[j, m] = table[m, j] = table[last, m]
    table[j, j] = np.inf
    for m in range(last):
        table[i, m] = _distance2(y[i], phi[i], y[m], phi[m])
    table[i, i] = np.inf
    for k in range(last):
        d = table[k, i] = table[i, k]
        if k == i or nearest[k] == i or nearest[k] == j:
            nearest[k], distance[k] = _nearest(table[k, :last])
            continue
        if nearest[k] == last:
            nearest[k] = j
        if d < distance[k]:
            nearest[k], distance[k] = i, d


@numba.njit(cache=True)
def _distance2(y_a: float, phi_a: float, y_b: float, phi_b: float) -> float:
    """Squared distance in rapidity and azimuth."""
    delta = abs(phi_a - phi_b)
    if delta > math.pi:
        delta = 2 * math.pi - delta
    return (y_a - y_b) ** 2 + delta**2


@numba.njit(cache=True)
def _phi(p: Floats) -> float:
    return math.atan2(p[1], p[0])


@numba.njit(cache=True)
def _rapidity(p: Floats) -> float:
    """Rapidity, y = ln((E + |pz|) / mT) with the sign of pz, which is exact also for light particles."""
    transverse2 = p[0] ** 2 + p[1] ** 2
    mass2 = max(p[3] ** 2 - p[2] ** 2 - transverse2, 0.0)
    if transverse2 + mass2 == 0.0:
        return math.copysign(_BEYOND_ANY_RAPIDITY, p[2])
    rapidity = 0.5 * math.log((transverse2 + mass2) / (p[3] + abs(p[2])) ** 2)
    return rapidity if p[2] < 0 else -rapidity
