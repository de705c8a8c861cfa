"""Slow and simple implementations to check the fast ones against."""

import math

from resim.common.arrays import Floats


def naive_antikt(momenta: Floats, radius: float) -> list[tuple[Floats, set[int]]]:
    """Anti-kT by the definition (arXiv:0802.1189 eq. 1), O(N^3).

    Args:
        momenta: `(n, 4)` px, py, pz, E.
        radius: R.

    Returns:
        Four-momentum and constituents of every jet.
    """
    pseudojets = [(p.copy(), {i}) for i, p in enumerate(momenta)]
    jets = []
    while pseudojets:
        best = (math.inf, 0, -1)
        for i, (p, _) in enumerate(pseudojets):
            beam = 1 / (p[0] ** 2 + p[1] ** 2)
            best = min(best, (beam, i, -1))
            for j, (q, _) in enumerate(pseudojets[:i]):
                pair = min(beam, 1 / (q[0] ** 2 + q[1] ** 2)) * distance2(p, q) / radius**2
                best = min(best, (pair, i, j))
        _, i, j = best
        p, members = pseudojets.pop(i)
        if j < 0:
            jets.append((p, members))
        else:
            q, others = pseudojets[j]
            pseudojets[j] = (p + q, members | others)
    return jets


def distance2(p: Floats, q: Floats) -> float:
    """Squared distance in rapidity and azimuth."""
    rapidity = [0.5 * math.log((k[3] + k[2]) / (k[3] - k[2])) for k in (p, q)]
    phi = abs(math.atan2(p[1], p[0]) - math.atan2(q[1], q[0]))
    return (rapidity[0] - rapidity[1]) ** 2 + min(phi, 2 * math.pi - phi) ** 2


def naive_softdrop_mass(momenta: Floats, z_cut: float) -> float:
    """Soft drop with beta = 0: undo the last Cambridge/Aachen step until it is hard enough (arXiv:1402.2657)."""
    nodes = [(p.copy(), None) for p in momenta]
    while len(nodes) > 1:
        pairs = [(distance2(nodes[i][0], nodes[j][0]), i, j) for i in range(len(nodes)) for j in range(i)]
        _, i, j = min(pairs)
        a, b = nodes.pop(i), nodes.pop(j)
        nodes.append((a[0] + b[0], (a, b)))
    node = nodes[0]
    while node[1] is not None:
        a, b = node[1]
        pt = [math.hypot(*child[0][:2]) for child in (a, b)]
        if min(pt) / sum(pt) > z_cut:
            break
        node = a if pt[0] > pt[1] else b
    p = node[0]
    return math.sqrt(max(p[3] ** 2 - p[0] ** 2 - p[1] ** 2 - p[2] ** 2, 0.0))
