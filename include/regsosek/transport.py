"""Which connections are encrypted and verified: all but those to this machine and to hosts that a setting names."""

import ssl
from collections.abc import Iterable, Mapping
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urlsplit

from regsosek.errors import ConfigurationError
from regsosek.settings import Settings, variable

VERIFYING = ("verify-full", "verify-ca")
PLAIN = variable("plain_hosts")
# Where distributions keep the authorities that they trust; libpq in a wheel looks at a place of its own.
_BUNDLES = ("/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/cert.pem")


def is_here(host: str) -> bool:
    """Whether what is sent to ``host`` stays on this machine: a loopback address, or the folder of a socket."""
    if host == "localhost" or host.startswith(("/", "@")):
        return True
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def may_be_plain(settings: Settings, hosts: Iterable[str]) -> bool:
    """Whether all of ``hosts`` are here, or named in ``REGSOSEK_PLAIN_HOSTS``; without any, nobody knows."""
    named = [host.lower() for host in hosts]
    return bool(named) and all(is_here(host) or host in settings.named_plain for host in named)


def hosts_of(given: Mapping[str, object]) -> list[str]:
    """Every host of the parameters of a connection to PostgreSQL, without its port; also those of ``hostaddr``."""
    parts = [part for name in ("host", "hostaddr") for part in _listed(given.get(name))]
    return [part.rpartition(":")[0] if part.count(":") == 1 else part for part in parts]


def warehouse_tls(settings: Settings, given: Mapping[str, object]) -> dict[str, str]:
    """What libpq is told beside ``given``, the parameters of a connection: to accept a proved server alone.

    Raises:
        ConfigurationError: they ask for less, to a host that no setting allows it for.
    """
    if may_be_plain(settings, hosts_of(given)):
        return {}
    mode = str(given.get("sslmode") or VERIFYING[0])
    if mode not in VERIFYING:
        raise ConfigurationError(
            f"sslmode={mode} does not prove the warehouse's server; write verify-full or leave it out, or name the "
            f"host in {PLAIN} if its network does not leave the machine"
        )
    authority = given.get("sslrootcert") or settings.warehouse_ca_file or trusted_authorities()
    return {"sslmode": mode, "sslrootcert": str(authority)}


def store_authority(settings: Settings) -> str | None:
    """The authorities that the object store's certificate is checked with; None: those that botocore brings.

    Raises:
        ConfigurationError: the endpoint is in clear, on a host that no setting allows it for.
    """
    address = urlsplit(settings.s3_endpoint_url or "https://")
    if address.scheme == "http" and not may_be_plain(settings, [address.hostname or ""]):
        raise ConfigurationError(
            f"{variable('s3_endpoint_url')} is not encrypted: write https://, or name its host in {PLAIN} if its "
            "network does not leave the machine"
        )
    return None if settings.s3_ca_file is None else str(settings.s3_ca_file)


def wants_starttls(settings: Settings) -> bool:
    """Whether a session with the relay is encrypted before anything is said."""
    return settings.smtp_starttls or not (settings.smtp_tls or may_be_plain(settings, [settings.smtp_host]))


def trusted_authorities() -> str:
    """The file of the authorities that this machine trusts, as libpq is told it."""
    known = (ssl.get_default_verify_paths().cafile, *_BUNDLES)
    return next((path for path in known if path and Path(path).is_file()), "system")


def _listed(value: object) -> list[str]:
    parts = value if isinstance(value, tuple | list) else str(value or "").split(",")
    return [part for each in parts for part in str(each).split(",") if part]
