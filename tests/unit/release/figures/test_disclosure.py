"""What no reader may learn: who did not respond in a small place, from one night or from the difference of two.

Two worlds are released for two nights each. Visits are the same; who refused, moved or was not met differs in every
desa. Whatever is published below kab/kota is the same to the byte, so that nothing computed from it can tell.
"""

from datetime import timedelta

import pandas as pd
import pytest

from regsosek.release.files.tables import REGION_TABLES
from support.checks.matrix import FULL
from support.figures import made_up

pytestmark = FULL

LOW = ("kecamatan.csv", "desa.csv", "terendah.csv")


def released(night_offset: int, *, responding: bool) -> dict[str, bytes]:
    return made_up.built(night=made_up.NIGHT + timedelta(days=night_offset), responding=responding)


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


def below(page: bytes, section: str) -> bytes:
    """A section of a page of a kab/kota."""
    return page.split(f'<section id="{section}"'.encode())[1].split(b"</section>")[0]


@pytest.mark.parametrize("name", ["kabkota/1101.html", "en/kabkota/1101.html"])
@pytest.mark.parametrize("section", ["urutan", "desa"])
@pytest.mark.parametrize("night", [0, 1])
def test_nothing_that_a_page_tells_below_kabkota_depends_on_who_responded(
    worlds: dict[tuple[int, bool], dict[str, bytes]], name: str, section: str, night: int
) -> None:
    pages = [worlds[night, responding][name] for responding in (True, False)]
    assert pages[0] != pages[1], "of the kab/kota itself it is told"
    assert below(pages[0], section) == below(pages[1], section)


def test_summary_and_pages_tell_of_no_desa_but_that_of_its_kabkota(
    worlds: dict[tuple[int, bool], dict[str, bytes]],
) -> None:
    tree = made_up.regions()
    desa, lower = (
        tree.loc[tree["level"].isin(levels), "name"] for levels in (["desa"], ["kabkota", "kecamatan", "desa"])
    )
    for name, hidden in (("index.html", desa), ("provinsi/11.html", desa), ("progres.json", lower)):
        text = worlds[0, True][name].decode()
        assert [each for each in pd.unique(hidden) if each in text] == [], name
