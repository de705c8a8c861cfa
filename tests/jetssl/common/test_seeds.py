"""Random streams by address."""

import numpy as np
import pytest

from jetssl.common.seeds import Stream, generator, torch_seed


def test_a_draw_depends_on_its_address_alone():
    first = generator(1, Stream.ORDER, 2, 3)
    first.random(100)
    assert np.array_equal(generator(1, Stream.ORDER, 2, 3).random(5), generator(1, Stream.ORDER, 2, 3).random(5))


def test_addresses_differ():
    addresses = [(1, Stream.ORDER, 2, 3), (2, Stream.ORDER, 2, 3), (1, Stream.WEIGHTS, 2, 3), (1, Stream.ORDER, 3, 2), (1, Stream.ORDER, 2)]  # fmt: skip
    assert len({generator(*address).random() for address in addresses}) == len(addresses)
    assert len({torch_seed(*address) for address in addresses}) == len(addresses)


def test_seeds_are_those_of_earlier_versions():
    """Streams keep their numbers: a run of an older version must resume with the same batches."""
    assert [int(stream) for stream in Stream] == [*range(16), *range(20, 24)]
    assert torch_seed(1, Stream.WEIGHTS, 0) == int(
        np.random.SeedSequence(1, spawn_key=(3, 0)).generate_state(1, np.uint64)[0] >> np.uint64(1)
    )


@pytest.mark.parametrize("seed", [0, 1, 12345])
def test_torch_takes_the_seeds(seed):
    assert 0 <= torch_seed(seed, Stream.DROPOUT, 5) < 2**63
