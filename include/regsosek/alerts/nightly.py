"""A night's alerts: every province's figures judged and composed into the outbox, and ours to the platform team."""

import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import date

from sqlalchemy import Connection, Engine

from regsosek.alerts.blocked import place_or_tell, tell_stopped
from regsosek.alerts.conditions.condition import Notification, Severity, Why
from regsosek.alerts.conditions.evaluation import Evaluation, common_silence, judge
from regsosek.alerts.conditions.province_figures import ProvinceFigures
from regsosek.alerts.messages.platform_message import PLATFORM, PlatformFigures, compose_platform
from regsosek.alerts.messages.province_digest import compose_digest
from regsosek.alerts.messages.province_stand import ProvinceStand
from regsosek.alerts.messages.rendering import Message
from regsosek.alerts.nation import NATION, alert_nation
from regsosek.alerts.night_context import NightContext, open_night_context
from regsosek.alerts.outbox import outbox
from regsosek.alerts.outbox.gate import require_clean
from regsosek.alerts.persistence.condition_store import remembered, write_conditions, write_told
from regsosek.alerts.persistence.night_figures import read_figures
from regsosek.alerts.persistence.place_figures import with_places
from regsosek.alerts.persistence.waiting_families import with_waiting
from regsosek.alerts.platform_faults import note_faults, suspected_before
from regsosek.errors import PersonalDataError, ReferenceDataError, RegsosekError
from regsosek.faults import edge, named
from regsosek.geography.provinces import province, provinces
from regsosek.geography.recipients import CENTRE, Role, addressed, by_language, recipients
from regsosek.settings import Settings
from regsosek.warehouse.nights.holding import held_deliveries
from regsosek.warehouse.nights.ledger import refreshed_provinces
from regsosek.wording import Language

log = logging.getLogger(__name__)

DIGEST = "digest"


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
        stopped: what looked like personal data, by group; told to the platform team.
        stands: where each judged province stands, by code.
        suspected: provinces that are silent at once, so many that silence is taken for a fault of ours.
    """

    composed: list[str] = field(default_factory=list)
    quiet: list[str] = field(default_factory=list)
    unchanged: list[str] = field(default_factory=list)
    sent_before: list[str] = field(default_factory=list)
    not_processed: list[str] = field(default_factory=list)
    failed: dict[str, str] = field(default_factory=dict)
    judged: dict[str, Evaluation] = field(default_factory=dict)
    stopped: dict[str, str] = field(default_factory=dict)
    stands: dict[str, ProvinceStand] = field(default_factory=dict)
    suspected: list[str] = field(default_factory=list)

    @property
    def escalated(self) -> dict[str, list[Notification]]:
        """By province, what has come to the centre tonight."""
        found = {
            code: [each for each in judgement.telling.told if each.why is Why.ESCALATED]
            for code, judgement in self.judged.items()
        }
        return {code: told for code, told in found.items() if told}


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
        night_context = open_night_context(connection, settings, night)
    asked = _asked(provinces)
    composed.not_processed.extend(group_of(code) for code in asked if code not in processed)
    figures: dict[str, ProvinceFigures] = {}
    for code in (each for each in asked if each in processed):
        with _naming(composed, code), engine.begin() as connection:
            figures[code] = _figures(connection, night_context, code)
    composed.suspected.extend(_suspected(engine, night, figures, night_context))
    for code, each in figures.items():
        with _naming(composed, code), engine.begin() as connection:
            _alert_province(connection, night_context, each, kind, composed)
    with engine.begin() as connection:
        tell_stopped(connection, settings, night, composed.stopped)
    return composed


def read_digest(engine: Engine, settings: Settings, night: date, code: str, language: Language = "id") -> Message:
    """The digest of one province's night as it reads now, in either language; nothing is written or sent.

    Raises:
        ReferenceDataError: the province is unknown or has no target, or its night is not processed.
        PersonalDataError: it would be stopped.
    """
    asked = province(code)
    with engine.begin() as connection:
        if code not in refreshed_provinces(connection, night):
            raise ReferenceDataError(f"{asked.name} ({code}): night {night} is not processed; run `regsosek night`")
        night_context = open_night_context(connection, settings, night)
        figures = _figures(connection, night_context, code)
        told = judge(
            figures, remembered(connection, code, group_of(code), night, DIGEST), night_context.rules
        ).telling.told
        message = compose_digest(
            figures, told, night_context.rules.limits, night_context.context(connection, code, told, language)
        )
        require_clean(connection, message)
    return message


def _figures(connection: Connection, night_context: NightContext, code: str) -> ProvinceFigures:
    limits = night_context.rules.limits
    figures = read_figures(connection, code, night_context.night, night_context.windows[code])
    placed = with_places(connection, figures, limits, night_context.rules.plans, night_context.rules.targets)
    return with_waiting(connection, placed, limits)


@contextmanager
def _naming(composed: Composed, code: str) -> Iterator[None]:
    """The edge around one province's digest: whatever fails stops no other digest, and is named."""
    try:
        with edge("digest"):
            yield
    except RegsosekError as error:
        log.exception("no digest for province %s", code)
        composed.failed[group_of(code)] = named(error)
        composed.judged.pop(code, None)
        composed.stands.pop(code, None)


def _suspected(
    engine: Engine, night: date, figures: Mapping[str, ProvinceFigures], night_context: NightContext
) -> list[str]:
    """Silent provinces whose silence is taken for ours; a few judged anew rest on what was found of all."""
    silent = common_silence(night, figures, night_context.rules.limits)
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
    unrecognised: Mapping[str, int] | None = None,
    told: Composed | None = None,
    untold: Mapping[str, str] | None = None,
) -> Composed:
    """Composes what failed of ours, and what waits for an operator, into the outbox, for the platform team only.

    That deliveries go on waiting is no news the night after it was told; faults that are acknowledged are none either.
    A night of all provinces is told as a whole as well, if ``told`` says where they stand.

    Args:
        failed: error by province, as ``<class>: <message>``; a ``ParityError`` is told apart.
        publication: why nothing was published, None if it was.
        provinces: the ones that the night was to process (default: all).
        unrecognised: keys in the landing area that no delivery is made of, by where they lie.
        told: what became of the provinces, which says what has come to the centre.
        untold: why messages of the night could not be composed, by group or name.

    Returns:
        What became of the message; ``failed`` names the nation's digest if that could not be composed.
    """
    composed = Composed()
    with engine.begin() as connection:
        refreshed, asked = frozenset(refreshed_provinces(connection, night)), _asked(provinces)
        held = tuple(each for each in held_deliveries(connection, night=night) if each.province in asked)
    whole = told is not None and set(asked) == set(_asked(None))
    silent = tuple(told.suspected) if told else ()
    escalated = told.escalated if told and not whole else {}  # the nation's digest tells them else
    figures = PlatformFigures(
        night, asked, refreshed, failed, publication, unrecognised or {}, held, silent, escalated, untold or {}
    )
    _alert_platform(engine, settings, figures, composed)
    if told is not None and whole:
        _alert_nation(engine, settings, told, figures, composed)
    return composed


def _alert_nation(
    engine: Engine, settings: Settings, told: Composed, figures: PlatformFigures, composed: Composed
) -> None:
    """Composes the nation's digest; that it could not be is told to the platform team in its place."""
    try:
        with edge("digest of the nation"):
            alert_nation(engine, settings, told.stands, figures)
    except RegsosekError as error:
        log.exception("no digest of the nation")
        composed.failed[NATION] = named(error)
        _alert_platform(engine, settings, replace(figures, untold={**figures.untold, **composed.failed}), composed)


def _alert_platform(engine: Engine, settings: Settings, figures: PlatformFigures, composed: Composed) -> None:
    night = figures.night
    with engine.begin() as connection:
        in_hand = note_faults(connection, figures) and not figures.escalated
        repeated = in_hand or (
            not figures.at_fault
            and outbox.told_the_night_before(connection, PLATFORM, night, PLATFORM, figures.fingerprint)
        )
        if repeated or not figures.anything:
            outbox.take_back(connection, PLATFORM, night, PLATFORM)
            (composed.unchanged if repeated else composed.quiet).append(PLATFORM)
            return
        team = by_language(addressed(recipients(settings.recipients_file), CENTRE, {Role.PLATFORM}))
        placed = [
            place_or_tell(
                connection,
                settings,
                group=PLATFORM,
                night=night,
                kind=PLATFORM,
                recipients=own,
                message=compose_platform(figures, settings.docs_url, language),
                news=figures.fingerprint,
                language=language,
                urgent=figures.at_fault,
            )
            for language, own in team.items()
        ]
        (composed.composed if any(placed) else composed.sent_before).append(PLATFORM)


def group_of(code: str) -> str:
    """The recipient group of a province's office."""
    return f"prov{code}"


def roles_told(*, critical: bool) -> frozenset[Role]:
    """Who of a province gets its digest: the head of the office only what is critical or has come to the centre."""
    return frozenset({Role.OPERATIONS, Role.LEADERSHIP} if critical else {Role.OPERATIONS})


def _asked(codes: Sequence[str] | None) -> list[str]:
    return [each.code for each in provinces()] if codes is None else list(codes)


def _alert_province(
    connection: Connection, night_context: NightContext, figures: ProvinceFigures, kind: str, composed: Composed
) -> None:
    code, night = figures.province, night_context.night
    group = group_of(code)
    memory = remembered(connection, code, group, night, kind)
    judgement = judge(figures, memory, night_context.rules, suspected=code in composed.suspected)
    told = judgement.telling.told
    composed.judged[code], composed.stands[code] = judgement, ProvinceStand(figures, told, judgement.put_off)
    write_conditions(connection, code, night, judgement.conditions)
    if not judgement.telling.send:
        outbox.take_back(connection, group, night, kind)
        if not outbox.is_placed(connection, group, night, kind):
            write_told(connection, code, night, kind, ())
        (composed.unchanged if told else composed.quiet).append(group)
        return
    try:
        placed = _place(connection, night_context, figures, told, kind)
    except PersonalDataError as stopped:
        outbox.take_back(connection, group, night, kind)
        composed.stopped[group] = str(stopped)
        return
    if placed:
        write_told(connection, code, night, kind, told)
    (composed.composed if placed else composed.sent_before).append(group)


def _place(
    connection: Connection,
    night_context: NightContext,
    figures: ProvinceFigures,
    told: Sequence[Notification],
    kind: str,
) -> bool:
    """Puts the digest into the outbox in each language that it is read in; whether any of them waits there."""
    code = figures.province
    urgent = any(_presses(each) for each in told)
    placed = [
        outbox.place(
            connection,
            group=group_of(code),
            night=night_context.night,
            kind=kind,
            recipients=own,
            message=compose_digest(
                figures, told, night_context.rules.limits, night_context.context(connection, code, told, language)
            ),
            news=outbox.fingerprint(told),
            language=language,
            urgent=urgent,
            honour_quiet=night_context.honour_quiet,
        )
        for language, own in by_language(addressed(night_context.recipients, code, roles_told(critical=urgent))).items()
    ]
    return any(placed)


def _presses(told: Notification) -> bool:
    """Whether it cannot wait for the office's morning."""
    told_now = told.why not in {Why.STANDING, Why.RECOVERED}
    return told_now and (told.condition.severity is Severity.CRITICAL or told.why is Why.ESCALATED)
