"""Hashes of cases that an earlier version made without a key, made anew with the keys of the deployment.

A plain hash of an id or of answers is found out by trying. The keyed hash is made of the plain one, so what an earlier
version loaded is recognised afterwards as if this one had loaded it, and no archive is needed. An id that has none of
the contract's forms is kept back as one that arrives today is. Figures are computed anew, because of two statements
made at the same instant the one with the greater hash speaks (:mod:`regsosek.warehouse.cases.case_state`).
"""

import logging
from collections.abc import Iterator, Sequence

from psycopg import Cursor, sql
from sqlalchemy import Connection, Engine, text

from regsosek.contract.codebook import DATASETS
from regsosek.contract.key_forms import NUMBER_OF_A_PERSON, any_form
from regsosek.errors import ConfigurationError
from regsosek.staging.pseudonyms import HashKeys, hashed_on
from regsosek.warehouse.hashes.hash_keys import keys_in_use

log = logging.getLogger(__name__)
_AT_ONCE = 100_000

_UNSHOWN = f"case_id !~ '^({any_form()})$' OR case_id ~ '{NUMBER_OF_A_PERSON}'"
_CLEAR_KEY = " || chr(31) || ".join(
    f"coalesce({column}::text, '')" for column in ("id_subsls", "r109_no_bangunan", "r110_no_keluarga")
)
# The ids that may not be shown with their plain hashes, as staging makes them of family key and id.
_FORMER_IDS = f"""
CREATE TEMP TABLE former ON COMMIT DROP AS
SELECT DISTINCT ON (case_id) case_id, CASE WHEN case_id ~ '^[?][0-9a-f]{{32}}$' THEN substr(case_id, 2)
       ELSE left(encode(sha256(convert_to({_CLEAR_KEY} || case_id, 'UTF8')), 'hex'), 32) END AS plain
FROM core.kasus WHERE province = :province AND ({_UNSHOWN})
ORDER BY case_id, night DESC, delivery_id DESC, part DESC, row_no DESC
"""
# What a replacement left out bears a hash of the content that it left out (warehouse/nights/ledger.py).
_LEFT_OUT = """
CREATE TEMP TABLE left_out ON COMMIT DROP AS
SELECT DISTINCT z.night, z.delivery_id, z.row_no, encode(o.content_hash, 'hex') AS plain
FROM core.kasus z JOIN core.kasus o ON o.province = z.province AND o.case_id = z.case_id AND o.part > 0
WHERE z.province = :province AND z.part = 0
      AND z.content_hash = substring(sha256(o.content_hash || convert_to(z.delivery_id, 'UTF8')) FROM 1 FOR 16)
"""
_PLAIN = """
SELECT plain FROM former UNION SELECT encode(content_hash, 'hex') FROM core.kasus WHERE province = {} AND part > 0
"""
_KEPT_BACK = """
INSERT INTO restricted.untyped_value (province, night, delivery_id, part, dataset, row_no, variable, value)
SELECT t.province, t.night, t.delivery_id, t.part, '{0}', t.row_no, 'id_dokumen', t.id_dokumen
FROM core.{0} t JOIN former f ON f.case_id = t.id_dokumen WHERE t.province = :province
"""
# As staging keeps names of places back that hold a person's number, in what PostgreSQL's expressions know.
_PERSONAL = "[0-9]([^A-Za-z0-9]{0,3}[0-9]){8,}|[0-9][.,][0-9]{4,}"
_NAMES_OF_PLACES = (
    "INSERT INTO restricted.untyped_value (province, night, delivery_id, part, dataset, row_no, variable, value) "
    "SELECT province, night, delivery_id, part, '{1}', row_no, '{2}', {2} FROM {0} "
    "WHERE province = :province AND {2} ~ '{3}'",
    "UPDATE {0} SET {2} = NULL WHERE province = :province AND {2} ~ '{3}'",
)
_CHANGES = (
    "UPDATE core.kasus k SET content_hash = decode(h.keyed, 'hex') FROM hashed h "
    "WHERE k.province = :province AND k.part > 0 AND h.plain = encode(k.content_hash, 'hex')",
    "UPDATE core.kasus k SET content_hash = substring("
    "sha256(decode(h.keyed, 'hex') || convert_to(k.delivery_id, 'UTF8')) FROM 1 FOR 16) "
    "FROM left_out l JOIN hashed h USING (plain) WHERE k.province = :province AND k.part = 0 AND k.night = l.night "
    "AND k.delivery_id = l.delivery_id AND k.row_no = l.row_no",
    *(
        f"UPDATE {table} t SET case_id = '?' || h.keyed FROM former f JOIN hashed h USING (plain) "
        "WHERE t.province = :province AND t.case_id = f.case_id"
        for table in ("core.kasus", "core.kasus_terkini", "quality.reason", "restricted.quarantined")
    ),
    *(_KEPT_BACK.format(dataset) for dataset in DATASETS),
    *(
        f"UPDATE core.{dataset} t SET id_dokumen = NULL FROM former f "
        "WHERE t.province = :province AND t.id_dokumen = f.case_id"
        for dataset in DATASETS
    ),
    *(
        statement.format(table, dataset, column, _PERSONAL)
        for table, dataset, column in (
            ("core.keluarga", "keluarga", "r106_nama_sls"),
            ("stream.rekap_vk", "rekap_vk", "nama_sls_baru"),
        )
        for statement in _NAMES_OF_PLACES
    ),
    "UPDATE core.kasus SET ppl = NULL WHERE province = :province AND length(ppl) <> 4",
    *(
        f"DELETE FROM mart.{table} WHERE province = :province"
        for table in ("change", "total", "province_day", "region_day", "arrivals", "province_arrivals", "placement")
    ),
    "DELETE FROM ledger.plain_hash WHERE province = :province",
)


def key_hashes(engine: Engine, keys: HashKeys) -> None:
    """Makes the hashes of every province anew that still holds plain ones; each in a transaction of its own.

    With the oldest of the keys: what a province is not noted to have more of, it has one of.
    """
    with engine.begin() as connection:
        provinces = connection.execute(text("SELECT province FROM ledger.plain_hash ORDER BY 1")).scalars().all()
    for province in provinces:
        with engine.begin() as connection:
            _key_province(connection, province, keys_in_use(connection, province, keys))
        log.info("hashes of cases of province %s are made with the key; its figures are computed anew", province)


def require_keyed(connection: Connection, province: str) -> None:
    """Nothing is received on top of plain hashes: what was delivered before would be taken for news.

    Raises:
        ConfigurationError: the province holds plain hashes.
    """
    query = text("SELECT 1 FROM ledger.plain_hash WHERE province = :province")
    if connection.execute(query, {"province": province}).first():
        raise ConfigurationError(f"hashes of province {province} are of an earlier version; run `regsosek migrate`")


def _key_province(connection: Connection, province: str, keys: Sequence[bytes]) -> None:
    own = {"province": province}
    for statement in (_FORMER_IDS, _LEFT_OUT):
        connection.execute(text(statement), own)
    connection.execute(text("CREATE TEMP TABLE hashed (plain text, keyed text) ON COMMIT DROP"))
    _fill_hashed(connection, province, keys)
    connection.execute(text("ANALYZE hashed"))
    for statement in _CHANGES:
        connection.execute(text(statement), own)
    connection.execute(text("DROP TABLE former, left_out, hashed"))


def _fill_hashed(connection: Connection, province: str, keys: Sequence[bytes]) -> None:
    """The key stays on this side: a statement that held it could come into the server's log."""
    driver = connection.connection.driver_connection
    assert driver is not None
    with driver.cursor("plain") as plain, driver.cursor() as writing:
        plain.execute(sql.SQL(_PLAIN).format(sql.Literal(province)))
        while rows := plain.fetchmany(_AT_ONCE):
            _copy(writing, ((each, hashed_on(each.encode(), keys).hex()) for (each,) in rows))


def _copy(cursor: "Cursor[tuple[str, ...]]", rows: Iterator[tuple[str, str]]) -> None:
    with cursor.copy("COPY hashed (plain, keyed) FROM STDIN") as copy:
        for row in rows:
            copy.write_row(row)
