"""A rejection that rests on what the object store said, taken up again: no earlier night moves, nobody sends anew"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text

from regsosek.alerts.decisions import alert_decisions
from regsosek.asking.deliveries import delivery_detail
from regsosek.asking.night_history import province_lines
from regsosek.errors import DecisionError
from regsosek.night import deciding
from regsosek.night.deciding import Decided
from regsosek.night.replaying import replay
from regsosek.settings import Settings
from support.checks.matrix import cells
from support.checks.traces_left import contents, on_landing
from support.deliveries.families import PROVINCE
from support.worlds.field_world import CompiledJudge, Family, FieldWorld, family, faulty, few_rules, prepared_world
from support.worlds.other_process import Step, interrupted

TABLES_ALONE = True
NIGHTS = NIGHT, NEXT, THIRD = tuple(date(2022, 10, 21) + timedelta(days=n) for n in range(3))
AT = datetime(2022, 10, 20, 12, tzinfo=UTC)
LIMITS = "province,dataset,limit_percent,least_rows,source\n*,keluarga,40,2,test\n*,anggota,100,2,test\n"


class Killed(BaseException):
    """The end of a process, for what runs in this one."""


def die() -> None:
    raise Killed


@pytest.fixture(scope="module")
def prepared(services_env: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[FieldWorld]:
    with prepared_world(services_env, tmp_path_factory, few_rules(), LIMITS) as world:
        yield world


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Judges by the compiled SQL, in replays and decisions too."""
    monkeypatch.setattr("regsosek.night.discovery.applicable_rules.Judge", CompiledJudge)


def deliver(world: FieldWorld, night: date, families: list[Family], minute: int = 0) -> str:
    return world.deliver(night, families, produced_at=AT + (night - NIGHT) + timedelta(minutes=minute))


def key(delivery_id: str, name: str) -> str:
    return f"landing/prov={PROVINCE}/tanggal={NIGHT}/{delivery_id}/{name}"


def hidden(world: FieldWorld, delivery_id: str, name: str, content: bytes | None = None) -> bytes:
    """Takes a file of the delivery away, or puts another one in its place, for as long as the store is wrong."""
    store, landing = world.resources.store, world.resources.settings.landing_bucket
    sound = store.get_bytes(landing, key(delivery_id, name), max_bytes=10**6)
    assert sound is not None
    if content is None:
        store.delete(landing, key(delivery_id, name))
    else:
        store.put_bytes(landing, key(delivery_id, name), content)
    return sound


def shown_again(world: FieldWorld, delivery_id: str, name: str, sound: bytes) -> None:
    world.resources.store.put_bytes(world.resources.settings.landing_bucket, key(delivery_id, name), sound)


def retry(world: FieldWorld, delivery_id: str, reason: str = "the store is well again") -> Decided:
    return deciding.retry(world.resources, PROVINCE, delivery_id, world.suites, by="sari", reason=reason)


def rejected_then_a_night(world: FieldWorld, families: list[Family] | None = None, name: str = "manifest.json") -> str:
    """A clean delivery and one that the store spoils on the first night, news on the second; the store is well now."""
    deliver(world, NIGHT, [family("A", number=1)])
    spoiled = deliver(world, NIGHT, families or [family("B", number=2), family("C", number=3)], minute=1)
    sound = hidden(world, spoiled, name, b"<html>" if name == "manifest.json" else None)
    world.run(NIGHT)
    deliver(world, NEXT, [family("D", number=4)])
    world.run(NEXT)
    shown_again(world, spoiled, name, sound)
    return spoiled


def of(world: FieldWorld, delivery_id: str) -> tuple[Any, ...]:
    [row] = world.rows(
        "SELECT state, reason, decided_night FROM ledger.delivery WHERE delivery_id = :id", id=delivery_id
    )
    return row


def visited(world: FieldWorld, night: date) -> int:
    return sum(row[2] for row in world.progress(night))


def pictures(world: FieldWorld, night: date) -> Any:
    with world.resources.engine.connect() as connection:
        return province_lines(connection, night)


@pytest.mark.parametrize("name", ["manifest.json", "keluarga-00001.csv.gz"])
def test_a_retried_delivery_counts_from_the_deciding_night_and_earlier_pictures_stay(
    world: FieldWorld, name: str
) -> None:
    spoiled = rejected_then_a_night(world, name=name)
    reason = "manifest_unreadable" if name == "manifest.json" else "file_missing"
    assert of(world, spoiled) == ("rejected", reason, None)
    before = pictures(world, NIGHT)
    decided = retry(world, spoiled)
    assert (decided.night, decided.state) == (NEXT, "accepted")
    assert of(world, spoiled) == ("accepted", None, NEXT)
    assert (visited(world, NIGHT), visited(world, NEXT)) == (1, 4)
    assert pictures(world, NIGHT) == before
    with world.resources.engine.connect() as connection:
        [line] = delivery_detail(connection, PROVINCE, spoiled).decisions
    assert (line.kind, line.by, line.reason, line.night) == ("retried", "sari", "the store is well again", NEXT)


@pytest.mark.parametrize(
    "first", cells({"all nights": NIGHT, "two nights": NEXT, "one night": THIRD}, always={"all nights"})
)
def test_a_replay_repeats_the_rejection_and_the_retry(world: FieldWorld, first: date) -> None:
    spoiled = rejected_then_a_night(world)
    retry(world, spoiled)
    deliver(world, THIRD, [family("B", 2, number=2)])
    world.run(THIRD)
    before = contents(world, NIGHTS)
    replay(on_landing(world, world.resources.settings.release_bucket).resources, first, [PROVINCE])
    assert contents(world, NIGHTS) == before


def test_a_retry_in_the_night_of_arrival_is_replayed_the_same(world: FieldWorld) -> None:
    spoiled = deliver(world, NIGHT, [family("B", number=2)])
    sound = hidden(world, spoiled, "keluarga-00001.csv.gz")
    world.run(NIGHT)
    shown_again(world, spoiled, "keluarga-00001.csv.gz", sound)
    assert retry(world, spoiled).night == NIGHT
    before = contents(world, [NIGHT])
    replay(on_landing(world, world.resources.settings.release_bucket).resources, NIGHT, [PROVINCE])
    assert contents(world, [NIGHT]) == before
    assert (of(world, spoiled), visited(world, NIGHT)) == (("accepted", None, NIGHT), 1)


def test_a_lost_warehouse_comes_back_with_its_retries(world: FieldWorld) -> None:
    retry(world, rejected_then_a_night(world))
    before = contents(world, (NIGHT, NEXT))
    with world.resources.engine.begin() as connection:
        connection.execute(text("TRUNCATE " + ", ".join(name for name in before if "." in name)))
    for night in (NIGHT, NEXT):
        on_landing(world, world.resources.settings.release_bucket).run(night)
    assert contents(world, (NIGHT, NEXT)) == before


def test_what_is_rejected_again_is_retried_again_then_held_then_freed(world: FieldWorld) -> None:
    bad = [faulty("B", number=2), faulty("C", number=3)]
    spoiled = rejected_then_a_night(world, bad)
    sound = hidden(world, spoiled, "manifest.json", b"<html>")
    assert retry(world, spoiled).state == "rejected"
    shown_again(world, spoiled, "manifest.json", sound)
    assert retry(world, spoiled, "now it is").state == "held"
    deliver(world, THIRD, [family("E", number=5)])
    world.run(THIRD)
    held = pictures(world, NEXT)
    assert [each.held_deliveries for each in held if each.province == PROVINCE] == [1]
    deciding.free(world.resources, PROVINCE, spoiled, world.suites, by="budi", reason="checked")
    assert of(world, spoiled) == ("accepted", None, THIRD)
    assert pictures(world, NEXT) == held
    before = contents(world, NIGHTS)
    replay(on_landing(world, world.resources.settings.release_bucket).resources, NIGHT, [PROVINCE])
    assert contents(world, NIGHTS) == before


RECEIVING, DECIDING = "regsosek.night.receiving.receiving", "regsosek.night.deciding"


@pytest.mark.parametrize(
    "step",
    cells(
        [
            Step(f"{DECIDING}.write_decision"),
            Step("regsosek.warehouse.nights.holding.apply_decision"),
            Step("regsosek.night.receiving.parts.load_part"),
            Step(f"{RECEIVING}.refresh_province", before=True),
        ],
        always={"after apply_decision 1"},
    ),
)
def test_a_killed_retry_is_carried_out_by_the_next_run(world: FieldWorld, step: Step) -> None:
    spoiled = rejected_then_a_night(world)
    with interrupted(step, die), pytest.raises(Killed):
        retry(world, spoiled)
    world.run(THIRD)
    assert (of(world, spoiled), visited(world, NEXT)) == (("accepted", None, NEXT), 4)
    before = contents(world, NIGHTS)
    world.run(NEXT)
    replay(world.resources, NIGHT, [PROVINCE])
    assert contents(world, NIGHTS) == before


def test_a_recorded_retry_is_carried_out_by_a_run_and_told_once(world: FieldWorld) -> None:
    spoiled = rejected_then_a_night(world)
    deciding.record(world.resources, PROVINCE, spoiled, "retried", world.suites, by="sari", reason="checked")
    assert (of(world, spoiled), visited(world, NEXT)) == (("registered", None, NEXT), 2)
    world.run(NEXT)
    assert (of(world, spoiled), visited(world, NEXT)) == (("accepted", None, NEXT), 4)
    for _ in range(2):
        alert_decisions(world.resources.alerter, world.resources.settings, NEXT, [PROVINCE])
    told = world.rows("SELECT kind FROM alert.outbox WHERE kind LIKE '% after %'")
    assert told == [(f"digest after {spoiled}@1",)]


def test_only_what_rests_on_a_reading_is_retried(world: FieldWorld) -> None:
    accepted = deliver(world, NIGHT, [family("A", number=1)])
    stranger = world.deliver(
        NIGHT, [family("B", number=2)], produced_at=AT + timedelta(minutes=1), supersedes=["01GFXKQ2Z8V3M5N7P9R1T3W5Z9"]
    )
    world.run(NIGHT)
    assert of(world, stranger)[:2] == ("rejected", "supersedes_unknown")
    for delivery_id, told in (
        (accepted, "is accepted"),
        (stranger, r"rejected \(supersedes_unknown\), not rejected for"),
    ):
        with pytest.raises(DecisionError, match=told):
            retry(world, delivery_id)
    with pytest.raises(DecisionError, match="is unknown"):
        retry(world, "01GFXKQ2Z8V3M5N7P9R1T3W5Z9")
    with pytest.raises(DecisionError, match="needs a reason"):
        retry(world, accepted, " ")


def test_what_was_replaced_meanwhile_is_not_taken_up_again(world: FieldWorld) -> None:
    spoiled = rejected_then_a_night(world)
    successor = world.deliver(THIRD, [family("B", number=2)], produced_at=AT + timedelta(days=2), supersedes=[spoiled])
    world.run(THIRD)
    with pytest.raises(DecisionError, match=f"was replaced by {successor}"):
        retry(world, spoiled)
    assert [case[:2] for case in world.cases()] == [("A", "loaded"), ("B", "loaded"), ("D", "loaded")]
