"""Places that changed are counted with what they came from."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regsosek.statistics.measures.denominators import lineages

SPLIT, MERGE, RENAME = 1, 2, 3


@pytest.mark.parametrize(
    ("changes", "together"),
    [
        ([("a", "b", RENAME, "desa")], [{"a", "b"}]),
        ([("a", "c", MERGE, "desa"), ("b", "c", MERGE, "desa")], [{"a", "b", "c"}]),
        ([("a", "b", SPLIT, "desa"), ("a", "c", SPLIT, "desa")], [{"a", "b", "c", "desa"}]),
        ([("a", "b", RENAME, "desa"), ("b", "c", RENAME, "desa")], [{"a", "b", "c"}]),
        ([("a", "b", RENAME, "desa"), ("x", "y", RENAME, "desa")], [{"a", "b"}, {"x", "y"}]),
        ([("a", "b", SPLIT, None)], [{"a", "b"}]),
    ],
)
def test_changes_put_codes_together(changes: list[tuple[str, str, int, str | None]], together: list[set[str]]) -> None:
    found = lineages(changes)
    assert sorted(map(sorted, together)) == sorted(
        sorted(code for code in found if found[code] == root) for root in set(found.values())
    )


codes = st.sampled_from("abcdefgh")


@given(st.lists(st.tuples(codes, codes, st.sampled_from([MERGE, RENAME]), st.none()), max_size=12))
def test_the_order_of_changes_does_not_matter(changes: list[tuple[str, str, int, None]]) -> None:
    assert lineages(changes) == lineages(reversed(changes))
