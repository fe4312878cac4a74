"""Columns of candidates as Arrow arrays."""

import numpy as np
import pyarrow as pa

from regsosek.simulation.draws.margins import NOT_GIVEN
from regsosek.simulation.draws.randomness import Integers

Columns = dict[str, pa.Array]
_SMALL = np.iinfo(np.int16).max


def numbers(values: Integers) -> pa.Array:
    """Whole numbers in as few bytes as they need; NOT_GIVEN is missing."""
    narrow = np.int16 if values.size == 0 or values.max() <= _SMALL else np.int64
    return pa.array(values.astype(narrow), mask=values == NOT_GIVEN)
