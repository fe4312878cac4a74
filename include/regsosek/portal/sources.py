"""Where the portal reads from: the warehouse, read only and briefly, and object storage; opened when a page asks."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property

from sqlalchemy import Connection, Engine, text

from regsosek.landing.object_store import ObjectStore, RetryPolicy
from regsosek.privacy.trail.access_trail import AccessTrail
from regsosek.resources import Resources
from regsosek.settings import Settings
from regsosek.warehouse.database import connect

LONGEST_QUERY = "SET LOCAL statement_timeout = '10s'"
# Somebody looks at an empty page meanwhile: what does not answer soon is told, not waited for.
BRIEF = RetryPolicy(connect_timeout=3, read_timeout=10, request_attempts=2, operation_attempts=1)


@dataclass(frozen=True)
class Sources:
    """The outside world of the pages; ``load`` gives the settings of the process."""

    load: Callable[[], Settings]

    @cached_property
    def settings(self) -> Settings:
        """The settings of the process."""
        return self.load()

    @cached_property
    def store(self) -> ObjectStore:
        """Object storage."""
        return ObjectStore.connect(self.settings, BRIEF)

    @cached_property
    def _engine(self) -> Engine:
        return connect(self.settings, "portal")

    @property
    def resources(self) -> Resources:
        """The same for what is written: decisions alone."""
        return Resources(self.settings, self._engine, self.store)

    @property
    def trail(self) -> AccessTrail:
        """Where it is written who sees which cases."""
        return AccessTrail(self._engine, self.settings.trail_secret)

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A transaction that sees one state of the warehouse, changes nothing and does not last."""
        options = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
        with self._engine.connect().execution_options(**options) as connection:
            connection.execute(text(LONGEST_QUERY))
            yield connection
