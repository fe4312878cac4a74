"""A small world to run nights in: one province's frame, deliveries made of a few families, and what became of them."""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import boto3
import pytest
from sqlalchemy import text
from ulid import ULID

from regsosek.geography.frame import SIMULATED
from regsosek.geography.regions import RegionMaster, region_master
from regsosek.night import reference
from regsosek.night.discovery import applicable_rules
from regsosek.night.discovery.applicable_rules import current_suites
from regsosek.night.receiving.province_night import ProvinceNight
from regsosek.night.receiving.receiving import receive_locked
from regsosek.quality.reasons import explain
from regsosek.quality.rules import Suite, load_suites
from regsosek.quality.verdict import _VERDICT, Judge, RuleCount
from regsosek.resources import Resources, open_resources
from regsosek.settings import PROJECT_ROOT, Settings
from regsosek.warehouse.locks import province_lock
from regsosek.warehouse.migration import migrate
from regsosek.warehouse.reference import load_frame, load_regions, load_targets, note_version
from support.deliveries.families import DESA, PROVINCE, SUBSLS, WRITERS, Row, anggota_row, keluarga_row

Family = tuple[Row, list[Row]]
FRAME_COLUMNS = [
    "province", "id_subsls", "valid_from", "valid_to", "id_desa", "name", "kind", "families_load", "code_system",
    "version",
]  # fmt: skip
# A table that was never written to, or was emptied so, takes no space.
_FILLED = """
SELECT oid::regclass::text FROM pg_class WHERE relkind = 'r' AND pg_relation_size(oid) > 0
AND relname <> 'alembic_version' AND relnamespace IN (SELECT oid FROM pg_namespace WHERE nspname IN
('ledger', 'core', 'stream', 'quality', 'restricted', 'mart', 'release', 'alert'))
"""

FEW_RULES = ("C-303", "P01", "S01", "S02", "F05")


def few_rules(kept: Iterable[str] = FEW_RULES) -> dict[str, Suite]:
    """The suites cut down to a handful of rules: what rules say is tested elsewhere."""
    suites = load_suites(PROJECT_ROOT / "expectations")
    return {
        name: Suite(suite.dataset, tuple(rule for rule in suite.rules if rule.id in kept))
        for name, suite in suites.items()
    }


def add_place(world: "FieldWorld", province: str, desa: str, scratch: Path) -> None:
    """Loads the frame anew with a sub-SLS of ``desa``, of a second ``province``, beside the first one's."""
    places = ((PROVINCE, SUBSLS, DESA), (province, desa + "000100", desa))
    frame = [(p, code, "2022-01-01", None, of, "RT", 1, 60, "BPS", "2022-10-01") for p, code, of in places]
    with world.resources.engine.begin() as connection:
        load_frame(connection, frame, FRAME_COLUMNS, scratch)


class CompiledJudge(Judge):
    """Judges by the compiled SQL alone: a hundred times faster where Great Expectations is not the question."""

    def _judge_dataset(self, dataset: str) -> list[RuleCount]:
        rules = self._rules[dataset]
        counts = explain(self._connection, dataset, rules)
        return [RuleCount(dataset, rule.id, rule.severity, counts[rule.id]) for rule in rules]


assert _VERDICT, "CompiledJudge rests on Judge.judge computing the verdict from the reasons"


def near_master(provinces: Iterable[str] = (PROVINCE,)) -> RegionMaster:
    """Every province, and what lies below the ones where families are.

    The 500 kab/kota and 80,000 desa of the others cost seconds wherever a warehouse is filled or a release is built.
    """
    master, wanted = region_master(), set(provinces)
    near = {
        code: region
        for code, region in master.regions.items()
        if region.level in ("nasional", "provinsi") or master.province_of(code) in wanted
    }
    return replace(master, regions=near)


@contextmanager
def near_regions(*provinces: str) -> Iterator[None]:
    """While it is entered, what loads the reference files loads the regions of :func:`near_master`."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reference, "region_master", lambda: near_master(provinces))
        yield


def receive_province(resources: Resources, province: str, night: date, suites: Mapping[str, Suite]) -> ProvinceNight:
    """Receives a province's night by ``suites``, as the composition does by those of the settings."""
    with province_lock(resources.loader, province) as held:
        return receive_locked(resources.under(held), province, night, current_suites(resources, suites))


def family(document: str = "D1", versi: int = 1, *, number: int = 1, members: int = 2, **changes: str) -> Family:
    """A clean family in building ``number``; ``changes`` go to its keluarga row."""
    keys = {"id_dokumen": document, "versi": str(versi), "r110_no_keluarga": f"{number:03d}"}
    row = keluarga_row(**keys, r112_jumlah_anggota=f"{members:02d}", **changes)
    shared = keys | {"id_subsls": row["id_subsls"], "r109_no_bangunan": row["r109_no_bangunan"]}
    return row, [anggota_row(n, **shared) for n in range(1, members + 1)]


def withdrawal(document: str = "D1", versi: int = 2, *, number: int = 1) -> Family:
    """A document that withdraws the case."""
    row, _ = family(document, versi, number=number, status_dokumen="9")
    return row, []


def faulty(document: str = "D1", versi: int = 1, *, number: int = 1, **changes: str) -> Family:
    """A family with one error: item 303 holds a code outside of its list."""
    return family(document, versi, number=number, **({"r303_lantai": "0"} | changes))


@dataclass
class FieldWorld:
    """Deliveries go in, nights are run, and the warehouse answers. ``fresh()`` starts over on empty buckets."""

    resources: Resources
    suites: Mapping[str, Suite]

    def prepare(self, scratch: Path) -> None:
        """Migrates the warehouse and loads regions, a frame of two sub-SLS, and targets."""
        migrate(self.resources.engine)
        codes = (SUBSLS, DESA + "000200")
        frame = [
            (PROVINCE, code, "2022-01-01", None, DESA, "RT", 1, 60, "BPS", "2022-10-01") for code in codes
        ]  # fmt: skip
        targets = [
            {"province": code, "families": 120, "source": "published", "scale": 1, "version": "2022-10-01"}
            for code in (p.code for p in region_master().regions.values() if p.level == "provinsi")
        ]
        with self.resources.engine.begin() as connection:
            load_regions(connection, near_master(), scratch)
            load_frame(connection, frame, FRAME_COLUMNS, scratch)
            load_targets(connection, targets)
            for dataset in ("sls", "petugas", "target"):
                note_version(
                    connection,
                    dataset=dataset,
                    version="2022-10-01",
                    manifest_sha256="0" * 64,
                    scale=1,
                    note=f"{SIMULATED} (dibuat untuk pengujian)",
                    report={},
                )

    def fresh(self) -> "FieldWorld":
        """The same warehouse emptied of deliveries, with new empty buckets."""
        mark = uuid4().hex[:12]
        names = {f"{use}_bucket": f"world-{mark}-{use}" for use in ("landing", "archive", "release")}
        settings = self.resources.settings.model_copy(update=names)
        client = boto3.client(
            "s3",
            endpoint_url=settings.s3_endpoint_url,
            region_name=settings.s3_region,
            aws_access_key_id=settings.s3_access_key_id.get_secret_value(),
            aws_secret_access_key=settings.s3_secret_access_key.get_secret_value(),
        )
        for bucket in names.values():
            client.create_bucket(Bucket=bucket)
        with self.resources.engine.begin() as connection:
            connection.execute(text("SET LOCAL regsosek.ends_access = 'on'"))
            if filled := connection.execute(text(_FILLED)).scalars().all():
                connection.execute(text("TRUNCATE " + ", ".join(filled)))
        self.resources = replace(self.resources, settings=settings)
        return self

    def deliver(
        self,
        day: date,
        families: Sequence[Family] | Sequence[Sequence[Family]],
        *,
        produced_at: datetime,
        supersedes: Iterable[str] = (),
        province: str = PROVINCE,
        spoil: Mapping[str, Any] | None = None,
        formats: Mapping[str, str] | None = None,
        delivery_id: str | None = None,
    ) -> str:
        """Puts one delivery (one part, or several if ``families`` is a list of parts) into landing; returns its id."""
        parts = families if families and isinstance(families[0], list) else [families]
        delivery_id = delivery_id or str(ULID.from_datetime(produced_at))
        folder = f"landing/prov={province}/tanggal={day}/{delivery_id}/"
        files, totals = [], {"keluarga": 0, "anggota": 0}
        for number, part in enumerate(parts, start=1):
            rows = {"keluarga": [k for k, _ in part], "anggota": [a for _, members in part for a in members]}
            for dataset, content in rows.items():
                format_ = (formats or {}).get(dataset, "csv.gz")
                body = WRITERS[format_](dataset, content)
                name = f"{dataset}-{number:05d}.{format_}"
                self.resources.store.put_bytes(self.resources.settings.landing_bucket, folder + name, body)
                digest = hashlib.sha256(body).hexdigest()
                files.append(
                    {"name": name, "dataset": dataset, "part": number, "format": format_, "rows": len(content),
                     "bytes": len(body), "sha256": digest}
                )  # fmt: skip
                totals[dataset] += len(content)
        manifest = {
            "contract_version": "1", "instrument": "REGSOSEK22.K", "instrument_version": "1", "province": province,
            "delivery_id": delivery_id, "produced_at": produced_at.isoformat(), "producer": "test",
            "enumerated_from": "2022-10-15", "enumerated_to": str(day), "files": files, "totals": totals,
            "supersedes": list(supersedes),
        }  # fmt: skip
        body = json.dumps(manifest | dict(spoil or {})).encode()
        self.resources.store.put_bytes(self.resources.settings.landing_bucket, folder + "manifest.json", body)
        return delivery_id

    def run(self, night: date, *, judge: type[Judge] = CompiledJudge, province: str = PROVINCE) -> ProvinceNight:
        """Runs the night of one province."""
        former, applicable_rules.Judge = applicable_rules.Judge, judge
        try:
            return receive_province(self.resources, province, night, self.suites)
        finally:
            applicable_rules.Judge = former

    def rows(self, query: str, **values: Any) -> list[tuple[Any, ...]]:
        """What the warehouse answers to ``query``."""
        with self.resources.engine.connect() as connection:
            return [tuple(row) for row in connection.execute(text(query), values)]

    def cases(self) -> list[tuple[Any, ...]]:
        """Every case: id, state, and the answers and number of members that readers get."""
        return self.rows(
            "SELECT t.case_id, t.state, k.versi, k.r302_luas_lantai, "
            "(SELECT count(*) FROM core.anggota a WHERE a.province = t.province AND a.night = t.night AND "
            " a.delivery_id = t.delivery_id AND a.part = t.part AND a.keluarga_row = t.row_no) AS members "
            "FROM core.kasus_terkini t LEFT JOIN core.keluarga k ON k.province = t.province AND k.night = t.night "
            "AND k.delivery_id = t.delivery_id AND k.part = t.part AND k.row_no = t.row_no ORDER BY t.case_id"
        )

    def progress(self, night: date) -> list[tuple[Any, ...]]:
        """The figures by place and day of enumeration as of ``night``."""
        return self.rows(
            "SELECT placed_code, enumerated_on, visited, complete, quarantined, pending, conflicting, persons FROM ("
            "SELECT DISTINCT ON (placed_code, enumerated_on) * FROM mart.progress WHERE night <= :night "
            "ORDER BY placed_code, enumerated_on, night DESC) p "
            "WHERE visited + conflicting > 0 ORDER BY 1, 2",
            night=night,
        )

    def counts(self) -> list[tuple[Any, ...]]:
        """The ledger's counts of keluarga by delivery, in the order of arrival."""
        return self.rows(
            "SELECT c.received, c.loaded, c.quarantined, c.superseded, c.duplicate, c.withdrawn, c.rejected "
            "FROM ledger.delivery_count c JOIN ledger.delivery d USING (province, delivery_id, delivered_on) "
            "WHERE c.dataset = 'keluarga' ORDER BY d.night, d.position"
        )


@contextmanager
def prepared_world(
    settings: Settings, scratch: pytest.TempPathFactory, suites: Mapping[str, Suite], limits: str
) -> Iterator[FieldWorld]:
    """A world with a work directory and limits of holding (CSV) of its own."""
    file = scratch.mktemp("limits") / "limits.csv"
    file.write_text(limits, encoding="utf-8")
    own = {"hold_limits_file": file, "work_dir": scratch.mktemp("work")}
    with open_resources(settings.model_copy(update=own)) as resources:
        world = FieldWorld(resources, dict(suites))
        world.prepare(scratch.mktemp("reference"))
        yield world
