"""`regsosek status`: how was last night, for people, for programs, and as an exit code."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from regsosek.cli.main import app
from regsosek.settings import PROJECT_ROOT, Settings
from regsosek.warehouse.database import connect
from regsosek.warehouse.migration import migrate
from regsosek.watchdog.observing import warehouse_view
from support.checks.command_line import environment
from support.worlds.observed_morning import NIGHT, change, seed_store, seed_warehouse
from support.worlds.one_account import one_account_variables

RUNNER = CliRunner()


@pytest.fixture(scope="module")
def migrated(services_env: Settings) -> Settings:
    engine = connect(services_env)
    migrate(engine)
    engine.dispose()
    return services_env


@pytest.fixture
def given(migrated: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setattr(warehouse_view, "BETWEEN_SECONDS", 0)
    settings = migrated.model_copy(update={"watchdog_state_file": tmp_path / "memory.json"})
    seed_warehouse(settings)
    seed_store(settings)
    return settings


def status(settings: Settings, *options: str, **variables: str) -> tuple[int, str]:
    asked = environment(settings) | {"REGSOSEK_ENV_FILE": "/nonexistent"} | variables
    answer = RUNNER.invoke(app, ["status", *options], env=asked)
    return answer.exit_code, answer.output


def document(settings: Settings, *options: str) -> tuple[int, dict[str, Any]]:
    code, output = status(settings, "--json", *options)
    return code, json.loads(output)


def test_a_good_night_ends_with_0_and_says_so(given: Settings) -> None:
    code, told = status(given)
    assert code == 0, told
    for line in ("Night 2022-10-25: 0 of 34 provinces whole; silent: Aceh", "Published 2022-10-26 04:00 WIB.",
                 "Families in quarantine: 0;", "Alerts of the night: 1 sent, 0 waiting.", "Readers see release r",
                 "signed by k1", "Watchdog: nothing is wrong."):  # fmt: skip
        assert line in " ".join(told.split()), line


@pytest.mark.parametrize(
    ("statement", "problem"),
    [
        ("DELETE FROM mart.refreshed WHERE province = '94'", "1 of 34 provinces not processed"),
        ("UPDATE alert.outbox SET state = 'waiting', composed_at = now()", "1 of 1 message not sent"),
        ("UPDATE mart.refreshed SET at = now()", "night 2022-10-25 was not published since it was last processed"),
    ],
)
def test_what_of_ours_failed_ends_with_1(given: Settings, statement: str, problem: str) -> None:
    change(given, statement)
    code, told = document(given)
    assert (code, told["exit_code"]) == (1, 1)
    assert told["problems"][0].startswith(problem)


def test_a_finding_of_the_watchdog_ends_with_1(given: Settings) -> None:
    code, told = document(given.model_copy(update={"smtp_port": 9}))
    assert (code, told["problems"]) == (1, [])
    assert [each["kind"] for each in told["watchdog"]["findings"]] == ["MAIL_DOWN"]
    assert status(given, REGSOSEK_SMTP_PORT="9")[0] == 1


def test_where_nobody_can_tell_it_ends_with_2(given: Settings) -> None:
    change(given, "TRUNCATE mart.refreshed")
    code, told = status(given)
    assert (code, "no night has been processed yet" in told) == (2, True)
    nowhere = "postgresql+psycopg://nobody@127.0.0.1:9/nothing"
    code, told = status(given, "--json", **one_account_variables(nowhere))
    answer = json.loads(told)
    assert (code, answer["night"], answer["exit_code"]) == (2, None, 2)
    assert answer["watchdog"]["findings"][0]["kind"] == "WAREHOUSE_DOWN"


def test_the_duration_stands_beside_the_usual_one(given: Settings) -> None:
    """Nights of 30 minutes before one of an hour."""
    change(given, "UPDATE ledger.seal SET sealed_at = '2022-10-26 03:00+07'")
    change(
        given,
        "INSERT INTO ledger.seal SELECT province, night - n, sealed_at - n * interval '1 day' - interval '30 minutes', "
        "unfinished, 0 FROM ledger.seal, generate_series(1, 2) n",
    )
    change(given, "INSERT INTO release.release (release_id, night, content_hash, prefix, manifest, built_at, "
                  "published_at, first_published_at, revision) SELECT 'r' || n, night - n, '', '', '{}', built_at, "
                  "first_published_at - n * interval '1 day' - interval '1 hour', "
                  "first_published_at - n * interval '1 day' - interval '1 hour', 1 "
                  "FROM release.release, generate_series(1, 2) n WHERE release_id = 'r'")  # fmt: skip
    _, told = document(given)
    assert told["duration"]["seconds"] == 3600
    assert (told["duration"]["usual_seconds"], told["duration"]["usual_of_nights"]) == (1800, 2)
    assert "1:00:00 (usually 0:30:00, median of the 2 nights before)" in " ".join(status(given)[1].split())


def test_the_document_has_the_shape_that_is_documented(given: Settings) -> None:
    documented = (PROJECT_ROOT / "docs" / "status.md").read_text(encoding="utf-8")
    code, told = document(given, "--date", str(NIGHT))
    assert (code, told["schema"], len(told["provinces"])) == (0, 1, 34)

    def names(value: Any) -> set[str]:
        if isinstance(value, list):
            return set().union(*map(names, value))
        if not isinstance(value, dict):
            return set()
        return set(value) | set().union(*map(names, value.values()))

    states = set(told["by_state"])
    undocumented = {name for name in names(told) - states if f"`{name}`" not in documented}
    assert undocumented == set()
