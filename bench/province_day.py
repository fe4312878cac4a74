"""The measured work of one province's day: stage, judge and split every part of one delivery, without a warehouse.

Runs in a process of its own, which ``badness.py`` starts; prints one line of JSON.
"""

import json
import os
import resource
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb
import pyarrow as pa

from regsosek.contract.manifest import Manifest, parse_manifest
from regsosek.geography.regions import region_master
from regsosek.quality.rules import load_suites
from regsosek.quality.verdict import Judge
from regsosek.settings import PROJECT_ROOT, Settings
from regsosek.staging.engine import open_engine
from regsosek.staging.pseudonyms import prepare_keys
from regsosek.staging.reading.files import read_part
from regsosek.staging.relations import stage
from regsosek.staging.repeats import clear_repeats, count_repeats, note_part
from regsosek.warehouse.cases.loading import PartKey, written_tables
from regsosek.warehouse.cases.recognition import know_nothing, recognise

STEPS = ("stage", "judge", "split")
_KEY = b"a key of the bench, as long as a real one"


@dataclass
class Cost:
    """Wall and CPU seconds of a step; CPU of all threads of the process."""

    wall: float = 0
    cpu: float = 0

    @contextmanager
    def counted(self) -> Iterator[None]:
        """Adds what the inside costs."""
        wall, cpu = time.monotonic(), time.process_time()
        yield
        self.wall += time.monotonic() - wall
        self.cpu += time.process_time() - cpu


@dataclass(frozen=True)
class Measured:
    """What one run cost: wall and CPU seconds by step, peak RSS in bytes; and what it worked on."""

    wall: dict[str, float]
    cpu: dict[str, float]
    peak_rss: int
    families: int
    persons: int
    quarantined: int
    split_bytes: int


def main(root: Path) -> None:
    """Measures the one delivery below ``root`` and prints the result."""
    [path] = root.glob("landing/prov=*/tanggal=*/*/manifest.json")
    province = path.parents[2].name.removeprefix("prov=")
    manifest = parse_manifest(path.read_bytes(), province=province, delivery_id=path.parent.name)
    with TemporaryDirectory(prefix="bench-", dir=root) as directory:
        sys.stdout.write(json.dumps(asdict(measure(root, path.parent, manifest, Path(directory)))) + "\n")


def measure(root: Path, folder: Path, manifest: Manifest, scratch: Path) -> Measured:
    """Stages, judges and splits every part of the delivery in ``folder``, whose reference files lie below ``root``."""
    memory, threads = (Settings.model_fields[name].default for name in ("memory_limit", "threads"))
    version = manifest.instrument_version
    costs, quarantined, size = {step: Cost() for step in STEPS}, 0, 0
    with open_engine(scratch, memory_limit=memory, threads=threads) as duck:
        _prepare(duck, root)
        judge = Judge(duck, load_suites(PROJECT_ROOT / "expectations"), version)
        with costs["stage"].counted():
            _compare(duck, folder, manifest)
        for part in manifest.parts:
            with costs["stage"].counted():
                _read(duck, folder, manifest, part)
                alone = len(manifest.parts) == 1
                stage(
                    duck, part=part, province=manifest.province, on=manifest.enumerated_to, version=version, alone=alone
                )
            with costs["judge"].counted():
                judge.judge()
            with costs["split"].counted():
                size += _split(duck, manifest, part, scratch)
            [(bad,)] = duck.execute("SELECT count(*) FROM recognised WHERE status = 'quarantined'").fetchall()
            quarantined += bad
    return Measured(
        wall={step: cost.wall for step, cost in costs.items()},
        cpu={step: cost.cpu for step, cost in costs.items()},
        peak_rss=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
        families=manifest.totals["keluarga"],
        persons=manifest.totals["anggota"],
        quarantined=quarantined,
        split_bytes=size,
    )


def _compare(duck: duckdb.DuckDBPyConnection, folder: Path, manifest: Manifest) -> None:
    """Counts what repeats across the parts, as the night does before it judges the first one."""
    clear_repeats(duck)
    for part in manifest.parts:
        _read(duck, folder, manifest, part)
        note_part(duck)
    count_repeats(duck)


def _read(duck: duckdb.DuckDBPyConnection, folder: Path, manifest: Manifest, part: int) -> None:
    for file in (manifest.file("keluarga", part), manifest.file("anggota", part)):
        read_part(duck, file, folder / file.name, version=manifest.instrument_version)


def _prepare(duck: duckdb.DuckDBPyConnection, root: Path) -> None:
    prepare_keys(duck, (_KEY,))
    duck.execute(
        "CREATE TABLE frame AS SELECT id_subsls, id_desa, valid_from::DATE AS valid_from, valid_to::DATE AS valid_to "
        f"FROM read_csv('{root}/reference/sls/*/prov=*.csv.gz', all_varchar = true)"
    )
    duck.execute(
        "CREATE TABLE psls AS SELECT id_subsls_lama, id_subsls_baru, status, valid_from::DATE AS valid_from "
        f"FROM read_csv('{root}/reference/psls/*/prov=*.csv.gz', all_varchar = true)"
    )
    regions = region_master().regions.values()
    columns = {"code": [region.code for region in regions], "level": [region.level for region in regions]}
    duck.register("regions", pa.table(columns))
    duck.execute("CREATE TABLE region AS SELECT * FROM regions")
    duck.unregister("regions")


def _split(duck: duckdb.DuckDBPyConnection, manifest: Manifest, part: int, scratch: Path) -> int:
    """Writes what would be copied into the warehouse; returns its bytes."""
    know_nothing(duck, scratch)
    recognise(duck, produced_at=manifest.produced_at, supersedes=manifest.supersedes)
    night: date = manifest.enumerated_to
    size = 0
    for _, _, path in written_tables(
        duck, scratch, PartKey(manifest.province, night, manifest.delivery_id, part), default_day=night
    ):
        size += path.stat().st_size
        path.unlink()
    return size


if __name__ == "__main__":
    main(Path(sys.argv[1]))
    sys.stdout.flush()
    # As in regsosek.cli.main: DuckDB's bindings would print a page about leaks.
    os._exit(0)
