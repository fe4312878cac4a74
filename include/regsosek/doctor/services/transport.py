"""Each connection that leaves this machine: whether it is encrypted and verified, and who said that it need not be."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import parse_qs, urlsplit

from pydantic import SecretStr
from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

from regsosek.alerts.sending.webhook import hosts_in_clear
from regsosek.doctor.check_result import Check, Finding, fail, ok, warn
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


class State(StrEnum):
    """How a connection stands, as it is told."""

    VERIFIED = "verified"
    HERE = "on this machine"
    ALLOWED = f"in clear, as {PLAIN} allows"
    REFUSED = "refused: neither encrypted nor allowed in clear"
    OPEN = "in clear or not verified"


@dataclass(frozen=True, slots=True)
class Way:
    """One connection.

    Attributes:
        name: of what it leads to, or of the variable that names it.
        hosts: where it leads; an address may hold a secret, its host does not.
    """

    name: str
    hosts: tuple[str, ...]
    state: State

    def __str__(self) -> str:
        return f"{self.name} ({', '.join(self.hosts)}) {self.state}" if self.hosts else f"{self.name} {self.state}"


def ways(settings: Settings, environ: Mapping[str, str]) -> Iterator[Way]:
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


def _warehouses(settings: Settings) -> Iterator[Way]:
    """One for each account of the warehouse; two that go the same way look alike."""
    for name in Settings.model_fields:
        given = getattr(settings, name)
        if isinstance(given, SecretStr) and name.startswith("warehouse_") and name.endswith("_url"):
            yield _warehouse(settings, name, given.get_secret_value())


def _warehouse(settings: Settings, name: str, given: str) -> Way:
    try:
        url = make_url(given)
        proved = tls_of(settings, url)
    except ConfigurationError:
        return Way("warehouse", hosts_named(url), State.REFUSED)
    except ArgumentError:
        return Way(f"{variable(name)}, which is no URL,", (), State.REFUSED)
    hosts = hosts_named(url)
    return Way("warehouse", hosts, State.VERIFIED if proved else _plain(hosts))


def _store(settings: Settings) -> Way:
    host = urlsplit(settings.s3_endpoint_url or "https://s3.amazonaws.com").hostname or ""
    try:
        store_authority(settings)
    except ConfigurationError:
        return Way("object store", (host,), State.REFUSED)
    return Way(
        "object store", (host,), _plain((host,)) if _in_clear(settings.s3_endpoint_url or "") else State.VERIFIED
    )


def _mail(settings: Settings) -> Iterator[Way]:
    relay, named = (settings.smtp_host,), may_be_plain(settings, [settings.smtp_host])
    secured = settings.smtp_starttls or settings.smtp_tls or not named
    yield Way("mail relay", relay, State.VERIFIED if secured else _plain(relay))
    if settings.bounce_imap_host and not settings.bounce_maildir:
        yield Way("mailbox of bounces", (settings.bounce_imap_host,), State.VERIFIED)


def _webhooks(settings: Settings) -> Iterator[Way]:
    """Those that are spoken to without TLS; others may be many, and are verified."""
    if settings.webhooks_file is not None and settings.webhooks_file.is_file():
        yield from (_unverified(settings, "webhook", (host,)) for host in hosts_in_clear(settings.webhooks_file))


def _database(settings: Settings, given: str) -> Way:
    """Airflow's own database: its URL says what SQLAlchemy's driver asks for."""
    try:
        url = make_url(given)
    except ArgumentError:
        return Way(DATABASE, (), State.OPEN)
    if url.query.get("sslmode") in VERIFYING:
        return Way(DATABASE, hosts_named(url), State.VERIFIED)
    return _unverified(settings, DATABASE, hosts_named(url))


def _broker(settings: Settings, environ: Mapping[str, str]) -> Way:
    address = urlsplit(environ[_BROKER])
    asked = parse_qs(address.query).get("ssl_cert_reqs", [""])[0].lower()
    by_airflow = environ.get("AIRFLOW__CELERY__SSL_ACTIVE", "").lower() == "true"
    if address.scheme == "rediss" and (asked in {"required", "cert_required"} or (by_airflow and not asked)):
        return Way(_BROKER, (address.hostname or "",), State.VERIFIED)
    return _unverified(settings, _BROKER, (address.hostname or "",))


def _address(settings: Settings, name: str, given: str) -> Way:
    hosts = (urlsplit(given).hostname or "",)
    return _unverified(settings, name, hosts) if _in_clear(given) else Way(name, hosts, State.VERIFIED)


def _unverified(settings: Settings, name: str, hosts: tuple[str, ...]) -> Way:
    return Way(name, hosts, _plain(hosts) if may_be_plain(settings, hosts) else State.OPEN)


def _plain(hosts: tuple[str, ...]) -> State:
    return State.HERE if all(map(is_here, hosts)) else State.ALLOWED


def _in_clear(address: str) -> bool:
    return urlsplit(address).scheme == "http"


def _transport(surroundings: Surroundings) -> Finding:
    found = list(ways(surroundings.settings, surroundings.environ))
    told = "; ".join(dict.fromkeys(map(str, found)))
    states = {way.state for way in found}
    fix = (
        "give it TLS (https, rediss, sslmode=verify-full; docs/server.md, Encryption), or name its host in "
        f"{PLAIN} if its network does not leave the machine"
    )
    if State.REFUSED in states:
        return fail(told, fix)
    if State.OPEN in states:
        return warn(told, fix)
    if State.ALLOWED in states:
        return warn(told, f"leave in {PLAIN} only hosts whose network does not leave the machine")
    return ok(told)


CHECKS = (
    Check(
        "encryption", _transport,
        settings=("plain_hosts", "warehouse_url", "s3_endpoint_url", "smtp_host", "smtp_starttls", "smtp_tls"),
    ),
)  # fmt: skip
