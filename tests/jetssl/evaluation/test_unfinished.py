import numpy as np
import pytest

from jetssl.evaluation.unfinished import Unfinished


def test_what_was_finished_is_not_computed_again(tmp_path):
    calls = []

    def compute():
        calls.append(1)
        return np.array([1.0, 2.0])

    def interrupted():
        raise KeyboardInterrupt

    kept = Unfinished(tmp_path, ("checkpoint", "file"))
    first = kept.array(("run", "nominal"), compute)
    with pytest.raises(KeyboardInterrupt):
        kept.array(("run", "seed"), interrupted)
    again = Unfinished(tmp_path, ("checkpoint", "file"))
    assert again.array(("run", "nominal"), interrupted).tolist() == first.tolist()
    again.array(("run", "seed"), compute)
    Unfinished(tmp_path, ("checkpoint", "other file")).array(("run", "nominal"), compute)
    assert len(calls) == 3
    again.clear()
    assert list(tmp_path.iterdir()) == []
