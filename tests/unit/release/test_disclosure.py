"""What no reader may learn: who did not respond in a small place, from one night or from the difference of two.

Two worlds are released for two nights each. Visits are the same; who refused, moved or was not met differs in every
desa. Whatever is published below kab/kota is the same to the byte, so that nothing computed from it can tell.
"""

from datetime import timedelta

import made_up
import pandas as pd
import pytest

from regsosek.release.build import build
from regsosek.release.tables import REGION_TABLES

LOW = ("kecamatan.csv", "desa.csv", "lantai.csv")


def released(night_offset: int, *, responding: bool) -> dict[str, bytes]:
    figures = made_up.figures(night=made_up.NIGHT + timedelta(days=night_offset), responding=responding)
    return build(figures)


@pytest.fixture(scope="module")
def worlds() -> dict[tuple[int, bool], dict[str, bytes]]:
    return {(n, responding): released(n, responding=responding) for n in (0, 1) for responding in (True, False)}


@pytest.mark.parametrize("name", LOW)
@pytest.mark.parametrize("night", [0, 1])
def test_nothing_below_kabkota_depends_on_who_responded(
    worlds: dict[tuple[int, bool], dict[str, bytes]], name: str, night: int
) -> None:
    assert worlds[night, True][name] == worlds[night, False][name]


@pytest.mark.parametrize("name", ["provinsi.csv", "kabkota.csv", "nasional.csv"])
def test_the_two_worlds_do_differ_where_it_is_public(
    worlds: dict[tuple[int, bool], dict[str, bytes]], name: str
) -> None:
    assert worlds[0, True][name] != worlds[0, False][name]


def test_the_two_nights_do_differ(worlds: dict[tuple[int, bool], dict[str, bytes]]) -> None:
    assert worlds[0, True]["desa.csv"] != worlds[1, True]["desa.csv"]


def test_every_region_table_below_kabkota_is_held_to_this() -> None:
    assert {name for name, (level, _) in REGION_TABLES.items() if level in {"kecamatan", "desa"}} <= set(LOW)


def test_the_page_and_the_summary_tell_of_no_region_below_the_province(
    worlds: dict[tuple[int, bool], dict[str, bytes]],
) -> None:
    tree = made_up.regions()
    lower = tree.loc[tree["level"].isin(["kabkota", "kecamatan", "desa"]), ["code", "name"]]
    for name in ("index.html", "progres.json"):
        text = worlds[0, True][name].decode()
        told = [each for each in pd.unique(lower["name"]) if each in text]
        assert told == [], name
