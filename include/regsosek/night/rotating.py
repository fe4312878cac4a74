"""The hashes of provinces brought to the newest key of the deployment, one province at a time.

Nights, releases and audits go on meanwhile: each province is worked on with the keys that its hashes are made with
(:mod:`regsosek.warehouse.hashes.hash_keys`), and a province is moved under its lock, in one transaction.
"""

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime

from sqlalchemy import Connection, text

from regsosek.faults import edge
from regsosek.night.replaying import replay
from regsosek.privacy.erasure.limitation import read_limit, write_limit
from regsosek.privacy.trail.access_trail import rename_cases
from regsosek.resources import Resources
from regsosek.statistics.progress import refresh_missing
from regsosek.warehouse.hashes.hash_keys import keys_to_receive_by, note_keys
from regsosek.warehouse.hashes.rehashing import hashed_rows, rehash
from regsosek.warehouse.hashes.rekeying import require_keyed
from regsosek.warehouse.locks import hold_province
from regsosek.wording.nouns import counted

log = logging.getLogger(__name__)

_REBUILD = "SELECT rebuild_from FROM ledger.hash_key WHERE province = :province"
# Figures of a night are missing where the sum of its arrivals is.
_MISSING = "DELETE FROM mart.province_arrivals WHERE province = :province AND night >= :night"


@dataclass(frozen=True)
class RotationState:
    """A province before or after its rotation.

    Attributes:
        generation: how many keys its hashes are made with; ``newest`` is how many there are.
        rows: that hold a hash.
        rebuild_from: the night from which it has yet to be built again.
    """

    province: str
    generation: int
    newest: int
    rows: int
    rebuild_from: date | None

    @property
    def done(self) -> bool:
        """Whether nothing is left to do."""
        return self.generation == self.newest and self.rebuild_from is None

    def __str__(self) -> str:
        again = f"; to be built again from night {self.rebuild_from}" if self.rebuild_from else ""
        rows = counted(f"{self.rows:,}", "row", "rows")
        return f"province {self.province}: key {self.generation} of {self.newest}, {rows}{again}"


def standing(resources: Resources, provinces: Sequence[str]) -> Iterator[RotationState]:
    """How each province stands; changes nothing but the note of what it was begun with."""
    for province in provinces:
        with resources.account("owner").begin() as connection:
            require_keyed(connection, province)
            yield _standing(resources, connection, province)


def rotate(resources: Resources, provinces: Sequence[str], *, by: str, reason: str) -> Iterator[RotationState]:
    """Brings ``provinces`` to the newest key; what an earlier call has done is not done again.

    Raises:
        ConfigurationError: the hashes of a province are made with keys that are not here.
        ReferenceDataError: a province has to be built again, and another frame is loaded than it was judged by.
        EngineFaultError: in place of an error of a database, whose text may quote personal data.
    """
    for province in provinces:
        with edge(f"rotation of the key of hashes of province {province}"):
            found = _rotate(resources, province, by, reason)
        if found.rebuild_from:
            replay(resources, found.rebuild_from, [province])
        with resources.account("owner").begin() as connection:
            yield _standing(resources, connection, province)


def _rotate(resources: Resources, province: str, by: str, reason: str) -> RotationState:
    keys = resources.settings.hash_keys
    with resources.account("owner").begin() as connection:
        hold_province(connection, province)
        require_keyed(connection, province)
        used = keys_to_receive_by(connection, province, keys)
        if len(used) < len(keys):
            made = rehash(connection, province, keys[len(used) :])
            rename_cases(connection, resources.settings.trail_secrets, province, made.renamed)
            _rename_limits(resources, province, made.renamed)
            if made.first_moved:
                values = {"province": province, "night": made.first_moved}
                connection.execute(text(_MISSING), values)
                refresh_missing(connection, province)
            rotated = {"rotated_at": datetime.now(UTC), "rotated_by": by, "reason": reason}
            note_keys(connection, province, keys, rebuild_from=made.rebuild_from, **rotated)
            log.info("province %s: %d hashes are made with key %d", province, made.hashes, len(keys))
        return _standing(resources, connection, province)


def _rename_limits(resources: Resources, province: str, renamed: Sequence[tuple[str, str]]) -> None:
    """The archive limits a case by its new id too; the old record stays, for a dump of before is limited by it."""
    store, bucket = resources.store, resources.settings.archive_bucket
    for former, now in renamed:
        limit = read_limit(store, bucket, province, former)
        if limit is not None:
            write_limit(store, bucket, limit.model_copy(update={"case_id": now}))


def _standing(resources: Resources, connection: Connection, province: str) -> RotationState:
    keys = resources.settings.hash_keys
    used = keys_to_receive_by(connection, province, keys)
    rebuild_from = connection.execute(text(_REBUILD), {"province": province}).scalar()
    return RotationState(province, len(used), len(keys), hashed_rows(connection, province), rebuild_from)
