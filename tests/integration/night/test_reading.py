"""Formats and repairs through a whole night: the same warehouse whatever the format, and every repair counted once."""

import errno
import os
from collections.abc import Callable
from datetime import UTC, date, datetime
from itertools import product

import duckdb
import pytest

from regsosek.alerts.persistence.night_figures import read_figures
from regsosek.asking.night_history import province_lines
from regsosek.errors import EngineFaultError
from regsosek.geography.calendar import FieldWindow
from regsosek.staging.reading import csv_files, files
from regsosek.warehouse.nights import ledger
from support.deliveries.families import PROVINCE, WRITERS
from support.worlds.field_world import FEW_RULES, Family, FieldWorld, family

NIGHT = date(2022, 10, 21)
AT = datetime(2022, 10, 20, 12, tzinfo=UTC)
WINDOW = FieldWindow(PROVINCE, date(2022, 10, 15), date(2022, 11, 14))
KEPT_RULES = FEW_RULES


def from_a_spreadsheet() -> Family:
    household, members = family("A", r114_no_kk="'6403015202840001")
    return household, [member | {"r407_umur": "'038"} for member in members]


def kept(world: FieldWorld) -> list[tuple[object, ...]]:
    columns = "case_id, versi, content_hash, status, verdict, placed_code, enumerated_on, members, persons"
    return world.rows(f"SELECT {columns} FROM core.kasus ORDER BY case_id")


def repairs(world: FieldWorld) -> list[tuple[object, ...]]:
    return world.rows("SELECT dataset, kind, variable, amount FROM ledger.repair WHERE kind <> 'crlf' ORDER BY 1, 2, 3")


REPAIRED = [("anggota", "apostrophe", "r407_umur", 2), ("keluarga", "apostrophe", "r114_no_kk", 1)]


def test_a_night_leaves_the_same_cases_whatever_the_formats(world: FieldWorld) -> None:
    found = []
    for keluarga, anggota in product(WRITERS, repeat=2):
        world.fresh()
        families = [from_a_spreadsheet(), family("B", number=2, r302_luas_lantai="36 m2")]
        world.deliver(NIGHT, families, produced_at=AT, formats={"keluarga": keluarga, "anggota": anggota})
        world.run(NIGHT)
        found.append((kept(world), world.cases(), world.progress(NIGHT), repairs(world)))
    assert len(found[0][0]) == 2
    assert all(each == found[0] for each in found)
    assert found[0][-1] == REPAIRED


def test_an_interrupted_part_counts_its_repairs_once(world: FieldWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    world.deliver(NIGHT, [[from_a_spreadsheet()], [family("B", number=2)]], produced_at=AT)
    with monkeypatch.context() as killed:
        killed.setattr(ledger, "accept", _die)
        with pytest.raises(RuntimeError):
            world.run(NIGHT)
    assert repairs(world) == REPAIRED
    world.run(NIGHT)
    assert repairs(world) == REPAIRED


def _die(*_: object) -> None:
    raise RuntimeError("killed between the last part and the flip")


def test_forgetting_a_night_forgets_its_repairs(world: FieldWorld) -> None:
    world.deliver(NIGHT, [from_a_spreadsheet()], produced_at=AT)
    world.run(NIGHT)
    with world.resources.engine.begin() as connection:
        ledger.forget(connection, PROVINCE, NIGHT)
    assert repairs(world) == []


def test_operator_and_province_are_told_of_repairs_but_not_of_what_the_contract_allows(world: FieldWorld) -> None:
    world.deliver(NIGHT, [from_a_spreadsheet()], produced_at=AT)
    world.run(NIGHT)
    with world.resources.engine.begin() as connection:
        [line] = [each for each in province_lines(connection, NIGHT) if each.province == PROVINCE]
        figures = read_figures(connection, PROVINCE, NIGHT, WINDOW)
    assert line.repairs == 3
    assert figures.repairs == {"apostrophe": 3, "crlf": 2}


def test_a_delivery_rejected_in_its_second_part_leaves_no_repairs(world: FieldWorld) -> None:
    stranger = family("Z", number=9)[1]
    world.deliver(NIGHT, [[from_a_spreadsheet()], [(family("B", number=2)[0], stranger)]], produced_at=AT)
    world.run(NIGHT)
    assert world.rows("SELECT state, reason FROM ledger.delivery") == [("rejected", "parts_misaligned")]
    assert repairs(world) == []


def out_of_memory(*_: object) -> None:
    raise duckdb.OutOfMemoryException("failed to allocate data")


def disk_full(*_: object) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@pytest.mark.parametrize(
    ("place", "fault", "told"),
    [(csv_files._load, out_of_memory, EngineFaultError), (files.unpack, disk_full, OSError)],
    ids=["memory", "disk"],
)
def test_a_task_that_starves_blames_no_delivery(
    world: FieldWorld,
    monkeypatch: pytest.MonkeyPatch,
    place: Callable[..., object],
    fault: Callable[..., None],
    told: type[Exception],
) -> None:
    world.deliver(NIGHT, [family("A")], produced_at=AT)
    with monkeypatch.context() as starved:
        starved.setattr(csv_files if place.__name__ == "_load" else files, place.__name__, fault)
        with pytest.raises(told):
            world.run(NIGHT)
    assert world.rows("SELECT state, reason FROM ledger.delivery") == [("registered", None)]
    assert world.rows(
        "SELECT count(*) FROM mart.refreshed WHERE night = :n AND province = :p", n=NIGHT, p=PROVINCE
    ) == [(0,)]
    world.run(NIGHT)
    assert world.rows("SELECT state FROM ledger.delivery") == [("accepted",)]
