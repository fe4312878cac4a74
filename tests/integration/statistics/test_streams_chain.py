"""K and its streams through the whole chain: what was planted is found, and lists are where they belong."""

import csv
import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from sqlalchemy import Connection, text
from typer.testing import CliRunner

from regsosek.alerts.conditions.condition import Kind
from regsosek.alerts.conditions.detect import detect
from regsosek.alerts.conditions.thresholds import thresholds
from regsosek.alerts.persistence.night_figures import read_figures
from regsosek.alerts.persistence.place_figures import with_places
from regsosek.asking.figures.origin import based_on, origin
from regsosek.asking.figures.published_figure import release_of_night
from regsosek.asking.figures.published_number import AskedNumber
from regsosek.asking.stream_lists import HEAD_NOT_MET, LIST_NOT_ENTERED, appointment_list, gap_list, write_work_list
from regsosek.cli.main import app
from regsosek.errors import UnknownFigureError
from regsosek.geography.calendar import field_windows
from regsosek.geography.region_targets import NO_TARGETS
from regsosek.night.discovery import applicable_rules
from regsosek.night.reference import load_reference
from regsosek.quality.rules import load_suites
from regsosek.release.figures.previous_release import published_table
from regsosek.release.figures.schema import tables_of_regions
from regsosek.release.files.tables import REGION_TABLES
from regsosek.release.publish import publish
from regsosek.resources import Resources, open_resources
from regsosek.settings import PROJECT_ROOT, Settings
from regsosek.simulation.field.campaign import Behaviour, Campaign, default_behaviour
from regsosek.simulation.output.sinks import DirectorySink
from regsosek.simulation.planted.defects import DefectTable
from regsosek.simulation.simulate import SimulationReport, simulate
from regsosek.statistics.counts.tree import completion
from regsosek.statistics.definitions.as_of import AsOf
from regsosek.statistics.definitions.definitions import definitions
from regsosek.statistics.definitions.origins import made_of
from regsosek.statistics.measures.denominators import related_places, with_denominators
from regsosek.statistics.streams.clocks import clocks_as_of, reported_through, streams
from regsosek.statistics.streams.province_streams import told_as_of
from regsosek.statistics.streams.reconciliation import ProvinceStreams, gap_kinds, gaps, heads_not_met
from regsosek.statistics.streams.side_by_side import photo_coverage, side_by_side
from support.checks.command_line import environment
from support.deliveries.counted_from_files import Files
from support.worlds.field_world import CompiledJudge, near_regions, receive_province

TABLES_ALONE = True
PROVINCE = "75"
# Each delivery holds everything so far: the second says most of the first again.
NIGHTS = (date(2022, 11, 14), date(2022, 11, 30))
OPENS = date(2022, 10, 15)
STREAMS = tuple(streams())
DELIVERED = sorted(each.instrument for each in streams().values())


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
    resources: Resources
    report: SimulationReport
    files: Files

    def rows(self, query: str, **values: Any) -> list[tuple[Any, ...]]:
        with self.resources.engine.connect() as connection:
            return [tuple(row) for row in connection.execute(text(query), values)]

    def told(self, night: date) -> ProvinceStreams:
        as_of = AsOf(night, {PROVINCE: night})
        with self.resources.engine.connect() as connection:
            clocks = clocks_as_of(connection, as_of)[PROVINCE]
            related = related_places(connection, night)
            return told_as_of(connection, PROVINCE, night, field_windows()[PROVINCE].closes, clocks, related)

    def regions(self, night: date) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
        """Regions with denominators, streams side by side, photo coverage."""
        with self.resources.engine.connect() as connection:
            return self.regions_of(connection, night)

    @staticmethod
    def regions_of(connection: Connection, night: date) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
        """The same as the connection sees them, in a transaction that may have changed what is asked."""
        as_of = AsOf(night, {PROVINCE: night})
        found = with_denominators(connection, as_of, field_windows(), completion(connection, as_of), NO_TARGETS)
        beside = side_by_side(connection, as_of, found, clocks_as_of(connection, as_of), {PROVINCE: OPENS})
        return found, beside, photo_coverage(connection, as_of, found)


@pytest.fixture(scope="module")
def chain(services_env: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chain]:
    root, nothing = tmp_path_factory.mktemp("files"), DefectTable(share_of_documents=0, kind=())
    suites = load_suites(PROJECT_ROOT / "expectations")
    former, applicable_rules.Judge = applicable_rules.Judge, CompiledJudge
    with open_resources(services_env) as resources:
        for night in NIGHTS:
            campaign = Campaign(seed=3, scale=0.006, first_delivery=night, behaviour=behaviour(), streams=True)
            report = simulate(campaign, DirectorySink(root), nights=[night], provinces=[PROVINCE], defects=nothing)
        for path in filter(Path.is_file, root.rglob("*")):
            resources.store.put_file(services_env.landing_bucket, str(path.relative_to(root)), path)
        with near_regions(PROVINCE):
            load_reference(resources)
        for night in NIGHTS:
            receive_province(resources, PROVINCE, night, suites)
        yield Chain(resources, report, Files(root, PROVINCE))
    applicable_rules.Judge = former


def test_everything_was_accepted(chain: Chain) -> None:
    states = chain.rows("SELECT instrument, state, count(*) FROM ledger.delivery GROUP BY 1, 2 ORDER BY 1")
    assert states == [(instrument, "accepted", 2) for instrument in DELIVERED]
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
    assert (
        of_province["stream_through"] == [NIGHTS[1] - timedelta(days=each.grace_days) for each in streams().values()]
    ).all()
    kabkota = beside[(beside["level"] == "kabkota") & (beside["province"] == PROVINCE)]
    counts = ["stream_families", "subsls_reported", "subsls_finished"]
    sums = kabkota.groupby("stream")[counts].sum().loc[list(STREAMS)]
    assert (sums == of_province.loc[list(STREAMS), counts]).all().all()
    assert (beside["subsls_finished"] <= beside["subsls_reported"]).all()
    assert (beside["subsls_reported"] <= beside["subsls_frame"]).all()
    own = photos[photos["code"] == PROVINCE].iloc[0]
    assert 80 < own["photo_coverage"] < 100
    assert set(photos["level"]) == {"nasional", "provinsi", "kabkota"}


def test_a_kabkota_that_sent_no_family_has_no_clock_of_its_province(chain: Chain) -> None:
    silent = PROVINCE + "01"
    with chain.resources.engine.connect() as connection:
        gone = text("DELETE FROM mart.placement WHERE province = :p AND placed_code LIKE :kabkota")
        assert connection.execute(gone, {"p": PROVINCE, "kabkota": f"{silent}%"}).rowcount > 0
        _, beside, _ = chain.regions_of(connection, NIGHTS[1])
    told = beside.set_index(["code", "stream"])[["stream_night", "stream_through", "stream_lag"]]
    assert told.loc[silent, "k"].isna().all()
    assert told.loc[silent, "geotag"].notna().all() and told.loc[PROVINCE, "k"].notna().all()


def test_refreshing_a_night_again_changes_nothing(chain: Chain) -> None:
    tables = ("mart.stream_day", "mart.stream_total", "mart.verified")
    before = {table: sorted(map(repr, chain.rows(f"SELECT * FROM {table}"))) for table in tables}
    suites = load_suites(PROJECT_ROOT / "expectations")
    receive_province(chain.resources, PROVINCE, NIGHTS[0], suites)
    assert {table: sorted(map(repr, chain.rows(f"SELECT * FROM {table}"))) for table in tables} == before


def test_a_held_delivery_stops_the_clock_of_its_stream_alone(chain: Chain) -> None:
    held = NIGHTS[1] - timedelta(days=3)
    copy = (
        "INSERT INTO ledger.delivery (province, delivery_id, delivered_on, night, position, prefix, state, versions, "
        "registered_at, instrument) SELECT province, 'HELD', :held, :held, 1, '', 'held', versions, registered_at, "
        "instrument FROM ledger.delivery WHERE instrument = 'REGSOSEK22.K' LIMIT 1"
    )
    before = chain.told(NIGHTS[1]).clocks
    with chain.resources.engine.begin() as connection:
        connection.execute(text(copy), {"held": held})
    after = chain.told(NIGHTS[1]).clocks
    earlier = chain.told(NIGHTS[0]).clocks
    with chain.resources.engine.begin() as connection:
        connection.execute(text("DELETE FROM ledger.delivery WHERE delivery_id = 'HELD'"))
    assert after["k"].last == held - timedelta(days=1)
    assert {name: after[name] for name in STREAMS[1:]} == {name: before[name] for name in STREAMS[1:]}
    assert earlier["k"].last == NIGHTS[0]


def test_work_lists_name_places_of_the_province_and_free_days(chain: Chain, tmp_path: Path) -> None:
    window = field_windows()[PROVINCE]
    with chain.resources.engine.connect() as connection:
        listed = gap_list(connection, PROVINCE, NIGHTS[1], window)
        met = appointment_list(connection, PROVINCE, NIGHTS[1], window)
    told = chain.told(NIGHTS[1])
    assert len(listed.rows) == len(gaps(told))
    assert all(str(row["kode"]).startswith(str(row["kabkota"])) and row["nama"] for row in (*listed.rows, *met.rows))
    families = Counter[str]()
    for row in listed.rows:
        families[str(row["kabkota"])] += int(str(row["keluarga"]))
    ranks = [(-families[str(row["kabkota"])], row["kabkota"], -int(str(row["keluarga"]))) for row in listed.rows]
    assert ranks == sorted(ranks) and "keluarga terbanyak dahulu" in listed.title
    sls = Counter(str(row["kabkota"]) for row in met.rows)
    waits = [(-sls[str(row["kabkota"])], row["kabkota"], row["sejak"]) for row in met.rows]
    assert waits == sorted(waits) and "lalu yang terlama" in met.title
    reasons = Counter(str(row["alasan"]) for row in met.rows)
    assert reasons[HEAD_NOT_MET] == len(heads_not_met(told))
    assert reasons[LIST_NOT_ENTERED] > 0
    assert {row["hari_janji_temu"] for row in met.rows} == {"2022-12-03 2022-12-04"}
    write_work_list(met, tmp_path / "list.csv")
    with (tmp_path / "list.csv").open(encoding="utf-8") as file:
        assert [row["kode"].replace(" ", "") for row in csv.DictReader(file)] == [row["kode"] for row in met.rows]


def test_the_appointment_reminder_names_the_heads_that_the_work_list_names(chain: Chain) -> None:
    """Of a simulated campaign, in the days before a weekend, while the window is open."""
    limits, window = thresholds(), replace(field_windows()[PROVINCE], closes=NIGHTS[1])
    asked = {}
    with chain.resources.engine.connect() as connection:
        listed = appointment_list(connection, PROVINCE, NIGHTS[1], window)
        for night in (NIGHTS[1], NIGHTS[1] - timedelta(days=2)):
            asked[night] = with_places(connection, read_figures(connection, PROVINCE, night, window), limits)
    figures = asked[NIGHTS[1]]
    heads = {str(row["kode"]): row["sejak"] for row in listed.rows if row["alasan"] == HEAD_NOT_MET}
    assert {each.code: each.since for each in figures.heads_not_met or ()} == heads
    assert heads
    assert all(each.code.startswith(each.kabkota) and each.families > 0 for each in figures.heads_not_met or ())
    monday = asked[NIGHTS[1] - timedelta(days=2)]
    assert monday.heads_not_met is not None, "who was met is told as met on any night"
    assert not [each for each in detect(monday, limits) if each.kind is Kind.APPOINTMENT], "a Monday is too early"
    of_kabkota = [each for each in detect(figures, limits) if each.key[:2] == (Kind.APPOINTMENT, "kabkota")]
    assert sum(each.figures["sls"] for each in of_kabkota) == len(heads)


def test_the_release_shows_the_streams_side_by_side(chain: Chain) -> None:
    resources = chain.resources
    published = publish(resources.publisher, resources.store, resources.settings, NIGHTS[1])
    bucket = resources.settings.release_bucket
    files = {name: resources.store.get_bytes(bucket, f"{published.prefix}{name}", max_bytes=10**7)
             for name in ("sumber_data.csv", "foto.csv")}  # fmt: skip
    rows = {name: list(csv.DictReader((content or b"").decode().splitlines())) for name, content in files.items()}
    of_province = {row["sumber_data"]: row for row in rows["sumber_data.csv"] if row["kode"] == PROVINCE}
    assert [row["jeda_sumber_data"] for row in of_province.values()] == ["0"] * len(STREAMS)
    assert {len(row["kode"]) for row in rows["sumber_data.csv"] + rows["foto.csv"]} == {2, 4}  # nothing below kab/kota
    assert rows["foto.csv"]
    told = {
        (row["kode"], row["sumber_data"]): int(row["keluarga_menurut_sumber_data"])
        for row in rows["sumber_data.csv"]
        if row["kode"].startswith(PROVINCE) and row["sumber_data"] != "Dokumen K"
    }
    assert beside_by_mail(chain) == {each: families for each, families in told.items() if families}
    assert len({code for code, _ in told}) > 1


def beside_by_mail(chain: Chain) -> dict[tuple[str, str], int]:
    """What the mail says of other streams if no document had come; nothing is said of who sent documents."""
    limits, window = thresholds(), field_windows()[PROVINCE]
    with chain.resources.engine.connect() as connection:
        figures = read_figures(connection, PROVINCE, NIGHTS[1], window)
        assert with_places(connection, figures, limits).beside == {}
        unheard = replace(figures, visited=0, kabkota=tuple(replace(each, visited=0) for each in figures.kabkota))
        placed = with_places(connection, unheard, limits)
    return {
        (code, streams()[stream].name.id): families
        for code, own in placed.beside.items()
        for stream, families in own.items()
    }


SOME = {"visited", "visited_so_far", "persons"}


def numbers_of(chain: Chain, connection: Connection, code: str, level: str) -> Iterator[AskedNumber]:
    """Every number that the newest release tells of a region, in every row of every table; of days two are enough."""
    resources = chain.resources
    release, releases = release_of_night(connection, NIGHTS[1])
    for file, key in tables_of_regions().items():
        table = published_table(resources.store, resources.settings.release_bucket, release, file)
        if file in REGION_TABLES and REGION_TABLES[file][0] != level:
            continue
        rows = table[table["code"] == code]
        for _, row in (rows.iloc[[0, -1]] if "day" in key and len(rows) else rows).iterrows():
            named = {field: str(row[field]) for field in key if field != "code"}
            for field in row.dropna().index:
                if made_of(definitions()[field]) and "@measure" not in made_of(definitions()[field]):
                    yield AskedNumber(code, level, "", NIGHTS[1], definitions()[field], release, releases, file,
                                      named, str(row[field]))  # fmt: skip


@pytest.mark.parametrize("level", ["provinsi", "kabkota"])
def test_every_published_number_goes_back_to_its_deliveries(chain: Chain, level: str) -> None:
    resources = chain.resources
    publish(resources.publisher, resources.store, resources.settings, NIGHTS[1])
    [[code]] = chain.rows(
        "SELECT code FROM reference.region r WHERE level = :level "
        "AND EXISTS (SELECT FROM mart.total t WHERE t.code = r.code AND t.visited > 0) ORDER BY code LIMIT 1",
        level=level,
    )
    seen: Counter[str] = Counter()
    shown: set[tuple[Any, ...]] = set()
    with resources.engine.connect() as connection:
        for asked in numbers_of(chain, connection, code, level):
            where = (asked.file, asked.measure.field, asked.row)
            found = based_on(asked)
            assert found, where
            own = {base.source.source for base in found if base.source.counted and base.field == asked.measure.field}
            # What is derived rests on counts of the same row: one number of each table shows that they are traced.
            # Every count of cases is traced in test_ten_nights.py: here some of them are enough.
            if (not own and (asked.file, found) in shown) or (own == {"@cases"} and asked.measure.field not in SOME):
                continue
            shown.add((asked.file, found))
            traces = origin(connection, resources.store, resources.settings, asked).traces
            assert [traced.moved_since for traced in traces] == [0] * len(traces), where
            if own:
                assert traces[0].published == int(float(asked.value or 0)), where
                seen.update(dict.fromkeys(own, traces[0].total))
    expected = {"@cases", "@stream", "@tags", "@lists", "@arrivals", "@found", "@judged"}
    absent = {"@arrivals", "@found", "@judged"} if level == "kabkota" else set()
    assert {source for source, total in seen.items() if total} == expected - absent


def test_a_number_of_a_stream_is_traced_by_command(
    chain: Chain, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in environment(chain.resources.settings).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("REGSOSEK_ENV_FILE", "/nonexistent")
    words = ["trace", "--region", PROVINCE, "--night", str(NIGHTS[1]), "--measure"]
    output = tmp_path / "origin.json"
    done = CliRunner().invoke(
        app, [*words, "subsls_terlapor", "--row", "sumber_data=Penandaan rumah", "--output", str(output)]
    )
    assert done.exit_code == 0, done.output + repr(done.exception)
    told = json.loads(output.read_text(encoding="utf-8"))
    assert [each["counted"] for each in told["counts"]] == ["stream_families"]
    assert told["counts"][0]["moved_since"] == 0
    assert "GEOTAG" in "".join(each["prefix"] for each in told["counts"][0]["deliveries"]) or told["counts"][0]["total"]
    [frame] = told["rests_on"]
    assert frame["source"] == "@frame"
    assert chain.resources.store.size(chain.resources.settings.archive_bucket, frame["stored"]["sls"])
    for faulty, told_of in (
        ((*words, "sumber_data"), "is a word or a key"),
        ((*words, "subsls_terlapor"), "name one with --row: sumber_data="),
        ((*words, "subsls_terlapor", "--row", "sumber_data=Surat"), "has no sumber_data Surat; it has "),
        ((*words, "diterima_masuk"), "name one with --row: malam_masuk="),
        ((*words, "sebab_baru", "--row", "ukuran=dikunjungi"), "is told of the measure of its row"),
        ((*words, "cakupan_foto", "--cases", str(tmp_path / "cases")), "is not counted from cases"),
    ):
        refused = CliRunner().invoke(app, list(faulty))
        assert isinstance(refused.exception, UnknownFigureError), refused.output
        assert told_of in str(refused.exception)
