"""Three simulated nights of two provinces through the whole of receiving: what was planted is found, case by case."""

import csv
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from regsosek.asking.night_history import province_lines
from regsosek.asking.quarantine import quarantined_cases
from regsosek.errors import ReferenceDataError
from regsosek.landing.archive import list_receipts, list_seals
from regsosek.night.reference import load_reference
from regsosek.night.replaying import replay
from regsosek.quality.rules import load_suites
from regsosek.resources import Resources, open_resources
from regsosek.settings import PROJECT_ROOT, Settings
from regsosek.simulation.field.campaign import Campaign
from regsosek.simulation.output.sinks import BucketSink
from regsosek.simulation.simulate import SimulationReport, simulate, write_labels
from support.worlds.field_world import CompiledJudge, near_regions, receive_province

NIGHTS = [date(2022, 10, 28) + timedelta(days=n) for n in range(3)]
# 65 supersedes a delivery on the second night; 19's delivery of the third night is broken.
PROVINCES, WITHOUT_FRAME = ("19", "65"), "76"
TABLES = (
    "core.kasus", "core.keluarga", "core.anggota", "core.kasus_terkini", "quality.reason", "quality.rule_result",
    "quality.error_share", "quality.error_region",
    "restricted.keluarga_identity", "restricted.anggota_identity", "restricted.quarantined",
    "restricted.untyped_value", "mart.change", "mart.total", "mart.province_day", "mart.region_day", "mart.arrivals",
    "mart.province_arrivals", "ledger.delivery_count",
)  # fmt: skip


@pytest.fixture(scope="module")
def campaign(services_env: Settings) -> Iterator[tuple[Resources, SimulationReport]]:
    suites = load_suites(PROJECT_ROOT / "expectations")
    with open_resources(services_env) as resources:
        report = simulate(
            Campaign(),
            BucketSink(resources.store, services_env.landing_bucket),
            nights=NIGHTS,
            provinces=[*PROVINCES, WITHOUT_FRAME],
        )
        with near_regions(*PROVINCES, WITHOUT_FRAME):
            load_reference(resources)
        for night in NIGHTS:
            for province in PROVINCES:
                receive_province(resources, province, night, suites)
        yield resources, report


def rows(resources: Resources, query: str, **values: Any) -> list[tuple[Any, ...]]:
    with resources.engine.connect() as connection:
        return [tuple(row) for row in connection.execute(text(query), values)]


def contents(resources: Resources) -> dict[str, list[tuple[Any, ...]]]:
    return {table: sorted(map(repr, rows(resources, f"SELECT * FROM {table}"))) for table in TABLES}


def test_what_was_planted_is_found_case_by_case(campaign: tuple[Resources, SimulationReport], tmp_path: Path) -> None:
    resources, report = campaign
    write_labels(report.labels, tmp_path / "labels.csv")
    with (tmp_path / "labels.csv").open(encoding="utf-8") as file:
        labels = [row for row in csv.DictReader(file) if row["province"] in PROVINCES]
    accepted = {row[0] for row in rows(resources, "SELECT delivery_id FROM ledger.delivery WHERE state = 'accepted'")}
    planted = {(r["delivery_id"], r["id_dokumen"], r["rule_id"]) for r in labels if r["delivery_id"] in accepted}
    found = set(rows(resources, "SELECT DISTINCT delivery_id, case_id, rule_id FROM quality.reason"))
    assert planted
    assert planted <= found
    assert {rule for *_, rule in found - planted} == set()


def test_nothing_of_the_simulated_campaign_comes_near_a_limit(campaign: tuple[Resources, SimulationReport]) -> None:
    resources, _ = campaign
    assert rows(resources, "SELECT count(*) FROM ledger.delivery WHERE state = 'held'") == [(0,)]
    near = "judged >= least_rows AND in_error * 100 * 2 > limit_percent * judged"
    assert rows(resources, f"SELECT dataset, judged, in_error FROM quality.error_share WHERE {near}") == []


def test_every_row_is_accounted_for(campaign: tuple[Resources, SimulationReport]) -> None:
    resources, report = campaign
    counted = rows(
        resources,
        "SELECT sum(received), sum(loaded + quarantined + superseded + duplicate + withdrawn + held + rejected) "
        "FROM ledger.delivery_count WHERE dataset = 'keluarga'",
    )
    mine = [d for d in report.deliveries if d.envelope.province in PROVINCES]
    assert counted == [(sum(d.families for d in mine),) * 2]
    stored = rows(
        resources,
        "SELECT (SELECT count(*) FROM core.anggota), (SELECT sum(loaded) FROM ledger.delivery_count "
        "WHERE dataset = 'anggota'), (SELECT count(*) FROM restricted.quarantined WHERE dataset = 'anggota'), "
        "(SELECT sum(quarantined) FROM ledger.delivery_count WHERE dataset = 'anggota')",
    )[0]
    assert stored[0] == stored[1] and stored[2] == stored[3]


def test_the_broken_delivery_is_rejected_with_its_reason_and_stays(
    campaign: tuple[Resources, SimulationReport],
) -> None:
    resources, _ = campaign
    rejected = rows(resources, "SELECT province, reason, prefix FROM ledger.delivery WHERE state = 'rejected'")
    assert [(province, reason) for province, reason, _ in rejected] == [("19", "file_altered")]
    assert list(resources.store.list_objects(resources.settings.landing_bucket, rejected[0][2]))


def test_every_delivery_has_a_receipt_and_every_night_a_seal(campaign: tuple[Resources, SimulationReport]) -> None:
    resources, _ = campaign
    bucket = resources.settings.archive_bucket
    assert len(list_seals(resources.store, bucket)) == len(NIGHTS) * len(PROVINCES)
    receipts = [r for night in NIGHTS for r in list_receipts(resources.store, bucket, night=night)]
    assert len(receipts) == rows(resources, "SELECT count(*) FROM ledger.delivery")[0][0]
    assert {r.outcome for r in receipts} == {None, "rejected"}


def test_identity_stands_in_restricted_alone(campaign: tuple[Resources, SimulationReport]) -> None:
    resources, _ = campaign
    columns = {
        row[0]
        for row in rows(
            resources, "SELECT column_name FROM information_schema.columns WHERE table_schema <> 'restricted'"
        )
    }
    assert columns & {"r403_nik", "r402_nama", "r108_nama_kepala", "r107_alamat", "lintang", "r202_nama_ppl"} == set()
    assert rows(resources, "SELECT DISTINCT length(nik_hash) FROM core.anggota WHERE nik_hash IS NOT NULL") == [(16,)]


def test_a_quarantined_case_keeps_the_answers_that_were_given(campaign: tuple[Resources, SimulationReport]) -> None:
    resources, _ = campaign
    kept = rows(
        resources,
        "SELECT dataset, bool_and(payload ? 'id_dokumen'), bool_or(jsonb_path_exists(payload, '$.* ? (@ == null)')) "
        "FROM restricted.quarantined GROUP BY dataset ORDER BY dataset",
    )
    assert kept == [("anggota", True, False), ("keluarga", True, False)]


def test_the_second_run_and_the_replay_leave_everything_identical(
    campaign: tuple[Resources, SimulationReport], monkeypatch: pytest.MonkeyPatch
) -> None:
    resources, _ = campaign
    # What Great Expectations found the first time is what the compiled rules find.
    monkeypatch.setattr("regsosek.night.discovery.applicable_rules.Judge", CompiledJudge)
    before = contents(resources)
    suites = load_suites(PROJECT_ROOT / "expectations")
    for night in NIGHTS:
        for province in PROVINCES:
            receive_province(resources, province, night, suites)
    assert contents(resources) == before
    replay(resources, NIGHTS[0], PROVINCES)
    assert contents(resources) == before


def test_a_replay_of_the_last_night_alone_leaves_everything_identical(
    campaign: tuple[Resources, SimulationReport],
) -> None:
    resources, _ = campaign
    before = contents(resources)
    replay(resources, NIGHTS[-1], PROVINCES[:1])
    assert contents(resources) == before


def test_the_operators_views_agree_with_the_ledger(campaign: tuple[Resources, SimulationReport]) -> None:
    resources, _ = campaign
    with resources.engine.connect() as connection:
        lines = {line.province: line for line in province_lines(connection, NIGHTS[-1])}
        cases = list(quarantined_cases(connection, "19"))
    assert len(lines) == 34
    assert not lines["11"].refreshed
    assert lines["19"].rejected_deliveries == 1
    counted = "state IN ('loaded', 'pending', 'quarantined')"
    visited = f"SELECT province, count(*) FROM core.kasus_terkini WHERE {counted} GROUP BY 1"
    assert {code: line.visited for code, line in lines.items() if line.visited} == dict(rows(resources, visited))
    open_cases = "SELECT count(*) FROM core.kasus_terkini WHERE province = '19' AND waiting IS NOT NULL"
    assert len(cases) == rows(resources, open_cases)[0][0] > 0
    assert all(case.rules for case in cases)


def test_a_province_without_frame_fails_by_name(campaign: tuple[Resources, SimulationReport]) -> None:
    resources, _ = campaign
    with resources.engine.begin() as connection:
        connection.execute(text("DELETE FROM reference.subsls WHERE province = :p"), {"p": WITHOUT_FRAME})
    with pytest.raises(ReferenceDataError, match=WITHOUT_FRAME):
        receive_province(resources, WITHOUT_FRAME, NIGHTS[0], load_suites(PROJECT_ROOT / "expectations"))
    assert rows(resources, "SELECT count(*) FROM mart.refreshed WHERE province = :p", p=WITHOUT_FRAME) == [(0,)]
