"""The outside world of a night, opened once at the edge and handed to the steps."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from sqlalchemy import Engine

from regsosek.landing.object_store import ObjectStore
from regsosek.scratch import work_folder
from regsosek.settings import Settings
from regsosek.warehouse.database import connect
from regsosek.warehouse.locks import Held


@dataclass(frozen=True)
class House:
    """Settings, warehouse and object storage."""

    settings: Settings
    engine: Engine
    store: ObjectStore

    @contextmanager
    def scratch(self, purpose: str) -> Iterator[Path]:
        """A directory for one task, readable by its owner only, gone afterwards whatever happens."""
        with work_folder(self.settings.scratch, purpose) as directory:
            yield directory

    def under(self, held: Held) -> "House":
        """The same under a right that is held: every transaction is fenced by it."""
        return replace(self, engine=held.engine)


@contextmanager
def open_house(settings: Settings) -> Iterator[House]:
    """Connects to warehouse and object storage, and lets go of them at the end."""
    engine = connect(settings)
    try:
        yield House(settings, engine, ObjectStore.connect(settings))
    finally:
        engine.dispose()
