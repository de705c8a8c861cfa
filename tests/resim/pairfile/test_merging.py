from dataclasses import replace

import numpy as np
import pytest

from resim.card.run_options import RunOptions, Shard
from resim.common.errors import InputError
from resim.pairfile.digest import digest
from resim.pairfile.merging import merge
from resim.pairfile.reader import PairFile
from resim.pairfile.validation import violations
from resim.run.generate import generate
from tests.helpers.chain import N_EVENTS, REPOSITORY

pytestmark = pytest.mark.slow

OPTIONS = RunOptions(n_events=N_EVENTS, chunk_size=3, quiet=True)


@pytest.fixture(scope="module")
def shards(card, tmp_path_factory):
    folder = tmp_path_factory.mktemp("shards")
    paths = [folder / f"{number}.h5" for number in (1, 2, 3)]
    for number, path in enumerate(paths, 1):
        generate(card, path, replace(OPTIONS, shard=Shard(number, 3)))
    return paths


def test_merged_shards_are_the_run_in_one_piece(shards, pairs, tmp_path):
    output = tmp_path / "merged.h5"
    merge([shards[2], shards[0], shards[1]], output)
    assert digest(output) == digest(pairs)
    assert violations(output) == []
    with PairFile(output) as merged, PairFile(pairs) as whole:
        assert merged.provenance.sources == whole.provenance.sources
        assert merged.provenance.views == whole.provenance.views
        assert merged.provenance.run_key == whole.provenance.run_key


@pytest.mark.parametrize(
    "stages",
    [
        "jets: {vertices: {source: truth}}\n",
        f"jets: {{vertices: {{source: fit}}}}\ndetector: {{card: {REPOSITORY}/cards/delphes/cms_tracking.tcl}}\n",
    ],
)
def test_secondary_vertices_do_not_depend_on_shards_and_chunks(card, tmp_path, stages):
    asked = tmp_path / "card.yaml"
    asked.write_text(card.read_text() + stages)
    generate(asked, tmp_path / "whole.h5", replace(OPTIONS, chunk_size=1000))
    paths = [tmp_path / f"{number}.h5" for number in (1, 2)]
    for number, path in enumerate(paths, 1):
        generate(asked, path, replace(OPTIONS, shard=Shard(number, 2)))
    merge(paths, tmp_path / "merged.h5")
    assert violations(tmp_path / "merged.h5") == []
    assert digest(tmp_path / "merged.h5") == digest(tmp_path / "whole.h5")
    with PairFile(tmp_path / "whole.h5") as file:
        has_vertex = np.diff(file.vertex_offsets("nominal")) > 0
        assert has_vertex[file.label_names() == "hbb"].mean() > 0.4


def test_shards_do_not_depend_on_the_size_of_chunks(card, pairs, tmp_path):
    paths = [tmp_path / f"{number}.h5" for number in (1, 2, 3)]
    for number, path in enumerate(paths, 1):
        generate(card, path, replace(OPTIONS, shard=Shard(number, 3), chunk_size=2 * number))
    merge(paths, tmp_path / "merged.h5")
    assert digest(tmp_path / "merged.h5") == digest(pairs)


def test_every_shard_is_a_valid_file_with_rows_of_its_own(shards):
    rows = []
    for path in shards:
        assert violations(path) == []
        with PairFile(path) as file:
            rows += list(zip(file.hard_scatter("source"), file.hard_scatter("event"), strict=True))
    assert rows == sorted(rows)


def test_what_does_not_belong_together(shards, pairs, card, tmp_path):
    output = tmp_path / "merged.h5"
    with pytest.raises(InputError, match="shards 2/3, 3/3 are missing"):
        merge(shards[:1], output)
    with pytest.raises(InputError, match="holds shard 1/3 as"):
        merge([shards[0], *shards[:1]], output)
    with pytest.raises(InputError, match="shards of \\[1, 3\\] parts"):
        merge([shards[1], pairs], output)
    other = tmp_path / "other.h5"
    generate(card, other, replace(OPTIONS, seed=5, shard=Shard(3, 3)))
    with pytest.raises(InputError, match="not a shard of the run that made"):
        merge([*shards[:2], other], output)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["other.h5"]


@pytest.mark.parametrize("text", ["0/3", "4/3", "1", "a/b", "-1/3", "1/0"])
def test_shards_that_make_no_sense(text):
    with pytest.raises(InputError, match="want I/K with 1 <= I <= K"):
        Shard.parse(text)


def test_the_shard_belongs_to_the_identity_of_a_file(shards, card):
    with pytest.raises(InputError, match=r"made with another card, seed, number of events, shard"):
        generate(card, shards[0], replace(OPTIONS, shard=Shard(2, 3), resume=True))
