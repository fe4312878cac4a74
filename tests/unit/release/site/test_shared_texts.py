"""What is passed on of a page: the address in its preview, and a chart that says of what, until when and by whom."""

import re
from dataclasses import replace

import pytest

from regsosek.release.figures.figures import Figures
from regsosek.release.site.charts import citation
from regsosek.release.site.language import Language
from regsosek.release.site.pages import site
from support.checks.site_outline import Outline
from support.figures import made_up
from support.figures.site_parts import ENGLISH, INDONESIAN, context, of_provinces

FIRST_SEEN = (
    "<title>(.*?)</title>", "<h1>(.*?)</h1>", 'name="description" content="([^"]*)', 'og:title" content="([^"]*)',
    'og:description" content="([^"]*)',
)  # fmt: skip
PAGES = ("index.html", "en/provinsi/11.html", "kabkota/1101.html")


@pytest.fixture(scope="module")
def figures() -> Figures:
    return of_provinces(made_up.figures(), ["11"])


def previews(figures: Figures, served: str | None) -> dict[str, dict[str, str | None]]:
    """By page what its link shows where it is passed on."""
    written = site(figures, served=served)
    tags = {name: Outline(written[name].decode()).named("meta") for name in PAGES}
    return {name: {str(each["property"]): each["content"] for each in own if "property" in each}
            for name, own in tags.items()}  # fmt: skip


@pytest.mark.parametrize("served", ["https://regsosek.bps.example/kini", "https://regsosek.bps.example/kini/"])
def test_a_page_that_is_served_says_where(figures: Figures, served: str) -> None:
    for name, told in previews(figures, served).items():
        assert told["og:url"] == f"https://regsosek.bps.example/kini/{name}"


@pytest.mark.parametrize("simulated", [True, False])
def test_title_heading_and_preview_say_what_is_simulated(figures: Figures, simulated: bool) -> None:
    written = site(figures if simulated else replace(figures, notes=()))
    for name in PAGES:
        words = (ENGLISH if name.startswith("en/") else INDONESIAN).texts["simulated"]
        page = written[name].decode()
        told = [re.search(form, page, re.DOTALL) for form in FIRST_SEEN]
        assert [words in found[1] for found in told if found] == [simulated] * len(FIRST_SEEN), name


def test_a_page_that_nobody_serves_names_no_address(figures: Figures) -> None:
    for told in previews(figures, None).values():
        assert "og:title" in told
        assert not {"og:url", "og:image"} & set(told)


@pytest.mark.parametrize(
    ("language", "simulated", "lines"),
    [
        (INDONESIAN, True, ["DATA SIMULASI. Aceh, data s.d. 23 Okt 2022", "Sumber: Dinas Contoh, Regsosek 2022"]),
        (ENGLISH, False, ["Aceh, data up to 23 Oct 2022", "Source: Sample Office, Regsosek 2022"]),
    ],
    ids=["id", "en"],
)
def test_a_chart_names_its_publisher_and_what_is_simulated(
    figures: Figures, language: Language, simulated: bool, lines: list[str]
) -> None:
    imprint = figures.imprint.model_copy(update={"publisher": "Dinas Contoh", "publisher_en": "Sample Office"})
    at = context(replace(figures, imprint=imprint, notes=figures.notes if simulated else ()), language)
    assert citation(at, at.atlas.region("11")) == lines
