"""A network that swallows everything, through a proxy that stops forwarding: noticed on both sides, and told."""

import logging
import os
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, date, datetime

import pytest
from sqlalchemy import make_url, text

from regsosek.errors import LockLostError
from regsosek.release.publish import publish
from regsosek.resources import Resources, open_resources
from regsosek.settings import Settings
from regsosek.warehouse import database, heartbeat, locks
from regsosek.warehouse.database import connect
from regsosek.warehouse.locks import province_lock
from support.deliveries.families import PROVINCE
from support.worlds.field_world import CompiledJudge, FieldWorld, family, few_rules
from support.worlds.one_account import behind
from support.worlds.other_process import Step, interrupted
from support.worlds.published_world import receive

TABLES_ALONE = True
NIGHT = date(2022, 10, 21)
AT = datetime(2022, 10, 20, 12, tzinfo=UTC)
PATIENCE_SECONDS = 30
BOTH_SIDES_SECONDS = 15  # with the shortened limits below
RECEPTION, PARTS = "regsosek.night.receiving.reception", "regsosek.night.receiving.parts"


@dataclass
class Proxy:
    """Forwards to ``port`` until it is dark; then it keeps every connection and passes nothing on."""

    port: int
    dark: threading.Event = field(default_factory=threading.Event)
    listening: socket.socket = field(default_factory=lambda: socket.create_server(("127.0.0.1", 0)))
    open: list[socket.socket] = field(default_factory=list)

    def start(self) -> None:
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        """Ends every connection on both sides, also those on which a thread waits: closing alone leaves them open."""
        for each in (self.listening, *self.open):
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self.listening.accept()
            except OSError:
                return
            server = socket.create_connection(("127.0.0.1", self.port))
            self.open += [client, server]
            for source, target in ((client, server), (server, client)):
                threading.Thread(target=self._pump, args=(source, target), daemon=True).start()

    def _pump(self, source: socket.socket, target: socket.socket) -> None:
        try:
            while content := source.recv(1 << 16):
                if self.dark.is_set():
                    return  # swallowed, and both connections stay
                target.sendall(content)
            if not self.dark.is_set():
                target.shutdown(socket.SHUT_WR)
        except OSError:
            return


@pytest.fixture(scope="module")
def prepared(services_env: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[FieldWorld]:
    with open_resources(services_env) as resources:
        world = FieldWorld(resources, few_rules())
        world.prepare(tmp_path_factory.mktemp("reference"))
        yield world


@pytest.fixture
def proxy(world: FieldWorld) -> Iterator[Proxy]:
    found = Proxy(make_url(world.resources.settings.warehouse_url.get_secret_value()).port or 0)
    found.start()
    yield found
    found.close()


@pytest.fixture
def beyond(world: FieldWorld, proxy: Proxy) -> Iterator[Resources]:
    """The resources as a worker behind the proxy has it."""
    # A run may end the sessions of a run before it, by the same account, and nobody else's.
    with open_resources(behind(world.resources.settings, proxy.listening.getsockname()[1])) as resources:
        yield resources


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("regsosek.night.discovery.applicable_rules.Judge", CompiledJudge)
    monkeypatch.setattr(database, "CONNECT_SECONDS", 2)
    monkeypatch.setattr(heartbeat, "BEAT_SECONDS", 0.5)
    monkeypatch.setattr(heartbeat, "ANSWER_SECONDS", 1.5)
    monkeypatch.setattr(locks, "LEASE_SECONDS", 4)
    monkeypatch.setattr(locks, "SAY_SECONDS", 1)
    monkeypatch.setattr(locks, "FENCE_SECONDS", 1)


@pytest.mark.parametrize(
    "step",
    [Step(f"{RECEPTION}.fetch_files"), Step(f"{PARTS}.fetch_known", before=True), Step(f"{PARTS}.load_part")],
    ids=str,
)
def test_a_run_in_the_dark_ends_by_itself_and_the_next_one_is_not_kept_waiting(
    world: FieldWorld, proxy: Proxy, beyond: Resources, step: Step, caplog: pytest.LogCaptureFixture
) -> None:
    world.deliver(NIGHT, [family("A"), family("B", number=2)], produced_at=AT)
    with interrupted(step, proxy.dark.set), pytest.raises(LockLostError, match=f"province {PROVINCE}"):
        FieldWorld(beyond, world.suites).run(NIGHT)
    begun = time.monotonic()
    with caplog.at_level(logging.WARNING, logger=locks.__name__):
        assert world.run(NIGHT).states == {"accepted": 1}
    assert time.monotonic() - begun < BOTH_SIDES_SECONDS
    assert world.counts() == [(2, 2, 0, 0, 0, 0, 0)]


def test_a_publication_in_the_dark_keeps_no_later_one_waiting(
    world: FieldWorld, proxy: Proxy, beyond: Resources
) -> None:
    receive(world, NIGHT, [family("A")])
    step = Step("regsosek.release.publish.read_again", before=True)
    with interrupted(step, proxy.dark.set), pytest.raises(LockLostError, match="the release"):
        publish(beyond.publisher, beyond.store, beyond.settings, NIGHT)
    begun = time.monotonic()
    assert publish(world.resources.publisher, world.resources.store, world.resources.settings, NIGHT).current
    assert time.monotonic() - begun < 2 * BOTH_SIDES_SECONDS


def test_who_waits_says_for_whom_once(world: FieldWorld, caplog: pytest.LogCaptureFixture) -> None:
    engine = world.resources.engine

    def wait() -> None:
        with province_lock(engine, PROVINCE):
            pass

    with caplog.at_level(logging.WARNING, logger=locks.__name__), ThreadPoolExecutor(1) as pool:
        with province_lock(engine, PROVINCE):
            waiting = pool.submit(wait)
            time.sleep(3 * locks.SAY_SECONDS)
            assert not waiting.done()
        waiting.result(PATIENCE_SECONDS)
    told = [each.getMessage() for each in caplog.records if "waiting for" in each.getMessage()]
    assert len(told) == 1
    for part in (f"province {PROVINCE}", f"regsosek {socket.gethostname()}:", "which holds it since", "WIB"):
        assert part in told[0]


def test_a_lock_outlives_every_lease_while_its_holder_lives(world: FieldWorld) -> None:
    with province_lock(world.resources.engine, PROVINCE) as held:
        time.sleep(1.5 * locks.LEASE_SECONDS)
        with held.engine.begin() as connection:
            assert connection.execute(text("SELECT 1")).scalar() == 1


def test_each_side_asks_whether_the_other_is_there(services_env: Settings) -> None:
    engine = connect(services_env)
    with engine.connect() as connection:
        shown = {
            name: connection.execute(text(f"SHOW {name}")).scalar()
            for name in (
                "tcp_keepalives_idle", "tcp_keepalives_interval", "tcp_keepalives_count", "tcp_user_timeout",
                "client_connection_check_interval", "idle_session_timeout",
            )
        }  # fmt: skip
        driver = connection.connection.driver_connection
        assert driver is not None
        with socket.socket(fileno=os.dup(driver.fileno())) as wire:
            idle, user = (
                wire.getsockopt(socket.IPPROTO_TCP, option) for option in (socket.TCP_KEEPIDLE, socket.TCP_USER_TIMEOUT)
            )
    engine.dispose()
    assert list(shown.values()) == ["20", "5", "4", "40000", "10s", "0"]
    assert (idle, user) == (20, 40_000)


def test_settings_of_the_database_for_others_are_not_ours(world: FieldWorld) -> None:
    name = world.resources.engine.url.database
    with world.resources.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        for setting in ("datestyle = 'SQL, DMY'", "idle_session_timeout = '300ms'"):
            connection.execute(text(f'ALTER DATABASE "{name}" SET {setting}'))
    try:
        with open_resources(world.resources.settings) as resources:
            own = FieldWorld(resources, world.suites)
            own.deliver(NIGHT, [family("A")], produced_at=AT)
            slow = Step(f"{PARTS}.stage", before=True)
            with interrupted(slow, lambda: time.sleep(1)):
                assert own.run(NIGHT).states == {"accepted": 1}
    finally:
        with world.resources.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text(f'ALTER DATABASE "{name}" RESET ALL'))
