"""The pages that answer operators: one province, quarantine, steps, alerts, corrections, releases, runs."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Annotated

from fastapi import APIRouter, Path, Request, Response
from sqlalchemy import Connection

from regsosek.alerts.outbox.operating import outbox_lines
from regsosek.asking.quarantine import QUARANTINED, Quarantined, quarantined_cases, waiting_by_night, waiting_by_rule
from regsosek.geography.planning import windows_of
from regsosek.geography.regions import NATION
from regsosek.portal.login.viewer import viewer_of
from regsosek.portal.pages import pages
from regsosek.portal.pages.airflow_links import CLEAR_ADDRESS, DAG_ADDRESS, TRIGGER_ADDRESS
from regsosek.portal.pages.responses import frame_of, html, not_found, operator_of, seen_province
from regsosek.portal.shown_cases import enter_shown
from regsosek.portal.sources import Sources
from regsosek.portal.views.corrections import changed, journal
from regsosek.portal.views.delivery_rows import deliveries_of
from regsosek.portal.views.night_rows import last_nights, read_nights
from regsosek.portal.views.notifications import (
    conditions_of,
    faults_of_ours,
    last_acts,
    message,
    messages,
    newest,
    without_officers,
)
from regsosek.portal.views.quarantine import AGES, waiting_by_province
from regsosek.portal.views.regions import SHOWN_MEASURES, province_of_region, region_parts
from regsosek.portal.views.releases import release_lines
from regsosek.portal.views.repair_counts import repairs_of_nights
from regsosek.portal.views.steps import STEPS, ProvinceSteps, receptions, steps_of_nights
from regsosek.release.lifecycle.current_release import standing_release
from regsosek.release.lifecycle.pointer import seen
from regsosek.statistics.definitions.definitions import definitions
from regsosek.warehouse.nights.holding import held_deliveries
from regsosek.warehouse.nights.task_runs import task_runs

# What the warehouse counts messages with; a number beyond it is none.
MessageId = Annotated[int, Path(ge=1, le=2**63 - 1)]
SHOWN_CASES = 100
SHOWN_STEPS = 10


def add_operator_routes(portal: APIRouter, sources: Sources) -> None:
    """Adds the pages to ``portal``."""
    routes = OperatorRoutes(sources)
    portal.add_api_route("/provinces/{province}", routes.province)
    portal.add_api_route("/regions/{code}", routes.region)
    portal.add_api_route("/quarantine", routes.quarantine)
    portal.add_api_route("/quarantine/{province}/{dataset}", routes.quarantine_of)
    portal.add_api_route("/steps", routes.steps)
    portal.add_api_route("/alerts", routes.alerts)
    portal.add_api_route("/alerts/{message_id}", routes.alert)
    portal.add_api_route("/corrections", routes.corrections)
    portal.add_api_route("/releases", routes.releases)
    portal.add_api_route("/run/{province}/{night}", routes.run)


@dataclass(frozen=True)
class OperatorRoutes:
    """What each address answers."""

    sources: Sources

    def province(self, request: Request, province: str) -> Response:
        """All of one province: its last nights, deliveries, what it was told, what waits, and where its logs are."""
        own = {seen_province(request, province)}
        settings = self.sources.settings
        with self.sources.reading() as connection:
            nights = self._nights(connection)
            windows = windows_of(settings)
            states = [state.seen_by(viewer_of(request)) for state in read_nights(connection, nights, windows)]
            values = {
                "province": province,
                "nights": states,
                "lines": deliveries_of(connection, nights, own),
                "repairs": repairs_of_nights(connection, nights),
                "held": held_deliveries(connection, province=province),
                "told": messages(connection, own, nights=nights),
                "met": newest(conditions_of(connection, nights, own)),
                "waiting": waiting_by_province(connection, own, nights[0])[0] if nights else None,
                "runs": receptions(task_runs(connection, nights, [NATION, province]), province),
                "corrected": changed(connection, nights, own),
            }
        return html(pages.page("province.html.j2", frame_of(request, "/"), **values))

    def region(self, request: Request, code: str) -> Response:
        """The parts of a region with all that is known of them, down to the sub-SLS."""
        seen_province(request, province_of_region(code) or code)
        with self.sources.reading() as connection:
            region = region_parts(connection, code)
        if region is None:
            raise not_found()
        named = {name: definitions()[name].name.en for name in ("visited_of_frame", "frame_families", *SHOWN_MEASURES)}
        return html(
            pages.page("region.html.j2", frame_of(request, "/"), region=region, measures=SHOWN_MEASURES, names=named)
        )

    def quarantine(self, request: Request) -> Response:
        """What waits in quarantine, by province and age."""
        with self.sources.reading() as connection:
            nights = self._nights(connection)
            seen_by = viewer_of(request).provinces
            waiting = waiting_by_province(connection, seen_by, nights[0]) if nights else []
        ages = [name for _, name in AGES]
        return html(
            pages.page(
                "quarantine.html.j2", frame_of(request, "/quarantine"), nights=nights, waiting=waiting, ages=ages
            )
        )

    def quarantine_of(self, request: Request, province: str, dataset: Quarantined, rule: str = "") -> Response:
        """What of one dataset of a province waits, by rule and by night, and the cases that wait longest."""
        seen_province(request, province)
        with self.sources.reading() as connection:
            found = quarantined_cases(connection, province, rule, dataset=dataset, most=SHOWN_CASES, oldest_first=True)
            cases = list(found)
            values = {
                "rules": waiting_by_rule(connection, province, dataset),
                "since": waiting_by_night(connection, province, dataset),
            }
        seen_cases = (case.case_id for case in cases)
        enter_shown(self.sources, viewer_of(request), "portal_quarantine", province, seen_cases, dataset)
        shown = {"province": province, "dataset": dataset, "datasets": QUARANTINED, "rule": rule, "most": SHOWN_CASES}
        frame = frame_of(request, "/quarantine")
        return html(pages.page("quarantine_of.html.j2", frame, cases=cases, **values, **shown))

    def steps(self, request: Request, night: date | None = None) -> Response:
        """How long each step took and how much memory, of one of the last nights; the slowest of all of them."""
        viewer = operator_of(request)
        with self.sources.reading() as connection:
            nights = self._nights(connection)
            if night is not None and night not in nights:
                raise not_found()
            found, of_nation = steps_of_nights(connection, nights, viewer.provinces)
        night = night or (nights[0] if nights else None)
        values = {
            "nights": sorted(nights),
            "night": night,
            "steps": STEPS,
            "provinces": [each for each in found if each.night == night],
            "of_nation": [run for run in of_nation if run.night == night],
            "slowest": _slowest(found),
        }
        return html(pages.page("steps.html.j2", frame_of(request, "/steps"), **values))

    def alerts(self, request: Request) -> Response:
        """What the provinces and the platform team were told of the last nights."""
        viewer = viewer_of(request)
        with self.sources.reading() as connection:
            nights = self._nights(connection)
            told = messages(connection, viewer.provinces, nights=nights, platform=viewer.operator)
            values = {
                "met": newest(conditions_of(connection, nights, viewer.provinces)),
                "ours": faults_of_ours(connection) if viewer.operator else [],
                "acts": last_acts(connection, viewer.provinces, ours=viewer.operator, officers=viewer.sensitive),
            }
        return html(pages.page("alerts.html.j2", frame_of(request, "/alerts"), told=told, nights=nights, **values))

    def alert(self, request: Request, message_id: MessageId) -> Response:
        """One message as it was sent, or will be, and the conditions behind it."""
        viewer = viewer_of(request)
        with self.sources.reading() as connection:
            found = message(connection, message_id, viewer.provinces, platform=viewer.operator)
            if found is None:
                raise not_found()
            if not viewer.sensitive:
                found = without_officers(connection, found)
            met = conditions_of(connection, [found.night], {found.province}) if found.province else []
            whom = outbox_lines(connection, message=message_id) if viewer.operator else []
        return html(pages.page("alert.html.j2", frame_of(request, "/alerts"), told=found, met=met, reached=whom))

    def corrections(self, request: Request) -> Response:
        """What the last nights changed of what was known before, and the journal of decisions."""
        viewer = viewer_of(request)
        with self.sources.reading() as connection:
            nights = self._nights(connection)
            found = changed(connection, nights, viewer.provinces)
            events = journal(connection, nights, {*viewer.provinces, *([NATION] if viewer.operator else [])})
        return html(
            pages.page(
                "corrections.html.j2", frame_of(request, "/corrections"), changed=found, journal=events, nights=nights
            )
        )

    def releases(self, request: Request) -> Response:
        """The history of releases."""
        operator_of(request)
        store, bucket = self.sources.store, self.sources.settings.release_bucket
        with self.sources.reading() as connection:
            lines = release_lines(connection, seen(store, bucket))
            standing = standing_release(connection, store, bucket)
        return html(pages.page("releases.html.j2", frame_of(request, "/releases"), lines=lines, standing=standing))

    def run(self, request: Request, province: str, night: date) -> Response:
        """A run of one province and night, to be asked of Airflow with everything filled in."""
        operator_of(request)
        seen_province(request, province)
        with self.sources.reading() as connection:
            runs = receptions(task_runs(connection, [night], [NATION, province]), province)
        addresses = {"dag": DAG_ADDRESS, "trigger": TRIGGER_ADDRESS, "clear": CLEAR_ADDRESS}
        return html(
            pages.page(
                "run.html.j2", frame_of(request, "/"), province=province, night=night, last=runs.get(night), **addresses
            )
        )

    def _nights(self, connection: Connection) -> list[date]:
        return last_nights(connection, self.sources.settings.operator_nights)


def _slowest(found: Sequence[ProvinceSteps]) -> list[tuple[ProvinceSteps, str]]:
    """The slowest steps of all nights and provinces: whose they are, and their names."""
    every = [(each, step) for each in found for step in each.steps]
    return sorted(every, key=lambda one: -one[0].steps[one[1]].seconds)[:SHOWN_STEPS]
