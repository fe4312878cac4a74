"""The API as an application of its own: every path behind the login, errors as problems, OpenAPI for who is let in."""

from typing import Any

from fastapi import Depends as Needs
from fastapi import FastAPI, Request
from fastapi.params import Depends

from regsosek.portal.api.ledger_paths import ledger_paths
from regsosek.portal.api.problems import Problem, add_handlers
from regsosek.portal.api.published_paths import published_paths
from regsosek.portal.api.reference_paths import reference_paths
from regsosek.portal.api.releases import Releases
from regsosek.portal.api.work_paths import work_paths
from regsosek.portal.readable import require_readable
from regsosek.portal.sources import Sources

VERSION = "1.0"
DESCRIPTION = """The data of the release and the work lists of the provinces. Columns bear the names under which the
release publishes them; `definitions` says what each means. An account is shown what it may see; to the account of a
province other provinces do not exist. Sign in with a token of Airflow's `POST /auth/token`."""


def api(sources: Sources, login: Depends) -> FastAPI:
    """The API over ``sources``; ``login`` stands before every path, the OpenAPI document's too."""
    app = FastAPI(
        title="Regsosek",
        version=VERSION,
        description=DESCRIPTION,
        dependencies=[login, Needs(require_readable)],
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
    )
    releases = Releases(sources)
    for router in (published_paths(releases), work_paths(sources), reference_paths(releases), ledger_paths(sources)):
        app.include_router(router)
    add_handlers(app)

    @app.get("/openapi.json", include_in_schema=False)
    def document(request: Request) -> dict[str, Any]:
        return {**_schema(app), "servers": [{"url": request.scope.get("root_path", "")}]}

    return app


def _schema(app: FastAPI) -> dict[str, Any]:
    """FastAPI's document, with our one shape of errors in place of its own."""
    schema = app.openapi()
    shapes = schema["components"]["schemas"]
    shapes["Problem"] = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
    shapes |= shapes["Problem"].pop("$defs", {})
    for operations in schema["paths"].values():
        for operation in operations.values():
            operation["responses"].pop("422", None)
    return schema
