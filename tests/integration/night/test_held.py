"""Held deliveries: nothing of one counts until an operator decides, and the decision is as lasting as the archive."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from io import StringIO
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rich.console import Console
from sqlalchemy import text

from local_services.mail_sink import MailSink
from local_services.postgres import PostgresServer
from regsosek.alerts.nightly import alert_platform, alert_provinces
from regsosek.asking.deliveries import delivery_detail, delivery_lines
from regsosek.asking.night_history import province_lines
from regsosek.asking.tables.delivery_tables import delivery_report, delivery_table
from regsosek.errors import DecisionError, SealedNightError
from regsosek.geography.provinces import provinces
from regsosek.landing.archive import list_decisions
from regsosek.night import deciding
from regsosek.night.deciding import Decided
from regsosek.night.discovery.sealing import reopen_night
from regsosek.night.outcome import outcome
from regsosek.night.replaying import replay
from regsosek.release.publish import Published, publish
from regsosek.settings import Settings
from regsosek.warehouse.nights import ledger
from regsosek.warehouse.nights.holding import held_deliveries
from support.checks.matrix import cells, examples
from support.checks.traces_left import contents, on_landing
from support.deliveries.families import DESA, PROVINCE
from support.worlds.field_world import CompiledJudge, Family, FieldWorld, family, faulty, few_rules, prepared_world
from support.worlds.kept_state import keep_all
from support.worlds.other_process import Step, interrupted

TABLES_ALONE = True
NIGHTS = NIGHT, NEXT, THIRD = tuple(date(2022, 10, 21) + timedelta(days=n) for n in range(3))
AT = datetime(2022, 10, 20, 12, tzinfo=UTC)
DAY = timedelta(days=1)
# So small that two families are a share.
LIMITS = "province,dataset,limit_percent,least_rows,source\n*,keluarga,40,2,test\n*,anggota,100,2,test\n"


class Killed(BaseException):
    """The end of a process, for what runs in this one."""


def die() -> None:
    raise Killed


@pytest.fixture(scope="module")
def prepared(services_env: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[FieldWorld]:
    with prepared_world(services_env, tmp_path_factory, few_rules(), LIMITS) as world:
        yield world


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Judges by the compiled SQL, in replays and decisions too."""
    monkeypatch.setattr("regsosek.night.discovery.applicable_rules.Judge", CompiledJudge)


def bad(*names: str, versi: int = 1) -> list[Family]:
    """Families that are all in error, each on the number of its name's letter."""
    return [faulty(name, versi, number=ord(name)) for name in names]


def good(*names: str, versi: int = 1, **changes: str) -> list[Family]:
    return [family(name, versi, number=ord(name), **changes) for name in names]


def deliver(world: FieldWorld, night: date, families: list[Family], minute: int = 0, **more: Any) -> str:
    return world.deliver(night, families, produced_at=AT + (night - NIGHT) + timedelta(minutes=minute), **more)


def free(world: FieldWorld, delivery_id: str, reason: str = "checked with the province", by: str = "sari") -> Decided:
    return deciding.free(world.resources, PROVINCE, delivery_id, world.suites, by=by, reason=reason)


def reject(world: FieldWorld, delivery_id: str, reason: str = "a column is shifted", by: str = "budi") -> Decided:
    return deciding.reject(world.resources, PROVINCE, delivery_id, world.suites, by=by, reason=reason)


def printed(shown: Any) -> str:
    console = Console(width=110, record=True, file=StringIO())
    console.print(shown)
    return console.export_text()


def states(world: FieldWorld) -> list[tuple[Any, ...]]:
    return world.rows("SELECT state, reason, decided_night FROM ledger.delivery ORDER BY night, position")


def keluarga(world: FieldWorld) -> list[dict[str, int]]:
    rows = world.rows(
        "SELECT to_jsonb(c) FROM ledger.delivery_count c JOIN ledger.delivery d USING (province, delivery_id, "
        "delivered_on) WHERE c.dataset = 'keluarga' ORDER BY d.night, d.position"
    )
    return [{name: n for name, n in row.items() if isinstance(n, int) and n} for (row,) in rows]


def visited(world: FieldWorld, night: date) -> int:
    return sum(row[2] for row in world.progress(night))


def held_then_two_nights(world: FieldWorld) -> str:
    """A clean delivery and a held one on the first night, news on the second, nothing decided yet."""
    deliver(world, NIGHT, good("A", "B"))
    held = deliver(world, NIGHT, [*bad("C", "D"), *good("E")], minute=1)
    world.run(NIGHT)
    deliver(world, NEXT, good("F"))
    world.run(NEXT)
    return held


@pytest.fixture(scope="module")
def made_once(prepared: FieldWorld, postgres_server: PostgresServer) -> tuple[str, Callable[[], None]]:
    """The delivery that is held after :func:`held_then_two_nights`, and what brings these nights back."""
    held = held_then_two_nights(prepared.fresh())
    return held, keep_all(prepared, postgres_server)


@pytest.fixture
def held(world: FieldWorld, made_once: tuple[str, Callable[[], None]]) -> str:
    """``world`` with a held delivery and a night after it; nothing is decided yet."""
    delivery_id, restore = made_once
    restore()
    return delivery_id


def test_nothing_of_a_held_delivery_counts_or_lies_about(world: FieldWorld, held: str) -> None:
    assert states(world) == [("accepted", None, None), ("held", None, None), ("accepted", None, None)]
    assert keluarga(world) == [{"received": 2, "loaded": 2}, {"received": 3, "held": 3}, {"received": 1, "loaded": 1}]
    assert (visited(world, NIGHT), visited(world, NEXT)) == (2, 3)
    tables = ("core.kasus", "core.keluarga", "core.anggota", "restricted.quarantined", "quality.reason")
    for table in tables:
        assert world.rows(f"SELECT count(*) FROM {table} WHERE delivery_id = :id", id=held) == [(0,)], table


def test_an_operator_sees_why_it_is_held(world: FieldWorld, held: str) -> None:
    with world.resources.engine.connect() as connection:
        detail = delivery_detail(connection, PROVINCE, held)
        listed = delivery_lines(connection, (PROVINCE,), state="held", night=NIGHT)
        [line] = [each for each in province_lines(connection, NEXT) if each.province == PROVINCE]
    assert [each.delivery_id for each in listed] == [held]
    assert (detail.line.families, detail.line.persons) == (3, 6)
    assert [(s.dataset, s.in_error, s.judged, s.exceeded) for s in detail.shares] == [
        ("keluarga", 2, 3, True),
        ("anggota", 0, 6, False),
    ]
    assert [(rule.rule_id, rule.rows) for rule in detail.rules] == [("C-303", 2)]
    assert [(region.region_code, region.in_error, region.judged) for region in detail.regions] == [(DESA[:4], 2, 3)]
    assert line.held_deliveries == 1
    shown = printed(delivery_report(detail))
    assert f"Delivery {held} of province {PROVINCE}: held; delivered {NIGHT}, night {NIGHT}, 3 families" in shown
    assert "66.7" in shown and "Kabupaten" in shown and "C-303" in shown
    assert held in printed(delivery_table(listed))
    [told] = outcome(world.resources, NEXT, [PROVINCE]).held
    assert held in told


def test_a_freed_delivery_counts_from_the_deciding_night(world: FieldWorld, held: str) -> None:
    decided = free(world, held)
    assert (decided.night, decided.state) == (NEXT, "accepted")
    assert states(world)[1] == ("accepted", None, NEXT)
    assert keluarga(world)[1] == {"received": 3, "loaded": 1, "quarantined": 2}
    assert (visited(world, NIGHT), visited(world, NEXT)) == (2, 6)
    assert world.rows("SELECT night FROM ledger.delivery WHERE delivery_id = :id", id=held) == [(NIGHT,)]
    # Two days later than enumerated, by its arrival: waiting for a decision makes no officer late.
    assert world.rows("SELECT sum(days_late) FROM mart.arrivals WHERE night = :n", n=NEXT) == [(2 * 1 + 3 * 1,)]
    assert world.rows("SELECT night, kind, detail ->> 'by', detail ->> 'reason' FROM ledger.event") == [
        (NEXT, "freed", "sari", "checked with the province")
    ]


def test_a_rejected_delivery_stays_out_and_says_so(world: FieldWorld, held: str) -> None:
    assert reject(world, held).state == "rejected"
    assert states(world)[1] == ("rejected", "rejected_by_operator", NEXT)
    assert keluarga(world)[1] == {"received": 3, "rejected": 3}
    assert visited(world, NEXT) == 3


def test_the_journal_says_who_freed_what_and_the_archive_too(world: FieldWorld, held: str) -> None:
    free(world, held)
    [decision] = list_decisions(world.resources.store, world.resources.settings.archive_bucket, PROVINCE)
    assert (decision.delivery_id, decision.decision, decision.by, decision.night) == (held, "freed", "sari", NEXT)
    with world.resources.engine.connect() as connection:
        [line] = delivery_detail(connection, PROVINCE, held).decisions
    assert (line.kind, line.by, line.at) == ("freed", "sari", decision.at)


@pytest.mark.parametrize("decide", [free, reject])
@pytest.mark.parametrize(
    "first", cells({"all nights": NIGHT, "two nights": NEXT, "one night": THIRD}, always={"all nights"})
)
def test_a_replay_repeats_holding_and_decision(world: FieldWorld, held: str, first: date, decide: Any) -> None:
    # The deciding night knows a newer revision of a held case already: the freed one comes after it, then and again.
    deliver(world, NEXT, good("C", versi=2), minute=9)
    decide(world, held)
    deliver(world, THIRD, good("D", versi=2))
    world.run(THIRD)
    before = contents(world, NIGHTS)
    replay(on_landing(world, world.resources.settings.release_bucket).resources, first, [PROVINCE])
    assert contents(world, NIGHTS) == before


def test_a_replay_holds_by_the_limits_of_the_receipts(world: FieldWorld, held: str, tmp_path: Path) -> None:
    before = contents(world, (NIGHT, NEXT))
    generous = tmp_path / "limits.csv"
    generous.write_text(LIMITS.replace(",40,", ",100,"), encoding="utf-8")
    own = world.resources.settings.model_copy(update={"hold_limits_file": generous})
    replay(replace(world.resources, settings=own), NIGHT, [PROVINCE])
    assert contents(world, (NIGHT, NEXT)) == before


def test_a_warehouse_that_lost_everything_comes_back_with_its_decisions(world: FieldWorld, held: str) -> None:
    free(world, held)
    before = contents(world, (NIGHT, NEXT))
    with world.resources.engine.begin() as connection:
        names = [name for name in before if "." in name]
        connection.execute(text("TRUNCATE " + ", ".join(names)))
    for night in (NIGHT, NEXT):
        on_landing(world, world.resources.settings.release_bucket).run(night)
    assert contents(world, (NIGHT, NEXT)) == before


RECEIVING, DECIDING = "regsosek.night.receiving.receiving", "regsosek.night.deciding"
PARTS = "regsosek.night.receiving.parts"
HOLDING, LEDGER = "regsosek.warehouse.nights.holding", "regsosek.warehouse.nights.ledger"


@pytest.mark.parametrize(
    "step",
    cells(
        [
            Step(f"{DECIDING}.write_decision"),
            Step(f"{HOLDING}.apply_decision"),
            Step(f"{PARTS}.load_part"),
            Step(f"{LEDGER}.accept"),
            Step(f"{RECEIVING}.refresh_province", before=True),
            Step(f"{RECEIVING}.refresh_province"),
        ],
        always={"after write_decision 1", "after load_part 1", "before refresh_province 1"},
    ),
)
@pytest.mark.parametrize(
    "taken_up", cells({"the same night": NEXT, "the night after": THIRD}, always={"the night after"})
)
def test_a_killed_decision_is_carried_out_by_the_next_run(
    world: FieldWorld, held: str, step: Step, taken_up: date
) -> None:
    with interrupted(step, die), pytest.raises(Killed):
        free(world, held)
    if taken_up == NEXT:
        world.run(NEXT)
    world.run(THIRD)
    seen = contents(world, NIGHTS)
    assert states(world)[1] == ("accepted", None, NEXT)
    assert (visited(world, NIGHT), visited(world, NEXT)) == (2, 6)
    replay(world.resources, NIGHT, [PROVINCE])
    assert contents(world, NIGHTS) == seen


def test_a_decision_finds_what_an_earlier_night_replaced_before_it(world: FieldWorld, held: str) -> None:
    deliver(world, NIGHT, good("C", "D", "E", versi=2), minute=2, supersedes=[held])
    reopen_night(world.resources, PROVINCE, NIGHT, world.suites, "the network was down")
    assert free(world, held).state == "rejected"
    assert states(world)[1] == ("rejected", "superseded_while_held", NIGHT)


@pytest.mark.parametrize("decide", [free, reject])
def test_nothing_is_decided_in_a_warehouse_that_lacks_nights(world: FieldWorld, held: str, decide: Any) -> None:
    with world.resources.engine.begin() as connection:
        ledger.forget(connection, PROVINCE, NEXT)  # as a dump before that night has it
    with pytest.raises(SealedNightError, match=f"regsosek replay --from {NEXT} -p {PROVINCE}"):
        decide(world, held)
    assert list_decisions(world.resources.store, world.resources.settings.archive_bucket, PROVINCE) == ()


@pytest.mark.parametrize(
    "step", [Step(f"{HOLDING}.hold", before=True), Step(f"{HOLDING}.hold"), Step(f"{LEDGER}.note_timing", before=True)],
    ids=str,
)  # fmt: skip
def test_a_night_killed_while_holding_holds_when_run_again(world: FieldWorld, step: Step) -> None:
    deliver(world, NIGHT, bad("A", "B"))
    with interrupted(step, die), pytest.raises(Killed):
        world.run(NIGHT)
    world.run(NIGHT)
    assert states(world) == [("held", None, None)]
    assert world.rows("SELECT count(*) FROM core.kasus") == [(0,)]
    assert world.rows("SELECT judged, in_error FROM quality.error_region") == [(2, 2)]


def test_exactly_at_the_limit_is_not_held(world: FieldWorld) -> None:
    deliver(world, NIGHT, [*bad("A", "B"), *good("C", "D", "E")])
    deliver(world, NIGHT, bad("F"), minute=1)  # one family is no share
    assert world.run(NIGHT).states == {"accepted": 2}


def test_what_is_not_held_cannot_be_decided(world: FieldWorld, held: str) -> None:
    accepted = world.rows("SELECT delivery_id FROM ledger.delivery WHERE state = 'accepted'")[0][0]
    with pytest.raises(DecisionError, match="is accepted, not held"):
        free(world, accepted)
    with pytest.raises(DecisionError, match="delivery 01GFXKQ2Z8V3M5N7P9R1T3W5Z9 of province 64 is unknown"):
        free(world, "01GFXKQ2Z8V3M5N7P9R1T3W5Z9")
    with pytest.raises(DecisionError, match="needs a reason"):
        free(world, held, reason=" \n ")
    reject(world, held)
    with pytest.raises(DecisionError, match=r"was rejected by budi .*a column is shifted"):
        free(world, held)
    assert [row[1] for row in world.rows("SELECT id, kind FROM ledger.event")] == ["rejected"]


@pytest.mark.parametrize("verdict", ["freed", "rejected"])
def test_a_recorded_decision_is_carried_out_by_a_run_as_if_it_had_been_at_once(
    world: FieldWorld, held: str, verdict: deciding.Verdict
) -> None:
    deciding.record(world.resources, PROVINCE, held, verdict, world.suites, by="sari", reason="checked")
    between = "registered" if verdict == "freed" else "rejected"
    assert states(world)[1][::2] == (between, NEXT)
    assert visited(world, NEXT) == 3, "nothing counts before a run"
    world.run(THIRD)
    assert states(world)[1][::2] == ("accepted" if verdict == "freed" else "rejected", NEXT)
    assert visited(world, NEXT) == (6 if verdict == "freed" else 3)
    seen = contents(world, NIGHTS)
    replay(world.resources, NIGHT, [PROVINCE])
    assert contents(world, NIGHTS) == seen


def test_of_two_operators_at_once_one_decides_and_the_other_is_told(world: FieldWorld, held: str) -> None:

    def attempt(decide: Any) -> str:
        try:
            return str(decide(world, held).state)
        except DecisionError as error:
            return str(error)

    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(attempt, (free, reject)))
    [state] = [row[0] for row in states(world)[1:2]]
    assert state in answers
    assert len([answer for answer in answers if "was freed by sari" in answer or "was rejected by budi" in answer]) == 1
    assert world.rows("SELECT count(*) FROM ledger.event") == [(1,)]


def test_a_later_delivery_that_supersedes_a_held_one_resolves_it(world: FieldWorld) -> None:
    deliver(world, NIGHT, good("A", "B", versi=3))
    world.run(NIGHT)
    [(original,)] = world.rows("SELECT delivery_id FROM ledger.delivery")
    held = deliver(world, NEXT, bad("A", "B"), supersedes=[original])
    world.run(NEXT)
    # What replaces the replacement replaces the original, too: B was left out.
    deliver(world, THIRD, good("A", r302_luas_lantai="77"), supersedes=[held])
    world.run(THIRD)
    assert states(world)[1] == ("rejected", "superseded_while_held", THIRD)
    assert [case[:4] for case in world.cases()] == [("A", "loaded", 1, 77), ("B", "withdrawn", None, None)]
    with pytest.raises(DecisionError, match="superseded_while_held"):
        free(world, held)
    seen = contents(world, NIGHTS)
    replay(world.resources, NEXT, [PROVINCE])
    assert contents(world, NIGHTS) == seen


def test_a_superseding_delivery_that_is_held_itself_resolves_nothing(world: FieldWorld) -> None:
    first = deliver(world, NIGHT, bad("A", "B"))
    second = deliver(world, NIGHT, bad("A", "C"), minute=1, supersedes=[first])
    world.run(NIGHT)
    assert [row[0] for row in states(world)] == ["held", "held"]
    free(world, second)
    assert [row[:2] for row in states(world)] == [("rejected", "superseded_while_held"), ("accepted", None)]


def test_a_freed_delivery_is_judged_by_the_rules_as_they_are_now(world: FieldWorld, held: str) -> None:
    mended = {name: type(suite)(suite.dataset, ()) for name, suite in world.suites.items()}
    deciding.free(world.resources, PROVINCE, held, mended, by="sari", reason="C-303 was wrong")
    assert keluarga(world)[1] == {"received": 3, "loaded": 3}
    before = contents(world, (NIGHT, NEXT))
    replay(world.resources, NIGHT, [PROVINCE])
    assert contents(world, (NIGHT, NEXT)) == before


def refreshed_everywhere(world: FieldWorld, *nights: date) -> None:
    """The other provinces delivered nothing."""
    with world.resources.engine.begin() as connection:
        for night in nights:
            for each in provinces():
                ledger.note_refreshed(connection, each.code, night)


def release(world: FieldWorld, night: date) -> Published:
    refreshed_everywhere(world, night)
    return publish(world.resources.publisher, world.resources.store, world.resources.settings, night)


def of_province(world: FieldWorld, published: Published) -> dict[str, str]:
    key = f"{published.prefix}provinsi.csv"
    content = world.resources.store.get_bytes(world.resources.settings.release_bucket, key, max_bytes=10**7)
    assert content is not None
    header, *lines = content.decode().splitlines()
    [row] = [line for line in lines if line.startswith(PROVINCE)]
    return dict(zip(header.split(","), row.split(","), strict=False))


def test_figures_stay_with_a_mark_then_follow_and_earlier_releases_stay_as_published(world: FieldWorld) -> None:
    deliver(world, NIGHT, good("A", "B"))
    held = deliver(world, NIGHT, [*bad("C", "D"), *good("E")], minute=1)
    world.run(NIGHT)
    first = release(world, NIGHT)
    deliver(world, NEXT, good("F"))
    world.run(NEXT)
    marked = of_province(world, release(world, NEXT))
    assert (marked["dikunjungi"], marked["keluarga_ditahan"]) == ("3", "3")
    assert marked["keadaan_malam_ini"] == "Diterima; ada yang ditahan"
    free(world, held)
    published = release(world, NEXT)
    assert published.current and not published.held_back
    followed = of_province(world, published)
    assert (followed["dikunjungi"], followed["keluarga_ditahan"]) == ("6", "0")
    assert followed["keadaan_malam_ini"] == "Diterima"
    assert release(world, NIGHT).content_hash == first.content_hash
    world.run(THIRD)
    assert of_province(world, release(world, THIRD))["dikunjungi"] == "6"


def test_a_night_of_which_everything_is_held_keeps_the_last_good_figures(world: FieldWorld) -> None:
    deliver(world, NIGHT, good("A"))
    world.run(NIGHT)
    deliver(world, NEXT, bad("A", "B", versi=2))
    world.run(NEXT)
    published = release(world, NEXT)
    row = of_province(world, published)
    assert (row["dikunjungi"], row["keadaan_malam_ini"], row["keluarga_ditahan"]) == ("1", "Ditahan", "2")
    assert PROVINCE in published.missing
    world.run(THIRD)
    assert of_province(world, release(world, THIRD))["keadaan_malam_ini"] == "Ditahan"


def test_province_and_platform_are_told_and_told_again_after_the_decision(
    world: FieldWorld, held: str, mail_sink: MailSink
) -> None:
    for path in mail_sink.received():
        path.unlink()
    engine, own = world.resources.engine, world.resources.settings
    for night in (NIGHT, NEXT):
        alert_provinces(engine, own, night, provinces=[PROVINCE])
        alert_platform(engine, own, night, failed={}, publication=None, provinces=[PROVINCE])
    kinds = "SELECT night, kind, since, figures ->> 'held_deliveries' FROM alert.condition WHERE kind = ANY(:kinds)"
    held_since = [(night, "HELD", NIGHT, "1") for night in (NIGHT, NEXT)]
    assert world.rows(kinds + " ORDER BY 1", kinds=["HELD", "REJECTED"]) == held_since
    mails = "SELECT recipient_group, night, kind, subject FROM alert.outbox ORDER BY id"
    subjects = {(group, night): subject for group, night, _, subject in world.rows(mails)}
    assert "kiriman ditahan" in subjects[f"prov{PROVINCE}", NIGHT]
    assert subjects["platform", NIGHT] == f"[DECISION NEEDED] {NIGHT}: 1 delivery held"
    assert ("platform", NEXT) not in subjects  # that it still waits is no news
    deciding.notify(world.resources, reject(world, held))
    group, night, kind, subject = world.rows(mails)[-1]
    assert (group, night, kind) == (f"prov{PROVINCE}", NEXT, f"digest after {held}")
    assert "kiriman ditolak" in subject
    [(body,)] = world.rows("SELECT body FROM alert.outbox WHERE kind = :kind", kind=kind)
    assert "ditolak oleh tim platform BPS pusat" in " ".join(body.split())


def test_a_used_id_counts_the_rows_of_its_manifest(world: FieldWorld) -> None:
    first = deliver(world, NIGHT, good("A"))
    world.run(NIGHT)
    manifest, landing = f"{first}/manifest.json", world.resources.settings.landing_bucket
    folder = f"landing/prov={PROVINCE}/tanggal="
    document = world.resources.store.get_bytes(landing, f"{folder}{NIGHT}/{manifest}", max_bytes=10**6)
    assert document is not None
    world.resources.store.put_bytes(landing, f"{folder}{NEXT}/{manifest}", document)
    world.run(NEXT)
    assert keluarga(world) == [{"received": 1, "loaded": 1}, {"received": 1, "rejected": 1}]
    before = contents(world, (NIGHT, NEXT))
    replay(on_landing(world, world.resources.settings.release_bucket).resources, NIGHT, [PROVINCE])
    assert contents(world, (NIGHT, NEXT)) == before


ARRIVALS = st.lists(
    st.tuples(st.sampled_from(["A", "B"]), st.integers(1, 3), st.booleans()), min_size=2, max_size=3, unique=True
)


@settings(max_examples=examples(2), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(arrivals=ARRIVALS, choices=st.tuples(st.integers(0, 5), st.integers(0, 5)), wait=st.integers(0, 2))
def test_the_order_of_arrivals_and_decisions_does_not_matter(
    prepared: FieldWorld, arrivals: list[tuple[str, int, bool]], choices: tuple[int, int], wait: int
) -> None:
    """Held deliveries freed in any order, before or after others arrive, leave what accepting them in order would."""
    orders = list(permutations(range(len(arrivals))))
    seen = []
    for arriving, deciding_order in (
        (orders[0], orders[0]),
        (orders[choices[0] % len(orders)], orders[choices[1] % len(orders)]),
    ):
        world, waiting_ids = prepared.fresh(), dict[int, str]()
        for day, position in enumerate(arriving):
            name, versi, wrong = arrivals[position]
            # Two cases in error beside the one in question hold the whole.
            others = [faulty(f"{name}{position}{n}", number=100 + 10 * position + n) for n in range(2)]
            case = (bad if wrong else good)(name, versi=versi)
            minute = timedelta(minutes=position)
            waiting_ids[position] = world.deliver(NIGHT + day * DAY, [*case, *others], produced_at=AT + minute)
            world.run(NIGHT + day * DAY)
            if day == wait:
                for each in [n for n in deciding_order if n in waiting_ids][:1]:
                    free(world, waiting_ids.pop(each))
        for position in deciding_order:
            if position in waiting_ids:
                free(world, waiting_ids[position])
        with world.resources.engine.connect() as connection:
            assert held_deliveries(connection) == []
        seen.append((world.cases(), world.progress(date(2022, 11, 30))))
    assert seen[0] == seen[1]
