"""What a night may take up, and a sealed one that is opened again: what it writes into journal and seal."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from regsosek.errors import TooManyDeliveriesError
from regsosek.landing.archive import read_seal
from regsosek.night.discovery.sealing import reopen_night
from support.deliveries.families import PROVINCE
from support.worlds.field_world import FEW_RULES, FieldWorld, family

KEPT_RULES = FEW_RULES
NIGHT = date(2022, 10, 21)
AT = datetime(2022, 10, 20, 12, tzinfo=UTC)


def test_a_reopening_that_was_killed_and_is_repeated_stands_once_in_journal_and_seal(world: FieldWorld) -> None:
    world.deliver(NIGHT, [family("A")], produced_at=AT)
    world.run(NIGHT)
    world.deliver(NIGHT, [family("B", number=2)], produced_at=AT + timedelta(hours=1))
    for _ in range(3):  # each try is killed before the night is received again
        reopen_night(world.resources, PROVINCE, NIGHT, world.suites, "manifest came late")
    world.run(NIGHT)
    reopen_night(world.resources, PROVINCE, NIGHT, world.suites, "the office calls")
    journal = world.rows("SELECT detail FROM ledger.event WHERE kind = 'reopened' ORDER BY id")
    assert [(each["reason"], each["new"]) for (each,) in journal] == [
        ("manifest came late", 1),
        ("the office calls", 0),
    ]
    seal = read_seal(world.resources.store, world.resources.settings.archive_bucket, province=PROVINCE, night=NIGHT)
    assert seal is not None and [each.new for each in seal.reopened] == [1, 0]


def test_a_producer_that_runs_wild_stops_its_own_province_at_once_and_nothing_of_it_is_sealed(
    world: FieldWorld,
) -> None:
    for number in range(1, 4):
        world.deliver(NIGHT, [family(f"D{number}", number=number)], produced_at=AT + timedelta(hours=number))
    plain = world.resources
    world.resources = replace(plain, settings=plain.settings.model_copy(update={"most_deliveries": 2}))
    with pytest.raises(TooManyDeliveriesError, match=f"province {PROVINCE} has 3 new deliveries .*MOST_DELIVERIES"):
        world.run(NIGHT)
    assert read_seal(plain.store, plain.settings.archive_bucket, province=PROVINCE, night=NIGHT) is None
    assert world.rows("SELECT 1 FROM ledger.delivery") == []
    world.resources = replace(plain, settings=plain.settings.model_copy(update={"most_deliveries": 3}))
    world.run(NIGHT)
    assert world.rows("SELECT count(*) FROM ledger.delivery WHERE state = 'accepted'") == [(3,)]
