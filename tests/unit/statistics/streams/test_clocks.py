"""A stream's own clock: what it has told everything about, and what it has not reported yet."""

from datetime import date, timedelta

from regsosek.contract.instruments import instruments
from regsosek.simulation.field.campaign import default_behaviour
from regsosek.statistics.streams.clocks import Clock, reported_through, streams

NIGHT = date(2022, 11, 1)


def test_a_day_is_reported_once_the_last_delivery_is_that_many_days_later() -> None:
    clock = Clock(NIGHT - timedelta(days=9), NIGHT - timedelta(days=2), 5)
    assert (clock.through, clock.lag(NIGHT)) == (NIGHT - timedelta(days=7), 2)


def test_no_day_before_the_field_work_began_is_complete() -> None:
    clock = Clock(NIGHT, NIGHT, 14)
    assert clock.complete_through(NIGHT - timedelta(days=14)) == NIGHT - timedelta(days=14)
    assert clock.complete_through(NIGHT - timedelta(days=13)) is None


def test_streams_are_compared_up_to_the_one_that_lags_most() -> None:
    clocks = {"k": Clock(NIGHT, NIGHT, 14), "progres": Clock(NIGHT, NIGHT - timedelta(days=12), 5)}
    assert reported_through(clocks, ("k", "progres")) == NIGHT - timedelta(days=17)
    assert reported_through(clocks, ("k", "geotag")) is None
    assert reported_through(clocks, ()) is None


def test_every_instrument_has_a_clock_and_waits_as_long_as_the_field_may() -> None:
    assert {stream.instrument for stream in streams().values()} == {each.instrument for each in instruments()}
    shape, enumeration = default_behaviour().streams, default_behaviour().enumeration
    weekend = 5
    assert streams()["k"].grace_days >= enumeration.sync_days_at_most
    assert streams()["progres"].grace_days > shape.report_days_at_most
    assert streams()["geotag"].grace_days > shape.tag_days_at_most
    assert streams()["rekap_vk"].grace_days > shape.recap_days_at_most + weekend + shape.verified_within
