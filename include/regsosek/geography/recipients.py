"""Who is told: the recipients of every province and of the centre, by role and channel, with their deputies."""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import time
from enum import StrEnum
from pathlib import Path
from typing import cast, get_args
from zoneinfo import ZoneInfo

from regsosek.errors import ConfigurationError, ReferenceDataError
from regsosek.geography.calendar import NIGHT_ZONE
from regsosek.geography.provinces import province, provinces
from regsosek.geography.reference_table import DATA, read_table
from regsosek.settings import PLAIN_ADDRESS, setting
from regsosek.wording import Language

CENTRE = "00"
COLUMNS = ("province", "role", "channel", "address", "backup_of", "language", "quiet_from", "quiet_until")
LANGUAGES: tuple[Language, ...] = get_args(Language)
CRITICAL = {"": False, "at_once": False, "waits": True}
# A tag of the webhooks file: the URL behind it carries a secret, and stands nowhere else.
_TAG = re.compile(r"[a-z0-9][a-z0-9-]*")
_BPS_CODE = "a BPS code of the 2022 frame, or 00 for the centre"
_HOUR = re.compile(r"([01]\d|2[0-3]):[0-5]\d")


class Role(StrEnum):
    """What somebody is told; the last two are at the centre.

    ``operasional`` gets every digest of its province, ``pimpinan`` those with something critical or escalated,
    ``pusat`` the nation's digest, ``platform`` what is ours to mend.
    """

    OPERATIONS = "operasional"
    LEADERSHIP = "pimpinan"
    CENTRE = "pusat"
    PLATFORM = "platform"


class Channel(StrEnum):
    """How a message travels."""

    EMAIL = "email"
    WEBHOOK = "webhook"


AT_CENTRE = (Role.CENTRE, Role.PLATFORM)


@dataclass(frozen=True, slots=True)
class Quiet:
    """Hours on the recipient's clock in which nothing is sent that can wait; they may span midnight."""

    start: time
    end: time


@dataclass(frozen=True, slots=True)
class Recipient:
    """One address.

    Attributes:
        province: BPS code, 00 for the centre.
        address: a mail address, or the tag of a webhook.
        backup_of: the address that this one stands in for when it cannot be reached; empty: told in its own right.
        critical_waits: whether even critical news respect the quiet hours.
    """

    province: str
    role: Role
    channel: Channel
    address: str
    backup_of: str = ""
    language: Language = "id"
    quiet: Quiet | None = None
    critical_waits: bool = False

    @property
    def zone(self) -> ZoneInfo:
        """The clock that its quiet hours are meant on."""
        return NIGHT_ZONE if self.province == CENTRE else ZoneInfo(province(self.province).timezone)


def recipients(path: Path | None = None) -> tuple[Recipient, ...]:
    """All recipients, in the order of the file.

    Args:
        path: CSV with :data:`COLUMNS` and perhaps ``critical``; none means the example file, which reaches nobody.

    Raises:
        ReferenceDataError: naming each row that is malformed, and each province that nobody would hear from.
    """
    path = path or DATA / "recipients.csv"
    rows = read_table(path, COLUMNS, optional=("critical",))
    faults = [f"data row {number}: {fault}" for number, row in enumerate(rows, start=1) for fault in _faults(row)]
    faults = faults or [*_repeats(rows), *_backup_faults(rows), *_unheard(rows)]
    if faults:
        raise ReferenceDataError(f"{path.name}: {'; '.join(faults)}")
    return tuple(map(_recipient, rows))


def addressed(known: Iterable[Recipient], code: str, roles: Collection[Role]) -> tuple[Recipient, ...]:
    """Whom a message to ``roles`` of province ``code`` (00: the centre) is for; deputies stand among them.

    An address that is there under two roles is told once.
    """
    chosen = (each for each in known if each.province == code and each.role in roles)
    return tuple({(each.channel, each.address): each for each in chosen}.values())


def by_language(chosen: Iterable[Recipient]) -> dict[Language, list[Recipient]]:
    """The recipients of one message by its language; deputies read that of whom they stand in for."""
    known = {each.address: each for each in chosen}
    found: dict[Language, list[Recipient]] = {}
    for each in known.values():
        first = each
        while first.backup_of in known:  # the file has no deputies in a circle
            first = known[first.backup_of]
        found.setdefault(first.language, []).append(each)
    return found


def owner_links(owner: str) -> dict[str, str]:
    """Where Airflow leads from the name of ``owner``: to a mail to the platform team, if its address is known.

    A DAG must parse whatever is wrong with settings and files: what needs them fails when it runs.
    """
    try:
        named = setting("recipients_file")
        known = recipients(Path(named) if named else None)
    except (ConfigurationError, ReferenceDataError):
        return {}
    mails = [each for each in addressed(known, CENTRE, {Role.PLATFORM}) if each.channel == Channel.EMAIL]
    return {owner: f"mailto:{mails[0].address}"} if mails else {}


def _recipient(row: Mapping[str, str]) -> Recipient:
    hours = row["quiet_from"], row["quiet_until"]
    return Recipient(
        province=row["province"],
        role=Role(row["role"]),
        channel=Channel(row["channel"]),
        address=row["address"],
        backup_of=row["backup_of"],
        language=cast(Language, row["language"]),
        quiet=Quiet(*map(time.fromisoformat, hours)) if all(hours) else None,
        critical_waits=CRITICAL[row["critical"]],
    )


def _faults(row: Mapping[str, str]) -> list[str]:
    roles = [str(role) for role in Role if (role in AT_CENTRE) == (row["province"] == CENTRE)]
    allowed: dict[str, Sequence[str]] = {
        "province": [each.code for each in provinces()] + [CENTRE],
        "role": roles,
        "channel": [str(each) for each in Channel],
        "language": LANGUAGES,
        "critical": list(CRITICAL),
    }
    found = [
        f"{column} must be {_BPS_CODE if column == 'province' else ' or '.join(filter(None, values))}"
        for column, values in allowed.items()
        if row[column] not in values
    ]
    return found + _address_faults(row) + _quiet_faults(row)


def _address_faults(row: Mapping[str, str]) -> list[str]:
    if row["channel"] == Channel.EMAIL and not PLAIN_ADDRESS.fullmatch(row["address"]):
        return ["the address is none; write one plain e-mail address"]
    if row["channel"] == Channel.WEBHOOK and not _TAG.fullmatch(row["address"]):
        return ["the address is no tag of the webhooks file; write its tag (a-z, 0-9, -), the URL stays in that file"]
    return []


def _quiet_faults(row: Mapping[str, str]) -> list[str]:
    hours = row["quiet_from"], row["quiet_until"]
    if hours == ("", ""):
        return []
    if not all(map(_HOUR.fullmatch, hours)) or hours[0] == hours[1]:
        return ["quiet hours need quiet_from and quiet_until as two different HH:MM; leave both empty for none"]
    return []


def _repeats(rows: Sequence[Mapping[str, str]]) -> list[str]:
    first: dict[tuple[str, ...], int] = {}
    found = []
    for number, row in enumerate(rows, start=1):
        key = tuple(row[column] for column in ("province", "role", "channel", "address"))
        if first.setdefault(key, number) != number:
            found.append(f"data row {number} repeats row {first[key]}; remove one")
    return found


def _backup_faults(rows: Sequence[Mapping[str, str]]) -> list[str]:
    """A deputy names an address of its own province and role, and no two stand in for each other."""
    keys = [(row["province"], row["role"], row["address"]) for row in rows]
    stands_for = {key: (*key[:2], row["backup_of"]) for key, row in zip(keys, rows, strict=True) if row["backup_of"]}
    found = []
    for number, key in enumerate(keys, start=1):
        if stands_for.get(key, key) not in keys:
            found.append(f"data row {number}: backup_of is no address of the same province and role; name one")
        elif _in_circle(key, stands_for):
            found.append(f"data row {number}: backup_of leads back to itself; leave it empty for who is told first")
    return found


def _in_circle(key: tuple[str, str, str], stands_for: Mapping[tuple[str, str, str], tuple[str, str, str]]) -> bool:
    seen, at = {key}, stands_for.get(key)
    while at and at not in seen:
        seen.add(at)
        at = stands_for.get(at)
    return at is not None


def _unheard(rows: Sequence[Mapping[str, str]]) -> list[str]:
    told = {(row["province"], row["role"]) for row in rows if not row["backup_of"]}
    needed = [*((each.code, Role.OPERATIONS) for each in provinces()), (CENTRE, Role.PLATFORM)]
    return [f"province {code} has no {role}; add a row without backup_of" for code, role in needed
            if (code, role) not in told]  # fmt: skip
