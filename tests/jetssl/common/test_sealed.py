"""Sealed files: read as they are by others, and refused after one flipped bit."""

import numpy as np
import pytest

from jetssl.common.sealed import BrokenSealError, read_array, read_sealed, write_array, write_sealed


def test_round_trip(tmp_path):
    write_sealed(tmp_path / "file", b"content")
    assert read_sealed(tmp_path / "file") == b"content"
    array = np.arange(6.0).reshape(2, 3)
    write_array(tmp_path / "array.npy", array)
    assert read_array(tmp_path / "array.npy").tolist() == np.load(tmp_path / "array.npy").tolist() == array.tolist()


def test_every_flipped_bit_and_every_cut_is_seen(tmp_path):
    write_sealed(tmp_path / "file", b"content")
    stored = (tmp_path / "file").read_bytes()
    for place in range(8 * len(stored)):
        flipped = bytearray(stored)
        flipped[place // 8] ^= 1 << place % 8
        (tmp_path / "file").write_bytes(flipped)
        with pytest.raises(BrokenSealError):
            read_sealed(tmp_path / "file")
    for length in range(len(stored)):
        (tmp_path / "file").write_bytes(stored[:length])
        with pytest.raises(BrokenSealError):
            read_sealed(tmp_path / "file")
