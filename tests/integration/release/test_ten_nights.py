"""Ten nights with all that can happen to them: every figure of every release restates exactly, and traces back whole.

What is known is counted here anew, from all cases of the log at once and the frame as this module loads it; what was
published is read from the files of the releases. Between the two stand the causes.
"""

import csv
import io
import json
import random
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from sqlalchemy import text
from typer.testing import CliRunner

from regsosek.asking.figures.published_figure import AskedFigure, asked_figure
from regsosek.asking.figures.restated_figure import DATED_AFTER, restated_figure
from regsosek.asking.figures.tracing import trace, write_cases
from regsosek.cli.main import app
from regsosek.errors import UnknownFigureError
from regsosek.geography.calendar import field_windows
from regsosek.geography.plan import NONE_SUPPLIED
from regsosek.geography.planning import Planning
from regsosek.geography.provinces import provinces
from regsosek.geography.region_targets import NO_TARGETS
from regsosek.geography.regions import LEVELS, NATION, region_master
from regsosek.night import deciding, replaying
from regsosek.release.figures.changes import CAUSE_FIELDS
from regsosek.release.publish import Published, publish
from regsosek.resources import open_resources
from regsosek.settings import Settings
from regsosek.statistics.counts.changes import COUNTED_OF_CASE
from regsosek.statistics.counts.totals import following_frame
from regsosek.statistics.definitions.definitions import definitions
from regsosek.warehouse.cases.case_state import ALL_ACCEPTED, case_state_as_of
from regsosek.warehouse.nights import ledger
from regsosek.warehouse.reference import load_frame, note_version
from regsosek.warehouse.tables import PROGRESS_MEASURES
from support.checks.command_line import environment
from support.deliveries.families import DESA, PROVINCE, SUBSLS
from support.worlds.field_world import (
    FRAME_COLUMNS,
    CompiledJudge,
    Family,
    FieldWorld,
    family,
    faulty,
    few_rules,
    withdrawal,
)

TABLES_ALONE = True
FIRST = date(2022, 10, 20)
NIGHTS = [FIRST + timedelta(days=n) for n in range(10)]
DOCUMENTS = "ABCDEFGHIJKLMNOPQRST"
OTHER_SUBSLS, OTHER_DESA = DESA + "000200", "6403010002"
# A night that nobody published, and one that brought nothing.
UNPUBLISHED, SILENT = NIGHTS[3], NIGHTS[8]
LIMITS = "province,dataset,limit_percent,least_rows,source\n*,keluarga,60,4,test\n*,anggota,100,4,test\n"
PLANNED = Planning(field_windows(), NONE_SUPPLIED, NO_TARGETS)
MEASURES = ("visited", "complete", "quarantined", "conflicting", "persons", "nonresponse")
CAUSES = ("new", "late", "corrected", "freed", "withdrawn", "superseded", "conflicting", "frame", "reopened")


def frame(desa: str, load: int) -> list[tuple[Any, ...]]:
    """The two sub-SLS; the second lies in ``desa`` and is expected to hold ``load`` families."""
    return [
        (PROVINCE, code, "2022-01-01", None, of, "RT", 1, families, "BPS", "2022-10-01")
        for code, of, families in ((SUBSLS, DESA, 60), (OTHER_SUBSLS, desa, load))
    ]


class Campaign:
    """The ten nights as they happen; keeps what was published, and where the frame says that places lie."""

    def __init__(self, world: FieldWorld, scratch: Path) -> None:
        self.world, self.scratch = world, scratch
        self.published: dict[date, Published] = {}
        self.desa = {SUBSLS: DESA, OTHER_SUBSLS: DESA}
        self.sent: dict[str, str] = {}
        self.minute = 0

    def deliver(self, name: str, night: date, families: Sequence[Family], **more: Any) -> None:
        self.minute += 1
        at = datetime.combine(night, datetime.min.time(), UTC) + timedelta(minutes=self.minute)
        self.sent[name] = self.world.deliver(night, list(families), produced_at=at, **more)

    def run(self, night: date) -> None:
        self.world.run(night)
        with self.world.resources.engine.begin() as connection:
            for each in provinces():
                if each.code != PROVINCE:
                    ledger.note_refreshed(connection, each.code, night)

    def publish(self, night: date) -> Published:
        resources = self.world.resources
        self.published[night] = publish(resources.publisher, resources.store, resources.settings, night)
        return self.published[night]

    def load_frame(self, desa: str, load: int, version: int) -> None:
        self.desa[OTHER_SUBSLS] = desa
        with self.world.resources.engine.begin() as connection, following_frame(connection):
            load_frame(connection, frame(desa, load), FRAME_COLUMNS, self.scratch)
            note_version(connection, dataset="sls", version=f"2022-10-0{version}", manifest_sha256=str(version) * 64,
                         scale=1, note="", report={})  # fmt: skip

    def spoil(self, night: date, rows: int) -> None:
        with self.world.resources.engine.begin() as connection:
            moved = "UPDATE core.kasus SET row_no = row_no + :rows WHERE province = :province AND night = :night"
            connection.execute(text(moved), {"rows": rows, "province": PROVINCE, "night": night})


def routine(night: date, chance: random.Random) -> list[Family]:
    """What comes every night: some new families, some late, corrected, in error, moved, withdrawn or contested."""
    number = NIGHTS.index(night)
    found = []
    for document in chance.sample(DOCUMENTS[: 6 + 2 * number], 5):
        kind = chance.choice(("new", "late", "late", "refused", "faulty", "moved", "withdrawn"))
        versi = number + 1
        day = night if kind == "new" else FIRST + timedelta(days=chance.randint(-1, number))
        keys = {"number": DOCUMENTS.index(document) % 17 + 1, "r201_tanggal_pencacahan": day.isoformat()}
        match kind:
            case "withdrawn":
                found.append(withdrawal(document, versi, number=keys["number"]))
            case "faulty":
                found.append(faulty(document, versi, **keys))
            case "refused":
                found.append(family(document, versi, r205_hasil="4", **keys))
            case "moved":
                found.append(family(document, versi, id_subsls=OTHER_SUBSLS, **keys))
            case _:
                found.append(family(document, versi, members=chance.randint(1, 4), **keys))
    return found


def ten_nights(campaign: Campaign) -> None:
    """The story; the comments say what each night is there for."""
    chance = random.Random(7)
    lives_there = {"id_subsls": OTHER_SUBSLS, "r201_tanggal_pencacahan": FIRST.isoformat()}
    for number, night in enumerate(NIGHTS):
        if night != SILENT:
            campaign.deliver(f"routine {number}", night, routine(night, chance))
        match number:
            case 0:
                settled = [family(f"S{n}", number=60 + n, **lives_there) for n in range(4)]
                campaign.deliver("settled", night, [family("X1", number=40), family("X2", number=41), *settled])
            case 1:  # a tablet whose clock is a day ahead
                ahead = night + timedelta(days=1)
                campaign.deliver("ahead", night, [family("Y1", number=42, r201_tanggal_pencacahan=ahead.isoformat())])
            case 2:  # replaces a delivery, and leaves a case out; four of five in error are held
                campaign.deliver(
                    "better", night, [family("X1", 2, number=40), *settled], supersedes=[campaign.sent["settled"]]
                )
                bad = [faulty(f"H{n}", number=50 + n) for n in range(4)]
                campaign.deliver("held", night, [*bad, family("H4", number=54)])
            case 4:  # a new frame moves a sub-SLS to another desa
                campaign.load_frame(OTHER_DESA, 60, version=2)
            case 7:  # the frame moves it back, and expects more there
                campaign.load_frame(DESA, 75, version=3)
        campaign.run(night)
        if number == 4:  # freed on the newest night, which is published again
            campaign.publish(night)
            deciding.free(
                campaign.world.resources,
                PROVINCE,
                campaign.sent["held"],
                campaign.world.suites,
                by="sari",
                reason="checked",
            )
        if night != UNPUBLISHED:
            _publish(campaign, night)


def _publish(campaign: Campaign, night: date) -> None:
    match NIGHTS.index(night):
        case 5:  # the archive contradicts the log: the province stays at its last good figures for a night
            campaign.spoil(night, 100)
            assert PROVINCE in campaign.publish(night).held_back
            campaign.spoil(night, -100)
        case 6:  # published, then the night before is opened again for a courier who was late
            campaign.publish(night)
            campaign.deliver("courier", NIGHTS[5], [family("C1", number=70), family("C2", number=71)])
            replaying.reopen(campaign.world.resources, PROVINCE, NIGHTS[5], "the courier was late")
        case _:
            campaign.publish(night)


@pytest.fixture(scope="module")
def campaign(services_env: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Campaign]:
    limits = tmp_path_factory.mktemp("limits") / "limits.csv"
    limits.write_text(LIMITS, encoding="utf-8")
    own = {"hold_limits_file": limits, "work_dir": tmp_path_factory.mktemp("work")}
    with open_resources(services_env.model_copy(update=own)) as resources, pytest.MonkeyPatch.context() as patch:
        world = FieldWorld(resources, few_rules())
        world.prepare(tmp_path_factory.mktemp("reference"))
        patch.setattr("regsosek.night.discovery.applicable_rules.Judge", CompiledJudge)
        patch.setattr(replaying, "load_suites", lambda _: world.suites)
        happened = Campaign(world.fresh(), tmp_path_factory.mktemp("frame"))
        ten_nights(happened)
        yield happened


def table(campaign: Campaign, published: Published, name: str) -> list[dict[str, str]]:
    resources = campaign.world.resources
    content = resources.store.get_bytes(resources.settings.release_bucket, published.prefix + name, max_bytes=10**8)
    assert content is not None
    return list(csv.DictReader(io.StringIO(content.decode())))


def shown(campaign: Campaign, published: Published) -> dict[tuple[str, str], int]:
    """Every whole number that a release shows of a region, by code and column."""
    rows = [row for level in LEVELS for row in table(campaign, published, f"{level}.csv")]
    return {(row["kode"], column): int(cell) for row in rows for column, cell in row.items() if cell.isdigit()}


@cache
def ancestors(code: str) -> tuple[str, ...]:
    parent = region_master().regions[code].parent_code
    return (code, *(ancestors(parent) if parent else ()))


def counted(campaign: Campaign, night: date, last_day: date) -> Counter[tuple[str, str]]:
    """Every measure of every region of days up to ``last_day`` as of ``night``, from all cases of the log at once."""
    rows = campaign.world.rows(
        f"WITH states AS ({case_state_as_of('night', ALL_ACCEPTED)}) SELECT placed_code, {COUNTED_OF_CASE} FROM states "
        "WHERE enumerated_on <= :last_day",
        province=PROVINCE,
        night=night,
        last_day=last_day,
    )
    sums: Counter[tuple[str, str]] = Counter()
    for place, *measures in rows:
        numbers = dict(zip(PROGRESS_MEASURES, measures, strict=True))
        numbers["nonresponse"] = numbers["no_respondent"] + numbers["refused"] + numbers["moved"]
        for code in ancestors(campaign.desa.get(place, place)):
            sums.update({(code, measure): number for measure, number in numbers.items()})
    return sums


def asked_figures(campaign: Campaign, connection: Any) -> Iterator[AskedFigure]:
    """Every count of every region that any release tells of, as an operator would ask for it."""
    resources = campaign.world.resources
    for night in campaign.published:
        for code in (NATION, PROVINCE, DESA[:4], DESA[:7], DESA, OTHER_DESA):
            for measure in MEASURES if len(code) <= 4 else ("visited",):
                yield asked_figure(connection, resources.store, resources.settings.release_bucket, code, measure, night)


def test_the_ten_nights_hold_what_they_are_to_show(campaign: Campaign) -> None:
    held = campaign.published[NIGHTS[5]].held_back
    causes = dict.fromkeys(CAUSES, 0)
    for published in campaign.published.values():
        for row in table(campaign, published, "perubahan.csv"):
            if row["ukuran"] not in {"target", "kerangka", "prelist"}:
                for cause in CAUSES:
                    causes[cause] += abs(int(row[definitions()[CAUSE_FIELDS[cause]].column]))
    assert list(held) == [PROVINCE]
    assert [cause for cause, amount in causes.items() if not amount] == []
    assert UNPUBLISHED not in campaign.published
    assert len(campaign.published) == 9


def test_each_release_is_the_one_before_and_its_changes(campaign: Campaign) -> None:
    nights = sorted(campaign.published)
    columns = [definitions()[field].column for field in CAUSE_FIELDS.values()]
    for former, night in zip([None, *nights], nights, strict=False):
        before = shown(campaign, campaign.published[former]) if former else {}
        now, told = shown(campaign, campaign.published[night]), set()
        for row in table(campaign, campaign.published[night], "perubahan.csv"):
            key = (row["kode"], row["ukuran"])
            told.add(key)
            assert int(row["sebelum"]) == before.get(key, 0), (night, key)
            assert int(row["sekarang"]) == now.get(key, 0), (night, key)
            assert int(row["sebelum"]) + sum(int(row[column]) for column in columns) == int(row["sekarang"]), (
                night,
                key,
            )
        # Whatever is not told of did not change.
        counts = {definitions()[measure].column for measure in PROGRESS_MEASURES}
        silent = {key for key in {*before, *now} - told if key[1] in counts}
        assert {key for key in silent if before.get(key, 0) != now.get(key, 0)} == set(), night


def test_every_published_figure_and_its_causes_are_what_is_known_now(campaign: Campaign) -> None:
    known = {night: counted(campaign, NIGHTS[-1], night) for night in campaign.published}
    released = {night: shown(campaign, published) for night, published in campaign.published.items()}
    seen: Counter[str] = Counter()
    with campaign.world.resources.engine.connect() as connection:
        for asked in asked_figures(campaign, connection):
            figure = restated_figure(connection, asked, PLANNED)
            where = (asked.night, asked.code, asked.counted)
            assert figure.published == released[asked.night].get((asked.code, asked.measure.column), 0), where
            assert figure.now == known[asked.night][asked.code, asked.counted], where
            assert figure.published + sum(figure.causes.values()) == figure.now, where
            seen.update(figure.causes)
    # What is new comes on its own day, and so restates no night before it.
    assert {*CAUSES, DATED_AFTER} - {"new"} <= set(seen)


def test_every_published_figure_is_the_sum_of_its_deliveries_and_of_their_cases(
    campaign: Campaign, tmp_path: Path
) -> None:
    resources, sums = campaign.world.resources, {}
    with resources.engine.connect() as connection:
        for asked in asked_figures(campaign, connection):
            traced = trace(connection, resources.store, resources.settings.archive_bucket, asked)
            stood = asked.release.as_of.nights[PROVINCE]
            where = (asked.night, asked.code, asked.counted)
            if stood not in sums:
                sums[stood] = counted(campaign, stood, date.max)
            assert traced.total == sums[stood][asked.code, asked.counted], where
            assert write_cases(connection, asked, tmp_path / "cases.csv", lambda *_: None) == traced.total, where
            assert {each.delivery_id for each in traced.deliveries} <= set(campaign.sent.values()), where
            if asked.night >= NIGHTS[7]:  # since then no frame came, and no night was processed again
                assert traced.total == asked.published_count, where
    header = (tmp_path / "cases.csv").read_text(encoding="utf-8").splitlines()[0]
    assert not set(header.split(",")) & {"r108_nama_kk", "r114_no_kk", "r403_nik", "r107_alamat"}


@pytest.fixture
def commands(campaign: Campaign, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in environment(campaign.world.resources.settings).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("REGSOSEK_ENV_FILE", "/nonexistent")


def command(*words: str) -> Result:
    return CliRunner().invoke(app, list(words))


def document(*words: str) -> Mapping[str, Any]:
    done = command(*words)
    assert done.exit_code == 0, done.output + repr(done.exception)
    return dict(json.loads(done.stdout))


@pytest.mark.usefixtures("commands")
def test_a_share_is_restated_at_its_denominators_to_the_last_digit(campaign: Campaign) -> None:
    night = NIGHTS[2]
    told = document("figure", "--region", DESA, "--measure", "visited_of_frame", "--night", str(night), "--json")
    share = told["share"]
    assert (share["published"]["denominator"], share["now"]["denominator"]) == (120, 135)
    assert told["published"] + sum(told["causes"].values()) == told["now"]
    assert share["published"]["percent"] == pytest.approx(told["published"] * 100 / 120)
    moved = share["now"]["percent"] - share["published"]["percent"]
    assert sum(share["points"].values()) == pytest.approx(moved, abs=1e-5)
    assert "denominator" in share["points"]
    assert told["release"]["content_hash"] == campaign.published[night].content_hash


@pytest.mark.usefixtures("commands")
def test_a_day_is_restated_and_traced_as_published(campaign: Campaign) -> None:
    night, day = NIGHTS[4], FIRST
    words = ("--region", PROVINCE, "--measure", "dikunjungi", "--night", str(night), "--day", str(day))
    told = document("figure", *words, "--json")
    rows = table(campaign, campaign.published[night], "harian.csv")
    [row] = [row for row in rows if (row["kode"], row["tanggal_pencacahan"]) == (PROVINCE, str(day))]
    assert told["published"] == int(row["dikunjungi"]) > 0
    assert told["published"] + sum(told["causes"].values()) == told["now"]
    traced = command("trace", *words)
    assert f"They add up to {told['published']}, as published." in traced.output, traced.output
    assert "the last of 2 releases of that night" in traced.output


@pytest.mark.usefixtures("commands")
def test_a_trace_leads_to_folder_manifest_and_receipt(campaign: Campaign, tmp_path: Path) -> None:
    night, path = NIGHTS[9], tmp_path / "trace.json"
    done = command("trace", "--region", DESA, "--measure", "visited", "--night", str(night), "--output", str(path))
    assert done.exit_code == 0, done.output
    [told] = json.loads(path.read_text(encoding="utf-8"))["counts"]
    assert told["total"] == told["published"] == sum(sum(d["counted"].values()) for d in told["deliveries"]) > 0
    resources = campaign.world.resources
    for each in told["deliveries"]:
        receipt = resources.store.get_bytes(resources.settings.archive_bucket, each["receipt"], max_bytes=10**6)
        assert receipt is not None
        assert json.loads(receipt)["manifest_sha256"] == each["manifest_sha256"]
        assert resources.store.size(resources.settings.landing_bucket, each["prefix"] + "manifest.json")


@pytest.mark.usefixtures("commands")
@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("6403", "complet", "2022-10-24"), "choose one of visited, complete, "),
        ((DESA, "complete", "2022-10-24"), "choose one of visited, visited_of_frame, visited_of_prelist"),
        (("6403999", "visited", "2022-10-24"), "below 6403 .*: 6403010 "),
        ((NATION, "visited", "2022-10-23"), "published nights: 2022-10-29, 2022-10-28"),
        ((DESA, "visited", "2022-10-24", "--day", "2022-10-21"), "published of nasional and provinsi, not of desa"),
        ((NATION, "visited", "2022-10-24", "--day", "2023-10-21"), "has no day 2023-10-21; it has 2022-10-2"),
    ],
)
def test_what_is_not_published_is_refused_with_the_choices(words: tuple[str, ...], told: str) -> None:
    region, measure, night, *day = words
    done = command("figure", "--region", region, "--measure", measure, "--night", night, *day)
    assert isinstance(done.exception, UnknownFigureError)
    assert re.search(told, str(done.exception))
