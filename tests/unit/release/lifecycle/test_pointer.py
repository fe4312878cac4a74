"""What readers see moves forward only, by night and revision, whatever is published in which order."""

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regsosek.errors import LostRaceError
from regsosek.landing.store import ABSENT
from regsosek.release.lifecycle.pointer import POINTER, Position, move_forward, seen

FIRST = date(2022, 10, 21)


class OneObject:
    """A bucket with the pointer in it."""

    def __init__(self) -> None:
        self.content: bytes | None = None
        self.writes = 0

    def get_bytes(self, bucket: str, key: str, *, max_bytes: int) -> bytes | None:
        assert key == POINTER
        return self.content

    def etag(self, bucket: str, key: str) -> str:
        assert key == POINTER
        return ABSENT if self.content is None else str(self.writes)

    def put_bytes(self, bucket: str, key: str, content: bytes, *, over: str | None = None) -> None:
        assert key == POINTER
        assert over == self.etag(bucket, key)
        self.content, self.writes = content, self.writes + 1


def position(day: int, revision: int, **more: Any) -> Position:
    night = FIRST + timedelta(days=day)
    name = f"{night}-{revision:012d}"
    return Position(name, night, revision, "0" * 64, f"rilis/{name}/", **more)


def move(store: Any, candidate: Position) -> bool:
    return move_forward(store, "release", candidate, seen(store, "release"))


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(1, 3)), min_size=1))
def test_readers_see_the_last_revision_of_the_newest_night_whatever_the_order(order: list[tuple[int, int]]) -> None:
    store: Any = OneObject()
    for at, each in enumerate(order):
        assert move(store, position(*each)) == (each == max(order[: at + 1]))
        assert seen(store, "release") == position(*max(order[: at + 1]))


def test_the_same_release_again_writes_nothing() -> None:
    store: Any = OneObject()
    assert [move(store, position(1, 1)), move(store, position(1, 1)), store.writes] == [True, True, 1]


def test_what_was_rolled_back_stays_back_for_good() -> None:
    store: Any = OneObject()
    move(store, position(0, 1))
    store.content = store.content.replace(b'"rolled_back": []', b'"rolled_back": ["2022-10-22-000000000001"]')
    assert not move(store, position(1, 1))
    assert move(store, position(1, 2))
    assert move(store, position(2, 1))
    assert seen(store, "release") == replace(position(2, 1), rolled_back=("2022-10-22-000000000001",))


def test_a_pointer_from_before_revisions_were_counted_is_read() -> None:
    store: Any = OneObject()
    move(store, position(1, 1))
    store.content = store.content.replace(b'  "revision": 1,\n', b"").replace(b',\n  "rolled_back": []', b"")
    assert seen(store, "release") == replace(position(1, 1), revision=0)
    assert move(store, position(1, 1))


def test_a_pointer_that_somebody_else_moved_meanwhile_is_not_overwritten() -> None:
    store: Any = OneObject()
    move(store, position(1, 1))
    stale = seen(store, "release")
    move(store, position(2, 1))
    with pytest.raises(LostRaceError, match="moved by somebody else"):
        move_forward(store, "release", position(3, 1), stale)
    assert seen(store, "release") == position(2, 1)
