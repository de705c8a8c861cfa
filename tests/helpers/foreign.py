"""Jets to write in the layouts of others, and what a pair file of them must hold."""

import numpy as np

from resim.common.angles import wrap
from resim.pairfile.reader import PairFile

MASSES = {22: 0.0, 211: 0.13957, 130: 0.49761, 11: 0.000511, 13: 0.10566}
KINDS = {211: "ChargedHadron", 130: "NeutralHadron", 22: "Photon", 11: "Electron", 13: "Muon"}


class ForeignJets:
    """Jets with columns of constituents `(T,)` and of jets `(n,)` in GeV and mm; not sorted by pT."""

    def __init__(self, n=9, seed=1):
        rng = np.random.default_rng(seed)
        self.counts = rng.integers(3, 30, n)
        self.owner = np.repeat(np.arange(n), self.counts)
        self.starts = np.cumsum(self.counts) - self.counts
        size = len(self.owner)
        axis = {
            "eta": np.where(rng.random(n) < 0.5, -1, 1) * rng.uniform(0.4, 2, n),
            "phi": rng.uniform(-np.pi, np.pi, n),
        }
        self.species = rng.choice(list(MASSES), size)
        self.species[self.starts] = 22  # what has no mass tells the axis
        self.charge = np.where(np.isin(self.species, (22, 130)), 0, rng.choice([-1, 1], size))
        self.pt = rng.exponential(20, size) + 1.5
        self.eta = axis["eta"][self.owner] + rng.normal(0, 0.15, size)
        self.phi = wrap(axis["phi"][self.owner] + rng.normal(0, 0.15, size))
        self.mass = np.array([MASSES[i] for i in self.species.tolist()])
        self.energy = np.hypot(self.pt * np.cosh(self.eta), self.mass)
        self.px, self.py, self.pz = (
            self.pt * np.cos(self.phi),
            self.pt * np.sin(self.phi),
            self.pt * np.sinh(self.eta),
        )
        tracks = self.charge != 0
        self.d0, self.dz = (np.where(tracks, rng.normal(0, 0.3, size), 0) for _ in range(2))
        self.d0_err, self.dz_err = (np.where(tracks, rng.uniform(0.01, 0.1, size), 0) for _ in range(2))
        self.label = rng.integers(0, 2, n)
        px, py, pz, energy = (
            np.add.reduceat(values, self.starts) for values in (self.px, self.py, self.pz, self.energy)
        )
        self.jet = {"pt": np.hypot(px, py), "phi": np.arctan2(py, px), "energy": energy}
        self.jet |= {"eta": np.arcsinh(pz / self.jet["pt"]), "mass": np.sqrt(energy**2 - px**2 - py**2 - pz**2)}
        self.d_eta, self.d_phi = self.eta - self.jet["eta"][self.owner], wrap(self.phi - self.jet["phi"][self.owner])

    @property
    def pdg_id(self):
        """Of the particles; the antiparticle where the charge says so."""
        lepton = np.isin(self.species, (11, 13))
        return np.where(self.charge == 0, self.species, self.species * self.charge * np.where(lepton, -1, 1))

    def padded(self, values, length, dtype=np.float32):
        """`(T,)` → `(n, length)`, zeros behind the constituents; a list of columns → `(n, length, F)`."""
        if isinstance(values, list):
            return np.stack([self.padded(column, length, dtype) for column in values], axis=2)
        result = np.zeros((len(self.counts), length), dtype)
        result[self.owner, np.arange(len(values)) - self.starts[self.owner]] = values
        return result

    def by_pt(self, values):
        """In descending pT within each jet, as a pair file has them."""
        return np.asarray(values)[np.lexsort((-self.pt, self.owner))]


def assert_same_constituents(path, jets, names, view="nominal", **tolerance):
    """The pair file holds these columns of the jets."""
    with PairFile(path) as file:
        assert np.array_equal(np.diff(file.offsets(view)), jets.counts)
        for name in names:
            found, wanted = file.constituents(view, name), jets.by_pt(getattr(jets, name))
            difference = wrap(found - wanted) if name == "phi" else found - wanted
            np.testing.assert_allclose(difference, 0, atol=1e-5, err_msg=name) if name in (
                "eta",
                "phi",
                "d0",
                "dz",
            ) else (
                np.testing.assert_allclose(found, wanted, **({"rtol": 1e-5, "atol": 1e-6} | tolerance), err_msg=name)
            )
