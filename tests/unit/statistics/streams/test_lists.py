"""Verified lists through splits, merges and renames: every family stays, and every code is one of the frame."""

from itertools import count

from hypothesis import given
from hypothesis import strategies as st

from regsosek.statistics.streams.lists import Counts, Statement, placed_lists

A, B, A1, A2, M = "A", "B", "A1", "A2", "M"
TEN: Counts = (10, 1, 2, 3, 5)
_TIMES = count()


def told(source: str, target: str = "", counts: Counts | None = TEN, *, not_found: bool = False) -> Statement:
    """A statement later than all before."""
    time = next(_TIMES)
    return Statement(source, target or source, not_found, counts, (time,), f"D{time:06d}")


def families(statements: list[Statement], loads: dict[str, int], heirs: dict[str, list[str]]) -> dict[str, int | None]:
    found, _ = placed_lists(statements, loads, heirs)
    return {code: each.counts[0] if each.counts else None for code, each in found.items()}


def test_a_list_stands_at_its_own_code() -> None:
    assert families([told(A)], {A: 60}, {}) == {A: 10}


def test_a_rename_keeps_the_code_and_replaces_the_list_before() -> None:
    assert families([told(A), told(A, A, (12, 0, 0, 0, 12))], {A: 60}, {}) == {A: 12}


def test_the_parts_of_a_split_have_their_own_lists_and_the_former_list_goes() -> None:
    statements = [told(A), told(A, A1, (4, 0, 1, 1, 2)), told(A, A2, (6, 1, 1, 2, 3))]
    assert families(statements, {A1: 30, A2: 30}, {A: [A1, A2]}) == {A1: 4, A2: 6}


def test_a_list_entered_before_a_split_goes_to_its_parts_by_load() -> None:
    found, _ = placed_lists([told(A)], {A1: 40, A2: 20}, {A: [A1, A2]})
    first, second = found[A1].counts, found[A2].counts
    assert first
    assert second
    assert tuple(map(sum, zip(first, second, strict=True))) == TEN
    assert first[0] == sum(first[2:])
    assert first[0] in {6, 7}


def test_merged_lists_add_up_and_one_that_is_missing_leaves_nothing_entered() -> None:
    loads, heirs = {M: 90}, {A: [M], B: [M]}
    assert families([told(A, M), told(B, M, (5, 0, 0, 0, 5))], loads, heirs) == {M: 15}
    assert families([told(A, M), told(B, M, None)], loads, heirs) == {M: None}


def test_what_was_not_found_is_entered_and_holds_nobody() -> None:
    found, _ = placed_lists([told(A, M), told(B, M, None, not_found=True), told("C", "", None, not_found=True)],
                            {M: 90, "C": 10}, {})  # fmt: skip
    assert (found[M].counts, found[M].not_found) == (TEN, False)
    assert (found["C"].counts, found["C"].not_found) == (None, True)


def test_a_split_that_the_frame_does_not_know_yet_stays_with_what_it_came_from() -> None:
    statements = [told(A, A1, (4, 0, 0, 0, 4)), told(A, A2, (6, 0, 0, 0, 6))]
    assert families(statements, {A: 60}, {}) == {A: 10}


def test_an_empty_line_of_the_former_code_does_not_undo_a_split() -> None:
    statements = [told(A, A1, (4, 0, 0, 0, 4)), told(A, "", None)]
    assert families(statements, {A1: 60}, {A: [A1]}) == {A1: 4}


def test_a_code_that_nobody_knows_is_told_and_placed_nowhere() -> None:
    found, lost = placed_lists([told("X")], {A: 60}, {})
    assert not found
    assert [each.source for each in lost] == ["X"]


def test_the_newest_contributing_delivery_is_named() -> None:
    first, second = told(A, M), told(B, M)
    assert placed_lists([second, first], {M: 1}, {})[0][M].newest[1] == second.delivery_id


CODES = [f"S{number}" for number in range(8)]


@st.composite
def worlds(draw: st.DrawFn) -> tuple[list[Statement], dict[str, int], dict[str, list[str]]]:
    """Codes that became later ones, and a list for some: as it was, or for each of what it became."""
    heirs: dict[str, list[str]] = {}
    for place, code in enumerate(CODES[:-1]):
        heirs[code] = draw(st.lists(st.sampled_from(CODES[place + 1 :]), max_size=3, unique=True))
    loads = {code: draw(st.integers(0, 90)) for code in CODES if not heirs.get(code)}
    statements = []
    for code in draw(st.lists(st.sampled_from(CODES), unique=True)):
        targets = heirs.get(code) if draw(st.booleans()) else None
        for target in targets or [code]:
            classes = tuple(draw(st.integers(0, 40)) for _ in range(3))
            statements.append(told(code, target, (sum(classes), draw(st.integers(0, 5)), *classes)))
    return statements, loads, heirs


@given(worlds())
def test_no_family_is_lost_or_made(world: tuple[list[Statement], dict[str, int], dict[str, list[str]]]) -> None:
    statements, loads, heirs = world
    found, lost = placed_lists(statements, loads, heirs)
    assert not lost
    assert set(found) <= set(loads)
    for column in range(5):
        said = sum(each.counts[column] for each in statements if each.counts)
        assert sum(each.counts[column] for each in found.values() if each.counts) == said
