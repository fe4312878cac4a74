"""Rows that PostgreSQL works through for each statement of ours, counted by ``EXPLAIN (ANALYZE)``.

Counted rows are the same on every machine and under every load; seconds are not. A nested loop that compares every row
with every other shows as rows that a filter removed.
"""

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, event

from regsosek.warehouse.cases import recognition, stream_loading
from regsosek.warehouse.database import copy_out

_EXPLAINED = re.compile(r"\s*(WITH|SELECT|INSERT|UPDATE|DELETE|CREATE TEMP TABLE \w+ ON COMMIT DROP AS)\b")
# A list of literal rows; and the names of nights and deliveries that a statement may carry in its text.
_VARYING = re.compile(r"'[^']*'|\d+")
_REMOVED = ("Rows Removed by Filter", "Rows Removed by Join Filter", "Rows Removed by Index Recheck")


@contextmanager
def counted_work() -> Iterator[Counter[str]]:
    """Counts what each statement of ``engine`` works through inside, by its text without literals.

    A statement that writes is explained behind a savepoint and taken back, then runs as ever. So is what COPY brings
    out of the log.
    """
    work: Counter[str] = Counter()

    def count(connection: Connection, statement: str, parameters: Any = None) -> None:
        work[_VARYING.sub("?", statement)] += _rows_of(connection, statement, parameters)

    def explain(
        connection: Connection, _cursor: Any, statement: str, parameters: Any, _context: Any, many: bool
    ) -> None:
        if _EXPLAINED.match(statement) and not many:
            count(connection, statement, parameters)

    def explained_copy_out(connection: Connection, query: str, path: Path) -> None:
        count(connection, query)
        copy_out(connection, query, path)

    event.listen(Engine, "before_cursor_execute", explain)
    with pytest.MonkeyPatch.context() as patch:
        for room in (recognition, stream_loading):
            patch.setattr(room, "copy_out", explained_copy_out)
        try:
            yield work
        finally:
            event.remove(Engine, "before_cursor_execute", explain)


def _rows_of(connection: Connection, statement: str, parameters: Any) -> int:
    driver = connection.connection.driver_connection
    assert driver is not None
    if driver.autocommit:
        return 0
    with driver.cursor() as cursor:
        cursor.execute("SAVEPOINT explained")
        cursor.execute("EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) " + statement, parameters)
        [(plan,)] = cursor.fetchall()
        cursor.execute("ROLLBACK TO SAVEPOINT explained")
        cursor.execute("RELEASE SAVEPOINT explained")
    return sum(_rows_of_node(each["Plan"]) for each in (json.loads(plan) if isinstance(plan, str) else plan))


def _rows_of_node(node: Mapping[str, Any]) -> int:
    rows = node.get("Actual Rows", 0) + sum(node.get(kind, 0) for kind in _REMOVED)
    return round(rows * node.get("Actual Loops", 0)) + sum(_rows_of_node(each) for each in node.get("Plans", ()))
