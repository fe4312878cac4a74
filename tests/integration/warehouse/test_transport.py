"""A server that does not prove who it is hears nothing from us: warehouse and store, by the real clients."""

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import trustme
from pydantic import SecretStr
from sqlalchemy import make_url, text
from sqlalchemy.exc import OperationalError

from regsosek.doctor.check_result import CheckResult
from regsosek.doctor.services import warehouse
from regsosek.doctor.surroundings import Surroundings
from regsosek.errors import ObjectStoreError
from regsosek.landing.object_store import ObjectStore, RetryPolicy
from regsosek.settings import Settings
from regsosek.warehouse.database import connect
from support.servers.tls_front import tls_front

NAME = "db.bps.example"
ONCE = RetryPolicy(request_attempts=1, operation_attempts=1, connect_timeout=5, read_timeout=5)


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def ca_file(authority: trustme.CA, tmp_path: Path) -> Path:
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    return tmp_path / "ca.pem"


def identified(authority: trustme.CA, name: str) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(name).configure_cert(context)
    return context


@contextmanager
def elsewhere(settings: Settings, authority: trustme.CA, name: str, **given: Any) -> Iterator[Settings]:
    """The warehouse as a server called NAME, which presents a certificate for ``name``."""
    url = make_url(settings.warehouse_url.get_secret_value())
    with tls_front(url.port or 0, identified(authority, name), postgresql=True) as port:
        yield at(settings, port, **given)


def at(settings: Settings, port: int, **given: Any) -> Settings:
    url = make_url(settings.warehouse_url.get_secret_value()).set(host=NAME, port=port)
    url = url.update_query_dict({"hostaddr": "127.0.0.1"})
    named = {"warehouse_url": SecretStr(url.render_as_string(hide_password=False)), **given}
    return settings.model_copy(update=named)


def answers(settings: Settings) -> bool:
    engine = connect(settings)
    try:
        with engine.connect() as connection:
            return bool(connection.execute(text("SELECT true")).scalar_one())
    finally:
        engine.dispose()


def told(settings: Settings) -> CheckResult:
    [reach] = [check for check in warehouse.CHECKS if check.name == "warehouse"]
    return reach.examine(Surroundings(settings, {}, {}))


def test_a_warehouse_that_proves_its_name(services_env: Settings, authority: trustme.CA, ca_file: Path) -> None:
    with elsewhere(services_env, authority, NAME, warehouse_ca_file=ca_file) as settings:
        assert answers(settings)
        assert told(settings).verdict == "ok"


def test_a_warehouse_of_an_authority_that_nobody_named(services_env: Settings, authority: trustme.CA) -> None:
    with elsewhere(services_env, authority, NAME) as settings:
        with pytest.raises(OperationalError, match="certificate verify failed"):
            answers(settings)
        assert "WAREHOUSE_CA_FILE" in told(settings).fix


def test_a_warehouse_under_another_name(services_env: Settings, authority: trustme.CA, ca_file: Path) -> None:
    with elsewhere(services_env, authority, "other.bps.example", warehouse_ca_file=ca_file) as settings:
        with pytest.raises(OperationalError, match="does not match host name"):
            answers(settings)
        assert "another name" in told(settings).found


def test_a_warehouse_that_does_not_encrypt(services_env: Settings, ca_file: Path) -> None:
    port = make_url(services_env.warehouse_url.get_secret_value()).port or 0
    settings = at(services_env, port, warehouse_ca_file=ca_file)
    with pytest.raises(OperationalError, match="does not support SSL"):
        answers(settings)
    assert "REGSOSEK_PLAIN_HOSTS" in told(settings).fix
    assert answers(settings.model_copy(update={"plain_hosts": f"{NAME},127.0.0.1"})), "unless a setting names it"


@pytest.mark.parametrize("known", [True, False])
def test_a_store_is_asked_if_it_proves_itself(
    services_env: Settings, authority: trustme.CA, ca_file: Path, known: bool
) -> None:
    port = int(str(services_env.s3_endpoint_url).rpartition(":")[2])
    with tls_front(port, identified(authority, "127.0.0.1")) as front:
        given = {"s3_endpoint_url": f"https://127.0.0.1:{front}", "s3_ca_file": ca_file if known else None}
        store = ObjectStore.connect(services_env.model_copy(update=given), ONCE)
        if known:
            store.put_bytes(services_env.archive_bucket, "probe", b"secret")
            assert store.get_bytes(services_env.archive_bucket, "probe", max_bytes=10) == b"secret"
        else:
            with pytest.raises(ObjectStoreError):
                store.put_bytes(services_env.archive_bucket, "probe", b"secret")
