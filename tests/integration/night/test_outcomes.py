"""What a process has in its hands of a night: the same that the ledger says of it to any other process."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from regsosek.night import deciding
from regsosek.night.receiving import province_night, receiving
from regsosek.night.receiving.province_night import ProvinceNight
from regsosek.settings import Settings
from support.deliveries.families import PROVINCE
from support.worlds.field_world import FieldWorld, family, faulty, few_rules, prepared_world

TABLES_ALONE = True
DAY_BEFORE, NIGHT, NEXT = (date(2022, 10, 20) + timedelta(days=n) for n in range(3))
AT = datetime(2022, 10, 20, 12, tzinfo=UTC)
# So small that two families are a share.
LIMITS = "province,dataset,limit_percent,least_rows,source\n*,keluarga,40,2,test\n*,anggota,100,2,test\n"


@pytest.fixture(scope="module")
def prepared(services_env: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[FieldWorld]:
    with prepared_world(services_env, tmp_path_factory, few_rules(), LIMITS) as world:
        yield world


@pytest.fixture
def varied(world: FieldWorld) -> str:
    """One delivery of each fate, and one that is held until another one replaces it; the id of the one that is held."""
    parts = [[family("A"), family("B", number=2)], [faulty("C", number=3)]]
    accepted = world.deliver(DAY_BEFORE, parts, produced_at=AT)
    world.deliver(NIGHT, [family("A")], produced_at=AT, delivery_id=accepted)
    held = world.deliver(NIGHT, [faulty("D", number=4), faulty("E", number=5)], produced_at=AT + timedelta(minutes=1))
    spoilt = {"totals": {"keluarga": 99, "anggota": 2}}
    world.deliver(NIGHT, [family("F", number=6)], produced_at=AT + timedelta(minutes=2), spoil=spoilt)
    wrong = [faulty("G", number=7), faulty("H", number=8)]
    replaced = world.deliver(NIGHT, wrong, produced_at=AT + timedelta(minutes=3))
    better = [family("G", 2, number=7), family("H", 2, number=8)]
    world.deliver(NIGHT, better, produced_at=AT + timedelta(minutes=4), supersedes=[replaced])
    return held


def said(done: ProvinceNight) -> list[tuple[Any, ...]]:
    return [
        (
            each.folder, each.state, each.reason, each.detail, each.instrument, each.rows, each.violations,
            set(each.shares),
        )
        for each in done.outcomes
    ]  # fmt: skip


def state_of(done: ProvinceNight, delivery_id: str) -> str:
    [found] = [each.state for each in done.outcomes if each.entry.delivery_id == delivery_id]
    return found


def test_outcomes_in_hand_are_those_of_the_ledger(world: FieldWorld, varied: str) -> None:
    done = world.run(NIGHT)
    assert done.states == {"accepted": 2, "held": 1, "rejected": 3}
    assert {each.reason for each in done.outcomes} == {
        None, "id_reused", "manifest_invalid", "superseded_while_held",
    }  # fmt: skip
    assert said(done) == said(world.run(NIGHT))


def test_outcomes_of_a_freed_delivery_are_those_of_the_ledger(world: FieldWorld, varied: str) -> None:
    world.run(NIGHT)
    world.run(NEXT)
    deciding.record(world.resources, PROVINCE, varied, "freed", world.suites, by="sari", reason="checked")
    done = world.run(NEXT)
    assert done.states == {}
    assert state_of(done, varied) == "accepted"
    assert said(done) == said(world.run(NEXT))
    assert state_of(world.run(NIGHT), varied) == "accepted"


def test_outcomes_of_a_night_taken_up_again_are_those_of_the_whole_night(
    world: FieldWorld, varied: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(receiving, "refresh_province", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            world.run(NIGHT)
    late = world.deliver(NEXT, [family("I", number=9)], produced_at=AT + timedelta(days=1))
    assert state_of(world.run(NEXT), late) == "accepted"
    assert world.run(NIGHT).states == {"accepted": 2, "held": 1, "rejected": 3}


def test_nothing_in_hand_is_read_again(world: FieldWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    def read_again(*_: Any) -> None:
        raise AssertionError

    monkeypatch.setattr(receiving, "receipt_of", read_again)
    monkeypatch.setattr(province_night, "read_outcomes", read_again)
    world.deliver(NIGHT, [family("A"), faulty("B", number=2), family("C", number=3)], produced_at=AT)
    world.deliver(NIGHT, [faulty("D", number=4), faulty("E", number=5)], produced_at=AT + timedelta(minutes=1))
    assert world.run(NIGHT).states == {"accepted": 1, "held": 1}
