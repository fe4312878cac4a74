"""A night is received only on top of all sealed nights before it, whichever way it is asked for; a gap is seen."""

import signal
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import text
from typer.testing import CliRunner

from local_services.postgres import PostgresServer
from regsosek.cli.main import app
from regsosek.errors import AuditError, SealedNightError
from regsosek.night import auditing
from regsosek.night.discovery.sealing import reopen_night
from regsosek.night.replaying import replay
from regsosek.release.publish import publish
from regsosek.resources import open_resources
from regsosek.settings import Settings
from regsosek.statistics.definitions.as_of import last_refreshed
from regsosek.warehouse.locks import province_lock
from regsosek.warehouse.nights import ledger
from regsosek.watchdog.finding import FindingKind
from regsosek.watchdog.rounds import watch
from support.checks.command_line import environment
from support.checks.traces_left import contents, lose_warehouse
from support.deliveries.families import PROVINCE
from support.worlds.field_world import CompiledJudge, FieldWorld, family, faulty, few_rules
from support.worlds.other_process import Step, die, start_night, start_replay
from support.worlds.published_world import PUBLISHED_RULES

TABLES_ALONE = True
NIGHTS = NIGHT, NEXT, THIRD, FOURTH = tuple(date(2022, 10, 21) + timedelta(days=n) for n in range(4))
AT = datetime(2022, 10, 20, 12, tzinfo=UTC)
DAY = timedelta(days=1)
REPLAY = f"regsosek replay --from {NEXT} -p {PROVINCE}"


@pytest.fixture(scope="module")
def prepared(services_env: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[FieldWorld]:
    with open_resources(services_env) as resources:
        world = FieldWorld(resources, few_rules(PUBLISHED_RULES))
        world.prepare(tmp_path_factory.mktemp("reference"))
        yield world


@pytest.fixture(autouse=True)
def _compiled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("regsosek.night.discovery.applicable_rules.Judge", CompiledJudge)


@pytest.fixture
def three_nights(world: FieldWorld) -> FieldWorld:
    """Three received nights; each corrects a family of the night before and brings one."""
    for number, night in enumerate(NIGHTS[:3]):
        families = [family(f"D{number}", number=number + 1)]
        families += [family(f"D{number - 1}", 2, number=number, r302_luas_lantai="60")] if number else []
        world.deliver(night, families, produced_at=AT + number * DAY)
        world.run(night)
    return world


def back_to_the_dump(world: FieldWorld, first: date = NEXT) -> FieldWorld:
    """The warehouse as a dump before ``first`` has it."""
    with world.resources.engine.begin() as connection:
        ledger.forget(connection, PROVINCE, first)
        connection.execute(text("DELETE FROM release.release WHERE night >= :first"), {"first": first})
    return world


def stands_at(world: FieldWorld, night: date = FOURTH) -> date | None:
    with world.resources.engine.connect() as connection:
        return last_refreshed(connection, night).nights.get(PROVINCE)


def visited(world: FieldWorld) -> int:
    return int(world.rows("SELECT count(*) FROM core.kasus_terkini")[0][0])


@pytest.mark.parametrize("night", [THIRD, FOURTH, NIGHT - DAY], ids=["sealed", "new", "late"])
def test_a_night_on_top_of_lost_ones_is_refused_with_their_names_and_the_replay(
    three_nights: FieldWorld, night: date
) -> None:
    world = back_to_the_dump(three_nights)
    with pytest.raises(SealedNightError) as refused:
        world.run(night)
    assert REPLAY in str(refused.value)
    assert str(NEXT) in str(refused.value)
    assert (stands_at(world), visited(world)) == (NIGHT, 1)


def test_a_replay_from_a_day_too_late_is_refused_and_forgets_nothing(three_nights: FieldWorld) -> None:
    world = back_to_the_dump(three_nights)
    before = contents(world, ())
    with pytest.raises(SealedNightError, match=REPLAY):
        replay(world.resources, THIRD, [PROVINCE])
    assert contents(world, ()) == before


def test_a_replay_in_order_never_meets_the_refusal(three_nights: FieldWorld) -> None:
    whole = contents(three_nights, NIGHTS)
    world = back_to_the_dump(three_nights)
    replay(world.resources, NEXT, [PROVINCE])
    assert contents(world, NIGHTS) == whole
    world.run(FOURTH)
    assert stands_at(world) == FOURTH


def test_a_reopening_over_lost_nights_is_refused(three_nights: FieldWorld) -> None:
    world = back_to_the_dump(three_nights, THIRD)
    with pytest.raises(SealedNightError, match=f"replay --from {THIRD}"):
        reopen_night(world.resources, PROVINCE, NEXT, world.suites, "the network was down")


def test_a_night_reopened_after_the_dump_is_a_lost_one(three_nights: FieldWorld) -> None:
    world = three_nights
    dumped = contents(world, ())
    late = world.deliver(NEXT, [family("L", number=9)], produced_at=AT + DAY)
    reopen_night(world.resources, PROVINCE, NEXT, world.suites, "the network was down")
    with world.resources.engine.begin() as connection:
        own = {"province": PROVINCE, "late": late}
        connection.execute(text("DELETE FROM ledger.delivery WHERE province = :province AND delivery_id = :late"), own)
        connection.execute(text("DELETE FROM ledger.event"))
        connection.execute(
            text("UPDATE ledger.seal SET archived_bytes = archived_bytes - 100 WHERE night = :n"), {"n": NEXT}
        )
        ledger.note_refreshed(connection, PROVINCE, NEXT)
    assert contents(world, ())["ledger.delivery"] == dumped["ledger.delivery"]
    with pytest.raises(SealedNightError, match=REPLAY):
        world.run(FOURTH)
    replay(world.resources, NEXT, [PROVINCE])
    assert world.rows("SELECT night, state FROM ledger.delivery WHERE delivery_id = :id", id=late) == [
        (NEXT, "accepted")
    ]


REPLAYING = "regsosek.night.replaying"
RECEPTION = "regsosek.night.receiving.reception"


@pytest.mark.parametrize(
    ("step", "night"),
    [(Step(f"{REPLAYING}.receive_locked", before=True), THIRD), (Step(f"{REPLAYING}.receive_locked"), FOURTH)],
    ids=["forgotten", "one of two"],
)
def test_a_killed_replay_is_no_whole_province(three_nights: FieldWorld, step: Step, night: date) -> None:
    world = three_nights
    whole = contents(world, NIGHTS)
    process = start_replay(world, NEXT, PROVINCE, step, die)
    process.join(60)
    assert process.exitcode == -signal.SIGKILL
    stood = stands_at(world)
    assert stood is not None and stood < THIRD
    with pytest.raises(SealedNightError, match="regsosek replay --from"):
        world.run(night)
    replay(world.resources, NEXT, [PROVINCE])
    assert contents(world, NIGHTS) == whole


@pytest.mark.parametrize("night", [THIRD, FOURTH], ids=["sealed", "new"])
def test_a_replay_killed_within_a_night_is_taken_up_by_the_next_run(three_nights: FieldWorld, night: date) -> None:
    world = three_nights
    whole = contents(world, NIGHTS)
    back_to_the_dump(world)
    step = Step(f"{RECEPTION}.fetch_files", call=1 if night == THIRD else 2)
    process = start_replay(world, NEXT, PROVINCE, step, die)
    process.join(60)
    assert process.exitcode == -signal.SIGKILL
    world.run(night)
    if night == FOURTH:
        with world.resources.engine.begin() as connection:
            ledger.forget(connection, PROVINCE, FOURTH)
    assert contents(world, NIGHTS) == whole


def test_an_earlier_night_that_was_interrupted_is_completed_first(world: FieldWorld) -> None:
    world.deliver(NIGHT, [family("A")], produced_at=AT)
    process = start_night(world, NIGHT, PROVINCE, Step(f"{RECEPTION}.fetch_files"), die)
    process.join(60)
    world.deliver(NEXT, [family("B", number=2)], produced_at=AT + DAY)
    assert world.run(NEXT).states == {"accepted": 1}
    assert world.rows("SELECT night, state FROM ledger.delivery ORDER BY 1") == [
        (NIGHT, "accepted"), (NEXT, "accepted"),
    ]  # fmt: skip
    assert world.rows("SELECT night FROM mart.refreshed ORDER BY 1") == [(NIGHT,), (NEXT,)]


def test_an_older_warehouse_that_skipped_a_night_is_not_whole_behind_it(three_nights: FieldWorld) -> None:
    world = back_to_the_dump(three_nights)
    with pytest.raises(SealedNightError):
        world.run(THIRD)  # looks into the archive
    with world.resources.engine.begin() as connection:
        ledger.note_refreshed(connection, PROVINCE, THIRD)
    assert stands_at(world) == NIGHT


def test_a_release_over_lost_nights_names_the_replay_or_the_province(three_nights: FieldWorld) -> None:
    world, resources = three_nights, three_nights.resources
    publish(resources.publisher, resources.store, resources.settings, NEXT)
    with resources.engine.begin() as connection:
        ledger.forget(connection, PROVINCE, NEXT)
    with pytest.raises(AuditError, match=REPLAY):
        publish(resources.publisher, resources.store, resources.settings, THIRD)
    back_to_the_dump(world)
    with resources.engine.begin() as connection:  # as a version without the refusal left it
        ledger.note_refreshed(connection, PROVINCE, THIRD)
    assert PROVINCE in publish(resources.publisher, resources.store, resources.settings, THIRD).missing


def test_the_full_audit_sees_lost_nights_whatever_is_left_adds_up(three_nights: FieldWorld) -> None:
    resources = three_nights.resources
    publish(resources.publisher, resources.store, resources.settings, NIGHT)
    assert auditing.audit(resources, PROVINCE) == ()
    back_to_the_dump(three_nights)
    [told] = auditing.audit(resources, PROVINCE)
    assert REPLAY in told


def test_watchdog_and_status_see_lost_nights_before_anybody_asks_for_one(three_nights: FieldWorld) -> None:
    world = three_nights
    now = datetime(2022, 10, 24, 23, 30, tzinfo=UTC)

    def lost() -> list[str]:
        found = watch(world.resources.settings, now, "command", tell=False).findings
        return [each.detail for each in found if each.kind is FindingKind.NIGHTS_LOST]

    assert lost() == []
    back_to_the_dump(world)
    with province_lock(world.resources.engine, PROVINCE):
        assert lost() == []  # a replay is under way
    [told] = lost()
    assert f"from {NEXT} on" in told
    assert f"regsosek replay --from {NEXT}" in told
    assert CliRunner().invoke(app, ["status", "--json"], env=environment(world.resources.settings)).exit_code == 1


def hashes(world: FieldWorld, nights: tuple[date, ...]) -> list[tuple[str, str]]:
    """Releases the nights, oldest first."""
    resources = world.resources
    published = [publish(resources.publisher, resources.store, resources.settings, night) for night in nights]
    return [(each.release_id, each.content_hash) for each in published]


def test_a_replay_and_a_release_after_it_make_the_published_bytes_again(three_nights: FieldWorld) -> None:
    world, nights = three_nights, NIGHTS[:3]
    published = hashes(world, nights)
    replay(world.resources, NIGHT, [PROVINCE])
    assert hashes(world, nights) == published
    assert world.rows("SELECT night, max(revision) FROM release.release GROUP BY night ORDER BY night") == [
        (night, 1) for night in nights
    ]


def test_the_drill_from_an_empty_warehouse_makes_the_published_bytes_again(
    world: FieldWorld, postgres_server: PostgresServer, tmp_path: Path
) -> None:
    published = []
    for number, night in enumerate(NIGHTS):  # each night published when it was received, as it happens
        families = [family(f"D{number}", number=number + 1), faulty(f"E{number}", number=number + 20)]
        families += [family(f"D{number - 1}", 2, number=number, r302_luas_lantai="60")] if number else []
        world.deliver(night, families, produced_at=AT + number * DAY)
        world.run(night)
        published += hashes(world, (night,))
    lose_warehouse(world, postgres_server, tmp_path)
    replay(world.resources, NIGHT, [PROVINCE])
    assert hashes(world, NIGHTS) == published
