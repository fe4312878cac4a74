"""The archive remembers: a warehouse that is lost, forgotten or behind its seals comes back as it was."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from local_services.postgres import PostgresServer
from regsosek.errors import ObjectStoreError
from regsosek.landing.archive import read_seal
from regsosek.night.discovery.sealing import reopen_night
from regsosek.night.replaying import replay
from regsosek.resources import open_resources
from regsosek.settings import Settings
from support.checks.traces_left import contents, lose_warehouse, on_landing
from support.deliveries.families import PROVINCE, csv_gz
from support.worlds.field_world import CompiledJudge, FieldWorld, family, faulty, few_rules
from support.worlds.other_process import Step, die, interrupted, start_night

TABLES_ALONE = True
NIGHTS = NIGHT, NEXT, THIRD = tuple(date(2022, 10, 21) + timedelta(days=n) for n in range(3))
AT = datetime(2022, 10, 20, 12, tzinfo=UTC)
DAY = timedelta(days=1)
SEALING = "regsosek.night.discovery.sealing"


@pytest.fixture(scope="module")
def scratch(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("reference")


@pytest.fixture(scope="module")
def prepared(services_env: Settings, scratch: Path) -> Iterator[FieldWorld]:
    with open_resources(services_env) as resources:
        world = FieldWorld(resources, few_rules())
        world.prepare(scratch)
        yield world


def put(world: FieldWorld, key: str, content: bytes) -> None:
    world.resources.store.put_bytes(world.resources.settings.landing_bucket, f"landing/prov={PROVINCE}/{key}", content)


def run(world: FieldWorld, nights: tuple[date, ...] = NIGHTS) -> None:
    for night in nights:
        world.run(night)


def eventful_nights(world: FieldWorld) -> FieldWorld:
    """Three nights with everything that sealing knows: rejections, a used id, half a folder, strays, a reopening."""
    first = world.deliver(NIGHT, [family("A"), faulty("B", number=2)], produced_at=AT)
    altered = world.deliver(NIGHT, [family("C", number=3)], produced_at=AT + timedelta(minutes=1))
    put(world, f"tanggal={NIGHT}/{altered}/anggota-00001.csv.gz", b"cut off")
    world.deliver(NIGHT, [family("D", number=4)], produced_at=AT + timedelta(minutes=2), spoil={"totals": 7})
    put(world, f"tanggal={NIGHT}/{first[:-1]}0/keluarga-00001.csv.gz", csv_gz("keluarga", []))
    put(world, f"tanggal={NIGHT}/readme.txt", b"a stray")
    world.run(NIGHT)
    put(world, f"tanggal={NEXT}/{first}/manifest.json", b"{}")
    world.deliver(NEXT, [family("B", 2, number=2), family("A")], produced_at=AT + DAY)
    world.run(NEXT)
    world.deliver(NIGHT, [family("E", number=5)], produced_at=AT + timedelta(hours=1))
    reopen_night(world.resources, PROVINCE, NIGHT, world.suites, "the network of one kabupaten was down")
    world.run(NIGHT)
    world.deliver(THIRD, [family("A", 2, r302_luas_lantai="60")], produced_at=AT + 2 * DAY)
    world.run(THIRD)
    return world


def without_landing(world: FieldWorld) -> FieldWorld:
    """The same world, its landing area an empty bucket."""
    return on_landing(world, world.resources.settings.release_bucket)


def test_a_lost_warehouse_comes_back_from_the_archive_alone(
    world: FieldWorld, postgres_server: PostgresServer, scratch: Path
) -> None:
    before = contents(eventful_nights(world), NIGHTS)
    states = world.rows("SELECT reason, count(*) FROM ledger.delivery GROUP BY 1 ORDER BY 1")
    assert states == [("file_size", 1), ("id_reused", 1), ("manifest_invalid", 1), (None, 4)]
    lose_warehouse(world, postgres_server, scratch)
    assert world.rows("SELECT count(*) FROM ledger.delivery") == [(0,)]
    run(without_landing(world))
    assert contents(world, NIGHTS) == before


def test_a_sealed_night_takes_nothing_new_into_a_new_warehouse(
    world: FieldWorld, postgres_server: PostgresServer, scratch: Path
) -> None:
    world.deliver(NIGHT, [family("A")], produced_at=AT)
    world.run(NIGHT)
    late = world.deliver(NIGHT, [family("B", number=2)], produced_at=AT + timedelta(hours=1))
    lose_warehouse(world, postgres_server, scratch)
    run(world, (NIGHT, NEXT))
    assert world.rows("SELECT night FROM ledger.delivery WHERE delivery_id = :id", id=late) == [(NEXT,)]


@pytest.mark.parametrize("first", NIGHTS, ids=["all nights", "two nights", "one night"])
def test_a_replay_leaves_everything_as_it_was(world: FieldWorld, first: date, monkeypatch: pytest.MonkeyPatch) -> None:
    before = contents(eventful_nights(world), NIGHTS)
    monkeypatch.setattr("regsosek.night.discovery.applicable_rules.Judge", CompiledJudge)
    replay(without_landing(world).resources, first, [PROVINCE])
    assert contents(world, NIGHTS) == before


def test_a_discovery_that_failed_leaves_no_trace_in_a_lost_warehouse(
    world: FieldWorld, postgres_server: PostgresServer, scratch: Path
) -> None:
    def fail() -> None:
        raise ObjectStoreError("put archive/seals: closed")

    world.deliver(NIGHT, [family("A")], produced_at=AT)
    with interrupted(Step(f"{SEALING}.write_seal", before=True), fail), pytest.raises(ObjectStoreError):
        world.run(NIGHT)
    # The next night comes first and takes the delivery; the receipt of the failed one stays in the archive.
    run(world, (NEXT, NIGHT))
    assert world.rows("SELECT night, state FROM ledger.delivery") == [(NEXT, "accepted")]
    tables = contents(world, ())
    lose_warehouse(world, postgres_server, scratch)
    run(world, (NIGHT, NEXT))
    assert contents(world, ()) == tables


def test_a_reopening_that_was_killed_before_the_ledger_is_taken_up(world: FieldWorld) -> None:
    world.deliver(NIGHT, [family("A")], produced_at=AT)
    world.run(NIGHT)
    late = world.deliver(NIGHT, [family("B", number=2)], produced_at=AT + timedelta(hours=1))
    process = start_night(world, NIGHT, PROVINCE, Step(f"{SEALING}._archive_seal"), die, reopened="late")
    process.join(20)
    assert world.rows("SELECT count(*) FROM ledger.delivery") == [(1,)]
    seal = read_seal(world.resources.store, world.resources.settings.archive_bucket, province=PROVINCE, night=NIGHT)
    assert seal is not None and seal.delivery_ids[1:] == (late,)
    assert world.run(NIGHT).states == {"accepted": 2}
    assert world.rows("SELECT kind, detail FROM ledger.event") == [("reopened", {"reason": "late", "new": 1})]


def test_a_reopened_night_is_unfinished_until_it_is_received_again(world: FieldWorld) -> None:
    world.run(NIGHT)
    world.deliver(NIGHT, [family("A")], produced_at=AT)
    reopen_night(world.resources, PROVINCE, NIGHT, world.suites, "late")
    assert world.rows("SELECT count(*) FROM mart.refreshed") == [(0,)]
    world.run(NIGHT)
    assert world.rows("SELECT count(*) FROM mart.refreshed") == [(1,)]
