"""The page: whole without JavaScript or network, small, escaped, and honest about scale and gaps."""

from dataclasses import replace
from html.parser import HTMLParser

import made_up
import pytest

from regsosek.geography.plan import PlanCurve
from regsosek.release.page import page

VOID = {"meta", "link", "br", "line", "circle", "polyline"}


class Outline(HTMLParser):
    """Checks that tags nest, and collects what the tests ask for."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag, f"</{tag}> closes another element"

    def named(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]


@pytest.fixture(scope="module")
def text() -> str:
    return page(made_up.figures()).decode()


@pytest.fixture(scope="module")
def outline(text: str) -> Outline:
    return Outline(text)


def test_it_is_well_formed_indonesian_and_small(text: str, outline: Outline) -> None:
    assert outline.open == []
    assert outline.named("html") == [{"lang": "id"}]
    assert len(text.encode()) < 200_000


def test_it_needs_no_script_and_nothing_from_elsewhere(text: str, outline: Outline) -> None:
    assert outline.named("script") == outline.named("link") == outline.named("img") == []
    assert "http" not in text
    assert not [a for _, attributes in outline.tags for a in attributes if a.startswith("on")]
    assert all(not (each["href"] or "").startswith(("/", "//")) for each in outline.named("a"))


def test_every_table_can_be_read_aloud(outline: Outline) -> None:
    assert len(outline.named("caption")) == len(outline.named("table")) == 2
    assert all("scope" in each for each in outline.named("th"))
    assert all(each.get("role") == "img" and each.get("aria-labelledby") for each in outline.named("svg"))


def test_hostile_names_stay_text() -> None:
    hostile = page(made_up.figures(name='<script>alert("1")</script>')).decode()
    assert Outline(hostile).named("script") == []
    assert "&lt;script&gt;" in hostile


def test_it_names_who_is_missing_and_why(text: str) -> None:
    assert "31 dari 34 provinsi" in text
    assert "<strong>Papua</strong> (94): Tidak ada kiriman" in text
    assert "isi berkas tidak sama" in text


def test_a_held_delivery_is_marked_with_what_it_keeps_out(text: str) -> None:
    [line] = [line for line in text.splitlines() if "<strong>Kalimantan Timur</strong>" in line]
    assert "Kiriman ditahan karena bagian yang salah melebihi batas; angka tetap pada data terakhir" in line
    assert "1.234 keluarga dalam kiriman yang ditahan belum dihitung." in text
    assert '<span class="badge gap">Ditahan</span>' in text


def test_a_scaled_release_says_so_first_and_a_whole_one_does_not() -> None:
    scaled, whole = (page(made_up.figures(scale=scale)).decode() for scale in (0.0005, 1.0))
    assert "skala 0,05\u00a0%" in scaled.split("<main>")[0]
    assert "Bukan angka seluruh Indonesia" not in whole


def test_figures_are_written_as_indonesians_write_them(text: str) -> None:
    assert "42.510" in text
    assert "36,0\u00a0%" in text
    assert "−" in text


def test_the_plan_is_told_as_it_is(text: str) -> None:
    assert "4 persen setiap hari sejak pencacahan dibuka. Tertinggal 2,0 hari dari rencana." in text
    figures = made_up.figures()
    slow = PlanCurve((0.0, 31.0), (0.0, 1.0), "kurva")
    windows = {**figures.windows, "11": replace(figures.windows["11"], plan=slow)}
    assert "menurut rencana tiap provinsi sejak" in page(replace(figures, windows=windows)).decode()
