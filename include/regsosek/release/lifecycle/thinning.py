"""How long a release is kept whole: what may go, what of it stays for ever, and what is never touched.

Of a release that is thinned out manifest, signature and the region tables in Parquet stay: what was published of every
region can still be asked for, compared with and proved by its hash. Publishing the same content again brings all back.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from sqlalchemy import Connection, Engine, select

from regsosek.errors import DecisionError
from regsosek.landing.store import Store
from regsosek.minisign import SIGNATURE_SUFFIX
from regsosek.release.figures.parquet_tables import parquet_name
from regsosek.release.figures.previous_release import REGION_FILES
from regsosek.release.lifecycle.agreement import agreed
from regsosek.release.lifecycle.manifest import MANIFEST
from regsosek.release.lifecycle.pointer import Position
from regsosek.release.lifecycle.withdrawal import MARK
from regsosek.warehouse.locks import release_lock
from regsosek.warehouse.tables import published_release

STAYING = frozenset({MANIFEST, MANIFEST + SIGNATURE_SUFFIX, *map(parquet_name, REGION_FILES)})


@dataclass(frozen=True)
class KeptRelease:
    """A release as the warehouse knows it."""

    release_id: str
    night: date
    revision: int
    prefix: str
    rolled_back: bool

    @property
    def order(self) -> tuple[date, int]:
        """By night, then by revision."""
        return self.night, self.revision


@dataclass(frozen=True)
class Thinned:
    """A release that lost, or would lose, so many files of so many bytes."""

    release_id: str
    files: int
    bytes: int


def may_go(releases: Sequence[KeptRelease], standing: Position, days: int) -> list[KeptRelease]:
    """The releases that need not be whole any more, the oldest first.

    What stays whole: all of the last ``days`` nights, counted back from what readers see; that one and the one that a
    rollback would lead to; the last release of each month.
    """
    good = sorted((each for each in releases if not each.rolled_back), key=lambda each: each.order)
    before = [each.release_id for each in good if each.order < standing.order][-1:]
    month_ends = {(each.night.year, each.night.month): each.release_id for each in good}
    staying = {standing.release_id, *before, *month_ends.values()}
    oldest = standing.night - timedelta(days=days - 1)
    old = (each for each in releases if each.night < oldest and each.release_id not in staying)
    return sorted(old, key=lambda each: each.order)


def thin_out(engine: Engine, store: Store, bucket: str, days: int, *, dry_run: bool) -> list[Thinned]:
    """Deletes what need not stay, or only tells; killed in between, the next call goes on.

    Raises:
        DecisionError: nothing is published.
    """
    with release_lock(engine):
        with engine.connect() as connection:
            standing = agreed(connection, store, bucket)
            if standing is None:
                raise DecisionError("nothing is published")
            going = may_go(_releases(connection), standing, days)
        found = (_thin(store, bucket, each, dry_run=dry_run) for each in going)
        return [each for each in found if each.files]


def _thin(store: Store, bucket: str, release: KeptRelease, *, dry_run: bool) -> Thinned:
    objects = store.list_objects(bucket, release.prefix)
    going = [each for each in objects if each.key.removeprefix(release.prefix) not in STAYING | {MARK}]
    if not dry_run:
        for each in going:
            store.delete(bucket, each.key)
    return Thinned(release.release_id, len(going), sum(each.size for each in going))


def _releases(connection: Connection) -> list[KeptRelease]:
    table = published_release.c
    query = select(table.release_id, table.night, table.revision, table.prefix, table.rolled_back_at.is_not(None))
    return [KeptRelease(*row) for row in connection.execute(query)]
