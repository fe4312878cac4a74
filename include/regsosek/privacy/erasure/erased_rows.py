"""An erased case in the warehouse: the rows that hold it, what was found of them, and those rows wiped.

Rows stay, so that everything adds up: a family keeps place, revision, result and day, and the number of its persons.
Its answers, names, numbers and its document's id go. Whatever is wiped a second time stays as it is.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Connection, Row, text
from sqlalchemy.dialects.postgresql import insert

from regsosek.contract.codebook import DATASETS
from regsosek.errors import ConfigurationError
from regsosek.privacy.erasure.redaction import DOCUMENT, KEPT, MARKED, PRESENCE, PRESENT, kept_pattern
from regsosek.privacy.erasure.tombstones import BrokenRule, Counted, ErasedFamily, ErasedTag, Neighbour, Tombstone
from regsosek.staging.pseudonyms import HashKeys, hashed_on
from regsosek.warehouse.tables import case_request, core_tables, identity_tables

ERASED, LIMITED = "erased", "limited"


@dataclass(frozen=True)
class HeldRow:
    """A family row that holds a case."""

    night: date
    delivery_id: str
    part: int
    row_no: int
    status: str
    verdict: str | None
    content_hash: str
    id_subsls: str | None
    manifest_sha256: str


@dataclass(frozen=True)
class HeldTag:
    """A tag of a house at the number of a case; without a hash if it is in quarantine."""

    night: date
    delivery_id: str
    part: int
    row_no: int
    content_hash: str
    id_tag: str | None
    verdict: str
    manifest_sha256: str


_ROWS = """
SELECT k.night, k.delivery_id, k.part, k.row_no, k.status, k.verdict, encode(k.content_hash, 'hex') AS content_hash,
       k.id_subsls, d.manifest_sha256
FROM core.kasus k
JOIN ledger.delivery d ON d.province = k.province AND d.delivery_id = k.delivery_id AND d.state = 'accepted'
WHERE k.province = :province AND k.case_id = :case AND k.part > 0
ORDER BY k.night, k.delivery_id, k.part, k.row_no
"""
# Of statements of one moment about one case or one family key the greater hash speaks (warehouse/cases/case_state.py).
_RIVALS = """
SELECT DISTINCT encode(r.content_hash, 'hex') FROM core.kasus own
JOIN core.kasus r ON r.province = own.province AND r.part > 0 AND r.produced_at = own.produced_at AND (
     r.case_id = own.case_id OR (r.id_subsls, r.r109_no_bangunan, r.r110_no_keluarga)
     = (own.id_subsls, own.r109_no_bangunan, own.r110_no_keluarga))
WHERE own.province = :province AND own.night = :night AND own.delivery_id = :delivery_id AND own.part = :part
      AND own.row_no = :row_no
"""


def rival_hashes(connection: Connection, province: str, row: HeldRow) -> list[str]:
    """The content hashes that a row may be weighed against, its own among them."""
    own = {"province": province, "night": row.night, "delivery_id": row.delivery_id}
    found = connection.execute(text(_RIVALS), own | {"part": row.part, "row_no": row.row_no})
    return list(found.scalars())


_NUMBERS = """
SELECT DISTINCT id_subsls, r109_no_bangunan, r110_no_keluarga FROM core.kasus
WHERE province = :province AND case_id = :case AND id_subsls IS NOT NULL AND r109_no_bangunan IS NOT NULL
      AND r110_no_keluarga IS NOT NULL
"""
_TAGS = f"""
WITH number AS ({_NUMBERS}),
found AS (
    SELECT g.night, g.delivery_id, g.part, g.row_no, encode(g.content_hash, 'hex') AS content_hash, g.id_tag,
           'clean' AS verdict
    FROM stream.geotag g JOIN number USING (id_subsls, r109_no_bangunan, r110_no_keluarga)
    WHERE g.province = :province
    UNION ALL
    SELECT q.night, q.delivery_id, q.part, q.row_no, '', q.payload->>'id_tag', 'error'
    FROM restricted.quarantined q JOIN number n ON q.payload->>'id_subsls' = n.id_subsls
         AND ltrim(q.payload->>'r109_no_bangunan', '0') = CAST(n.r109_no_bangunan AS text)
         AND ltrim(q.payload->>'r110_no_keluarga', '0') = CAST(n.r110_no_keluarga AS text)
    WHERE q.province = :province AND q.dataset = 'geotag'
)
SELECT f.*, d.manifest_sha256 FROM found f
JOIN ledger.delivery d ON d.province = :province AND d.delivery_id = f.delivery_id AND d.state = 'accepted'
ORDER BY f.night, f.delivery_id, f.part, f.row_no
"""
_HELD = "SELECT delivery_id FROM ledger.delivery WHERE province = :province AND state = 'held' ORDER BY 1"


def rows_of(connection: Connection, province: str, case_id: str) -> list[HeldRow]:
    """Every row of an accepted delivery that holds the case."""
    found = connection.execute(text(_ROWS), {"province": province, "case": case_id})
    return [HeldRow(**row._mapping) for row in found]


def tags_of(connection: Connection, province: str, case_id: str) -> list[HeldTag]:
    """The tags of houses that stand at a number of building and family that the case ever had."""
    found = connection.execute(text(_TAGS), {"province": province, "case": case_id})
    return [HeldTag(**row._mapping) for row in found]


def numbers_of(connection: Connection, province: str, case_id: str) -> list[tuple[str, int, int]]:
    """Every number of building and family that the case ever had."""
    found = connection.execute(text(_NUMBERS), {"province": province, "case": case_id})
    return [(row[0], row[1], row[2]) for row in found]


def held_deliveries(connection: Connection, province: str) -> list[str]:
    """Deliveries that wait for a decision, of which the warehouse has no rows."""
    return list(connection.execute(text(_HELD), {"province": province}).scalars())


def folders_of(connection: Connection, province: str, delivery_ids: Iterable[str]) -> list[str]:
    """Where those deliveries landed."""
    query = (
        "SELECT DISTINCT prefix FROM ledger.delivery WHERE province = :province AND delivery_id = ANY(:ids) ORDER BY 1"
    )
    return list(connection.execute(text(query), {"province": province, "ids": sorted(delivery_ids)}).scalars())


_NEIGHBOUR = """
SELECT r.dataset, r.row_no, r.rule_id, r.severity FROM quality.reason r
WHERE r.province = :province AND r.delivery_id = :delivery_id AND r.part = :part AND (
    (r.dataset = 'keluarga' AND r.row_no = :row_no) OR (r.dataset = 'anggota' AND r.row_no = ANY(:members)))
ORDER BY r.dataset, r.row_no, r.rule_id
"""
_VERDICT = """
SELECT verdict FROM core.kasus
WHERE province = :province AND delivery_id = :delivery_id AND part = :part AND row_no = :row_no
"""


def neighbour(
    connection: Connection, province: str, delivery_id: str, part: int, row_no: int, members: Sequence[int]
) -> Neighbour | None:
    """What was found of a family that shares a number with the case; ``None`` of one that was not judged."""
    own = {"province": province, "delivery_id": delivery_id, "part": part, "row_no": row_no}
    verdict = connection.execute(text(_VERDICT), own).scalar()
    if verdict is None:
        return None
    rows = connection.execute(text(_NEIGHBOUR), own | {"members": list(members)})
    reasons = tuple(BrokenRule(**row._mapping) for row in rows)
    return Neighbour(delivery_id=delivery_id, part=part, row_no=row_no, verdict=verdict, reasons=reasons)


_COUNTED = [*DATASETS, "geotag"]


def counted(connection: Connection, province: str, delivery_id: str) -> Counted:
    """What the judgement of a delivery counted."""
    own = {"province": province, "delivery_id": delivery_id}
    violations = "SELECT dataset, rule_id, severity, violations FROM quality.rule_result WHERE {} ORDER BY 1, 2"
    shares = (
        "SELECT dataset, judged, in_error FROM quality.error_share WHERE {} AND dataset = ANY(:datasets) ORDER BY 1"
    )
    where = "province = :province AND delivery_id = :delivery_id"
    return Counted(
        delivery_id=delivery_id,
        violations=tuple(tuple(row) for row in connection.execute(text(violations.format(where)), own)),
        shares=tuple(
            tuple(row) for row in connection.execute(text(shares.format(where)), own | {"datasets": _COUNTED})
        ),
    )


_ERASED = """
CREATE TEMP TABLE erased ON COMMIT DROP AS
SELECT k.province, k.night, e.delivery_id, e.part, e.row_no, e.mark, e.content_hash, k.case_id AS former,
       k.content_hash AS former_hash, k.id_subsls IS NULL AS placeless
FROM jsonb_to_recordset(CAST(:rows AS jsonb))
     AS e(delivery_id text, part int, row_no int, mark text, content_hash text)
JOIN core.kasus k ON k.province = :province AND k.delivery_id = e.delivery_id AND k.part = e.part
     AND k.row_no = e.row_no
"""
_MEMBERS = """
CREATE TEMP TABLE erased_member ON COMMIT DROP AS
SELECT e.night, e.delivery_id, e.part, a.row_no FROM erased e
JOIN core.anggota a ON a.province = e.province AND a.night = e.night AND a.delivery_id = e.delivery_id
     AND a.part = e.part AND a.keluarga_row = e.row_no
"""
_SAME = "t.province = :province AND t.night = e.night AND t.delivery_id = e.delivery_id AND t.part = e.part"
_FORMER = "(SELECT former FROM erased)"


def wipe(connection: Connection, tombstone: Tombstone, keys: HashKeys) -> None:
    """Wipes the rows of a tombstone, and enters it.

    Args:
        keys: those that the hashes of the province are made with.

    Raises:
        ConfigurationError: they are fewer than made the tombstone.
    """
    own = {"province": tombstone.province, "case": tombstone.mark}
    connection.execute(text(_ERASED), own | {"rows": _rows_document(tombstone.families, tombstone, keys)})
    if len(keys) < tombstone.generation and connection.execute(text("SELECT 1 FROM erased LIMIT 1")).first():
        raise ConfigurationError(
            f"case {tombstone.mark} of province {tombstone.province} was erased after its hashes were rotated: run "
            "`regsosek keys rotate hmac` first, then the night again"
        )
    connection.execute(text(_MEMBERS))
    for statement in _statements():
        connection.execute(text(statement), own)
    if tombstone.tags:
        _wipe_tags(connection, tombstone, keys)
    connection.execute(text("DROP TABLE erased, erased_member"))
    enter_request(connection, tombstone.province, tombstone.mark, ERASED, tombstone)


def enter_request(connection: Connection, province: str, case_id: str, kind: str, of: Any) -> None:
    """Enters who asked for what of a case; the same request again changes nothing."""
    values = {"province": province, "case_id": case_id, "kind": kind}
    said = {"request": of.request, "by": of.by, "reason": of.reason, "at": of.at}
    connection.execute(insert(case_request).values(**values, **said).on_conflict_do_nothing())


def entered(connection: Connection, province: str, kind: str) -> set[str]:
    """The cases of ``province`` for which such a request was entered."""
    query = "SELECT case_id FROM ledger.case_request WHERE province = :province AND kind = :kind"
    return set(connection.execute(text(query), {"province": province, "kind": kind}).scalars())


def all_requests(connection: Connection) -> list[Row[Any]]:
    """Every request that was entered, by time."""
    query = "SELECT province, case_id, kind, request, at FROM ledger.case_request WHERE lifted_at IS NULL ORDER BY at"
    return list(connection.execute(text(query)))


_ERASED_TAGS = """
CREATE TEMP TABLE erased_tag ON COMMIT DROP AS
SELECT d.province, coalesce(d.decided_night, d.night) AS night, e.*
FROM jsonb_to_recordset(CAST(:rows AS jsonb))
     AS e(delivery_id text, part int, row_no int, mark text, content_hash text)
JOIN ledger.delivery d ON d.province = :province AND d.delivery_id = e.delivery_id AND d.state = 'accepted'
"""


def _wipe_tags(connection: Connection, tombstone: Tombstone, keys: HashKeys) -> None:
    rows = {"rows": _rows_document(tombstone.tags, tombstone, keys)}
    connection.execute(text(_ERASED_TAGS), {"province": tombstone.province} | rows)
    own = f"{_SAME} AND t.row_no = e.row_no"
    hashed = {"akurasi_m": _no("akurasi_m"), "content_hash": "decode(e.content_hash, 'hex')"}
    for statement in (
        f"DELETE FROM restricted.untyped_value t USING erased_tag e WHERE {own} AND t.dataset = 'geotag'",
        f"DELETE FROM quality.reason t USING erased_tag e WHERE {own} AND t.dataset = 'geotag'",
        _written_anew("restricted.quarantined", _payload("geotag"), f"{own} AND t.dataset = 'geotag'", "erased_tag"),
        _written_anew("restricted.geotag_identity", _identity("geotag"), own, "erased_tag"),
        _written_anew("stream.geotag", hashed, own, "erased_tag"),
    ):
        connection.execute(text(statement), {"province": tombstone.province})
    connection.execute(text("DROP TABLE erased_tag"))


def _rows_document(rows: Iterable[ErasedFamily | ErasedTag], tombstone: Tombstone, keys: HashKeys) -> str:
    later = keys[tombstone.generation :]
    documents: Iterable[str] = (
        each.model_copy(
            update={"content_hash": hashed_on(bytes.fromhex(each.content_hash), later).hex()}
        ).model_dump_json(exclude={"verdict"})
        for each in rows
    )
    return f"[{','.join(documents)}]"


def _statements() -> list[str]:
    """SQL: everything that is wiped, in order: what is looked up by members goes before them."""
    kasus = {"case_id": ":case", "content_hash": "decode(e.content_hash, 'hex')"}
    of_family, of_member = "t.row_no = e.row_no", "t.keluarga_row = e.row_no"
    return [
        "DELETE FROM restricted.untyped_value t USING erased e "
        f"WHERE {_SAME} AND t.dataset = 'keluarga' AND {of_family}",
        "DELETE FROM restricted.untyped_value t USING erased_member e "
        f"WHERE {_SAME} AND t.dataset = 'anggota' AND {of_family}",
        f"DELETE FROM quality.reason t WHERE t.province = :province AND (t.case_id = :case OR t.case_id IN {_FORMER})",
        *(_written_anew("restricted.quarantined", _payload(dataset), _quarantined(dataset)) for dataset in DATASETS),
        _written_anew("restricted.keluarga_identity", _identity("keluarga"), f"{_SAME} AND {of_family}"),
        _written_anew("restricted.anggota_identity", _identity("anggota"), f"{_SAME} AND {of_family}", "erased_member"),
        _written_anew("core.keluarga", _answers("keluarga"), f"{_SAME} AND {of_family}"),
        _written_anew("core.anggota", _answers("anggota"), f"{_SAME} AND {of_member}"),
        # What a replacement left out bears a hash of the content that it left out (warehouse/nights/ledger.py).
        _written_anew(
            "core.kasus",
            {
                "case_id": ":case",
                "content_hash": "substring(sha256(decode(e.content_hash, 'hex') || convert_to(t.delivery_id, 'UTF8')) "
                "FROM 1 FOR 16)",
            },
            "t.province = :province AND t.part = 0 AND t.case_id = e.former AND t.content_hash = "
            "substring(sha256(e.former_hash || convert_to(t.delivery_id, 'UTF8')) FROM 1 FOR 16)",
            "(SELECT DISTINCT content_hash, former, former_hash FROM erased)",
        ),
        _written_anew("core.kasus", kasus, f"{_SAME} AND {of_family}"),
        # Nobody can mend it, so it waits no more (as warehouse/cases/pointers.py has it when they are made anew).
        "UPDATE core.kasus_terkini t SET case_id = :case, waiting = NULL "
        f"WHERE t.province = :province AND t.case_id IN {_FORMER}",
    ]


def _written_anew(table: str, changed: dict[str, str], where: str, erased: str = "erased") -> str:
    """SQL: rows of ``table`` replaced by changed ones: the loader may add rows and take them away, not change them."""
    names = [column.name for column in _table(table).columns]
    gone = ", ".join(f"t.{name} AS {name}" if name not in changed else f"{changed[name]} AS {name}" for name in names)
    listed = ", ".join(names)
    return (
        f"WITH gone AS (DELETE FROM {table} t USING {erased} e WHERE {where} RETURNING {gone}) "
        f"INSERT INTO {table} ({listed}) SELECT {listed} FROM gone"
    )


def _table(name: str) -> Any:
    schema, _, table = name.partition(".")
    return core_tables[DATASETS[0]].metadata.tables[f"{schema}.{table}"]


def _answers(dataset: str) -> dict[str, str]:
    """SQL: the columns of answers that are changed; keys of the row and what is kept stay."""
    stay = {"province", "night", "delivery_id", "part", "row_no", "keluarga_row", *KEPT[dataset]}
    changed = {c.name: _no(c.name) for c in core_tables[dataset].columns if c.name not in stay}
    changed[DOCUMENT] = ":case"
    if dataset == "anggota":
        changed[PRESENCE] = f"CASE WHEN t.{PRESENCE} IN ({', '.join(PRESENT)}) THEN t.{PRESENCE} END"
    return changed


def _no(column: str) -> str:
    """SQL: no value, of the column's type."""
    return f"nullif(t.{column}, t.{column})"


def _identity(dataset: str) -> dict[str, str]:
    stay = {"province", "night", "delivery_id", "part", "row_no"}
    changed = {c.name: _no(c.name) for c in identity_tables[dataset].columns if c.name not in stay}
    return changed | ({MARKED[dataset]: "e.mark"} if dataset in MARKED else {})


def _quarantined(dataset: str) -> str:
    """SQL: rows of a family in quarantine; members are known by its case."""
    own = "t.row_no = e.row_no" if dataset == "keluarga" else "t.case_id IN (e.former, :case)"
    return f"{_SAME} AND t.dataset = '{dataset}' AND {own}"


def _payload(dataset: str) -> dict[str, str]:
    """SQL: what a row in quarantine keeps, as reading the rewritten file gives it."""
    fields = ["'row_no', t.payload->'row_no'"]
    if dataset in DATASETS:
        fields.append(f"'{DOCUMENT}', to_jsonb(CAST(:case AS text))")
    for column in KEPT[dataset]:
        fit = f"t.payload->>'{column}' ~ '{kept_pattern(dataset, column)}'"
        fit += " AND NOT e.placeless" if column == "id_subsls" and dataset in DATASETS else ""
        fields.append(f"'{column}', CASE WHEN {fit} THEN t.payload->'{column}' END")
    if dataset in MARKED:
        fields.append(f"'{MARKED[dataset]}', to_jsonb(e.mark)")
    payload = f"jsonb_strip_nulls(jsonb_build_object({', '.join(fields)}))"
    return {"payload": payload} | ({"case_id": ":case"} if dataset in DATASETS else {})
