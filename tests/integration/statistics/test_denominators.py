"""What is planned, newly found and verified, from the warehouse: sub-SLS, splits, lists entered in part."""

from collections.abc import Iterator
from datetime import date, timedelta
from functools import partial
from typing import Any

import pandas as pd
import pytest
from sqlalchemy import delete, insert

from regsosek.geography.calendar import field_windows
from regsosek.geography.planning import planning
from regsosek.geography.region_targets import NO_TARGETS
from regsosek.geography.regions import NATION
from regsosek.release.figures.changes import changes_since
from regsosek.release.figures.figures import gather
from regsosek.release.figures.imprint import read_imprint
from regsosek.statistics.counts.totals import write_totals
from regsosek.statistics.counts.tree import completion
from regsosek.statistics.definitions.as_of import AsOf
from regsosek.statistics.measures.denominators import SUMS, with_denominators
from regsosek.warehouse.tables import change as change_table
from regsosek.warehouse.tables import psls, subsls, verified
from support.deliveries.families import DESA, PROVINCE, SUBSLS
from support.worlds.field_world import FieldWorld

OPENS = date(2022, 10, 15)
NIGHT = OPENS + timedelta(days=9)
SECOND, SPLIT, PARTS = DESA + "000200", DESA + "000300", (DESA + "000301", DESA + "000302")
KABKOTA = DESA[:4]
KEPT_RULES = ("C-303",)


@pytest.fixture
def counted(world: FieldWorld) -> Iterator[FieldWorld]:
    """The world's two sub-SLS of 60 families, and a third of 40 that is split into halves on day 6."""
    day = OPENS + timedelta(days=5)
    rows = [frame(SPLIT, 40, ends=day - timedelta(days=1)), *(frame(part, 20, begins=day) for part in PARTS)]
    with world.resources.engine.begin() as connection:
        connection.execute(insert(subsls), rows)
        connection.execute(insert(psls), [change(part, day) for part in PARTS])
    yield world
    with world.resources.engine.begin() as connection:
        connection.execute(delete(subsls).where(subsls.c.id_subsls.in_([SPLIT, *PARTS])))
        connection.execute(delete(psls))


def frame(code: str, load: int, begins: date = date(2022, 1, 1), ends: date | None = None) -> dict[str, Any]:
    return {
        "province": PROVINCE, "id_subsls": code, "valid_from": begins, "valid_to": ends, "id_desa": DESA, "name": "RT",
        "kind": 1, "families_load": load, "code_system": "BPS", "version": "2022-10-01",
    }  # fmt: skip


def change(part: str, day: date) -> dict[str, Any]:
    return {"province": PROVINCE, "id_subsls_lama": SPLIT, "id_subsls_baru": part, "status": 1, "valid_from": day,
            "version": "2022-10-01"}  # fmt: skip


def visits(world: FieldWorld, **by_place: int) -> None:
    rows = [
        {"province": PROVINCE, "placed_code": code.removeprefix("_"), "enumerated_on": OPENS + timedelta(days=3),
         "night": NIGHT - timedelta(days=1), "cause": "late", "visited": number, "complete": number}
        for code, number in by_place.items()
    ]  # fmt: skip
    with world.resources.engine.begin() as connection:
        connection.execute(insert(change_table), rows)
        write_totals(connection, PROVINCE, NIGHT - timedelta(days=1))


def lists(world: FieldWorld, night: date, code: str, families: int | None, *, not_found: bool = False) -> None:
    values = {"province": PROVINCE, "id_subsls": code, "night": night, "families": families, "not_found": not_found}
    with world.resources.engine.begin() as connection:
        connection.execute(insert(verified), [values | {"delivery_id": "D"}])


def regions(world: FieldWorld, night: date = NIGHT) -> pd.DataFrame:
    with world.resources.engine.connect() as connection:
        as_of = AsOf(night, {PROVINCE: night})
        found = with_denominators(connection, as_of, field_windows(), completion(connection, as_of), NO_TARGETS)
    return found.set_index("code")


def test_families_beyond_the_opening_load_and_in_unplanned_places_are_newly_found(counted: FieldWorld) -> None:
    visits(counted, **{SUBSLS: 75, SECOND: 10, f"_{DESA[:7]}": 4})
    found = regions(counted)
    # 15 beyond the load of 60, and 4 that could be placed no lower than the kecamatan
    for code in (DESA[:7], KABKOTA, PROVINCE, NATION):
        assert found.loc[code, ["prelist_families", "found_families", "visited"]].tolist() == [160, 19, 89], code
    assert found.loc[DESA, ["prelist_families", "found_families"]].tolist() == [160, 15]


def test_the_halves_of_a_split_are_counted_with_what_they_came_from(counted: FieldWorld) -> None:
    visits(counted, **{SPLIT: 10, PARTS[0]: 15, PARTS[1]: 12, DESA: 3})
    assert regions(counted).loc[DESA, "found_families"] == 0  # 40 in all, as planned
    visits(counted, **{SECOND: 61})
    assert regions(counted).loc[DESA, "found_families"] == 1


def test_what_related_places_have_beyond_their_load_is_told_of_each_family_once(counted: FieldWorld) -> None:
    visits(counted, **{SPLIT: 30, PARTS[0]: 15, PARTS[1]: 12})
    assert regions(counted).loc[DESA, "found_families"] == 57 - 40


def test_sls_visited_may_pass_those_that_were_planned(counted: FieldWorld) -> None:
    new = DESA + "000900"
    with counted.resources.engine.begin() as connection:
        connection.execute(insert(subsls), [frame(new, 30, begins=OPENS + timedelta(days=2))])
    visits(counted, **{SUBSLS: 1, SECOND: 1, PARTS[0]: 1, PARTS[1]: 1, new: 1})
    found = regions(counted).loc[DESA]
    with counted.resources.engine.begin() as connection:
        connection.execute(delete(subsls).where(subsls.c.id_subsls == new))
    assert (found["sls_visited"], found["sls_target"]) == (4, 3)  # two halves are one SLS
    assert found["last_day"] == OPENS + timedelta(days=3)


def test_the_last_day_moves_with_a_corrected_date_though_no_figure_changes(counted: FieldWorld) -> None:
    visits(counted, **{SUBSLS: 2})
    moved = {"province": PROVINCE, "placed_code": SUBSLS, "night": NIGHT, "cause": "corrected"}
    with counted.resources.engine.begin() as connection:
        for day, number in ((3, -2), (1, 2)):
            values = {"enumerated_on": OPENS + timedelta(days=day), "visited": number, "complete": number}
            connection.execute(insert(change_table), [moved | values])
        write_totals(connection, PROVINCE, NIGHT)
    assert regions(counted, NIGHT - timedelta(days=1)).loc[DESA, "last_day"] == OPENS + timedelta(days=3)
    assert regions(counted).loc[DESA, "last_day"] == OPENS + timedelta(days=1)


def test_a_list_counts_from_its_night_on_and_only_where_it_is_entered(counted: FieldWorld) -> None:
    visits(counted, **{SUBSLS: 30, SECOND: 50})
    lists(counted, NIGHT - timedelta(days=1), SUBSLS, 40)
    lists(counted, NIGHT, SUBSLS, 45)
    lists(counted, NIGHT, SECOND, None)
    lists(counted, NIGHT, PARTS[0], None, not_found=True)
    columns = ["subsls_frame", "subsls_verified", "verified_families", "visited_where_verified"]
    assert regions(counted, NIGHT - timedelta(days=1)).loc[KABKOTA, columns].tolist() == [4, 1, 40, 30]
    tonight = regions(counted).loc[KABKOTA]
    assert tonight[columns].tolist() == [4, 2, 45, 30]  # told as not found is entered, and holds nobody
    assert tonight["verified_version"] == NIGHT


def test_everything_adds_up_the_tree(counted: FieldWorld) -> None:
    visits(counted, **{SUBSLS: 75, PARTS[0]: 30, f"_{DESA[:7]}": 4, f"_{PROVINCE}": 2})
    lists(counted, NIGHT, SUBSLS, 40)
    found = regions(counted)
    for level, own in (("nasional", 0), ("provinsi", 2), ("kabkota", 0), ("kecamatan", 4)):
        upper = found[found["level"] == level]
        below = found.groupby("parent_code")[list(SUMS)].sum().reindex(upper.index, fill_value=0)
        rest = (upper[list(SUMS)] - below).sum()
        assert rest["found_families"] == own, level
        assert rest.drop("found_families").eq(0).all(), level


def test_a_night_is_gathered_with_pace_and_floor(counted: FieldWorld) -> None:
    visits(counted, **{SUBSLS: 48, SECOND: 24})
    as_of = AsOf(NIGHT, {PROVINCE: NIGHT})
    with counted.resources.engine.connect() as connection:
        store, bucket = counted.resources.store, counted.resources.settings.release_bucket
        changes_of = partial(changes_since, connection, store, bucket, None)
        planned = planning(counted.resources.settings)
        figures = gather(connection, as_of, as_of.night_before(), changes_of, planned, {}, read_imprint(None))
    row = figures.region(KABKOTA)
    assert (row["plan_base"], row["plan_base_families"], row["plan_families"]) == ("kerangka", 160, 64)
    assert (row["gap_families"], row["days_behind"], row["status"]) == (8, pytest.approx(-1.25), "on_plan")
    assert figures.region("6402")["status"] == "no_data"
    floors = figures.floors.set_index(["code", "child_level"])
    assert floors.loc[(PROVINCE, "kabkota"), ["floor_code", "children_judged"]].tolist() == [KABKOTA, 1]
