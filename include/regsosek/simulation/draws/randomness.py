"""Random draws that are pure functions of a key: in any batch, order or process a family answers alike."""

from dataclasses import dataclass
from functools import cache
from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray

Keys = NDArray[np.uint64]
Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Flags = NDArray[np.bool_]

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_FIRST = np.uint64(0xBF58476D1CE4E5B9)
_SECOND = np.uint64(0x94D049BB133111EB)
_UNIT = 2.0**-53


@cache
def name_key(name: str) -> np.uint64:
    """The number that a name stands for, the same in every process."""
    return np.uint64(int.from_bytes(blake2b(name.encode(), digest_size=8).digest(), "big"))


def mixed(keys: Keys, salt: Keys | np.uint64) -> Keys:
    """New keys from ``keys`` and ``salt``: the finaliser of SplitMix64, one to one in ``keys``."""
    with np.errstate(over="ignore"):
        state = (keys ^ salt) + _GOLDEN
        state = (state ^ (state >> np.uint64(30))) * _FIRST
        state = (state ^ (state >> np.uint64(27))) * _SECOND
    return np.asarray(state ^ (state >> np.uint64(31)), dtype=np.uint64)


def seeded(seed: int, name: str, numbers: NDArray[np.integer]) -> Keys:
    """Keys of the things numbered ``numbers`` of the kind ``name`` under ``seed``."""
    start = mixed(np.array([seed], dtype=np.uint64), name_key(name))[0]
    return mixed(numbers.astype(np.uint64), start)


@dataclass(frozen=True)
class Draws:
    """Draws for a set of keys; each draw has a name, equal names give equal draws."""

    keys: Keys

    def uniform(self, name: str) -> Floats:
        """In [0, 1)."""
        salted = mixed(self.keys, name_key(name))
        return np.asarray((salted >> np.uint64(11)) * _UNIT, dtype=np.float64)

    def normal(self, name: str) -> Floats:
        """Standard normal (Box-Muller)."""
        radius = np.sqrt(-2.0 * np.log1p(-self.uniform(name)))
        return np.asarray(radius * np.cos(2 * np.pi * self.uniform(f"{name}/angle")), dtype=np.float64)

    def chance(self, name: str, probability: Floats | float) -> Flags:
        """True with ``probability``."""
        return np.asarray(self.uniform(name) < probability, dtype=np.bool_)

    def integer(self, name: str, low: int, high: Integers | int) -> Integers:
        """From ``low`` to ``high``, both included."""
        return np.asarray(low + np.floor(self.uniform(name) * (high - low + 1)), dtype=np.int64)

    def geometric(self, name: str, again: Floats | float) -> Integers:
        """How often something happened again in a row, each time with probability ``again``."""
        survival = np.log1p(-self.uniform(name))
        return np.asarray(np.floor(survival / np.log(again)), dtype=np.int64)

    def among(self, name: str, shares: dict[int, float]) -> Integers:
        """One of the codes, by their shares."""
        limits = np.cumsum(list(shares.values()))
        place = np.searchsorted(limits, self.uniform(name) * limits[-1], side="right")
        return np.asarray(np.array(list(shares))[place], dtype=np.int64)
