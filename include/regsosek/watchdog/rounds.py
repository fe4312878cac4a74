"""A round of the watchdog: look, judge, remember, tell, ping. The one composition of command and DAG."""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Literal, TypeVar

from pydantic import SecretStr

from regsosek.alerts.conditions.detect import EXPLAINED
from regsosek.alerts.messages.rendering import Message
from regsosek.errors import RegsosekError
from regsosek.geography.calendar import NIGHT_ZONE, FieldWindow
from regsosek.geography.known_events import known_events
from regsosek.geography.planning import windows_of
from regsosek.landing.store import Store
from regsosek.settings import Settings
from regsosek.watchdog.channels import ping, send_mail, send_webhook
from regsosek.watchdog.checks import RoundFindings, findings
from regsosek.watchdog.due_findings import DueFinding, confirmed, step
from regsosek.watchdog.finding import Finding
from regsosek.watchdog.message import Sender, compose, words_of
from regsosek.watchdog.observing.limits import Limits, limits
from regsosek.watchdog.observing.objective import Objective, objective
from regsosek.watchdog.observing.observed import Observed, SeenWarehouse, Unreachable
from regsosek.watchdog.observing.store_view import open_store, see_store
from regsosek.watchdog.observing.surroundings import see_airflow, see_mail
from regsosek.watchdog.observing.warehouse_view import see_warehouse
from regsosek.watchdog.silences import Silence, silences, silences_of_events
from regsosek.watchdog.state import Memory
from regsosek.watchdog.state_store import keep, remembered

log = logging.getLogger(__name__)

T = TypeVar("T")
Watcher = Literal["command", "dag"]


@dataclass(frozen=True)
class Round:
    """What a round came to.

    Attributes:
        silenced: keys of findings that a silence covers.
        told: what was told just now; ``unreached`` the ways out that did not work, by name.
        objective: None while the warehouse or the calendar cannot be read.
        since: when each finding that was seen before began, by key; ``watchers``: the last round of each watchdog.
    """

    at: datetime
    findings: tuple[Finding, ...]
    silenced: frozenset[str]
    told: tuple[DueFinding, ...]
    unreached: Mapping[str, str]
    objective: Objective | None
    since: Mapping[str, datetime] = field(default_factory=dict)
    watchers: Mapping[str, datetime] = field(default_factory=dict)

    @property
    def at_fault(self) -> bool:
        """Whether something of ours is wrong that nobody silenced."""
        return any(each.at_fault and each.key not in self.silenced for each in self.findings)


def watch(settings: Settings, now: datetime, watcher: Watcher, *, tell: bool = True) -> Round:
    """One round at ``now``; everything that can be looked at is, whatever does not answer.

    Args:
        tell: False looks alone: nobody is told, nothing remembered, nothing pinged.
    """
    rules, store, url = limits(), open_store(settings), _ping_url(settings, watcher) if tell else None
    # Before the round, so that the switch knows of one that began and never ended.
    dead_man = ping(url, "/start") if url else None
    memory = remembered(store, settings)
    muted, faults = _silences(settings, now)
    observed = replace(_observe(settings, store, now, rules), faults=faults, ping=dead_man)
    observed = replace(observed, watchers={name: at for name, at in memory.rounds.items() if name != watcher})
    if tell:
        memory = memory.with_round(watcher, now)
        observed = replace(observed, memory=keep(store, settings, memory))
    judged = findings(observed, now, rules)
    silenced = _silenced([*judged.findings, *(each.finding for each in memory.standing)], muted, now)
    since = {each.finding.key: each.began_at for each in memory.standing}
    found = Round(
        now, judged.findings, silenced, (), {}, _objective(observed, now, rules), since, watchers=memory.rounds
    )
    if not tell:
        return found
    found = _tell(settings, store, found, judged, memory, watcher)
    return _ping(found, url)


def _ping_url(settings: Settings, watcher: Watcher) -> SecretStr | None:
    return settings.watchdog_ping_url if watcher == "command" else settings.watchdog_dag_ping_url


def _observe(settings: Settings, store: Store, now: datetime, rules: Limits) -> Observed:
    # The store first: a night seals in the archive before it does in the warehouse.
    seen_store = _looked("object store", lambda: see_store(store, settings, now, rules))
    return Observed(
        windows=_looked("calendar", lambda: _windows(settings)),
        warehouse=_looked("warehouse", lambda: see_warehouse(settings, now, rules)),
        store=seen_store,
        mail=_looked("mail", lambda: see_mail(settings)),
        airflow=_looked("Airflow", lambda: see_airflow(settings)),
    )


def _looked(part: str, look: Callable[[], T]) -> T | Unreachable:
    """What ``look`` sees; whatever else breaks in it must not blind the others."""
    try:
        return look()
    except Exception as error:  # noqa: BLE001 - told as a finding, by kind alone: its words may quote anything
        log.error("looking at %s broke: %s", part, type(error).__name__)  # noqa: TRY400 - a traceback may hold values
        return Unreachable(f"looking at it broke ({type(error).__name__})")


def _windows(settings: Settings) -> Mapping[str, FieldWindow] | Unreachable:
    try:
        return windows_of(settings)
    except RegsosekError as error:
        return Unreachable(str(error))


def _silences(settings: Settings, now: datetime) -> tuple[tuple[Silence, ...], dict[str, str]]:
    """Those of the operators and of known events; a faulty file silences nothing and is a finding."""
    today = _today(now)
    sources: dict[str, Callable[[], tuple[Silence, ...]]] = {
        "silences": lambda: silences(settings.watchdog_silences_file, today),
        "known events": lambda: silences_of_events(known_events(settings.known_events_file, EXPLAINED), today),
    }
    found: list[Silence] = []
    faults: dict[str, str] = {}
    for name, read in sources.items():
        try:
            found += read()
        except RegsosekError as error:
            faults[name] = str(error)
    return tuple(found), faults


def _silenced(seen: list[Finding], muted: tuple[Silence, ...], now: datetime) -> frozenset[str]:
    today = _today(now)
    return frozenset(
        each.key for each in seen if any(silence.covers(each.kind, each.subject, today) for silence in muted)
    )


def _today(now: datetime) -> date:
    return now.astimezone(NIGHT_ZONE).date()


def _objective(observed: Observed, now: datetime, rules: Limits) -> Objective | None:
    if not isinstance(observed.warehouse, SeenWarehouse) or isinstance(observed.windows, Unreachable):
        return None
    return objective(observed.warehouse.published, now, observed.windows, rules)


def _tell(
    settings: Settings, store: Store, found: Round, judged: RoundFindings, memory: Memory, watcher: Watcher
) -> Round:
    """Tells through every way that is configured; what nobody took is told again by the next round."""
    taken = step(memory, judged, found.at, limits().telling, found.silenced)
    memory, unreached = taken.memory, {}
    for each in taken.told:
        log.warning("%s: %s", each.why, words_of(each.finding))
    if taken.told:
        words = found.objective.words if found.objective else "The objective cannot be computed now."
        message = compose(taken.told, memory, Sender(watcher, settings.docs_url, words), found.at)
        ways = _send(settings, message, found.at)
        unreached = {way: fault.why for way, fault in ways.items() if fault is not None}
        if len(unreached) < len(ways):
            memory = confirmed(memory, taken.told, found.at)
    keep(store, settings, memory)
    return replace(found, told=taken.told, unreached=unreached)


def _send(settings: Settings, message: Message, now: datetime) -> dict[str, Unreachable | None]:
    ways = {"mail": send_mail(settings, message, now)}
    if settings.watchdog_webhook_url is not None:
        ways["webhook"] = send_webhook(settings.watchdog_webhook_url, message)
    return ways


def _ping(found: Round, url: SecretStr | None) -> Round:
    """Last of all: the switch is told that a round really ran to its end."""
    for way, why in found.unreached.items():
        log.error("%s could not be reached: %s", way, why)
    if url is None:
        return found
    text = "\n".join(words_of(each) for each in found.findings if each.key not in found.silenced)
    fault = ping(url, "/fail" if found.at_fault else "", text)
    if fault is None:
        return found
    log.error("the dead-man's switch could not be reached: %s", fault.why)
    return replace(found, unreached={**found.unreached, "ping": fault.why})
