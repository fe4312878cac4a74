"""What stands before Airflow: who reaches what, what every answer says, and how logins that fail are slowed down."""

import asyncio
import json
import tempfile
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regsosek.portal.login.front_door import HEADERS, FrontDoor, path_of
from regsosek.portal.login.shared_counts import SharedCounts, counts_at_hand
from regsosek.portal.login.throttling import BOTH, FORM_TYPE, LoginLimits, accounts_in, slowed, succeeded

HTML = "text/html,application/xhtml+xml"


def asked(app: Any, path: str, *, method: str = "GET", body: bytes = b"", **scope: Any) -> tuple[int, dict[str, str]]:
    """Status and headers of the answer."""
    sent: list[Any] = []

    async def receive() -> Any:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Any) -> None:
        sent.append(message)

    given: Any = {
        "type": "http", "method": method, "path": path, "scheme": "http", "headers": [], "client": ("192.0.2.1", 1),
    } | scope  # fmt: skip
    asyncio.run(app(given, receive, send))
    return sent[0]["status"], {name.decode(): value.decode() for name, value in sent[0]["headers"]}


async def airflow(scope: Any, receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": [(b"X-Frame-Options", b"DENY")]})
    await send({"type": "http.response.body", "body": b""})


@pytest.fixture
def door(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The door before an Airflow that lets everybody do everything; asked as whoever ``standing`` says."""

    def opened(standing: str) -> FrontDoor:
        import sys
        import types

        module = types.ModuleType("logins_of_this_test")

        async def told(scope: Any) -> str:
            return standing

        module.standing = told  # type: ignore[attr-defined]  # a module made up
        monkeypatch.setitem(sys.modules, "logins_of_this_test", module)
        return FrontDoor(airflow, logins="logins_of_this_test")

    return opened


@pytest.mark.parametrize(
    ("path", "nobody", "account"),
    [
        ("/api/v2/dags", 200, 403),  # to nobody Airflow itself answers 401
        ("/ui/config", 200, 403),
        ("/auth/fab/v1/users", 200, 403),
        ("/api/v2/monitor/health", 200, 200),
        ("/api/v2/auth/logout", 200, 200),
        ("/openapi.json", 401, 403),
        ("/docs/oauth2-redirect", 401, 403),
        ("/execution/docs", 401, 403),
        ("/auth/redoc//", 401, 403),
        ("/regsosek/", 200, 200),
        ("/regsosek/api/v1/openapi.json", 200, 200),
        ("/auth/login/", 200, 200),
        ("/auth/static/css/x.css", 200, 200),
        ("/auth/resetmypassword/form", 200, 200),
        ("/auth/users/edit/1", 401, 403),
        ("/auth//users/list/", 401, 403),
        ("/auth//login/", 401, 403),  # FAB takes it for the login, the limits of logins would not
        ("/execution/variables/x", 200, 200),
        ("/static/index.html", 200, 200),
    ],
)
def test_airflow_is_for_operators(door: Any, path: str, nobody: int, account: int) -> None:
    assert asked(door("nobody"), path)[0] == nobody
    assert asked(door("account"), path)[0] == account
    assert asked(door("operator"), path)[0] == 200
    assert asked(door("account"), f"/under{path}", root_path="/under")[0] == account


def test_a_browser_of_a_province_is_led_to_its_pages(door: Any) -> None:
    html = {"headers": [(b"accept", HTML.encode())]}
    for path in ("/", "/dags/regsosek_nightly"):
        status, headers = asked(door("account"), path, root_path="/under", **html)
        assert (status, headers["location"]) == (303, "/under/regsosek/")
        assert asked(door("operator"), path, **html)[0] == asked(door("nobody"), path, **html)[0] == 200


def test_pages_of_users_and_roles_do_not_go_by_the_cookie_of_their_own(door: Any) -> None:
    html = {"headers": [(b"accept", HTML.encode()), (b"cookie", b"session=of-an-admin")], "root_path": "/under"}
    for standing, target in (("nobody", "/under/auth/login/"), ("account", "/under/regsosek/")):
        status, headers = asked(door(standing), "/auth/users/edit/1", **html)
        assert (status, headers["location"]) == (303, target)
        assert asked(door(standing), "/auth/users/edit/1", method="POST", **html)[0] in {401, 403}
    assert asked(door("operator"), "/auth/users/edit/1", **html)[0] == 200


def test_the_path_of_a_proxy_is_taken_off_once() -> None:
    assert path_of({"path": "/air/api/v2", "root_path": "/air"}) == "/api/v2"
    assert path_of({"path": "/airs/api/v2", "root_path": "/air"}) == "/airs/api/v2"
    assert path_of({"path": "/api/v2"}) == "/api/v2"


def test_every_answer_says_how_a_browser_keeps_it_where_it_belongs(door: Any) -> None:
    for path in ("/api/v2/dags", "/openapi.json", "/static/x.js", "/regsosek/"):
        _, headers = asked(door("nobody"), path)
        lowered = {name.lower() for name in headers}
        assert set(HEADERS) <= lowered
        assert ("no-store" in headers.values()) == (not path.startswith("/static/"))
        assert "strict-transport-security" not in lowered
    _, headers = asked(door("nobody"), "/ui/dags", scheme="https")
    assert headers["strict-transport-security"]
    assert headers["X-Frame-Options"] == "DENY"  # what an answer says itself stands
    assert "x-frame-options" not in headers


def answering(status: int) -> Any:
    async def login(scope: Any, receive: Any, send: Any) -> None:
        assert json.loads((await receive())["body"])["username"]
        await send({"type": "http.response.start", "status": status, "headers": []})

    return login


def login(limits: LoginLimits, status: int, account: str = "kanwil64", address: str = "192.0.2.1") -> int:
    body = json.dumps({"username": account, "password": "x"}).encode()
    app = slowed(answering(status), limits)
    return asked(app, "/auth/token", method="POST", body=body, client=(address, 1))[0]


def test_logins_that_fail_are_put_off() -> None:
    limits = LoginLimits()
    assert [login(limits, 401) for _ in range(BOTH.amount)] == [401] * BOTH.amount
    assert login(limits, 201) == 429  # the right password too
    assert login(limits, 201, " KANWIL64 ") == 429
    assert login(limits, 201, address="192.0.2.2") == 201
    assert login(limits, 201, "kanwil65") == 201
    body = b'{"username": "kanwil64"}'
    _, headers = asked(slowed(answering(201), limits), "/auth/token", method="POST", body=body)
    assert 0 < int(headers["retry-after"]) <= BOTH.get_expiry()


def test_an_account_is_not_guessed_from_many_addresses_nor_many_accounts_from_one() -> None:
    limits = LoginLimits()
    assert [login(limits, 401, address=f"192.0.2.{n}") for n in range(51)] == [401] * 50 + [429]
    limits = LoginLimits()
    assert [login(limits, 401, account=f"a{n}") for n in range(101)] == [401] * 100 + [429]


def test_processes_count_together(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    mine, other = LoginLimits(counts_at_hand()), LoginLimits(counts_at_hand())
    assert [login(each, 401) for each in (mine, other) * 5] == [401] * 10
    assert (login(mine, 201), login(other, 201)) == (429, 429)
    assert login(other, 201, address="192.0.2.2") == 201
    [file] = tmp_path.iterdir()
    assert file.stat().st_mode & 0o777 == 0o600
    assert b"kanwil64" not in file.read_bytes()
    later = time.time() + BOTH.get_expiry() + 1
    monkeypatch.setattr(time, "time", lambda: later)
    assert login(mine, 201) == 201
    file.write_bytes(b"no database" * 100)
    assert [login(mine, 401) for _ in range(11)] == [401] * 10 + [429]  # by this process, and nobody is kept out
    file.chmod(0o666)
    assert not isinstance(counts_at_hand(), SharedCounts)  # somebody else may write it


@pytest.mark.parametrize("shared", [False, True], ids=["alone", "shared"])
def test_logins_that_succeed_count_nothing(shared: bool, tmp_path: Path) -> None:
    limits = LoginLimits(SharedCounts(tmp_path / "counts") if shared else None)
    for _ in range(30):
        assert login(limits, 401) == 401
        assert [login(limits, 201) for _ in range(5)] == [201] * 5
    assert login(limits, 500) == 500


def test_a_form_that_is_shown_again_or_led_back_to_has_failed() -> None:
    def start(status: int, location: str = "") -> Any:
        return {"status": status, "headers": [(b"Location", location.encode())] if location else []}

    assert succeeded("/auth/login/", start(302, "/"))
    assert not succeeded("/auth/login/", start(302, "/auth/login/?next="))
    assert not succeeded("/under/auth/login", start(200))
    assert succeeded("/auth/token", start(201))
    assert not succeeded("/auth/token/cli", start(401))


FORM = [(b"content-type", f"{FORM_TYPE}; charset=UTF-8".encode())]
JSON: list[tuple[bytes, bytes]] = [(b"content-type", b"application/json")]


@given(st.binary(max_size=60), st.sampled_from([[], FORM, JSON]))
def test_whatever_is_sent_names_accounts_or_none(body: bytes, headers: list[tuple[bytes, bytes]]) -> None:
    named = accounts_in(headers, body)
    assert named
    assert max(map(len, named)) <= 100


def test_the_account_is_read_from_json_and_forms() -> None:
    assert accounts_in(JSON, b'{"username": "Sari", "password": "x"}') == {"sari"}
    assert accounts_in([], b'{"username": "Sari", "more": {"username": "y"}}') == {"sari"}
    assert accounts_in(FORM, b"csrf_token=1&username=Sari+B&password=x") == {"sari b"}
    assert accounts_in(JSON, b"[" * 60_000) == {""}
    for body in (b'["username"]', b'[["username", "x"]]', b"\xff", b'{"username": null}', b"username=sari"):
        assert accounts_in(JSON, body) == {""}


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        # The form takes the first name, and was counted by the last.
        (FORM, b"username=op&password=x&username=nobody1"),
        (JSON, b'{"username": "op", "username": "nobody1"}'),
        (FORM, b"username=&username=op"),
        # What the form reads of these is not what was counted.
        ([(b"content-type", b"multipart/form-data; boundary=x")], b"&username=nobody1&"),
        ([*JSON, *FORM], b'{"username": "nobody1", "a": "&username=op&b="}'),
    ],
)
def test_a_login_that_may_be_read_as_two_accounts_is_for_nobody(headers: Any, body: bytes) -> None:
    app = slowed(answering(201), LoginLimits())
    assert asked(app, "/auth/login/", method="POST", body=body, headers=headers)[0] == 400


def test_a_form_is_counted_by_what_the_form_reads() -> None:
    assert accounts_in(FORM, b'{"username":"nobody1","a":"&username=op&password=x&b="}') == {"op"}


def test_a_login_has_an_end() -> None:
    app = slowed(answering(201), LoginLimits())
    assert asked(app, "/auth/token", method="POST", body=b"x" * 70_000)[0] == 413
