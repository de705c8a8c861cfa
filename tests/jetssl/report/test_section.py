"""Pictures inside the page."""

import base64

import pytest
from matplotlib.figure import Figure

from jetssl.report.figures import FigureFile
from jetssl.report.section import embedded


@pytest.mark.parametrize(("size", "wide"), [((2, 1.5), False), ((5, 1), True)])
def test_a_picture_is_inside_the_page_and_knows_its_shape(tmp_path, size, wide):
    path = tmp_path / "a.png"
    Figure(figsize=size).savefig(path)
    picture = embedded(FigureFile(path, "what it shows"))
    head, _, data = picture.source.partition(",")
    assert head == "data:image/png;base64"
    assert base64.b64decode(data) == path.read_bytes()
    assert (picture.caption, picture.wide) == ("what it shows", wide)
