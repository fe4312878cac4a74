"""Planted gaps are the found gaps on every night, whatever stream lags: none is missed, and no lag is called a gap."""

import random
from collections import Counter
from datetime import date, timedelta

import pytest

from regsosek.simulation.field.campaign import Campaign, default_behaviour
from regsosek.simulation.output.sinks import DirectorySink
from regsosek.simulation.planted.defects import DefectTable
from regsosek.simulation.simulate import SimulationReport, simulate
from regsosek.statistics.streams.clocks import reported_through
from regsosek.statistics.streams.reconciliation import ProvinceStreams, gap_kinds, gaps, heads_not_met
from support.checks.matrix import FULL
from support.deliveries.counted_from_files import Files

pytestmark = FULL

PROVINCE = "75"
FIRST, LAST = date(2022, 10, 21), date(2022, 12, 1)
BY_DAY = ("reported_not_received", "received_not_reported", "tagged_not_received")
OPENS = date(2022, 10, 15)
Simulated = tuple[SimulationReport, Files]


@pytest.fixture(scope="module", params=[1, 2])
def simulated(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Simulated:
    """A whole campaign, with many gaps and changes of SLS."""
    shape = default_behaviour().streams
    often = dict.fromkeys(("reported_only", "unreported", "list_missing", "head_not_met"), 0.1)
    planted = shape.planted.model_copy(update=often | {"lost_document": 0.01})
    frame = default_behaviour().frame.model_copy(update={"retired_share": 0.1, "new_sls_share": 0.05})
    behaviour = default_behaviour().model_copy(
        update={
            "streams": shape.model_copy(update={"planted": planted, "renamed": 0.1}),
            "frame": frame,
            "incident": (),
        }
    )
    campaign = Campaign(seed=request.param, scale=0.01, first_delivery=FIRST, behaviour=behaviour, streams=True)
    nights = [FIRST + timedelta(days=n) for n in range((LAST - FIRST).days + 1)]
    root = tmp_path_factory.mktemp("gaps")
    nothing = DefectTable(share_of_documents=0, kind=())
    report = simulate(campaign, DirectorySink(root), nights=nights, provinces=[PROVINCE], defects=nothing)
    return report, Files(root, PROVINCE)


def seen(night: date, chosen: random.Random) -> dict[str, date]:
    """The last delivery of each stream: tonight's, or one of some nights ago."""
    return {name: max(FIRST, night - timedelta(days=chosen.choice((0, 0, 1, 4, 9))))
            for name in ("k", "progres", "geotag", "rekap_vk")}  # fmt: skip


def planted(report: SimulationReport, files: Files, kind: str, through: date) -> Counter[str]:
    found: Counter[str] = Counter()
    for gap in report.gaps:
        if gap.kind == kind and OPENS + timedelta(days=gap.day - 1) <= through:
            found[files.place(gap.id_subsls)] += gap.families
    return found


def found(told: ProvinceStreams, kind: str) -> dict[str, int]:
    rows = gaps(told)
    return {row.code: int(row.families) for row in rows[rows["kind"] == kind].itertuples()}


def test_planted_gaps_of_days_are_found_and_no_others(simulated: Simulated) -> None:
    report, files = simulated
    chosen = random.Random(report.seed)
    told_any = dict.fromkeys(BY_DAY, 0)
    for night in (FIRST + timedelta(days=n) for n in range(0, (LAST - FIRST).days + 1, 4)):
        told = files.told(seen(night, chosen))
        for kind in BY_DAY:
            through = reported_through(told.clocks, gap_kinds()[kind].streams)
            assert through
            expected = planted(report, files, kind, through)
            assert found(told, kind) == dict(expected), (night, kind, through)
            told_any[kind] += len(expected)
    assert all(told_any.values())


def test_lists_that_are_never_entered_are_found_once_they_are_due(simulated: Simulated) -> None:
    report, files = simulated
    chosen = random.Random(report.seed)
    due = 0
    for night in (FIRST + timedelta(days=n) for n in range(0, (LAST - FIRST).days + 1, 4)):
        told = files.told(seen(night, chosen))
        through = told.clocks["rekap_vk"].through
        expected = set(planted(report, files, "list_not_entered", through)) if through >= FIRST else set()
        assert set(found(told, "list_not_entered")) == expected, night
        due += len(expected)
    assert due


def test_lists_that_are_larger_than_what_arrived_are_found_after_the_field_work(simulated: Simulated) -> None:
    report, files = simulated
    before = files.told(dict.fromkeys(("k", "progres", "geotag", "rekap_vk"), LAST - timedelta(days=5)))
    assert not found(before, "list_larger")  # K may still be sent for days of the field work
    told = files.told(dict.fromkeys(("k", "progres", "geotag", "rekap_vk"), LAST))
    expected = planted(report, files, "list_larger", told.closes)
    assert expected
    pure = {code: families for code, families in expected.items() if code not in told.mixed}
    assert {code: n for code, n in found(told, "list_larger").items() if code not in told.mixed} == pure


def test_heads_that_are_never_met_are_found(simulated: Simulated) -> None:
    report, files = simulated
    early = files.told(dict.fromkeys(("k", "progres", "geotag", "rekap_vk"), FIRST))
    told = files.told(dict.fromkeys(("k", "progres", "geotag", "rekap_vk"), LAST))
    expected = planted(report, files, "head_not_met", told.clocks["progres"].through)
    assert expected
    assert set(heads_not_met(told).index) == set(expected)
    # until the weekend a head who is at work on weekdays is not met yet either
    assert set(planted(report, files, "head_not_met", early.clocks["progres"].through)) <= set(
        heads_not_met(early).index
    )


def test_a_stream_that_never_delivered_has_no_gaps(simulated: Simulated) -> None:
    _, files = simulated
    told = files.told(dict.fromkeys(("k", "progres", "geotag", "rekap_vk"), LAST))
    silent = ProvinceStreams(told.days.assign(reported=0, verified=0, messages=0), told.lists, told.mixed, told.closes,
                  {name: clock for name, clock in told.clocks.items() if name != "progres"})  # fmt: skip
    assert not found(silent, "received_not_reported")
    assert not len(heads_not_met(silent))
    assert found(silent, "tagged_not_received")
