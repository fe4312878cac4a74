"""The site of a release: a page for the nation, each province and each kab/kota, in both languages, with its assets."""

from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader

from regsosek.geography.boundaries import NO_BOUNDARIES, Boundaries
from regsosek.release.figures.figures import Figures
from regsosek.release.files.offered import offered_files
from regsosek.release.site import sections
from regsosek.release.site.about import about_lines, limit_lines
from regsosek.release.site.addresses import NATION_PAGE, PAGE_LEVELS, Address, page_path
from regsosek.release.site.assets import Assets, assets
from regsosek.release.site.atlas import Atlas, Row, level_below
from regsosek.release.site.charts import charts
from regsosek.release.site.key_messages import KeyMessage, answers
from regsosek.release.site.language import LANGUAGES, Language
from regsosek.release.site.measure_map import measure_map
from regsosek.release.site.page_table import PageContext, Table
from regsosek.release.site.policy import POLICY
from regsosek.wording.templates import environment


def site(figures: Figures, boundaries: Boundaries = NO_BOUNDARIES, served: str | None = None) -> dict[str, bytes]:
    """Every file of the site by its name in the release; a function of its arguments alone (``release.build``)."""
    atlas = Atlas(figures)
    own = assets(atlas)
    files = dict(own.files)
    for language in LANGUAGES:
        for row in _with_pages(atlas):
            address = Address(page_path(row), language.code, served)
            files[address.full] = _page(PageContext(atlas, language, address), row, own, boundaries, files)
    return files


def _with_pages(atlas: Atlas) -> Iterator[Row]:
    for level in PAGE_LEVELS:
        yield from atlas.of_level(level)


def _page(desk: PageContext, row: Row, own: Assets, boundaries: Boundaries, files: dict[str, bytes]) -> bytes:
    template = _environment().get_template(f"{row['level']}.html.j2")
    context = _of_every_page(desk, row, own) | _OF_LEVEL[row["level"]](desk, row, boundaries, files)
    # The glossary explains what the page has come to show, so it is written last.
    explained = [(name, desk.language.name(name), desk.language.definition(name)) for name in desk.used]
    return template.render(**context, explained=explained).encode()


def _of_every_page(desk: PageContext, row: Row, own: Assets) -> dict[str, Any]:
    language, told = desk.language, answers(desk, row)
    return {
        "lang": language,
        "t": language.t,
        "policy": POLICY,
        "row": row,
        "root": desk.address.root,
        "served": desk.address.served_at,
        "home": desk.address.to(NATION_PAGE),
        "assets": own,
        "languages": _languages(desk, language),
        "chain": [(each["name"], desk.region_link(each)) for each in desk.atlas.chain(row["code"])],
        "answers": told,
        "preview": _preview(desk, row, told),
        "missing_told": _missing_told(desk, row),
        "denominators": sections.denominators(desk, row),
        "about": about_lines(desk.atlas.figures.about, language),
        "limits": limit_lines(desk.atlas.figures.about, language),
        "files": [(name, words[language.code]) for name, words in offered_files().items()],
        "parts_named": language.texts[f"level_{level_below(row['level'])}"],
        "first": desk.atlas.figures.changes.former_night is None,
        "restated_parts": [],
        "restated_days": None,
        **sections.notes(desk, row),
    }


def _preview(desk: PageContext, row: Row, told: Sequence[KeyMessage]) -> str:
    """What a message shows of a link to the page: the first figure, against plan, and what is missing."""
    t, first, figures = desk.language.t, told[0], desk.atlas.figures
    whole, count = len(desk.atlas.states) - len(figures.missing), len(desk.atlas.states)
    gap = t("preview_gap", gap=desk.figure(row, "gap_points")) if row["gap_points"] is not None else ""
    shown = str(t("preview", figure=first.figure, unit=first.unit, gap=gap, whole=whole, count=count))
    return f"{desk.language.texts['simulated']}. {shown}" if figures.about.simulated else shown


def _missing_told(desk: PageContext, row: Row) -> str:
    """Of a region whose own province is whole, only others are missing."""
    if row["level"] == "nasional":
        return "missing_count"
    codes = {each.code for each in desk.atlas.figures.missing}
    return "missing_here" if row["province"] in codes else "missing_elsewhere"


def _languages(desk: PageContext, language: Language) -> list[tuple[str, str, bool]]:
    return [(each.code, desk.address.translated(each.code), each.code == language.code) for each in LANGUAGES]


def _upper(desk: PageContext, row: Row, boundaries: Boundaries, files: dict[str, bytes]) -> dict[str, Any]:
    """What nation and provinces have alike."""
    return {
        "map": measure_map(desk, row, boundaries),
        "charts": charts(desk, row, files),
        "ranking": sections.ranking(desk, row),
        "floor": sections.floor(desk, row),
        "forecasts": sections.forecasts(desk, row),
        "what_if": sections.what_if(desk, row),
        "changes": sections.changes(desk, row),
        "restated_parts": sections.restated_parts(desk) if row["level"] == "nasional" else [],
        "restated_days": sections.restated_days(desk, row),
        "quality": sections.quality(desk, row),
        "streams": sections.streams(desk, row),
        "photos": sections.photos(desk, row),
        "gaps": sections.gaps(desk, row),
        "arrivals": sections.arrivals(desk, desk.atlas.of_level("provinsi") if row["level"] == "nasional" else [row]),
        "state_key": sections.state_key(desk),
    }


def _kabkota(desk: PageContext, row: Row, boundaries: Boundaries, files: dict[str, bytes]) -> dict[str, Any]:  # noqa: ARG001 - like its neighbour
    return {
        "ranking": sections.ranking(desk, row),
        "villages": [_villages(desk, each) for each in desk.atlas.children(row["code"])],
        "forecasts": sections.forecasts(desk, row),
        "what_if": sections.what_if(desk, row),
        "changes": sections.changes(desk, row),
        "streams": sections.streams(desk, row),
        "photos": sections.photos(desk, row),
        "floor": sections.floor(desk, row),
    }


def _villages(desk: PageContext, kecamatan: Row) -> tuple[Row, str, Table]:
    shown = {name: desk.figure(kecamatan, name) for name in ("visited", "frame_families", "visited_of_frame")}
    summary = desk.language.t("villages_summary", name=kecamatan["name"], **shown)
    return kecamatan, summary, sections.villages(desk, kecamatan)


_OF_LEVEL = {"nasional": _upper, "provinsi": _upper, "kabkota": _kabkota}


@cache
def _environment() -> Environment:
    return environment(PackageLoader("regsosek.release.site", "templates"), html=True)
