"""Nights that are received and published, for the tests of what a release is."""

import csv
import io
import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from regsosek.errors import ObjectStoreError
from regsosek.geography.provinces import provinces
from regsosek.landing.object_store import ObjectStore
from regsosek.release.lifecycle.pointer import POINTER
from regsosek.release.lifecycle.rollback import roll_back
from regsosek.release.publish import Published, publish
from regsosek.warehouse.nights import ledger
from support.worlds.field_world import Family, FieldWorld, family, faulty, withdrawal

FIRST = date(2022, 10, 21)
SECOND, THIRD = FIRST + timedelta(days=1), FIRST + timedelta(days=2)
AT = datetime(2022, 10, 20, 12, tzinfo=UTC)
PUBLISHED_RULES = ("C-303", "P01", "S01", "S02", "G01")


class CountingStore:
    """The real store; counts what is written, and breaks off at a key if told to."""

    def __init__(self, store: ObjectStore, broken_key: str | None = None) -> None:
        self._store, self._broken_key = store, broken_key
        self.written: list[str] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def put_bytes(self, bucket: str, key: str, content: bytes, *, over: str | None = None) -> None:
        if key == self._broken_key:
            raise ObjectStoreError(f"put {bucket}/{key}: killed")
        self.written.append(key)
        self._store.put_bytes(bucket, key, content, over=over)


def receive(world: FieldWorld, night: date, families: Sequence[Family] = (), **more: Any) -> str | None:
    """Delivers and receives ``families``; the other provinces delivered nothing."""
    produced_at = AT + (night - FIRST)
    delivery_id = world.deliver(night, list(families), produced_at=produced_at, **more) if families else None
    world.run(night)
    with world.resources.engine.begin() as connection:
        for each in provinces():
            ledger.note_refreshed(connection, each.code, night)
    return delivery_id


def two_nights(world: FieldWorld) -> None:
    """Two nights with every kind of news: a refusal, a withdrawal, an error, twins of a key, an unknown SLS."""
    receive(world, FIRST, [family(f"D{n}", number=n) for n in range(1, 5)])
    receive(
        world,
        SECOND,
        [
            family("D1", 2, number=1, r205_hasil="4"),
            withdrawal("D2", 2, number=2),
            faulty("D3", 2, number=3),
            family("D5", number=5),
            family("D6", number=6),
            family("D7", number=6),
            family("D8", number=8, id_subsls="6403010999000100", r104_desa="999"),
        ],
    )


def release(world: FieldWorld, night: date, store: Any = None) -> Published:
    """Publishes ``night``, through ``store`` if given."""
    resources = world.resources
    return publish(resources.publisher, store or resources.store, resources.settings, night)


def read(world: FieldWorld, key: str) -> bytes:
    """A file of the release bucket."""
    found = world.resources.store.get_bytes(world.resources.settings.release_bucket, key, max_bytes=10**8)
    assert found is not None, key
    return found


def pointer(world: FieldWorld) -> dict[str, Any]:
    """What readers are led to."""
    return dict(json.loads(read(world, POINTER)))


def table(world: FieldWorld, published: Published, name: str) -> dict[str, dict[str, str]]:
    """A published table, its rows by code."""
    rows = csv.DictReader(io.StringIO(read(world, published.prefix + name).decode()))
    return {row["kode"]: row for row in rows}


def published_keys(world: FieldWorld) -> set[str]:
    """Everything that lies in the release bucket."""
    return {found.key for found in world.resources.store.list_objects(world.resources.settings.release_bucket, "")}


def other_plan(world: FieldWorld, tmp_path: Path, percent: int) -> None:
    """From here on the same night has other content: its plan is another one."""
    plan = tmp_path / f"plan-{percent}.csv"
    plan.write_text(f"region,day,share_percent,source\n6403,7,{percent},test\n6403,31,100,test\n")
    world.resources = replace(world.resources, settings=world.resources.settings.model_copy(update={"plan_file": plan}))


def back(world: FieldWorld, store: Any = None) -> str:
    """Rolls back; the id of the release that readers see then."""
    resources = world.resources
    bucket = resources.settings.release_bucket
    return roll_back(resources.publisher, store or resources.store, bucket, by="tester", reason="wrong plan")[
        1
    ].release_id


def rollbacks(world: FieldWorld) -> list[Any]:
    """What the journal tells of steps back, the first one first."""
    return world.rows("SELECT detail FROM ledger.event WHERE kind = 'release_rolled_back' ORDER BY id")
