"""Disclosure control in the nights of a real warehouse: what is held is held, every gate and audit goes on."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from sqlalchemy import text

from regsosek.asking.figures.published_figure import asked_figure
from regsosek.asking.figures.restated_figure import NOT_TOLD, restated_figure
from regsosek.errors import ConfigurationError
from regsosek.geography.planning import planning
from regsosek.geography.regions import NATION
from regsosek.night import auditing
from regsosek.release.publish import Published
from support.deliveries.families import PROVINCE
from support.worlds.field_world import FEW_RULES, FieldWorld, family, withdrawal
from support.worlds.published_world import FIRST, SECOND, THIRD, receive, release, table

KEPT_RULES = FEW_RULES
TABLES_ALONE = True
KABKOTA, DESA = "6403", "6403010001"
HELD_CELLS = {"selesai": "12", "menolak": "0", "anggota": "24", "hasil_sampai_malam": "2022-10-21"}


@pytest.fixture
def guarded(world: FieldWorld) -> FieldWorld:
    """The world with the policy on, as it is wherever nobody says otherwise."""
    own = world.resources.settings.model_copy(update={"disclosure": "on"})
    world.resources = replace(world.resources, settings=own)
    return world


@pytest.fixture
def nights(guarded: FieldWorld) -> Iterator[list[Published]]:
    """Twelve families, then one that refuses and one taken back, then twelve more."""
    receive(guarded, FIRST, [family(f"A{n}", number=n) for n in range(1, 13)])
    found = [release(guarded, FIRST)]
    receive(guarded, SECOND, [family("B", number=20, r205_hasil="4"), withdrawal("A1", number=1)])
    found.append(release(guarded, SECOND))
    receive(guarded, THIRD, [family(f"C{n}", number=n) for n in range(30, 43)])
    yield [*found, release(guarded, THIRD)]


def row(world: FieldWorld, published: Published, code: str, name: str = "kabkota.csv") -> dict[str, str]:
    return table(world, published, name)[code]


def test_a_few_families_are_told_only_together_with_many(guarded: FieldWorld, nights: list[Published]) -> None:
    first, held, moved = (row(guarded, each, KABKOTA) for each in nights)
    assert {name: first[name] for name in HELD_CELLS} == {name: held[name] for name in HELD_CELLS} == HELD_CELLS
    assert [each["status_kerahasiaan"] for each in (first, held, moved)] == ["terbuka", "ditahan", "terbuka"]
    assert (moved["selesai"], moved["menolak"], moved["hasil_sampai_malam"]) == ("24", "1", "2022-10-23")
    assert [each["dikunjungi"] for each in (first, held, moved)] == ["12", "12", "25"], "visits are told at once"
    for code, name in ((PROVINCE, "provinsi.csv"), (NATION, "nasional.csv")):
        assert row(guarded, nights[1], code, name)["selesai"] == "12", "and the sums are of what is told"

    # Every audit goes on, with the figures as they are.
    assert auditing.audit(guarded.resources, PROVINCE) == auditing.audit(guarded.resources, NATION) == ()
    again = release(guarded, THIRD)
    assert again.release_id == nights[2].release_id
    assert release(guarded, SECOND).release_id == nights[1].release_id, "an older night stands as it was told"

    resources = guarded.resources
    with resources.engine.connect() as connection:
        bucket = resources.settings.release_bucket
        asked = asked_figure(connection, resources.store, bucket, KABKOTA, "refused", SECOND)
        found = restated_figure(connection, asked, planning(resources.settings))
    assert (found.published, dict(found.causes), found.now) == (0, {NOT_TOLD: 1}, 1)


def test_the_policy_goes_off_for_simulated_data_alone(world: FieldWorld) -> None:
    receive(world, FIRST, [family("A")])
    assert release(world, FIRST).current
    with world.resources.engine.begin() as connection:
        notes = connection.execute(text("SELECT dataset, note FROM reference.version")).all()
        connection.execute(text("UPDATE reference.version SET note = ''"))
    try:
        with pytest.raises(ConfigurationError, match="REGSOSEK_DISCLOSURE is off"):
            release(world, FIRST)
    finally:
        with world.resources.engine.begin() as connection:
            for dataset, note in notes:
                own = {"dataset": dataset, "note": note}
                connection.execute(text("UPDATE reference.version SET note = :note WHERE dataset = :dataset"), own)
