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


def _page(context: PageContext, row: Row, own: Assets, boundaries: Boundaries, files: dict[str, bytes]) -> bytes:
    template = _environment().get_template(f"{row['level']}.html.j2")
    values = _of_every_page(context, row, own) | _OF_LEVEL[row["level"]](context, row, boundaries, files)
    # The glossary explains what the page has come to show, so it is written last.
    explained = [(name, context.language.name(name), context.language.definition(name)) for name in context.used]
    return template.render(**values, explained=explained).encode()


def _of_every_page(context: PageContext, row: Row, own: Assets) -> dict[str, Any]:
    language, told = context.language, answers(context, row)
    return {
        "lang": language,
        "t": language.t,
        "policy": POLICY,
        "row": row,
        "root": context.address.root,
        "served": context.address.served_at,
        "home": context.address.to(NATION_PAGE),
        "assets": own,
        "languages": _languages(context, language),
        "chain": [(each["name"], context.region_link(each)) for each in context.atlas.chain(row["code"])],
        "answers": told,
        "preview": _preview(context, row, told),
        "missing_told": _missing_told(context, row),
        "denominators": sections.denominators(context, row),
        "about": about_lines(context.atlas.figures.about, language),
        "limits": limit_lines(context.atlas.figures.about, language),
        "files": [(name, words[language.code]) for name, words in offered_files().items()],
        "parts_named": language.texts[f"level_{level_below(row['level'])}"],
        "first": context.atlas.figures.changes.former_night is None,
        "restated_parts": [],
        "restated_days": None,
        **sections.notes(context, row),
    }


def _preview(context: PageContext, row: Row, told: Sequence[KeyMessage]) -> str:
    """What a message shows of a link to the page: the first figure, against plan, and what is missing."""
    t, first, figures = context.language.t, told[0], context.atlas.figures
    whole, count = len(context.atlas.states) - len(figures.missing), len(context.atlas.states)
    gap = t("preview_gap", gap=context.figure(row, "gap_points")) if row["gap_points"] is not None else ""
    shown = str(t("preview", figure=first.figure, unit=first.unit, gap=gap, whole=whole, count=count))
    return f"{context.language.texts['simulated']}. {shown}" if figures.about.simulated else shown


def _missing_told(context: PageContext, row: Row) -> str:
    """Of a region whose own province is whole, only others are missing."""
    if row["level"] == "nasional":
        return "missing_count"
    codes = {each.code for each in context.atlas.figures.missing}
    return "missing_here" if row["province"] in codes else "missing_elsewhere"


def _languages(context: PageContext, language: Language) -> list[tuple[str, str, bool]]:
    return [(each.code, context.address.translated(each.code), each.code == language.code) for each in LANGUAGES]


def _upper(context: PageContext, row: Row, boundaries: Boundaries, files: dict[str, bytes]) -> dict[str, Any]:
    """What nation and provinces have alike."""
    return {
        "map": measure_map(context, row, boundaries),
        "charts": charts(context, row, files),
        "ranking": sections.ranking(context, row),
        "floor": sections.floor(context, row),
        "forecasts": sections.forecasts(context, row),
        "what_if": sections.what_if(context, row),
        "changes": sections.changes(context, row),
        "restated_parts": sections.restated_parts(context) if row["level"] == "nasional" else [],
        "restated_days": sections.restated_days(context, row),
        "quality": sections.quality(context, row),
        "streams": sections.streams(context, row),
        "photos": sections.photos(context, row),
        "gaps": sections.gaps(context, row),
        "unheard": sections.unheard(context, row),
        "arrivals": sections.arrivals(
            context, context.atlas.of_level("provinsi") if row["level"] == "nasional" else [row]
        ),
        "state_key": sections.state_key(context),
    }


def _kabkota(context: PageContext, row: Row, boundaries: Boundaries, files: dict[str, bytes]) -> dict[str, Any]:  # noqa: ARG001 - like its neighbour
    return {
        "ranking": sections.ranking(context, row),
        "villages": [_villages(context, each) for each in context.atlas.children(row["code"])],
        "forecasts": sections.forecasts(context, row),
        "what_if": sections.what_if(context, row),
        "changes": sections.changes(context, row),
        "streams": sections.streams(context, row),
        "photos": sections.photos(context, row),
        "floor": sections.floor(context, row),
    }


def _villages(context: PageContext, kecamatan: Row) -> tuple[Row, str, Table]:
    shown = {name: context.figure(kecamatan, name) for name in ("visited", "frame_families", "visited_of_frame")}
    summary = context.language.t("villages_summary", name=kecamatan["name"], **shown)
    return kecamatan, summary, sections.villages(context, kecamatan)


_OF_LEVEL = {"nasional": _upper, "provinsi": _upper, "kabkota": _kabkota}


@cache
def _environment() -> Environment:
    return environment(PackageLoader("regsosek.release.site", "templates"), html=True)
