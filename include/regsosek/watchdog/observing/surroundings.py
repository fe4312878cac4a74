"""Mail server and Airflow as a round finds them."""

from datetime import datetime
from typing import Any

import httpx

from regsosek.alerts.sending.smtp import describe_failure, open_session
from regsosek.settings import Settings
from regsosek.watchdog.observing.observed import SeenAirflow, Unreachable

PATIENCE_SECONDS = 10.0
_HEARTBEAT = "latest_{}_heartbeat"
_COMPONENTS = ("scheduler", "dag_processor", "triggerer")


def see_mail(settings: Settings) -> Unreachable | None:
    """Knocks at the mail server: connection, TLS and login, no message."""
    try:
        with open_session(settings):
            return None
    except OSError as error:
        return Unreachable(describe_failure(error))


def see_airflow(settings: Settings) -> SeenAirflow | Unreachable | None:
    """Heartbeats by the API server's health page, which reads them from Airflow's database.

    Whether Airflow calls a component healthy is not asked; only when it was last alive.
    """
    if settings.airflow_health_url is None:
        return None
    try:
        answer = httpx.get(settings.airflow_health_url, timeout=PATIENCE_SECONDS, trust_env=False)
        return _heartbeats(answer.raise_for_status().json())
    except httpx.HTTPStatusError as error:
        return Unreachable(f"HTTP {error.response.status_code}")
    except (httpx.HTTPError, httpx.InvalidURL, ValueError, KeyError, TypeError, AttributeError) as error:
        return Unreachable(type(error).__name__)


def _heartbeats(health: dict[str, Any]) -> SeenAirflow | Unreachable:
    if health["metadatabase"]["status"] != "healthy":
        return Unreachable("its metadata database does not answer")
    last = {name: (health.get(name) or {}).get(_HEARTBEAT.format(name)) for name in _COMPONENTS}
    return SeenAirflow({name: datetime.fromisoformat(at) for name, at in last.items() if at})
