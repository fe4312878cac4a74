"""K and its streams through the whole chain: what was planted is found, and lists are where they belong."""

import csv
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from sqlalchemy import text

from field_world import CompiledJudge
from regsosek.geography.calendar import field_windows
from regsosek.geography.region_targets import NO_TARGETS
from regsosek.night import judging
from regsosek.night.house import House, open_house
from regsosek.night.receiving import receive_province
from regsosek.night.reference import load_reference
from regsosek.night.stream_lists import HEAD_NOT_MET, LIST_NOT_ENTERED, appointment_list, gap_list, write_work_list
from regsosek.quality.rules import load_suites
from regsosek.release.publish import publish
from regsosek.settings import PROJECT_ROOT, Settings
from regsosek.simulation.campaign import Behaviour, Campaign, default_behaviour
from regsosek.simulation.defects import DefectTable
from regsosek.simulation.simulate import SimulationReport, simulate
from regsosek.simulation.sinks import BucketSink, DirectorySink
from regsosek.statistics.as_of import AsOf
from regsosek.statistics.denominators import related_places, with_denominators
from regsosek.statistics.streams.clocks import clocks_as_of, reported_through
from regsosek.statistics.streams.reconciliation import Told, gap_kinds, gaps, heads_not_met
from regsosek.statistics.streams.side_by_side import photo_coverage, side_by_side
from regsosek.statistics.streams.telling import told_as_of
from regsosek.statistics.tree import completion
from told_by_files import Files

PROVINCE = "75"
# Each delivery holds everything so far: the second says most of the first again.
NIGHTS = (date(2022, 11, 14), date(2022, 11, 30))
OPENS = date(2022, 10, 15)
STREAMS = ("k", "progres", "geotag", "rekap_vk")


def behaviour() -> Behaviour:
    shape, frame = default_behaviour().streams, default_behaviour().frame
    often = dict.fromkeys(("reported_only", "unreported", "list_missing", "head_not_met"), 0.1)
    planted = shape.planted.model_copy(update=often | {"lost_document": 0.01})
    streams = shape.model_copy(update={"planted": planted})
    changing = frame.model_copy(update={"retired_share": 0.3, "new_sls_share": 0.05})
    # A document that was withdrawn before it was ever delivered has no day of work.
    again = default_behaviour().second_message.model_copy(update={"withdrawn": 0})
    changed = {"streams": streams, "frame": changing, "incident": (), "second_message": again}
    return default_behaviour().model_copy(update=changed)


@dataclass(frozen=True)
class Chain:
    house: House
    report: SimulationReport
    files: Files

    def rows(self, query: str, **values: Any) -> list[tuple[Any, ...]]:
        with self.house.engine.connect() as connection:
            return [tuple(row) for row in connection.execute(text(query), values)]

    def told(self, night: date) -> Told:
        as_of = AsOf(night, {PROVINCE: night})
        with self.house.engine.connect() as connection:
            clocks = clocks_as_of(connection, as_of)[PROVINCE]
            related = related_places(connection, night)
            return told_as_of(connection, PROVINCE, night, field_windows()[PROVINCE].closes, clocks, related)

    def regions(self, night: date) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
        """Regions with denominators, streams side by side, photo coverage."""
        as_of = AsOf(night, {PROVINCE: night})
        with self.house.engine.connect() as connection:
            found = with_denominators(connection, as_of, field_windows(), completion(connection, as_of), NO_TARGETS)
            beside = side_by_side(connection, as_of, found, clocks_as_of(connection, as_of))
            return found, beside, photo_coverage(connection, as_of, found)


@pytest.fixture(scope="module")
def chain(services_env: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chain]:
    root, nothing = tmp_path_factory.mktemp("files"), DefectTable(share_of_documents=0, kind=())
    suites = load_suites(PROJECT_ROOT / "expectations")
    former, judging.Judge = judging.Judge, CompiledJudge
    with open_house(services_env) as house:
        for night in NIGHTS:
            campaign = Campaign(seed=3, scale=0.006, first_delivery=night, behaviour=behaviour(), streams=True)
            for sink in (BucketSink(house.store, services_env.landing_bucket), DirectorySink(root)):
                report = simulate(campaign, sink, nights=[night], provinces=[PROVINCE], defects=nothing)
        load_reference(house)
        for night in NIGHTS:
            receive_province(house, PROVINCE, night, suites)
        yield Chain(house, report, Files(root, PROVINCE))
    judging.Judge = former


def test_everything_was_accepted(chain: Chain) -> None:
    states = chain.rows("SELECT instrument, state, count(*) FROM ledger.delivery GROUP BY 1, 2 ORDER BY 1")
    assert states == [(f"REGSOSEK22.{name}", "accepted", 2) for name in ("GEOTAG", "K", "PROGRES", "REKAPVK")]
    assert chain.rows("SELECT DISTINCT dataset FROM quality.reason WHERE severity = 'critical'") in (
        [],
        [("keluarga",)],
    )


@pytest.mark.parametrize("night", NIGHTS)
def test_the_warehouse_tells_what_the_files_tell(chain: Chain, night: date) -> None:
    told, files = chain.told(night), chain.files.told(dict.fromkeys(STREAMS, night))
    order = ["code", "day"]
    pd.testing.assert_frame_equal(
        told.days.sort_values(order, ignore_index=True),
        files.days.sort_values(order, ignore_index=True)[list(told.days.columns)],
        check_dtype=False,
    )
    pd.testing.assert_frame_equal(
        told.lists.sort_values("code", ignore_index=True),
        files.lists.sort_values("code", ignore_index=True),
        check_dtype=False,
    )
    assert told.clocks == files.clocks
    assert told.mixed >= files.mixed


def test_planted_gaps_are_the_found_gaps(chain: Chain) -> None:
    told = chain.told(NIGHTS[1])
    found = gaps(told)
    for kind in gap_kinds():
        through = reported_through(told.clocks, gap_kinds()[kind].streams)
        assert through
        planted: Counter[str] = Counter()
        for gap in chain.report.gaps:
            if gap.kind == kind and OPENS + timedelta(days=gap.day - 1) <= through:
                planted[chain.files.place(gap.id_subsls)] += gap.families
        own = found[(found["kind"] == kind) & ~found["code"].isin(told.mixed)]
        expected = {code: families for code, families in planted.items() if code not in told.mixed}
        assert dict(zip(own["code"], own["families"], strict=True)) == expected, kind
        assert expected, kind
    never = {chain.files.place(gap.id_subsls) for gap in chain.report.gaps if gap.kind == "head_not_met"}
    assert set(heads_not_met(told).index) == never


def test_before_everything_has_reported_nothing_is_missing_yet(chain: Chain) -> None:
    told = chain.told(NIGHTS[0])
    found = gaps(told)
    assert "list_larger" not in set(found["kind"])
    assert "list_not_entered" not in set(found["kind"])  # the recap came for the first time
    assert (found["since"] <= NIGHTS[0] - timedelta(days=14)).all()


def test_lists_stand_in_codes_of_the_frame_and_their_sums_are_what_was_entered(chain: Chain) -> None:
    for night in NIGHTS:
        placed = chain.rows(
            "SELECT v.id_subsls, v.families FROM (SELECT DISTINCT ON (id_subsls) * FROM mart.verified "
            "WHERE night <= :night ORDER BY id_subsls, night DESC) v", night=night,
        )  # fmt: skip
        frame = {code for (code,) in chain.rows(
            "SELECT id_subsls FROM reference.subsls WHERE province = '75' "
            "AND :night BETWEEN valid_from AND coalesce(valid_to, 'infinity')", night=night,
        )}  # fmt: skip
        assert placed
        assert {code for code, _ in placed} <= frame
        told = chain.files.told(dict.fromkeys(STREAMS, night)).lists
        assert sum(families or 0 for _, families in placed) == told["families"].sum()
    split = chain.rows("SELECT DISTINCT status FROM stream.rekap_vk WHERE status IN (1, 2) ORDER BY 1")
    assert split == [(1,), (2,)]


def test_streams_stand_side_by_side_each_with_its_own_clock(chain: Chain) -> None:
    regions, beside, photos = chain.regions(NIGHTS[1])
    of_province = beside[beside["code"] == PROVINCE].set_index("stream")
    visited = int(regions.loc[regions["code"] == PROVINCE, "visited"].iloc[0])
    told = chain.files.told(dict.fromkeys(STREAMS, NIGHTS[1]))
    assert list(of_province.index) == list(STREAMS)
    assert of_province.loc["k", "stream_families"] == visited
    for stream, column in (("progres", "reported"), ("geotag", "tagged")):
        assert of_province.loc[stream, "stream_families"] == told.days[column].sum(), stream
        places = told.days[~told.days["code"].isin(told.mixed)].groupby("code")[column].sum()
        assert of_province.loc[stream, "subsls_reported"] >= (places > 0).sum(), stream
    assert of_province.loc["rekap_vk", "stream_families"] == told.lists["families"].sum()
    assert (of_province["stream_through"] == [NIGHTS[1] - timedelta(days=n) for n in (14, 5, 8, 14)]).all()
    kabkota = beside[(beside["level"] == "kabkota") & (beside["province"] == PROVINCE)]
    counts = ["stream_families", "subsls_reported", "subsls_finished"]
    sums = kabkota.groupby("stream")[counts].sum().loc[list(STREAMS)]
    assert (sums == of_province.loc[list(STREAMS), counts]).all().all()
    assert (beside["subsls_finished"] <= beside["subsls_reported"]).all()
    assert (beside["subsls_reported"] <= beside["subsls_frame"]).all()
    own = photos[photos["code"] == PROVINCE].iloc[0]
    assert 80 < own["photo_coverage"] < 100
    assert set(photos["level"]) == {"nasional", "provinsi", "kabkota"}


def test_refreshing_a_night_again_changes_nothing(chain: Chain) -> None:
    tables = ("mart.stream_day", "mart.stream_total", "mart.verified")
    before = {table: sorted(map(repr, chain.rows(f"SELECT * FROM {table}"))) for table in tables}
    suites = load_suites(PROJECT_ROOT / "expectations")
    receive_province(chain.house, PROVINCE, NIGHTS[0], suites)
    assert {table: sorted(map(repr, chain.rows(f"SELECT * FROM {table}"))) for table in tables} == before


def test_a_held_delivery_stops_the_clock_of_its_stream_alone(chain: Chain) -> None:
    held = NIGHTS[1] - timedelta(days=3)
    copy = (
        "INSERT INTO ledger.delivery (province, delivery_id, delivered_on, night, position, prefix, state, versions, "
        "registered_at, instrument) SELECT province, 'HELD', :held, :held, 1, '', 'held', versions, registered_at, "
        "instrument FROM ledger.delivery WHERE instrument = 'REGSOSEK22.K' LIMIT 1"
    )
    before = chain.told(NIGHTS[1]).clocks
    with chain.house.engine.begin() as connection:
        connection.execute(text(copy), {"held": held})
    after = chain.told(NIGHTS[1]).clocks
    earlier = chain.told(NIGHTS[0]).clocks
    with chain.house.engine.begin() as connection:
        connection.execute(text("DELETE FROM ledger.delivery WHERE delivery_id = 'HELD'"))
    assert after["k"].last == held - timedelta(days=1)
    assert {name: after[name] for name in STREAMS[1:]} == {name: before[name] for name in STREAMS[1:]}
    assert earlier["k"].last == NIGHTS[0]


def test_work_lists_name_places_of_the_province_and_free_days(chain: Chain, tmp_path: Path) -> None:
    window = field_windows()[PROVINCE]
    with chain.house.engine.connect() as connection:
        listed = gap_list(connection, PROVINCE, NIGHTS[1], window)
        met = appointment_list(connection, PROVINCE, NIGHTS[1], window)
    told = chain.told(NIGHTS[1])
    assert len(listed.rows) == len(gaps(told))
    assert all(str(row["kode"]).startswith(str(row["kabkota"])) and row["nama"] for row in (*listed.rows, *met.rows))
    reasons = Counter(str(row["alasan"]) for row in met.rows)
    assert reasons[HEAD_NOT_MET] == len(heads_not_met(told))
    assert reasons[LIST_NOT_ENTERED] > 0
    assert {row["hari_janji_temu"] for row in met.rows} == {"2022-12-03 2022-12-04"}
    write_work_list(met, tmp_path / "list.csv")
    with (tmp_path / "list.csv").open(encoding="utf-8") as file:
        assert [row["kode"] for row in csv.DictReader(file)] == [row["kode"] for row in met.rows]


def test_the_release_shows_the_streams_side_by_side(chain: Chain) -> None:
    house = chain.house
    published = publish(house.engine, house.store, house.settings, NIGHTS[1])
    bucket = house.settings.release_bucket
    files = {name: house.store.get_bytes(bucket, f"{published.prefix}{name}", max_bytes=10**7)
             for name in ("aliran.csv", "foto.csv")}  # fmt: skip
    rows = {name: list(csv.DictReader((content or b"").decode().splitlines())) for name, content in files.items()}
    of_province = {row["aliran"]: row for row in rows["aliran.csv"] if row["kode"] == PROVINCE}
    assert [row["jeda_aliran"] for row in of_province.values()] == ["0"] * 4
    assert {len(row["kode"]) for row in rows["aliran.csv"] + rows["foto.csv"]} == {2, 4}  # nothing below kab/kota
    assert rows["foto.csv"]
