"""What a night changed has one cause each, and summed over nights the changes are the figures, whatever comes when."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from regsosek.geography.regions import NATION
from regsosek.night import replaying
from regsosek.night.discovery import applicable_rules
from regsosek.statistics.counts.changes import COUNTED_OF_CASE
from regsosek.statistics.counts.restatement import restated_by_cause
from regsosek.statistics.counts.totals import following_frame
from regsosek.statistics.definitions.as_of import AsOf
from regsosek.statistics.progress import refresh_missing
from regsosek.warehouse.cases.case_state import ALL_ACCEPTED, case_state_as_of
from regsosek.warehouse.tables import PROGRESS_MEASURES
from support.checks.matrix import examples
from support.deliveries.families import DESA, PROVINCE
from support.worlds.field_world import FEW_RULES, CompiledJudge, FieldWorld, family, faulty, withdrawal

NIGHT = date(2022, 10, 21)
NEXT = NIGHT + timedelta(days=1)
AT = datetime(2022, 10, 20, 12, tzinfo=UTC)
KEPT_RULES = FEW_RULES


def changes(world: FieldWorld, night: date) -> list[tuple[Any, ...]]:
    """Day, cause and the headline measures of what a night changed."""
    return world.rows(
        "SELECT enumerated_on, cause, visited, complete, quarantined, conflicting FROM mart.change "
        "WHERE night = :night ORDER BY 1, 2",
        night=night,
    )


@pytest.fixture
def enumerated(world: FieldWorld) -> date:
    """The day on which the made-up families are enumerated."""
    world.deliver(NIGHT, [family("X")], produced_at=AT)
    world.run(NIGHT)
    [(found,)] = world.rows("SELECT DISTINCT enumerated_on FROM core.kasus")
    world.fresh()
    assert isinstance(found, date)
    return found


def test_a_family_is_new_on_its_day_and_late_afterwards(world: FieldWorld, enumerated: date) -> None:
    at = datetime.combine(enumerated, datetime.min.time(), UTC) + timedelta(hours=12)
    world.deliver(enumerated, [family("A")], produced_at=at)
    world.run(enumerated)
    world.deliver(enumerated + timedelta(days=1), [family("B", number=2)], produced_at=at + timedelta(days=1))
    world.run(enumerated + timedelta(days=1))
    assert changes(world, enumerated) == [(enumerated, "new", 1, 1, 0, 0)]
    assert changes(world, enumerated + timedelta(days=1)) == [(enumerated, "late", 1, 1, 0, 0)]


def test_a_mended_a_withdrawn_and_a_contested_family_have_causes_of_their_own(
    world: FieldWorld, enumerated: date
) -> None:
    world.deliver(NIGHT, [faulty("A"), family("B", number=2), family("C", number=3)], produced_at=AT)
    world.run(NIGHT)
    later = AT + timedelta(hours=1)
    world.deliver(NIGHT, [family("A", 2), withdrawal("B", number=2), family("D", number=3)], produced_at=later)
    world.run(NEXT)
    assert changes(world, NEXT) == [
        (enumerated, "conflicting", -1, -1, 0, 1),
        (enumerated, "corrected", 0, 1, -1, 0),
        (enumerated, "late", 1, 1, 0, 0),
        (enumerated, "withdrawn", -1, -1, 0, 0),
    ]


def test_a_day_on_which_as_many_came_as_went_is_restated_all_the_same(world: FieldWorld, enumerated: date) -> None:
    """Else the late and the withdrawn of all days would not add up to those of the night."""
    world.deliver(NIGHT, [family("A"), family("B", number=2)], produced_at=AT)
    world.run(NIGHT)
    later = AT + timedelta(hours=1)
    world.deliver(NIGHT, [withdrawal("B", number=2), family("C", number=3)], produced_at=later)
    world.run(NEXT)
    now, before = (AsOf(night, {PROVINCE: night}) for night in (NEXT, NIGHT))
    with world.resources.engine.connect() as connection:
        told = restated_by_cause(connection, now, before).set_index(["code", "day"])
    columns = ["visited_before", "visited_now", "cause_late", "cause_withdrawn"]
    assert told[columns].to_dict("index") == {
        (code, enumerated): dict(zip(columns, (2, 2, 1, -1), strict=True)) for code in (PROVINCE, NATION)
    }


def test_a_superseding_delivery_is_the_cause_of_what_it_changes_and_leaves_out(
    world: FieldWorld, enumerated: date
) -> None:
    first = world.deliver(NIGHT, [family("A"), family("B", number=2)], produced_at=AT)
    world.run(NIGHT)
    later = AT + timedelta(hours=1)
    world.deliver(NIGHT, [faulty("A"), family("C", number=3)], produced_at=later, supersedes=[first])
    world.run(NEXT)
    assert changes(world, NEXT) == [
        (enumerated, "late", 1, 1, 0, 0),
        (enumerated, "superseded", -1, -1, 0, 0),
    ]


def recomputed(world: FieldWorld, night: date) -> list[tuple[Any, ...]]:
    """Place, day and all measures as of ``night`` from all cases of the log at once, without empty ones."""
    sums = ", ".join(f"sum({measure})::bigint" for measure in PROGRESS_MEASURES)
    return world.rows(
        f"WITH states AS ({case_state_as_of('night', ALL_ACCEPTED)}), "
        f"counted AS (SELECT placed_code, enumerated_on, {COUNTED_OF_CASE} FROM states) "
        f"SELECT placed_code, enumerated_on, {sums} FROM counted GROUP BY 1, 2 "
        f"HAVING ({sums}) <> ({', '.join('0' for _ in PROGRESS_MEASURES)}) ORDER BY 1, 2",
        province=PROVINCE,
        night=night,
    )


def summed(world: FieldWorld, night: date) -> list[tuple[Any, ...]]:
    """The same from the changes of the nights up to ``night``."""
    sums = ", ".join(f"sum({measure})::bigint" for measure in PROGRESS_MEASURES)
    return world.rows(
        f"SELECT placed_code, enumerated_on, {sums} FROM mart.change WHERE night <= :night GROUP BY 1, 2 "
        f"HAVING ({sums}) <> ({', '.join('0' for _ in PROGRESS_MEASURES)}) ORDER BY 1, 2",
        night=night,
    )


def totals(world: FieldWorld, night: date, code: str, *, placed: bool) -> list[tuple[Any, ...]]:
    measures = ", ".join(PROGRESS_MEASURES)
    return world.rows(
        f"SELECT {measures} FROM mart.total WHERE code = :code AND placed = :placed AND night <= :night "
        "ORDER BY night DESC LIMIT 1",
        code=code,
        placed=placed,
        night=night,
    )


def require_the_law(world: FieldWorld, nights: Sequence[date]) -> None:
    """Changes, totals of places and regions and days are all the figures that the log gives."""
    for night in nights:
        known = recomputed(world, night)
        assert summed(world, night) == known
        whole = tuple(map(sum, zip(*(row[2:] for row in known), strict=True))) or (0,) * len(PROGRESS_MEASURES)
        for code in (DESA, PROVINCE):
            assert (totals(world, night, code, placed=False) or [(0,) * len(whole)])[0] == whole
        for place in {row[0] for row in known}:
            own = tuple(map(sum, zip(*(row[2:] for row in known if row[0] == place), strict=True)))
            assert totals(world, night, place, placed=True) == [own]
        days = world.rows(
            "SELECT sum(visited)::bigint FROM (SELECT DISTINCT ON (enumerated_on) visited FROM mart.province_day "
            "WHERE night <= :night ORDER BY enumerated_on, night DESC) d",
            night=night,
        )
        assert (days[0][0] or 0) == whole[0]


KINDS = ("clean", "other", "faulty", "withdrawn", "moved")
SENT = st.tuples(st.sampled_from("ABC"), st.integers(1, 3), st.sampled_from(KINDS))
DELIVERIES = st.lists(
    st.tuples(
        st.integers(0, 2),  # the night
        st.lists(SENT, min_size=1, max_size=3, unique_by=lambda sent: sent[0]),
        st.booleans(),  # supersedes the delivery before it
        st.integers(0, 9),  # minutes of its making
    ),
    min_size=2,
    max_size=5,
)


def sent(document: str, versi: int, kind: str) -> Any:
    number = "ABC".index(document) + 1
    match kind:
        case "clean":
            return family(document, versi, number=number)
        case "other":
            return family(document, versi, number=number, r205_hasil="1", r302_luas_lantai="99")
        case "faulty":
            return faulty(document, versi, number=number)
        case "moved":
            return family(document, versi, number=5, id_subsls=DESA + "000200")
    return withdrawal(document, versi, number=number)


@settings(max_examples=examples(4), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(deliveries=DELIVERIES, reopened=st.lists(SENT, max_size=2, unique_by=lambda sent: sent[0]))
def test_the_changes_of_all_nights_are_the_figures(
    prepared: FieldWorld, deliveries: list[Any], reopened: list[Any]
) -> None:
    world, nights, former = prepared.fresh(), [NIGHT + timedelta(days=n) for n in range(3)], None
    for number, night in enumerate(nights):
        for of_night, messages, supersedes, minutes in deliveries:
            if of_night == number:
                former = world.deliver(
                    night,
                    [sent(*message) for message in messages],
                    produced_at=AT + timedelta(minutes=minutes),
                    supersedes=[former] if supersedes and former else [],
                )
        world.run(night)
    require_the_law(world, nights)
    if reopened:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(applicable_rules, "Judge", CompiledJudge)
            patch.setattr(replaying, "load_suites", lambda _: world.suites)
            world.deliver(NIGHT, [sent(*each) for each in reopened], produced_at=AT + timedelta(minutes=5))
            replaying.reopen(world.resources, PROVINCE, NIGHT, "the courier was late")
        require_the_law(world, nights)


def every_total(world: FieldWorld) -> list[tuple[Any, ...]]:
    return world.rows("SELECT * FROM mart.total ORDER BY province, code, placed, night")


OTHER_DESA = DESA[:-3] + "003"


@pytest.fixture
def three_nights(world: FieldWorld) -> FieldWorld:
    """Families of both sub-SLS come, are mended, and one is withdrawn."""
    far = {"id_subsls": DESA + "000200"}
    world.deliver(NIGHT, [family("A"), faulty("B", number=2, **far)], produced_at=AT)
    world.run(NIGHT)
    world.deliver(NEXT, [family("B", 2, number=2, **far), family("C", number=3)], produced_at=AT + timedelta(hours=1))
    world.run(NEXT)
    world.deliver(NEXT + timedelta(days=1), [withdrawal("A")], produced_at=AT + timedelta(hours=2))
    world.run(NEXT + timedelta(days=1))
    return world


def test_a_place_that_the_frame_moves_takes_all_its_nights_along(three_nights: FieldWorld) -> None:
    world = three_nights
    before = every_total(world)
    move = "UPDATE reference.subsls SET id_desa = :desa WHERE id_subsls = :place"
    try:
        for desa in (OTHER_DESA, DESA):
            with world.resources.engine.begin() as connection, following_frame(connection):
                connection.execute(text(move), {"desa": desa, "place": DESA + "000200"})
            if desa != DESA:
                moved = world.rows(
                    "SELECT night, visited, complete FROM mart.total WHERE code = :desa AND NOT placed ORDER BY 1",
                    desa=desa,
                )
                assert moved == [(NIGHT, 1, 0), (NEXT, 1, 1)]
                assert totals(world, NEXT, DESA, placed=False)[0][0] == 2
                assert totals(world, NEXT, PROVINCE, placed=False)[0][0] == 3
    finally:
        with world.resources.engine.begin() as connection:
            connection.execute(text(move), {"desa": DESA, "place": DESA + "000200"})
    assert every_total(world) == before


def test_nights_whose_changes_are_missing_are_computed_from_the_log(three_nights: FieldWorld) -> None:
    world = three_nights
    written = [every_total(world), world.rows("SELECT * FROM mart.change ORDER BY 1, 2, 3, 4, 5")]
    with world.resources.engine.begin() as connection:
        for table in ("change", "total", "province_day", "arrivals", "province_arrivals", "placement"):
            connection.execute(text(f"DELETE FROM mart.{table}"))
        refresh_missing(connection, PROVINCE)
    assert [every_total(world), world.rows("SELECT * FROM mart.change ORDER BY 1, 2, 3, 4, 5")] == written
