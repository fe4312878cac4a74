"""Nights that are hurt: killed processes, provinces side by side, storage and mail that fail, a warehouse lost."""

import logging
import signal
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as StillRunning
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import text

from local_services.loopback import free_port
from local_services.mail_sink import MailSink
from local_services.object_store import LocalObjectStore as StoreServer
from local_services.postgres import PostgresServer
from regsosek.errors import EngineFaultError, NightFailedError, ObjectStoreError
from regsosek.geography.recipients import Channel
from regsosek.geography.regions import region_master
from regsosek.landing.object_store import ObjectStore, RetryPolicy
from regsosek.night import nightly
from regsosek.night.discovery import applicable_rules
from regsosek.night.discovery.sealing import reopen_night
from regsosek.night.outcome import Outcome
from regsosek.night.receiving import receiving
from regsosek.night.replaying import replay
from regsosek.quality.verdict import RuleCount
from regsosek.resources import open_resources
from regsosek.settings import Settings
from support.checks.matrix import cells
from support.checks.traces_left import contents, on_landing
from support.deliveries.families import PROVINCE
from support.worlds.field_world import (
    CompiledJudge,
    Family,
    FieldWorld,
    add_place,
    family,
    faulty,
    few_rules,
    withdrawal,
)
from support.worlds.other_process import Step, die, interrupted, start_night, waiting_night
from support.worlds.prepared_outbox import OFFICE, put

NIGHT, NEXT, THIRD = (date(2022, 10, 21) + timedelta(days=n) for n in range(3))
AT = datetime(2022, 10, 20, 12, tzinfo=UTC)
NIK = "6403015502840001"
NAME = "SITI CONTOH RAHASIA"
SIDE_BY_SIDE_SECONDS = 20
NEIGHBOUR = "63"
NEIGHBOUR_DESA = min(c for c, each in region_master().regions.items() if each.level == "desa" and c[:2] == NEIGHBOUR)
CONSERVED = """
SELECT delivery_id, dataset FROM ledger.delivery_count
WHERE received <> loaded + quarantined + superseded + duplicate + withdrawn + held + rejected
"""


@pytest.fixture(scope="module")
def prepared(services_env: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[FieldWorld]:
    with open_resources(services_env) as resources:
        world = FieldWorld(resources, few_rules())
        prepare(world, tmp_path_factory.mktemp("reference"))
        yield world


def prepare(world: FieldWorld, scratch: Path) -> None:
    """The world's own reference data, and a sub-SLS of a second province."""
    world.prepare(scratch)
    add_place(world, NEIGHBOUR, NEIGHBOUR_DESA, scratch)


def pointers(world: FieldWorld) -> list[tuple[object, ...]]:
    return world.rows("SELECT * FROM core.kasus_terkini ORDER BY province, case_id")


def refreshed(world: FieldWorld, night: date) -> list[tuple[object, ...]]:
    return world.rows("SELECT province FROM mart.refreshed WHERE night = :night ORDER BY 1", night=night)


def deliver_two_nights(world: FieldWorld) -> None:
    """A clean night; then one with revisions over two parts, a rejected delivery, and one that repeats."""
    world.deliver(NIGHT, [family("A"), family("B", number=2), faulty("C", number=3)], produced_at=AT)
    parts = [
        [family("A", 2, r302_luas_lantai="60"), family("D", number=4)],
        [family("C", 2, number=3), faulty("B", 2, number=2), faulty("E", number=5), withdrawal("D", 2, number=4)],
    ]
    later = AT + timedelta(days=1)
    world.deliver(NEXT, parts, produced_at=later)
    spoiled = world.deliver(NEXT, [family("F", number=6)], produced_at=later + timedelta(minutes=1))
    key = f"landing/prov={PROVINCE}/tanggal={NEXT}/{spoiled}/keluarga-00001.csv.gz"
    world.resources.store.put_bytes(world.resources.settings.landing_bucket, key, b"cut off")
    again = [family("A", 2, r302_luas_lantai="60"), family("G", number=7)]
    world.deliver(NEXT, again, produced_at=later + timedelta(minutes=2))


@pytest.fixture(scope="module")
def undisturbed(prepared: FieldWorld) -> tuple[str, dict[str, list[str]]]:
    """The landing bucket of the two nights, and what an undisturbed run makes of it."""
    world = prepared.fresh()
    deliver_two_nights(world)
    for night in (NIGHT, NEXT):
        world.run(night)
    return world.resources.settings.landing_bucket, contents(world, (NIGHT, NEXT))


def before_next(prepared: FieldWorld, landing: str) -> FieldWorld:
    """The world of ``undisturbed`` as it was between its two nights."""
    world = on_landing(prepared.fresh(), landing)
    world.run(NIGHT)
    return world


SEALING, RECEIVING, LEDGER = (
    "regsosek.night.discovery.sealing",
    "regsosek.night.receiving.receiving",
    "regsosek.warehouse.nights.ledger",
)
RECEPTION, PARTS = "regsosek.night.receiving.reception", "regsosek.night.receiving.parts"
BEFORE_THE_FLIP = [
    Step(f"{SEALING}.write_seal", before=True),
    Step(f"{SEALING}._archive_seal"),
    Step(f"{RECEIVING}.ensure_night_partitions"),
    Step(f"{RECEPTION}.fetch_manifest"),
    Step(f"{RECEPTION}.fetch_files"),
    Step(f"{PARTS}.load_part"),
    Step(f"{PARTS}.stage", call=2, before=True),
    Step(f"{PARTS}.load_part", call=2),
    Step(f"{LEDGER}.accept", before=True),
    Step(f"{LEDGER}.accept"),
]
AFTER_THE_FLIP = [
    Step(f"{LEDGER}.note_timing", before=True),
    Step(f"{LEDGER}.reject"),
    Step(f"{RECEPTION}.write_receipt", before=True),
    Step(f"{RECEPTION}.write_receipt"),
    Step(f"{LEDGER}.accept", call=2),
    Step(f"{RECEIVING}.refresh_province", before=True),
    Step(f"{RECEIVING}.refresh_province"),
]
# One of each kind: before anything, in a delivery, in a part, around the flip, between deliveries, at the end.
KILLED_AT = {
    "before write_seal 1", "after fetch_files 1", "after load_part 2", "before accept 1", "after accept 1",
    "after reject 1", "before refresh_province 1",
}  # fmt: skip


@pytest.mark.parametrize("step", cells([*BEFORE_THE_FLIP, *AFTER_THE_FLIP], always=KILLED_AT))
def test_a_killed_night_run_again_is_an_undisturbed_night(
    prepared: FieldWorld, undisturbed: tuple[str, dict[str, list[str]]], step: Step
) -> None:
    landing, whole = undisturbed
    world = before_next(prepared, landing)
    seen = pointers(world)
    process = start_night(world, NEXT, PROVINCE, step, die)
    process.join(SIDE_BY_SIDE_SECONDS)
    assert process.exitcode == -signal.SIGKILL
    assert (pointers(world) == seen) == (step in BEFORE_THE_FLIP)
    assert refreshed(world, NEXT) == []
    with ThreadPoolExecutor(1) as own:
        own.submit(world.run, NEXT).result(SIDE_BY_SIDE_SECONDS)
    assert contents(world, (NIGHT, NEXT)) == whole


def files_at_work(world: FieldWorld) -> list[Path]:
    return [path for path in world.resources.settings.scratch.rglob("*") if path.is_file()]


def test_a_killed_night_leaves_no_delivered_file_longer_than_the_next_run(
    world: FieldWorld, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = world.resources.settings.model_copy(update={"work_dir": tmp_path / "work"})
    world.resources = replace(world.resources, settings=settings)
    quick_receive(world, monkeypatch)
    world.deliver(NIGHT, [family("A")], produced_at=AT)
    start_night(world, NIGHT, PROVINCE, Step(f"{RECEPTION}.fetch_files"), die).join(SIDE_BY_SIDE_SECONDS)
    assert {path.name for path in files_at_work(world)} >= {"keluarga-00001.csv.gz", "anggota-00001.csv.gz"}
    # Of another province that has nothing to do: whoever runs next clears up.
    nightly.receive(world.resources, NEIGHBOUR, NIGHT)
    assert files_at_work(world) == []


def neighbour(document: str) -> Family:
    """A clean family of the second province."""
    keys = {"r101_provinsi": NEIGHBOUR, "r102_kabkota": NEIGHBOUR_DESA[2:4], "r103_kecamatan": NEIGHBOUR_DESA[4:7]}
    return family(document, id_subsls=NEIGHBOUR_DESA + "000100", r104_desa=NEIGHBOUR_DESA[7:], **keys)


@pytest.mark.parametrize(
    "step", [f"{RECEIVING}.ensure_night_partitions", f"{PARTS}.load_part", f"{RECEIVING}.refresh_province"]
)
def test_a_province_in_the_midst_of_its_night_keeps_no_other_waiting(world: FieldWorld, step: str) -> None:
    # Nights that no other test has made partitions for.
    night = THIRD + timedelta(days=1 + len(step.rpartition(".")[2]))
    world.deliver(NIGHT, [family("A")], produced_at=AT)
    world.deliver(NIGHT, [neighbour("A")], produced_at=AT, province=NEIGHBOUR)
    with waiting_night(world, night, PROVINCE, Step(step)), ThreadPoolExecutor(1) as own:
        own.submit(world.run, night, province=NEIGHBOUR).result(SIDE_BY_SIDE_SECONDS)
        assert refreshed(world, night) == [(NEIGHBOUR,)]
    assert refreshed(world, night) == [(NEIGHBOUR,), (PROVINCE,)]
    assert world.rows("SELECT province, case_id, state FROM core.kasus_terkini ORDER BY 1") == [
        (NEIGHBOUR, "A", "loaded"),
        (PROVINCE, "A", "loaded"),
    ]
    partitions = "SELECT count(*) FROM pg_class WHERE relname IN (:own, :other)"
    names = {"own": f"keluarga_p{PROVINCE}_{night:%Y%m%d}", "other": f"keluarga_p{NEIGHBOUR}_{night:%Y%m%d}"}
    assert world.rows(partitions, **names) == [(2,)]


class IdleJudge(CompiledJudge):
    """For a night in which there is nothing left to judge."""

    def judge(self) -> tuple[RuleCount, ...]:
        raise AssertionError("a decided delivery was judged again")


def test_the_second_task_of_one_province_waits_and_finds_nothing_to_do(world: FieldWorld) -> None:
    world.deliver(NIGHT, [family("A"), faulty("B", number=2)], produced_at=AT)
    with ThreadPoolExecutor(1) as own:
        with waiting_night(world, NIGHT, PROVINCE, Step(f"{PARTS}.load_part")):
            second = own.submit(world.run, NIGHT, judge=IdleJudge)
            with pytest.raises(StillRunning):
                second.result(1)
        assert second.result(SIDE_BY_SIDE_SECONDS).states == {"accepted": 1}
    assert world.counts() == [(2, 1, 1, 0, 0, 0, 0)]
    assert refreshed(world, NIGHT) == [(PROVINCE,)]


def test_a_night_without_deliveries_ends_well(world: FieldWorld) -> None:
    assert world.run(NIGHT).states == {}
    assert refreshed(world, NIGHT) == [(PROVINCE,)]


@pytest.mark.parametrize("families", [[], [[], []], [[family("A")], []]], ids=["one part", "two parts", "one of two"])
def test_files_without_rows_are_a_delivery(world: FieldWorld, families: list[list[Family]]) -> None:
    world.deliver(NIGHT, families, produced_at=AT)
    assert world.run(NIGHT).states == {"accepted": 1}
    rows = sum(isinstance(part, list) and len(part) for part in families)
    assert world.counts() == [(rows, rows, 0, 0, 0, 0, 0)]


def bad_cases(world: FieldWorld, bad: int) -> list[Family]:
    """Delivers a hundred cases, ``bad`` of them in error, in two parts."""
    wrong = [faulty(f"B{n}", number=n, members=n % 9 + 1) for n in range(1, bad + 1)]
    good = [family(f"G{n}", number=n) for n in range(bad + 1, 101)]
    world.deliver(NIGHT, [wrong + good[:10], good[10:]], produced_at=AT)
    return wrong


def test_a_night_of_bad_cases_is_quarantined_and_conserved(world: FieldWorld) -> None:
    bad = bad_cases(world, 40)
    assert world.run(NIGHT).states == {"accepted": 1}
    assert world.counts() == [(100, 60, 40, 0, 0, 0, 0)]
    assert world.rows(CONSERVED) == []
    members = "SELECT count(*) FROM restricted.quarantined WHERE dataset = 'anggota'"
    assert world.rows(members) == [(sum(len(roster) for _, roster in bad),)]


@pytest.mark.parametrize("bad", cells([41, 60, 100], always={"41"}))
def test_a_night_of_more_bad_cases_than_the_limit_is_held_and_conserved(world: FieldWorld, bad: int) -> None:
    bad_cases(world, bad)
    assert world.run(NIGHT).states == {"held": 1}
    assert world.rows("SELECT received, held FROM ledger.delivery_count WHERE dataset = 'keluarga'") == [(100, 100)]
    assert world.rows(CONSERVED) == []
    assert world.cases() == [] and world.progress(NIGHT) == []


@pytest.fixture
def own_storage(prepared: FieldWorld, tmp_path: Path) -> Iterator[tuple[StoreServer, FieldWorld]]:
    """A world on an object store of its own, which may be stopped."""
    server = StoreServer(tmp_path / "state", tmp_path / "s3")
    server.start([])
    keys = {"s3_access_key_id": server.access_key_id, "s3_secret_access_key": server.secret_access_key}
    values = prepared.resources.settings.model_dump() | keys | {"s3_endpoint_url": server.endpoint_url}
    settings = Settings.model_validate(values)
    policy = RetryPolicy(connect_timeout=1, read_timeout=2, request_attempts=1, operation_attempts=2, first_wait=0.01)
    store = ObjectStore.connect(settings, policy)
    world = FieldWorld(replace(prepared.resources, settings=settings, store=store), prepared.suites)
    yield server, world.fresh()
    server.stop()


def test_storage_that_goes_away_fails_the_province_and_the_next_run_completes_it(
    own_storage: tuple[StoreServer, FieldWorld],
) -> None:
    server, world = own_storage
    deliver_two_nights(world)
    for night in (NIGHT, NEXT):
        world.run(night)
    whole = contents(world, (NIGHT, NEXT))
    landing = world.resources.settings.landing_bucket
    on_landing(world.fresh(), landing).run(NIGHT)
    for step in (
        Step(f"{LEDGER}.note_begun"),
        Step(f"{SEALING}.write_receipt"),
        Step(f"{RECEPTION}.fetch_manifest"),
        Step(f"{RECEPTION}.fetch_files", before=True),
        Step(f"{RECEPTION}.write_receipt", before=True),
    ):
        with interrupted(step, server.stop), pytest.raises(ObjectStoreError):
            world.run(NEXT)
        assert refreshed(world, NEXT) == [], step
        server.start([])
    world.run(NEXT)
    assert contents(world, (NIGHT, NEXT)) == whole


def test_a_late_delivery_waits_for_the_next_night_unless_its_night_is_reopened(world: FieldWorld) -> None:
    world.deliver(NIGHT, [family("A")], produced_at=AT)
    world.run(NIGHT)
    world.deliver(NEXT, [family("B", number=2)], produced_at=AT + timedelta(days=1))
    world.run(NEXT)
    late = world.deliver(NIGHT, [family("C", number=3), faulty("D", number=4)], produced_at=AT + timedelta(hours=1))
    world.run(NIGHT)
    assert [case[0] for case in world.cases()] == ["A", "B"]
    reopen_night(world.resources, PROVINCE, NIGHT, world.suites, "manifest came late")
    world.run(NIGHT)
    assert [row[2] for row in world.progress(NIGHT)] == [3]
    assert [row[2:5] for row in world.progress(NEXT)] == [(4, 3, 1)]
    assert world.rows("SELECT night FROM ledger.delivery WHERE delivery_id = :id", id=late) == [(NIGHT,)]
    assert world.rows("SELECT night, kind, detail FROM ledger.event") == [
        (NIGHT, "reopened", {"reason": "manifest came late", "new": 1})
    ]


def test_a_reopened_night_does_not_change_a_later_night_that_knows_better(world: FieldWorld) -> None:
    world.deliver(NIGHT, [family("A")], produced_at=AT)
    world.run(NIGHT)
    # The family moves to another number of the same sub-SLS: no figure changes, and nothing is written down.
    world.deliver(NEXT, [family("A", 2, number=2)], produced_at=AT + timedelta(days=1))
    world.run(NEXT)
    assert world.rows("SELECT count(*) FROM mart.progress WHERE night = :night", night=NEXT) == [(0,)]
    world.deliver(NIGHT, [family("B")], produced_at=AT + timedelta(hours=1))
    reopen_night(world.resources, PROVINCE, NIGHT, world.suites, "manifest came late")
    world.run(NIGHT)
    assert [(row[2], row[6]) for row in world.progress(NIGHT)] == [(1, 1)]
    assert [(row[2], row[6]) for row in world.progress(NEXT)] == [(2, 0)]


def test_mail_that_was_down_is_sent_once_it_is_up(world: FieldWorld, mail_sink: MailSink) -> None:
    world.deliver(NIGHT, [family("A")], produced_at=AT, spoil={"contract_version": "2"})
    world.run(NIGHT)
    before = set(mail_sink.received())
    broken = world.resources.settings.model_copy(update={"smtp_port": free_port()})

    def told(settings: Settings) -> tuple[int, int]:
        resources = replace(world.resources, settings=settings)
        done = nightly.notify(resources, Outcome(NIGHT, (PROVINCE,), failed={}, publication=None))
        return done.sent, done.waiting

    for _ in range(2):
        with pytest.raises(NightFailedError, match="1 reached no server and wait"):
            told(broken)
    assert told(world.resources.settings) == (1, 0)
    assert told(world.resources.settings) == (0, 0)
    assert len(set(mail_sink.received()) - before) == 1


def test_a_message_that_waits_keeps_no_other_night_red(world: FieldWorld, mail_sink: MailSink) -> None:
    world.deliver(NIGHT, [family("A")], produced_at=AT, spoil={"contract_version": "2"})
    world.run(NIGHT)
    nowhere = replace(OFFICE, channel=Channel.WEBHOOK, address="obrolan")
    put(world.resources.engine, nowhere, night=NIGHT - timedelta(days=1), now=AT)
    for _ in range(2):
        done = nightly.notify(world.resources, Outcome(NIGHT, (PROVINCE,), failed={}, publication=None))
        assert (done.waiting, done.unreached) == (1, 0)
    assert world.rows("SELECT attempts, state FROM alert.delivery WHERE address = 'obrolan'") == [(1, "waiting")]


@pytest.fixture
def hostile_table(world: FieldWorld) -> Iterator[FieldWorld]:
    """A check that no row with a NIK passes: PostgreSQL answers with the failing row, whole."""
    table = f"restricted.anggota_identity_p{PROVINCE}"
    with world.resources.engine.begin() as connection:
        connection.execute(text(f"ALTER TABLE {table} ADD CONSTRAINT hostile CHECK (r403_nik IS NULL)"))
    yield world
    with world.resources.engine.begin() as connection:
        connection.execute(text("TRUNCATE restricted.anggota_identity"))
        connection.execute(text(f"ALTER TABLE {table} DROP CONSTRAINT hostile"))


def with_a_nik() -> Family:
    row, members = family("A")
    return row, [member | {"r403_nik": NIK, "r402_nama": NAME} for member in members]


def quick_receive(world: FieldWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    """The composition of a night with the few rules of this file."""
    for module in (nightly, receiving):
        monkeypatch.setattr(module, "load_suites", lambda _: world.suites, raising=False)
    monkeypatch.setattr(applicable_rules, "Judge", CompiledJudge)


def run_of_nightly(world: FieldWorld) -> None:
    report = nightly.run_night(world.resources, NIGHT, [PROVINCE], alerts=False)
    raise EngineFaultError(report.outcome.failed[PROVINCE])


def run_of_replay(world: FieldWorld) -> None:
    with pytest.raises(EngineFaultError):
        nightly.receive(world.resources, PROVINCE, NIGHT)
    replay(world.resources, NIGHT, [PROVINCE])


@pytest.mark.parametrize("run", [run_of_nightly, run_of_replay])
def test_an_error_of_the_database_tells_no_value(
    hostile_table: FieldWorld,
    run: Callable[[FieldWorld], None],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    postgres_server: PostgresServer,
) -> None:
    quick_receive(hostile_table, monkeypatch)
    hostile_table.deliver(NIGHT, [with_a_nik()], produced_at=AT)
    with pytest.raises(psycopg.Error, match=NIK):
        hostile_table.run(NIGHT)
    with caplog.at_level(logging.INFO), pytest.raises(EngineFaultError, match="CheckViolation") as caught:
        run(hostile_table)
    logging.getLogger(__name__).error("as a caller would log it", exc_info=caught.value)
    told = caplog.text + postgres_server.log_file.read_text()
    assert "as a caller would log it" in told
    assert not [value for value in (NIK, NAME) if value in told]
    assert pointers(hostile_table) == [] and refreshed(hostile_table, NIGHT) == []
