"""Identities by place: of files of version 2."""

import numpy as np

from resim.pairfile.places import identity_of_place


def test_rows_of_an_event_share_an_identity():
    event = np.repeat(np.arange(500), 3)
    keys = identity_of_place(["ab" * 32], np.zeros(1500, int), event)
    assert (keys.reshape(500, 3) == keys.reshape(500, 3)[:, :1]).all()
    assert len(np.unique(keys)) == 500


def test_the_identities_of_files_that_are_out_there_do_not_change():
    keys = identity_of_place(["ab" * 32, "cd" * 32], np.array([0, 1]), np.array([0, 7]))
    assert keys.tolist() == [13629227922989768156, 14016360604748467282]
