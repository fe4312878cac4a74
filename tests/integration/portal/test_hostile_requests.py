"""Whatever is sent to pages and API is answered with 4xx or what was asked, never as if we had failed."""

import base64
import json
import logging
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

import httpx
import pytest
from fastapi import Depends, Request
from fastapi.routing import APIRoute
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.routing import Mount

from regsosek.portal import access_log
from regsosek.portal.application import application
from regsosek.portal.login.viewer import Viewer
from regsosek.portal.sources import Sources
from regsosek.resources import open_resources
from regsosek.settings import Settings
from regsosek.warehouse.migration import migrate
from support.checks.matrix import examples
from support.worlds.portal_viewers import EVERY, office

NATIONAL = Viewer("sari", EVERY, operator=True, sensitive=True)
NASTY = [
    "", "\0", "64\0", "\ud800", "9" * 30, str(2**63), "-1", "0", "nan", "../../x", "' OR 1=1 --", "a\r\nX-B: c",
    "\u202e64", "\uff16\uff14", "é" * 300, "2022-10-22", "2022-13-45", "9999-12-31", "a/b",
]  # fmt: skip
RELEASE = "2022-10-22-0123456789ab"
CURSORS: list[Any] = [
    ["../../regsosek-archive/x", 1], ["\ud800", 1], ["\0"], [RELEASE, 10**30], [f"{RELEASE}\n", 1], [RELEASE, True],
    [True, True], [None], [[["x"]]], {}, 1, ["x" * 200],
]  # fmt: skip
OURS = ("psycopg", "sqlalchemy", "botocore", "REGSOSEK_WAREHOUSE_URL", "Traceback", "InvalidArgument")


@dataclass
class Site:
    """The portal over a warehouse and buckets without anything in them; ``viewer`` is who asks."""

    client: TestClient
    routes: list[APIRoute]
    buckets: tuple[str, ...]
    viewer: Viewer = NATIONAL

    def require_refused(self, answer: httpx.Response) -> None:
        """Fails where the fault is ours, or where an answer tells of what lies behind."""
        assert answer.status_code < 500, (answer.request.method, answer.request.url, answer.text)
        told = [word for word in (*OURS, *self.buckets) if word in answer.text]
        assert not told, (answer.request.url, told)

    def send(self, route: APIRoute, value: str, province: str) -> httpx.Response:
        """A request to a route with ``value`` in each place, query and field but that of the province."""
        path = _prefix(route) + route.path
        for each in route.dependant.path_params:
            filled = _quoted(province if each.name == "province" else value)
            path = path.replace(f"{{{each.name}:path}}", filled).replace(f"{{{each.name}}}", filled)
        named = {field for each in route.dependant.query_params for field in _fields(each)}
        query = "&".join(f"{name}={_quoted(province if name == 'provinsi' else value)}" for name in sorted(named))
        [method] = route.methods
        return self.client.request(method, f"{path}?{query}", **(_form(value) if method == "POST" else {}))


def _form(value: str) -> dict[str, Any]:
    form = {"token": f"9999999999.{value}", "verb": "ack", "until": value, "reason": value}
    encoded = {name: each.encode("utf-8", "surrogatepass") for name, each in form.items()}
    kind = {"Content-Type": "application/x-www-form-urlencoded", "Sec-Fetch-Site": "same-origin"}
    return {"content": urlencode(encoded), "headers": kind}


def _prefix(route: APIRoute) -> str:
    return "/api/v1" if route.tags or route.path == "/openapi.json" else ""


def _quoted(value: str) -> str:
    return quote(value.encode("utf-8", "surrogatepass"), safe="")


def _fields(parameter: Any) -> list[str]:
    """The names of a query: one of its own, or the fields of the model that tells it."""
    fields = getattr(parameter.field_info.annotation, "model_fields", None)
    return [parameter.alias] if fields is None else list(fields)


@pytest.fixture(scope="module")
def site(services_env: Settings) -> Iterator[Site]:
    with open_resources(services_env) as resources:
        migrate(resources.engine)
        buckets = (services_env.landing_bucket, services_env.archive_bucket, services_env.release_bucket)

        def login(request: Request) -> None:
            request.state.viewer = found.viewer

        app = application(Sources(lambda: resources.settings), Depends(login))
        mounted = [each.app for each in app.routes if isinstance(each, Mount)]
        every = [*app.routes, *(route for each in mounted for route in each.routes)]
        routes = [route for route in every if isinstance(route, APIRoute)]
        found = Site(TestClient(app, raise_server_exceptions=False, follow_redirects=False), routes, buckets)
        yield found


@pytest.mark.parametrize("value", NASTY, ids=repr)
def test_no_value_in_any_place_of_any_route_is_a_fault_of_ours(site: Site, value: str) -> None:
    assert len(site.routes) > 40
    site.viewer = NATIONAL
    for route in site.routes:
        site.require_refused(site.send(route, value, "64"))
    site.viewer = office("64")
    for route in site.routes:
        if "province" in route.path or "release" in route.path:
            site.require_refused(site.send(route, value, value))


@settings(max_examples=examples(100), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_nor_is_anything_else(site: Site, data: st.DataObject) -> None:
    site.viewer = data.draw(st.sampled_from([NATIONAL, office("64")]))
    anything = st.one_of(st.sampled_from(NASTY), st.text(max_size=12))
    route, province = data.draw(st.sampled_from(site.routes)), data.draw(st.one_of(st.just("64"), anything))
    site.require_refused(site.send(route, data.draw(anything), province))


@pytest.mark.parametrize("mark", CURSORS, ids=repr)
def test_a_cursor_reaches_neither_store_nor_warehouse_but_as_one_of_ours(site: Site, mark: Any) -> None:
    site.viewer = NATIONAL
    cursor = base64.urlsafe_b64encode(json.dumps(mark).encode()).decode().rstrip("=")
    for path in ("daily", "figures", "releases", "nights", "quarantine?provinsi=64", "gaps?provinsi=64", "definitions"):
        answer = site.client.get(f"/api/v1/{path}{'&' if '?' in path else '?'}cursor={cursor}")
        site.require_refused(answer)
        assert answer.status_code in {200, 404}, (path, answer.text)


def test_a_cursor_that_is_deep_or_no_text_is_none(site: Site) -> None:
    for raw in (b"[" * 299, b"\xff", b'["\\ud800"]'):
        cursor = base64.urlsafe_b64encode(raw).decode().rstrip("=")
        answer = site.client.get("/api/v1/quarantine", params={"provinsi": "64", "cursor": cursor})
        assert answer.status_code == 404


def test_who_looked_at_what_is_logged_without_a_value_of_anybodys(site: Site, caplog: pytest.LogCaptureFixture) -> None:
    site.viewer = office("64")
    with caplog.at_level(logging.INFO, logger=access_log.log.name):
        site.client.get("/provinces/64")
        site.client.get("/provinces/65")
        site.client.get("/api/v1/quarantine?provinsi=64&cursor=siti")
        site.client.get("/quarantine/64/keluarga?rule=6472015505800078")
        site.client.get("/provinces/6472015505800078")
        site.client.get("/releases/siti/aminah")
    lines = [record.getMessage() for record in caplog.records if record.name == access_log.log.name]
    assert [line.rpartition(" ms=")[0] for line in lines] == [
        "account=bps64 GET /provinces/{province} status=200 province=64",
        "account=bps64 GET /provinces/{province} status=404 province=65",
        "account=bps64 GET /api/v1/quarantine status=404 provinsi=64",
        "account=bps64 GET /quarantine/{province}/{dataset} status=200 province=64 dataset=keluarga",
        "account=bps64 GET /provinces/{province} status=404 province=?",
        "account=bps64 GET /releases/{release_id}/{name:path} status=404 release_id=? name=?",
    ]
