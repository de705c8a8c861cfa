"""A hard scatter is its particles, whatever file holds it."""

from dataclasses import fields, replace

import pytest

from resim.hard_scatter.identity import identity_of
from resim.hard_scatter.lhe_reading import parse_event, survey
from tests.helpers.chain import FAULTS, read_slice


@pytest.fixture(scope="module")
def event():
    return read_slice("hbb_j", 1)[0]


def test_the_number_is_the_same_for_ever(event):
    assert identity_of(event) == 17022728086761709084


def test_every_number_of_a_particle_counts(event):
    first, *others = event.particles
    for field in fields(first):
        changed = replace(first, **{field.name: getattr(first, field.name) + 1})
        assert identity_of(replace(event, particles=[changed, *others])) != identity_of(event), field.name
    assert identity_of(replace(event, particles=others)) != identity_of(event)


def test_weight_notation_and_comments_do_not_count(tmp_path):
    lines = (FAULTS / "twice_a.lhe").read_text().split("<event>")[1].split("</event>")[0].strip().splitlines()
    info = lines[0].split()
    other = [" ".join([*info[:2], "7.0", *info[3:]]), *(line.replace("0.000000e+00", "-0.0D0") for line in lines[1:])]
    assert other[1:] != lines[1:]
    one, same = (parse_event("\n".join(text), tmp_path, 0) for text in (lines, [*other, "# comment"]))
    assert identity_of(one) == identity_of(same)


def test_another_header_and_an_extract_do_not_count(tmp_path):
    parent = FAULTS / "twice_a.lhe"
    head, *events = parent.read_text().split("<event>")
    extract = tmp_path / "extract.lhe"
    extract.write_text("<event>".join([head, *events[2:]]))
    found = survey(parent)
    assert survey(FAULTS / "twice_b.lhe").identities.tolist() == found.identities.tolist()
    assert survey(extract).identities.tolist() == found.identities.tolist()[2:]
    assert survey(extract).sha256 != found.sha256
    assert len(set(found.identities.tolist())) == found.n_events == 5
