from dataclasses import fields

import numpy as np
import pytest

from jetssl.evaluation.latent_map import LatentMap, latent_map, read_map, write_map
from jetssl.evaluation.similarity import unit_vectors
from resim.common.errors import InputError


@pytest.fixture
def found(rng):
    """Two classes far apart, in two views."""
    names = np.where(np.arange(40) % 2, "b", "q")
    centres = np.where(names == "b", 5.0, -5.0)[:, None] * np.eye(1, 6)
    unit = np.stack([unit_vectors((centres + rng.normal(size=(40, 6))).astype(np.float32)) for _ in range(2)])
    return latent_map(unit, ("nominal", "seed"), names, ("hard_scatter",), 1)


def test_classes_lie_apart_and_views_together(found):
    assert found.tsne.shape == (80, 2)
    assert found.components.shape == (80, 4)
    assert found.view[0] == "nominal"
    assert found.view[40] == "seed"
    first = found.components[:, 0]
    one, other = first[found.jet_class == "b"], first[found.jet_class == "q"]
    assert one.min() > other.max() or other.min() > one.max()
    assert found.share[0] > 0.7


def test_written_and_read_again(found, tmp_path):
    write_map(tmp_path / "map.npz", found)
    again = read_map(tmp_path / "map.npz")
    for field in fields(LatentMap):
        np.testing.assert_array_equal(getattr(again, field.name), getattr(found, field.name))
    content = bytearray((tmp_path / "map.npz").read_bytes())
    content[content.rfind(b"PK\1\2") + 10] = 99  # a compression that there is not
    for damaged in (b"PK", content):
        (tmp_path / "map.npz").write_bytes(damaged)
        with pytest.raises(InputError, match=r"map\.npz: unreadable \(.+\); run `jetssl geometry` again"):
            read_map(tmp_path / "map.npz")
