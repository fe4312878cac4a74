"""What a night changed of daily counts and tags, by place as delivered and day of work, and the totals after it.

Of every message that the night touched, what it counts now and what it counted the night before; a night costs what it
brought. A tag is touched by a document of its family too: ``without_document`` are standing tags of families of which
no document ever arrived.
"""

from datetime import date, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, text

from regsosek.contract.stream_kinds import MESSAGES
from regsosek.geography.provinces import province as province_of_code
from regsosek.warehouse.cases.stream_state import newest_messages
from regsosek.warehouse.tables import STREAM_COUNTS

_SUPERSEDED_TONIGHT = """
SELECT jsonb_array_elements_text(s.supersedes) FROM ledger.delivery s
WHERE s.province = :province AND s.state = 'accepted' AND coalesce(s.decided_night, s.night) = :night
"""
_TOUCHED = """
SELECT {key} FROM stream.{dataset} WHERE province = :province AND night = :night
UNION
SELECT {key} FROM stream.{dataset} WHERE province = :province AND delivery_id IN ({superseded})
"""
# Of a stream that speaks of families. Only a pair of night and family leads here, by the family's index.
_OF_DOCUMENTS = """
UNION
SELECT {key} FROM core.kasus k
JOIN stream.{dataset} m ON m.province = k.province AND (m.id_subsls, m.r109_no_bangunan, m.r110_no_keluarga)
     = (k.id_subsls, k.r109_no_bangunan, k.r110_no_keluarga)
WHERE k.province = :province AND k.night = :night
"""

_COUNTED = """
SELECT delivery_id, id_subsls, {told_on} AS told_on, {families} AS families, 1 AS messages, {verified} AS verified,
       {poor} AS poor, {photographed} AS photographed, {without_document} AS without_document
FROM ({messages}) g WHERE {when}
"""
_WITHOUT_DOCUMENT = """
       (NOT EXISTS (
           SELECT FROM core.kasus k
           JOIN ledger.delivery d ON d.province = k.province AND d.delivery_id = k.delivery_id AND d.state = 'accepted'
           WHERE k.province = :province AND k.night <= :{night}
                 AND (k.id_subsls, k.r109_no_bangunan, k.r110_no_keluarga)
                     = (g.id_subsls, g.r109_no_bangunan, g.r110_no_keluarga)))::int"""

_CHANGED = f"""
INSERT INTO mart.stream_day (province, stream, id_subsls, told_on, night, {", ".join(STREAM_COUNTS)})
SELECT :province, :stream, id_subsls, told_on, :night, {", ".join(f"sum(sign * {name})" for name in STREAM_COUNTS)}
FROM (SELECT 1 AS sign, * FROM ({{now}}) n UNION ALL SELECT -1, * FROM ({{before}}) b) c
GROUP BY id_subsls, told_on
HAVING ({", ".join(f"sum(sign * {name})" for name in STREAM_COUNTS)}) <> ({", ".join("0" for _ in STREAM_COUNTS)})
"""

_TOTALS = f"""
INSERT INTO mart.stream_total (province, stream, id_subsls, night, {", ".join(STREAM_COUNTS)})
SELECT :province, d.stream, d.id_subsls, :night,
       {", ".join(f"coalesce(f.{name}, 0) + d.{name}" for name in STREAM_COUNTS)}
FROM (SELECT stream, id_subsls, {", ".join(f"sum({name}) AS {name}" for name in STREAM_COUNTS)} FROM mart.stream_day
      WHERE province = :province AND night = :night GROUP BY stream, id_subsls) d
LEFT JOIN LATERAL (
    SELECT * FROM mart.stream_total t
    WHERE t.province = :province AND t.stream = d.stream AND t.id_subsls = d.id_subsls AND t.night < :night
    ORDER BY t.night DESC LIMIT 1
) f ON true
"""
_PLACES = """
INSERT INTO mart.stream_place (province, stream, id_subsls)
SELECT DISTINCT province, stream, id_subsls FROM mart.stream_day WHERE province = :province AND night = :night
ON CONFLICT DO NOTHING
"""


def write_stream_days(connection: Connection, province: str, night: date) -> None:
    """Writes what ``night`` changed in the streams of ``province``, and totals; what an earlier try wrote goes.

    Those of every earlier night must stand.
    """
    own = {"province": province, "night": night, "before": night - timedelta(days=1), "zone": zone_of(province)}
    for table in ("stream_day", "stream_total"):
        connection.execute(text(f"DELETE FROM mart.{table} WHERE province = :province AND night = :night"), own)
    for stream, kind in MESSAGES.items():
        if not kind.counted.families:
            continue
        touched = _TOUCHED.format(key=", ".join(kind.key), dataset=stream, superseded=_SUPERSEDED_TONIGHT)
        if kind.of_families:
            touched += _OF_DOCUMENTS.format(key=", ".join(f"m.{column}" for column in kind.key), dataset=stream)
        connection.execute(text(f"CREATE TEMP TABLE touched ON COMMIT DROP AS {touched}"), own)
        connection.execute(text("ANALYZE touched"))
        now, before = (counted_messages(stream, "touched", name) for name in ("night", "before"))
        statement = _CHANGED.format(now=now, before=before)
        connection.execute(text(statement), own | {"stream": stream})
        connection.execute(text("DROP TABLE touched"))
    for statement in (_PLACES, _TOTALS):
        connection.execute(text(statement), own)


def counted_messages(stream: str, among: str = "", night: str = "night") -> str:
    """SQL: what each message of a stream counts as of a night, with its delivery, place and day.

    Parameters of the query: ``province``, ``zone`` (:func:`zone_of`) and ``night``, or as it is named.

    Args:
        among: a relation with the columns of the key; only its messages are counted.
    """
    kind = MESSAGES[stream]
    return _COUNTED.format(
        told_on=kind.told if kind.told_by_day else f"({kind.told} AT TIME ZONE :zone)::date",
        families=kind.counted.families,
        verified=kind.counted.verified or "0",
        poor=kind.counted.poor or "0",
        photographed=kind.counted.photographed or "0",
        without_document=_WITHOUT_DOCUMENT.format(night=night) if kind.of_families else "0",
        when=kind.counted.when or "TRUE",
        messages=newest_messages(stream, among, night),
    )


def zone_of(province: str) -> str:
    """The time zone that days of work in ``province`` are told in."""
    return str(ZoneInfo(province_of_code(province).timezone))
