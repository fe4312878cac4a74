"""Errors of the API as RFC 9457 has them: what is wrong, with which parameter, and what to do; never a value.

By hand: FastAPI's own answer to a faulty value repeats the value.
"""

import json
import logging
import re
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from pandas.errors import DatabaseError
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy.exc import SQLAlchemyError
from starlette.exceptions import HTTPException as RoutingError

from regsosek.errors import AccessError, ObjectStoreError, RegsosekError

log = logging.getLogger(__name__)

MEDIA_TYPE = "application/problem+json"
# What every answer says about itself: whose it is, and that it is asked for again instead of believed.
PRIVATE = {"Cache-Control": "private, no-cache", "X-Content-Type-Options": "nosniff"}
_OUR_NAME = re.compile(r"[a-z_]{1,40}")
NO_STORE = "The object store does not answer, or not with what was published."
NO_STORE_FIX = "the log of Airflow's API server names the object; look at the store and at REGSOSEK_S3_*"
NOT_THERE = "There is nothing under this value, or your account may not see it."


class Fault(BaseModel):
    """One parameter that cannot be read."""

    model_config = ConfigDict(extra="forbid")

    parameter: str
    detail: str


class Problem(BaseModel):
    """An error as RFC 9457 has it; ``parameter`` and ``fix`` say what to change."""

    model_config = ConfigDict(extra="forbid")

    type: str = Field("about:blank", description="the status says all that the type would")
    title: str
    status: int
    detail: str
    parameter: str | None = None
    fix: str | None = None
    errors: list[Fault] | None = None


class ProblemError(Exception):
    """Ends a request with a problem."""

    def __init__(self, status: HTTPStatus, detail: str, *, parameter: str | None = None, fix: str | None = None):
        super().__init__(detail)
        self.problem = Problem(title=status.phrase, status=status.value, detail=detail, parameter=parameter, fix=fix)


def not_there(parameter: str, fix: str) -> ProblemError:
    """What is unknown and what an account may not see are told alike."""
    return ProblemError(HTTPStatus.NOT_FOUND, NOT_THERE, parameter=parameter, fix=fix)


_ANY = (
    HTTPStatus.BAD_REQUEST, HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND,
    HTTPStatus.SERVICE_UNAVAILABLE,
)  # fmt: skip


def documented() -> dict[int | str, dict[str, Any]]:
    """For the OpenAPI document: the problems that every route may answer with."""
    content = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {status.value: {"description": status.phrase, "content": content} for status in _ANY}


def add_handlers(app: FastAPI) -> None:
    """Lets every error of ``app`` be told as a problem."""
    app.add_exception_handler(ProblemError, _problem)
    app.add_exception_handler(RoutingError, refused)
    app.add_exception_handler(RequestValidationError, _misread)
    app.add_exception_handler(AccessError, _no_access)
    app.add_exception_handler(SQLAlchemyError, _no_warehouse)
    app.add_exception_handler(DatabaseError, _no_warehouse)  # pandas' own, an OSError
    app.add_exception_handler(ObjectStoreError, _no_store)
    app.add_exception_handler(RegsosekError, _fault)


def _told(problem: Problem, headers: Mapping[str, str] | None = None) -> Response:
    content = problem.model_dump(exclude_none=True)
    return Response(
        json.dumps(content, ensure_ascii=False).encode(),
        status_code=problem.status,
        media_type=MEDIA_TYPE,
        headers={**PRIVATE, **(headers or {})},
    )


def _of(status: HTTPStatus, detail: str, fix: str | None = None) -> Problem:
    return ProblemError(status, detail, fix=fix).problem


def _problem(request: Request, error: Exception) -> Response:  # noqa: ARG001 - signature of the framework
    assert isinstance(error, ProblemError)
    return _told(error.problem)


_SIGN_IN = "get a token from Airflow's POST /auth/token and send it as Authorization: Bearer"


def refused(request: Request, error: Exception) -> Response:  # noqa: ARG001 - signature of the framework
    """What the framework refuses, as a problem."""
    assert isinstance(error, RoutingError)
    status = HTTPStatus(error.status_code)
    if status is HTTPStatus.UNAUTHORIZED:
        return _told(_of(status, "You are not signed in to Airflow.", _SIGN_IN), {"WWW-Authenticate": "Bearer"})
    return _told(_of(status, status.description or status.phrase), error.headers)


def _misread(request: Request, error: Exception) -> Response:  # noqa: ARG001 - signature of the framework
    assert isinstance(error, RequestValidationError)
    faults = [Fault(parameter=_name(each["loc"]), detail=each["msg"]) for each in error.errors()]
    problem = _of(HTTPStatus.BAD_REQUEST, "A parameter cannot be read.", "see the OpenAPI document, openapi.json")
    return _told(problem.model_copy(update={"errors": faults, "parameter": faults[0].parameter}))


def _name(location: Sequence[Any]) -> str:
    """The parameter at fault; a name that none of ours has is somebody's input and not repeated."""
    names = [str(part) for part in location[1:] if not isinstance(part, int)]
    return names[0] if names and _OUR_NAME.fullmatch(names[0]) else "?"


def _no_access(request: Request, error: Exception) -> Response:  # noqa: ARG001 - signature of the framework
    return _told(_of(HTTPStatus.FORBIDDEN, f"{error}."))


def _no_warehouse(request: Request, error: Exception) -> Response:  # noqa: ARG001 - signature of the framework
    # The message is withheld: it may quote what the warehouse was given.
    log.error("the API cannot read the warehouse: %s", type(error).__name__)
    fix = "look at its server and at REGSOSEK_WAREHOUSE_URL of Airflow's API server"
    return _told(_of(HTTPStatus.SERVICE_UNAVAILABLE, "The warehouse does not answer.", fix))


def _no_store(request: Request, error: Exception) -> Response:  # noqa: ARG001 - signature of the framework
    # The words are for the log alone: they name bucket and key, and repeat what the store said.
    log.error("the API cannot read the object store: %s", error)
    return _told(_of(HTTPStatus.SERVICE_UNAVAILABLE, NO_STORE, NO_STORE_FIX))


def _fault(request: Request, error: Exception) -> Response:  # noqa: ARG001 - signature of the framework
    log.error("the API cannot answer: %s", error)
    return _told(_of(HTTPStatus.SERVICE_UNAVAILABLE, f"{type(error).__name__}: {error}"))
