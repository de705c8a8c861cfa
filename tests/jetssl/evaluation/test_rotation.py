import numpy as np
import pytest

from jetssl.evaluation import bootstrap
from jetssl.evaluation.embedding import embed
from jetssl.evaluation.rotation import DEGREES, rotation
from jetssl.evaluation.similarity import Vectors, unit_vectors
from jetssl.models.encoder import Encoded, Encoder
from tests.helpers.records import SHARED


class Axis(Encoder):
    """The jet vector is the direction of the hardest constituent as seen from the axis."""

    def __init__(self):
        super().__init__()
        self.width = 2

    def encode(self, features, momenta, ragged):
        return Encoded(features, features[:, 0, 1:3])


def test_an_encoder_that_sees_the_direction_turns_with_it(table, monkeypatch):
    monkeypatch.setattr(bootstrap, "N_REPLICAS", 10)
    rows = np.flatnonzero(table.rows.valid[0])[:30]

    def encode(change=None):
        return unit_vectors(embed(Axis(), table, np.zeros_like(rows), rows, "relative", change=change))

    vectors = Vectors(
        ("nominal",), encode()[None], np.zeros((1, 30, 2), np.float32), np.zeros(30, np.int16), rows.astype(np.uint64)
    )
    facts = {key: value for key, value in SHARED.items() if key != "view"}
    found = list(rotation(encode, vectors, facts))
    for degrees, result in zip(DEGREES, found, strict=True):
        assert result.metric == f"cosine_turned_by_{degrees}"
        assert result.value == pytest.approx(np.cos(np.deg2rad(degrees)), abs=1e-4)
        assert result.error < 1e-4
