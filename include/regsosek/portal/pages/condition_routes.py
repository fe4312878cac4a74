"""Conditions one by one: what each rests on, what was done about it, and what an operator does now."""

import logging
from dataclasses import dataclass
from datetime import date
from typing import Annotated

from fastapi import APIRouter, Form, Request, Response
from sqlalchemy import Connection

from regsosek.alerts.conditions.operator_actions import Act, Verb
from regsosek.alerts.persistence.condition_store import OURS
from regsosek.alerts.persistence.operating import take
from regsosek.errors import DecisionError
from regsosek.portal.login.viewer import viewer_of
from regsosek.portal.pages.form_pages import done, page_with_form, refused, require_own_form
from regsosek.portal.pages.responses import not_found, operator_of, seen_province
from regsosek.portal.sources import Sources
from regsosek.portal.views.notifications import Met, acts_on, condition_named
from regsosek.warehouse.nights.reason import LONGEST_REASON

log = logging.getLogger(__name__)

ADDRESS = "/alerts/conditions/{province}/{kind}/{code}"


def add_condition_routes(portal: APIRouter, sources: Sources) -> None:
    """Adds the page to ``portal``."""
    routes = ConditionRoutes(sources)
    portal.add_api_route(ADDRESS, routes.page)
    portal.add_api_route(ADDRESS, routes.act, methods=["POST"])


@dataclass(frozen=True)
class ConditionRoutes:
    """What each address answers."""

    sources: Sources

    def page(self, request: Request, province: str, kind: str, code: str) -> Response:
        """One condition as it stands now, with the form for operators."""
        name = _seen(request, province, kind, code)
        with self.sources.reading() as connection:
            met, acts = _found(connection, province, name)
        if met.level == "petugas" and not viewer_of(request).sensitive:
            raise not_found()
        return page_with_form(self.sources, request, "condition.html.j2", "/alerts", met=met, acts=acts)

    def act(
        self,
        request: Request,
        province: str,
        kind: str,
        code: str,
        token: Annotated[str, Form(max_length=200)],
        verb: Annotated[Verb, Form()],
        until: Annotated[str, Form(max_length=10)] = "",
        reason: Annotated[str, Form(max_length=LONGEST_REASON)] = "",
    ) -> Response:
        """Writes the act into the journal under the account that is logged in."""
        viewer = operator_of(request)
        name = _seen(request, province, kind, code)
        require_own_form(self.sources, request, token)
        try:
            with self.sources.resources.engine.begin() as connection:
                take(connection, name, verb, by=viewer.name, reason=reason, until=_day(until))
        except DecisionError as error:
            return refused(request, "/alerts", "Not written down", error)
        log.info("condition %s: %s by %s", name, verb, viewer.name)
        return done(request, f"/alerts/conditions/{name}")


def _seen(request: Request, province: str, kind: str, code: str) -> str:
    """The name of a condition that the viewer may see; faults of ours are for operators."""
    if province == OURS:
        operator_of(request)
    else:
        seen_province(request, province)
    return f"{province}/{kind}/{code}"


def _found(connection: Connection, province: str, name: str) -> tuple[Met, list[Act]]:
    met = condition_named(connection, province, name)
    if met is None:
        raise not_found()
    return met, acts_on(connection, province, name)


def _day(until: str) -> date | None:
    try:
        return date.fromisoformat(until) if until else None
    except ValueError:
        raise DecisionError("write the last night as YYYY-MM-DD") from None
