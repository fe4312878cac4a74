"""Paths that answer with releases themselves, the tree of regions and the definitions of every column."""

from collections import defaultdict
from collections.abc import Mapping
from datetime import date, datetime
from functools import cache
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from pydantic import Field
from sqlalchemy import Connection, select

from regsosek.geography.regions import VERSION, Level, region_master
from regsosek.portal.api.problems import PRIVATE, documented
from regsosek.portal.api.published_paths import require_shown
from regsosek.portal.api.releases import Release, Releases
from regsosek.portal.api.responses import (
    Answer,
    AsOf,
    Envelope,
    Missing,
    Paging,
    ProvinceCode,
    RegionCode,
    Shape,
    Unset,
    answers,
    etag,
    json_response,
    page_of,
    send,
    unchanged,
    written,
)
from regsosek.portal.api.shapes import Glossary, ReleaseId
from regsosek.portal.login.viewer import CurrentViewer, Viewer
from regsosek.portal.views.published import province_of_region
from regsosek.release.figures.schema import GLOSSARY_COLUMNS
from regsosek.release.files.tables import glossary_rows
from regsosek.warehouse.tables import published_release


class ReleaseRow(Shape):
    """A release as it stands in the warehouse."""

    release_id: str
    malam: date
    revisi: int = Field(description="which content of its night it is; the newest has the highest")
    content_hash: str
    diterbitkan: datetime | None = Field(description="when it was published last")
    dibatalkan: datetime | None = Field(description="when an operator led readers back to the one before")


class ReleaseFile(Shape):
    """A file of a release; all of a release's hashes make its content hash."""

    name: str
    bytes: int
    sha256: str


class ReleaseDocument(Shape):
    """One release: what it is as of, what is missing, and its files."""

    as_of: AsOf
    missing: list[Missing]
    release_id: str
    malam: date
    content_hash: str
    dibuat: datetime
    ditandatangani: str | None = Field(description="id of the key that its manifest is signed by")
    skala: float
    angka_sampai_malam: dict[str, date] = Field(description="night that each province's figures stand at")
    versi: dict[str, Any] = Field(description="versions of frame, targets, rules and code")
    files: list[ReleaseFile]


class RegionRow(Shape):
    """A region of the master."""

    kode: str
    nama: str
    tingkat: Level
    kode_induk: str | None
    provinsi: str | None


class RegionQuery(Paging):
    """Which regions are asked for."""

    kode: RegionCode | Unset = None
    kode_induk: RegionCode | Unset = None
    tingkat: Level | Unset = None
    provinsi: ProvinceCode | Unset = None


class ListQuery(Paging):
    """A list that is asked for as it is."""


def reference_paths(releases: Releases) -> APIRouter:
    """The router of releases, regions and definitions."""
    router = APIRouter()

    @router.get("/releases", tags=["release"], response_model=Envelope[ReleaseRow], responses=answers("Releases"))
    def list_releases(request: Request, viewer: CurrentViewer, query: Annotated[ListQuery, Query()]) -> Response:
        """Every release that was published; by night, then revision."""
        with releases.sources.reading() as connection:
            rows = [(_key(row), row) for row in _releases(connection)]
        page, mark = page_of(rows, query)
        newest = max(rows)[1] if rows else {}
        of = {"malam": newest.get("malam"), "rilis": newest.get("release_id"), "versi": newest.get("content_hash", "")}
        return written(request, viewer, Answer(of, [], list(ReleaseRow.model_fields), page, mark))

    @router.get(
        "/releases/{release_id}",
        tags=["release"],
        response_model=ReleaseDocument,
        responses=_ONE_RELEASE,
    )
    def one_release(request: Request, viewer: CurrentViewer, release_id: ReleaseId) -> Response:
        """One release: what is missing in it, and its files with their hashes."""
        release = releases.find(release_id)
        tag = etag(request, viewer, release.manifest["content_hash"], str(release.manifest["built_at"]))
        headers = {**PRIVATE, "ETag": tag, "Vary": "Authorization, Cookie"}
        return unchanged(request, tag) or json_response(_document(release, viewer), headers)

    @router.get("/regions", tags=["reference"], response_model=Envelope[RegionRow], responses=answers("Regions"))
    def regions(request: Request, viewer: CurrentViewer, query: Annotated[RegionQuery, Query()]) -> Response:
        """The regions from the nation down to the desa; `kode_induk` leads down the tree."""
        for parameter in ("kode", "kode_induk", "provinsi"):
            if (code := getattr(query, parameter)) is not None:
                require_shown(viewer, parameter, code)
        tag = etag(request, viewer, VERSION)
        return unchanged(request, tag) or send(request, _region_page(viewer, query), tag)

    @router.get("/definitions", tags=["reference"], response_model=Envelope[Glossary], responses=answers("Columns"))
    def list_definitions(request: Request, viewer: CurrentViewer, query: Annotated[ListQuery, Query()]) -> Response:
        """What every column means, as in definisi.csv: numerator, denominator, unit, lowest public level, words."""
        rows = [((f"{place:04d}",), row) for place, row in enumerate(glossary_rows())]
        page, mark = page_of(rows, query)
        of = {"malam": None, "rilis": None, "versi": "1"}
        return written(request, viewer, Answer(of, [], list(GLOSSARY_COLUMNS), page, mark))

    return router


_ONE_RELEASE = {
    HTTPStatus.NOT_MODIFIED.value: {"description": "Not changed since the answer whose ETag was sent in If-None-Match"},
    **documented(),
}


def _key(row: Mapping[str, Any]) -> tuple[str, ...]:
    return row["malam"].isoformat(), f"{row['revisi']:06d}", row["release_id"]


def _releases(connection: Connection) -> list[dict[str, Any]]:
    table = published_release.c
    query = select(
        table.release_id,
        table.night.label("malam"),
        table.revision.label("revisi"),
        table.content_hash,
        table.published_at.label("diterbitkan"),
        table.rolled_back_at.label("dibatalkan"),
    )
    return [dict(row._mapping) for row in connection.execute(query)]


def _document(release: Release, viewer: Viewer) -> dict[str, Any]:
    own = release.manifest
    return {
        "as_of": release.as_of,
        "missing": release.missing(viewer),
        "release_id": own["release_id"],
        "malam": own["night"],
        "content_hash": own["content_hash"],
        "dibuat": own["built_at"],
        "ditandatangani": own.get("signed_by"),
        "skala": own["scale"],
        "angka_sampai_malam": {code: night for code, night in own["as_of"].items() if viewer.reads(code)},
        "versi": own["versions"],
        "files": own["files"],
    }


def _region_page(viewer: Viewer, query: RegionQuery) -> Answer:
    asked = query.model_dump(include=set(_BY), exclude_none=True)
    first = next((name for name in _BY if name in asked), None)
    found = _regions_by(first).get(asked[first], ()) if first else _all_regions()
    rows = [
        ((row["kode"],), row)
        for row in found
        if viewer.reads(row["provinsi"] or row["kode"]) and all(row[name] == value for name, value in asked.items())
    ]
    page, mark = page_of(rows, query)
    return Answer({"malam": None, "rilis": None, "versi": VERSION}, [], list(RegionRow.model_fields), page, mark)


# What regions can be asked for by; the first that is asked for leads to the fewest.
_BY = ("kode", "kode_induk", "provinsi", "tingkat")


@cache
def _regions_by(column: str) -> Mapping[str, list[dict[str, Any]]]:
    found: defaultdict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in _all_regions():
        found[row[column]].append(row)
    return found


@cache
def _all_regions() -> list[dict[str, Any]]:
    """Every region; of the nation no province is known."""
    return [
        {
            "kode": region.code,
            "nama": region.name,
            "tingkat": region.level,
            "kode_induk": region.parent_code,
            "provinsi": None if region.parent_code is None else province_of_region(region.code),
        }
        for region in region_master().regions.values()
    ]
