"""How a night went in one sentence: as the ledger has it, for the log, the run's note and whoever asks."""

from datetime import UTC, date, datetime

import pytest

from regsosek.geography.calendar import field_windows
from regsosek.night.run_notes import conclusion_of_run
from regsosek.night.task_runs import note_conclusion, noted
from regsosek.statistics.nights.conclusion import conclusion
from support.deliveries.families import PROVINCE
from support.worlds.field_world import FieldWorld, family

KEPT_RULES: tuple[str, ...] = ()
NIGHT = date(2022, 10, 21)
AT = datetime(2022, 10, 20, 12, tzinfo=UTC)


def told(world: FieldWorld, *provinces: str) -> str:
    with world.resources.engine.connect() as connection:
        return conclusion(connection, NIGHT, provinces, field_windows())


def test_it_counts_what_is_whole_and_names_what_is_not(world: FieldWorld) -> None:
    assert told(world, PROVINCE) == "0 of 1 province whole; failed: Kalimantan Timur"
    world.deliver(NIGHT, [family()], produced_at=AT)
    world.run(NIGHT)
    world.run(NIGHT, province="94")
    assert told(world, PROVINCE) == "1 of 1 province whole"
    assert told(world, PROVINCE, "94") == "1 of 2 provinces whole; silent: Papua"
    assert told(world, PROVINCE, "94", "65") == "1 of 3 provinces whole; failed: Kalimantan Utara; silent: Papua"


def test_many_are_counted_and_not_named(world: FieldWorld) -> None:
    said = told(world, "11", "12", "13", "14", "15", "16", "17")
    assert said == "0 of 7 provinces whole; failed: Aceh, Sumatera Utara, Sumatera Barat, Riau, Jambi and 2 more"


def test_a_run_finds_what_it_concluded_with(world: FieldWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"DAG_ID": "regsosek_nightly", "DAG_RUN_ID": "r1", "TASK_ID": "conclude"}.items():
        monkeypatch.setenv(f"AIRFLOW_CTX_{name}", value)
    monkeypatch.setattr("regsosek.night.run_notes.load_settings", lambda: world.resources.settings)
    with noted(world.resources, NIGHT):
        note_conclusion(world.resources, NIGHT, "34 of 34 provinces whole")
    assert conclusion_of_run("regsosek_nightly", "r1") == "34 of 34 provinces whole"
    assert conclusion_of_run("regsosek_nightly", "r2") is None
