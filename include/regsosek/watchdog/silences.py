"""Findings that are not told for a while, such as during maintenance: each with an issue, an owner and an end."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

from regsosek.errors import ReferenceDataError
from regsosek.geography.known_events import EVERYWHERE, KnownEvent
from regsosek.geography.reference_table import read_table
from regsosek.watchdog.finding import FindingKind

COLUMNS = ("kind", "subject", "issue", "owner", "until")
LONGEST_DAYS = 31  # longer than that is not a silence but a change of the rules


@dataclass(frozen=True, slots=True)
class Silence:
    """One line: ``subject`` is empty for all of the kind; ``until`` is the last day (WIB), included."""

    kind: FindingKind
    subject: str
    issue: str
    owner: str
    until: date

    def covers(self, kind: FindingKind, subject: str, today: date) -> bool:
        """Whether a finding is not told today."""
        return self.kind is kind and self.subject in {"", subject} and today <= self.until


def silences(path: Path | None, today: date) -> tuple[Silence, ...]:
    """The silences of a CSV file; none without one.

    Raises:
        ReferenceDataError: a line names no kind, issue or owner, or an end that is no date or too far away.
    """
    if path is None:
        return ()
    return tuple(_silence(f"{path.name}: row {n}", row, today) for n, row in enumerate(read_table(path, COLUMNS), 1))


def silences_of_events(events: Iterable[KnownEvent], today: date) -> tuple[Silence, ...]:
    """The silences that known events ask for: of whole provinces, or the nation, that rightly deliver nothing now."""
    silent = [event for event in events if "NO_DATA" in event.kinds and event.opens <= today]
    return tuple(
        Silence(kind, "" if event.region == EVERYWHERE else event.region, event.id, event.owner, event.closes)
        for event in silent
        for kind in (
            (FindingKind.PROVINCE_SILENT, FindingKind.NATION_SILENT)
            if event.region == EVERYWHERE
            else (FindingKind.PROVINCE_SILENT,)
        )
    )


def _silence(place: str, row: dict[str, str], today: date) -> Silence:
    lacking = [column for column in ("kind", "issue", "owner", "until") if not row[column]]
    if lacking:
        raise ReferenceDataError(f"{place}: a silence needs {', '.join(lacking)}")
    try:
        kind, until = FindingKind(row["kind"]), date.fromisoformat(row["until"])
    except ValueError as error:
        fix = f"write one of {', '.join(FindingKind)} and a date YYYY-MM-DD"
        raise ReferenceDataError(f"{place}: {error}; {fix}") from None
    if until > today + timedelta(days=LONGEST_DAYS):
        raise ReferenceDataError(f"{place}: until {until} is more than {LONGEST_DAYS} days away; renew it instead")
    return Silence(kind, row["subject"], row["issue"], row["owner"], until)
