"""A night's alerts: every province's figures judged and composed into the outbox, and ours to the platform team."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, Engine, text

from regsosek.alerts import outbox
from regsosek.alerts.conditions import decide
from regsosek.alerts.digest import Context, compose_digest
from regsosek.alerts.figures import newest_release, read_figures
from regsosek.alerts.indonesian import day
from regsosek.alerts.platform import PlatformFigures, compose_platform
from regsosek.alerts.thresholds import thresholds
from regsosek.errors import ReferenceDataError
from regsosek.geography.calendar import FieldWindow, planned_windows
from regsosek.geography.provinces import province, provinces
from regsosek.geography.recipients import CENTRE, Recipient, Role, addressed, recipients
from regsosek.quality.rules import load_suites
from regsosek.settings import Settings
from regsosek.warehouse.holding import SUPERSEDED, held_deliveries
from regsosek.warehouse.ledger import refreshed_provinces

log = logging.getLogger(__name__)

DIGEST = "digest"
PLATFORM = "platform"


@dataclass(frozen=True)
class Composed:
    """What became of each recipient group, by name.

    Attributes:
        composed: a message waits in the outbox.
        quiet: nothing to tell.
        unchanged: the same news was told the night before.
        sent_before: the night's message has gone out; it stays as it is.
        not_processed: the province's night is not processed, which is no news for the province.
        failed: error by group.
    """

    composed: list[str] = field(default_factory=list)
    quiet: list[str] = field(default_factory=list)
    unchanged: list[str] = field(default_factory=list)
    sent_before: list[str] = field(default_factory=list)
    not_processed: list[str] = field(default_factory=list)
    failed: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class _Desk:
    """What composing needs beside the warehouse; read once for all provinces."""

    night: date
    kind: str
    windows: Mapping[str, FieldWindow]
    recipients: Sequence[Recipient]
    honour_quiet: bool
    rule_texts: Mapping[str, str]
    release: str | None


def alert_provinces(
    engine: Engine, settings: Settings, night: date, *, provinces: Sequence[str] | None = None, kind: str = DIGEST
) -> Composed:
    """Judges ``night`` for each province (default: all) and composes at most one digest each into the outbox.

    Runs any number of times: an unsent digest is composed anew, a sent one stays. One transaction per province.

    Args:
        kind: under which it goes into the outbox; another one sends a second digest of the night, after a decision.
    """
    composed = Composed()
    with engine.begin() as connection:
        processed = refreshed_provinces(connection, night)
        desk = _desk(connection, settings, night, kind)
    for code in _asked(provinces):
        if code not in processed:
            composed.not_processed.append(group_of(code))
            continue
        try:
            with engine.begin() as connection:
                _alert_province(connection, desk, code, composed)
        except ReferenceDataError as error:
            composed.failed[group_of(code)] = str(error)
            log.warning("no digest for province %s: %s", code, error)
    return composed


def alert_platform(
    engine: Engine,
    settings: Settings,
    night: date,
    *,
    failed: Mapping[str, str],
    publication: str | None,
    provinces: Sequence[str] | None = None,
    astray: Mapping[str, int] | None = None,
) -> Composed:
    """Composes what failed of ours, and what waits for an operator, into the outbox, for the platform team only.

    That deliveries go on waiting is no news the night after it was told.

    Args:
        failed: error by province, as ``<class>: <message>``; a ``ParityError`` is told apart.
        publication: why nothing was published, None if it was.
        provinces: the ones that the night was to process (default: all).
        astray: keys in the landing area that no delivery is made of, by where they lie.
    """
    composed = Composed()
    with engine.begin() as connection:
        refreshed, asked = frozenset(refreshed_provinces(connection, night)), _asked(provinces)
        held = tuple(each for each in held_deliveries(connection, night=night) if each.province in asked)
        figures = PlatformFigures(night, asked, refreshed, failed, publication, astray or {}, held)
        repeated = not figures.at_fault and outbox.told_the_night_before(
            connection, PLATFORM, night, PLATFORM, figures.fingerprint
        )
        if repeated or not figures.anything:
            outbox.take_back(connection, PLATFORM, night, PLATFORM)
            (composed.unchanged if repeated else composed.quiet).append(PLATFORM)
            return composed
        placed = outbox.place(
            connection,
            group=PLATFORM,
            night=night,
            kind=PLATFORM,
            recipients=addressed(recipients(settings.recipients_file), CENTRE, {Role.PLATFORM}),
            message=compose_platform(figures),
            news=figures.fingerprint,
            language="en",
            urgent=figures.at_fault,
            honour_quiet=settings.quiet_hours,
        )
        (composed.composed if placed else composed.sent_before).append(PLATFORM)
    return composed


def alert_decisions(engine: Engine, settings: Settings, night: date, provinces: Sequence[str] | None = None) -> None:
    """Composes, for decisions on held deliveries that a run has carried out, the digests that were not composed yet.

    A decision that was taken and carried out in one go told its province itself; old ones are no news.
    """
    asked = {"night": night, "provinces": _asked(provinces)}
    with engine.begin() as connection:
        carried_out = list(connection.execute(_CARRIED_OUT, asked))
    for each in carried_out:
        alert_provinces(
            engine, settings, each.decided_night, provinces=[each.province], kind=kind_after(each.delivery_id)
        )


_CARRIED_OUT = text(f"""
SELECT d.province, d.delivery_id, d.decided_night FROM ledger.delivery d
WHERE d.province = ANY(:provinces) AND d.decided_night <= :night AND d.state IN ('accepted', 'rejected')
  AND EXISTS (
      SELECT 1 FROM ledger.event e WHERE e.province = d.province AND e.delivery_id = d.delivery_id
      AND e.kind IN ('freed', 'rejected') AND e.detail ->> 'reason' <> '{SUPERSEDED}'
      AND e.at > now() - interval '3 days')
  AND NOT EXISTS (
      SELECT 1 FROM alert.outbox o WHERE o.recipient_group = 'prov' || d.province
      AND o.kind = '{DIGEST} after ' || d.delivery_id)
ORDER BY d.province, d.decided_at
""")


def kind_after(delivery_id: str) -> str:
    """Under which the digest goes into the outbox that tells a province of a decision."""
    return f"{DIGEST} after {delivery_id}"


def group_of(code: str) -> str:
    """The recipient group of a province's office."""
    return f"prov{code}"


def roles_told(critical: bool) -> frozenset[Role]:
    """Who of a province gets its digest: the head of the office only what is critical."""
    return frozenset({Role.OPERASIONAL, Role.PIMPINAN} if critical else {Role.OPERASIONAL})


def _asked(codes: Sequence[str] | None) -> list[str]:
    return [each.code for each in provinces()] if codes is None else list(codes)


def _desk(connection: Connection, settings: Settings, night: date, kind: str) -> _Desk:
    suites = load_suites(settings.expectations_dir)
    newest = newest_release(connection, night)
    return _Desk(
        night=night,
        kind=kind,
        windows=planned_windows(settings.calendar_file, settings.plan_file),
        recipients=recipients(settings.recipients_file),
        honour_quiet=settings.quiet_hours,
        rule_texts={rule.id: rule.text_id for suite in suites.values() for rule in suite.rules},
        release=f"malam {day(newest)}; rilis/terkini.json di s3://{settings.release_bucket}" if newest else None,
    )


def _alert_province(connection: Connection, desk: _Desk, code: str, composed: Composed) -> None:
    limits, group = thresholds(), group_of(code)
    figures = read_figures(connection, code, desk.night, desk.windows[code])
    conditions = decide(figures, limits, outbox.standing_before(connection, code, desk.night))
    outbox.write_conditions(connection, code, desk.night, conditions)
    news = outbox.fingerprint(conditions)
    critical = any(each.severity == "KRITIS" for each in conditions)
    repeated = not critical and outbox.told_the_night_before(connection, group, desk.night, desk.kind, news)
    if not conditions or repeated:
        outbox.take_back(connection, group, desk.night, desk.kind)
        (composed.unchanged if conditions else composed.quiet).append(group)
        return
    of = province(code)
    context = Context(of.office, ZoneInfo(of.timezone), desk.rule_texts, desk.release)
    message = compose_digest(figures, conditions, limits, context)
    placed = outbox.place(
        connection,
        group=group,
        night=desk.night,
        kind=desk.kind,
        recipients=addressed(desk.recipients, code, roles_told(critical)),
        message=message,
        news=news,
        urgent=critical,
        honour_quiet=desk.honour_quiet,
    )
    (composed.composed if placed else composed.sent_before).append(group)
