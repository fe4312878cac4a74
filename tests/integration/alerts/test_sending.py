"""The outbox with a real warehouse and a real relay that refuses, dies, wants TLS, or is asked in the morning only."""

import json
import multiprocessing
import os
import signal
import ssl
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import trustme
from pydantic import SecretStr
from sqlalchemy import Engine, text
from typer.testing import CliRunner

from local_services.loopback import free_port
from regsosek.alerts.outbox import operating
from regsosek.alerts.outbox.outbox import take_back
from regsosek.alerts.outbox.retry import pace
from regsosek.alerts.sending.send_due import SendReport, deliver
from regsosek.cli.main import app
from regsosek.errors import ConfigurationError, OutboxError
from regsosek.geography.recipients import Channel, Quiet
from regsosek.settings import Settings
from support.checks.command_line import environment
from support.servers.imap_mailbox import ImapMailbox, imap_mailbox
from support.servers.relay import LOGIN, PASSWORD, deliver_at, relay
from support.worlds.prepared_outbox import (
    DEPUTY,
    HEAD,
    MESSAGE,
    NIGHT,
    NOW,
    OFFICE,
    TEAM,
    bounce_of,
    deliveries,
    message_of,
    message_row,
    put,
    recipients_file,
    settings_for,
)


def test_a_refused_recipient_is_seen_its_deputy_written_to_and_the_team_told(
    engine: Engine, services_env: Settings
) -> None:
    put(engine, OFFICE, DEPUTY, HEAD)
    with relay(answers={OFFICE.address: "550 5.1.1 prov64@bps.example unknown"}) as it:
        own = settings_for(services_env, it.port)
        assert deliver(engine, own, NOW) == SendReport(3, 1, 0)  # head, deputy and team
        assert deliver(engine, own, NOW) == SendReport(0, 0, 0)
        [told] = it.to(TEAM)
    rows = deliveries(engine)
    assert {address: row.state for address, row in rows.items()} == {
        OFFICE.address: "failed", DEPUTY.address: "sent", HEAD.address: "sent", TEAM: "sent"
    }  # fmt: skip
    assert rows[OFFICE.address].last_error == "RCPT 550"
    assert message_row(engine).state == "sent"
    assert it.to(DEPUTY.address)[0]["To"] == DEPUTY.address
    body = told.get_body(("plain",)).get_content()
    assert "to operasional by email: RCPT 550, 1 try; the deputy is written to" in " ".join(body.split())
    assert OFFICE.address not in told.as_string() + str([row.last_error for row in rows.values()])


def test_a_deputy_hears_nothing_while_the_office_can_be_reached(engine: Engine, services_env: Settings) -> None:
    put(engine, OFFICE, DEPUTY)
    with relay() as it:
        assert deliver(engine, settings_for(services_env, it.port), NOW) == SendReport(1, 0, 0)
    assert deliveries(engine)[DEPUTY.address].state == "standby"
    [mail] = it.to(OFFICE.address)
    assert mail.get_body(("html",)).get_content().splitlines() == ["<p>Isi.</p>"]
    assert [part.get_filename() for part in mail.iter_attachments()] == ["daftar.csv"]


@pytest.mark.parametrize("answer", ["450 4.2.0 greylisted", "421 4.3.2 later"])
def test_a_temporary_refusal_is_tried_again_with_growing_patience(
    engine: Engine, services_env: Settings, answer: str
) -> None:
    put(engine)
    now, waited = NOW, []
    with relay(answers={OFFICE.address: answer}) as it:
        for _ in range(3):
            done = deliver(engine, settings_for(services_env, it.port), now)
            assert (done.failed, done.waiting, done.unreached) == (1, 1, int(answer.startswith("421")))
            waited.append(deliveries(engine)[OFFICE.address].next_try_at - now)
            now += waited[-1]
        it.answers.clear()
        assert deliver(engine, settings_for(services_env, it.port), now) == SendReport(1, 0, 0)
    assert waited[0] >= timedelta(minutes=pace().first_minutes / 2)
    assert waited[2] >= 2 * timedelta(minutes=pace().first_minutes)
    assert (message_row(engine).attempts, message_row(engine).last_error) == (4, None)


def test_who_is_refused_for_ever_is_given_up_and_told_once(engine: Engine, services_env: Settings) -> None:
    put(engine)
    with relay(answers={OFFICE.address: "452 4.2.2 full"}) as it:
        own = settings_for(services_env, it.port)
        for hours in range(0, 3 * pace().most_tries, 3):
            deliver(engine, own, NOW + timedelta(hours=hours))
        row = deliveries(engine)[OFFICE.address]
        assert (row.state, row.attempts) == ("failed", pace().most_tries)
        assert [mail["Subject"] for mail in it.to(TEAM)] == [
            "[PIPELINE FAULT] sending: 1 not delivered yet",
            "[PIPELINE FAULT] sending: 1 not delivered",
        ]
        it.answers.clear()
        with engine.begin() as connection:
            assert operating.retry(connection, message_row(engine).id, NOW + timedelta(days=3)) == 1
        assert deliver(engine, own, NOW + timedelta(days=3)) == SendReport(1, 0, 0)


def test_a_content_that_is_refused_for_good_is_not_tried_again(engine: Engine, services_env: Settings) -> None:
    put(engine)
    with relay(at_data="554 5.7.1 no") as it:
        deliver(engine, settings_for(services_env, it.port), NOW)
    row = deliveries(engine)[OFFICE.address]
    assert (row.state, row.last_error, row.unclear) == ("failed", "DATA 554", 0)


def test_a_relay_down_for_two_days_loses_and_doubles_nothing(engine: Engine, services_env: Settings) -> None:
    for day in range(2):
        put(engine, night=NIGHT + timedelta(days=day), now=NOW + timedelta(days=day))
    down, at = settings_for(services_env, free_port()), NOW + timedelta(days=1)
    for hour in range(48):
        deliver(engine, down, at + timedelta(hours=hour))
    rows = deliveries(engine)
    assert {row.state for row in rows.values()} == {"waiting"}
    assert 20 <= rows[OFFICE.address].attempts < 40, "every other hour or so in the end"
    with relay() as it:
        own = settings_for(services_env, it.port)
        for hour in range(4):
            deliver(engine, own, at + timedelta(days=2, hours=hour))
        deliver(engine, own, at + timedelta(days=9))
    assert [mail["Message-ID"][:10] for mail in sorted(it.to(OFFICE.address), key=lambda m: m["Message-ID"])] == [
        "<20221026.", "<20221027."
    ]  # fmt: skip
    assert len(it.to(TEAM)) == 1


def test_killed_between_acceptance_and_mark_it_comes_once_more_and_no_third_time(
    engine: Engine, services_env: Settings
) -> None:
    put(engine, OFFICE, DEPUTY)
    never = threading.Event()
    with relay(hold=never) as it:
        own = settings_for(services_env, it.port, smtp_timeout_seconds=60.0)
        for _ in range(2):
            it.arrived.clear()
            child = multiprocessing.get_context("spawn").Process(target=deliver_at, args=(own, NOW))
            child.start()
            assert it.arrived.wait(60)
            assert child.pid
            os.kill(child.pid, signal.SIGKILL)
            child.join()
        never.set()
        deliver(engine, own, NOW)
        deliver(engine, own, NOW)
    first, second = it.to(OFFICE.address)
    assert first["Message-ID"] == second["Message-ID"]
    row = deliveries(engine)[OFFICE.address]
    assert (row.state, row.last_error) == ("failed", "outcome unknown twice; it may have arrived")
    assert len(it.to(DEPUTY.address)) == 1, "somebody of the office has it for certain"


def test_killed_once_it_comes_at_most_twice(engine: Engine, services_env: Settings) -> None:
    put(engine)
    with engine.begin() as connection:
        connection.execute(text("UPDATE alert.delivery SET unclear = 1"))
    assert put(engine) is False, "what may have been read does not change"
    with relay() as it:
        assert deliver(engine, settings_for(services_env, it.port), NOW) == SendReport(1, 0, 0)
        assert deliver(engine, settings_for(services_env, it.port), NOW) == SendReport(0, 0, 0)
    assert len(it.to(OFFICE.address)) == 1


def test_two_senders_at_once_never_double(engine: Engine, services_env: Settings) -> None:
    for day in range(8):
        put(engine, night=NIGHT + timedelta(days=day))
    with relay() as it, ThreadPoolExecutor(3) as pool:
        own = settings_for(services_env, it.port)
        results = list(pool.map(lambda _: deliver(engine, own, NOW), range(3)))
    assert sum(each.sent for each in results) == 8 == len({mail["Message-ID"] for mail in it.to(OFFICE.address)})
    assert len(it.to(OFFICE.address)) == 8


def test_what_is_taken_back_while_it_is_on_its_way_is_not_handed_over(engine: Engine, services_env: Settings) -> None:
    put(engine)
    before = deliveries(engine)[OFFICE.address]
    with relay() as it:

        def composed_anew(*_: Any) -> None:
            put(engine, message=replace(MESSAGE, subject="lain"))

        with pytest.MonkeyPatch.context() as patch:
            original = deliver.__globals__["begin"]
            patch.setitem(deliver.__globals__, "begin", lambda *a: (composed_anew(), original(*a))[1])
            assert deliver(engine, settings_for(services_env, it.port), NOW).sent == 0
        assert deliveries(engine)[OFFICE.address].id != before.id
        assert deliver(engine, settings_for(services_env, it.port), NOW).sent == 1
        with engine.begin() as connection:
            take_back(connection, "prov64", NIGHT, "digest")
    assert [mail["Subject"] for mail in it.to(OFFICE.address)] == ["lain"]
    assert message_row(engine).state == "sent"


@pytest.mark.parametrize("implicit", [False, True])
def test_tls_and_login(engine: Engine, services_env: Settings, tmp_path: Path, implicit: bool) -> None:
    authority, context = trustme.CA(), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    put(engine)
    with relay(server_context=context, implicit_tls=implicit) as it:
        login = {"smtp_username": LOGIN, "smtp_password": SecretStr(PASSWORD)}
        own = settings_for(services_env, it.port, **login, smtp_tls=implicit, smtp_starttls=not implicit)
        trusting = own.model_copy(update={"smtp_ca_file": tmp_path / "ca.pem"})
        assert deliver(engine, own, NOW).failed == 1
        row = deliveries(engine)[OFFICE.address]
        assert row.last_error.startswith("SSLCertVerificationError")
        wrong = trusting.model_copy(update={"smtp_password": SecretStr("salah")})
        assert deliver(engine, wrong, row.next_try_at).failed == 1
        row = deliveries(engine)[OFFICE.address]
        assert row.last_error == "SMTPAuthenticationError 535"
        assert deliver(engine, trusting, row.next_try_at).sent == 1
    assert it.logged_in == [True]


@pytest.mark.parametrize(("province", "utc"), [("31", "23:00"), ("64", "22:00"), ("94", "21:00")])
def test_what_can_wait_waits_for_the_morning_of_its_province(
    engine: Engine, services_env: Settings, province: str, utc: str
) -> None:
    quiet = replace(OFFICE, province=province, quiet=Quiet(time(21), time(6)))
    put(engine, quiet)
    morning = datetime.combine(NOW.date(), time.fromisoformat(utc), UTC)
    with relay() as it:
        own = settings_for(services_env, it.port)
        assert deliver(engine, own, NOW) == SendReport(0, 0, 0, later=1)
        assert deliver(engine, own, morning - timedelta(minutes=1)).later == 1
        assert deliver(engine, own, morning).sent == 1


def test_critical_news_go_at_once_unless_the_file_says_otherwise(engine: Engine, services_env: Settings) -> None:
    quiet = replace(OFFICE, quiet=Quiet(time(21), time(6)))
    put(engine, quiet, replace(HEAD, quiet=quiet.quiet, critical_waits=True), urgent=True)
    with relay() as it:
        assert deliver(engine, settings_for(services_env, it.port), NOW) == SendReport(1, 0, 0, later=1)
    assert [address for address, _ in it.came] == [OFFICE.address]
    assert not put(engine, quiet, urgent=False), "somebody has it"
    assert put(engine, quiet, night=NIGHT + timedelta(days=1), honour_quiet=False)
    assert deliver(engine, settings_for(services_env, free_port()), NOW).waiting == 1


class _Hook(BaseHTTPRequestHandler):
    posted: list[dict[str, Any]]
    status = 200

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        type(self).posted.append(json.loads(body))
        self.send_response(type(self).status)
        self.send_header("Location", "/elsewhere")
        self.end_headers()

    def do_GET(self) -> None:
        type(self).posted.append({"asked": self.path})
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        """Says nothing."""


@pytest.fixture
def hook(tmp_path: Path) -> Iterator[tuple[type[_Hook], Path]]:
    handler = type("Hook", (_Hook,), {"posted": []})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    file = tmp_path / "webhooks.conf"
    file.write_text(f"obrolan-tim=json://127.0.0.1:{server.server_port}/rahasia-token\n")
    yield handler, file
    server.shutdown()
    server.server_close()


def test_what_mail_cannot_bring_is_told_by_chat(
    engine: Engine, services_env: Settings, hook: tuple[type[_Hook], Path], tmp_path: Path
) -> None:
    handler, file = hook
    put(engine)
    down = settings_for(services_env, free_port(), webhooks_file=file, recipients_file=recipients_file(tmp_path))
    for hours in range(0, 3 * (pace().told_after_tries + 2), 3):
        deliver(engine, down, NOW + timedelta(hours=hours))
    [posted] = handler.posted
    assert posted["title"] == "[PIPELINE FAULT] sending: 1 not delivered yet"
    assert "ConnectionRefusedError 111" in posted["message"]
    assert OFFICE.address not in str(posted)
    rows = deliveries(engine)
    assert rows["obrolan-tim"].state == "sent"
    assert "token" not in str(rows)


def test_a_webhook_that_refuses_is_tried_again(
    engine: Engine, services_env: Settings, hook: tuple[type[_Hook], Path]
) -> None:
    handler, file = hook
    own = services_env.model_copy(update={"webhooks_file": file})
    put(engine, replace(OFFICE, channel=Channel.WEBHOOK, address="obrolan-tim"))
    handler.status = 500
    assert deliver(engine, own, NOW).failed == 1
    row = deliveries(engine)["obrolan-tim"]
    assert (row.state, row.last_error, row.unclear) == ("waiting", "webhook FAILURE", 0)
    handler.status = 200
    assert deliver(engine, own, row.next_try_at).sent == 1
    assert [each["message"].strip() for each in handler.posted] == ["Isi.", "Isi."]


def test_a_webhook_that_leads_elsewhere_is_not_followed(
    engine: Engine, services_env: Settings, hook: tuple[type[_Hook], Path]
) -> None:
    handler, file = hook
    put(engine, replace(OFFICE, channel=Channel.WEBHOOK, address="obrolan-tim"))
    handler.status = 302
    assert deliver(engine, services_env.model_copy(update={"webhooks_file": file}), NOW).failed == 1
    assert [each.get("asked") for each in handler.posted] == [None]


def test_a_tag_that_leads_nowhere_waits_and_says_so(
    engine: Engine, services_env: Settings, hook: tuple[type[_Hook], Path]
) -> None:
    put(engine, replace(OFFICE, channel=Channel.WEBHOOK, address="tidak-ada"))
    deliver(engine, services_env.model_copy(update={"webhooks_file": hook[1]}), NOW)
    row = deliveries(engine)["tidak-ada"]
    assert row.last_error == "no usable line tidak-ada=URL in the webhooks file"
    deliver(engine, services_env, row.next_try_at)
    assert deliveries(engine)["tidak-ada"].last_error == "REGSOSEK_WEBHOOKS_FILE is not set"


def test_a_bounce_wakes_the_deputy_and_is_read_once(engine: Engine, services_env: Settings, tmp_path: Path) -> None:
    import mailbox

    box = mailbox.Maildir(tmp_path / "kembali")
    put(engine, OFFICE, DEPUTY)
    with relay() as it:
        own = settings_for(services_env, it.port, bounce_maildir=tmp_path / "kembali")
        deliver(engine, own, NOW)
        [mail] = it.to(OFFICE.address)
        own_id, number = mail["Message-ID"], message_row(engine).id
        for content in ("From: a@b.example\nSubject: hi\n\nhello\n", bounce_of(mail, action="delayed"),
                        bounce_of(mail, message_id=own_id.replace("bps.example", "other.example")),
                        bounce_of(mail, message_id=own_id.replace(f".{number}.", f".{number + 1}."))):  # fmt: skip
            box.add(content)
        assert deliver(engine, own, NOW).bounced == 0
        box.add(bounce_of(mail))
        done = deliver(engine, own, NOW)
        assert (done.bounced, done.sent) == (1, 2)
        assert deliver(engine, own, NOW) == SendReport(0, 0, 0)
    rows = deliveries(engine)
    assert (rows[OFFICE.address].state, rows[OFFICE.address].last_error) == ("failed", "bounced 5.1.1")
    assert (rows[DEPUTY.address].state, rows[TEAM].state) == ("sent", "sent")
    assert all("S" in message.get_flags() for message in mailbox.Maildir(tmp_path / "kembali", create=False))


def test_a_mailbox_that_cannot_be_read_does_not_stop_sending(
    engine: Engine, services_env: Settings, tmp_path: Path
) -> None:
    put(engine)
    with relay() as it:
        own = settings_for(services_env, it.port, bounce_maildir=tmp_path / "none", bounce_imap_port=free_port())
        assert deliver(engine, own, NOW).sent == 1
        put(engine, night=NIGHT + timedelta(days=1))
        by_imap = own.model_copy(update={"bounce_maildir": None, "bounce_imap_host": "127.0.0.1"})
        assert deliver(engine, by_imap, NOW).sent == 1


def test_an_operator_withholds_and_lets_go(engine: Engine, services_env: Settings) -> None:
    put(engine, OFFICE, DEPUTY)
    with relay() as it, engine.begin() as connection:
        outbox_id = operating.outbox_lines(connection)[0].outbox_id
        assert operating.withhold(connection, outbox_id) == 2
        connection.commit()
        own = settings_for(services_env, it.port)
        assert deliver(engine, own, NOW) == SendReport(0, 0, 0)
        assert message_row(engine).state == "withheld"
        assert not put(engine), "what is withheld is not composed anew"
    with engine.begin() as connection:
        assert operating.retry(connection, outbox_id, NOW) == 1
    with relay() as it:
        assert deliver(engine, settings_for(services_env, it.port), NOW) == SendReport(1, 0, 0)
    with engine.begin() as connection:
        with pytest.raises(OutboxError, match="reached everybody"):
            operating.retry(connection, outbox_id)
        with pytest.raises(OutboxError, match="no message 999 is in the outbox"):
            operating.withhold(connection, 999)


def test_a_relay_that_only_airflow_knows_is_left_to_its_tasks(engine: Engine, services_env: Settings) -> None:
    put(engine)
    fields = services_env.model_dump(exclude={"smtp_host", "smtp_port"}) | {"smtp_conn_id": "surat"}
    assert deliver(engine, Settings(**fields), NOW) == SendReport(0, 0, 1, unreached=1)
    assert deliveries(engine)[OFFICE.address].attempts == 0


def test_an_operator_looks_before_sending(
    engine: Engine, services_env: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in environment(services_env.model_copy(update={"smtp_port": free_port()})).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("REGSOSEK_ENV_FILE", "/nonexistent")
    at = datetime.now(UTC)
    put(engine, OFFICE, DEPUTY, now=at - timedelta(minutes=1))
    put(engine, night=NIGHT + timedelta(days=1), now=at + timedelta(hours=5))

    def said(*words: str) -> str:
        answer = CliRunner().invoke(app, ["alerts", *words], env={"COLUMNS": "200"}, catch_exceptions=False)
        return " ".join(answer.output.split())

    shown = said("send", "--dry-run")
    assert "to prov64@bps.example by email, not before" in shown
    assert "Subject: [KRITIS] malam With: HTML, daftar.csv (5 bytes) Isi." in shown
    assert "Due: 1; waiting for their hour: 1; nothing was sent." in shown
    assert deliveries(engine)[OFFICE.address].attempts == 0
    assert "Delivered: 0; tries that failed: 1; waiting for the next try: 1, for their hour: 1" in said("send")
    assert "Messages by recipient: 3" in said("outbox")
    assert "Messages by recipient: 1" in said("outbox", "--state", "standby", "--night", str(NIGHT), "-p", "64")
    outbox_id = message_of(engine, NIGHT)
    assert f"Message {outbox_id} is withheld from 2." in said("withhold", str(outbox_id))
    assert f"Message {outbox_id} is tried again for 1. Delivered: 0; tries that failed: 1" in said(
        "retry", str(outbox_id)
    )
    with pytest.raises(ConfigurationError, match="state 'lost' is none; write one of waiting, sent"):
        said("outbox", "--state", "lost")


def test_bounces_are_read_from_an_imap_server(engine: Engine, services_env: Settings, tmp_path: Path) -> None:
    authority, context = trustme.CA(), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    put(engine)
    with relay() as it:
        deliver(engine, settings_for(services_env, it.port), NOW)
        returned = bounce_of(it.to(OFFICE.address)[0]).replace("\n", "\r\n").encode()
        with imap_mailbox(ImapMailbox([b"Subject: halo\r\n\r\nhalo\r\n", returned], PASSWORD), context) as box:
            reading = {"bounce_imap_host": "127.0.0.1", "bounce_imap_port": box.port, "bounce_imap_username": LOGIN,
                       "smtp_ca_file": tmp_path / "ca.pem"}  # fmt: skip
            wrong = settings_for(services_env, it.port, **reading, bounce_imap_password=SecretStr("salah"))
            assert (deliver(engine, wrong, NOW).bounced, box.seen) == (0, set())
            right = wrong.model_copy(update={"bounce_imap_password": SecretStr(PASSWORD)})
            lost = right.model_copy(update={"bounce_imap_folder": "Kembali"})
            assert (deliver(engine, lost, NOW).bounced, box.seen) == (0, set())
            assert deliver(engine, right, NOW).bounced == 1
            assert box.seen == {1, 2}
            assert deliver(engine, right, NOW).bounced == 0
    assert deliveries(engine)[OFFICE.address].last_error == "bounced 5.1.1"
