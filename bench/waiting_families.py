"""What does it cost the alerts of a province to know who waits in quarantine, at two sizes of a national province?

The log, its pointers and reasons are generated in SQL: every family visited once over the nights of a window, some of
them in quarantine with two reasons. Run it by ``.venv/bin/python bench/waiting_families.py``; it starts a PostgreSQL of
its own and takes some minutes.
"""

import time
from datetime import date, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import typer
from rich.console import Console
from sqlalchemy import Engine, text

from growth import Server
from regsosek.alerts.conditions.province_figures import ProvinceFigures
from regsosek.alerts.conditions.thresholds import thresholds
from regsosek.alerts.persistence.waiting_families import with_waiting
from regsosek.geography.calendar import field_windows
from regsosek.local import stack
from regsosek.resources import open_resources
from regsosek.settings import load_settings
from regsosek.warehouse.database import analyse_cases
from regsosek.warehouse.migration import ensure_night_partitions, migrate

PROVINCE, OPENS, NIGHTS, DESA = "35", date(2022, 10, 15), 31, 8_500
LAST = OPENS + timedelta(days=NIGHTS - 1)
console = Console(width=110)

_PLACES = (
    """
INSERT INTO reference.region (code, level, name, parent_code, code_system, version, valid_from)
SELECT code, level, code, parent, 'bps', '1', '2022-01-01' FROM (
    SELECT :province AS code, 'provinsi' AS level, NULL AS parent
    UNION SELECT :province || lpad((n % 38)::text, 2, '0'), 'kabkota', :province FROM generate_series(1, 38) n
    UNION SELECT :province || lpad((n % 38)::text, 2, '0') || lpad(n::text, 6, '0'), 'desa',
                 :province || lpad((n % 38)::text, 2, '0') FROM generate_series(1, :desa) n) own
ON CONFLICT DO NOTHING
""",
    """
INSERT INTO reference.region_ancestor
SELECT r.code, a
FROM reference.region r CROSS JOIN LATERAL (VALUES (r.code), (left(r.code, 4)), (left(r.code, 2))) own (a)
WHERE left(r.code, 2) = :province GROUP BY 1, 2 ON CONFLICT DO NOTHING
""",
    """
INSERT INTO reference.subsls (province, id_subsls, valid_from, id_desa, name, kind, families_load, code_system, version)
SELECT :province, r.code || lpad(n::text, 4, '0'), '2022-01-01', r.code, 'SLS', 1, 100, 'bps', '1'
FROM reference.region r CROSS JOIN generate_series(1, 12) n WHERE r.level = 'desa' AND left(r.code, 2) = :province
""",
    """
INSERT INTO ledger.delivery (province, delivery_id, delivered_on, night, position, prefix, state, versions,
                             registered_at, instrument)
SELECT :province, 'd' || n, CAST(:opens AS date) + n, CAST(:opens AS date) + n, 0, 'p', 'accepted', '{}', now(),
       'REGSOSEK22.K'
FROM generate_series(0, :nights - 1) n
""",
)
# Families numbered from ``first``; each night brings as many.
_FAMILIES = """
INSERT INTO core.kasus (province, night, delivery_id, part, row_no, case_id, versi, rank_versi, produced_at,
                        content_hash, status, verdict, id_subsls, r109_no_bangunan, r110_no_keluarga, placed_code,
                        enumerated_on, members, persons, ppl)
SELECT :province, CAST(:opens AS date) + n % :nights, 'd' || n % :nights, 1, n, 'D-' || n, 1, 1, now(),
       sha256(n::text::bytea), CASE WHEN n % 50 = 0 THEN 'quarantined' ELSE 'loaded' END,
       CASE WHEN n % 50 = 0 THEN 'error' ELSE 'clean' END, s.id_subsls, n, 1, s.id_subsls,
       CAST(:opens AS date) + n % :nights, 3, 3, lpad((n / 20000)::text, 6, '0')
FROM generate_series(:first, :last) n
JOIN (SELECT id_subsls, row_number() OVER (ORDER BY id_subsls) AS place FROM reference.subsls) s
     ON s.place = 1 + n / 400 % 100000
"""
_POINTERS = """
INSERT INTO core.kasus_terkini (province, case_id, state, waiting, night, delivery_id, part, row_no, id_subsls,
                                r109_no_bangunan, r110_no_keluarga)
SELECT province, case_id, status, CASE WHEN status = 'quarantined' THEN status END, night, delivery_id, part, row_no,
       id_subsls, r109_no_bangunan, r110_no_keluarga
FROM core.kasus WHERE row_no BETWEEN :first AND :last
"""
_REASONS = """
INSERT INTO quality.reason (province, night, delivery_id, part, dataset, row_no, rule_id, severity, case_id)
SELECT province, night, delivery_id, part, 'keluarga', row_no, rule, 'critical', case_id
FROM core.kasus CROSS JOIN LATERAL (
    VALUES (CASE WHEN row_no % 500 = 0 THEN 'G03' ELSE 'H02' END), ('P0' || row_no % 9)) own (rule)
WHERE status = 'quarantined' AND row_no BETWEEN :first AND :last
"""


def bench(families: Annotated[int, typer.Option(help="Families of the larger size.")] = 4_000_000) -> None:
    """Fills a warehouse twice, asks at each size, and tells."""
    with TemporaryDirectory(prefix="regsosek-bench-") as place:
        try:
            started = stack.services_up(Path(place))
            with open_resources(load_settings({"REGSOSEK_ENV_FILE": str(started.environment_file)})) as resources:
                owner = resources.account("owner")
                migrate(owner)
                _places(owner)
                first = 1
                for last in (families // 4, families):
                    _fill(owner, first, last)
                    _measure(owner, last)
                    first = last + 1
        finally:
            stack.clean(Path(place))


def _places(owner: Engine) -> None:
    asked = {"province": PROVINCE, "opens": OPENS, "nights": NIGHTS, "desa": DESA}
    with owner.begin() as connection:
        for night in range(NIGHTS):
            ensure_night_partitions(connection, PROVINCE, OPENS + timedelta(days=night))
        for statement in _PLACES:
            connection.execute(text(statement), asked)


def _fill(owner: Engine, first: int, last: int) -> None:
    begun = time.monotonic()
    asked = {"province": PROVINCE, "opens": OPENS, "nights": NIGHTS, "first": first, "last": last}
    with owner.begin() as connection:
        for statement in (_FAMILIES, _POINTERS, _REASONS):
            connection.execute(text(statement), asked)
    with owner.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM ANALYZE core.kasus_terkini, quality.reason, reference.subsls"))
        connection.execute(text("ANALYZE reference.region, reference.region_ancestor, ledger.delivery"))
    with owner.begin() as connection:
        analyse_cases(connection, PROVINCE)
    console.print(f"filled in {time.monotonic() - begun:.0f} s")


def _measure(owner: Engine, families: int) -> None:
    window, server = field_windows()[PROVINCE], Server(owner)
    for night, what in ((LAST, "of the last night"), (LAST - timedelta(days=1), "of the night before, judged again")):
        figures = ProvinceFigures(PROVINCE, night, window, families, "published", 1.0, families)
        for _ in range(2):  # the second time the pages are in memory
            begun, spent = time.monotonic(), server.cpu()
            with owner.begin() as connection:
                found = with_waiting(connection, figures, thresholds())
            wall, cpu = time.monotonic() - begun, server.cpu() - spent
        told = f"{found.waiting.families:,} wait, {len(found.officers)} officers, {len(found.code_desa)} desa"
        console.print(f"{families:,} families, {what}: {cpu:.1f} CPU s, {wall:.1f} s; {told}")


if __name__ == "__main__":
    typer.run(bench)
