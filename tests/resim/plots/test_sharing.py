"""What views share with their parents, in histograms."""

import numpy as np

from resim.pairfile.mock import write_mock
from resim.pairfile.reader import PairFile
from resim.plots.sharing import plot_sharing


def test_every_valid_row_is_in_the_histograms(tmp_path, saved):
    path = write_mock(tmp_path / "pairs.h5", 60, ("a", "b", "c"))
    with PairFile(path) as file:
        assert plot_sharing(file, tmp_path / "sharing.png").is_file()
        n_labels = len(file.labels)
        medians = [
            np.median((file.jets("b", "pt") / file.jets("a", "pt"))[(file.label_names() == label) & file.valid("a") & file.valid("b")])
            for label in file.labels
        ]  # fmt: skip
    (figure,) = saved
    assert len(figure.axes) == 2 * n_labels
    for axes in figure.axes:
        shares = [patch.get_data().values.sum() for patch in axes.patches]
        assert np.allclose(shares, 1)  # entries beyond the edges are in the outermost bins
    shown = [axes.get_legend().get_texts()[0].get_text() for axes in figure.axes[n_labels:]]
    assert shown == [f"b / a  {median:.3g}" for median in medians]


def test_one_member_of_a_family_is_drawn(tmp_path, saved):
    path = write_mock(tmp_path / "pairs.h5", 60, ("a", "b/0", "b/1", "c"))
    with PairFile(path) as file:
        plot_sharing(file, tmp_path / "sharing.png")
    shown = [text.get_text().split()[0] for text in saved[0].axes[0].get_legend().get_texts()]
    assert shown == ["b/0", "c"]
