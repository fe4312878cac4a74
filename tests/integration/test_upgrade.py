"""A warehouse in mid-campaign is brought to a version that counts otherwise: the next release says so and goes out."""

import pandas as pd
import pytest
from alembic import command
from sqlalchemy import text

from delivered import PROVINCE
from field_world import FieldWorld, family, faulty
from published_world import FIRST, PUBLISHED_RULES, SECOND, THIRD, receive, release, table
from regsosek.release import second_reading
from regsosek.statistics.progress import refresh_missing
from regsosek.warehouse import case_state
from regsosek.warehouse.migration import alembic_config, migrate

KEPT_RULES = PUBLISHED_RULES
BEFORE_ONE_SPEAKS = "0016"


def counting_as_before(patch: pytest.MonkeyPatch) -> None:
    """Of two documents in quarantine on one family key both counted as visited."""
    settle = second_reading.without_conflicts

    def among_accepted(current: pd.DataFrame) -> pd.DataFrame:
        accepted = current["state"].isin(["loaded", "pending"])
        return pd.concat([settle(current[accepted]), current[~accepted]])

    former = case_state._STATES.replace("u.state <> 'withdrawn'", "u.state IN ('loaded', 'pending')")
    assert former != case_state._STATES
    patch.setattr(case_state, "_STATES", former)
    patch.setattr(second_reading, "without_conflicts", among_accepted)


def states(world: FieldWorld) -> list[tuple[str, str]]:
    return [tuple(row) for row in world.rows("SELECT state, waiting FROM core.kasus_terkini ORDER BY 1, 2")]


@pytest.mark.parametrize("reference_first", [True, False])
def test_figures_that_were_counted_otherwise_are_restated_by_the_next_release(
    world: FieldWorld, reference_first: bool
) -> None:
    engine = world.house.engine
    with pytest.MonkeyPatch.context() as patch:
        counting_as_before(patch)
        receive(world, FIRST, [faulty("A"), faulty("B"), family("C", number=2)])
        receive(world, SECOND, [family("D", number=3)])
        published = release(world, SECOND)
    assert table(world, published, "provinsi.csv")[PROVINCE]["dikunjungi"] == "4"
    with engine.begin() as connection:
        connection.execute(text("UPDATE core.kasus_terkini SET state = 'quarantined' WHERE state = 'conflicting'"))
        command.downgrade(alembic_config(connection), BEFORE_ONE_SPEAKS)
    migrate(engine)
    if reference_first:  # as every night does; a province that is received without it computes the same
        with engine.begin() as connection:
            refresh_missing(connection, PROVINCE)
    receive(world, THIRD, [family("E", number=4)])
    restated = release(world, THIRD)
    assert not restated.held_back
    figures = table(world, restated, "provinsi.csv")[PROVINCE]
    assert (figures["dikunjungi"], figures["kunci_ganda"]) == ("4", "1")
    assert states(world)[:2] == [("conflicting", "quarantined"), ("loaded", None)]
    assert ("quarantined", "quarantined") in states(world)
    with engine.begin() as connection:
        command.upgrade(alembic_config(connection), "head")
