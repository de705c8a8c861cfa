"""Records what EnergyFlow computes, for `tests/jetssl/evaluation/test_efp.py`; not run by the tests.

EnergyFlow 1.4 asks for numpy < 2 and runs with 2.4 all the same: in an environment of its own,
`pip install --no-deps energyflow==1.4.0 wasserstein wurlitzer six h5py numpy`, then
`python tests/helpers/record_efp.py > tests/data/efp.json`.
"""

import json
import sys
from importlib.metadata import version

import numpy as np

SETTINGS = {"measure": "hadr", "beta": 1, "normed": True, "coords": "ptyphim"}


def main() -> None:
    """Write three jets, and every polynomial up to degree 5 of each."""
    import energyflow  # type: ignore[import-not-found,unused-ignore]

    rng = np.random.default_rng(26)
    jets = [
        np.stack([rng.exponential(20, n) + 0.5, *rng.normal(0, 0.3, (2, n)), np.zeros(n)], axis=1).round(6)
        for n in (1, 4, 11)
    ]
    connected, every = (energyflow.EFPSet("d<=5", *chosen, **SETTINGS) for chosen in (("p==1",), ()))
    values = np.array([connected.compute(jet) for jet in jets])
    recorded = {
        "source": f"energyflow {version('energyflow')}, d<=5, {SETTINGS}; jets as pT, y, phi, mass",
        "jets": [jet.tolist() for jet in jets],
        "connected": [
            {"edges": [[int(end) for end in edge] for edge in graph], "values": [float(f"{v:.9g}") for v in column]}
            for graph, column in zip(connected.graphs(), values.T, strict=True)
        ],
        "all": [[float(f"{v:.9g}") for v in sorted(every.compute(jet))] for jet in jets],
    }
    json.dump(recorded, sys.stdout)


if __name__ == "__main__":
    main()
