"""A case that is limited: it counts as ever, and is shown and handed on to nobody, until that is lifted with a reason.

The archive keeps the record, so that a warehouse that is rebuilt or restored limits the same cases.
"""

from collections.abc import Iterable
from datetime import datetime
from urllib.parse import quote

from pydantic import BaseModel, ConfigDict
from sqlalchemy import Connection, text
from sqlalchemy.dialects.postgresql import insert

from regsosek.contract.manifest import ProvinceCode
from regsosek.landing.archive import canonical_json, read_record, read_records
from regsosek.landing.store import Store
from regsosek.privacy.erasure.erased_rows import LIMITED
from regsosek.warehouse.tables import case_request

LIMITS = "limits/"


class Limit(BaseModel):
    """A request that a case be limited, and whether and why that was lifted."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    province: ProvinceCode
    case_id: str
    request: str
    by: str
    at: datetime
    reason: str
    lifted_at: datetime | None = None
    lifted_by: str | None = None
    lift_reason: str | None = None

    @property
    def key(self) -> str:
        """Where it is kept."""
        return limit_key(self.province, self.case_id)


def limit_key(province: str, case_id: str) -> str:
    """Where the limit of a case is kept."""
    return f"{_prefix(province)}{quote(case_id, safe='')}.json"


def write_limit(store: Store, bucket: str, limit: Limit) -> None:
    """Keeps a limit, over an earlier one of the same case."""
    store.put_bytes(bucket, limit.key, canonical_json(limit))


def read_limit(store: Store, bucket: str, province: str, case_id: str) -> Limit | None:
    """The limit of a case.

    Raises:
        ObjectStoreError: it cannot be read: leaving it out would show the case.
    """
    return read_record(store, bucket, limit_key(province, case_id), Limit)


def list_limits(store: Store, bucket: str, province: str) -> list[Limit]:
    """All limits of ``province``, lifted ones too.

    Raises:
        ObjectStoreError: one cannot be read.
    """
    return list(read_records(store, bucket, _prefix(province), Limit))


def enter_limits(connection: Connection, limits: Iterable[Limit]) -> None:
    """Brings the warehouse in step with the archive."""
    for limit in limits:
        values = limit.model_dump() | {"kind": LIMITED}
        statement = insert(case_request).values(**values)
        key = ("province", "case_id", "kind")
        changed = {name: statement.excluded[name] for name in values if name not in key}
        connection.execute(statement.on_conflict_do_update(index_elements=key, set_=changed))


def is_case(connection: Connection, province: str, case_id: str) -> bool:
    """Whether the province has that case."""
    query = "SELECT 1 FROM core.kasus_terkini WHERE province = :province AND case_id = :case"
    return connection.execute(text(query), {"province": province, "case": case_id}).first() is not None


def _prefix(province: str) -> str:
    return f"{LIMITS}prov={province}/"
