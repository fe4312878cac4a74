"""A good morning as warehouse and object store hold it: the night of all provinces processed, published and told."""

import json
from datetime import UTC, date, datetime

from sqlalchemy import insert, text

from regsosek.geography.provinces import provinces
from regsosek.landing.object_store import ObjectStore
from regsosek.release.lifecycle.pointer import POINTER
from regsosek.settings import Settings
from regsosek.warehouse import tables
from regsosek.warehouse.database import connect
from regsosek.watchdog.state_store import OBJECT

NIGHT = date(2022, 10, 25)
CODES = [province.code for province in provinces()]
SEEDED = ("ledger.seal", "mart.refreshed", "alert.outbox", "release.release", "ledger.task_run")


def seed_warehouse(settings: Settings) -> None:
    """Only what says how the night went; no case and no figure."""
    moment = datetime(2022, 10, 25, 21, tzinfo=UTC)  # 04:00 WIB
    engine = connect(settings)
    with engine.begin() as connection:
        connection.execute(text(f"TRUNCATE {', '.join(SEEDED)}"))
        for code in CODES:
            seal = {"sealed_at": moment, "unfinished": [], "strays": 0}
            connection.execute(insert(tables.seal).values(province=code, night=NIGHT, **seal))
            connection.execute(insert(tables.refreshed).values(province=code, night=NIGHT, at=moment))
        release = {
            "content_hash": "0",
            "prefix": "rilis/r/",
            "manifest": {"files": [], "signed_by": "k1"},
            "built_at": moment,
            "revision": 1,
        }
        times = {"published_at": moment, "first_published_at": moment}
        connection.execute(insert(tables.published_release).values(release_id="r", night=NIGHT, **release, **times))
        message = {"subject": "", "body": "", "html": "", "attachments": [], "fingerprint": "", "urgent": False}
        sent = {"recipient_group": "prov64", "night": NIGHT, "kind": "digest", "language": "id", "state": "sent"}
        message |= {"attempts": 1, "composed_at": moment}
        connection.execute(insert(tables.outbox).values(**sent, **message))
    engine.dispose()


def seed_store(settings: Settings) -> None:
    """A pointer to the night's release, and a delivery of every province on its day."""
    store = ObjectStore.connect(settings)
    store.delete(settings.archive_bucket, OBJECT)
    pointer = {"release_id": "r", "night": str(NIGHT), "content_hash": "0", "prefix": "rilis/r/"}
    store.put_bytes(settings.release_bucket, POINTER, json.dumps(pointer).encode())
    for code in CODES:
        folder = f"landing/prov={code}/tanggal={NIGHT}/01GFXKQ2Z8V3M5N7P9R1T3W501/"
        store.put_bytes(settings.landing_bucket, folder + "manifest.json", b"{}")


def change(settings: Settings, statement: str) -> None:
    """Lets something else have happened."""
    engine = connect(settings)
    with engine.begin() as connection:
        connection.execute(text(statement))
    engine.dispose()
