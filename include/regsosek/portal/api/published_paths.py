"""Paths that answer with the tables of a release, row by row as they were published."""

import re
from collections.abc import Mapping
from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response

from regsosek.geography.regions import Level
from regsosek.portal.api.problems import not_there
from regsosek.portal.api.releases import PROVINCE, PublishedTable, Release, Releases, told_rows
from regsosek.portal.api.responses import Answer, answers, etag, marked, no_such_page, send, unchanged
from regsosek.portal.api.shapes import (
    REGION_FILTERS,
    RELEASE_ID,
    TablePath,
    TableQuery,
    columns_of_table,
    envelope_model,
    filter_columns,
    query_model,
    region_fields,
    shown_columns,
    table_paths,
)
from regsosek.portal.login.viewer import CurrentViewer, Viewer
from regsosek.portal.views.published import province_of_region
from regsosek.release.files.tables import TABLE_FIELDS
from regsosek.statistics.definitions.definitions import definitions

Mark = tuple[str, int]
_CODES = frozenset(definitions()[field].column for field in REGION_FILTERS)


def published_paths(releases: Releases) -> APIRouter:
    """The router of all published tables."""
    router = APIRouter(tags=["release"])
    for each in table_paths():
        _add_table(router, releases, each)
    _add_figures(router, releases)
    return router


def _add_table(router: APIRouter, releases: Releases, path: TablePath) -> None:
    name, fields = path.path.title().replace("-", ""), TABLE_FIELDS[path.table]

    def answer(request: Request, viewer: CurrentViewer, query: TableQuery) -> Response:
        return published(releases, request, viewer, query, path.table, _equal(viewer, query, fields))

    _add(router, path.path, path.summary, answer, query_model(name, fields), envelope_model(f"{name}Row", fields))


def _add_figures(router: APIRouter, releases: Releases) -> None:
    fields = region_fields()

    def answer(request: Request, viewer: CurrentViewer, query: TableQuery) -> Response:
        table = f"{getattr(query, 'tingkat')}.csv"  # noqa: B009 - a field of the model made below
        return published(releases, request, viewer, query, table, _equal(viewer, query, fields))

    query = query_model("Figures", fields, tingkat=(Level, "provinsi"))
    summary = "Figures of the regions of a level, against every denominator and the plan"
    _add(router, "figures", summary, answer, query, envelope_model("FiguresRow", fields))


def _add(router: APIRouter, path: str, summary: str, answer: Any, query: type[TableQuery], model: Any) -> None:
    # The model of the query is made of the table's definitions: a signature cannot name it.
    answer.__annotations__["query"] = Annotated[query, Query()]
    router.add_api_route(
        f"/{path}",
        answer,
        summary=summary,
        operation_id=path.replace("-", "_"),
        response_model=model,
        responses=answers(summary),
    )


def _equal(viewer: Viewer, query: TableQuery, fields: tuple[str, ...]) -> dict[str, str | date]:
    """What the columns of the rows must equal; codes that the account is not shown are as unknown as any other."""
    asked = {column: getattr(query, column) for column in filter_columns(fields)} | {PROVINCE: query.provinsi}
    equal = {column: value for column, value in asked.items() if value is not None}
    for column in {*_CODES, PROVINCE} & set(equal):
        require_shown(viewer, column, str(equal[column]))
    return equal


def require_shown(viewer: Viewer, parameter: str, code: str) -> None:
    """Ends the request unless ``code`` is a region that is shown to the account."""
    province = province_of_region(code)
    if province is None or not viewer.reads(province):
        raise not_there(parameter, "take a code from regions")


def published(
    releases: Releases, request: Request, viewer: Viewer, query: TableQuery, name: str, equal: Mapping[str, Any]
) -> Response:
    """A page of a published table."""
    columns = _columns(name, query, equal)
    mark = _mark(query)
    release = releases.find(mark[0] if mark else query.release)
    table = releases.table(release, name)
    tag = etag(request, viewer, table.sha256, release.manifest["content_hash"])
    return unchanged(request, tag) or send(request, _page(release, table, viewer, query, mark, equal, columns), tag)


def _columns(name: str, query: TableQuery, equal: Mapping[str, Any]) -> list[str]:
    known = {*columns_of_table(name), PROVINCE}
    if strange := sorted(set(equal) - known):
        raise not_there(strange[0], "ask for a level below: the tables of nation and provinces lack this column")
    if not known.issuperset(query.columns_asked):
        raise not_there("kolom", "not public at this level; definitions says down to which level each column is")
    return shown_columns(name, query.columns_asked)


def _mark(query: TableQuery) -> Mark | None:
    match marked(query.cursor):
        case None:
            return None
        case [str(release_id), int(offset)] if _leads(release_id, offset, query):
            return release_id, offset
        case _:
            raise no_such_page()


def _leads(release_id: str, offset: int, query: TableQuery) -> bool:
    """Whether a cursor can be one of ours: its release becomes a key of the object store, so it must look like one."""
    named = re.fullmatch(RELEASE_ID, release_id) and query.release in {None, release_id}
    return bool(named) and offset > 0


def _page(
    release: Release,
    table: PublishedTable,
    viewer: Viewer,
    query: TableQuery,
    mark: Mark | None,
    equal: Mapping[str, Any],
    columns: list[str],
) -> Answer:
    """All pages are of one release, whatever is published meanwhile: the cursor names it."""
    chosen, offset = table.chosen(viewer, equal), mark[1] if mark else 0
    if mark and offset >= len(chosen):
        raise no_such_page()
    rows = told_rows(viewer, table.rows.select(columns).take(chosen.slice(offset, query.limit)))
    more = offset + query.limit < len(chosen)
    following = (release.manifest["release_id"], offset + query.limit) if more else None
    return Answer(release.as_of, release.missing(viewer), columns, rows, following)
