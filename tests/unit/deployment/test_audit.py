"""`make audit`: what a file of advisories in OSV's form says of the locks; never silent, never by the network."""

import json
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from types import ModuleType
from typing import Any
from zipfile import ZipFile

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.version import Version

NOW = datetime(2026, 11, 30, tzinfo=UTC)
ADVISORY: dict[str, Any] = {
    "id": "PYSEC-0000-1",
    "modified": "2026-11-20T08:00:00Z",
    "summary": "Bad things\nmore of it",
    "affected": [
        {
            "package": {"ecosystem": "PyPI", "name": "Jinja2"},
            "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "3.1.6"}]}],
        }
    ],
}
RELEASES = st.lists(st.integers(0, 9), min_size=1, max_size=3).map(lambda parts: ".".join(map(str, parts)))


@pytest.fixture(scope="module")
def audit(command: Callable[[str], ModuleType]) -> ModuleType:
    return command("tools/audit.py")


def known(audit: ModuleType, version: str, *told: dict[str, Any]) -> list[str]:
    return [str(each) for each in audit.known_in({"jinja2": [version]}, told)]


def test_a_pin_below_the_mended_version(audit: ModuleType) -> None:
    assert known(audit, "3.1.5", ADVISORY) == ["jinja2 3.1.5: PYSEC-0000-1 (mended in 3.1.6) Bad things"]
    assert known(audit, "3.1.6", ADVISORY) == []
    assert known(audit, "3.1.5", ADVISORY | {"withdrawn": "2026-11-21T00:00:00Z"}) == []


def test_only_packages_of_this_registry(audit: ModuleType) -> None:
    foreign = json.loads(json.dumps(ADVISORY).replace("PyPI", "npm"))
    git = json.loads(json.dumps(ADVISORY).replace("ECOSYSTEM", "GIT"))
    assert known(audit, "3.1.5", foreign, git) == []


def test_a_version_of_the_list(audit: ModuleType) -> None:
    listed = {"package": {"ecosystem": "PyPI", "name": "jinja2"}, "versions": ["3.0.0"]}
    assert audit.is_affected("3.0.0", listed)
    assert not audit.is_affected("3.0.1", listed)


@given(RELEASES, RELEASES, RELEASES)
def test_a_range_is_half_open(audit: ModuleType, first: str, mended: str, version: str) -> None:
    if Version(first) == Version(mended):
        return
    events = [{"introduced": first}, {"fixed": mended}]
    inside = Version(version) >= Version(first) and (
        Version(version) < Version(mended) or Version(mended) < Version(first)
    )
    assert audit.is_affected(version, {"ranges": [{"type": "ECOSYSTEM", "events": events}]}) is inside
    last = [{"introduced": first}, {"last_affected": mended}]
    up_to = Version(version) >= Version(first) and Version(version) <= Version(mended)
    if Version(first) < Version(mended):
        assert audit.is_affected(version, {"ranges": [{"type": "ECOSYSTEM", "events": last}]}) is up_to


def archive(place: Path, *told: dict[str, Any]) -> Path:
    with ZipFile(place / "all.zip", "w") as made:
        for each in told:
            made.writestr(f"{each['id']}.json", json.dumps(each))
    return place / "all.zip"


def pinned(audit: ModuleType, name: str) -> dict[str, Any]:
    """An advisory on whatever version of a package the lock has."""
    affected = {"package": {"ecosystem": "PyPI", "name": name}, "versions": _versions(audit, name)}
    return ADVISORY | {"affected": [affected]}


def _versions(audit: ModuleType, name: str) -> list[str]:
    found: list[str] = audit.pins((audit.ROOT / "requirements.txt").read_text(encoding="utf-8"))[name]
    return found


def test_the_committed_locks_against_an_archive(audit: ModuleType, tmp_path: Path) -> None:
    code, said = audit.report(archive(tmp_path, ADVISORY | {"id": "X", "affected": []}), NOW)
    assert (code, said) == (0, ["1 advisories, the newest of 2026-11-20", "nothing to mend"])
    code, said = audit.report(archive(tmp_path, pinned(audit, "duckdb-engine")), NOW)
    assert code == 1
    assert said[-2].startswith("requirements.txt: duckdb-engine ")
    assert said[-1] == "1 to mend"


def test_what_was_accepted_is_told_and_no_longer_when_its_day_is_past(
    audit: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "accepted.csv").write_text(
        "package,advisory,reason,until\njinja2,PYSEC-0000-1,templates are ours alone,2026-12-01\n", encoding="utf-8"
    )
    monkeypatch.setattr(audit, "ACCEPTED", tmp_path / "accepted.csv")
    place = archive(tmp_path, pinned(audit, "jinja2"))
    code, said = audit.report(place, NOW)
    assert code == 0
    assert "[accepted: templates are ours alone]" in said[-2]
    assert audit.report(place, datetime(2026, 12, 2, tzinfo=UTC))[0] == 1


def test_an_old_file_says_so(audit: ModuleType, tmp_path: Path) -> None:
    code, said = audit.report(archive(tmp_path, ADVISORY | {"affected": []}), datetime(2027, 2, 1, tzinfo=UTC))
    assert code == 0
    assert "days old: take a newer file" in said[1]


def test_without_advisories_nothing_is_called_well(audit: ModuleType, tmp_path: Path) -> None:
    for place in (tmp_path / "none.zip", archive(tmp_path)):
        code, said = audit.report(place, NOW)
        assert code == 2
        assert said[0].startswith("NOTHING WAS LOOKED AT")


def test_the_accepted_ones_are_readable(audit: ModuleType) -> None:
    assert isinstance(audit.accepted(date(2022, 1, 1)), dict)
