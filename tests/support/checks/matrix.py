"""How much of a matrix or a law is tried: a few cells at every change, most in CI, all by ``make test-all``."""

from collections.abc import Collection, Iterable, Mapping
from typing import Any

import pytest
from hypothesis import settings

EXHAUSTIVE, FULL = pytest.mark.exhaustive, pytest.mark.full


def cells(values: Iterable[Any] | Mapping[str, Any], *, always: Collection[Any]) -> list[Any]:
    """Parameters of a matrix; those that are not named in ``always`` bear the mark ``exhaustive``.

    Args:
        values: by name, or values that name themselves (``str``).
        always: names that every change tries.
    """
    named = values if isinstance(values, Mapping) else {str(each): each for each in values}
    unknown = set(always) - set(named)
    assert not unknown, f"no cells of this matrix: {sorted(unknown)}"
    return [pytest.param(each, id=name, marks=() if name in always else EXHAUSTIVE) for name, each in named.items()]


def sampled(values: Mapping[str, Any], every: int) -> list[Any]:
    """Parameters of a law; all but one in ``every`` bear the mark ``full``, which ``make test-unit`` leaves out."""
    return [pytest.param(v, id=name, marks=FULL if n % every else ()) for n, (name, v) in enumerate(values.items())]


def examples(usual: int) -> int:
    """Examples of a law: ``usual`` of them, ten times as many in the profile ``long``, a tenth in ``short``."""
    return max(1, usual * settings().max_examples // 100)
