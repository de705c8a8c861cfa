"""What a file says of the program that made it."""

import pytest

from resim.common.versions import git_state


@pytest.mark.parametrize(("built_from", "state"), [("abc", ("abc", False)), ("abc-dirty", ("abc", True))])
def test_an_image_says_the_commit_it_was_built_from(built_from, state, monkeypatch):
    monkeypatch.setenv("RESIM_COMMIT", built_from)
    assert git_state() == state
