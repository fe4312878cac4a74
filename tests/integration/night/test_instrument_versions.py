"""A second version of the questionnaire as a developer brings it in: an edit, `make fix`, `migrate`, and the night.

The product is copied and its codebook edited; the commands run on the copy, on the same servers, after a first night
that the shipped product received.
"""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from regsosek.landing.archive import list_receipts
from regsosek.quality.rules import load_suites
from regsosek.resources import open_resources
from regsosek.settings import PROJECT_ROOT, Settings
from support.checks.command_line import environment
from support.checks.traces_left import contents
from support.deliveries.edited_codebook import ADDED, FIRST, NEW_CODE, REMOVED, SECOND, lines, second_version, shipped
from support.deliveries.families import PROVINCE
from support.worlds.field_world import Family, FieldWorld, family

NIGHT, NEXT = date(2022, 10, 21), date(2022, 10, 22)
AT = datetime(2022, 10, 21, 12, tzinfo=UTC)
PARTS = ("include", "expectations", "docs", "tests/unit/quality/scenarios", "tests/hostile")
PATIENCE_SECONDS = 300


@dataclass(frozen=True)
class Product:
    """A copy of the product that is worked on as in a checkout."""

    root: Path
    settings: Settings

    def regsosek(self, *command: str) -> "subprocess.CompletedProcess[str]":
        """Runs the command line of this copy."""
        own = {"PYTHONPATH": str(self.root / "include"), "REGSOSEK_ENV_FILE": "/nonexistent"}
        return subprocess.run(
            [sys.executable, "-c", "from regsosek.cli.main import main; main()", *command],
            env={"PATH": os.environ["PATH"], "HOME": str(self.root), **environment(self.settings), **own},
            capture_output=True,
            text=True,
            timeout=PATIENCE_SECONDS,
            check=False,
        )

    def succeeds(self, *command: str) -> str:
        """What a command that ends well says."""
        done = self.regsosek(*command)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout


@pytest.fixture(scope="module")
def world(services_env: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[FieldWorld]:
    """A warehouse in which the shipped product has received a first night."""
    settings = services_env.model_copy(update={"work_dir": tmp_path_factory.mktemp("work")})
    with open_resources(settings) as resources:
        world = FieldWorld(resources, load_suites(PROJECT_ROOT / "expectations"))
        world.prepare(Path(tmp_path_factory.mktemp("reference")))
        world.deliver(NIGHT, [family("A"), family("B", number=2, r303_lantai="0")], produced_at=AT)
        world.run(NIGHT)
        yield world


@pytest.fixture(scope="module")
def product(world: FieldWorld, tmp_path_factory: pytest.TempPathFactory) -> Product:
    """The copy with its second version, generated files and warehouse brought up to date."""
    root = tmp_path_factory.mktemp("product")
    for part in PARTS:
        shutil.copytree(PROJECT_ROOT / part, root / part, ignore=shutil.ignore_patterns("__pycache__"))
    for page_source in ("pyproject.toml", "Makefile"):
        shutil.copy(PROJECT_ROOT / page_source, root)
    product = Product(root, world.resources.settings)
    for name, text in second_version(shipped()).items():
        (root / "include/regsosek/contract/codebook" / name).write_text(text, encoding="utf-8")
    rules = root / "expectations/keluarga.json"
    add_rule_on_removed_item(rules)
    refusal = product.regsosek("generate")
    assert refusal.returncode == 1
    assert f"rule X01 reads {REMOVED}, which version 2 does not have" in " ".join(refusal.stderr.split())
    bind_rules_on_removed_item(rules)
    product.succeeds("generate", "--publish", "REGSOSEK22.K/2")
    product.succeeds("generate", "--check")
    return product


def add_rule_on_removed_item(path: Path) -> None:
    """A rule by hand that no later version can be judged by."""
    suite = json.loads(path.read_bytes())
    rule = suite["expectations"][0]
    added = {"type": "expect_no_rows_where", "kwargs": {"condition": f"{REMOVED} = 6 AND r302_luas_lantai = 997"}}
    suite["expectations"].append(rule | added | {"meta": rule["meta"] | {"id": "X01"}})
    path.write_text(json.dumps(suite), encoding="utf-8")


def bind_rules_on_removed_item(path: Path) -> None:
    """What the developer is told to do: such rules name the version that they judge."""
    suite = json.loads(path.read_bytes())
    for rule in suite["expectations"]:
        if REMOVED in json.dumps(rule["kwargs"]):
            rule["meta"]["instrument_versions"] = [FIRST]
    path.write_text(json.dumps(suite), encoding="utf-8")


def as_second(given: Family, **changes: str) -> Family:
    """The family as the second version asks it."""
    row, members = given
    return {**{name: value for name, value in row.items() if name != REMOVED}, ADDED: "1", **changes}, members


def with_column(given: Family, name: str) -> Family:
    """The family with a column more."""
    row, members = given
    return row | {name: ""}, members


def deliver_both_versions(world: FieldWorld) -> dict[str, str]:
    """Deliveries of both versions in one night, and some that belong to none."""
    old, new = {"instrument_version": FIRST}, {"instrument_version": SECOND}
    deliveries = {
        "first": (old, [family("C", number=3), family("D", number=4, r307b1_daya=NEW_CODE),
                        family("E", number=5, **{REMOVED: ""})]),
        "second": (new, [as_second(family("F", number=6, r307b1_daya=NEW_CODE)),
                         as_second(family("G", number=7), **{ADDED: ""}), as_second(family("A", 2))]),
        "new item in an old form": (old, [with_column(family("H", number=8), ADDED)]),
        "old item in a new form": (new, [with_column(as_second(family("I", number=9)), REMOVED)]),
        "an old form named a new one": (new, [family("K", number=11)]),
        "unknown form": ({"instrument_version": "3"}, [family("J", number=10)]),
    }  # fmt: skip
    return {
        name: world.deliver(NEXT, families, produced_at=AT + timedelta(days=1, minutes=n), spoil=version)
        for n, (name, (version, families)) in enumerate(deliveries.items())
    }


@pytest.fixture(scope="module")
def ids(world: FieldWorld, product: Product) -> dict[str, str]:
    """The second night, received and released by the edited product; its deliveries by what they are."""
    assert f"added from the codebook: core.keluarga.{ADDED}" in product.succeeds("migrate")
    delivered = deliver_both_versions(world)
    assert "Release" in product.succeeds("night", "--date", str(NEXT), "-p", PROVINCE, "--no-alerts")
    return delivered


def test_each_delivery_is_judged_as_its_version(world: FieldWorld, ids: dict[str, str]) -> None:
    decided = {
        delivery_id: (version, state, reason)
        for delivery_id, version, state, reason in world.rows(
            "SELECT delivery_id, instrument_version, state, reason FROM ledger.delivery WHERE night = :night",
            night=NEXT,
        )
    }
    assert {name: decided[delivery_id] for name, delivery_id in ids.items()} == {
        "first": (FIRST, "accepted", None),
        "second": (SECOND, "accepted", None),
        "new item in an old form": (FIRST, "accepted", None),
        "old item in a new form": (SECOND, "accepted", None),
        "an old form named a new one": (SECOND, "rejected", "columns_differ"),
        "unknown form": (None, "rejected", "instrument_unknown"),
    }


def test_a_case_breaks_the_rules_of_its_own_version(world: FieldWorld, ids: dict[str, str]) -> None:
    broken = world.rows(
        "SELECT case_id, rule_id FROM quality.reason WHERE night = :night AND severity = 'critical' ORDER BY 1",
        night=NEXT,
    )
    assert broken == [("D", "C-307b1"), ("E", "H01"), ("G", "U-399")]
    assert [(case, state) for case, state, *_ in world.cases()] == [
        ("A", "loaded"), ("B", "quarantined"), ("C", "loaded"), ("D", "quarantined"), ("E", "quarantined"),
        ("F", "loaded"), ("G", "quarantined"), ("H", "loaded"), ("I", "loaded"),
    ]  # fmt: skip


def test_the_warehouse_holds_the_answers_of_both_versions(world: FieldWorld, ids: dict[str, str]) -> None:
    answers = world.rows(
        f"SELECT t.case_id, k.{REMOVED}, k.{ADDED}, k.r307b1_daya FROM core.kasus_terkini t "
        "JOIN core.keluarga k USING (province, night, delivery_id, part, row_no) ORDER BY 1"
    )
    assert answers == [("A", None, 1, 2), ("C", 1, None, 2), ("F", None, 1, 6), ("H", 1, None, 2), ("I", None, 1, 2)]


def test_a_column_of_the_other_version_is_drift_and_counted(world: FieldWorld, ids: dict[str, str]) -> None:
    drift = world.rows("SELECT delivery_id, variable, amount FROM ledger.repair WHERE kind = 'column_unknown'")
    added, removed = (name.partition("_")[0] for name in (ADDED, REMOVED))  # a name that nobody gave may be anything
    assert set(drift) == {(ids["new item in an old form"], added, 1), (ids["old item in a new form"], removed, 1)}


def test_receipts_name_the_version(world: FieldWorld, ids: dict[str, str]) -> None:
    archive = world.resources.settings.archive_bucket
    receipts = {r.delivery_id: r.instrument_version for r in list_receipts(world.resources.store, archive, night=NEXT)}
    assert [receipts[ids[name]] for name in ("first", "second", "unknown form")] == [FIRST, SECOND, None]


def test_the_edited_product_replays_what_the_shipped_one_received(
    world: FieldWorld, product: Product, ids: dict[str, str]
) -> None:
    before = contents(world, (NIGHT, NEXT))
    product.succeeds("replay", "--from", str(NIGHT), "-p", PROVINCE)
    after = contents(world, (NIGHT, NEXT))
    assert {name for name, rows in before.items() if after[name] != rows} == set()


def test_migrating_again_finds_nothing_to_add(product: Product, ids: dict[str, str]) -> None:
    assert "added" not in product.succeeds("migrate")


def test_a_shipped_codebook_knows_no_second_version() -> None:
    assert {line["version"] for line in lines(shipped()["instruments.csv"])} == {FIRST}
