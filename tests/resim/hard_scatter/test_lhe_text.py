"""Blocks of LHE files, cut by their tags: what they hold and on which line they begin."""

import gzip
import os
from pathlib import Path

import pytest

from resim.common.errors import InputError
from resim.hard_scatter.lhe_text import Block, open_lhe, read_blocks

FILE = """<LesHouchesEvents version="3.0">
<header> <event> </header>
<!-- <init> -->
<init>
2212 2212
<generator name="A" version='2'>cite me
</generator>
</init>
{}</LesHouchesEvents>
"""
FIRST_LINE = 9
"""Line of the file on which its events begin."""


def blocks(tmp_path, events, broken_too=False):
    path = tmp_path / "events.lhe"
    path.write_text(FILE.format(events))
    return list(read_blocks(path, broken_too=broken_too))


def test_the_init_block_comes_first_and_keeps_the_tags_of_its_elements(tmp_path):
    (init,) = blocks(tmp_path, "")
    assert init == Block("\n2212 2212\n\n\n", 4, elements=("<generator name=\"A\" version='2'>",))


@pytest.mark.parametrize(
    ("event", "text", "elements"),
    [
        ("<event>\n1 2\n3\n</event>\n", "\n1 2\n3\n", 0),
        ("<event a='1'\n b='2'>\n1\n</event>\n", "\n\n1\n", 0),
        ("<event>1 2</event>", "1 2", 0),
        ("<event>\n1\n<rwgt>\n<wgt id='1'> 2 </wgt>\n</rwgt>\n3\n</event>\n", "\n1\n\n\n\n3\n", 1),
        ("<event>\n1\n<scales a='1'/>\n<a\n b='c'\n/>2\n</event>\n", "\n1\n\n\n\n2\n", 2),
        ("<event>\n1 <!-- 2\n<a> 3 --> 4\n</event>\n", "\n1 \n 4\n", 1),
        ("<event>\n# <b> no element\n1\n</event>\n", "\n# <b> no element\n1\n", 0),
        ("<event>\n1 < 2\n</event>\n", "\n1 < 2\n", 0),
    ],
)
def test_an_event_is_its_lines_without_decoration(tmp_path, event, text, elements):
    _, block = blocks(tmp_path, event)
    assert (block.text, block.line, block.whole, len(block.elements)) == (text, FIRST_LINE, True, elements)


@pytest.mark.parametrize("tag", ["<a>", "<a b='c'", "</a>", "<!--"])
def test_an_element_that_lacks_a_tag_stays_where_it_is_found(tmp_path, tag):
    _, block, after = blocks(tmp_path, f"<event>\n{tag}\n1\n</event>\n<event>\n2\n</event>\n")
    assert block.text.splitlines()[1].startswith(tag)
    assert (after.text, after.line) == ("\n2\n", FIRST_LINE + 4)


def test_an_event_without_a_tag_is_not_whole(tmp_path):
    events = "<event>\n1\n<event>\n2\n</event>\n3\n</event>\n<event>\n4\n</event>\n"
    _, *found = blocks(tmp_path, events, broken_too=True)
    assert [(block.text.strip(">\n"), block.whole) for block in found] == [
        ("1", False),
        ("2", True),
        ("3", False),
        ("4", True),
    ]
    with pytest.raises(InputError, match=rf"events\.lhe:{FIRST_LINE}: event 0 has no end tag"):
        blocks(tmp_path, events)


@pytest.mark.parametrize("end", ["", "<event>", "<event>\n<a", "<event>\n<!-- </LesHouchesEvents>", "<!-- "])
def test_a_file_that_ends_early_is_truncated_wherever_it_ends(tmp_path, end):
    path = tmp_path / "events.lhe"
    path.write_text(FILE.format("<event>\n1\n</event>\n" + end).removesuffix("</LesHouchesEvents>\n"))
    with pytest.raises(InputError, match="truncated after event 0"):
        list(read_blocks(path))


def test_gzip_is_known_by_its_first_bytes(tmp_path):
    path = tmp_path / "plain.lhe"
    path.write_bytes(gzip.compress(b"text"))
    with open_lhe(path) as stream:
        assert stream.read() == b"text"
    path.with_name("x.lhe.gz").write_bytes(b"text")
    with open_lhe(path.with_name("x.lhe.gz")) as stream:
        assert stream.read() == b"text"


def test_a_line_without_end_is_refused_and_named(tmp_path):
    path = tmp_path / "bomb.lhe.gz"
    path.write_bytes(gzip.compress(b"<LesHouchesEvents>\n" + b"a" * 30_000_000))
    with pytest.raises(InputError, match=r"bomb.lhe.gz:2: line exceeds 25000000 bytes"):
        list(read_blocks(path))


def test_pipes_and_devices_are_refused_at_once(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", Path("/dev/zero")):
        with pytest.raises(InputError, match="is a pipe or a device"):
            list(read_blocks(path))
