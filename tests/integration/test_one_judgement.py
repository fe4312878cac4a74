"""Page, table, digest and national digest of one night say the same word and the same number of every region."""

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import select

from field_world import PROVINCE, FieldWorld, family
from published_world import FIRST, PUBLISHED_RULES, SECOND, THIRD, receive, release, table
from regsosek.alerts.national import compose_national
from regsosek.alerts.nightly import alert_provinces, read_digest
from regsosek.alerts.platform import PlatformFigures
from regsosek.statistics.status import status_words
from regsosek.warehouse import tables

KEPT_RULES = PUBLISHED_RULES
TABLES_ALONE = True
KABKOTA = "6403"
LABELS = sorted((each.label for each in status_words().values()), key=len, reverse=True)
GAP = re.compile(rf"selisih (\S+) keluarga: ({'|'.join(LABELS)})")
# Families visited by the end of each night, of 120 in the province and 220 in the kab/kota; planned are 28, 32, 36 %.
VISITED = {FIRST: 9, SECOND: 22, THIRD: 40}


@pytest.fixture
def measured(world: FieldWorld, tmp_path: Path) -> FieldWorld:
    """The kab/kota has a target of its own, large enough to be told of."""
    targets = tmp_path / "targets.csv"
    targets.write_text(f"region,families,sls,source\n{KABKOTA},220,,test\n")
    world.house = replace(
        world.house, settings=world.house.settings.model_copy(update={"region_targets_file": targets})
    )
    return world


def delivered(world: FieldWorld, night: date) -> None:
    before = max((n for day, n in VISITED.items() if day < night), default=0)
    receive(world, night, [family(f"D{n}", number=n) for n in range(before + 1, VISITED[night] + 1)])


def open_conditions(world: FieldWorld, night: date) -> dict[str, tuple[str, int]]:
    """Severity and families of BEHIND, by region."""
    query = select(tables.condition).where(
        tables.condition.c.night == night, tables.condition.c.kind == "BEHIND", tables.condition.c.state != "resolved"
    )
    with world.house.engine.connect() as connection:
        return {row.region_code: (row.severity, row.families) for row in connection.execute(query)}


def told_as(row: Mapping[str, str]) -> tuple[str, int] | None:
    """What a digest tells of a region that stands so in the release."""
    labels = {each.label: status for status, each in status_words().items()}
    severity = {"far_behind": "KRITIS", "behind": "PERHATIAN"}.get(labels[row["status"]])
    return severity and (severity, -int(row["selisih_keluarga"]))


def test_a_night_is_told_as_it_is_published(measured: FieldWorld) -> None:
    house, words = measured.house, []
    for night in VISITED:
        delivered(measured, night)
        composed = alert_provinces(house.engine, house.settings, night, provinces=[PROVINCE])
        assert not composed.failed
        digest = read_digest(house.engine, house.settings, night, PROVINCE)
        published = release(measured, night)
        province = table(measured, published, "provinsi.csv")[PROVINCE]
        kabkota = table(measured, published, "kabkota.csv")[KABKOTA]
        gap, status = GAP.findall(" ".join(digest.body.split()))[-1]
        assert (int(gap.replace("−", "-")), status) == (int(province["selisih_keluarga"]), province["status"])
        expected = {PROVINCE: told_as(province), KABKOTA: told_as(kabkota)}
        assert open_conditions(measured, night) == {code: told for code, told in expected.items() if told}
        words.append((province["status"], kabkota["status"]))
        assert not digest.subject.startswith("[AMAN]")
    assert words == [
        ("jauh tertinggal", "jauh tertinggal"),
        ("tertinggal", "tertinggal"),
        ("sesuai rencana", "tertinggal"),
    ]


def test_the_nation_is_told_of_every_province_as_it_is_published(measured: FieldWorld) -> None:
    delivered(measured, FIRST)
    house = measured.house
    composed = alert_provinces(house.engine, house.settings, FIRST)
    rows = table(measured, release(measured, FIRST), "provinsi.csv")
    assert set(composed.stands) == {code for code in rows if code != "00"}
    for code, stand in composed.stands.items():
        assert status_words()[stand.figures.pace.status].label == rows[code]["status"]
        gap = stand.figures.pace.gap_families
        assert ("" if gap is None else str(gap)) == rows[code]["selisih_keluarga"]
    nation = compose_national(composed.stands, PlatformFigures(FIRST, [*rows], frozenset(rows), {}, None))
    told = " ".join(nation.body.split())
    assert re.search(rf"Kalimantan Timur .64.: \d+,\d % dari 120, rencana 28 %, {rows[PROVINCE]['status']}", told)
