import h5py
import numpy as np
import pytest

from jetssl.weak.domains import (
    Question,
    refuse_uncommon_features,
    training_labels,
    transfer,
    true_labels,
)
from resim.common.errors import InputError
from resim.pairfile.mock import write_mock


def test_jets_come_without_labels(domain_of, question):
    data = domain_of("data", "herwig", labelled=False)
    assert data.table.rows.classes == ("unlabelled",)
    with pytest.raises(InputError, match=r"domain 'data' has no labels to learn from \(labelled: false\)"):
        training_labels(data, question)
    assert 0.3 < true_labels(data, question).is_signal.mean() < 0.7


def test_labels_of_simulation_are_those_of_the_file(domain_of, table, question):
    labels = training_labels(domain_of(), question)
    assert (labels.signal, labels.background) == (("two_prong",), ("one_prong",))
    np.testing.assert_array_equal(labels.is_signal, table.rows.label == "two_prong")
    assert labels.is_either.all()


def test_shares_have_no_hard_scatter_in_common_but_the_test_jets(domain_of, question):
    first = domain_of(share=(0.0, 0.5))
    second = domain_of("data", "herwig", share=(0.5, 1.0))
    for side in (0, 1):
        keys = [set(domain.table.rows.identity[domain.splits.sides[side]].tolist()) for domain in (first, second)]
        assert keys[0]
        assert keys[1]
        assert not keys[0] & keys[1]
    whole = domain_of()
    assert len(first.splits.train) == pytest.approx(len(whole.splits.train) / 2, rel=0.3)
    np.testing.assert_array_equal(first.splits.test, whole.splits.test)


def test_learn_in_one_domain_be_tested_in_another(domain_of, question):
    simulation, data = domain_of(), domain_of("data", "herwig", labelled=False)
    labels, truth = training_labels(simulation, question), true_labels(data, question)
    joined, task = transfer(simulation, labels, data, truth)
    size = simulation.table.rows.n_rows
    assert joined.rows.n_rows == 2 * size
    assert task.train.max() < size <= task.test.min()
    np.testing.assert_array_equal(task.is_signal[task.test], truth.is_signal[task.test - size])
    hidden = np.setdiff1d(np.arange(size, 2 * size), task.test)
    assert not task.is_signal[hidden].any()
    row = task.test[0]
    start, count = joined.starts[0, row], joined.counts[0, row]
    own = data.table.starts[0, row - size]
    np.testing.assert_array_equal(
        joined.constituents.pt[start : start + count], data.table.constituents.pt[own : own + count]
    )


def test_no_row_has_a_jet(domain_of, mock_file, tmp_path):
    empty = write_mock(tmp_path / "empty.h5", 40, ("nominal", "herwig"), p_valid=0.0)
    with pytest.raises(
        InputError, match=r"domain 'data': 0 jets of view 'herwig' on the training side of .*empty.h5"
    ):
        domain_of("data", "herwig", files=(str(empty),))
    with pytest.raises(InputError, match="domain 'data': 0 jets of view 'herwig' on the training side"):
        domain_of("data", "herwig", share=(0.5, 0.5))


def test_a_domain_is_one_member_of_a_family(domain_of, tmp_path):
    path = write_mock(tmp_path / "family.h5", 40, ("nominal", "redetect/0", "redetect/1"))
    assert domain_of("data", "redetect/1", files=(str(path),)).table.rows.n_rows == 40
    with pytest.raises(InputError, match=r"domain 'data': view 'redetect' is a family of 2; name one, as redetect/0"):
        domain_of("data", "redetect", files=(str(path),))


def test_unknown_view_and_class(domain_of):
    with pytest.raises(InputError, match="asks for 'vincia', common to all files are nominal, seed, herwig"):
        domain_of(view="vincia")
    with pytest.raises(InputError, match="no class 'hbb' in the data; classes are one_prong, two_prong"):
        training_labels(domain_of(), Question(("hbb",)))


def test_features_that_one_domain_does_not_have(domain_of, tmp_path):
    """Toy jets have no impact parameters; here come some that have."""
    path = write_mock(tmp_path / "tracks.h5", 60)
    with h5py.File(path, "a") as file:
        for name in ("d0", "dz", "d0_err", "dz_err"):
            file[f"views/nominal/constituents/{name}"][:] = 0.1
    tracks = domain_of("data", features="relative_ip", files=(str(path),))
    plain = domain_of(features="relative_ip")
    with pytest.raises(InputError, match=r"features relative_ip: domain 'simulation' has no d0 \(0 everywhere\)"):
        refuse_uncommon_features([plain, tracks], "relative_ip")
    refuse_uncommon_features([plain, tracks], "relative")
    refuse_uncommon_features([plain, plain], "relative_ip")
