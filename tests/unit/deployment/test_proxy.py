"""deploy/nginx: what the proxy before the API server must do, as its file says it."""

import re
from typing import Any

import pytest

from regsosek.settings import PROJECT_ROOT

CONF = (PROJECT_ROOT / "deploy" / "nginx" / "regsosek.conf").read_text(encoding="utf-8")
TOLD_BY_THE_PROXY = {"Host", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Forwarded-For", "Forwarded", "Connection"}


def blocks() -> list[tuple[str, str]]:
    """Pattern and body of each location, in the order in which nginx tries patterns."""
    return re.findall(r"location ~\* (\S+) \{(.*?)\n  \}", CONF, re.DOTALL)


def block_of(path: str) -> str | None:
    return next((body for pattern, body in blocks() if re.search(pattern, path, re.IGNORECASE)), None)


@pytest.mark.parametrize(
    "path",
    ["/execution", "/execution/", "/execution/task-instances/x/run", "/EXECUTION/", "//execution/health",
     "/docs", "/docs/", "/redoc", "/openapi.json"],
)  # fmt: skip
def test_closed(path: str) -> None:
    body = block_of(path)
    assert body is not None
    assert "return 404;" in body


@pytest.mark.parametrize("path", ["/", "/regsosek/", "/regsosek/api/releases", "/api/v2/dags", "/executions"])
def test_open(path: str) -> None:
    assert block_of(path) is None


@pytest.mark.parametrize("path", ["/auth/login", "/auth/login/", "/auth/token", "/auth/token/cli"])
def test_passwords_are_not_tried_fast(path: str) -> None:
    body = block_of(path)
    assert body is not None
    assert "limit_req zone=regsosek_login" in body
    assert "limit_req_status 429;" in CONF


def test_a_browser_cannot_say_whence_it_came() -> None:
    headers = dict(re.findall(r"^  proxy_set_header (\S+) (.*);$", CONF, re.MULTILINE))
    assert set(headers) == TOLD_BY_THE_PROXY
    assert headers["X-Forwarded-Proto"] == "https"
    assert headers["X-Forwarded-For"] == "$remote_addr", "what the browser sent is not passed on"
    assert not re.search(r"^ {4,}proxy_set_header", CONF, re.MULTILINE), "it would take the server's away"
    assert not re.search(r"^ {4,}add_header", CONF, re.MULTILINE)


def test_nothing_is_said_in_clear() -> None:
    versions = re.findall(r"ssl_protocols (.*);", CONF)
    assert versions == ["TLSv1.2 TLSv1.3"]
    assert "Strict-Transport-Security" in CONF
    clear = next(block for block in CONF.split("server {") if "listen 80;" in block)
    assert "return 301 https://" in clear
    assert "proxy_pass" not in clear


def test_the_api_server_believes_the_proxy(compose: dict[str, Any]) -> None:
    service = compose["services"]["airflow-apiserver"]
    assert "--proxy-headers" in service["command"]
    assert service["environment"]["FORWARDED_ALLOW_IPS"]
    assert all(port.startswith("127.0.0.1:") for port in service["ports"]), "nobody else may speak for a browser"
    [backend] = re.findall(r"server (127\.0\.0\.1:\d+);", CONF)
    assert service["ports"] == ["127.0.0.1:${AIRFLOW_PORT:-8080}:8080"]
    assert backend == "127.0.0.1:8080"
