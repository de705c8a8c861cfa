"""The mock is the same for the same seed."""

from resim.pairfile.mock import write_mock


def test_the_mock_is_reproducible(tmp_path):
    from resim.pairfile.digest import digest

    a, b, c = (write_mock(tmp_path / f"{i}.h5", seed=s) for i, s in enumerate([1, 1, 2]))
    assert digest(a) == digest(b) != digest(c)
