"""Jet vectors are in the order of the rows."""

import numpy as np

from jetssl.data.jets import gather_jets
from jetssl.data.tensors import to_tensors
from jetssl.evaluation.embedding import embed
from jetssl.models.checkpoints import load_encoder


def test_embedding_is_in_order(finished_run, table):
    encoder = load_encoder(finished_run.best).encoder
    row = np.flatnonzero(table.rows.valid.any(0))[:9]
    view = np.argmax(table.rows.valid[:, row], axis=0)
    vectors = embed(encoder, table, view, row, "relative")
    for i in (0, 4, 8):
        jets = to_tensors(gather_jets(table, view[i : i + 1], row[i : i + 1]), "relative")
        np.testing.assert_allclose(vectors[i], encoder(*jets).jet.detach()[0], rtol=1e-3, atol=1e-5)
