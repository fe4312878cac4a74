"""How long does the trail of one case take among ten million entries, and what does an entry cost a page?

The entries are generated in SQL; those of the case that is asked for are made as pages make them. Run it by
``.venv/bin/python bench/access_trail.py``; it starts a PostgreSQL of its own and takes some minutes.
"""

import time
from collections.abc import Callable
from datetime import date
from functools import partial
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Annotated

import typer
from rich.console import Console
from sqlalchemy import Engine, SmallInteger, text

from regsosek.local import stack
from regsosek.privacy.trail.access_trail import Access, AccessTrail, case_key
from regsosek.privacy.trail.person_trail import cases_of_number, trail_of_case
from regsosek.resources import open_resources
from regsosek.settings import load_settings
from regsosek.warehouse.migration import ensure_night_partitions, migrate
from regsosek.warehouse.tables import core_tables

NIGHT, PROVINCE, CASE, A_PAGE, ROUNDS = date(2022, 10, 26), "35", "D-4711", 100, 9
console = Console(width=110)

_CASES = """
INSERT INTO core.kasus (province, night, delivery_id, part, row_no, case_id, versi, rank_versi, produced_at,
                        content_hash, status, placed_code, enumerated_on, members, persons)
SELECT :province, '2022-10-26', 'd' || n / 50000, 1, n, 'D-' || n, 1, 1, now(),
       'h', 'loaded', '3578', '2022-10-26', 3, 3
FROM generate_series(1, :cases) AS n
"""
_ACCESSES = """
INSERT INTO ledger.access (id, at, account, role, provinces, way, told, reason, key_id, transaction)
SELECT gen_random_uuid(), now() - n * interval '2 minutes', 'a' || n % 500, 'province', ARRAY[:province],
       CASE WHEN n % 50 = 0 THEN 'sql' ELSE 'portal_quarantine' END, '', '', 'none', 1
FROM generate_series(1, :accesses) AS n
"""
_NAMED = """
INSERT INTO ledger.access_case
SELECT :province, substr(sha256(convert_to((random() * 7000000)::int::text, 'UTF8')), 1, 16), a.id
FROM ledger.access a CROSS JOIN generate_series(1, :each) ON CONFLICT DO NOTHING
"""


def bench(entries: Annotated[int, typer.Option(help="Entries of the trail that name a case.")] = 10_000_000) -> None:
    """Fills a warehouse, asks, and tells."""
    with TemporaryDirectory(prefix="regsosek-bench-") as place:
        root = Path(place)
        try:
            started = stack.services_up(root)
            with open_resources(load_settings({"REGSOSEK_ENV_FILE": str(started.environment_file)})) as resources:
                migrate(resources.account("owner"))
                owner, key = resources.account("owner"), resources.settings.trail_secret
                _members(owner)
                _fill(owner, entries)
                _measure(owner, AccessTrail(resources.loader, key), key)
        finally:
            stack.clean(root)


def _members(owner: Engine) -> None:
    """A million members with an answer in every column of codes, as wide as those of a night."""
    with owner.begin() as connection:
        ensure_night_partitions(connection, PROVINCE, NIGHT)
        for dataset, statement in _MEMBERS.items():
            coded = [column.name for column in core_tables[dataset].columns if isinstance(column.type, SmallInteger)]
            values = {"names": ", ".join(coded), "ones": ", ".join("1" for _ in coded)}
            connection.execute(text(statement.format(**values)), {"province": PROVINCE, "night": NIGHT})
            connection.execute(text(f"ANALYZE core.{dataset}"))
    with owner.connect() as connection:
        spent = _median(lambda: cases_of_number(connection, (b"k" * 32,), PROVINCE, "nik", "3578010101800001"))
        console.print(f"cases of a NIK among a million members: {spent:.2f} s")


_MEMBERS = {
    "keluarga": """
INSERT INTO core.keluarga (province, night, delivery_id, part, row_no, id_dokumen, id_subsls, {names})
SELECT :province, :night, '01GFXSW8NRBS0EM6BMJYBGA6ZF', 1, n, 'D-' || n, '3578010001000100', {ones}
FROM generate_series(0, 333333) AS n
""",
    "anggota": """
INSERT INTO core.anggota (province, night, delivery_id, part, row_no, keluarga_row, id_dokumen, id_subsls,
                          nik_hash, {names})
SELECT :province, :night, '01GFXSW8NRBS0EM6BMJYBGA6ZF', 1, n, n / 3, 'D-' || n / 3, '3578010001000100',
       substr(sha256(convert_to(n::text, 'UTF8')), 1, 16), {ones}
FROM generate_series(1, 1000000) AS n
""",
}


def _fill(owner: Engine, entries: int) -> None:
    for statement, values in (
        (_CASES, {"cases": 1_000_000}),
        (_ACCESSES, {"accesses": entries // A_PAGE}),
        (_NAMED, {"each": A_PAGE}),
    ):
        begun = time.monotonic()
        with owner.begin() as connection:
            connection.execute(text(statement), {"province": PROVINCE, **values})
        console.print(f"filled in {time.monotonic() - begun:.0f} s")
    with owner.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM ANALYZE ledger.access, ledger.access_case, core.kasus"))
        sizes = connection.execute(text(_SIZES)).one()
        console.print(f"{sizes.entries:,} entries: {sizes.bytes / 1e9:.2f} GB with indexes")


_SIZES = """
SELECT (SELECT count(*) FROM ledger.access_case) AS entries,
       pg_total_relation_size('ledger.access_case') + pg_total_relation_size('ledger.access') AS bytes
"""


def _measure(owner: Engine, trail: AccessTrail, key: bytes) -> None:
    access = Access("bench", "province", (PROVINCE,), "portal_quarantine")
    for cases in (1, A_PAGE, 10 * A_PAGE):
        named = [CASE, *(f"D-{n}" for n in range(cases - 1))]
        spent = _median(partial(trail.enter, access, PROVINCE, named))
        console.print(f"entry of {cases:5,} cases: {spent * 1000:.1f} ms")
    with owner.connect() as connection:
        found = trail_of_case(connection, [key], PROVINCE, CASE)
        spent = _median(lambda: trail_of_case(connection, [key], PROVINCE, CASE))
        console.print(f"trail of one case: {spent * 1000:.0f} ms, {len(found.accesses):,} accesses")
        asked = {"province": PROVINCE, "key": case_key(key, PROVINCE, CASE)}
        for line in connection.execute(text(f"EXPLAIN (ANALYZE, BUFFERS, TIMING OFF) {_ONE}"), asked).scalars():
            console.print(line)


_ONE = """
SELECT a.at FROM ledger.access_case c JOIN ledger.access a ON a.id = c.access_id
WHERE c.province = :province AND c.case_key = :key
"""


def _median(step: Callable[[], object]) -> float:
    seconds = []
    for _ in range(ROUNDS):
        begun = time.monotonic()
        step()
        seconds.append(time.monotonic() - begun)
    return median(seconds)


if __name__ == "__main__":
    typer.run(bench)
