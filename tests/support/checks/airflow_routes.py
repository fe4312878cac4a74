"""Every route of a running Airflow, by its own documents, and how it answers an account that asks with empty hands."""

import csv
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import airflow
import httpx
import yaml

from regsosek.portal.login.routes_page import ROUTES
from regsosek.settings import PROJECT_ROOT

VERBS = ("get", "head", "post", "put", "patch", "delete", "options")
# The UI's own API stands in no document that is served; Airflow ships it beside its code.
UI_DOCUMENT = Path(airflow.__file__).parent / "api_fastapi/core_api/openapi/_private_ui.yaml"
DOCUMENTS = {"": "/openapi.json", "/auth": "/auth/openapi.json"}
# The tasks' own API has a document for each of its versions, the newest first here.
EXECUTION = "/execution"
# In no document: documentation itself, the UI, and the forms of FAB's own pages.
BESIDES = (
    "/", "/dags", "/docs", "/redoc", "/openapi.json", "/auth/docs", "/auth/redoc", "/auth/openapi.json",
    "/execution/docs", "/execution/openapi.json", "/execution/changelog", "/static/index.html", "/auth/login/",
    "/auth/users/list/", "/auth/roles/list/", "/auth/users/userinfo/", "/auth/actions/list/",
)  # fmt: skip
NUMBERS = {"integer", "number"}
LAST = "logout"  # it ends the session that asks
Line = dict[str, str]


@dataclass(frozen=True, order=True)
class Route:
    """An address as its document has it, a verb, and the address with something harmless in each place."""

    path: str
    verb: str
    asked: str


def routes(documents: Mapping[str, Mapping[str, Any]]) -> list[Route]:
    """The routes of OpenAPI documents by their prefix, and those that stand in none; what ends a session last."""
    found = {route for prefix, document in documents.items() for route in _of_document(prefix, document)}
    found |= {Route(path, "GET", path) for path in BESIDES}
    return sorted(found, key=lambda route: (LAST in route.path, route))


def served(client: httpx.Client, headers: Mapping[str, str]) -> dict[str, Mapping[str, Any]]:
    """The documents that a running Airflow serves to an operator, and that of its UI."""

    def read(path: str) -> Any:
        return client.get(path, headers=headers).raise_for_status().json()

    newest = read(f"{EXECUTION}/changelog")["versions"][0]["value"]
    documents = {prefix: read(path) for prefix, path in DOCUMENTS.items()}
    ui: Mapping[str, Any] = yaml.safe_load(UI_DOCUMENT.read_text(encoding="utf-8"))
    return documents | {"ui": ui, EXECUTION: read(f"{EXECUTION}/openapi.json?version={newest}")}


def asked(client: httpx.Client, route: Route, headers: Mapping[str, str]) -> str:
    """The status of the answer to a browser or program that sends nothing but its login."""
    sent = {"json": {}} if route.verb in {"POST", "PUT", "PATCH"} else {}
    answer = client.request(route.verb, route.asked, headers=headers, **sent)
    return f"{answer.status_code}{_onwards(answer)}"


def _onwards(answer: httpx.Response) -> str:
    target = answer.headers.get("location")
    return f" to {httpx.URL(target).path}" if target else ""


def committed() -> list[Line]:
    """The table as it stands in the repository."""
    with (PROJECT_ROOT / ROUTES).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def write(path: Path, lines: list[Line]) -> None:
    """The table as it was tried."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(lines[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(lines)


def _of_document(prefix: str, document: Mapping[str, Any]) -> Iterator[Route]:
    mount = "" if prefix == "ui" else prefix
    for path, operations in document["paths"].items():
        for verb in set(operations) & set(VERBS):
            parameters = [*operations.get("parameters", []), *operations[verb].get("parameters", [])]
            yield Route(f"{mount}{path}", verb.upper(), f"{mount}{_filled(path, parameters)}")


def _filled(path: str, parameters: Sequence[Mapping[str, Any]]) -> str:
    """``path`` with something harmless of the right kind in each place."""
    for each in parameters:
        dummy = "1" if each.get("schema", {}).get("type") in NUMBERS else "x"
        path = path.replace(f"{{{each['name']}}}", dummy) if each.get("in") == "path" else path
    return re.sub(r"\{\w+\}", "x", path)
