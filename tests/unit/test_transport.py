"""What leaves this machine is encrypted and verified, unless a setting names the host."""

from pathlib import Path
from typing import Any

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st
from psycopg.conninfo import conninfo_to_dict
from sqlalchemy import make_url

from regsosek.errors import ConfigurationError
from regsosek.night import run_notes
from regsosek.settings import Settings, load_settings
from regsosek.transport import is_here, may_be_plain, store_authority, trusted_authorities, wants_starttls
from regsosek.warehouse.database import tls_of

NEEDED = {
    "REGSOSEK_WAREHOUSE_URL": "postgresql+psycopg://u@h/d",
    "REGSOSEK_S3_ACCESS_KEY_ID": "a",
    "REGSOSEK_S3_SECRET_ACCESS_KEY": "b",
    "REGSOSEK_HMAC_KEY": "0" * 32,
    "REGSOSEK_ENV_FILE": "/nonexistent",
}
INSIDE = "postgres, object-store,10.0.0.7"


def settings(**given: Any) -> Settings:
    return load_settings(NEEDED | {f"REGSOSEK_{name}": str(value) for name, value in given.items()})


def tls(query: str, host: str = "db.bps.example", **given: Any) -> dict[str, str]:
    return tls_of(settings(**given), make_url(f"postgresql+psycopg://u:p@{host}/regsosek{query}"))


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.8.9.1", "::1", "[::1]", "/var/run/postgresql", "@pg"])
def test_what_stays_here(host: str) -> None:
    assert is_here(host)


@pytest.mark.parametrize("host", ["", "db", "10.0.0.1", "localhost.bps.example", "127.0.0.1.example", "0.0.0.0", "::2"])
def test_what_leaves(host: str) -> None:
    assert not is_here(host)


def test_a_warehouse_elsewhere_is_proved() -> None:
    assert tls("") == {"sslmode": "verify-full", "sslrootcert": trusted_authorities()}
    assert tls("", WAREHOUSE_CA_FILE="/bps.pem")["sslrootcert"] == "/bps.pem"
    assert tls("?sslmode=verify-ca&sslrootcert=/own.pem") == {"sslmode": "verify-ca", "sslrootcert": "/own.pem"}


@pytest.mark.parametrize("mode", ["disable", "allow", "prefer", "require", "", "verify-none"])
def test_no_url_asks_for_less(mode: str) -> None:
    if not mode:
        assert tls("?sslmode=")["sslmode"] == "verify-full"
        return
    with pytest.raises(ConfigurationError, match=f"sslmode={mode} .*REGSOSEK_PLAIN_HOSTS"):
        tls(f"?sslmode={mode}")


@pytest.mark.parametrize("host", ["127.0.0.1:5433", "localhost", "[::1]:5432", "postgres:5432", "10.0.0.7", "POSTGRES"])
def test_here_and_where_it_is_allowed_the_url_decides(host: str) -> None:
    assert tls("", host, PLAIN_HOSTS=INSIDE) == {}
    assert tls("?sslmode=require", host, PLAIN_HOSTS=INSIDE) == {}


@pytest.mark.parametrize(
    "where",
    [
        "@localhost/d?hostaddr=10.0.0.1", "@/d?host=localhost,db.bps.example", "@/d?host=127.0.0.1&host=10.0.0.1:5432",
        "@localhost/d?host=db.bps.example", "@/d?hostaddr=10.0.0.1", "@/d", "@/d?service=elsewhere",
    ],
)  # fmt: skip
def test_no_way_round_by_a_second_host(where: str) -> None:
    assert tls_of(settings(), make_url(f"postgresql+psycopg://u{where}"))["sslmode"] == "verify-full"


@given(
    st.sampled_from(["disable", "prefer", "require"]), st.from_regex(r"[a-z]{1,8}(\.[a-z]{1,8}){0,3}", fullmatch=True)
)
def test_in_clear_only_where_it_is_named(mode: str, host: str) -> None:
    if host == "localhost":
        return
    with pytest.raises(ConfigurationError):
        tls(f"?sslmode={mode}", host, PLAIN_HOSTS=f"{host}x,x{host}")
    assert tls(f"?sslmode={mode}", host, PLAIN_HOSTS=f"y, {host}") == {}


def test_a_note_of_a_run_is_asked_of_a_proved_server_too(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def refuse(conninfo: str, **_: Any) -> None:
        asked.append(conninfo)
        raise psycopg.OperationalError

    monkeypatch.setattr(run_notes.psycopg, "connect", refuse)
    monkeypatch.setattr(run_notes, "load_settings", settings)
    assert run_notes.conclusion_of_run("regsosek_nightly", "x") is None
    assert conninfo_to_dict(asked[0])["sslmode"] == "verify-full"


def test_a_store_elsewhere_is_encrypted() -> None:
    assert store_authority(settings()) is None, "AWS"
    assert store_authority(settings(S3_ENDPOINT_URL="https://s3.bps.example", S3_CA_FILE="/bps.pem")) == "/bps.pem"
    assert store_authority(settings(S3_ENDPOINT_URL="http://127.0.0.1:9000")) is None
    assert store_authority(settings(S3_ENDPOINT_URL="http://object-store:9000", PLAIN_HOSTS=INSIDE)) is None
    with pytest.raises(ConfigurationError, match=r"S3_ENDPOINT_URL is not encrypted.*REGSOSEK_PLAIN_HOSTS"):
        store_authority(settings(S3_ENDPOINT_URL="http://s3.bps.example"))


@pytest.mark.parametrize(
    ("given", "secured"),
    [
        ({"SMTP_HOST": "relay.bps.example"}, True),
        ({"SMTP_HOST": "relay.bps.example", "SMTP_STARTTLS": "false"}, True),
        ({"SMTP_HOST": "relay.bps.example", "SMTP_TLS": "true"}, False),
        ({"SMTP_HOST": "mail", "PLAIN_HOSTS": "mail"}, False),
        ({"SMTP_HOST": "mail", "PLAIN_HOSTS": "mail", "SMTP_STARTTLS": "true"}, True),
        ({"SMTP_HOST": "127.0.0.1"}, False),
        ({}, False),
    ],
)
def test_a_relay_elsewhere_is_spoken_to_in_secret(given: dict[str, str], secured: bool) -> None:
    assert wants_starttls(settings(**given)) is secured


@pytest.mark.parametrize("named", ["*", "*.bps.example", "db:5432", "http://db", "a b", "10.0.0.0/8"])
def test_single_hosts_are_named_and_no_nets(named: str) -> None:
    with pytest.raises(ConfigurationError, match="REGSOSEK_PLAIN_HOSTS"):
        settings(PLAIN_HOSTS=named)


def test_without_a_host_nobody_knows() -> None:
    assert not may_be_plain(settings(PLAIN_HOSTS=INSIDE), [])


def test_the_authorities_of_this_machine_are_a_file_or_left_to_libpq(monkeypatch: pytest.MonkeyPatch) -> None:
    found = trusted_authorities()
    assert found == "system" or Path(found).is_file()
    monkeypatch.setattr("regsosek.transport._BUNDLES", ())
    monkeypatch.setenv("SSL_CERT_FILE", __file__)
    assert trusted_authorities() == __file__
