"""Names for the types of arrays; the shape stands where an array is described."""

from typing import Any

import numpy as np
import numpy.typing as npt

Integers = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Floats32 = npt.NDArray[np.float32]
Booleans = npt.NDArray[np.bool_]
Arrays = dict[str, npt.NDArray[Any]]
"""Columns by name."""
