"""Forms: honoured from a page of this portal, for this account, browser, form and hour, and from nowhere else."""

import time
from collections.abc import Callable

import pytest
from fastapi import Request
from itsdangerous.encoding import base64_decode, base64_encode, bytes_to_int, int_to_bytes
from starlette.exceptions import HTTPException

from regsosek.portal.login.viewer import Viewer
from regsosek.portal.pages.forms import COOKIE, GOOD_FOR_SECONDS, Forms
from support.worlds.portal_viewers import OPERATOR, OTHER_OPERATOR

FORMS = Forms(b"k" * 32)
FORM = "/regsosek/deliveries/64/X/free"
HOST = {"host": "airflow.example:8080"}
SAME = {**HOST, "origin": "https://airflow.example:8080"}


def request(headers: dict[str, str], cookie: str = "text", viewer: Viewer = OPERATOR) -> Request:
    sent = headers | ({"cookie": f"{COOKIE}={cookie}"} if cookie else {})
    lines = [(name.encode(), value.encode()) for name, value in sent.items()]
    made = Request({"type": "http", "method": "POST", "path": FORM, "headers": lines, "query_string": b""})
    made.state.viewer = viewer
    return made


def token(viewer: Viewer = OPERATOR, cookie: str = "text", form: str = FORM) -> str:
    return FORMS.token(request(SAME, cookie, viewer), cookie, form)


@pytest.mark.parametrize(
    "headers",
    [SAME, HOST | {"sec-fetch-site": "same-origin"}, SAME | {"host": "inside:8080", "sec-fetch-site": "same-origin"}],
)
def test_a_form_of_ours_passes(headers: dict[str, str]) -> None:
    assert FORMS.require(request(headers), FORM, token()) is None, "it raises what it refuses"


@pytest.mark.parametrize(
    ("headers", "cookie", "viewer", "given"),
    [
        (SAME, "text", OPERATOR, ""),
        (SAME, "text", OPERATOR, "x.y"),
        (SAME, "text", OPERATOR, "99999999999." + "0" * 64),
        (SAME, "text", OTHER_OPERATOR, None),
        (SAME, "another", OPERATOR, None),
        (SAME, "", OPERATOR, None),
        (HOST, "text", OPERATOR, None),
        (HOST | {"origin": "null"}, "text", OPERATOR, None),
        (HOST | {"origin": "https://elsewhere.example"}, "text", OPERATOR, None),
        (SAME | {"sec-fetch-site": "same-site"}, "text", OPERATOR, None),
        (SAME | {"sec-fetch-site": "cross-site"}, "text", OPERATOR, None),
    ],
    ids=[
        "no token", "no time", "made up", "of another account", "of another browser", "without the cookie",
        "no origin", "an opaque origin", "another origin", "a neighbour", "another site",
    ],
)  # fmt: skip
def test_a_form_of_others_does_not(headers: dict[str, str], cookie: str, viewer: Viewer, given: str | None) -> None:
    with pytest.raises(HTTPException) as refused:
        FORMS.require(request(headers, cookie, viewer), FORM, token() if given is None else given)
    assert refused.value.status_code == 403


@pytest.mark.parametrize(
    "tampered",
    [
        lambda given: given[1:],
        lambda given: f"x{given}",
        lambda given: f"{given}.",
        lambda given: given[: len(given) // 2],
        lambda given: _with_part(given, 1, _a_second_older(given)),
        lambda given: _with_part(given, 2, given.split(".")[2].swapcase()),
        lambda given: _with_part(given, 2, ""),
        lambda given: f"{given[:-5]}\udc80{given[-4:]}",
        lambda given: f"{given[:-5]}é{given[-4:]}",
    ],
    ids=[
        "its beginning cut", "something before", "something behind", "cut in half", "another time",
        "another signature", "no signature", "a sign that is none", "a sign of no base64",
    ],
)  # fmt: skip
def test_a_token_that_was_tampered_with_does_not(tampered: Callable[[str], str]) -> None:
    with pytest.raises(HTTPException) as refused:
        FORMS.require(request(SAME), FORM, tampered(token()))
    assert refused.value.status_code == 403


def _with_part(given: str, place: int, part: str) -> str:
    parts = given.split(".")
    return ".".join([*parts[:place], part, *parts[place + 1 :]])


def _a_second_older(given: str) -> str:
    made = bytes_to_int(base64_decode(given.split(".")[1]))
    return base64_encode(int_to_bytes(made - 1)).decode()


def test_a_token_is_good_for_one_form_of_one_installation_and_an_hour(monkeypatch: pytest.MonkeyPatch) -> None:
    given = token()
    for forms, form in ((FORMS, FORM.replace("free", "reject")), (Forms(b"q" * 32), FORM)):
        with pytest.raises(HTTPException):
            forms.require(request(SAME), form, given)
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + GOOD_FOR_SECONDS - 5)
    FORMS.require(request(SAME), FORM, given)
    monkeypatch.setattr(time, "time", lambda: now + GOOD_FOR_SECONDS + 5)
    with pytest.raises(HTTPException):
        FORMS.require(request(SAME), FORM, given)
