"""Relays that are slow, stubborn, mended or wrongly named: each message once, none lost, no night red for another's."""

import re
import ssl
from collections.abc import Callable
from dataclasses import replace
from datetime import time, timedelta
from pathlib import Path
from typing import Any

import pytest
import trustme
from pydantic import SecretStr
from sqlalchemy import Engine

from local_services.loopback import free_port
from regsosek.alerts.outbox.retry import pace
from regsosek.alerts.outbox.send_outcome import Letter
from regsosek.alerts.sending import send_due, smtp
from regsosek.alerts.sending.send_due import SendReport, deliver
from regsosek.doctor.check_result import Verdict
from regsosek.doctor.services.mail import CHECKS
from regsosek.doctor.surroundings import Surroundings
from regsosek.geography.recipients import Channel, Quiet
from regsosek.settings import Settings
from regsosek.watchdog.observing.surroundings import see_mail
from support.servers.relay import LOGIN, relay
from support.servers.stubborn_relay import StubbornRelay, stubborn_relay
from support.worlds.prepared_outbox import (
    DEPUTY,
    HEAD,
    NIGHT,
    NOW,
    OFFICE,
    TEAM,
    deliveries,
    message_row,
    put,
    recipients_file,
    settings_for,
)

SECOND = replace(OFFICE, address="kedua64@bps.example")
THIRD = replace(OFFICE, address="ketiga64@bps.example")
CHAT = replace(OFFICE, channel=Channel.WEBHOOK, address="obrolan")  # nowhere: no file of webhooks is named
ACCENTED = "rahasiä–kunci"


@pytest.fixture
def tightened(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Other limits than those of the file, in seconds and minutes."""

    def given(**limits: float) -> None:
        own = replace(pace(), **limits)  # type: ignore[arg-type]  # only those that are numbers
        monkeypatch.setattr(send_due, "pace", lambda: own)

    return given


def test_a_relay_that_takes_its_time_gets_each_message_once(engine: Engine, services_env: Settings) -> None:
    put(engine, OFFICE, DEPUTY)
    with relay(pause=1.5) as it:
        own = settings_for(services_env, it.port, smtp_timeout_seconds=0.5)
        assert deliver(engine, own, NOW) == SendReport(1, 0, 0)
        assert deliver(engine, own, NOW + timedelta(hours=3)) == SendReport(0, 0, 0)
        assert [address for address, _ in it.came] == [OFFICE.address]


def test_the_limits_are_those_of_the_standard() -> None:
    assert pace().acceptance_seconds >= 600, "RFC 5321, 4.5.3.2.6"
    longest = 60 * pace().longest_run_minutes + 3 * pace().answer_seconds + pace().acceptance_seconds
    assert longest < 30 * 60, "the task of regsosek_send"


def test_a_relay_that_never_answers_is_given_up(
    engine: Engine, services_env: Settings, tightened: Callable[..., None]
) -> None:
    put(engine)
    tightened(acceptance_seconds=0.3)
    with relay(pause=2) as it:
        assert deliver(engine, settings_for(services_env, it.port), NOW) == SendReport(0, 1, 1, unreached=1)
    assert deliveries(engine)[OFFICE.address].last_error == "SMTPServerDisconnected"


def test_a_slow_run_ends_in_time_and_the_next_one_goes_on(
    engine: Engine, services_env: Settings, tightened: Callable[..., None]
) -> None:
    put(engine, OFFICE, SECOND, THIRD)
    tightened(longest_run_minutes=0.4 / 60)
    with relay(pause=0.5) as it:
        own = settings_for(services_env, it.port)
        done = [deliver(engine, own, NOW, night=NIGHT) for _ in range(3)]
    assert done == [SendReport(1, 0, 2), SendReport(1, 0, 1), SendReport(1, 0, 0)], "nothing of it wants a server"
    assert len(it.came) == len({address for address, _ in it.came}) == 3


def test_a_refused_content_ends_no_other_message(engine: Engine, services_env: Settings) -> None:
    put(engine, OFFICE, SECOND, THIRD)
    with stubborn_relay(StubbornRelay(refuses={OFFICE.address})) as it:
        assert deliver(engine, settings_for(services_env, it.port), NOW) == SendReport(2, 1, 1)
    assert it.came == [SECOND.address, THIRD.address]
    assert deliveries(engine)[OFFICE.address].last_error == "DATA 451"


def test_a_server_is_asked_to_name_our_id_in_its_report(engine: Engine, services_env: Settings) -> None:
    put(engine)
    with stubborn_relay(StubbornRelay()) as it:
        deliver(engine, settings_for(services_env, it.port), NOW)
    number = f"{message_row(engine).id}.{deliveries(engine)[OFFICE.address].id}"
    envelope = rf"ENVID=20221026\.prov64\.{number}\.[0-9a-f]{{16}}@bps\.example RET=HDRS"
    [announced] = it.announced
    assert re.fullmatch(rf"mail FROM:<{re.escape(services_env.mail_sender)}> {envelope}", announced)


def test_a_session_of_few_messages_is_followed_by_another(engine: Engine, services_env: Settings) -> None:
    for day in range(3):
        put(engine, OFFICE, SECOND, night=NIGHT + timedelta(days=day))
    with stubborn_relay(StubbornRelay(per_session=2)) as it:
        assert deliver(engine, settings_for(services_env, it.port), NOW) == SendReport(6, 0, 0)
    assert len(it.came) == 6


@pytest.mark.parametrize("without", [(), ("PLAIN",)])
def test_a_password_beyond_ascii(
    engine: Engine, services_env: Settings, tmp_path: Path, without: tuple[str, ...]
) -> None:
    authority, context = trustme.CA(), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    put(engine)
    with relay(server_context=context, password=ACCENTED, without=without) as it:
        login = {"smtp_username": LOGIN, "smtp_starttls": True, "smtp_ca_file": tmp_path / "ca.pem"}
        own = settings_for(services_env, it.port, **login, smtp_password=SecretStr(ACCENTED))
        wrong = own.model_copy(update={"smtp_password": SecretStr("salah–")})
        assert deliver(engine, wrong, NOW).failed == 1
        assert deliveries(engine)[OFFICE.address].last_error == "SMTPAuthenticationError 535"
        assert looked_at(wrong) == (Verdict.FAIL, "SMTPAuthenticationError 535")
        assert deliver(engine, own, NOW, at_once=True).sent == 1
        assert looked_at(own) == (Verdict.OK, None)


def test_a_host_that_is_no_name(engine: Engine, services_env: Settings) -> None:
    put(engine)
    own = settings_for(services_env, 25, smtp_host="relay..example")
    assert deliver(engine, own, NOW) == SendReport(0, 1, 1, unreached=1)
    assert looked_at(own) == (Verdict.FAIL, "OSError")


def looked_at(settings: Settings) -> tuple[Verdict, str | None]:
    """What doctor and watchdog find of the relay."""
    relays = next(check for check in CHECKS if check.name == "mail relay")
    seen = see_mail(settings)
    return relays.examine(Surroundings(settings, {}, {})).verdict, seen.why if seen else None


@pytest.mark.parametrize("name", ["mail_sender", "mail_reply_to"])
def test_a_sender_beyond_ascii_waits_and_is_told(
    engine: Engine, services_env: Settings, tmp_path: Path, name: str
) -> None:
    put(engine)
    with relay() as it:
        own = settings_for(services_env, it.port, recipients_file=recipients_file(tmp_path))
        wrong = own.model_copy(update={name: "régsosek@bps.example"})
        for hours in range(0, 3 * pace().told_after_tries, 3):
            deliver(engine, wrong, NOW + timedelta(hours=hours))
        row = deliveries(engine)[OFFICE.address]
        assert (row.state, row.last_error) == ("waiting", f"REGSOSEK_{name.upper()} is no e-mail address in ASCII")
        assert deliveries(engine)["obrolan-tim"].state == "waiting", "told by chat: mail does not work"
        assert deliver(engine, own, NOW, at_once=True).sent == 1
    assert [address for address, _ in it.came] == [OFFICE.address]


def test_a_letter_that_nobody_thought_of_keeps_back_no_other(
    engine: Engine, services_env: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(engine, OFFICE, SECOND)
    whole = smtp.email_of

    def writing(letter: Letter, *more: Any) -> Any:
        if letter.address == OFFICE.address:
            raise RecursionError("3201234567890123")
        return whole(letter, *more)

    monkeypatch.setattr(smtp, "email_of", writing)
    with relay() as it:
        assert deliver(engine, settings_for(services_env, it.port), NOW) == SendReport(1, 1, 1, unreached=1)
    assert deliveries(engine)[OFFICE.address].last_error == "RecursionError"


def test_what_waits_for_a_server_goes_as_soon_as_it_works(engine: Engine, services_env: Settings) -> None:
    put(engine, OFFICE, replace(HEAD, quiet=Quiet(time(0), time(4))))  # tried from 04:00 WITA, 20:00 UTC
    down, at = settings_for(services_env, free_port()), NOW + timedelta(hours=2)
    for hour in range(6):
        deliver(engine, down, at + timedelta(hours=3 * hour))
    now = at + timedelta(hours=15, minutes=1)
    assert deliveries(engine)[OFFICE.address].next_try_at > now + timedelta(minutes=30)
    put(engine, SECOND, night=NIGHT + timedelta(days=1), now=now)
    with relay() as it:
        done = deliver(engine, settings_for(services_env, it.port), now)
    assert (done.sent, done.waiting) == (4, 0), "both of the first night, the second night, and the team"
    assert len(it.to(TEAM)) == 1


def test_a_mended_server_keeps_quiet_hours(engine: Engine, services_env: Settings) -> None:
    put(engine, replace(OFFICE, quiet=Quiet(time(21), time(6))), honour_quiet=True, now=NOW - timedelta(hours=10))
    evening = NOW - timedelta(hours=6)  # 21:00 in the province
    deliver(engine, settings_for(services_env, free_port()), evening - timedelta(minutes=2))
    with relay() as it:
        own = settings_for(services_env, it.port)
        assert deliver(engine, own, evening, at_once=True).sent == 0
        assert deliver(engine, own, NOW + timedelta(hours=3, minutes=1)).sent == 1


def test_one_nights_messages_are_no_fault_of_another(engine: Engine, services_env: Settings) -> None:
    put(engine, CHAT)
    put(engine, OFFICE, night=NIGHT + timedelta(days=1))
    with relay() as it:
        own = settings_for(services_env, it.port)
        assert deliver(engine, own, NOW, night=NIGHT + timedelta(days=1)) == SendReport(1, 1, 1, unreached=0)
        assert deliver(engine, own, NOW, night=NIGHT) == SendReport(0, 1, 1, unreached=1)
    assert deliveries(engine)[CHAT.address].attempts == 2, "its own night tries at once"
