"""The portal's routes: each reads what its page shows, renders it, and is closed to whoever is not logged in."""

import importlib
import logging
import mimetypes
from dataclasses import dataclass
from datetime import date

from fastapi import APIRouter, FastAPI, Request, Response
from fastapi import Depends as Needs
from fastapi.exceptions import RequestValidationError
from fastapi.params import Depends
from pandas.errors import DatabaseError
from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError
from starlette.exceptions import HTTPException as RoutingError

from regsosek.contract.codebook import AnyDataset
from regsosek.errors import AccessError, ObjectStoreError, RegsosekError
from regsosek.geography.planning import windows_of
from regsosek.portal.access_log import AccessLog
from regsosek.portal.api.application import api
from regsosek.portal.api.problems import NO_STORE, NO_STORE_FIX, refused
from regsosek.portal.login.viewer import CurrentViewer
from regsosek.portal.pages import pages
from regsosek.portal.pages.condition_routes import add_condition_routes
from regsosek.portal.pages.deciding_routes import add_deciding_routes
from regsosek.portal.pages.operator_routes import add_operator_routes
from regsosek.portal.pages.pages import Brought
from regsosek.portal.pages.responses import (
    HEADERS,
    NOT_FOUND,
    frame_of,
    html,
    not_found,
    require_provinces,
    seen_province,
)
from regsosek.portal.readable import require_readable
from regsosek.portal.sources import Sources
from regsosek.portal.views.delivery_rows import deliveries_of
from regsosek.portal.views.night_rows import last_nights, read_night, read_nights
from regsosek.portal.views.published import shown_file
from regsosek.portal.views.repair_counts import repairs_of_nights
from regsosek.portal.views.state_words import sentence
from regsosek.portal.views.validation import Validation, read_validation
from regsosek.release.lifecycle.current_release import standing_release
from regsosek.release.lifecycle.publication import file_of_release
from regsosek.release.site.policy import POLICY
from regsosek.telemetry.logs import guard_records, guard_structlog
from regsosek.warehouse.nights.holding import held_deliveries

log = logging.getLogger(__name__)

API = "/api/v1"
# The release's own pages load the files beside them; they name the same policy themselves.
RELEASE_HEADERS = {**HEADERS, "Content-Security-Policy": f"{POLICY}; frame-ancestors 'self'"}
FORBIDDEN, UNAVAILABLE = 403, 503
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
    guard_records()
    guard_structlog()
    portal = FastAPI(dependencies=[login, Needs(require_readable)], openapi_url=None, docs_url=None, redoc_url=None)
    routes = Routes(sources)
    nights = APIRouter(dependencies=[Needs(require_provinces)])
    nights.add_api_route("/", routes.board)
    nights.add_api_route("/nights/{night}", routes.night)
    nights.add_api_route("/nights/{night}/{province}/{dataset}", routes.data_docs)
    add_operator_routes(nights, sources)
    add_deciding_routes(nights, sources)
    add_condition_routes(nights, sources)
    portal.include_router(nights)
    portal.add_api_route("/releases/{release_id}/{name:path}", routes.release_file)
    portal.add_api_route("/script.js", routes.script)
    portal.add_middleware(AccessLog)
    # Dependencies do not reach what is mounted: the API has the login before its own routes.
    portal.mount(API, api(sources, login))
    portal.add_exception_handler(RoutingError, _refused)
    portal.add_exception_handler(AccessError, _no_access)
    portal.add_exception_handler(RequestValidationError, _misread)
    portal.add_exception_handler(SQLAlchemyError, _no_warehouse)
    portal.add_exception_handler(DatabaseError, _no_warehouse)  # pandas' own, an OSError
    portal.add_exception_handler(ObjectStoreError, _no_store)
    portal.add_exception_handler(RegsosekError, _fault)
    return portal


@dataclass(frozen=True)
class Routes:
    """What each address of the portal answers."""

    sources: Sources

    def board(self, request: Request, viewer: CurrentViewer) -> Response:
        """The nights of the provinces that an account sees."""
        settings = self.sources.settings
        with self.sources.reading() as connection:
            nights = last_nights(connection, settings.operator_nights)
            states = read_nights(connection, nights, windows_of(settings))
            seen = [state.seen_by(viewer) for state in states]
            held = held_deliveries(connection)
            standing = standing_release(connection, self.sources.store, settings.release_bucket)
        own = [each for each in held if viewer.sees(each.province)]
        return html(pages.board(frame_of(request, "/"), seen, own, standing))

    def night(self, request: Request, viewer: CurrentViewer, night: date) -> Response:
        """One of the last nights."""
        settings = self.sources.settings
        with self.sources.reading() as connection:
            nights = self._last_nights(connection, including=night)
            state = read_night(connection, night, windows_of(settings))
            lines = deliveries_of(connection, [night], viewer.provinces)
            brought = Brought(lines, held_deliveries(connection), repairs_of_nights(connection, [night]))
        return html(pages.night_page(frame_of(request, "/"), state.seen_by(viewer), brought, nights))

    def data_docs(
        self,
        request: Request,
        night: date,
        province: str,
        dataset: AnyDataset,
    ) -> Response:
        """The Data Docs of a province's night; only the last nights have any."""
        seen_province(request, province)
        bucket = self.sources.settings.archive_bucket
        with self.sources.reading() as connection:
            self._last_nights(connection, including=night)
            validation = read_validation(
                connection, self.sources.store, bucket, province=province, night=night, dataset=dataset
            )
        if validation is None:
            raise not_found()
        return html(pages.data_docs_page(frame_of(request, "/"), validation, rendered(validation)))

    def release_file(self, viewer: CurrentViewer, release_id: str, name: str) -> Response:
        """A file of a release as it was published; to the account of a province its own pages and rows."""
        content = shown_file(viewer, name, lambda: self._file(release_id, name))
        if not content:
            raise not_found()
        kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
        return Response(content, media_type=kind, headers=RELEASE_HEADERS)

    def _file(self, release_id: str, name: str) -> bytes | None:
        with self.sources.reading() as connection:
            file = file_of_release(connection, release_id, name)
        bucket = self.sources.settings.release_bucket
        return None if file is None else self.sources.store.get_bytes(bucket, file.key, max_bytes=file.bytes)

    def script(self) -> Response:
        """What leads from the pages to Airflow's own, and asks Airflow for runs."""
        return Response(pages.script(), media_type="text/javascript", headers=HEADERS)

    def _last_nights(self, connection: Connection, *, including: date) -> list[date]:
        nights = last_nights(connection, self.sources.settings.operator_nights)
        if including not in nights:
            raise not_found()
        return nights


def rendered(validation: Validation) -> str:
    """The Data Docs of ``validation``; imports Great Expectations when the first are asked for: it takes seconds."""
    sections: str = importlib.import_module("regsosek.portal.pages.data_docs").render_sections(validation)
    return sections


def _refused(request: Request, error: Exception) -> Response:
    # A path with a line break in it reaches nothing that is mounted.
    if request.url.path.removeprefix(frame_of(request).base).startswith(f"{API}/"):
        return refused(request, error)
    status = error.status_code if isinstance(error, RoutingError) else NOT_FOUND
    return html(pages.message(frame_of(request), *SAID.get(status, NOT_POSSIBLE)), status)


def _no_access(request: Request, error: Exception) -> Response:
    return html(pages.message(frame_of(request), SAID[FORBIDDEN][0], sentence(f"{error}.")), FORBIDDEN)


def _misread(request: Request, error: Exception) -> Response:  # noqa: ARG001 - signature of the framework
    return html(pages.message(frame_of(request), *SAID[NOT_FOUND]), NOT_FOUND)


def _no_warehouse(request: Request, error: Exception) -> Response:
    # The message is withheld: it may quote what the warehouse was given.
    log.error("the portal cannot read the warehouse: %s", type(error).__name__)
    told = "The warehouse does not answer. Look at its server and at REGSOSEK_WAREHOUSE_URL of Airflow's API server."
    return html(pages.message(frame_of(request), "No warehouse", told), UNAVAILABLE)


def _no_store(request: Request, error: Exception) -> Response:
    # The words are for the log alone: they name bucket and key, and repeat what the store said.
    log.error("the portal cannot read the object store: %s", error)
    told = f"{NO_STORE} {sentence(f'{NO_STORE_FIX}.')}"
    return html(pages.message(frame_of(request), "No object store", told), UNAVAILABLE)


def _fault(request: Request, error: Exception) -> Response:
    log.error("the portal cannot answer: %s", error)
    return html(pages.message(frame_of(request), type(error).__name__, str(error)), UNAVAILABLE)
