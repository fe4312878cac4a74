"""`regsosek deliveries`, as an operator types it: what waits, why, and what becomes of it."""

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import Result
from sqlalchemy import text
from typer.testing import CliRunner

from regsosek.cli.main import app
from regsosek.errors import ConfigurationError, DecisionError
from regsosek.quality.rules import load_suites
from regsosek.settings import PROJECT_ROOT, Settings
from support.checks.command_line import environment
from support.worlds.field_world import CompiledJudge, FieldWorld, family, faulty, prepared_world

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
    monkeypatch.setattr("regsosek.night.discovery.applicable_rules.Judge", CompiledJudge)
    for name, value in environment(world.resources.settings).items():
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
    assert re.search(r"keluarga\s+2\s+3\s+cases in error\s+66\.7\s+40\s+2\s+over", shown)


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


@pytest.fixture
def twice(world: FieldWorld, held: str) -> Iterator[str]:
    """The id of the held delivery, which a rejected one of province 14 bears, too."""
    with world.resources.engine.begin() as connection:
        connection.execute(
            text(
                "INSERT INTO ledger.delivery (province, delivery_id, delivered_on, night, position, prefix, state, "
                "supersedes, versions, registered_at) SELECT '14', delivery_id, delivered_on, night, position, prefix, "
                "'rejected', supersedes, versions, registered_at FROM ledger.delivery WHERE delivery_id = :id"
            ),
            {"id": held},
        )
    return held


def test_an_id_that_two_provinces_have_is_asked_by_province(world: FieldWorld, twice: str) -> None:
    for command in (("show", twice), ("free", twice, "--reason", "checked", "--no-publish")):
        error = deliveries(*command).exception
        assert isinstance(error, DecisionError)
        assert f"provinces 14, 64 have a delivery {twice} each; name one with -p" in str(error)
    assert f"Delivery {twice} of province 14: rejected" in says("show", twice, "-p", "14")
    assert f"Delivery {twice} of province 64: held" in says("show", twice, "-p", "64")
    assert isinstance(deliveries("show", twice, "-p", "12").exception, DecisionError)
    decided = says("free", twice, "-p", "64", "--reason", "checked", "--no-publish")
    assert f"Delivery {twice} of province 64 is accepted" in decided
    assert world.rows("SELECT province, state FROM ledger.delivery WHERE delivery_id = :id ORDER BY 1", id=twice) == [
        ("14", "rejected"),
        ("64", "accepted"),
    ]


@pytest.mark.parametrize("limit", [100, 40], ids=["accepted", "held"])
def test_what_a_replacement_withdraws_is_listed(world: FieldWorld, tmp_path: Path, limit: int) -> None:
    file = world.resources.settings.hold_limits_file
    assert file is not None
    file.write_text(LIMITS + f"*,replaced,{limit},2,test\n", encoding="utf-8")
    try:
        first = world.deliver(NIGHT, [family(name, number=n) for n, name in enumerate("ABC", 1)], produced_at=AT)
        world.deliver(NIGHT, [family("C", number=3)], produced_at=AT + timedelta(minutes=1))
        world.run(NIGHT)
        later = AT + timedelta(hours=1)
        second = world.deliver(NIGHT, [family("D", number=4)], produced_at=later, supersedes=[first])
        world.run(NIGHT + timedelta(days=1))
    finally:
        file.write_text(LIMITS, encoding="utf-8")
    listed = next(line for line in says("list").splitlines() if second in line)
    assert re.search(r"\s2\s+(–|│|$)", listed)
    csv = tmp_path / "withdrawn.csv"
    shown = says("show", second, "--withdrawn", str(csv))
    assert re.search(r"6403\s+Kabupaten Kutai Kartanegara\s+2\s+3\s+66\.7\s+1", shown)
    over = re.search(
        r"replaced\s+2\s+3\s+families of the replaced deliveries withdrawn\s+66\.7\s+\d+\s+2\s+over", shown
    )
    keys = csv.read_text(encoding="utf-8").splitlines()[1:]
    if limit == 100:
        assert over is None
        assert [key.split(",", 2)[2] for key in keys] == ["1,1,A", "1,2,B"]
        assert [case[:2] for case in world.cases()] == [
            ("A", "withdrawn"), ("B", "withdrawn"), ("C", "loaded"), ("D", "loaded"),
        ]  # fmt: skip
    else:
        assert over and keys == []
        assert "held" in listed
        assert [case[:2] for case in world.cases()] == [("A", "loaded"), ("B", "loaded"), ("C", "loaded")]
