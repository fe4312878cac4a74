"""Which task instance a process is, and what its steps took."""

from datetime import date

import psycopg
import pytest

from regsosek.geography.provinces import provinces
from regsosek.night.receiving.stopwatch import Stopwatch, peak_rss_bytes
from regsosek.night.run_notes import LONGEST_NOTE, conclusion_of_run, with_conclusion
from regsosek.night.task_runs import this_task

NIGHT = date(2022, 10, 21)
OF_AIRFLOW = {
    "AIRFLOW_CTX_DAG_ID": "regsosek_nightly", "AIRFLOW_CTX_DAG_RUN_ID": "scheduled__2022-10-22",
    "AIRFLOW_CTX_TASK_ID": "receive", "AIRFLOW_CTX_TRY_NUMBER": "2",
}  # fmt: skip


def test_a_process_outside_of_a_scheduler_is_no_task() -> None:
    assert this_task(NIGHT, "64", {}) is None
    assert this_task(NIGHT, "64", {"AIRFLOW_CTX_DAG_ID": "regsosek_nightly"}) is None


def test_a_province_has_the_map_index_of_its_place_among_all() -> None:
    for index, province in enumerate(provinces()):
        run = this_task(NIGHT, province.code, OF_AIRFLOW)
        assert run is not None
        assert (run.map_index, run.try_number, run.run_id) == (index, 2, "scheduled__2022-10-22")


def test_a_task_of_the_nation_is_not_mapped() -> None:
    run = this_task(NIGHT, "00", OF_AIRFLOW | {"AIRFLOW_CTX_TASK_ID": "publish"})
    assert run is not None
    assert (run.task_id, run.map_index) == ("publish", -1)


def test_a_step_adds_its_time_and_shows_the_memory_that_was_held_by_its_end() -> None:
    watch = Stopwatch()
    with watch.step("load"):
        before = peak_rss_bytes()
        held = bytearray(64 << 20)
        held[:: 1 << 12] = b"x" * len(held[:: 1 << 12])
    first = watch.spent["load"].seconds
    with watch.step("load"):
        pass
    assert watch.spent["load"].seconds >= first > 0
    # Most of it may fit into what an earlier test left behind; the peak is that of a process all the same.
    assert watch.spent["load"].peak_rss_bytes >= max(before, len(held))


def test_a_step_that_fails_took_its_time_too() -> None:
    watch = Stopwatch()
    with pytest.raises(ValueError, match="broken"), watch.step("judge"):
        raise ValueError("broken")
    assert watch.spent["judge"].peak_rss_bytes > 0


def test_the_note_of_a_run_keeps_what_stood_there_and_tells_the_last_try_alone() -> None:
    first = with_conclusion("64 Kalimantan Timur, asked for from the portal", "33 of 34 provinces whole; failed: Papua")
    assert first.splitlines() == [
        "64 Kalimantan Timur, asked for from the portal", "Night: 33 of 34 provinces whole; failed: Papua",
    ]  # fmt: skip
    assert with_conclusion(first, "34 of 34 provinces whole").splitlines()[1:] == ["Night: 34 of 34 provinces whole"]
    assert with_conclusion(None, "34 of 34 provinces whole") == "Night: 34 of 34 provinces whole"
    assert len(with_conclusion("x" * 2000, "told")) == LONGEST_NOTE


def test_a_warehouse_that_is_not_there_leaves_the_note_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*args: object, **kwargs: object) -> None:
        raise psycopg.OperationalError("nobody listens")

    monkeypatch.setattr(psycopg, "connect", refuse)
    for name in ("WAREHOUSE_URL", "S3_ACCESS_KEY_ID", "S3_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(f"REGSOSEK_{name}", "postgresql+psycopg://nobody@127.0.0.1:1/none")
    monkeypatch.setenv("REGSOSEK_HMAC_KEY", "k" * 32)
    monkeypatch.setenv("REGSOSEK_ENV_FILE", "/nonexistent")
    assert conclusion_of_run("regsosek_nightly", "run") is None
