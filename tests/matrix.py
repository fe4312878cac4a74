"""Matrices and laws too large for every change: some of their cells are always tried, ``make test-all`` tries all."""

from collections.abc import Collection, Iterable, Mapping
from typing import Any

import pytest
from hypothesis import settings

EXHAUSTIVE = pytest.mark.exhaustive


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


def nights_of_a_law(usual: int) -> int:
    """Examples of a law over whole nights: ``usual`` of them, ten times as many in the profile ``long``."""
    return usual * max(1, settings().max_examples // 100)
