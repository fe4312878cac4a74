"""The incident file: what an operator may write into it, and the clock that it starts."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from regsosek.errors import ConfigurationError
from regsosek.privacy.records.affected import Affected
from regsosek.privacy.records.breach import breach_report
from regsosek.privacy.records.incident import incident_template, read_incident


def written(tmp_path: Path, old: str = "", new: str = "") -> Path:
    assert old in incident_template()
    path = tmp_path / "incident.toml"
    path.write_text(incident_template().replace(old, new, 1), encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('known_by = "tim platform"', 'known_by = "NIK 3273012345670001"', "known_by: "),
        ("2026-11-30T08:15:00+07:00", "2026-11-30T08:15:00", "known_at: "),
        ('provinces = ["64"]', 'provinces = ["99"]', "no province 99"),
        ('provinces = ["64"]', "provinces = []", "scope names nothing"),
        ("ways = []", 'ways = ["post"]', "no way post"),
        ("categories = []", 'categories = ["secrets"]', "no category secrets"),
        ("accounts = []", "acounts = []", "scope.acounts"),
        ("[scope]", "[scope", "cannot be read"),
    ],
)
def test_what_is_wrong_is_named_and_no_value_repeated(tmp_path: Path, old: str, new: str, told: str) -> None:
    with pytest.raises(ConfigurationError) as error:
        read_incident(written(tmp_path, old, new))
    assert told in str(error.value)
    assert "3273012345670001" not in str(error.value)


@pytest.mark.parametrize(
    ("hours", "id_told", "en_told"), [(71, "tersisa 1 jam", "1 hours left"), (75, "terlambat 3 jam", "3 hours late")]
)
def test_the_clock_runs_for_three_days_in_both_languages(
    tmp_path: Path, hours: int, id_told: str, en_told: str
) -> None:
    known = read_incident(written(tmp_path))
    now = known.known_at + timedelta(hours=hours)
    empty = Affected((), (), (), 0)
    assert id_told in breach_report(known, empty, [], now, "id")
    assert en_told in breach_report(known, empty, [datetime(2026, 12, 1, tzinfo=UTC)], now, "en")
