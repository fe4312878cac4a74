"""The weekly audit: a sound release holds from the log and from every archived file; whatever is bent is named."""

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from local_services.mail_sink import MailSink
from local_services.postgres import PostgresServer
from regsosek.errors import AuditError
from regsosek.geography.provinces import provinces
from regsosek.geography.regions import NATION
from regsosek.night import auditing
from regsosek.release.publish import publish
from regsosek.release.rereading.archived_cases import Archive
from regsosek.release.rereading.full_reading import read_whole
from regsosek.release.rereading.second_reading import Headline
from regsosek.warehouse.nights import ledger
from support.deliveries.families import PROVINCE
from support.worlds.field_world import FEW_RULES, FieldWorld, family, faulty, withdrawal
from support.worlds.kept_state import keep_state

FIRST = date(2022, 10, 21)
LAST = FIRST + timedelta(days=2)
AT = datetime(2022, 10, 21, 12, tzinfo=UTC)
KEPT_RULES = FEW_RULES
TABLES_ALONE = True


@pytest.fixture(scope="module")
def made_once(prepared: FieldWorld, postgres_server: PostgresServer) -> tuple[FieldWorld, Callable[[], None]]:
    """Three nights with all kinds of news, and the release of the last."""
    world = prepared.fresh()
    first = world.deliver(FIRST, [family("A"), family("B", number=2), faulty("C", number=3)], produced_at=AT)
    world.run(FIRST)
    world.deliver(FIRST, [family("D", number=1), withdrawal("B", number=2)], produced_at=AT + timedelta(hours=1))
    world.run(FIRST + timedelta(days=1))
    later = [family("C", 2, number=3), family("E", number=5)]
    world.deliver(LAST, later, produced_at=AT + timedelta(days=2), supersedes=[first])
    world.run(LAST)
    with world.resources.engine.begin() as connection:
        for each in provinces():
            ledger.note_refreshed(connection, each.code, LAST)
    publish(world.resources.publisher, world.resources.store, world.resources.settings, LAST)
    return world, keep_state(world, postgres_server)


@pytest.fixture
def released(made_once: tuple[FieldWorld, Callable[[], None]]) -> FieldWorld:
    """That release, before any other test bent it."""
    world, restore = made_once
    restore()
    return world


def bend(world: FieldWorld, statement: str) -> None:
    with world.resources.engine.begin() as connection:
        assert connection.execute(text(statement)).rowcount > 0


def test_a_sound_release_holds(released: FieldWorld) -> None:
    assert auditing.audit(released.resources, PROVINCE) == ()
    assert auditing.audit(released.resources, NATION) == ()
    assert auditing.results(released.resources)[1] == {NATION: (), PROVINCE: ()}


@pytest.mark.parametrize(
    ("statement", "told"),
    [
        ("UPDATE mart.change SET visited = visited + 1", "changes of place"),
        ("UPDATE mart.total SET persons = persons + 1 WHERE placed", "total of place"),
        ("UPDATE mart.total SET refused = refused + 1 WHERE code = '6403'", "total of region 6403: refused is 1"),
        ("UPDATE mart.province_day SET complete = complete + 1", "day 2022-"),
        (
            "UPDATE core.kasus SET result = 2 WHERE status = 'loaded' AND case_id = 'E'",
            "complete is 2 by the log, 3 by the archived files",
        ),
        (
            "UPDATE core.kasus SET result = 2 WHERE status = 'loaded' AND case_id = 'E'",
            "provinsi.csv: complete of 64 is published as 3, counted again 2",
        ),
        ("UPDATE core.kasus SET row_no = row_no + 10 WHERE part > 0", "rows of the log are in no archived file"),
    ],
)
def test_what_is_bent_is_named_with_its_province(released: FieldWorld, statement: str, told: str) -> None:
    bend(released, statement)
    faults = auditing.audit(released.resources, PROVINCE)
    assert any(told in fault for fault in faults), faults
    assert all(f"province {PROVINCE}" in fault for fault in faults)


def test_a_published_table_that_was_altered_is_named(released: FieldWorld) -> None:
    [(prefix,)] = released.rows("SELECT prefix FROM release.release")
    store, bucket = released.resources.store, released.resources.settings.release_bucket
    content = store.get_bytes(bucket, f"{prefix}nasional.csv", max_bytes=10**6) or b""
    head, row, *rest = content.decode().split("\n")
    cells = row.split(",")
    cells[head.split(",").index("dikunjungi")] = "77"
    store.put_bytes(bucket, f"{prefix}nasional.csv", "\n".join([head, ",".join(cells), *rest]).encode())
    try:
        assert auditing.audit(released.resources, NATION) == (
            "nation: visited is 77 in nasional.csv, 3 in provinsi.csv",
        )
    finally:
        store.put_bytes(bucket, f"{prefix}nasional.csv", content)


def test_what_fails_is_told_to_the_platform_team_and_ends_red(released: FieldWorld, mail_sink: MailSink) -> None:
    for path in mail_sink.received():
        path.unlink()
    auditing.audit(released.resources, PROVINCE)
    auditing.conclude(released.resources, [PROVINCE])
    bend(released, "UPDATE mart.change SET visited = visited + 1")
    auditing.audit(released.resources, PROVINCE)
    with pytest.raises(AuditError, match="province 11: not audited"):
        auditing.conclude(released.resources, ["11", PROVINCE])
    [(subject, body)] = released.rows("SELECT subject, body FROM alert.outbox")
    assert "weekly audit of" in subject
    assert f"province {PROVINCE}, changes of place" in body


@pytest.fixture
def scratch(tmp_path: Path) -> Iterator[Path]:
    place = tmp_path / "heaps"
    place.mkdir()
    yield place
    assert list(place.rglob("*.parquet")) == []


@pytest.mark.parametrize("rows_at_once", [1, 2, 1000])
def test_the_heaps_change_nothing(released: FieldWorld, scratch: Path, rows_at_once: int) -> None:
    resources = released.resources
    with resources.engine.connect() as connection:
        archive = Archive(resources.archive, scratch, resources.settings.hash_keys)
        read = read_whole(connection, archive, PROVINCE, LAST, rows_at_once=rows_at_once)
    # D holds A's key until A is withdrawn with its delivery; B is withdrawn; C is mended, E is new.
    assert read == Headline(3, 3)
