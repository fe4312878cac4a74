"""Paths of the work lists of a province: cases to correct, gaps between streams, appointments, figures of sub-SLS."""

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from sqlalchemy import Connection, text

from regsosek.asking.quarantine import QuarantinedCase, quarantine_page
from regsosek.asking.stream_lists import WorkList, appointment_list, gap_list
from regsosek.geography.calendar import FieldWindow, field_windows
from regsosek.geography.regions import region_master
from regsosek.portal.api.ledger_paths import Keyed, asked_provinces, missing
from regsosek.portal.api.published_paths import require_shown
from regsosek.portal.api.responses import Answer, Envelope, Paging, answers, marked, no_such_page, page_of, written
from regsosek.portal.api.warehouse_shapes import (
    AppointmentRow,
    GapRow,
    ProvinceQuery,
    QuarantineRow,
    SubslsQuery,
    SubslsRow,
)
from regsosek.portal.login.viewer import CurrentViewer, Viewer
from regsosek.portal.shown_cases import enter_shown
from regsosek.portal.sources import Sources
from regsosek.statistics.counts.tree import sub_sls
from regsosek.statistics.definitions.as_of import AsOf, last_refreshed
from regsosek.statistics.definitions.definitions import definitions
from regsosek.warehouse.tables import PROGRESS_MEASURES

ListedBy = Callable[[Connection, str, date, FieldWindow], WorkList]
_NO_PERSONS = [measure for measure in PROGRESS_MEASURES if measure != "persons"]
_FRAME_VERSION = "SELECT string_agg(DISTINCT version, ', ') FROM reference.subsls WHERE province = :province"


def work_paths(sources: Sources) -> APIRouter:
    """The router of the work lists; each is of one province."""
    router = APIRouter(tags=["work"])

    @router.get("/quarantine", response_model=Envelope[QuarantineRow], responses=answers("Cases"))
    def quarantine(request: Request, viewer: CurrentViewer, query: Annotated[ProvinceQuery, Query()]) -> Response:
        """The cases that a province must correct, by id: keys and rules, never answers."""
        [province] = asked_provinces(viewer, query.provinsi)
        with sources.reading() as connection:
            page, mark = _quarantine(connection, viewer, province, query)
            columns = list(QuarantineRow.model_fields)
            answer = _written(request, viewer, connection, sources, province, columns, page, mark)
        # Whoever has the page already is handed nothing.
        if answer.status_code != HTTPStatus.NOT_MODIFIED:
            enter_shown(sources, viewer, "api_quarantine", province, (case["id_dokumen"] for case in page))
        return answer

    @router.get("/gaps", response_model=Envelope[GapRow], responses=answers("Gaps"))
    def gaps(request: Request, viewer: CurrentViewer, query: Annotated[ProvinceQuery, Query()]) -> Response:
        """Where documents, daily counts, tags and verified lists contradict each other, by sub-SLS."""
        return _work_list(sources, request, viewer, query, gap_list, GapRow)

    @router.get("/appointments", response_model=Envelope[AppointmentRow], responses=answers("Appointments"))
    def appointments(request: Request, viewer: CurrentViewer, query: Annotated[ProvinceQuery, Query()]) -> Response:
        """SLS without a verified list, with the days on which their heads are at home."""
        return _work_list(sources, request, viewer, query, appointment_list, AppointmentRow)

    @router.get("/figures/subsls", response_model=Envelope[SubslsRow], responses=answers("Sub-SLS"))
    def subsls(request: Request, viewer: CurrentViewer, query: Annotated[SubslsQuery, Query()]) -> Response:
        """What was visited and completed in each sub-SLS of the frame: for accounts that see the province."""
        [province] = asked_provinces(viewer, query.provinsi)
        if query.kode_induk is not None:
            require_shown(viewer, "kode_induk", query.kode_induk)
        with sources.reading() as connection:
            rows = _subsls(connection, province, query.kode_induk)
            columns = list(SubslsRow.model_fields)
            return _written(request, viewer, connection, sources, province, columns, *page_of(rows, query))

    return router


def _quarantine(
    connection: Connection, viewer: Viewer, province: str, query: Paging
) -> tuple[list[dict[str, Any]], list[str] | None]:
    match marked(query.cursor):
        case None:
            after = ""
        case [str(after)] if after:
            pass
        case _:
            raise no_such_page()
    found = quarantine_page(connection, province, after=after, limit=query.limit + 1)
    page = found[: query.limit]
    return [_case(viewer, case) for case in page], [page[-1].case_id] if len(found) > len(page) else None


def _case(viewer: Viewer, case: QuarantinedCase) -> dict[str, Any]:
    return {
        "id_dokumen": case.case_id,
        "keadaan": case.state,
        "malam": case.night,
        "id_kiriman": case.delivery_id,
        "id_subsls": case.id_subsls,
        "r109_no_bangunan": case.building,
        "r110_no_keluarga": case.family,
        "kode_ppl": case.ppl if viewer.sensitive else None,
        "aturan": list(case.rules),
    }


def _work_list(
    sources: Sources, request: Request, viewer: Viewer, query: ProvinceQuery, listed_by: ListedBy, model: Any
) -> Response:
    [province] = asked_provinces(viewer, query.provinsi)
    windows = field_windows(sources.settings.calendar_file)
    with sources.reading() as connection:
        stands = _as_of(connection, province)
        listed = listed_by(connection, province, stands, windows[province]).rows if stands else ()
        rows = [((str(row["kabkota"]), str(row["kode"]), str(row.get("selisih", ""))), row) for row in listed]
        columns = list(model.model_fields)
        return _written(request, viewer, connection, sources, province, columns, *page_of(rows, query))


def _subsls(connection: Connection, province: str, parent: str | None) -> Keyed:
    stands = _as_of(connection, province)
    version = connection.execute(text(_FRAME_VERSION), {"province": province}).scalar()
    found = sub_sls(connection, AsOf(stands, {province: stands}), province).to_dict("records") if stands else []
    rows = [_subsls_row(each, version) for each in found if parent is None or _lies_in(each["id_desa"], parent)]
    return [((row["kode"],), row) for row in rows]


def _subsls_row(found: Mapping[Any, Any], version: str | None) -> dict[str, Any]:
    own = {"kode": found["id_subsls"], "nama": found["name"], "kode_induk": found["id_desa"]}
    frame = {"kerangka": int(found["families_load"]), "versi_kerangka": version}
    return own | frame | {definitions()[measure].column: int(found[measure]) for measure in _NO_PERSONS}


def _lies_in(desa: str, parent: str) -> bool:
    """Whether a desa is a region, or lies in it, by the region master."""
    regions, code = region_master().regions, desa
    while code and code != parent:
        found = regions.get(code)
        code = (found.parent_code or "") if found else ""
    return bool(code)


def _as_of(connection: Connection, province: str) -> date | None:
    """The last night whose statistics hold everything that a province brought; none before the first."""
    return last_refreshed(connection, date.max).nights.get(province)


def _written(
    request: Request,
    viewer: Viewer,
    connection: Connection,
    sources: Sources,
    province: str,
    columns: Sequence[str],
    page: Sequence[Mapping[str, Any]],
    mark: Sequence[str] | None,
) -> Response:
    night = _as_of(connection, province)
    of = {"malam": night, "rilis": None, "versi": str(night or "")}
    gaps = [each for each in missing(connection, sources.settings, viewer, night) if each["kode"] == province]
    return written(request, viewer, Answer(of, gaps, columns, page, mark))
