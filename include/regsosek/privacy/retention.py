"""How long each class of data is kept, what of it is over its time, and its end where the warehouse holds it.

Classes are data (``retention.csv``). The pipeline ends what lies in the warehouse, and only on an operator's word; what
lies elsewhere is ended by whoever keeps it, and the table says how. What a case in quarantine still needs stays, and no
row that a figure or a check counts goes: a release is the same before and after.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from importlib import resources
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, text

from regsosek.errors import ReferenceDataError
from regsosek.geography.calendar import FieldWindow
from regsosek.geography.reference_table import read_table
from regsosek.geography.regions import NATION
from regsosek.privacy.trail.access_trail import end_before
from regsosek.warehouse.locks import hold_province
from regsosek.warehouse.tables import identity_tables, retention_run

_COLUMNS = ("class", "what", "where", "kept_days", "counted_from", "ends_by", "how", "basis")
OPERATION_END, OURS = "end of the operation", "retention"
LEAST_DAYS = 30  # of what the pipeline ends itself: a slip of the pen must not end what last night brought


@dataclass(frozen=True)
class RetentionRule:
    """A class of data: how long it is kept (None: for ever), from when on, and who ends it how."""

    name: str
    what: str
    where: str
    kept_days: int | None
    counted_from: str
    ends_by: str
    how: str
    basis: str

    def before(self, window: FieldWindow, today: date) -> date | None:
        """What came before that day is over its time; None while nothing can be."""
        if self.kept_days is None:
            return None
        limit = today - timedelta(days=self.kept_days)
        if self.counted_from != OPERATION_END:
            return limit
        return date.max if window.closing(today) < limit else None


@dataclass(frozen=True)
class Due:
    """What of a class is over its time in a province (``00``: of no province): rows, bytes, and since which day."""

    rule: RetentionRule
    province: str
    rows: int
    bytes: int
    oldest: date | None


def rules(path: Path | None = None) -> tuple[RetentionRule, ...]:
    """The classes, in their order.

    Args:
        path: a table of the deployment's own; none: the packaged one.

    Raises:
        ReferenceDataError: a class is missing or unknown, or a term makes no sense.
    """
    packaged = Path(str(resources.files(__package__).joinpath("retention.csv")))
    rows = read_table(path or packaged, _COLUMNS)
    known = [row["class"] for row in read_table(packaged, _COLUMNS)]
    if sorted(row["class"] for row in rows) != sorted(known):
        raise ReferenceDataError(f"{(path or packaged).name}: each of these classes once: {', '.join(known)}")
    return tuple(_rule(row) for row in rows)


def due(
    connection: Connection, windows: Mapping[str, FieldWindow], of: Sequence[RetentionRule], today: date
) -> Iterator[Due]:
    """What the pipeline could end now, by class and province; nothing of a class that has none."""
    for rule, province, before in _places(windows, of, today):
        counted = connection.execute(text(_COUNTS[rule.name]), {"province": province, "before": before}).one()
        if counted.rows:
            yield Due(rule, province, counted.rows, int(counted.bytes or 0), counted.oldest)


def end(
    engine: Engine,
    windows: Mapping[str, FieldWindow],
    of: Sequence[RetentionRule],
    today: date,
    *,
    by: str,
    reason: str,
) -> Iterator[Due]:
    """Ends what is due, a class of a province in a transaction; killed in between, the next call goes on.

    Args:
        engine: by the account of the warehouse's owner.
    """
    for rule, province, before in _places(windows, of, today):
        with engine.begin() as connection:
            if province != NATION:
                hold_province(connection, province)
            found = next(
                due(connection, {province: windows[province]} if province != NATION else {}, [rule], today), None
            )
            if found is None:
                continue
            for statement in _ENDS.get(rule.name, ()):
                connection.execute(text(statement), {"province": province, "before": before})
            if rule.name == "access_trail":
                end_before(connection, datetime.combine(before, time(), UTC))
            values = {"class": rule.name, "province": province, "rows": found.rows, "by": by, "reason": reason}
            connection.execute(retention_run.insert().values(values))
        yield found


def lifecycle(of: Sequence[RetentionRule]) -> dict[str, Any]:
    """The rules of the landing bucket as S3 stores take them: uploads go after their time, rests of uploads at once."""
    [landing] = [each for each in of if each.name == "landing"]
    rule = {
        "ID": "landing",
        "Status": "Enabled",
        "Filter": {"Prefix": "landing/"},
        "Expiration": {"Days": landing.kept_days},
        "NoncurrentVersionExpiration": {"NoncurrentDays": LEAST_DAYS},
        "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 7},
    }
    return {"Rules": [rule]}


def _rule(row: dict[str, str]) -> RetentionRule:
    days = row.pop("kept_days")
    if days and not days.isdecimal():
        raise ReferenceDataError(f"class {row['class']}: kept_days is a number of days, or empty for ever")
    if row["ends_by"] == OURS and row["class"] not in _COUNTS:
        raise ReferenceDataError(f"class {row['class']}: the pipeline cannot end it; say in ends_by who does")
    if row["ends_by"] == OURS and days and int(days) < LEAST_DAYS:
        raise ReferenceDataError(f"class {row['class']}: keep it for {LEAST_DAYS} days at least")
    return RetentionRule(name=row.pop("class"), kept_days=int(days) if days else None, **row)


def _places(
    windows: Mapping[str, FieldWindow], of: Sequence[RetentionRule], today: date
) -> Iterator[tuple[RetentionRule, str, date]]:
    for rule in of:
        if rule.ends_by != OURS:
            continue
        if rule.name in _OF_NO_PROVINCE:
            if rule.kept_days is not None:
                yield rule, NATION, today - timedelta(days=rule.kept_days)
            continue
        for province, window in windows.items():
            if before := rule.before(window, today):
                yield rule, province, before


_OF_NO_PROVINCE = frozenset({"messages", "access_trail"})
# Rows that a case still needs: those that speak for it while a later revision waits in quarantine, and all of a case
# that is limited because somebody disputes it.
_LIMITED = "ledger.case_request r WHERE r.province = :province AND r.kind = 'limited' AND r.lifted_at IS NULL"
_NEEDED = f"""
SELECT night, delivery_id, part, row_no FROM core.kasus_terkini WHERE province = :province AND waiting IS NOT NULL
UNION SELECT k.night, k.delivery_id, k.part, k.row_no FROM core.kasus k
WHERE k.province = :province AND k.case_id IN (SELECT r.case_id FROM {_LIMITED})
"""
_RESOLVED = f"""
FROM restricted.quarantined q WHERE q.province = :province AND q.night < :before AND q.payload <> '{{}}'
AND q.dataset IN ('keluarga', 'anggota') AND q.case_id NOT IN (SELECT r.case_id FROM {_LIMITED})
AND NOT EXISTS (SELECT 1 FROM core.kasus_terkini t
                WHERE t.province = :province AND t.case_id = q.case_id AND t.waiting IS NOT NULL)
"""
_MESSAGES = """
FROM restricted.quarantined q WHERE q.province = :province AND q.night < :before AND q.payload <> '{}'
AND q.dataset NOT IN ('keluarga', 'anggota')
"""
_SAME_ROW = "x.night = i.night AND x.delivery_id = i.delivery_id AND x.part = i.part AND x.row_no = i.row_no"
_ROW_NEEDED = {
    "keluarga": f"EXISTS (SELECT 1 FROM ({_NEEDED}) x WHERE {_SAME_ROW})",
    "anggota": f"""EXISTS (
        SELECT 1 FROM ({_NEEDED}) n JOIN core.anggota x ON x.province = :province AND x.night = n.night
        AND x.delivery_id = n.delivery_id AND x.part = n.part AND x.keluarga_row = n.row_no WHERE {_SAME_ROW})""",
}


def _identities(dataset: str) -> str:
    kept = f" AND NOT {_ROW_NEEDED[dataset]}" if dataset in _ROW_NEEDED else ""
    return f"FROM restricted.{dataset}_identity i WHERE i.province = :province AND i.night < :before{kept}"


_UNTYPED = "FROM restricted.untyped_value i WHERE i.province = :province AND i.night < :before" + "".join(
    f" AND NOT (i.dataset = '{dataset}' AND {needed})" for dataset, needed in _ROW_NEEDED.items()
)
_DONE = """
FROM alert.outbox o WHERE o.composed_at < :before AND (o.body <> '' OR o.html <> '') AND o.state <> 'waiting'
AND NOT EXISTS (SELECT 1 FROM alert.delivery d WHERE d.outbox_id = o.id AND d.state = 'waiting')
"""


def _counted(measured: str, day: str, rows: str) -> str:
    return f"SELECT count(*) AS rows, sum(pg_column_size({measured})) AS bytes, min({day}) AS oldest {rows}"


def _emptied(rows: str) -> str:
    return "UPDATE restricted.quarantined q SET payload = '{}' " + rows[rows.index("WHERE") :]


_COUNTS = {
    "quarantined": _counted("q.payload", "q.night", _RESOLVED),
    "quarantined_messages": _counted("q.payload", "q.night", _MESSAGES),
    "identities": "SELECT sum(rows)::bigint AS rows, sum(bytes) AS bytes, min(oldest) AS oldest FROM ("
    + " UNION ALL ".join(_counted("i.*", "i.night", _identities(dataset)) for dataset in identity_tables)
    + ") each_table",
    "untyped_values": _counted("i.value", "i.night", _UNTYPED),
    "messages": _counted("o.*", "o.composed_at::date", _DONE),
    "access_trail": _counted("a.*", "a.at::date", "FROM ledger.access a WHERE a.at < :before"),
}
_ENDS: dict[str, tuple[str, ...]] = {
    "quarantined": (_emptied(_RESOLVED),),
    "quarantined_messages": (_emptied(_MESSAGES),),
    "identities": tuple(f"DELETE {_identities(dataset)}" for dataset in identity_tables),
    "untyped_values": (f"DELETE {_UNTYPED}",),
    "messages": (
        f"UPDATE alert.delivery SET address = '', backup_of = '' WHERE outbox_id IN (SELECT o.id {_DONE})",
        f"UPDATE alert.outbox SET body = '', html = '', attachments = '[]' WHERE id IN (SELECT o.id {_DONE})",
    ),
}
