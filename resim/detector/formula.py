"""Formulas of Delphes cards (ROOT's `TFormula`) as vectorized NumPy. Their text is parsed, never given to `eval`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from resim.common.arrays import Floats
from resim.detector.formula_operations import Step, apply, as_number
from resim.detector.formula_parser import BLANKS, Parser, tokens_of


@dataclass(frozen=True, slots=True)
class Formula:
    """A formula as a list of steps, equal parts only once; the last step is the result.

    Attributes:
        text: the formula without blanks.
        variables: the variables that it uses.
        steps: the operations.
        last_uses: for every step, which results are not needed after it.
    """

    text: str
    variables: frozenset[str]
    steps: tuple[Step, ...]
    last_uses: tuple[tuple[int, ...], ...]

    @classmethod
    def parse(cls, text: str, variables: Sequence[str]) -> "Formula":
        """Parse a formula.

        Operators are those of C++ and `^` (or `**`) for powers; `1.3e-3^2` is (1.3e-3)². Functions may carry
        `TMath::`.

        Args:
            text: the formula.
            variables: names that it may use.

        Raises:
            InputError: syntax, an unknown name, or too deep nesting.
        """
        parser = Parser(tokens_of(text), tuple(variables))
        result = parser.parse()
        steps = tuple(parser.steps[: result + 1])
        used = frozenset(step.operation for step in steps if not step.arguments and step.operation in variables)
        return cls(BLANKS.sub("", text), used, steps, _last_uses(steps))

    def __call__(self, columns: Mapping[str, Floats], size: int) -> Floats:
        """Evaluate.

        Args:
            columns: `(size,)` values of at least the variables that the formula uses.
            size: number of values.

        Returns:
            `(size,)` float64; NaN or infinite where the formula is.
        """
        values: list[Any] = []
        with np.errstate(all="ignore"):
            for step, unused in zip(self.steps, self.last_uses, strict=True):
                if step.arguments:
                    values.append(apply(step, [values[i] for i in step.arguments]))
                else:
                    values.append(step.constant if step.operation == "constant" else columns[step.operation])
                for i in unused:
                    values[i] = None
        return np.ascontiguousarray(np.broadcast_to(np.asarray(as_number(values[-1]), np.float64), (size,)))


def _last_uses(steps: Sequence[Step]) -> tuple[tuple[int, ...], ...]:
    last = {i: number for number, step in enumerate(steps) for i in step.arguments}
    unused: list[list[int]] = [[] for _ in steps]
    for i, number in last.items():
        unused[number].append(i)
    return tuple(tuple(results) for results in unused)
