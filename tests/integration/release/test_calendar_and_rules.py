"""The calendar of arrivals and the quality by rule, from delivered files to the published tables and back by replay."""

import csv
import io
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, timedelta

import pytest

from regsosek.geography.provinces import provinces
from regsosek.night import deciding
from regsosek.night.replaying import replay
from regsosek.release.publish import publish
from regsosek.settings import Settings
from regsosek.warehouse.nights import ledger
from support.deliveries.families import PROVINCE
from support.worlds.field_world import (
    CompiledJudge,
    Family,
    FieldWorld,
    family,
    faulty,
    few_rules,
    prepared_world,
    withdrawal,
)

TABLES_ALONE = True
FIRST = date(2022, 10, 15)
NIGHTS = tuple(FIRST + timedelta(days=n) for n in range(7))
AT = datetime(2022, 10, 15, 12, tzinfo=UTC)
SILENT = "31"
LIMITS = "province,dataset,limit_percent,least_rows,source\n*,keluarga,40,2,test\n*,anggota,100,2,test\n"
RULE = {"himpunan_data": "keluarga", "aturan": "C-303"}


@pytest.fixture(scope="module")
def prepared(services_env: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[FieldWorld]:
    with prepared_world(services_env, tmp_path_factory, few_rules(), LIMITS) as world:
        yield world


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("regsosek.night.discovery.applicable_rules.Judge", CompiledJudge)


def deliver(world: FieldWorld, night: date, families: list[Family], minute: int = 0, **more: object) -> str:
    produced = AT + (night - FIRST) + timedelta(minutes=minute)
    return world.deliver(more.pop("day", night), families, produced_at=produced, **more)  # type: ignore[arg-type]  # what a delivery may name


def run(world: FieldWorld, night: date) -> None:
    """Runs the night of the one province that delivers; the others delivered nothing."""
    world.run(night)
    with world.resources.engine.begin() as connection:
        for each in provinces():
            ledger.note_refreshed(connection, each.code, night)


def several(*numbers: int, wrong: tuple[int, ...] = (), day: date = FIRST) -> list[Family]:
    made = {number: faulty if number in wrong else family for number in numbers}
    return [make(f"D{n}", number=n, r201_tanggal_pencacahan=day.isoformat()) for n, make in made.items()]


def published(world: FieldWorld, night: date, name: str) -> list[dict[str, str]]:
    content = world.resources.store.get_bytes(
        world.resources.settings.release_bucket, prefix(world, night) + name, max_bytes=10**8
    )
    assert content is not None
    return list(csv.DictReader(io.StringIO(content.decode())))


def prefix(world: FieldWorld, night: date) -> str:
    return publish(world.resources.publisher, world.resources.store, world.resources.settings, night).prefix


def cells(world: FieldWorld, night: date, code: str = PROVINCE) -> dict[str, tuple[str, ...]]:
    """State, deliveries, families received, late and held, by night."""
    columns = ("keadaan_malam", "kiriman", "diterima_masuk", "terlambat", "keluarga_ditahan_malam")
    rows = published(world, night, "kalender.csv")
    return {row["malam_kiriman"]: tuple(row[c] for c in columns) for row in rows if row["kode"] == code}


def quality(world: FieldWorld, night: date, which: Mapping[str, str] = RULE) -> dict[str, tuple[str, ...]]:
    columns = ("baris_melanggar_malam", "baris_diperiksa_malam", "persen_melanggar_malam", "baris_melanggar",
               "baris_diperiksa", "persen_melanggar")  # fmt: skip
    rows = published(world, night, "mutu.csv")
    return {row["kode"]: tuple(row[c] for c in columns) for row in rows if which.items() <= row.items()}


def test_every_fate_of_a_night_has_its_cell_and_a_later_decision_does_not_change_an_earlier_release(
    world: FieldWorld,
) -> None:
    first, second, third, fourth, fifth, sixth, seventh = NIGHTS
    deliver(world, first, several(1, 2))
    run(world, first)
    held = deliver(world, second, several(3, 4, 5, wrong=(3, 4)))
    run(world, second)
    deliver(world, third, several(6, 7), spoil={"totals": {"keluarga": 5, "anggota": 1}})
    run(world, third)
    run(world, fourth)  # nothing arrived
    deliver(world, fifth, several(8, day=fourth), day=fourth)  # the folder of the night before
    deliver(world, fifth, [*several(9), withdrawal("D1", number=1)], minute=1)
    run(world, fifth)
    before = cells(world, fifth)
    assert before == {
        str(first): ("Diterima", "1", "2", "0", "0"),
        str(second): ("Ditahan", "1", "0", "0", "3"),
        str(third): ("Ditolak", "1", "0", "0", "0"),
        str(fourth): ("Menyusul", "0", "0", "0", "0"),
        str(fifth): ("Diterima", "2", "3", "2", "0"),
    }
    run(world, sixth)
    deciding.free(world.resources, PROVINCE, held, world.suites, by="sari", reason="checked with the province")
    after = cells(world, sixth)
    assert after[str(second)] == ("Diterima kemudian", "1", "0", "0", "0")
    assert after[str(sixth)] == ("Tidak ada data keluarga", "0", "3", "3", "0")
    assert cells(world, fifth) == before
    assert cells(world, seventh)[str(seventh)][0] == "Belum diolah"
    assert {state for state, *_ in cells(world, sixth, SILENT).values()} == {"Tidak ada data keluarga"}


def test_rows_that_violate_are_told_against_those_that_the_rule_judged(world: FieldWorld) -> None:
    first, second, *_ = NIGHTS
    deliver(world, first, several(1, 2, 3, wrong=(2,)))
    run(world, first)
    deliver(world, second, [*several(4, 5, 6, 7, wrong=(4,)), withdrawal("D1", number=1)])
    run(world, second)
    # Of the second night's five documents one is withdrawn and not judged.
    told = ("1", "4", "25.00", "2", "7", "28.57")
    assert quality(world, second) == {"00": told, PROVINCE: told}
    assert quality(world, first) == {"00": ("1", "3", "33.33") * 2, PROVINCE: ("1", "3", "33.33") * 2}
    row = next(each for each in published(world, second, "mutu.csv") if RULE.items() <= each.items())
    assert (row["tingkat_kesalahan"], bool(row["isi_aturan"]), bool(row["isi_aturan_inggris"])) == (
        "kesalahan", True, True,
    )  # fmt: skip


def test_a_held_delivery_counts_in_no_rule_until_it_is_freed(world: FieldWorld) -> None:
    first, second, third, *_ = NIGHTS
    deliver(world, first, several(1, 2, 3, wrong=(2,)))
    run(world, first)
    held = deliver(world, second, several(4, 5, wrong=(4, 5)))
    run(world, second)
    assert quality(world, second)[PROVINCE] == ("0", "0", "", "1", "3", "33.33")
    run(world, third)
    deciding.free(world.resources, PROVINCE, held, world.suites, by="sari", reason="checked with the province")
    assert quality(world, third)[PROVINCE] == ("2", "2", "100.00", "3", "5", "60.00")
    assert quality(world, second)[PROVINCE] == ("0", "0", "", "1", "3", "33.33")


def test_what_was_replaced_while_it_was_held_says_so(world: FieldWorld) -> None:
    first, second, *_ = NIGHTS
    held = deliver(world, first, several(1, 2, wrong=(1, 2)))
    run(world, first)
    deliver(world, second, several(1, 2), supersedes=[held])
    run(world, second)
    assert {night: cell[0] for night, cell in cells(world, second).items()} == {
        str(first): "Diganti", str(second): "Diterima",
    }  # fmt: skip


def test_a_replay_gives_the_same_tables(world: FieldWorld) -> None:
    first, second, third, *_ = NIGHTS
    deliver(world, first, several(1, 2, 3, wrong=(2,)))
    run(world, first)
    held = deliver(world, second, several(4, 5, wrong=(4, 5)))
    run(world, second)
    before = [published(world, second, name) for name in ("kalender.csv", "mutu.csv")]
    run(world, third)
    deciding.free(world.resources, PROVINCE, held, world.suites, by="sari", reason="checked with the province")
    replay(world.resources, first, [PROVINCE])
    assert [published(world, second, name) for name in ("kalender.csv", "mutu.csv")] == before
