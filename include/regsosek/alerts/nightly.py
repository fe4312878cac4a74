"""A night's alerts: every province's figures judged and composed into the outbox, and ours to the platform team."""

import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, Engine, text

from regsosek.alerts import outbox
from regsosek.alerts.condition import Told, Why
from regsosek.alerts.conditions import worded
from regsosek.alerts.detect import EXPLAINED
from regsosek.alerts.digest import Context, compose_digest
from regsosek.alerts.figures import newest_release, read_figures
from regsosek.alerts.indonesian import day
from regsosek.alerts.judging import Judgement, Rules, common_silence, judge
from regsosek.alerts.memory import remembered, write_conditions, write_told
from regsosek.alerts.ours import note_faults, suspected_before
from regsosek.alerts.places import with_places
from regsosek.alerts.platform import PlatformFigures, compose_platform, escalated_lines
from regsosek.alerts.province_figures import ProvinceFigures
from regsosek.alerts.thresholds import thresholds
from regsosek.errors import ReferenceDataError
from regsosek.geography.calendar import FieldWindow, planned_windows
from regsosek.geography.known_events import known_events
from regsosek.geography.offices import Office, offices
from regsosek.geography.plan import plans
from regsosek.geography.provinces import province, provinces
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
        unchanged: something stands, and nothing of it is to be told tonight.
        sent_before: the night's message has gone out; it stays as it is.
        not_processed: the province's night is not processed, which is no news for the province.
        failed: error by group.
        judged: by province, its conditions and what is told of them.
        suspected: provinces that are silent at once, so many that silence is taken for a fault of ours.
    """

    composed: list[str] = field(default_factory=list)
    quiet: list[str] = field(default_factory=list)
    unchanged: list[str] = field(default_factory=list)
    sent_before: list[str] = field(default_factory=list)
    not_processed: list[str] = field(default_factory=list)
    failed: dict[str, str] = field(default_factory=dict)
    judged: dict[str, Judgement] = field(default_factory=dict)
    suspected: list[str] = field(default_factory=list)

    @property
    def escalated(self) -> dict[str, list[Told]]:
        """By province, what has come to the centre tonight."""
        found = {
            code: [each for each in judgement.telling.told if each.why is Why.ESCALATED]
            for code, judgement in self.judged.items()
        }
        return {code: told for code, told in found.items() if told}


@dataclass(frozen=True)
class _Desk:
    """What composing needs beside the warehouse; read once for all provinces."""

    night: date
    kind: str
    rules: Rules
    windows: Mapping[str, FieldWindow]
    offices: Mapping[str, Office]
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
    asked = _asked(provinces)
    composed.not_processed.extend(group_of(code) for code in asked if code not in processed)
    figures: dict[str, ProvinceFigures] = {}
    for code in (each for each in asked if each in processed):
        with _naming(composed, code), engine.begin() as connection:
            figures[code] = with_places(
                connection, read_figures(connection, code, night, desk.windows[code]), desk.rules.limits
            )
    composed.suspected.extend(_suspected(engine, night, figures, desk))
    for code, each in figures.items():
        with _naming(composed, code), engine.begin() as connection:
            _alert_province(connection, desk, each, composed)
    return composed


@contextmanager
def _naming(composed: Composed, code: str) -> Iterator[None]:
    """One province without reference data stops nobody and is named."""
    try:
        yield
    except ReferenceDataError as error:
        composed.failed[group_of(code)] = str(error)
        log.warning("no digest for province %s: %s", code, error)


def _suspected(engine: Engine, night: date, figures: Mapping[str, ProvinceFigures], desk: _Desk) -> list[str]:
    """Silent provinces whose silence is taken for ours; a few judged anew rest on what was found of all."""
    silent = common_silence(night, figures, desk.rules.limits)
    if silent or len(figures) == len(_asked(None)):
        return silent
    with engine.begin() as connection:
        return [*figures] if suspected_before(connection, night) else []


def alert_platform(
    engine: Engine,
    settings: Settings,
    night: date,
    *,
    failed: Mapping[str, str],
    publication: str | None,
    provinces: Sequence[str] | None = None,
    astray: Mapping[str, int] | None = None,
    told: Composed | None = None,
) -> Composed:
    """Composes what failed of ours, and what waits for an operator, into the outbox, for the platform team only.

    That deliveries go on waiting is no news the night after it was told; faults that are acknowledged are none either.

    Args:
        failed: error by province, as ``<class>: <message>``; a ``ParityError`` is told apart.
        publication: why nothing was published, None if it was.
        provinces: the ones that the night was to process (default: all).
        astray: keys in the landing area that no delivery is made of, by where they lie.
        told: what became of the provinces, which says what has come to the centre.
    """
    composed = Composed()
    with engine.begin() as connection:
        refreshed, asked = frozenset(refreshed_provinces(connection, night)), _asked(provinces)
        held = tuple(each for each in held_deliveries(connection, night=night) if each.province in asked)
        silent, escalated = (tuple(told.suspected), escalated_lines(told.escalated)) if told else ((), ())
        figures = PlatformFigures(night, asked, refreshed, failed, publication, astray or {}, held, silent, escalated)
        in_hand = note_faults(connection, figures) and not escalated
        repeated = in_hand or (
            not figures.at_fault
            and outbox.told_the_night_before(connection, PLATFORM, night, PLATFORM, figures.fingerprint)
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
            recipients=settings.platform_recipients,
            message=compose_platform(figures),
            news=figures.fingerprint,
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


def _asked(codes: Sequence[str] | None) -> list[str]:
    return [each.code for each in provinces()] if codes is None else list(codes)


def _desk(connection: Connection, settings: Settings, night: date, kind: str) -> _Desk:
    suites = load_suites(settings.expectations_dir)
    newest = newest_release(connection, night)
    return _Desk(
        night=night,
        kind=kind,
        rules=Rules(thresholds(), known_events(settings.known_events_file, EXPLAINED), plans(settings.plan_file)),
        windows=planned_windows(settings.calendar_file, settings.plan_file),
        offices=offices(settings.offices_file),
        rule_texts={rule.id: rule.text_id for suite in suites.values() for rule in suite.rules},
        release=f"malam {day(newest)}; rilis/terkini.json di s3://{settings.release_bucket}" if newest else None,
    )


def _alert_province(connection: Connection, desk: _Desk, figures: ProvinceFigures, composed: Composed) -> None:
    code, limits = figures.province, desk.rules.limits
    group, office = group_of(code), desk.offices[code]
    judgement = judge(
        figures,
        remembered(connection, code, group, desk.night, desk.kind),
        desk.rules,
        suspected=code in composed.suspected,
    )
    composed.judged[code] = judgement
    write_conditions(connection, code, desk.night, judgement.conditions)
    told = judgement.telling.told
    if not judgement.telling.send:
        outbox.take_back(connection, group, desk.night, desk.kind)
        if not outbox.is_placed(connection, group, desk.night, desk.kind):
            write_told(connection, code, desk.night, desk.kind, ())
        (composed.unchanged if told else composed.quiet).append(group)
        return
    zone = ZoneInfo(province(code).timezone)
    context = Context(office.name, zone, desk.rule_texts, desk.release)
    placed = outbox.place(
        connection,
        group=group,
        night=desk.night,
        kind=desk.kind,
        recipients=[office.email],
        message=compose_digest(figures, worded(told, desk.night), limits, context),
        news=outbox.fingerprint(told),
    )
    if placed:
        write_told(connection, code, desk.night, desk.kind, told)
    (composed.composed if placed else composed.sent_before).append(group)
