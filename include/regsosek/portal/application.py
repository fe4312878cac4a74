"""The portal's routes: each reads what its page shows, renders it, and is closed to whoever is not logged in."""

import importlib
import logging
import mimetypes
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Literal, Protocol, TypeVar

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.params import Depends
from fastapi.responses import HTMLResponse
from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError
from starlette.exceptions import HTTPException as RoutingError

from regsosek.errors import AccessError, RegsosekError
from regsosek.geography.calendar import planned_windows
from regsosek.portal import pages
from regsosek.portal.accounts import SETTING
from regsosek.portal.api.application import api
from regsosek.portal.api.problems import refused
from regsosek.portal.deliveries import deliveries_of_night
from regsosek.portal.nights import last_nights, read_night, read_nights, seen_by
from regsosek.portal.pages import Brought, Frame
from regsosek.portal.published import shown_file
from regsosek.portal.repairs import repairs_of_night
from regsosek.portal.sources import Sources
from regsosek.portal.validation import Validation, read_validation
from regsosek.portal.viewer import CurrentViewer, Viewer
from regsosek.portal.wording import sentence
from regsosek.release.publication import file_of_release
from regsosek.release.site.policy import POLICY
from regsosek.warehouse.holding import held_deliveries

log = logging.getLogger(__name__)

# Pages carry their styles with them, run nothing, and stand in no frame but Airflow's own.
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; img-src 'self' data:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'self'",
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
# The release's own pages load the files beside them; they name the same policy themselves.
RELEASE_HEADERS = {**HEADERS, "Content-Security-Policy": f"{POLICY}; frame-ancestors 'self'"}
FORBIDDEN, NOT_FOUND, UNAVAILABLE = 403, 404, 503
API = "/api/v1"
SAID = {
    401: ("Not signed in", "Sign in to Airflow first, then open this page again."),
    FORBIDDEN: ("Not allowed", "Your Airflow account may not see this page."),
    NOT_FOUND: ("Not found", "There is no such page, or it is older than the nights that are shown."),
}
NOT_POSSIBLE = ("Not possible", "The page cannot be shown.")


def application(sources: Sources, login: Depends) -> FastAPI:
    """The portal over ``sources``: pages, and the API under :data:`API`.

    ``login`` stands before every route of both and leaves a :class:`Viewer` on the request. No schema or documentation
    is served of the pages.
    """
    portal = FastAPI(dependencies=[login], openapi_url=None, docs_url=None, redoc_url=None)
    routes = Routes(sources)
    portal.add_api_route("/", routes.board)
    portal.add_api_route("/nights/{night}", routes.night)
    portal.add_api_route("/nights/{night}/{province}/{dataset}", routes.data_docs)
    portal.add_api_route("/releases/{release_id}/{name:path}", routes.release_file)
    # Dependencies do not reach what is mounted: the API has the login before its own routes.
    portal.mount(API, api(sources, login))
    portal.add_exception_handler(RoutingError, _refused)
    portal.add_exception_handler(AccessError, _no_access)
    portal.add_exception_handler(RequestValidationError, _misread)
    portal.add_exception_handler(SQLAlchemyError, _no_warehouse)
    portal.add_exception_handler(RegsosekError, _fault)
    return portal


@dataclass(frozen=True)
class Routes:
    """What each address of the portal answers."""

    sources: Sources

    def board(self, request: Request, viewer: CurrentViewer) -> Response:
        """The nights of the provinces that an account sees."""
        _require_provinces(viewer)
        settings = self.sources.settings
        with self.sources.reading() as connection:
            nights = last_nights(connection, settings.operator_nights)
            states = read_nights(connection, nights, planned_windows(settings.calendar_file, settings.plan_file))
            states = [seen_by(viewer, state) for state in states]
            return _html(pages.board(_frame(request), states, _seen(viewer, held_deliveries(connection))))

    def night(self, request: Request, viewer: CurrentViewer, night: date) -> Response:
        """One of the last nights."""
        _require_provinces(viewer)
        settings = self.sources.settings
        with self.sources.reading() as connection:
            nights = self._last_nights(connection, including=night)
            state = read_night(connection, night, planned_windows(settings.calendar_file, settings.plan_file))
            brought = Brought(
                _seen(viewer, deliveries_of_night(connection, night)),
                _seen(viewer, held_deliveries(connection)),
                repairs_of_night(connection, night),
            )
            return _html(pages.night_page(_frame(request), seen_by(viewer, state), brought, nights))

    def data_docs(
        self,
        request: Request,
        viewer: CurrentViewer,
        night: date,
        province: str,
        dataset: Literal["keluarga", "anggota", "progres", "geotag", "rekap_vk"],
    ) -> Response:
        """The Data Docs of a province's night; only the last nights have any."""
        if not viewer.sees(province):
            raise RoutingError(NOT_FOUND)
        bucket = self.sources.settings.archive_bucket
        with self.sources.reading() as connection:
            self._last_nights(connection, including=night)
            validation = read_validation(
                connection, self.sources.store, bucket, province=province, night=night, dataset=dataset
            )
        if validation is None:
            raise RoutingError(NOT_FOUND)
        return _html(pages.data_docs_page(_frame(request), validation, rendered(validation)))

    def release_file(self, viewer: CurrentViewer, release_id: str, name: str) -> Response:
        """A file of a release as it was published; to the account of a province, its own rows of a table."""
        content = shown_file(viewer, name, lambda: self._file(release_id, name))
        if not content:
            raise RoutingError(NOT_FOUND)
        kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
        return Response(content, media_type=kind, headers=RELEASE_HEADERS)

    def _file(self, release_id: str, name: str) -> bytes | None:
        with self.sources.reading() as connection:
            file = file_of_release(connection, release_id, name)
        bucket = self.sources.settings.release_bucket
        return None if file is None else self.sources.store.get_bytes(bucket, file.key, max_bytes=file.bytes)

    def _last_nights(self, connection: Connection, *, including: date) -> list[date]:
        nights = last_nights(connection, self.sources.settings.operator_nights)
        if including not in nights:
            raise RoutingError(NOT_FOUND)
        return nights


class OfProvince(Protocol):
    """What is said of one province."""

    @property
    def province(self) -> str:
        """Its code."""
        ...


Line = TypeVar("Line", bound=OfProvince)


def _seen(viewer: Viewer, lines: Iterable[Line]) -> list[Line]:
    return [line for line in lines if viewer.sees(line.province)]


def _require_provinces(viewer: Viewer) -> None:
    if not viewer.provinces:
        raise AccessError(
            "your Airflow account reads what is published and sees no nights; ask the platform team for a line in the "
            f"file that {SETTING} names"
        )


def rendered(validation: Validation) -> str:
    """The Data Docs of ``validation``; imports Great Expectations when the first are asked for: it takes seconds."""
    sections: str = importlib.import_module("regsosek.portal.data_docs").render_sections(validation)
    return sections


def _frame(request: Request) -> Frame:
    return Frame(base=str(request.scope.get("root_path", "")), read_at=datetime.now(UTC))


def _html(page: str, status: int = 200) -> Response:
    return HTMLResponse(page, status_code=status, headers=HEADERS)


def _refused(request: Request, error: Exception) -> Response:
    # A path with a line break in it reaches nothing that is mounted.
    if request.url.path.removeprefix(_frame(request).base).startswith(f"{API}/"):
        return refused(request, error)
    status = error.status_code if isinstance(error, RoutingError) else NOT_FOUND
    return _html(pages.message(_frame(request), *SAID.get(status, NOT_POSSIBLE)), status)


def _no_access(request: Request, error: Exception) -> Response:
    return _html(pages.message(_frame(request), SAID[FORBIDDEN][0], sentence(f"{error}.")), FORBIDDEN)


def _misread(request: Request, error: Exception) -> Response:  # noqa: ARG001 - signature of the framework
    return _html(pages.message(_frame(request), *SAID[NOT_FOUND]), NOT_FOUND)


def _no_warehouse(request: Request, error: Exception) -> Response:
    # The message is withheld: it may quote what the warehouse was given.
    log.error("the portal cannot read the warehouse: %s", type(error).__name__)
    told = "The warehouse does not answer. Look at its server and at REGSOSEK_WAREHOUSE_URL of Airflow's API server."
    return _html(pages.message(_frame(request), "No warehouse", told), UNAVAILABLE)


def _fault(request: Request, error: Exception) -> Response:
    log.error("the portal cannot answer: %s", error)
    return _html(pages.message(_frame(request), type(error).__name__, str(error)), UNAVAILABLE)
