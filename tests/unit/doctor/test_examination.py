"""The examination as such: to the end whatever fails, nothing twice, no secret; and what needs no server."""

from datetime import UTC, datetime, timedelta

import pytest

from regsosek.doctor import examination, keys
from regsosek.doctor.check_result import Check, CheckResult, Verdict, fail, ok, warn
from regsosek.doctor.machine import skew_finding
from regsosek.doctor.services import airflow, trail
from regsosek.doctor.surroundings import Surroundings
from regsosek.errors import ReferenceDataError
from regsosek.settings import Settings

SECRET = "an-hmac-key-that-nobody-may-see-0123"
ENVIRON = {
    "REGSOSEK_ENV_FILE": "/nonexistent",
    "REGSOSEK_WAREHOUSE_URL": "postgresql+psycopg://regsosek:warehouse-password@db/regsosek",
    "REGSOSEK_S3_ACCESS_KEY_ID": "access-key",
    "REGSOSEK_S3_SECRET_ACCESS_KEY": "secret-key",
    "REGSOSEK_HMAC_KEY": SECRET,
}
NOON = datetime(2022, 10, 21, 12, tzinfo=UTC)


def breaks(_: Surroundings) -> CheckResult:
    raise ZeroDivisionError(SECRET)


def refuses(_: Surroundings) -> CheckResult:
    raise ReferenceDataError("offices.csv: cannot be read")


def tells(surroundings: Surroundings) -> CheckResult:
    url = surroundings.settings.warehouse_url.get_secret_value()
    return warn(f"{url} with {SECRET}", f"correct {SECRET}")


def test_to_the_end_whatever_fails() -> None:
    checks = (
        Check("broken", breaks),
        Check("refused", refuses),
        Check("resting", lambda _: ok("never asked"), after=("refused",)),
        Check("further", lambda _: ok("never asked either"), after=("resting",)),
        Check("free", lambda _: ok("well")),
    )
    found = examination.examine(ENVIRON, checks)
    assert [each.verdict for each in found.values()] == ["FAIL", "FAIL", "skip", "skip", "ok"]
    assert "ZeroDivisionError" in found["broken"].found
    assert "offices.csv" in found["refused"].found
    assert not examination.healthy(found)


def test_a_doubt_is_no_fault() -> None:
    assert examination.healthy({"a": warn("so", "do"), "b": ok("well")})
    assert not examination.healthy({"a": fail("so", "do"), "b": ok("well")})


def test_what_rests_on_a_faulty_variable_is_skipped_and_the_rest_is_not() -> None:
    checks = (Check("key", tells, settings=("hmac_key",)), Check("free", lambda _: ok("well")))
    found = examination.examine(ENVIRON | {"REGSOSEK_HMAC_KEY": "short", "REGSOSEK_NONE": "1"}, checks)
    assert found["key"].verdict is Verdict.SKIP
    assert "REGSOSEK_HMAC_KEY" in found["key"].found
    assert found["free"].verdict is Verdict.OK


def test_no_secret_gets_through_a_careless_check() -> None:
    [finding] = examination.examine(ENVIRON, (Check("careless", tells),)).values()
    assert SECRET not in finding.found + finding.fix
    assert "password" not in finding.found
    assert finding.fix == "correct ***"


def test_a_crash_does_not_repeat_what_crashed() -> None:
    [finding] = examination.examine(ENVIRON, (Check("broken", breaks),)).values()
    assert SECRET not in finding.found + finding.fix


def test_every_check_has_a_name_of_its_own_and_comes_after_what_it_rests_on() -> None:
    seen: set[str] = set()
    for check in examination.CHECKS:
        assert check.name not in seen
        assert set(check.after) <= seen, check.name
        assert set(check.settings) <= set(Settings.model_fields), check.name
        seen.add(check.name)


@pytest.mark.parametrize(
    ("seconds", "verdict"),
    [(0, "ok"), (4, "ok"), (-4, "ok"), (5, "warn"), (-5, "warn"), (59, "warn"), (60, "FAIL"), (-60, "FAIL")],
)
def test_clocks(seconds: int, verdict: str) -> None:
    found = skew_finding("store", NOON, NOON + timedelta(seconds=seconds))
    assert found.verdict == verdict
    assert ("ahead of" in found.found) is (seconds > 0)


@pytest.mark.parametrize(
    ("output", "verdict"),
    [
        ("No data found\n", "ok"),
        ("2026-11-26T20:37:45Z [warning  ] Could not import graphviz. [py.warnings] category=UserWarning\n[]\n", "ok"),
        ('[{"bundle_name": "dags-folder", "filepath": "/opt/dags/malam.py", "error": "x"}]', "FAIL"),
        ("Traceback", "FAIL"),
        ("", "FAIL"),
    ],
)
def test_what_airflow_answers(output: str, verdict: str) -> None:
    found = airflow.told(output)
    assert found.verdict == verdict
    assert ("malam.py" in found.found) is ("malam.py" in output)


def test_without_airflow_nothing_is_asked() -> None:
    [check] = airflow.CHECKS
    assert check.examine(Surroundings.of(ENVIRON)).verdict is Verdict.OK


def test_a_process_that_hashes_nothing_is_told_where_the_key_belongs() -> None:
    given = {name: value for name, value in ENVIRON.items() if name != "REGSOSEK_HMAC_KEY"}
    surroundings = Surroundings.of(given | {"REGSOSEK_TOKEN_KEY": "t" * 32})
    assert surroundings.faults == {}
    found = {check.name: check.examine(surroundings) for check in keys.CHECKS if check.name.startswith("HMAC")}
    assert [finding.verdict for finding in found.values()] == ["warn", "skip"]
    assert "where tasks run" in found["HMAC key"].fix


@pytest.mark.parametrize(
    ("given", "verdict", "told"),
    [
        ({}, "ok", "the key of the hashes"),
        ({"TRAIL_KEY": "0123456789abcdef" * 2}, "ok", "32 characters"),
        ({"TRAIL_KEY": "0123456789abcdef" * 2, "FORMER_TRAIL_KEYS": "fedcba9876543210" * 2}, "ok", "1 former ones"),
        ({"TRAIL_KEY": "rahasia" * 6}, "FAIL", "can be guessed"),
        ({"HMAC_KEY": "", "TOKEN_KEY": "t" * 32}, "warn", "no case is shown"),
    ],
)
def test_whom_the_trail_names_cannot_be_guessed(given: dict[str, str], verdict: str, told: str) -> None:
    [check] = [check for check in trail.CHECKS if check.name == "trail key"]
    own = {f"REGSOSEK_{name}": value for name, value in given.items()}
    found = check.examine(Surroundings.of(ENVIRON | {"REGSOSEK_HMAC_KEY": "0123456789abcdef" * 2} | own))
    assert (found.verdict, told in found.found) == (verdict, True)
