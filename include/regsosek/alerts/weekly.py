"""The weekly report on the alerts themselves, to the platform team and BPS centre: how many, acted on, noise."""

import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from sqlalchemy import Connection, Engine, text

from regsosek.alerts.blocked import place_or_tell
from regsosek.alerts.conditions.condition import EVENTS, WAITING, Kind
from regsosek.alerts.conditions.detect import EXPLAINED
from regsosek.alerts.conditions.province_figures import NOBODY
from regsosek.alerts.messages.platform_message import PLATFORM
from regsosek.alerts.messages.rendering import Message, render
from regsosek.alerts.messages.subject import first_fitting
from regsosek.alerts.persistence.waiting_families import together, waiting_by_kabkota
from regsosek.alerts.sentences.texts import Words, words_of
from regsosek.geography.known_events import KnownEvent, known_events
from regsosek.geography.provinces import provinces
from regsosek.geography.recipients import CENTRE, Recipient, Role, addressed, by_language, recipients
from regsosek.settings import Settings
from regsosek.wording import Language

WEEKLY = "weekly"
REPORTED_ON = 6  # the night of Sunday: offices read on Monday what the week came to
DAYS = 7
# Told so often, and acted on so rarely: noise. Fewer say nothing.
LEAST_TOLD, NOISY_BELOW_PERCENT = 10, 50

# A condition told is one life of it at one place. The night's own messages have not gone out: nobody could act on them.
# Acted on: gone, or acknowledged, after it was first told. What stood
# last of families that wait tells whether anybody corrected them.
_CONDITIONS = """
SELECT t.kind, coalesce(CASE WHEN t.kind = 'QUALITY' AND t.level = 'provinsi' THEN max(t.news) END, '') AS rule,
       count(*) AS times,
       EXISTS (SELECT 1 FROM alert.condition c
               WHERE (c.province, c.kind, c.level, c.region_code, c.kabkota, c.since)
                   = (t.province, t.kind, t.level, t.region_code, t.kabkota, t.since)
                     AND c.state = 'resolved' AND c.night BETWEEN min(t.night) AND :night) AS gone,
       (SELECT max(c.night) FROM alert.condition c
        WHERE (c.province, c.kind, c.level, c.region_code, c.kabkota, c.since)
            = (t.province, t.kind, t.level, t.region_code, t.kabkota, t.since)
              AND c.state <> 'resolved' AND c.night <= :night) AS stood,
       t.province, t.level, t.region_code,
       EXISTS (SELECT 1 FROM alert.act a
               WHERE a.province = t.province AND a.kind = t.kind AND a.verb = 'ack'
                     AND a.night BETWEEN min(t.night) AND :night
                     AND (a.level = 'provinsi' OR a.region_code IN (t.region_code, t.kabkota))) AS acknowledged
FROM alert.told t
WHERE t.night >= :before AND t.night < :night AND t.why <> 'recovered' AND t.level IN ('provinsi', 'kabkota')
      AND t.kind <> ALL(:without_end)
GROUP BY t.province, t.kind, t.level, t.region_code, t.kabkota, t.since
"""
# The night's own messages wait beside this report: of the seven nights before it is known what was sent.
_MESSAGES = """
SELECT recipient_group AS "group", count(*) AS messages, count(*) FILTER (WHERE state = 'sent') AS sent
FROM alert.outbox WHERE night >= :before AND night < :night AND kind <> :weekly GROUP BY 1 ORDER BY 2 DESC, 1
"""
_ERASED_IN = "SELECT DISTINCT province FROM ledger.case_request WHERE kind = 'erased'"
_EXPLAINED = """
SELECT event, count(DISTINCT (province, kind, level, region_code)) AS conditions FROM alert.condition
WHERE night > :before AND night <= :night AND event <> '' GROUP BY event
"""


@dataclass(frozen=True, slots=True)
class Precision:
    """Of one kind or rule: conditions told, how often in all, and how many of them were acted on."""

    what: str
    conditions: int
    times: int
    gone: int
    acknowledged: int
    acted: int

    @property
    def noisy(self) -> bool:
        """Whether most of many told led to nothing."""
        return self.conditions >= LEAST_TOLD and self.acted * 100 < NOISY_BELOW_PERCENT * self.conditions


@dataclass(frozen=True, slots=True)
class Week:
    """The week up to ``night``: ``events`` with what they explained; ``messages`` by group of the seven nights before.

    What has no end (``condition.EVENTS``) is in neither kinds nor rules: nobody can act it away.
    """

    night: date
    kinds: tuple[Precision, ...]
    rules: tuple[Precision, ...]
    messages: tuple[tuple[str, int, int], ...]
    events: tuple[tuple[KnownEvent, int], ...] = ()

    @property
    def noisy(self) -> list[Precision]:
        """Kinds and rules that are noise."""
        return [each for each in (*self.kinds, *self.rules) if each.noisy]


@dataclass(frozen=True, slots=True)
class ConditionTold:
    """One life of one condition that was told in the week, and what came of it."""

    kind: str
    rule: str
    times: int
    gone: bool
    acknowledged: bool


def precisions(told: Sequence[ConditionTold], by: str) -> tuple[Precision, ...]:
    """By ``kind`` or ``rule``, the most told first; conditions that have none are left out."""
    groups: dict[str, list[ConditionTold]] = {}
    for each in told:
        groups.setdefault(getattr(each, by), []).append(each)
    counted = [
        Precision(
            what,
            len(own),
            sum(each.times for each in own),
            sum(each.gone for each in own),
            sum(each.acknowledged for each in own),
            sum(each.gone or each.acknowledged for each in own),
        )
        for what, own in groups.items()
        if what
    ]
    return tuple(sorted(counted, key=lambda each: (-each.conditions, each.what)))


def read_week(connection: Connection, night: date, events: Sequence[KnownEvent] = ()) -> Week:
    """What the alerts of the seven nights up to ``night`` came to, as of now."""
    before = night - timedelta(days=DAYS)
    asked = {"night": night, "before": before, "weekly": WEEKLY, "without_end": [each.value for each in EVENTS]}
    told = _told(connection, asked)
    explained = {row.event: row.conditions for row in connection.execute(text(_EXPLAINED), asked)}
    current = [each for each in events if each.opens <= night and each.closes > before]
    return Week(
        night,
        precisions(told, "kind"),
        precisions(told, "rule"),
        tuple((row.group, row.messages, row.sent) for row in connection.execute(text(_MESSAGES), asked)),
        tuple((each, explained.get(each.id, 0)) for each in current),
    )


def _told(connection: Connection, asked: Mapping[str, Any]) -> list[ConditionTold]:
    erased_in = set(connection.execute(text(_ERASED_IN)).scalars())
    return [
        ConditionTold(row.kind, row.rule, row.times, row.gone and not _erased_away(connection, row, erased_in),
                      row.acknowledged)
        for row in connection.execute(text(_CONDITIONS), asked).all()
    ]  # fmt: skip


def _erased_away(connection: Connection, row: Any, erased_in: Collection[str]) -> bool:
    """Whether all families that it stood for last were erased on request: then nobody corrected one of them."""
    if row.province not in erased_in or row.kind not in WAITING or row.stood is None:
        return False
    found = waiting_by_kabkota(connection, row.province, row.stood)
    own = together(found.values()) if row.level == "provinsi" else found.get(row.region_code, NOBODY)
    return not (own.asked_again.families if row.kind == Kind.QUALITY else own.code)


def compose_week(week: Week, language: Language = "en") -> Message:
    """Words the week."""
    words = words_of(language)
    totals = {
        "messages": words.number(sum(messages for _, messages, _ in week.messages)),
        "groups": words.number(len(week.messages)),
        "acted": words.number(sum(each.acted for each in week.kinds)),
        "conditions": words.number(sum(each.conditions for each in week.kinds)),
    }
    values = {
        "say": words.say,
        "night": words.written.day(week.night),
        "last": words.written.day(week.night - timedelta(days=1)),
        "summary": words.say("week_summary", **totals),
        "kinds": [_precision("week_kind", each, words) for each in week.kinds],
        "rules": [_precision("week_rule", each, words) for each in week.rules],
        "noisy": [_precision("week_noisy", each, words) for each in week.noisy],
        "events": [_event(event, explained, words) for event, explained in week.events],
        "messages": [_message(*each, words) for each in week.messages],
        "below": NOISY_BELOW_PERCENT,
        "least": LEAST_TOLD,
    }
    return Message(_subject(week, totals, words), render("weekly.txt.j2", values))


def _subject(week: Week, totals: Mapping[str, str], words: Words) -> str:
    news = [
        words.say("week_subject_messages", n=totals["messages"]),
        words.say("week_subject_acted", acted=totals["acted"], conditions=totals["conditions"]),
        words.say("week_subject_noisy", n=words.number(len(week.noisy))),
    ]
    night = words.written.short_date(week.night)
    return first_fitting(words.say("week_subject", night=night, news=", ".join(news[:n])) for n in (3, 2))


def _precision(form: str, each: Precision, words: Words) -> str:
    counts = ("conditions", "times", "gone", "acknowledged", "acted")
    numbers = {name: words.number(getattr(each, name)) for name in counts}
    what = words.kind(Kind(each.what)).short if each.what in list(Kind) else each.what
    return words.say(form, what=what, **numbers)


def _event(event: KnownEvent, explained: int, words: Words) -> str:
    closes = words.written.day(event.closes)
    about = {"event": event.id, "reason": event.reason, "region": event.region, "owner": event.owner}
    return words.say("week_event", **about, closes=closes, n=words.number(explained))


def _message(group: str, messages: int, sent: int, words: Words) -> str:
    named = {f"prov{each.code}": each.name for each in provinces()} | {PLATFORM: words.say("week_platform")}
    return words.say("week_message", group=named.get(group, group), messages=messages, sent=sent)


def alert_week(engine: Engine, settings: Settings, night: date) -> bool:
    """Composes the report of the week that ends with ``night``, if one does; one that was sent stays as it is."""
    if night.weekday() != REPORTED_ON:
        return False
    with engine.begin() as connection:
        week = read_week(connection, night, known_events(settings.known_events_file, EXPLAINED))
        readers = by_language(addressed(recipients(settings.recipients_file), CENTRE, {Role.PLATFORM, Role.CENTRE}))
        placed = [_place(connection, settings, week, language, own) for language, own in readers.items()]
    return any(placed)


def _place(
    connection: Connection, settings: Settings, week: Week, language: Language, readers: Sequence[Recipient]
) -> bool:
    message = compose_week(week, language)
    return place_or_tell(
        connection,
        settings,
        group=PLATFORM,
        night=week.night,
        kind=WEEKLY,
        recipients=readers,
        message=message,
        news=hashlib.sha256(message.body.encode()).hexdigest(),
        language=language,
        urgent=False,
    )
