"""The compute engine itself: what a release of it must not do."""

from pathlib import Path

from regsosek.staging.engine import open_engine

ROWS, COLUMNS = 30_000, 140


def test_wide_rows_survive_filter_join_and_unnest(tmp_path: Path) -> None:
    # DuckDB 2.0.0 ended here with an internal error, and with it a province's night: the split of what could not be
    # typed has this shape, many columns with few different values.
    columns = range(COLUMNS)
    values = ", ".join(
        f"CASE WHEN hash(i * {7 * c + 3}) % {(7, 50, 500, 3000)[c % 4]} = 0 "
        f"THEN 'x' || hash(i * {c + 11}) % 5 END AS u{c}"
        for c in columns
    )
    listed = ", ".join(f"{{'variable': 'u{c}', 'value': t.u{c}}}" for c in columns)
    some = " OR ".join(f"t.u{c} IS NOT NULL" for c in columns)
    unnested = f"SELECT t.row_no, unnest([{listed}]) AS u FROM t JOIN c USING (row_no) WHERE c.loaded AND ({some})"
    query = f"SELECT row_no, u.variable, u.value FROM ({unnested}) WHERE u.value IS NOT NULL"
    copied = tmp_path / "values.csv"
    with open_engine(tmp_path, memory_limit="1500MB", threads=2) as duck:
        duck.execute(f"CREATE TABLE t AS SELECT i AS row_no, {values} FROM range({ROWS}) r(i)")
        duck.execute(f"CREATE TABLE c AS SELECT i AS row_no, hash(i) % 5 > 0 AS loaded FROM range({ROWS}) r(i)")
        duck.execute(f"COPY ({query} UNION ALL {query}) TO '{copied}' (FORMAT csv, HEADER)")
        counted = " + ".join(f"count(t.u{c})" for c in columns)
        [(once,)] = duck.execute(f"SELECT {counted} FROM t JOIN c USING (row_no) WHERE c.loaded").fetchall()
    assert len(copied.read_text().splitlines()) == 1 + 2 * once
