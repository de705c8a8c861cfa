from pathlib import Path

import numpy as np
import pytest

from resim.common.errors import InputError
from resim.detector.card import CardModule
from resim.detector.filters import PdgCodeFilter
from resim.detector.objects import Objects
from resim.detector.random import Stream

STREAM = Stream.of(np.zeros(1, np.uint64), "Filter")


def objects() -> Objects:
    ids = np.array([211, -211, 13, -13, 22], np.int32)
    charge = np.array([1.0, -1, -1, 1, 0])
    return Objects.of(event=np.zeros(5, np.int64), pdg_id=ids, charge=charge, pt=np.array([5.0, 1, 5, 5, 5]))


def found(**parameters: object) -> list[int]:
    module = CardModule(Path("card.tcl"), "PdgCodeFilter", "Filter", 1, parameters, {})
    (passed,) = PdgCodeFilter.from_card(module).run(objects(), stream=STREAM)
    return passed.pdg_id.tolist()


def test_ids_are_left_out_or_alone_kept():
    assert found() == [211, -211, 13, -13, 22]
    assert found(PdgCode="13 211") == [-211, -13, 22]
    assert found(PdgCode="13 211", Invert="true") == [211, 13]
    assert found(PTMin="2") == [211, 13, -13, 22]
    assert found(RequireCharge="true", Charge="-1") == [-211, 13]


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"PdgCode": "muon"}, "Filter.PdgCode: 'muon' is not a PDG id"),
        ({"RequireNotPileup": "true"}, "against pile-up is not supported"),
        ({"RequireStatus": "1", "Status": "3"}, "only particles with status 1"),
    ],
)
def test_what_cannot_be_filtered_is_refused(parameters, message):
    with pytest.raises(InputError, match=message):
        found(**parameters)
