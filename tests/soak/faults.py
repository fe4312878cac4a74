"""What hurts a run: each fault waits for a moment drawn from the seed, strikes, and leaves the servers well again."""

import os
import random
import signal
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from multiprocessing.process import BaseProcess
from pathlib import Path

from local_services.loopback import wait_until
from regsosek.settings import Settings
from soak.acts import Act, start
from soak.lying_store import Liar, lying_store
from soak.rates import Rates
from soak.stage import Stage, through
from soak.tcp_proxy import TcpProxy, Way

LIMIT_SECONDS = 40  # of a run that is hurt; then it is killed, and counted as one that hung
# The server learns of a machine that is gone by its keepalives; the proxy tells it after so long.
GONE_SECONDS = 2.0
ENDS_BACKENDS = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s AND random() < 0.5"


@dataclass
class Run:
    """One try of an operation; ``seconds``: how long it takes undisturbed."""

    act: Act
    process: BaseProcess
    seconds: float


@dataclass
class Hazards:
    """The world's servers with proxies before them, and everything that can happen to a run."""

    stage: Stage
    database: str
    settings: Settings
    tcp: TcpProxy
    liar: Liar
    chance: random.Random
    rates: Rates
    log: Path
    survived: Counter[str] = field(default_factory=Counter)
    hung: int = 0

    def strike(self, kind: str, act: Act, now: datetime, seconds: float) -> int | None:
        """Runs ``act`` and hurts it; its exit code."""
        self.liar.arm(self.rates.store["lies"] if kind == "store_lies" else 0)
        run = Run(act, start(self.settings, act, now, self.log), seconds)
        try:
            if kind == "two_at_once":
                self._beside(run, now)
            else:
                _KINDS[kind](self, run)
            self._finish(run.process)
        finally:
            self._well_again()
        self.survived[kind] += 1
        return run.process.exitcode

    def _finish(self, process: BaseProcess) -> None:
        process.join(LIMIT_SECONDS)
        if process.is_alive():
            self.hung += 1
            process.kill()
            process.join()

    def _well_again(self) -> None:
        self.liar.arm(0)
        self.tcp.way = Way.OPEN
        for service in (self.stage.services.postgres, self.stage.services.mail):
            service.start()
        self.stage.services.object_store.start([])

    def _moment(self, run: Run) -> None:
        run.process.join(self.chance.uniform(0, run.seconds))

    def _beside(self, run: Run, now: datetime) -> None:
        second = start(self.settings, run.act, now, self.log)
        if self.chance.random() < 1 / 3:
            self._moment(run)
            run.process.kill()
        self._finish(second)

    def _signal(self, run: Run, number: int) -> None:
        self._moment(run)
        with suppress(ProcessLookupError):
            os.kill(run.process.pid or 0, number)

    def sigkill(self, run: Run) -> None:
        self._signal(run, signal.SIGKILL)

    def sigterm(self, run: Run) -> None:
        self._signal(run, signal.SIGTERM)

    def backends_ended(self, run: Run) -> None:
        self._moment(run)
        for _ in range(self.chance.randint(1, 3)):
            with self.stage.services.postgres.connect() as connection:
                connection.execute(ENDS_BACKENDS, [self.database])
            run.process.join(0.3)

    def postgres_killed(self, run: Run) -> None:
        self._moment(run)
        postmaster = self.stage.services.postgres._postmaster()
        assert postmaster is not None
        postmaster.kill()
        self.stage.services.postgres.start()

    def store_killed(self, run: Run) -> None:
        self._moment(run)
        for each in self.stage.services.object_store.process.members:
            each.kill()
        run.process.join(self.chance.uniform(0.2, 2))
        self.stage.services.object_store.start([])

    def relay_killed(self, run: Run) -> None:
        self._moment(run)
        for each in self.stage.services.mail.process.members:
            each.kill()
        run.process.join(LIMIT_SECONDS)

    def network_dark(self, run: Run) -> None:
        """For seconds; or for good, and the run is killed with its machine."""
        self._moment(run)
        self.tcp.way = Way.DARK
        run.process.join(self.chance.uniform(1, 4))
        if self.chance.random() < 1 / 2:
            run.process.kill()
            run.process.join()
            wait_until(lambda: False, seconds=GONE_SECONDS)
            self.tcp.cut()
        self.tcp.way = Way.OPEN

    def network_reset(self, run: Run) -> None:
        for _ in range(self.chance.randint(1, 2)):
            self._moment(run)
            self.tcp.cut()

    def network_slow(self, run: Run) -> None:
        self.tcp.way = Way.SLOW
        run.process.join(LIMIT_SECONDS)

    def store_lies(self, run: Run) -> None:
        run.process.join(LIMIT_SECONDS)


_KINDS: dict[str, Callable[[Hazards, Run], None]] = {
    kind: getattr(Hazards, kind) for kind in Rates.read().faults if kind != "two_at_once"
}


@contextmanager
def hazards(
    stage: Stage, settings: Settings, database: str, chance: random.Random, rates: Rates, log: Path
) -> Iterator[Hazards]:
    """Proxies before the servers of ``stage``, for one world."""
    postgres, store = stage.services.postgres.port, stage.services.object_store.endpoint_url.rpartition(":")[2]
    assert postgres is not None
    liar = Liar(random.Random(chance.random()))
    with TcpProxy(postgres).serving() as tcp, lying_store(int(store), liar) as store_port:
        reached = through(settings, warehouse_port=tcp.port, store_port=store_port)
        yield Hazards(stage, database, reached, tcp, liar, chance, rates, log)
