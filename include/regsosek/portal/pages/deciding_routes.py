"""Held deliveries: why each is held, and an operator's decision about it, recorded here and carried out by a run.

The API server answers in seconds, freeing takes as long as receiving did: a decision is written to archive and journal
as the command line writes it, and the next run of the province carries it out.
"""

import importlib
import logging
from dataclasses import dataclass
from typing import Annotated, Literal

from fastapi import APIRouter, Form, Request, Response
from sqlalchemy import Connection

from regsosek.asking.deliveries import DeliveryDetail, delivery_detail
from regsosek.errors import DecisionError, ProvinceBusyError
from regsosek.portal.login.viewer import viewer_of
from regsosek.portal.pages import pages
from regsosek.portal.pages.form_pages import done, page_with_form, refused, require_own_form
from regsosek.portal.pages.responses import frame_of, html, not_found, operator_of, seen_province
from regsosek.portal.shown_cases import enter_shown
from regsosek.portal.sources import Sources
from regsosek.portal.views.decisions import decided
from regsosek.portal.views.night_rows import last_nights
from regsosek.quality.rules import load_suites
from regsosek.warehouse.nights.holding import held_deliveries
from regsosek.warehouse.nights.reason import LONGEST_REASON

log = logging.getLogger(__name__)

Verb = Literal["free", "reject", "retry"]
SHOWN_FAMILIES = 500
VERDICTS = {"free": "freed", "reject": "rejected", "retry": "retried"}


def add_deciding_routes(portal: APIRouter, sources: Sources) -> None:
    """Adds the pages to ``portal``."""
    routes = DecidingRoutes(sources)
    portal.add_api_route("/held", routes.held)
    portal.add_api_route("/deliveries/{province}/{delivery_id}", routes.delivery)
    portal.add_api_route("/deliveries/{province}/{delivery_id}/{verb}", routes.form)
    portal.add_api_route("/deliveries/{province}/{delivery_id}/{verb}", routes.decide, methods=["POST"])


@dataclass(frozen=True)
class DecidingRoutes:
    """What each address answers."""

    sources: Sources

    def held(self, request: Request) -> Response:
        """What waits for a decision, and the last decisions."""
        seen = viewer_of(request).provinces
        with self.sources.reading() as connection:
            values = {
                "held": [each for each in held_deliveries(connection) if each.province in seen],
                "decided": decided(connection, seen),
                "shown_nights": last_nights(connection, self.sources.settings.operator_nights),
            }
        return html(pages.page("held.html.j2", frame_of(request, "/held"), **values))

    def delivery(self, request: Request, province: str, delivery_id: str) -> Response:
        """One delivery: shares and limits, rules by violations, kab/kota, and what was decided."""
        with self.sources.reading() as connection:
            detail = _detail(connection, seen_province(request, province), delivery_id)
            nights = last_nights(connection, self.sources.settings.operator_nights)
        withdrawn = detail.withdrawn[:SHOWN_FAMILIES]
        seen_cases = (family.case_id for family in withdrawn)
        enter_shown(self.sources, viewer_of(request), "portal_delivery", province, seen_cases, delivery_id)
        values = {"detail": detail, "line": detail.line, "nights": nights, "withdrawn": withdrawn}
        return html(pages.page("delivery.html.j2", frame_of(request, "/held"), **values))

    def form(self, request: Request, province: str, delivery_id: str, verb: Verb) -> Response:
        """What a decision will do, and the form that takes it."""
        operator_of(request)
        with self.sources.reading() as connection:
            detail = _detail(connection, seen_province(request, province), delivery_id)
        values = {"detail": detail, "line": detail.line, "verb": verb}
        return page_with_form(self.sources, request, "decide.html.j2", "/held", **values)

    def decide(
        self,
        request: Request,
        province: str,
        delivery_id: str,
        verb: Verb,
        token: Annotated[str, Form(max_length=200)],
        reason: Annotated[str, Form(max_length=LONGEST_REASON)] = "",
    ) -> Response:
        """Records the decision under the account that is logged in."""
        viewer = operator_of(request)
        seen_province(request, province)
        require_own_form(self.sources, request, token)
        settings = self.sources.settings
        # Its room brings Great Expectations with it, which takes seconds: imported when somebody decides.
        deciding = importlib.import_module("regsosek.night.deciding")
        try:
            deciding.record(
                self.sources.resources, province, delivery_id, VERDICTS[verb], load_suites(settings.expectations_dir),
                by=viewer.name, reason=reason,
            )  # fmt: skip
        except (DecisionError, ProvinceBusyError) as error:
            return refused(request, "/held", "Not decided", error)
        log.info("delivery %s of province %s %s by %s", delivery_id, province, VERDICTS[verb], viewer.name)
        return done(request, f"/deliveries/{province}/{delivery_id}")


def _detail(connection: Connection, province: str, delivery_id: str) -> DeliveryDetail:
    """The delivery of ``province``; another province's with that id is another."""
    try:
        return delivery_detail(connection, province, delivery_id)
    except DecisionError:
        raise not_found() from None
