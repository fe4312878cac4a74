"""One thing that fails stops nothing else: through the command line's night and through the tasks of the DAG."""

import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest
from sqlalchemy import text

from local_services.mail_sink import MailSink
from regsosek.alerts import nation
from regsosek.alerts import nightly as alerts_nightly
from regsosek.errors import NightFailedError, RegsosekError
from regsosek.geography.regions import region_master
from regsosek.night import dag_steps, nightly
from regsosek.night.discovery import applicable_rules
from regsosek.night.receiving import receiving
from regsosek.night.run_request import RunRequest
from regsosek.release import publish
from regsosek.resources import open_resources
from regsosek.settings import Settings
from regsosek.warehouse.database import connect
from support.checks.matrix import cells
from support.deliveries.families import PROVINCE
from support.worlds.field_world import CompiledJudge, FieldWorld, add_place, family, few_rules
from support.worlds.one_account import one_account
from support.worlds.published_world import PUBLISHED_RULES

KEPT_RULES = PUBLISHED_RULES
TABLES_ALONE = True
NIGHT = date(2022, 10, 21)
AT = datetime(2022, 10, 20, 12, tzinfo=UTC)
OTHER = "63"
OTHER_DESA = min(c for c, each in region_master().regions.items() if each.level == "desa" and c[:2] == OTHER)
ASKED = (OTHER, PROVINCE)
STATEMENT = "SELECT secret_value FROM core.anggota WHERE r402_nama = 'SITI CONTOH RAHASIA'"


def quoted() -> Exception:
    return pd.errors.DatabaseError(f"Execution failed on sql '{STATEMENT}'")


RAISED: dict[str, Callable[[], Exception]] = {
    "TypeError": lambda: TypeError("unsupported operand"),
    "AssertionError": AssertionError,
    "MemoryError": MemoryError,
    "ArrowMemoryError": lambda: pa.lib.ArrowMemoryError("malloc of size 1 failed"),
    "RuntimeError": lambda: RuntimeError("can't start new thread"),
    "RecursionError": RecursionError,
    "DatabaseError": quoted,
    "OSError": lambda: OSError(28, "No space left on device"),
}


@pytest.fixture(scope="module")
def prepared(services_env: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[FieldWorld]:
    """The world's own reference data, and a sub-SLS of a second province."""
    scratch = tmp_path_factory.mktemp("reference")
    with open_resources(services_env.model_copy(update={"work_dir": tmp_path_factory.mktemp("work")})) as resources:
        world = FieldWorld(resources, few_rules(KEPT_RULES))
        world.prepare(scratch)
        add_place(world, OTHER, OTHER_DESA, scratch)
        yield world


@pytest.fixture(autouse=True)
def quick_night(world: FieldWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    """The composition of a night with the few rules of this module, and the scheduler's settings."""
    for module in (nightly, receiving):
        monkeypatch.setattr(module, "load_suites", lambda _: world.suites, raising=False)
    monkeypatch.setattr(applicable_rules, "Judge", CompiledJudge)
    monkeypatch.setattr(dag_steps, "load_settings", lambda **_: world.resources.settings)


def raising(error: Callable[[], Exception], original: Callable[..., Any], when: Callable[..., bool]) -> Any:
    def step(*args: Any, **named: Any) -> Any:
        if when(*args):
            raise error()
        return original(*args, **named)

    return step


def fail_province(monkeypatch: pytest.MonkeyPatch, error: Callable[[], Exception]) -> None:
    step = raising(error, nightly.receive_locked, lambda _resources, province, *_: province == PROVINCE)
    monkeypatch.setattr(nightly, "receive_locked", step)


def run_of_command(world: FieldWorld) -> None:
    nightly.run_night(world.resources, NIGHT, ASKED)


def run_of_dag(world: FieldWorld) -> None:
    """The tasks as the scheduler runs them: each goes on whatever became of the others."""
    request = RunRequest(NIGHT, ASKED, alerts=True)
    for step in (
        *(lambda code=code: dag_steps.receive_one(request, code) for code in ASKED),
        lambda: dag_steps.publish_night(request),
        lambda: dag_steps.notify_all(request, {}),
        lambda: dag_steps.conclude_night(request),
    ):
        try:
            step()
        except RegsosekError:
            logging.getLogger("task").exception("Task failed with exception")


Way = tuple[Callable[[FieldWorld], None], str]
RUNS = {"command": run_of_command, "dag": run_of_dag}
both_ways = pytest.mark.parametrize("run", RUNS.values(), ids=RUNS)


def refreshed(world: FieldWorld) -> list[str]:
    return [code for (code,) in world.rows("SELECT province FROM mart.refreshed WHERE night = :n ORDER BY 1", n=NIGHT)]


def published(world: FieldWorld) -> int:
    return len(world.rows("SELECT 1 FROM release.release WHERE night = :n", n=NIGHT))


def mail_of(world: FieldWorld, kind: str = "platform") -> str:
    rows = world.rows("SELECT subject, body FROM alert.outbox WHERE kind = :kind ORDER BY language", kind=kind)
    return "\n".join(f"{subject}\n{body}" for subject, body in rows)


def ways(command: Sequence[str], dag: Sequence[str] = ("DatabaseError",)) -> pytest.MarkDecorator:
    """What is raised in a night of the command line, and in one of the DAG; every change tries the first of each."""
    pairs = [("command", kind) for kind in command] + [("dag", kind) for kind in dag]
    always = {f"command {command[0]}", f"dag {dag[0]}"}
    return pytest.mark.parametrize(
        "way", cells({f"{run} {kind}": (RUNS[run], kind) for run, kind in pairs}, always=always)
    )


@ways(["TypeError", "ArrowMemoryError", "RecursionError", "OSError"])
def test_whatever_fails_a_province_stops_no_other_and_is_named(
    world: FieldWorld, monkeypatch: pytest.MonkeyPatch, way: Way
) -> None:
    run, kind = way
    fail_province(monkeypatch, RAISED[kind])
    run(world)
    assert refreshed(world) == [OTHER]
    assert published(world) == 1
    mail = " ".join(mail_of(world).split())
    assert f"- {PROVINCE}: " in mail and kind in mail
    assert "NOT REFRESHED, without an error" not in mail and "secret_value" not in mail


@ways(["AssertionError", "RuntimeError"])
def test_whatever_fails_the_publication_stops_no_digest_and_is_named(
    world: FieldWorld, monkeypatch: pytest.MonkeyPatch, way: Way
) -> None:
    run, kind = way
    monkeypatch.setattr(publish, "build", raising(RAISED[kind], publish.build, lambda *_: True))
    world.deliver(NIGHT, [family("A")], produced_at=AT, spoil={"contract_version": "2"})
    run(world)
    assert refreshed(world) == sorted(ASKED) and published(world) == 0
    mail = " ".join(mail_of(world).split())
    assert "PUBLICATION" in mail and kind in mail and "secret_value" not in mail
    assert mail_of(world, "digest")


@both_ways
def test_a_night_ended_by_the_keyboard_is_ended(
    world: FieldWorld, monkeypatch: pytest.MonkeyPatch, run: Callable[[FieldWorld], None]
) -> None:
    fail_province(monkeypatch, KeyboardInterrupt)  # type: ignore[arg-type]  # no Exception
    with pytest.raises(KeyboardInterrupt):
        run(world)
    assert refreshed(world) == [OTHER] and published(world) == 0


def test_the_command_and_the_dag_come_to_one_outcome_and_write_one_mail(
    world: FieldWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    fail_province(monkeypatch, RAISED["TypeError"])
    told = []
    for run in (run_of_command, run_of_dag):
        run(world.fresh())
        told.append((nightly.outcome(world.resources, NIGHT, ASKED), mail_of(world)))
    assert told[0] == told[1]
    assert told[0][0].failed[PROVINCE].startswith("DefectError: ")
    assert "docs/runbooks/defect.md" in told[0][1]


def test_a_task_whose_process_was_ended_is_told_as_that(world: FieldWorld) -> None:
    request = RunRequest(NIGHT, ASKED, alerts=True)
    dag_steps.receive_one(request, OTHER)
    dag_steps.publish_night(request)
    dag_steps.notify_all(request, {})
    assert "left no error" in " ".join(mail_of(world).split())
    with pytest.raises(NightFailedError, match=f"province {PROVINCE}: .*left no error"):
        dag_steps.conclude_night(request)


@both_ways
def test_a_fault_that_is_mended_is_told_no_more(
    world: FieldWorld, monkeypatch: pytest.MonkeyPatch, run: Callable[[FieldWorld], None]
) -> None:
    with monkeypatch.context() as patch:
        fail_province(patch, RAISED["MemoryError"])
        patch.setattr(publish, "build", raising(TypeError, publish.build, lambda *_: True))
        run(world)
    assert world.rows("SELECT province, error FROM ledger.fault ORDER BY 1") == [
        ("00", "DefectError"),
        (PROVINCE, "MachineFaultError"),
    ]
    run(world)
    assert nightly.outcome(world.resources, NIGHT, ASKED).whole
    assert world.rows("SELECT * FROM ledger.fault") == []


@both_ways
def test_a_province_held_back_from_the_release_is_told(world: FieldWorld, run: Callable[[FieldWorld], None]) -> None:
    world.deliver(NIGHT, [family("A")], produced_at=AT)
    with world.resources.engine.begin() as connection:
        connection.execute(text("CREATE FUNCTION one_more() RETURNS trigger LANGUAGE plpgsql AS "
                                "$$BEGIN NEW.received := NEW.received + 1; RETURN NEW; END$$"))  # fmt: skip
        connection.execute(text("CREATE TRIGGER one_more BEFORE INSERT OR UPDATE ON ledger.delivery_count "
                                "FOR EACH ROW EXECUTE FUNCTION one_more()"))  # fmt: skip
    try:
        run(world)
    finally:
        with world.resources.engine.begin() as connection:
            connection.execute(text("DROP TRIGGER one_more ON ledger.delivery_count"))
            connection.execute(text("DROP FUNCTION one_more()"))
    assert f"provinces {PROVINCE} failed conservation or second reading" in " ".join(mail_of(world).split())


def fail_digest(patch: pytest.MonkeyPatch, error: Callable[[], Exception]) -> None:
    step = raising(error, alerts_nightly.compose_digest, lambda figures, *_: figures.province == PROVINCE)
    patch.setattr(alerts_nightly, "compose_digest", step)


@ways(["MemoryError"])
def test_a_digest_that_fails_stops_no_other_message(
    world: FieldWorld, monkeypatch: pytest.MonkeyPatch, way: Way
) -> None:
    run, kind = way
    fail_digest(monkeypatch, RAISED[kind])
    for n, code in enumerate(ASKED):
        produced_at = AT + timedelta(minutes=n)
        world.deliver(NIGHT, [family("A")], produced_at=produced_at, province=code, spoil={"contract_version": "2"})
    try:
        run(world)
    except NightFailedError as red:
        assert f"prov{PROVINCE}" in str(red) and kind in str(red)
    assert [g for (g,) in world.rows("SELECT recipient_group FROM alert.outbox WHERE kind = 'digest'")] == [
        f"prov{OTHER}"
    ]
    mail = " ".join(mail_of(world).split())
    assert f"NOT COMPOSED: messages of this night that nobody gets until the fault is mended - prov{PROVINCE}: " in mail
    assert kind in mail and "secret_value" not in mail


def test_a_digest_of_the_nation_that_fails_stops_no_other_message(
    world: FieldWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise TypeError("no figures")

    everywhere = [each.code for each in nightly.all_provinces()]
    monkeypatch.setattr(nation, "compose_national", broken)
    with pytest.raises(NightFailedError, match="national: DefectError: digest of the nation: TypeError"):
        nightly.run_night(world.resources, NIGHT, everywhere)
    assert "1 message not composed" in mail_of(world)


ENDED = {
    "statement_timeout": "SET statement_timeout = '1ms'",
    "backend ended": "SELECT pg_terminate_backend(pg_backend_pid())",
}


@pytest.fixture
def unguarded(caplog: pytest.LogCaptureFixture) -> Iterator[pytest.LogCaptureFixture]:
    with caplog.at_level(logging.INFO):
        yield caplog


@pytest.mark.parametrize("fault", ENDED)
@both_ways
def test_no_statement_of_a_database_reaches_log_terminal_or_mail(
    world: FieldWorld,
    monkeypatch: pytest.MonkeyPatch,
    unguarded: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
    mail_sink: MailSink,
    run: Callable[[FieldWorld], None],
    fault: str,
) -> None:
    world.deliver(NIGHT, [family("A")], produced_at=AT)
    before = set(mail_sink.received())

    def gather(connection: Any, *_args: Any) -> None:
        if fault == "statement_timeout":
            connection.execute(text(ENDED[fault]))
        else:
            with world.resources.engine.connect() as other:
                pid = connection.connection.driver_connection.info.backend_pid
                other.execute(text("SELECT pg_terminate_backend(:pid)"), {"pid": pid})
        query = "SELECT count(*) AS secret_value FROM generate_series(1, 100000000) WHERE :secret <> ''"
        pd.read_sql_query(text(query), connection, params={"secret": "SITI CONTOH RAHASIA"})

    monkeypatch.setattr(publish, "gather", gather)
    run(world)
    terminal = capfd.readouterr()
    mails = "".join(path.read_text(errors="replace") for path in set(mail_sink.received()) - before)
    told = unguarded.text + terminal.out + terminal.err + mails + mail_of(world)
    assert "57014" in told if fault == "statement_timeout" else "57P01" in told
    assert not [each for each in ("secret_value", "generate_series", "SITI CONTOH", "RAHASIA") if each in told]


@both_ways
def test_boundaries_that_cannot_be_used_stop_no_release_and_are_told(
    world: FieldWorld, tmp_path: Path, run: Callable[[FieldWorld], None]
) -> None:
    file = tmp_path / "batas.geojson"
    file.write_text(
        '{"type": "FeatureCollection", "features": [{"properties": [], "geometry": {}}, {"properties": [1]}]}'
    )
    world.resources = replace(
        world.resources, settings=world.resources.settings.model_copy(update={"boundaries_file": file})
    )
    run(world)
    assert published(world) == 1
    mail = " ".join(mail_of(world).split())
    assert "published with maps of tiles, the boundaries cannot be used: batas.geojson: feature 1: no BPS code" in mail
    world.resources = replace(
        world.resources, settings=world.resources.settings.model_copy(update={"boundaries_file": None})
    )
    run(world)
    assert nightly.outcome(world.resources, NIGHT, ASKED).whole


def test_a_full_disk_is_told_with_its_path_and_setting(world: FieldWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    fail_province(monkeypatch, RAISED["OSError"])
    with pytest.raises(RegsosekError) as caught:
        nightly.receive(world.resources, PROVINCE, NIGHT)
    said = str(caught.value)
    assert "ENOSPC" in said and f"REGSOSEK_WORK_DIR ({world.resources.settings.work_dir})" in said


def test_a_warehouse_that_cannot_be_reached_is_told_with_its_setting(world: FieldWorld) -> None:
    settings: Settings = world.resources.settings
    refused = settings.warehouse_url.get_secret_value().rpartition("/")[0] + "/no_such_database"
    broken = one_account(settings, refused)
    resources = replace(world.resources, settings=broken, engine=connect(broken), accounts={})
    with pytest.raises(RegsosekError, match="REGSOSEK_WAREHOUSE_URL") as caught:
        nightly.receive(resources, PROVINCE, NIGHT)
    assert "no_such_database" not in str(caught.value)
