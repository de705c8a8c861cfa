import numpy as np

from resim.formats.flat_jets import concatenated, jets_of_view
from resim.pairfile.mock import write_mock
from resim.pairfile.reader import PairFile


def test_jets_of_a_view_in_any_pieces(tmp_path):
    with PairFile(write_mock(tmp_path / "t.h5", 30, p_valid=0.6)) as file:
        valid = file.valid("seed")
        whole = jets_of_view(file, "seed", 0, 30)
        pieces = concatenated([jets_of_view(file, "seed", start, start + 10) for start in (0, 10, 20)])
        assert whole.entry.tolist() == pieces.entry.tolist() == np.flatnonzero(valid).tolist()
        assert whole.offsets.tolist() == pieces.offsets.tolist()
        assert whole.counts.tolist() == file.jets("seed", "n_constituents")[valid].tolist()
        for name, values in whole.constituents.items():
            assert np.array_equal(values, file.constituents("seed", name))
            assert np.array_equal(values, pieces.constituents[name])
        assert whole.label.tolist() == file.label_names()[valid].tolist()
        assert whole.per_constituent(whole.jets["pt"]).shape == whole.constituents["pt"].shape


def test_a_jet_is_known_by_its_constituents_wherever_it_stands(tmp_path):
    with PairFile(write_mock(tmp_path / "t.h5", 30)) as file:
        jets = jets_of_view(file, "nominal", 0, 30)
    order = np.random.default_rng(1).permutation(len(jets))
    moved = jets.take(order)
    assert moved.identities().tolist() == jets.identities()[order].tolist()
    assert len(set(moved.identities().tolist())) == len(jets)
    moved.constituents["eta"][0] += 1e-6
    assert (moved.identities() != jets.identities()[order]).tolist() == [True, *(len(jets) - 1) * [False]]
