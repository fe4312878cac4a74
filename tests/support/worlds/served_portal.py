"""The portal over a published campaign of two provinces with their streams, looked at by any account."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from fastapi import Depends, FastAPI, Request
from fastapi.testclient import TestClient
from sqlalchemy import text

from regsosek.night.discovery import applicable_rules
from regsosek.night.nightly import release
from regsosek.night.reference import load_reference
from regsosek.portal.application import application
from regsosek.portal.login.viewer import Viewer, all_provinces
from regsosek.portal.sources import Sources
from regsosek.quality.rules import load_suites
from regsosek.resources import Resources, open_resources
from regsosek.settings import PROJECT_ROOT, Settings
from regsosek.simulation.field.campaign import Campaign
from regsosek.simulation.output.sinks import BucketSink
from regsosek.simulation.simulate import simulate
from support.worlds.field_world import CompiledJudge, near_regions, receive_province

NIGHTS = [date(2022, 10, 28) + timedelta(days=n) for n in range(2)]
# On the last night 65 is not processed.
HOME, NEIGHBOUR = "19", "65"
API = "/api/v1"


def viewer(*provinces: str, operator: bool = False, sensitive: bool = False) -> Viewer:
    """An account of some provinces."""
    return Viewer("test", frozenset(provinces), operator, sensitive)


NATIONAL = viewer(*all_provinces(), operator=True, sensitive=True)
OFFICE = viewer(HOME)
OFFICERS_TOO = viewer(HOME, sensitive=True)
PUBLIC = viewer()


@dataclass
class Portal:
    """The portal over the resources; ``seen_by`` gives a client of an account."""

    resources: Resources
    app: FastAPI = field(init=False)
    _viewer: Viewer = NATIONAL

    def __post_init__(self) -> None:
        """One application, as one process has it."""

        def login(request: Request) -> None:
            request.state.viewer = self._viewer

        self.app = application(Sources(lambda: self.resources.settings), Depends(login))

    def seen_by(self, account: Viewer) -> TestClient:
        """A client of an account; the one made last asks."""
        self._viewer = account
        return TestClient(self.app, raise_server_exceptions=False)

    def rows(self, query: str, **values: Any) -> list[tuple[Any, ...]]:
        """What the warehouse answers."""
        with self.resources.engine.connect() as connection:
            return [tuple(row) for row in connection.execute(text(query), values)]


@contextmanager
def served_portal(settings: Settings) -> Iterator[Portal]:
    """Simulates, receives and publishes the nights of both provinces."""
    suites = load_suites(PROJECT_ROOT / "expectations")
    former, applicable_rules.Judge = applicable_rules.Judge, CompiledJudge
    try:
        with open_resources(settings) as resources:
            sink = BucketSink(resources.store, settings.landing_bucket)
            simulate(Campaign(scale=0.001, streams=True), sink, nights=NIGHTS, provinces=[HOME, NEIGHBOUR])
            with near_regions(HOME, NEIGHBOUR):
                load_reference(resources)
            for night in NIGHTS:
                for province in (HOME, NEIGHBOUR):
                    if (province, night) != (NEIGHBOUR, NIGHTS[-1]):
                        receive_province(resources, province, night, suites)
                release(resources, night)
            yield Portal(resources)
    finally:
        applicable_rules.Judge = former
