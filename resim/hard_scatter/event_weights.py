"""All weights of an event beside XWGTUP: `<rwgt>` and `<weights>` of LHE files, and what `<initrwgt>` calls them.

The form is that of version 3 (arXiv:1405.1067, "LHEF v3"), as MadGraph, POWHEG and Pythia's reader have it.
"""

import math
import re
from collections.abc import Mapping
from typing import Final

from resim.hard_scatter.event_checks import DefectError

# No pattern looks behind the next < or >, so that a broken file takes no longer than a sound one.
_NAMED: Final = re.compile(r"<weight\s([^<>]*)>([^<]*)</weight")
_ID: Final = re.compile(r"\bid\s*=\s*(['\"])(.*?)\1", re.DOTALL)
_RWGT: Final = re.compile(r"<wgt\b([^<>]*)>([^<]*)</wgt")
_LIST: Final = re.compile(r"<weights\b[^<>]*>([^<]*)")


def announced_weights(text: str) -> dict[str, str]:
    """Names of the weights that a header or `<init>` block announces, id → id and meaning, in their order.

    >>> announced_weights("<initrwgt><weight id='2'> muR=2.0  muF=1.0 </weight></initrwgt>")
    {'2': '2 muR=2.0 muF=1.0'}
    """
    elements = (element.partition("</initrwgt")[0] for element in text.split("<initrwgt")[1:])
    found = [pair for element in elements for pair in _NAMED.findall(element)]
    names = {id_[2].strip(): meaning for attributes, meaning in found if (id_ := _ID.search(attributes))}
    return {id_: " ".join([id_, *meaning.split()]) for id_, meaning in names.items()}


def weights_of(text: str, announced: Mapping[str, str]) -> dict[str, float]:
    """Weights of an event by name.

    Args:
        text: its elements `<rwgt>` and `<weights>`.
        announced: id → name; the numbers of `<weights>` come in this order.

    Raises:
        DefectError: a weight has no id, or is no finite number.
    """
    names = list(announced.values())
    listed = [word for content in _LIST.findall(text) for word in content.split()]
    words = {names[i] if i < len(names) else f"weights[{i}]": word for i, word in enumerate(listed)}
    for attributes, word in _RWGT.findall(text):
        if not (id_ := _ID.search(attributes)):
            raise DefectError(f"a <wgt> without an id ({attributes[:40]!r})")
        words[announced.get(id_[2].strip(), id_[2].strip())] = word
    return {name: _finite(name, word) for name, word in words.items()}


def _finite(name: str, word: str) -> float:
    try:
        value = float(word.replace("D", "E").replace("d", "e"))
    except ValueError as error:
        raise DefectError(f"weight {name!r} is {word.strip()[:40]!r}, want a number") from error
    if not math.isfinite(value):
        raise DefectError(f"weight {name!r} is {value}, want a finite number", "not_finite")
    return value
