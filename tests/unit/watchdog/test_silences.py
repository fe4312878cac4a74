"""A silence has an issue, an owner and an end, or it is none."""

import csv
from datetime import date, timedelta
from pathlib import Path

import pytest

from regsosek.errors import ReferenceDataError
from regsosek.geography.known_events import KnownEvent
from regsosek.settings import PROJECT_ROOT
from regsosek.watchdog.finding import FindingKind
from regsosek.watchdog.silences import COLUMNS, LONGEST_DAYS, silences, silences_of_events

TODAY = date(2022, 10, 26)


def written(tmp_path: Path, *rows: str) -> Path:
    path = tmp_path / "silences.csv"
    path.write_text("\n".join([",".join(COLUMNS), *rows]) + "\n", encoding="utf-8")
    return path


def test_it_covers_its_kind_and_subject_to_its_last_day(tmp_path: Path) -> None:
    all_mail, papua = silences(
        written(tmp_path, "MAIL_DOWN,,T-1,platform,2022-10-27", "PROVINCE_SILENT,94,T-2,kanwil,2022-10-26"), TODAY
    )
    assert all_mail.covers(FindingKind.MAIL_DOWN, "", TODAY + timedelta(days=1))
    assert not all_mail.covers(FindingKind.MAIL_DOWN, "", TODAY + timedelta(days=2))
    assert not all_mail.covers(FindingKind.STORE_DOWN, "", TODAY)
    assert papua.covers(FindingKind.PROVINCE_SILENT, "94", TODAY)
    assert not papua.covers(FindingKind.PROVINCE_SILENT, "91", TODAY)
    assert silences(None, TODAY) == ()


@pytest.mark.parametrize(
    ("region", "kinds", "opens", "covered"),
    [
        ("94", "NO_DATA", TODAY, {"94"}),
        ("94", "BEHIND", TODAY, set()),
        ("94", "NO_DATA", TODAY + timedelta(days=1), set()),
        ("9401", "NO_DATA", TODAY, set()),
        ("*", "NO_DATA ZERO", TODAY - timedelta(days=3), {"94", "91", "nation"}),
    ],
)
def test_a_known_event_silences_the_provinces_that_it_lets_be_silent(
    region: str, kinds: str, opens: date, covered: set[str]
) -> None:
    last = TODAY + timedelta(days=2)
    event = KnownEvent("natal", region, frozenset(kinds.split()), opens, last, "Natal", "kanwil")

    def silenced(day: date) -> set[str]:
        found = silences_of_events([event], TODAY)
        quiet = {
            code for code in ("94", "91") if any(each.covers(FindingKind.PROVINCE_SILENT, code, day) for each in found)
        }
        return quiet | ({"nation"} if any(each.covers(FindingKind.NATION_SILENT, "", day) for each in found) else set())

    assert silenced(last) == covered
    assert silenced(last + timedelta(days=1)) == set()


@pytest.mark.parametrize(
    ("row", "told"),
    [
        ("MAIL_DOWN,,,platform,2022-10-27", "needs issue"),
        ("MAIL_DOWN,,T-1,,2022-10-27", "needs owner"),
        ("MAIL_DOWN,,T-1,platform,", "needs until"),
        ("EVERYTHING,,T-1,platform,2022-10-27", "write one of NIGHT_NOT_BEGUN"),
        ("MAIL_DOWN,,T-1,platform,tomorrow", "a date YYYY-MM-DD"),
        (f"MAIL_DOWN,,T-1,platform,{TODAY + timedelta(days=LONGEST_DAYS + 1)}", "more than 31 days away"),
    ],
)
def test_a_faulty_row_is_named(tmp_path: Path, row: str, told: str) -> None:
    with pytest.raises(ReferenceDataError, match=told):
        silences(written(tmp_path, "MAIL_DOWN,,T-1,platform,2022-10-27", row), TODAY)


def test_the_example_of_the_runbook_is_one(tmp_path: Path) -> None:
    page = (PROJECT_ROOT / "docs" / "runbooks" / "silences.md").read_text(encoding="utf-8")
    header, *rows = page.split("```")[1].split()
    assert header == ",".join(COLUMNS)
    assert [each.kind for each in silences(written(tmp_path, *rows), TODAY)] == [
        FindingKind.MAIL_DOWN,
        FindingKind.PROVINCE_SILENT,
    ]


def test_every_silence_in_the_repository_has_issue_or_reason_owner_and_end() -> None:
    """Silences of the watchdog and known events of the alerts, wherever they lie."""
    for path in PROJECT_ROOT.glob("[!.]*/**/*silences*.csv"):
        silences(path, date.max - timedelta(days=2 * LONGEST_DAYS))
    for path in PROJECT_ROOT.glob("[!.]*/**/*known_events*.csv"):
        with path.open(encoding="utf-8-sig", newline="") as file:
            events = list(csv.DictReader(file))
        for event in events:
            assert event["owner"], path.name
            assert event.get("issue") or event["reason"], path.name
            assert any(event.get(end) for end in ("until", "ends", "closes", "last_day", "to")), path.name
