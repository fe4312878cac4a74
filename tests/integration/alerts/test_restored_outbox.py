"""A warehouse that was restored from a dump does not send again what went out after the dump."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, text
from typer.testing import CliRunner

from local_services.loopback import free_port
from regsosek.alerts.outbox import operating
from regsosek.alerts.sending import sent_before
from regsosek.alerts.sending.send_due import SendReport, deliver
from regsosek.alerts.sending.sent_before import SentBefore
from regsosek.cli.main import app
from regsosek.errors import ConfigurationError
from regsosek.landing.object_store import ObjectStore
from regsosek.settings import Settings
from support.checks.command_line import environment
from support.servers.relay import relay
from support.worlds.prepared_outbox import (
    DEPUTY,
    HEAD,
    NIGHT,
    NOW,
    OFFICE,
    bounce_of,
    deliveries,
    message_of,
    message_row,
    put,
    settings_for,
)  # fmt: skip

TABLES = ("outbox", "delivery", "sending_trace", "sent_before")
MORNING = NOW + timedelta(hours=5)


@pytest.fixture(autouse=True)
def without_traces(engine: Engine, services_env: Settings) -> None:
    """Of the tests before."""
    store, bucket = ObjectStore.connect(services_env), services_env.archive_bucket
    for each in list(store.list_objects(bucket, "sending/")):
        store.delete(bucket, each.key)
    with engine.begin() as connection:
        connection.execute(text("TRUNCATE alert.sending_trace"))


@pytest.fixture
def dump(engine: Engine) -> Callable[[], Callable[[], None]]:
    """Keeps what the outbox holds, and answers with how it is restored."""

    def dumping() -> Callable[[], None]:
        with engine.begin() as connection:
            for name in TABLES:
                connection.execute(text(f"DROP TABLE IF EXISTS public.kept_{name}"))
                connection.execute(text(f"CREATE TABLE public.kept_{name} AS TABLE alert.{name}"))
        return restore

    def restore() -> None:
        with engine.begin() as connection:
            for name in TABLES:
                connection.execute(text(f"TRUNCATE alert.{name}"))
                connection.execute(text(f"INSERT INTO alert.{name} SELECT * FROM public.kept_{name}"))

    return dumping


def test_what_went_out_after_the_dump_does_not_go_again(
    engine: Engine, services_env: Settings, dump: Callable[[], Callable[[], None]]
) -> None:
    put(engine, OFFICE, DEPUTY, HEAD)
    put(engine, night=NIGHT + timedelta(days=1))
    restore = dump()
    with relay() as it:
        own = settings_for(services_env, it.port)
        assert deliver(engine, own, MORNING) == SendReport(3, 0, 0)
        put(engine, night=NIGHT + timedelta(days=2))
        assert deliver(engine, own, MORNING + timedelta(days=1)) == SendReport(1, 0, 0)
        restore()
        assert put(engine, night=NIGHT + timedelta(days=2)), "the night after the dump, composed again"
        put(engine, night=NIGHT + timedelta(days=3))
        assert deliver(engine, own, MORNING + timedelta(days=2)) == SendReport(1, 0, 0), "what is new goes"
        assert deliver(engine, own, MORNING + timedelta(days=3)) == SendReport(0, 0, 0)
    assert len(it.came) == len({message["Message-ID"] for _, message in it.came}) == 5
    assert {row.state for row in deliveries(engine).values()} == {"sent", "standby"}
    assert deliveries(engine)[HEAD.address].sent_at == MORNING


def test_a_dump_of_long_ago_and_one_of_everything(
    engine: Engine, services_env: Settings, dump: Callable[[], Callable[[], None]]
) -> None:
    put(engine)
    restore = dump()
    with relay() as it:
        own = settings_for(services_env, it.port)
        deliver(engine, own, MORNING)
        restore()
        assert deliver(engine, own, MORNING + timedelta(days=300)) == SendReport(0, 0, 0)
        with engine.begin() as connection:
            connection.execute(text("TRUNCATE alert.outbox, alert.delivery, alert.sending_trace, alert.sent_before"))
        put(engine)
        assert deliver(engine, own, MORNING) == SendReport(0, 0, 0), "an empty warehouse knows it, too"


def test_what_came_back_goes_again_when_an_operator_lets_it(
    engine: Engine, services_env: Settings, dump: Callable[[], Callable[[], None]], tmp_path: Path
) -> None:
    import mailbox

    put(engine, OFFICE)
    restore = dump()
    box = mailbox.Maildir(tmp_path / "kembali")
    with relay() as it:
        own = settings_for(services_env, it.port, bounce_maildir=tmp_path / "kembali")
        deliver(engine, own, MORNING)
        restore()
        box.add(bounce_of(it.to(OFFICE.address)[0]))
        assert deliver(engine, own, MORNING).bounced == 1
        with engine.begin() as connection:
            operating.retry(connection, message_row(engine).id, MORNING)
        assert deliver(engine, own, MORNING).sent == 1
    assert len(it.to(OFFICE.address)) == 2


def test_a_store_that_does_not_answer_keeps_nothing_back(engine: Engine, services_env: Settings) -> None:
    put(engine)
    dark = {"s3_endpoint_url": f"http://127.0.0.1:{free_port()}"}
    with relay() as it:
        assert deliver(engine, settings_for(services_env, it.port, **dark), MORNING) == SendReport(1, 0, 0)
        assert not deliveries(engine)[OFFICE.address].traced
        deliver(engine, settings_for(services_env, it.port), MORNING)
    assert deliveries(engine)[OFFICE.address].traced, "the next run leaves the trace"


def test_what_was_sent_before_there_were_traces_is_traced_in_turns(
    engine: Engine, services_env: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sent_before, "MOST_LINES", 1)
    put(engine)
    put(engine, night=NIGHT + timedelta(days=1))
    untraced = text("SELECT count(*) FROM alert.delivery WHERE state = 'sent' AND NOT traced")
    with relay() as it:
        own = settings_for(services_env, it.port)
        for left in (1, 0):
            deliver(engine, own, MORNING + timedelta(days=1))
            with engine.connect() as connection:
                assert connection.execute(untraced).scalar_one() == left


def test_a_trace_names_no_address_and_rubbish_stops_nothing(engine: Engine, services_env: Settings) -> None:
    store, bucket = ObjectStore.connect(services_env), services_env.archive_bucket
    store.put_bytes(bucket, f"sending/{MORNING:%Y-%m-%d}/rubbish.json", b"<html>")
    put(engine)
    with relay() as it:
        assert deliver(engine, settings_for(services_env, it.port), MORNING) == SendReport(1, 0, 0)
    found = [store.get_bytes(bucket, each.key, max_bytes=10_000) for each in store.list_objects(bucket, "sending/")]
    assert b"prov64" in b"".join(filter(None, found))
    assert b"@" not in b"".join(filter(None, found))


ODD = {
    "a copy by hand": "sending/salinan-lama/x.json",
    "no such day": "sending/2022-13-45/x.json",
    "a day without a folder": "sending/2023-01-01",
    "the future": "sending/2099-12-31/x.json",
}


@pytest.mark.parametrize("key", ODD.values(), ids=ODD)
def test_a_strange_name_among_the_traces_hides_none(
    engine: Engine, services_env: Settings, dump: Callable[[], Callable[[], None]], key: str
) -> None:
    store, bucket = ObjectStore.connect(services_env), services_env.archive_bucket
    store.put_bytes(bucket, key, b'{"sent": []}')
    put(engine, OFFICE)
    with relay() as it:
        own = settings_for(services_env, it.port)
        assert deliver(engine, own, MORNING) == SendReport(1, 0, 0)
        assert key in known(engine)
        put(engine, night=NIGHT + timedelta(days=1))
        restore = dump()
        assert deliver(engine, own, MORNING + timedelta(days=1)) == SendReport(1, 0, 0)
        restore()
        assert SentBefore(engine, own, MORNING + timedelta(days=6)).learn() == 1


@pytest.mark.parametrize("content", [None, b""], ids=["gone", "empty"])
def test_a_trace_that_was_not_read_is_not_known(
    engine: Engine, services_env: Settings, monkeypatch: pytest.MonkeyPatch, content: bytes | None
) -> None:
    key = f"sending/{MORNING:%Y-%m-%d}/x.json"
    ObjectStore.connect(services_env).put_bytes(services_env.archive_bucket, key, b'{"sent": []}')
    before = SentBefore(engine, services_env, MORNING)
    with monkeypatch.context() as patch:
        patch.setattr(ObjectStore, "get_bytes", lambda *_, **__: content)
        before.learn()
    assert known(engine) == set()
    before.learn()
    assert known(engine) == {key}


def known(engine: Engine) -> set[str]:
    with engine.connect() as connection:
        return set(connection.execute(text("SELECT key FROM alert.sending_trace")).scalars())


def test_an_operator_asks_before_anything_is_sent(
    engine: Engine,
    services_env: Settings,
    dump: Callable[[], Callable[[], None]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    at = datetime.now(UTC)
    put(engine, OFFICE, DEPUTY, now=at)
    restore = dump()
    with relay() as it:
        own = settings_for(services_env, it.port)
        for name, value in environment(own).items():
            monkeypatch.setenv(name, value)
        monkeypatch.setenv("REGSOSEK_ENV_FILE", "/nonexistent")

        def said(*words: str) -> str:
            answer = CliRunner().invoke(app, ["alerts", *words], env={"COLUMNS": "200"}, catch_exceptions=False)
            return " ".join(answer.output.split())

        deliver(engine, own, at)
        restore()
        put(engine, HEAD, night=NIGHT + timedelta(days=1), now=at)
        assert "Delivered after the dump, and not once more: 1; waiting: 1." in said("restored")
        assert "All that waits is withheld: 1 delivery." in said("withhold", "--waiting")
        assert "Delivered: 0;" in said("send", "--now")
        with pytest.raises(ConfigurationError, match="or write --waiting for all"):
            said("withhold")
        with pytest.raises(ConfigurationError, match="or write --waiting for all"):
            said("withhold", "--waiting", str(message_of(engine, NIGHT)))
    assert len(it.came) == 1
