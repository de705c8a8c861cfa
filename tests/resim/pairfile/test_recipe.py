"""What a file says of how to make it again."""

import pytest
import yaml

from resim.card.generation_card import load_card
from resim.common.errors import InputError
from resim.common.versions import versions
from resim.pairfile.digest import digest
from resim.pairfile.reader import PairFile
from resim.pairfile.recipe import stored_card
from tests.helpers.chain import N_EVENTS, run_cli


def test_the_recipe_is_a_card_headed_by_what_else_it_takes(pairs):
    text = run_cli("provenance", pairs).output
    comments = [line for line in text.splitlines() if line.startswith("#")]
    with PairFile(pairs) as file:
        sources = file.provenance.sources
        assert yaml.safe_load(text) == file.provenance.card
    assert f"digest {digest(pairs)}" in comments[0]
    for source in sources:
        assert f"# from {source.lhe}, SHA-256 {source.sha256}" in comments
    for name, version in versions().items():
        assert f"# with {name} {version}" in comments
    command = f"generate card.yaml -o pairs.h5 --seed 1 -n {N_EVENTS}"
    assert f"# again: resim {command}" in comments
    assert any(line.startswith('# again: docker run --rm -v "$PWD:/data"') and command in line for line in comments)


@pytest.mark.slow
def test_the_card_makes_the_file_again(pairs, tmp_path):
    card = tmp_path / "card.yaml"
    card.write_text(run_cli("provenance", pairs).output)
    assert [source.rows for source in load_card(card).sources]
    again = tmp_path / "again.h5"
    done = run_cli("generate", card, "-o", again, "--seed", 1, "-n", N_EVENTS, "--quiet")
    assert done.exit_code == 0, done.output
    assert digest(again) == digest(pairs)


def test_a_card_of_other_sources_is_refused(pairs):
    with PairFile(pairs) as file:
        provenance = file.provenance
    other = provenance.model_copy(update={"sources": provenance.sources[:1]})
    with pytest.raises(InputError, match="its card has 2 sources, its provenance 1; generate the file again"):
        stored_card(other, pairs)
    assert len(stored_card(provenance, pairs).sources) == 2
