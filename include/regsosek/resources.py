"""The outside world of a night, opened once at the edge and handed to the steps."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from sqlalchemy import Engine

from regsosek.landing.encrypted import EncryptedArchive
from regsosek.landing.object_store import ObjectStore
from regsosek.scratch import work_folder
from regsosek.settings import PARTS, Part, Settings, warehouse_field
from regsosek.warehouse.database import connect
from regsosek.warehouse.locks import Held


@dataclass(frozen=True)
class Resources:
    """Settings, warehouse and object storage.

    Attributes:
        engine: the warehouse by the account of the process, for whoever asks.
        accounts: the same by the accounts of the parts that have one of their own.
    """

    settings: Settings
    engine: Engine
    store: ObjectStore
    accounts: Mapping[Part, Engine] = field(default_factory=dict)

    def account(self, part: Part) -> Engine:
        """The warehouse by the account of ``part``."""
        return self.accounts.get(part, self.engine)

    @property
    def loader(self) -> Engine:
        """The account that receives, decides and replays."""
        return self.account("loader")

    @property
    def publisher(self) -> Engine:
        """The account that releases and audits."""
        return self.account("publisher")

    @property
    def alerter(self) -> Engine:
        """The account that composes messages and sends them."""
        return self.account("alerter")

    @property
    def archive(self) -> EncryptedArchive:
        """Where delivered files are kept, encrypted.

        Raises:
            ConfigurationError: this process is not given the key of the archive.
        """
        return EncryptedArchive(self.store, self.settings.archive_bucket, self.settings.archive_secret)

    @contextmanager
    def scratch(self, purpose: str) -> Iterator[Path]:
        """A directory for one task, readable by its owner only, gone afterwards whatever happens."""
        with work_folder(self.settings.scratch, purpose) as directory:
            yield directory

    def under(self, held: Held) -> "Resources":
        """The same under a right that is held: every transaction of the loader is fenced by it."""
        return replace(self, accounts={**self.accounts, "loader": held.engine})


@contextmanager
def open_resources(settings: Settings) -> Iterator[Resources]:
    """Connects to warehouse and object storage, and lets go of them at the end."""
    engine = connect(settings)
    accounts = {part: connect(settings, part) for part in PARTS if getattr(settings, warehouse_field(part))}
    try:
        yield Resources(settings, engine, ObjectStore.connect(settings), accounts)
    finally:
        for each in (engine, *accounts.values()):
            each.dispose()
