"""What a night costs the warehouse, in rows that PostgreSQL works through: never more than in proportion.

Autovacuum is off: what a plan rests on must be there when the statement runs, whether or not a minute has passed.
"""

import re
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import text

from regsosek.release.publish import publish
from support.checks.counted_work import counted_work
from support.worlds.field_world import FEW_RULES, FieldWorld, family

KEPT_RULES = FEW_RULES
TABLES_ALONE = True
NIGHT = date(2022, 10, 21)
PRODUCED = datetime(2022, 10, 21, 12, tzinfo=UTC)
SMALL, GROWTH = 300, 4
# What a statement may cost more than in proportion: a plan changes where that is cheaper.
SLACK = 1.5
# Statements of fewer rows say nothing about growth.
ROWS_THAT_COUNT = 5_000


@pytest.fixture
def unattended(world: FieldWorld) -> Iterator[FieldWorld]:
    """A warehouse whose tables are empty and have no statistics, and of which autovacuum never takes any."""
    with world.resources.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("ALTER SYSTEM SET autovacuum = off"))
        connection.execute(text("SELECT pg_reload_conf()"))
        yield world
        connection.execute(text("ALTER SYSTEM RESET autovacuum"))
        connection.execute(text("SELECT pg_reload_conf()"))


def forget_statistics(world: FieldWorld) -> None:
    with world.resources.engine.begin() as connection:
        connection.execute(
            text(
                "SELECT pg_clear_relation_stats(schemaname, tablename), "
                "       (SELECT count(pg_clear_attribute_stats(schemaname, tablename, s.attname, false)) "
                "        FROM pg_stats s WHERE (s.schemaname, s.tablename) = (t.schemaname, t.tablename)) "
                "FROM pg_tables t WHERE schemaname IN ('ledger', 'core', 'stream', 'quality', 'mart', 'release')"
            )
        )


def deliver(world: FieldWorld, first: int, families: int, night: date = NIGHT) -> None:
    news = [family(f"D{n}", number=n) for n in range(first, first + families)]
    world.deliver(night, news, produced_at=PRODUCED + (night - NIGHT))


def first_night(world: FieldWorld, families: int) -> Counter[str]:
    """What the first night of a province with ``families`` cost, from its delivery to the release."""
    forget_statistics(world)
    deliver(world, 1, families)
    with counted_work() as work:
        world.run(NIGHT)
        publish(world.resources.publisher, world.resources.store, world.resources.settings, NIGHT)
    assert [len(world.cases()), {state for _, state, *_ in world.cases()}] == [families, {"loaded"}]
    return work


def test_a_first_night_works_in_proportion_to_what_it_brings(unattended: FieldWorld) -> None:
    small = first_night(unattended, SMALL)
    large = first_night(unattended.fresh(), SMALL * GROWTH)
    steeper = {
        statement: (small[statement], rows)
        for statement, rows in large.items()
        if rows > max(ROWS_THAT_COUNT, small[statement] * GROWTH * SLACK)
    }
    assert not steeper


def test_recognising_a_part_reads_the_cases_it_asks_for_and_not_the_log(unattended: FieldWorld) -> None:
    first_night(unattended, SMALL * GROWTH)
    asked = 20
    deliver(unattended, SMALL * GROWTH, asked, NIGHT + timedelta(days=1))
    with counted_work() as work:
        unattended.run(NIGHT + timedelta(days=1))
    [recognised] = [rows for statement, rows in work.items() if re.search("(FROM|JOIN) asked", statement)]
    assert 0 < recognised < SMALL
