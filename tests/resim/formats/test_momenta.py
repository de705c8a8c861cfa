"""Where jets lie that are known by energies and differences alone."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from resim.common.errors import InputError
from resim.formats.containers import Ragged
from resim.formats.flat_columns import FlatColumns
from resim.formats.mapping_card import MappingCard
from resim.formats.momenta import axis_from_energies, momenta_of


@given(st.floats(-2.4, 2.4), st.integers(0, 2**32 - 1))
def test_one_massless_constituent_is_enough(eta, seed):
    """Its pT is the largest, so the sign is sure; the others have any mass."""
    rng = np.random.default_rng(seed)
    d_eta = np.append(rng.uniform(-0.8, 0.8, 6), 0.3 if eta > 0 else -0.3)
    pt = np.append(rng.uniform(1, 5, 6), 300)
    mass = np.append(rng.uniform(0, 1, 6), 0)
    energy = np.hypot(pt * np.cosh(eta + d_eta), mass)
    (found,) = axis_from_energies(pt, energy, d_eta, np.array([7]), mirrored=False)
    assert found == pytest.approx(eta, abs=1e-6)
    sign = 1 if eta > 0 else -1
    (positive,) = axis_from_energies(pt, energy, sign * d_eta, np.array([7]), mirrored=True)
    assert positive == pytest.approx(abs(eta), abs=1e-6)


def test_several_jets_do_not_mix():
    d_eta, eta = np.array([0.1, -0.2, 0.3, 0.0]), np.array([1.0, 1.0, -2.0, -2.0])
    pt = np.full(4, 10.0)
    found = axis_from_energies(pt, pt * np.cosh(eta + d_eta), d_eta, np.array([2, 2]), mirrored=False)
    assert found == pytest.approx([1.0, -2.0], abs=1e-9)


def test_an_energy_below_the_momentum_is_rounding_or_refused():
    momenta = {"unit": "GeV", "pt": "p", "eta": "eta", "phi": "eta", "energy": "energy"}
    content = {"name": "x", "container": {"kind": "npz"}, "labels": {"all": "x"}, "columns": {"momenta": momenta}}
    card = MappingCard.model_validate(content)

    def found(energy):
        values = {"p": [10.0, 20.0], "eta": [0.0, 0.0], "energy": energy}
        batch = {name: Ragged(np.array([1, 1]), np.array(column)) for name, column in values.items()}
        return momenta_of(FlatColumns(Path("file"), batch, card, 5), card.columns.momenta, card.columns.jets)

    assert found([10.0, 19.95])["energy"].tolist() == [10, 19.95]
    with pytest.raises(InputError, match="file: energy is below the momentum, so columns are mixed up, in jet 6"):
        found([10.0, 19.8])
