"""The watchdog on real servers of its own, each of which is stopped: it says the truth through what still works."""

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from sqlalchemy import insert
from typer.testing import CliRunner

from regsosek.cli.main import app
from regsosek.landing.object_store import ObjectStore
from regsosek.local import stack
from regsosek.release.lifecycle.pointer import POINTER
from regsosek.settings import Settings, load_settings
from regsosek.warehouse import tables
from regsosek.warehouse.database import connect
from regsosek.warehouse.migration import migrate
from regsosek.watchdog import rounds
from regsosek.watchdog.observing import store_view, warehouse_view
from regsosek.watchdog.rounds import Round, watch
from regsosek.watchdog.state import read
from support.checks.command_line import environment
from support.worlds.observed_morning import NIGHT, change, seed_store, seed_warehouse

NOW = datetime(2022, 10, 25, 23, 30, tzinfo=UTC)  # 06:30 WIB on the 26th
SECRET = "9a1f0c3e-dead"


@dataclass
class Outside:
    """Dead-man's switch, chat and Airflow's health page, and what they were asked."""

    url: str = ""
    asked: list[tuple[str, str]] = field(default_factory=list)
    health: dict[str, Any] = field(default_factory=dict)

    def pings(self) -> list[str]:
        return [path.removeprefix(f"/{SECRET}") or "good" for path, _ in self.asked if path.startswith(f"/{SECRET}")]


@pytest.fixture(scope="module")
def outside() -> Iterator[Outside]:
    seen = Outside()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
            seen.asked.append((self.path, body))
            self._answer({})

        def do_GET(self) -> None:
            self._answer(seen.health)

        def _answer(self, content: dict[str, Any]) -> None:
            data = json.dumps(content).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    seen.url = f"http://127.0.0.1:{server.server_port}"
    yield seen
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="module")
def services(tmp_path_factory: pytest.TempPathFactory) -> Iterator[stack.Stack]:
    root = tmp_path_factory.mktemp("watched")
    try:
        up = stack.services_up(root)
        engine = connect(load_settings(up.environment() | {"REGSOSEK_ENV_FILE": "/nonexistent"}), "owner")
        migrate(engine)
        engine.dispose()
        yield up
    finally:
        stack.clean(root)


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(warehouse_view, "BETWEEN_SECONDS", 0)
    monkeypatch.setattr(store_view, "BRIEF", replace(store_view.BRIEF, first_wait=0.1))


@pytest.fixture
def settings(services: stack.Stack, outside: Outside, tmp_path: Path) -> Settings:
    """A good morning: the night of all provinces processed, published in time, told, and deliveries on its day."""
    asked = {"REGSOSEK_ENV_FILE": "/nonexistent", "REGSOSEK_WAREHOUSE_URL": services.postgres.url(stack.WAREHOUSE)}
    given = load_settings(services.environment() | asked).model_copy(
        update={
            "watchdog_state_file": tmp_path / "state" / "memory.json",
            "watchdog_ping_url": SecretStr(f"{outside.url}/{SECRET}"),
            "watchdog_webhook_url": SecretStr(f"{outside.url}/chat-{SECRET}"),
            "smtp_timeout_seconds": 2.0,
        }
    )
    outside.asked.clear()
    for mail in services.mail.received():
        mail.unlink()
    seed_warehouse(given)
    seed_store(given)
    return given


def kinds(found: Round) -> list[str]:
    return [str(each.kind) for each in found.findings]


def mails(services: stack.Stack) -> list[str]:
    read_ = [message_from_bytes(file.read_bytes(), policy=policy.default) for file in services.mail.received()]
    return [f"{each['Subject']}\n{' '.join(each.get_content().split())}" for each in read_]  # type: ignore[attr-defined]


def later(n: int) -> datetime:
    return NOW + timedelta(minutes=n)


def test_a_good_morning_is_silent_and_pings(settings: Settings, services: stack.Stack, outside: Outside) -> None:
    found = watch(settings, NOW, "command")
    assert (kinds(found), found.told, dict(found.unreached)) == ([], (), {})
    assert outside.pings() == ["/start", "good"]
    assert mails(services) == []
    assert found.objective is not None
    assert (found.objective.due, found.objective.in_time) == (11, 1)


def test_airflow_may_say_what_it_likes(settings: Settings, services: stack.Stack, outside: Outside) -> None:
    """A run marked success in Airflow and in the notes of its tasks, healthy everywhere, and nothing was done."""
    change(settings, "TRUNCATE ledger.seal, mart.refreshed, release.release")
    ObjectStore.connect(settings).delete(settings.release_bucket, POINTER)
    told = {"province": "00", "night": NIGHT, "dag_id": "regsosek_nightly", "run_id": "r", "task_id": "conclude"}
    engine = connect(settings)
    with engine.begin() as connection:
        note = {"map_index": -1, "try_number": 1, "started_at": NOW, "seconds": 1.0, "told": "34 of 34 provinces whole"}
        connection.execute(insert(tables.task_run).values(**told, **note))
    engine.dispose()
    outside.health = _health(NOW, "healthy")
    found = watch(settings.model_copy(update={"airflow_health_url": outside.url}), NOW, "command")
    assert kinds(found) == ["NIGHT_NOT_BEGUN", "RELEASE_LATE"]
    (mail,) = mails(services)
    assert "[WATCHDOG] the night has not begun and 1 more" in mail
    assert "night 2022-10-25: due 06:00 WIB; nothing is published" in mail
    assert "docs/runbooks/release-late.md" in mail
    assert outside.pings() == ["/start", "/fail"]
    assert any(path == f"/chat-{SECRET}" and "RELEASE_LATE" in body for path, body in outside.asked)


def _health(beat: datetime, status: str) -> dict[str, Any]:
    return {
        "metadatabase": {"status": "healthy"},
        "scheduler": {"status": status, "latest_scheduler_heartbeat": beat.isoformat()},
        "triggerer": {"status": None, "latest_triggerer_heartbeat": None},
        "dag_processor": {"status": status, "latest_dag_processor_heartbeat": beat.isoformat()},
    }


def test_a_dead_scheduler_is_seen_by_its_heartbeat(settings: Settings, outside: Outside) -> None:
    outside.health = _health(NOW - timedelta(minutes=30), "healthy")  # as long as nobody updates the word
    asked = settings.model_copy(update={"airflow_health_url": outside.url})
    assert [each.subject for each in watch(asked, NOW, "command").findings] == ["scheduler", "dag_processor"]
    gone = settings.model_copy(update={"airflow_health_url": "http://127.0.0.1:9/health"})
    assert kinds(watch(gone, NOW, "command")) == ["AIRFLOW_DOWN"]


def test_a_dag_that_ran_and_runs_no_more_is_missed(settings: Settings) -> None:
    assert kinds(watch(settings, NOW - timedelta(minutes=61), "dag")) == []
    found = watch(settings, NOW, "command")
    assert [each.key for each in found.findings] == ["WATCHER_SILENT:dag"]


def test_a_finding_is_told_once_and_its_end_once_by_both_watchdogs_together(
    settings: Settings, services: stack.Stack, outside: Outside, tmp_path: Path
) -> None:
    elsewhere = settings.model_copy(update={"watchdog_state_file": tmp_path / "other.json"})
    change(settings, "UPDATE alert.outbox SET state = 'waiting', last_error = 'SMTPServerDisconnected'")
    watch(settings, NOW, "command")
    watch(elsewhere, later(7), "dag")
    watch(settings, later(15), "command")
    change(settings, "UPDATE alert.outbox SET state = 'sent'")
    for n in (22, 30, 37, 45):
        watch(elsewhere if n % 15 else settings, later(n), "dag" if n % 15 else "command")
    subjects = [mail.splitlines()[0] for mail in mails(services)]
    assert subjects == ["[WATCHDOG] alerts wait in the outbox", "[WATCHDOG OVER] alerts wait in the outbox"]


def test_a_lost_file_is_made_good_from_the_archive(settings: Settings, services: stack.Stack) -> None:
    change(settings, "DELETE FROM mart.refreshed WHERE province = '94'")
    watch(settings, NOW, "command")
    settings.watchdog_state_file.unlink()
    assert watch(settings, later(15), "command").told == ()
    memory = read(settings.watchdog_state_file.read_bytes())
    assert memory is not None and memory.standing[0].began_at == NOW
    assert len(mails(services)) == 1


def test_the_warehouse_is_stopped(settings: Settings, services: stack.Stack, outside: Outside) -> None:
    change(settings, "DELETE FROM mart.refreshed WHERE province = '94'")
    assert kinds(watch(settings, NOW, "command")) == ["NIGHT_UNFINISHED"]
    services.postgres.stop()
    try:
        for n in (15, 45):
            found = watch(settings, later(n), "command")
            assert kinds(found) == ["WAREHOUSE_DOWN"]
        assert found.objective is None
    finally:
        services.postgres.start()
    assert outside.pings()[-1] == "/fail"
    # What could not be looked at is not over, and is named as standing.
    subjects = [mail.splitlines()[0] for mail in mails(services)]
    assert subjects == ["[WATCHDOG] provinces are not processed", "[WATCHDOG] the warehouse does not answer"]
    assert "STILL SO" in mails(services)[1]
    assert SECRET not in "".join(mails(services))


def test_the_object_store_is_stopped(settings: Settings, services: stack.Stack) -> None:
    services.object_store.stop()
    try:
        assert kinds(watch(settings, NOW, "command")) == ["STORE_DOWN"]
        assert watch(settings, later(15), "command").told == ()  # remembered by the file alone
    finally:
        services.object_store.start(stack.BUCKETS)
    (mail,) = mails(services)
    assert "STORE_DOWN: the object store does not answer: " in mail


def test_the_mail_server_is_stopped(settings: Settings, services: stack.Stack, outside: Outside) -> None:
    plain = settings.model_copy(update={"watchdog_webhook_url": None})
    services.mail.stop()
    try:
        found = watch(plain, NOW, "command")
        assert (kinds(found), set(found.unreached)) == (["MAIL_DOWN"], {"mail"})
        assert [each.why for each in watch(plain, later(15), "command").told] == ["began"]  # nobody took it yet
        found = watch(settings, later(30), "command")
        assert "MAIL_DOWN" in outside.asked[-2][1]
        assert watch(settings, later(45), "command").told == ()
    finally:
        services.mail.start()
    assert outside.pings().count("/fail") == 4


def test_a_switch_that_does_not_answer_is_said(settings: Settings, services: stack.Stack) -> None:
    dead = settings.model_copy(update={"watchdog_ping_url": SecretStr(f"http://127.0.0.1:9/{SECRET}")})
    found = watch(dead, NOW, "command")
    assert (kinds(found), found.at_fault, dict(found.unreached)) == (["PING_DOWN"], False, {"ping": "ConnectError"})
    (mail,) = mails(services)
    assert "the dead-man's switch does not answer" in mail
    assert SECRET not in mail


def test_no_ping_for_a_round_that_did_not_run(
    settings: Settings, outside: Outside, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rounds, "findings", broken)
    with pytest.raises(RuntimeError):
        watch(settings, NOW, "command")
    given = environment(settings) | {"REGSOSEK_ENV_FILE": "/nonexistent"}
    assert CliRunner().invoke(app, ["watchdog"], env=given).exit_code == 2
    assert outside.pings() == ["/start", "/start"]


def test_a_look_that_breaks_blinds_no_other(
    settings: Settings, services: stack.Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    change(settings, "DELETE FROM mart.refreshed WHERE province = '94'")
    monkeypatch.setattr(rounds, "see_store", broken)
    assert kinds(watch(settings, NOW, "command")) == ["STORE_DOWN", "NIGHT_UNFINISHED"]
    assert "6403015502840001" not in "".join(mails(services))


def broken(*_: Any) -> None:
    raise RuntimeError("quotes 6403015502840001")


def test_looking_alone_tells_pings_and_remembers_nothing(
    settings: Settings, services: stack.Stack, outside: Outside
) -> None:
    change(settings, "TRUNCATE release.release")
    ObjectStore.connect(settings).delete(settings.release_bucket, POINTER)
    found = watch(settings, NOW, "command", tell=False)
    assert (kinds(found), found.at_fault) == (["RELEASE_LATE"], True)
    assert (outside.asked, mails(services), settings.watchdog_state_file.exists()) == ([], [], False)


def test_a_silence_keeps_quiet_and_a_faulty_one_is_a_finding(settings: Settings, tmp_path: Path) -> None:
    change(settings, "DELETE FROM mart.refreshed WHERE province = '94'")
    file = tmp_path / "silences.csv"
    muted = settings.model_copy(update={"watchdog_silences_file": file})
    header = "kind,subject,issue,owner,until\n"
    file.write_text(f"{header}NIGHT_UNFINISHED,,https://tickets.example/7,platform,2022-10-27\n")
    found = watch(muted, NOW, "command")
    assert (kinds(found), found.told, found.at_fault) == (["NIGHT_UNFINISHED"], (), False)
    file.write_text(f"{header}NIGHT_UNFINISHED,,,platform,2022-10-27\n")
    events = tmp_path / "events.csv"
    events.write_text(
        "id,region,kinds,opens,closes,reason,owner,source\nbanjir,94,NO_DATA,2022-10-20,,Banjir,kanwil,x\n"
    )
    found = watch(muted.model_copy(update={"known_events_file": events}), later(15), "command")
    assert kinds(found) == ["CHECK_FAILED", "CHECK_FAILED", "NIGHT_UNFINISHED"]
    assert ["a silence needs issue" in each.detail for each in found.findings].count(True) == 1
    assert ["event banjir: fill closes" in each.detail for each in found.findings].count(True) == 1


def test_the_command_ends_with_what_it_found(settings: Settings, outside: Outside) -> None:
    """By today's clock no field window is open: nothing is due, and what is broken is found all the same."""
    runner, given = CliRunner(), environment(settings) | {"REGSOSEK_ENV_FILE": "/nonexistent"}
    good = runner.invoke(app, ["watchdog"], env=given)
    assert (good.exit_code, "nothing is wrong" in good.output) == (0, True)
    assert "no night was due in the last 30 days" in good.output
    fault = runner.invoke(app, ["watchdog"], env=given | {"REGSOSEK_SMTP_PORT": "9"})
    assert (fault.exit_code, "MAIL_DOWN" in fault.output) == (1, True)
    outside.asked.clear()
    blind = runner.invoke(app, ["watchdog"], env=given | {"REGSOSEK_NO_SUCH": "1"})
    assert (blind.exit_code, outside.asked) == (2, [])
