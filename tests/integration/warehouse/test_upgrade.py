"""A warehouse in mid-campaign is brought to a version that counts otherwise: the next release says so and goes out."""

import pandas as pd
import pytest
from alembic import command
from sqlalchemy import text

from regsosek.errors import ConfigurationError
from regsosek.release.rereading import second_reading
from regsosek.staging import relations
from regsosek.staging.pseudonyms import keyed_hash
from regsosek.staging.reading import typing_sql
from regsosek.statistics.progress import refresh_missing
from regsosek.warehouse.cases import case_state
from regsosek.warehouse.hashes.rekeying import key_hashes
from regsosek.warehouse.migration import alembic_config, migrate
from support.deliveries.families import PROVINCE
from support.worlds.field_world import FieldWorld, family, faulty
from support.worlds.published_world import FIRST, PUBLISHED_RULES, SECOND, THIRD, receive, release, table

NIK = "6472015505800078"
KEPT_RULES = PUBLISHED_RULES
BEFORE_ONE_SPEAKS, BEFORE_KEYS = "0016", "0023"


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
    engine = world.resources.engine
    with pytest.MonkeyPatch.context() as patch:
        counting_as_before(patch)
        receive(world, FIRST, [faulty("A"), faulty("B"), family("C", number=2)])
        receive(world, SECOND, [family("D", number=3)])
        published = release(world, SECOND)
    assert table(world, published, "provinsi.csv")[PROVINCE]["dikunjungi"] == "4"
    with engine.begin() as connection:
        connection.execute(text("UPDATE core.kasus_terkini SET state = 'quarantined' WHERE state = 'conflicting'"))
        command.downgrade(alembic_config(connection), BEFORE_ONE_SPEAKS)
    migrate(engine, world.resources.settings.hash_keys)
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


def hashing_without_a_key(patch: pytest.MonkeyPatch) -> None:
    """Ids that may not be shown, and contents, had plain hashes; an id with a NIK and a letter was shown."""
    former = relations._KASUS.replace(relations._UNSHOWN_ID, f"'?' || {relations._PLAIN_ID}")
    former = former.replace(keyed_hash(relations._PLAIN_CONTENT), f"unhex({relations._PLAIN_CONTENT})")
    assert "keyed_hash" not in former
    patch.setattr(relations, "_KASUS", former)
    patch.setattr(typing_sql, "shown_key", lambda text: f"NOT regexp_full_match({text}, '[0-9]{{16}}')")


def test_what_was_hashed_without_a_key_is_recognised_with_it(world: FieldWorld) -> None:
    engine, keys = world.resources.engine, world.resources.settings.hash_keys
    families = [family("A"), faulty("B", number=2), family(NIK, number=3), family(f"NIK-{NIK}", number=4)]
    with pytest.MonkeyPatch.context() as patch:
        hashing_without_a_key(patch)
        replaced = receive(world, FIRST, [*families, family("C", number=5)])
        receive(world, SECOND, families, supersedes=[replaced])
        with engine.begin() as connection:
            command.downgrade(alembic_config(connection), BEFORE_KEYS)
    migrate(engine)
    assert NIK in str(world.rows("SELECT to_jsonb(k)::text FROM core.keluarga k"))
    with pytest.raises(ConfigurationError, match="regsosek migrate"):
        receive(world, THIRD, families)
    key_hashes(engine, (*keys, b"a newer key, which no province is rotated to"))
    world.run(THIRD)
    brought = world.rows("SELECT case_id, status FROM core.kasus WHERE night = :n ORDER BY row_no", n=THIRD)
    assert [status for _, status in brought] == ["duplicate"] * 4
    assert [case_id[0] for case_id, _ in brought] == ["A", "B", "?", "?"]
    assert {case_id for (case_id,) in world.rows("SELECT case_id FROM core.kasus_terkini")} == {
        "C", *(case_id for case_id, _ in brought),
    }  # fmt: skip
    [(left_out, now)] = world.rows(
        "SELECT z.content_hash, substring(sha256(o.content_hash || convert_to(z.delivery_id, 'UTF8')) FROM 1 FOR 16) "
        "FROM core.kasus z JOIN core.kasus o ON o.case_id = z.case_id AND o.part > 0 WHERE z.part = 0"
    )
    assert left_out == now
    for name in ("core.kasus", "core.keluarga", "core.anggota", "core.kasus_terkini", "quality.reason"):
        assert NIK not in str(world.rows(f"SELECT to_jsonb(t)::text FROM {name} t")), name
    kept = world.rows("SELECT dataset, variable FROM restricted.untyped_value WHERE value = :v", v=f"NIK-{NIK}")
    assert set(kept) == {("keluarga", "id_dokumen"), ("anggota", "id_dokumen")}
