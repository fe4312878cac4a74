"""A second version of the questionnaire as a developer brings it in: an edit, `make fix`, `migrate`, and the night.

The product is copied and its codebook edited; the commands run on the copy, on the same servers, after a first night
that the shipped product received.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from pydantic import SecretStr

from delivered import PROVINCE, Row
from edited_codebook import ADDED, FIRST, NEW_CODE, REMOVED, SECOND, second_version, shipped
from field_world import Family, FieldWorld, family
from left_behind import contents
from regsosek.landing.archive import list_receipts
from regsosek.night.house import open_house
from regsosek.quality.rules import load_suites
from regsosek.settings import PROJECT_ROOT, Settings

NIGHT, NEXT = date(2022, 10, 21), date(2022, 10, 22)
AT = datetime(2022, 10, 21, 12, tzinfo=UTC)
PARTS = ("include", "expectations", "docs")
PATIENCE_SECONDS = 300


def environment(settings: Settings) -> dict[str, str]:
    """What the command line reads its settings from."""
    values = {name: getattr(settings, name) for name in Settings.model_fields}
    plain = {name: v.get_secret_value() if isinstance(v, SecretStr) else v for name, v in values.items()}
    spelled = {name: ",".join(v) if isinstance(v, tuple) else str(v) for name, v in plain.items() if v is not None}
    return {f"REGSOSEK_{name.upper()}": value for name, value in spelled.items() if name != "expectations_dir"}


@dataclass(frozen=True)
class Product:
    """A copy of the product that is worked on as in a checkout."""

    root: Path
    settings: Settings

    def regsosek(self, *command: str) -> "subprocess.CompletedProcess[str]":
        """Runs the command line of this copy."""
        own = {"PYTHONPATH": str(self.root / "include"), "REGSOSEK_ENV_FILE": "/nonexistent"}
        return subprocess.run(
            [sys.executable, "-c", "from regsosek.cli import main; main()", *command],
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

    def edit_codebook(self) -> None:
        """Writes the second version into the CSV files, and into the rules by hand what the generator asks for."""
        for name, text in second_version(shipped()).items():
            (self.root / "include/regsosek/contract/codebook" / name).write_text(text, encoding="utf-8")


@pytest.fixture(scope="module")
def world(services_env: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[FieldWorld]:
    """A warehouse in which the shipped product has received a first night."""
    settings = services_env.model_copy(update={"work_dir": tmp_path_factory.mktemp("work")})
    with open_house(settings) as house:
        world = FieldWorld(house, load_suites(PROJECT_ROOT / "expectations"))
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
    product = Product(root, world.house.settings)
    product.edit_codebook()
    return product


def as_second(given: Family, **changes: str) -> Family:
    """The family as the second version asks it."""
    row, members = given
    return {**{name: value for name, value in row.items() if name != REMOVED}, ADDED: "1", **changes}, members


def with_column(given: Family, name: str) -> Family:
    """The family with a column more."""
    row, members = given
    return row | {name: ""}, members


@dataclass(frozen=True)
class Night:
    """The second night: what each delivery is called, and the warehouse that it left behind."""

    world: FieldWorld
    ids: dict[str, str]

    def of(self, query: str, **values: str) -> dict[str, tuple[object, ...]]:
        """Rows of ``query`` by their first column."""
        return {key: tuple(rest) for key, *rest in self.world.rows(query, **values)}


def deliver_both_versions(world: FieldWorld) -> dict[str, str]:
    """Deliveries of both versions in one night, and some that belong to none."""
    old, new = {"instrument_version": FIRST}, {"instrument_version": SECOND}
    clean: Row = {}
    deliveries = {
        "first": (old, [family("C", number=3), family("D", number=4, r307b1_daya=NEW_CODE),
                        family("E", number=5, **{REMOVED: ""})]),
        "second": (new, [as_second(family("F", number=6, r307b1_daya=NEW_CODE), **clean),
                         as_second(family("G", number=7), **{ADDED: ""}), as_second(family("A", 2))]),
        "new item in an old form": (old, [with_column(family("H", number=8), ADDED)]),
        "old item in a new form": (new, [with_column(as_second(family("I", number=9)), REMOVED)]),
        "unknown form": ({"instrument_version": "3"}, [family("J", number=10)]),
    }  # fmt: skip
    return {
        name: world.deliver(NEXT, families, produced_at=AT + timedelta(days=1, minutes=n), spoil=version)
        for n, (name, (version, families)) in enumerate(deliveries.items())
    }


@pytest.fixture(scope="module")
def night(world: FieldWorld, product: Product) -> Night:
    """The second night, received, released and told by the edited product."""
    assert f"added from the codebook: core.keluarga.{ADDED}" in product.succeeds("migrate")
    ids = deliver_both_versions(world)
    said = product.succeeds("night", "--date", str(NEXT), "-p", PROVINCE)
    assert "Release" in said, said
    return Night(world, ids)
