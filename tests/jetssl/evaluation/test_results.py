import json
from contextlib import suppress

import pytest

from jetssl.evaluation.results import (
    Distribution,
    Result,
    read_distributions,
    read_results,
    write_records,
    write_results,
)
from resim.common.errors import InputError

RECORD = Result(
    task="hbb_vs_qcd",
    encoder="transformer",
    baseline=None,
    method="linear_probe",
    view="nominal",
    n_labels=100,
    all_labels=False,
    n_draws=10,
    metric="auc",
    value=0.9,
    error=0.01,
    n_test=50,
    n_hard_scatters=48,
    seed=1,
    command="jetssl probe run",
)


def test_written_and_read_again(tmp_path):
    write_records(tmp_path / "results.json", [RECORD])
    assert read_results(tmp_path / "results.json") == [RECORD]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ([{"task": "of version 1"}], "results of schema 1, this jetssl reads 2; evaluate again"),
        ([RECORD.model_dump() | {"schema_version": 9}], "results of schema 9"),
        ([{"schema_version": 2}], "unreadable"),
        ({}, "no list of results"),
        ([3], "no list of results"),
    ],
)
def test_other_files(tmp_path, content, message):
    (tmp_path / "results.json").write_text(json.dumps(content))
    with pytest.raises(InputError, match=message) as caught:
        read_results(tmp_path / "results.json")
    assert "\n" not in str(caught.value)


def test_no_json(tmp_path):
    (tmp_path / "results.json").write_bytes(b"\xff{")
    with pytest.raises(InputError, match="unreadable"):
        read_results(tmp_path / "results.json")


def test_replicas_travel_beside_the_records(tmp_path):
    path = tmp_path / "results.json"
    with_replicas = RECORD.model_copy(update={"replicas": (0.8, 0.9, 1.0)})
    write_results(path, [RECORD, with_replicas])
    assert "replicas" not in path.read_text()
    assert read_results(path) == [RECORD, with_replicas]
    write_records(path, [RECORD])
    with pytest.raises(InputError, match=r"replicas of other results than results\.json; evaluate again"):
        read_results(path)
    (tmp_path / "replicas.npy").write_bytes(b"")
    with pytest.raises(InputError, match=r"replicas\.npy: unreadable"):
        read_results(path)


def test_a_flipped_bit_in_the_header_of_the_replicas_is_no_defect_of_the_program(tmp_path):
    path = tmp_path / "results.json"
    write_results(path, [RECORD.model_copy(update={"replicas": (0.8, 0.9, 1.0)})])
    content, refused = (tmp_path / "replicas.npy").read_bytes(), 0
    for place in range(0, 8 * 80, 3):
        flipped = bytearray(content)
        flipped[place // 8] ^= 1 << place % 8
        (tmp_path / "replicas.npy").write_bytes(flipped)
        with suppress(InputError):
            read_results(path)
            continue
        refused += 1
    assert refused > 150


def test_distributions(tmp_path):
    shape = Distribution(quantity="mass", view="seed", jet_class="hbb", run=None, edges=[0, 1, 2], counts=[3, 4])
    write_records(tmp_path / "distributions.json", [shape])
    assert read_distributions(tmp_path / "distributions.json") == [shape]
