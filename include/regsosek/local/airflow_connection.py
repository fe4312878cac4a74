"""The mail relay as an Airflow connection knows it, for deployments that keep their credentials there."""

from typing import Any

from airflow.sdk import BaseHook

from regsosek.settings import load_settings


def mail_variables() -> dict[str, str]:
    """The ``REGSOSEK_SMTP_*`` variables of connection ``REGSOSEK_SMTP_CONN_ID``; none if a host is set, or no such id.

    Only within a task. Raises what Airflow raises where there is no such connection.
    """
    settings = load_settings()
    if not settings.mail_is_airflows:
        return {}
    return variables_of(BaseHook.get_connection(settings.smtp_conn_id))


def variables_of(connection: Any) -> dict[str, str]:
    """A connection of type SMTP as variables; its extras mean what Airflow's own SMTP hook takes them for."""
    extra = connection.extra_dejson
    tls = not extra.get("disable_ssl", False)
    found = {
        "HOST": connection.host,
        "PORT": connection.port,
        "USERNAME": connection.login,
        "PASSWORD": connection.password,
        "TLS": str(tls).lower(),
        "STARTTLS": str(not tls and not extra.get("disable_tls", False)).lower(),
        "TIMEOUT_SECONDS": extra.get("timeout"),
    }
    return {f"REGSOSEK_SMTP_{name}": str(value) for name, value in found.items() if value}
