"""Each connection that leaves this machine: whether it is encrypted and verified, and who said that it need not be."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import parse_qs, urlsplit

from pydantic import SecretStr
from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

from regsosek.alerts.sending.webhook import hosts_in_clear
from regsosek.doctor.check_result import Check, CheckResult, fail, ok, warn
from regsosek.doctor.services.airflow import DATABASE
from regsosek.doctor.surroundings import Surroundings
from regsosek.errors import ConfigurationError
from regsosek.settings import Settings, variable
from regsosek.transport import PLAIN, VERIFYING, is_here, may_be_plain, store_authority
from regsosek.warehouse.database import hosts_named, tls_of

_BROKER = "AIRFLOW__CELERY__BROKER_URL"
# Those of Airflow, of receivers of measures and of the watchdog: addresses whose scheme says all.
_ADDRESSES = (
    "AIRFLOW__CORE__EXECUTION_API_SERVER_URL", "AIRFLOW__API__BASE_URL", "OTEL_EXPORTER_OTLP_ENDPOINT",
    variable("watchdog_ping_url"), variable("watchdog_dag_ping_url"), variable("watchdog_webhook_url"),
)  # fmt: skip


class ConnectionState(StrEnum):
    """How a connection stands, as it is told."""

    VERIFIED = "verified"
    HERE = "on this machine"
    ALLOWED = f"in clear, as {PLAIN} allows"
    REFUSED = "refused: neither encrypted nor allowed in clear"
    OPEN = "in clear or not verified"


@dataclass(frozen=True, slots=True)
class ServiceConnection:
    """One connection.

    Attributes:
        name: of what it leads to, or of the variable that names it.
        hosts: where it leads; an address may hold a secret, its host does not.
    """

    name: str
    hosts: tuple[str, ...]
    state: ConnectionState

    def __str__(self) -> str:
        return f"{self.name} ({', '.join(self.hosts)}) {self.state}" if self.hosts else f"{self.name} {self.state}"


def ways(settings: Settings, environ: Mapping[str, str]) -> Iterator[ServiceConnection]:
    """Every connection that these settings and Airflow's make the pipeline open."""
    yield from _warehouses(settings)
    yield _store(settings)
    yield from _mail(settings)
    yield from _webhooks(settings)
    if DATABASE in environ:
        yield _database(settings, environ[DATABASE])
    if _BROKER in environ:
        yield _broker(settings, environ)
    for name in _ADDRESSES:
        if environ.get(name):
            yield _address(settings, name, environ[name])


def _warehouses(settings: Settings) -> Iterator[ServiceConnection]:
    """One for each account of the warehouse; two that go the same way look alike."""
    for name in Settings.model_fields:
        given = getattr(settings, name)
        if isinstance(given, SecretStr) and name.startswith("warehouse_") and name.endswith("_url"):
            yield _warehouse(settings, name, given.get_secret_value())


def _warehouse(settings: Settings, name: str, given: str) -> ServiceConnection:
    try:
        url = make_url(given)
        proved = tls_of(settings, url)
    except ConfigurationError:
        return ServiceConnection("warehouse", hosts_named(url), ConnectionState.REFUSED)
    except ArgumentError:
        return ServiceConnection(f"{variable(name)}, which is no URL,", (), ConnectionState.REFUSED)
    hosts = hosts_named(url)
    return ServiceConnection("warehouse", hosts, ConnectionState.VERIFIED if proved else _plain(hosts))


def _store(settings: Settings) -> ServiceConnection:
    host = urlsplit(settings.s3_endpoint_url or "https://s3.amazonaws.com").hostname or ""
    try:
        store_authority(settings)
    except ConfigurationError:
        return ServiceConnection("object store", (host,), ConnectionState.REFUSED)
    return ServiceConnection(
        "object store",
        (host,),
        _plain((host,)) if _in_clear(settings.s3_endpoint_url or "") else ConnectionState.VERIFIED,
    )


def _mail(settings: Settings) -> Iterator[ServiceConnection]:
    relay, named = (settings.smtp_host,), may_be_plain(settings, [settings.smtp_host])
    secured = settings.smtp_starttls or settings.smtp_tls or not named
    yield ServiceConnection("mail relay", relay, ConnectionState.VERIFIED if secured else _plain(relay))
    if settings.bounce_imap_host and not settings.bounce_maildir:
        yield ServiceConnection("mailbox of bounces", (settings.bounce_imap_host,), ConnectionState.VERIFIED)


def _webhooks(settings: Settings) -> Iterator[ServiceConnection]:
    """Those that are spoken to without TLS; others may be many, and are verified."""
    if settings.webhooks_file is not None and settings.webhooks_file.is_file():
        yield from (_unverified(settings, "webhook", (host,)) for host in hosts_in_clear(settings.webhooks_file))


def _database(settings: Settings, given: str) -> ServiceConnection:
    """Airflow's own database: its URL says what SQLAlchemy's driver asks for."""
    try:
        url = make_url(given)
    except ArgumentError:
        return ServiceConnection(DATABASE, (), ConnectionState.OPEN)
    if url.query.get("sslmode") in VERIFYING:
        return ServiceConnection(DATABASE, hosts_named(url), ConnectionState.VERIFIED)
    return _unverified(settings, DATABASE, hosts_named(url))


def _broker(settings: Settings, environ: Mapping[str, str]) -> ServiceConnection:
    address = urlsplit(environ[_BROKER])
    asked = parse_qs(address.query).get("ssl_cert_reqs", [""])[0].lower()
    by_airflow = environ.get("AIRFLOW__CELERY__SSL_ACTIVE", "").lower() == "true"
    if address.scheme == "rediss" and (asked in {"required", "cert_required"} or (by_airflow and not asked)):
        return ServiceConnection(_BROKER, (address.hostname or "",), ConnectionState.VERIFIED)
    return _unverified(settings, _BROKER, (address.hostname or "",))


def _address(settings: Settings, name: str, given: str) -> ServiceConnection:
    hosts = (urlsplit(given).hostname or "",)
    return (
        _unverified(settings, name, hosts)
        if _in_clear(given)
        else ServiceConnection(name, hosts, ConnectionState.VERIFIED)
    )


def _unverified(settings: Settings, name: str, hosts: tuple[str, ...]) -> ServiceConnection:
    return ServiceConnection(name, hosts, _plain(hosts) if may_be_plain(settings, hosts) else ConnectionState.OPEN)


def _plain(hosts: tuple[str, ...]) -> ConnectionState:
    return ConnectionState.HERE if all(map(is_here, hosts)) else ConnectionState.ALLOWED


def _in_clear(address: str) -> bool:
    return urlsplit(address).scheme == "http"


def _transport(surroundings: Surroundings) -> CheckResult:
    found = list(ways(surroundings.settings, surroundings.environ))
    told = "; ".join(dict.fromkeys(map(str, found)))
    states = {way.state for way in found}
    fix = (
        "give it TLS (https, rediss, sslmode=verify-full; docs/server.md, Encryption), or name its host in "
        f"{PLAIN} if its network does not leave the machine"
    )
    if ConnectionState.REFUSED in states:
        return fail(told, fix)
    if ConnectionState.OPEN in states:
        return warn(told, fix)
    if ConnectionState.ALLOWED in states:
        return warn(told, f"leave in {PLAIN} only hosts whose network does not leave the machine")
    return ok(told)


CHECKS = (
    Check(
        "encryption", _transport,
        settings=("plain_hosts", "warehouse_url", "s3_endpoint_url", "smtp_host", "smtp_starttls", "smtp_tls"),
    ),
)  # fmt: skip
