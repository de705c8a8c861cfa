import numpy as np
import pytest

from resim.formats.export_columns import jetclass_particles, padded, rs3l_features
from resim.formats.flat_jets import jets_of_view
from resim.pairfile.mock import write_mock
from resim.pairfile.reader import PairFile


@pytest.fixture(scope="module")
def jets(tmp_path_factory):
    with PairFile(write_mock(tmp_path_factory.mktemp("toys") / "t.h5", 30)) as file:
        return jets_of_view(file, "nominal", 0, 30)


def test_delta_eta_is_mirrored_for_jetclass_alone(jets):
    axis = jets.per_constituent(jets.jets["eta"])
    difference = jets.constituents["eta"] - axis
    assert (axis < 0).any()
    assert jetclass_particles(jets)["deta"] == pytest.approx(np.where(axis > 0, difference, -difference), abs=1e-6)
    assert rs3l_features(jets)[:, 2] == pytest.approx(difference, abs=1e-6)


def test_momenta_of_jetclass(jets):
    found, wanted = jetclass_particles(jets), jets.constituents
    assert np.hypot(found["px"], found["py"]) == pytest.approx(wanted["pt"], rel=1e-6)
    assert np.arcsinh(found["pz"] / wanted["pt"]) == pytest.approx(wanted["eta"], abs=1e-6)
    assert found["energy"].tolist() == wanted["energy"].tolist()


def test_the_softest_are_cut_off():
    values = np.arange(1, 8, dtype=np.float32)[:, None]
    assert padded(values, np.array([4, 1, 2]), 3)[..., 0].tolist() == [[1, 2, 3], [5, 0, 0], [6, 7, 0]]
