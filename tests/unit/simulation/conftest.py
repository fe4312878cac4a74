"""Small simulated campaigns, made once for all tests of this room."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest

from regsosek.contract.manifest import Manifest, parse_manifest
from regsosek.geography.regions import region_master
from regsosek.simulation.field.campaign import Campaign
from regsosek.simulation.output.sinks import DirectorySink
from regsosek.simulation.planted.defects import DefectTable, default_defects
from regsosek.simulation.simulate import SimulationReport, simulate, simulate_day
from regsosek.staging.pseudonyms import prepare_keys
from regsosek.staging.reading.files import read_part
from regsosek.staging.relations import stage
from regsosek.staging.repeats import clear_repeats, count_repeats, note_part

NIGHTS = (date(2022, 10, 28), date(2022, 10, 29), date(2022, 10, 30))
# One for each incident, and one that remembers nothing worse than planted defects.
PROVINCES = ("19", "34", "65", "75", "82")


@dataclass(frozen=True)
class Simulated:
    """A report and where the files lie."""

    report: SimulationReport
    root: Path

    def manifests(self) -> list[tuple[Path, Manifest]]:
        """Every manifest with its folder."""
        found = []
        for path in sorted(self.root.glob("landing/prov=*/tanggal=*/*/manifest.json")):
            province = path.parents[2].name.removeprefix("prov=")
            found.append(
                (path.parent, parse_manifest(path.read_bytes(), province=province, delivery_id=path.parent.name))
            )
        return found


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Simulated:
    """Three nights of five provinces with planted defects."""
    root = tmp_path_factory.mktemp("demo")
    campaign = Campaign(scale=0.004)
    return Simulated(simulate(campaign, DirectorySink(root), nights=NIGHTS, provinces=PROVINCES), root)


@pytest.fixture(scope="session")
def flawless(tmp_path_factory: pytest.TempPathFactory) -> Simulated:
    """One day of 6,000 families without any planted defect."""
    root = tmp_path_factory.mktemp("flawless")
    nothing = DefectTable(share_of_documents=0, kind=())
    campaign = Campaign(scale=0.01, families_per_part=4_000)
    day = date(2022, 10, 25)
    report = simulate_day(campaign, DirectorySink(root), province="35", night=day, families=6_000, defects=nothing)
    return Simulated(report, root)


@pytest.fixture(scope="session")
def spoiled(tmp_path_factory: pytest.TempPathFactory) -> Simulated:
    """One day of 6,000 families, every second document with a planted defect."""
    root = tmp_path_factory.mktemp("spoiled")
    many = default_defects().model_copy(update={"share_of_documents": 0.5})
    campaign = Campaign(scale=0.01)
    day = date(2022, 10, 25)
    report = simulate_day(campaign, DirectorySink(root), province="35", night=day, families=6_000, defects=many)
    return Simulated(report, root)


def staging_engine(root: Path) -> duckdb.DuckDBPyConnection:
    """A DuckDB with the simulated frame, its changes and the real regions."""
    connection = duckdb.connect()
    connection.execute("SET TimeZone = 'UTC'")
    prepare_keys(connection, (b"a key of the tests of the simulation",))
    files = f"{root}/reference/sls/*/prov=*.csv.gz"
    connection.execute(
        "CREATE TABLE frame AS SELECT id_subsls, id_desa, valid_from::DATE AS valid_from, valid_to::DATE AS valid_to "
        f"FROM read_csv('{files}', all_varchar = true)"
    )
    changes = f"{root}/reference/psls/*/prov=*.csv.gz"
    connection.execute(
        "CREATE TABLE psls AS SELECT id_subsls_lama, id_subsls_baru, status, valid_from::DATE AS valid_from "
        f"FROM read_csv('{changes}', all_varchar = true)"
    )
    connection.register("codes", pa.table({"code": list(region_master().regions)}))
    connection.execute("CREATE TABLE region AS SELECT code FROM codes")
    return connection


def stage_part(connection: duckdb.DuckDBPyConnection, folder: Path, manifest: Manifest, part: int) -> None:
    """Reads and types one part as the night does; the first one after what all parts have in common."""
    if part == 1:
        clear_repeats(connection)
        for each in manifest.parts:
            _read(connection, folder, manifest, each)
            note_part(connection)
        count_repeats(connection)
    _read(connection, folder, manifest, part)
    delivered_on = date.fromisoformat(folder.parent.name.removeprefix("tanggal="))
    version = manifest.instrument_version
    stage(connection, part=part, province=manifest.province, on=delivered_on, version=version, alone=False)


def _read(connection: duckdb.DuckDBPyConnection, folder: Path, manifest: Manifest, part: int) -> None:
    for file in (manifest.file("keluarga", part), manifest.file("anggota", part)):
        read_part(connection, file, folder / file.name, version=manifest.instrument_version)


@pytest.fixture(scope="session")
def answers(flawless: Simulated) -> Iterator[duckdb.DuckDBPyConnection]:
    """All typed rows of the flawless day: tables ``k`` and ``a``, as rules see them."""
    connection = staging_engine(flawless.root)
    [(folder, manifest)] = flawless.manifests()
    for part in manifest.parts:
        stage_part(connection, folder, manifest, part)
        new = part == manifest.parts[0]
        for dataset, name in (("keluarga", "k"), ("anggota", "a")):
            verb = f"CREATE TABLE {name} AS" if new else f"INSERT INTO {name}"
            connection.execute(f"{verb} SELECT * FROM {dataset}")
    yield connection
    connection.close()
