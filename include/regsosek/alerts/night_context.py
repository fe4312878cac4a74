"""What composing the messages of a night needs beside the figures: read once, for all provinces."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from regsosek.alerts.conditions.condition import Notification
from regsosek.alerts.conditions.detect import EXPLAINED
from regsosek.alerts.conditions.evaluation import Rules
from regsosek.alerts.conditions.thresholds import thresholds
from regsosek.alerts.persistence.night_figures import newest_release, read_officers
from regsosek.alerts.sentences.context import Context, ExplainingEvent
from regsosek.alerts.sentences.texts import words_of
from regsosek.geography.calendar import FieldWindow
from regsosek.geography.known_events import known_events
from regsosek.geography.planning import planning
from regsosek.geography.provinces import province
from regsosek.geography.recipients import Recipient, recipients
from regsosek.quality.rules import load_suites
from regsosek.settings import Settings
from regsosek.wording import Language


@dataclass(frozen=True)
class NightContext:
    """What is judged by, windows by province, who is told when, texts of rules by language and id, the release."""

    night: date
    rules: Rules
    windows: Mapping[str, FieldWindow]
    recipients: Sequence[Recipient]
    honour_quiet: bool
    rule_texts: Mapping[Language, Mapping[str, str]]
    newest_release: date | None
    page_url: str | None
    portal_url: str | None

    def context(
        self, connection: Connection, code: str, told: Sequence[Notification], language: Language = "id"
    ) -> Context:
        """What the digest of one province says beside its figures."""
        words, newest = words_of(language), self.newest_release
        officers = [each.condition.place.code for each in told if each.condition.place.level == "petugas"]
        return Context(
            office=province(code).office,
            zone=ZoneInfo(province(code).timezone),
            rule_texts=self.rule_texts[language],
            release=words.say("release_at", day=words.written.day(newest)) if newest else None,
            language=language,
            events={each.id: ExplainingEvent(each.reason, each.closes) for each in self.rules.events},
            officers=read_officers(connection, code, self.night, officers),
            address=_address(self.page_url, f"provinsi/{code}.html"),
            quarantine=_address(self.portal_url, f"quarantine/{code}/keluarga"),
            deliveries=_address(self.portal_url, f"deliveries/{code}/"),
        )


def open_night_context(connection: Connection, settings: Settings, night: date) -> NightContext:
    """Reads calendar, plan, recipients and rules as the settings name them."""
    known = [rule for suite in load_suites(settings.expectations_dir).values() for rule in suite.rules]
    planned = planning(settings)
    return NightContext(
        night=night,
        rules=Rules(thresholds(), known_events(settings.known_events_file, EXPLAINED), planned.plans, planned.targets),
        windows=planned.windows,
        recipients=recipients(settings.recipients_file),
        honour_quiet=settings.quiet_hours,
        rule_texts={"id": {rule.id: rule.text_id for rule in known}, "en": {rule.id: rule.text_en for rule in known}},
        newest_release=newest_release(connection, night),
        page_url=settings.page_url,
        portal_url=settings.portal_url,
    )


def _address(served: str | None, path: str) -> str:
    """What a phone can open; empty where nobody serves it."""
    return f"{served.rstrip('/')}/{path}" if served else ""
