"""`regsosek deliveries`, as an operator types it: what waits, why, and what becomes of it."""

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

import pytest
from click.testing import Result
from typer.testing import CliRunner

from command_line import environment
from field_world import CompiledJudge, FieldWorld, family, faulty, prepared_world
from regsosek.cli.main import app
from regsosek.errors import ConfigurationError, DecisionError
from regsosek.quality.rules import load_suites
from regsosek.settings import PROJECT_ROOT, Settings

NIGHT = date(2022, 10, 21)
AT = datetime(2022, 10, 20, 12, tzinfo=UTC)
LIMITS = "province,dataset,limit_percent,least_rows,source\n*,keluarga,40,2,test\n*,anggota,100,2,test\n"


@pytest.fixture(scope="module")
def prepared(services_env: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[FieldWorld]:
    with prepared_world(services_env, tmp_path_factory, load_suites(PROJECT_ROOT / "expectations"), LIMITS) as world:
        yield world


@pytest.fixture
def world(prepared: FieldWorld, monkeypatch: pytest.MonkeyPatch) -> FieldWorld:
    world = prepared.fresh()
    monkeypatch.setattr("regsosek.night.judging.Judge", CompiledJudge)
    for name, value in environment(world.house.settings).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("REGSOSEK_ENV_FILE", "/nonexistent")
    monkeypatch.setenv("COLUMNS", "160")
    return world


@pytest.fixture
def held(world: FieldWorld) -> str:
    """A delivery of three families of which two are in error, beside an accepted one."""
    world.deliver(NIGHT, [family("A", number=1)], produced_at=AT)
    families = [faulty("B", number=2), faulty("C", number=3), family("D", number=4)]
    delivery_id = world.deliver(NIGHT, families, produced_at=AT + timedelta(minutes=1))
    world.run(NIGHT)
    return delivery_id


def deliveries(*command: str) -> Result:
    return CliRunner().invoke(app, ["deliveries", *command])


def says(*command: str) -> str:
    done = deliveries(*command)
    assert done.exit_code == 0, done.output + repr(done.exception)
    return done.stdout


def test_the_list_names_what_waits_and_show_says_why(held: str) -> None:
    assert held in says("list", "--state", "held")
    assert held not in says("list", "--state", "accepted")
    shown = says("show", held)
    assert re.search(r"C-303\s+keluarga\s+critical\s+2", shown)
    assert re.search(r"keluarga\s+2\s+3 \w+\s+66\.7\s+40\s+2\s+over", shown)


def test_a_freed_delivery_counts_from_the_newest_night(world: FieldWorld, held: str) -> None:
    assert f"Delivery {held} of province 64 is accepted" in says(
        "free", held, "--reason", "a new code list, confirmed", "--no-publish"
    )
    assert held not in says("list", "--state", "held")
    assert [case[0] for case in world.cases()] == ["A", "B", "C", "D"]
    assert "a new code list, confirmed" in says("show", held)
    again = deliveries("reject", held, "--reason", "second thoughts", "--no-publish")
    assert isinstance(again.exception, DecisionError)
    assert "was freed by" in str(again.exception)


def test_a_rejected_delivery_counts_nowhere(world: FieldWorld, held: str) -> None:
    assert "is rejected" in says("reject", held, "--reason", "a column is shifted", "--no-publish")
    assert [case[0] for case in world.cases()] == ["A"]
    assert world.counts()[1] == (3, 0, 0, 0, 0, 0, 3)


def test_a_decision_needs_a_reason_a_known_delivery_and_a_known_state(world: FieldWorld, held: str) -> None:
    assert deliveries("free", held).exit_code == 2
    assert isinstance(deliveries("free", held, "--reason", "  ").exception, DecisionError)
    assert isinstance(deliveries("free", "01GFV0000000000000000000ZZ", "--reason", "x").exception, DecisionError)
    assert isinstance(deliveries("list", "--state", "lost").exception, ConfigurationError)
    assert [case[0] for case in world.cases()] == ["A"]
