"""A stranger who mails reports to the sender's address fails no delivery: he cannot guess what its id ends with."""

import logging
import mailbox
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, update

from local_services.loopback import free_port
from regsosek.alerts.outbox import operating
from regsosek.alerts.outbox.dispatches import LETTERS, letter_of
from regsosek.alerts.sending.send_due import SendReport, deliver
from regsosek.alerts.sending.smtp import message_id
from regsosek.geography.recipients import Channel
from regsosek.settings import Settings
from regsosek.warehouse import tables
from support.servers.relay import Relay, relay
from support.worlds.prepared_outbox import (
    DEPUTY,
    NOW,
    OFFICE,
    bounce_of,
    deliveries,
    guessed_id,
    message_row,
    put,
    report_of,
    settings_for,
)  # fmt: skip

HOOK = replace(OFFICE, channel=Channel.WEBHOOK, address="obrolan-64")
HOOK_DEPUTY = replace(DEPUTY, backup_of=HOOK.address)
FORGED_TAGS = {"none": "", "a wrong one": ".0123456789abcdef", "no hexadecimal one": ".tidak"}


@pytest.fixture
def box(tmp_path: Path) -> mailbox.Maildir:
    return mailbox.Maildir(tmp_path / "kembali")


@pytest.fixture
def it() -> Iterator[Relay]:
    with relay() as running:
        yield running


@pytest.fixture
def working(services_env: Settings, box: mailbox.Maildir, it: Relay) -> Settings:
    return settings_for(services_env, it.port, bounce_maildir=Path(box._path))


@pytest.fixture
def broken(working: Settings) -> Settings:
    """Settings whose relay does not answer."""
    return settings_for(working, free_port())


def own_id(engine: Engine, settings: Settings, delivery: Any) -> str:
    """The id that only we can write."""
    with engine.begin() as connection:
        row = connection.execute(LETTERS.where(tables.delivery_of_message.c.id == delivery.id)).one()
    return message_id(letter_of(row), settings)


@pytest.mark.parametrize("tag", FORGED_TAGS)
def test_a_forged_report_stops_no_waiting_delivery(
    engine: Engine, broken: Settings, working: Settings, box: mailbox.Maildir, it: Relay, tag: str
) -> None:
    put(engine, OFFICE, DEPUTY)
    box.add(
        report_of(OFFICE.address, guessed_id(deliveries(engine)[OFFICE.address]).replace("@", f"{FORGED_TAGS[tag]}@"))
    )
    assert deliver(engine, broken, NOW).bounced == 0
    assert deliver(engine, working, NOW, at_once=True) == SendReport(1, 0, 0)
    assert len(it.to(OFFICE.address)) == 1


@pytest.mark.parametrize("tag", FORGED_TAGS)
def test_a_forged_report_fails_no_delivery_that_was_sent(
    engine: Engine, working: Settings, box: mailbox.Maildir, it: Relay, tag: str, caplog: pytest.LogCaptureFixture
) -> None:
    put(engine, OFFICE, DEPUTY)
    deliver(engine, working, NOW)
    forged = guessed_id(deliveries(engine)[OFFICE.address]).replace("@", f"{FORGED_TAGS[tag]}@")
    for _ in range(2):
        box.add(report_of(OFFICE.address, forged))
    with caplog.at_level(logging.INFO, "regsosek.alerts"):
        assert deliver(engine, working, NOW) == SendReport(0, 0, 0)
    assert [deliveries(engine)[each.address].state for each in (OFFICE, DEPUTY)] == ["sent", "standby"]
    assert "2 reports in the sender's mailbox are ignored: their id is none that was given" in caplog.text
    own = [each.getMessage() for each in caplog.records if each.name.startswith("regsosek")]
    assert own
    assert not [line for line in own if OFFICE.address in line]


def test_the_tag_of_another_delivery_does_not_fit(
    engine: Engine, working: Settings, box: mailbox.Maildir, it: Relay
) -> None:
    other = replace(OFFICE, address="lain64@bps.example")
    put(engine, OFFICE, other)
    deliver(engine, working, NOW)
    known = str(it.to(other.address)[0]["Message-ID"])
    rows = deliveries(engine)
    box.add(report_of(OFFICE.address, known.replace(f".{rows[other.address].id}.", f".{rows[OFFICE.address].id}.")))
    assert deliver(engine, working, NOW).bounced == 0


@pytest.mark.parametrize("state", ["waiting", "sent"])
@pytest.mark.parametrize("known", [False, True])
def test_no_mail_server_reports_of_a_chat(
    engine: Engine, broken: Settings, box: mailbox.Maildir, state: str, known: bool
) -> None:
    put(engine, HOOK, HOOK_DEPUTY)
    with engine.begin() as connection:
        connection.execute(update(tables.delivery_of_message).where(
            tables.delivery_of_message.c.address == HOOK.address).values(state=state, unclear=1))  # fmt: skip
    row = deliveries(engine)[HOOK.address]
    box.add(report_of(OFFICE.address, own_id(engine, broken, row) if known else guessed_id(row)))
    assert deliver(engine, broken, NOW).bounced == 0
    assert [deliveries(engine)[each.address].state for each in (HOOK, HOOK_DEPUTY)] == [state, "standby"]


def test_a_report_of_what_no_server_has_is_ignored_whoever_wrote_it(
    engine: Engine, broken: Settings, box: mailbox.Maildir, caplog: pytest.LogCaptureFixture
) -> None:
    put(engine, OFFICE, DEPUTY)
    deliver(engine, broken, NOW)
    box.add(report_of(OFFICE.address, own_id(engine, broken, deliveries(engine)[OFFICE.address])))
    with caplog.at_level(logging.INFO, "regsosek.alerts"):
        assert deliver(engine, broken, NOW).bounced == 0
    assert deliveries(engine)[OFFICE.address].state == "waiting"
    assert "1 reports in the sender's mailbox are ignored: no mail server has taken what they are about" in caplog.text


def test_an_old_bounce_that_comes_twice_does_not_stop_the_retry(
    engine: Engine, broken: Settings, working: Settings, box: mailbox.Maildir, it: Relay
) -> None:
    put(engine, OFFICE, DEPUTY)
    deliver(engine, working, NOW)
    returned = bounce_of(it.to(OFFICE.address)[0])
    box.add(returned)
    assert deliver(engine, working, NOW).bounced == 1
    with engine.begin() as connection:
        operating.retry(connection, message_row(engine).id, NOW)
    box.add(returned)
    assert deliver(engine, broken, NOW).bounced == 0
    assert deliver(engine, working, NOW + timedelta(hours=3)).sent == 1
    first, again = it.to(OFFICE.address)
    assert first["Message-ID"] == again["Message-ID"]
    box.add(returned)
    assert deliver(engine, working, NOW + timedelta(hours=3)).bounced == 1, "of the second try"


@pytest.fixture
def killed_after_handing_over(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Sends as a process that ends before it notes the answer."""

    class KilledError(BaseException):
        pass

    def killed(*_: Any) -> None:
        raise KilledError

    def sending(engine: Engine, settings: Settings) -> None:
        with monkeypatch.context() as patch, pytest.raises(KilledError):
            patch.setattr("regsosek.alerts.sending.send_due.note", killed)
            deliver(engine, settings, NOW)

    return sending


def test_what_may_have_been_taken_can_come_back(
    engine: Engine,
    broken: Settings,
    working: Settings,
    box: mailbox.Maildir,
    it: Relay,
    killed_after_handing_over: Callable[..., None],
) -> None:
    put(engine, OFFICE, DEPUTY)
    killed_after_handing_over(engine, working)
    assert deliveries(engine)[OFFICE.address].state == "waiting"
    box.add(bounce_of(it.to(OFFICE.address)[0]))
    assert deliver(engine, broken, NOW).bounced == 1
    assert [deliveries(engine)[each.address].state for each in (OFFICE, DEPUTY)] == ["failed", "waiting"]
