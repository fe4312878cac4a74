"""Files of the local stack: private, replaced whole, read back as written."""

import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local_services.environment_file import read_environment, write_environment
from local_services.private_files import kept_secret, read_record, write_private, write_record
from local_services.processes import LocalServiceError
from regsosek.local.airflow import is_healthy

NAMES = st.from_regex(r"[A-Z][A-Z_]{0,20}", fullmatch=True)
VALUES = st.text(st.characters(exclude_characters="'\\", exclude_categories=("Cc", "Cs", "Zl", "Zp")))
NOON = datetime(2022, 10, 21, 12, tzinfo=UTC)


@given(variables=st.dictionaries(NAMES, VALUES))
def test_environment_is_read_as_it_was_written(
    variables: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> None:
    file = tmp_path_factory.mktemp("environment") / "local.env"
    write_environment(file, variables)
    assert read_environment(file) == variables


@pytest.mark.parametrize("value", ["it's", "two\nlines", "back\\slash"])
def test_environment_refuses_what_readers_do_not_agree_on(value: str, tmp_path: Path) -> None:
    with pytest.raises(LocalServiceError, match="NAME"):
        write_environment(tmp_path / "local.env", {"NAME": value})


def test_private_file_is_replaced_and_stays_private(tmp_path: Path) -> None:
    file = tmp_path / "made" / "secret"
    write_private(file, "long before")
    write_private(file, b"after")
    assert file.read_text() == "after"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    assert [found.name for found in file.parent.iterdir()] == ["secret"]


def test_secret_is_drawn_once(tmp_path: Path) -> None:
    first = kept_secret(tmp_path / "key")
    assert kept_secret(tmp_path / "key") == first
    assert kept_secret(tmp_path / "other") != first
    assert len(first) >= 32


def test_record_of_nothing_is_none(tmp_path: Path) -> None:
    assert read_record(tmp_path / "record.json") is None
    write_record(tmp_path / "record.json", {"pid": 1})
    assert read_record(tmp_path / "record.json") == {"pid": 1}


@pytest.mark.parametrize(
    ("status", "age", "expected"),
    [("healthy", -1, False), ("healthy", 0, True), ("healthy", 1, True), ("unhealthy", 1, False)],
)
def test_component_is_healthy_only_by_a_heartbeat_of_its_own(status: str, age: int, expected: bool) -> None:
    heartbeat = (NOON + timedelta(seconds=age)).isoformat()
    health = {"scheduler": {"status": status, "latest_scheduler_heartbeat": heartbeat}}
    assert is_healthy(health, "scheduler", since=NOON) is expected


def test_component_without_a_report_is_not_healthy() -> None:
    assert not is_healthy({}, "scheduler", since=NOON)
    assert not is_healthy({"scheduler": {"status": "healthy"}}, "scheduler", since=NOON)
