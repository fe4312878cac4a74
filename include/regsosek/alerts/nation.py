"""The nation's message of a night: composed from what the provinces were told and what failed of ours."""

import hashlib
from collections.abc import Mapping

from sqlalchemy import Connection, Engine

from regsosek.alerts.blocked import place_or_tell
from regsosek.alerts.conditions.condition import Severity, Why
from regsosek.alerts.messages.national_digest import compose_national
from regsosek.alerts.messages.platform_message import PLATFORM, PlatformFigures
from regsosek.alerts.messages.province_stand import ProvinceStand
from regsosek.alerts.outbox import outbox
from regsosek.geography.recipients import CENTRE, Role, addressed, by_language, recipients
from regsosek.settings import Settings

NATION = "national"


def alert_nation(
    engine: Engine,
    settings: Settings,
    stands: Mapping[str, ProvinceStand],
    ours: PlatformFigures,
) -> bool:
    """Composes the night's digest of the nation into the outbox; the same news again, nothing critical in it, does not.

    Returns:
        Whether one waits in the outbox.
    """
    with engine.begin() as connection:
        if not _is_news(connection, stands, ours):
            outbox.take_back(connection, PLATFORM, ours.night, NATION)
            return False
        readers = by_language(addressed(recipients(settings.recipients_file), CENTRE, {Role.CENTRE, Role.PLATFORM}))
        placed = [
            place_or_tell(
                connection,
                settings,
                group=PLATFORM,
                night=ours.night,
                kind=NATION,
                recipients=own,
                message=compose_national(stands, ours, language),
                news=_fingerprint(stands, ours),
                language=language,
                urgent=ours.at_fault,
            )
            for language, own in readers.items()
        ]
    return any(placed)


def _is_news(connection: Connection, stands: Mapping[str, ProvinceStand], ours: PlatformFigures) -> bool:
    told = [each for stand in stands.values() for each in stand.told]
    if ours.silent:  # our landing area is suspected, which the platform's own message tells: nobody knows of the nation
        return False
    if ours.at_fault or any(t.condition.severity is Severity.CRITICAL and t.why is not Why.STANDING for t in told):
        return True
    changed = any(each.why is not Why.STANDING for each in told) or bool(ours.held)
    same = (PLATFORM, ours.night, NATION, _fingerprint(stands, ours))
    return changed and not outbox.told_the_night_before(connection, *same)


def _fingerprint(stands: Mapping[str, ProvinceStand], ours: PlatformFigures) -> str:
    conditions = [(code, each.condition) for code, stand in sorted(stands.items()) for each in stand.told]
    told = [(code, c.kind.value, c.severity.value, c.place.code, c.news) for code, c in conditions]
    return hashlib.sha256("\n".join([ours.fingerprint, *map(repr, sorted(told))]).encode()).hexdigest()
