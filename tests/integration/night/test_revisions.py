"""The newest revision wins, whatever the arrival order; nothing is lost and nothing is counted twice."""

from datetime import UTC, date, datetime, timedelta
from itertools import permutations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from regsosek.night import replaying
from regsosek.night.discovery import applicable_rules
from regsosek.quality.verdict import Judge
from support.checks.matrix import examples
from support.deliveries.families import PROVINCE
from support.worlds.field_world import FEW_RULES, CompiledJudge, Family, FieldWorld, family, faulty, withdrawal

NIGHT = date(2022, 10, 21)
AT = datetime(2022, 10, 20, 12, tzinfo=UTC)
KEPT_RULES = FEW_RULES


def test_a_correction_replaces_and_moves_nothing_else(world: FieldWorld) -> None:
    world.deliver(NIGHT, [family("A"), family("B", number=2)], produced_at=AT)
    world.run(NIGHT)
    world.deliver(NIGHT, [family("A", 2, r302_luas_lantai="60")], produced_at=AT + timedelta(hours=1))
    world.run(NIGHT + timedelta(days=1))
    assert world.cases() == [("A", "loaded", 2, 60, 2), ("B", "loaded", 1, 48, 2)]
    assert [row[2:4] for row in world.progress(NIGHT + timedelta(days=1))] == [(2, 2)]


def test_the_second_run_changes_nothing(world: FieldWorld) -> None:
    world.deliver(NIGHT, [family("A"), faulty("B", number=2)], produced_at=AT)
    world.run(NIGHT)
    before = (world.cases(), world.progress(NIGHT), world.counts(), world.rows("SELECT count(*) FROM core.anggota"))
    world.run(NIGHT)
    after = (world.cases(), world.progress(NIGHT), world.counts(), world.rows("SELECT count(*) FROM core.anggota"))
    assert after == before


def test_the_planner_knows_how_large_the_log_is_when_a_night_is_received(world: FieldWorld) -> None:
    world.deliver(NIGHT, [family("A"), family("B", number=2)], produced_at=AT)
    world.run(NIGHT)
    assert world.rows(f"SELECT reltuples FROM pg_class WHERE oid = 'core.kasus_p{PROVINCE}'::regclass") == [(2.0,)]


def test_what_arrives_after_the_seal_belongs_to_the_next_night(world: FieldWorld) -> None:
    world.run(NIGHT)
    world.deliver(NIGHT, [family("A")], produced_at=AT)
    world.run(NIGHT)
    assert world.cases() == []
    world.run(NIGHT + timedelta(days=1))
    assert world.rows("SELECT night FROM ledger.delivery") == [(NIGHT + timedelta(days=1),)]
    assert [case[0] for case in world.cases()] == ["A"]


def test_a_duplicate_counts_once(world: FieldWorld) -> None:
    world.deliver(NIGHT, [family("A")], produced_at=AT)
    world.deliver(NIGHT, [family("A")], produced_at=AT + timedelta(hours=1))
    world.run(NIGHT)
    assert world.counts() == [(1, 1, 0, 0, 0, 0, 0), (1, 0, 0, 0, 1, 0, 0)]
    assert [row[2] for row in world.progress(NIGHT)] == [1]


def test_a_quarantined_revision_leaves_the_accepted_one_in_place_and_marks_it(world: FieldWorld) -> None:
    world.deliver(NIGHT, [family("A")], produced_at=AT)
    world.deliver(NIGHT, [faulty("A", 2)], produced_at=AT + timedelta(hours=1))
    world.run(NIGHT)
    assert world.cases() == [("A", "pending", 1, 48, 2)]
    assert [row[2:6] for row in world.progress(NIGHT)] == [(1, 1, 0, 1)]


def test_a_received_case_counts_as_visited_even_in_quarantine(world: FieldWorld) -> None:
    world.deliver(NIGHT, [faulty("A")], produced_at=AT)
    world.run(NIGHT)
    assert [row[2:5] for row in world.progress(NIGHT)] == [(1, 0, 1)]


def test_one_error_in_a_member_quarantines_the_whole_case(world: FieldWorld) -> None:
    row, members = family("A")
    members[1]["r401_no_urut"] = "05"
    world.deliver(NIGHT, [(row, members)], produced_at=AT)
    world.run(NIGHT)
    assert world.rows("SELECT dataset, count(*) FROM restricted.quarantined GROUP BY 1 ORDER BY 1") == [
        ("anggota", 2),
        ("keluarga", 1),
    ]
    assert world.rows("SELECT count(*) FROM core.anggota") == [(0,)]


def test_a_delivery_of_withdrawals_alone_is_judged_and_loaded(world: FieldWorld) -> None:
    world.deliver(NIGHT, [family("A")], produced_at=AT)
    world.deliver(NIGHT, [withdrawal("A")], produced_at=AT + timedelta(hours=1))
    world.run(NIGHT, judge=Judge)
    assert world.counts() == [(1, 1, 0, 0, 0, 0, 0), (1, 0, 0, 0, 0, 1, 0)]


def test_a_document_under_another_key_withdraws_the_old_key(world: FieldWorld) -> None:
    world.deliver(NIGHT, [family("A", number=1)], produced_at=AT)
    world.deliver(NIGHT, [family("A", 2, number=7)], produced_at=AT + timedelta(hours=1))
    world.run(NIGHT)
    assert world.rows("SELECT r110_no_keluarga, state FROM core.kasus_terkini") == [(7, "loaded")]
    assert [row[2] for row in world.progress(NIGHT)] == [1]


def test_two_documents_on_one_key_count_once_and_the_other_is_named(world: FieldWorld) -> None:
    world.deliver(NIGHT, [family("A")], produced_at=AT)
    world.deliver(NIGHT, [family("B")], produced_at=AT + timedelta(hours=1))
    world.run(NIGHT)
    assert [(case[0], case[1]) for case in world.cases()] == [("A", "conflicting"), ("B", "loaded")]
    assert [(row[2], row[6]) for row in world.progress(NIGHT)] == [(1, 1)]


def test_a_superseding_delivery_replaces_the_other_whole(world: FieldWorld) -> None:
    first = world.deliver(NIGHT, [family("A", 3), family("B", number=2)], produced_at=AT)
    world.run(NIGHT)
    later = AT + timedelta(hours=1)
    world.deliver(NIGHT, [family("A", 1, r302_luas_lantai="70")], produced_at=later, supersedes=[first])
    world.run(NIGHT + timedelta(days=1))
    assert [(case[0], case[1]) for case in world.cases()] == [("A", "loaded"), ("B", "withdrawn")]
    assert world.cases()[0][3] == 70
    assert world.rows("SELECT detail ->> 'left_out' FROM ledger.event") == [("1",)]


def test_what_a_superseding_delivery_left_out_comes_back_when_it_is_sent_again(world: FieldWorld) -> None:
    first = world.deliver(NIGHT, [family("A"), family("B", number=2)], produced_at=AT)
    world.deliver(NIGHT, [family("A")], produced_at=AT + timedelta(hours=1), supersedes=[first])
    world.deliver(NIGHT, [family("B", number=2)], produced_at=AT + timedelta(hours=2))
    world.run(NIGHT)
    assert [(case[0], case[1]) for case in world.cases()] == [("A", "loaded"), ("B", "loaded")]


def test_reopening_a_night_leaves_what_a_replay_would(world: FieldWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(applicable_rules, "Judge", CompiledJudge)
    monkeypatch.setattr(replaying, "load_suites", lambda _: world.suites)
    world.deliver(NIGHT, [family("A")], produced_at=AT)
    world.run(NIGHT)
    world.deliver(NIGHT, [family("A", 3)], produced_at=AT + timedelta(hours=2))
    world.run(NIGHT + timedelta(days=1))
    world.deliver(NIGHT, [faulty("A", 2)], produced_at=AT + timedelta(hours=1))
    replaying.reopen(world.resources, PROVINCE, NIGHT, "the courier was late")

    def seen() -> list[object]:
        return [world.cases(), world.counts(), world.progress(NIGHT), world.progress(NIGHT + timedelta(days=1))]

    reopened = seen()
    replaying.replay(world.resources, NIGHT, [PROVINCE])
    assert seen() == reopened
    assert world.counts()[1] == (1, 0, 1, 0, 0, 0, 0)  # quarantined on its night, before the newer one was known


def test_superseding_a_stranger_is_rejected_and_nothing_is_loaded(world: FieldWorld) -> None:
    world.deliver(NIGHT, [family("A")], produced_at=AT, supersedes=["01ARZ3NDEKTSV4RRFFQ69G5FAV"])
    world.run(NIGHT)
    assert world.rows("SELECT state, reason FROM ledger.delivery") == [("rejected", "supersedes_unknown")]
    assert world.cases() == []


def test_rows_that_break_off_in_a_later_part_leave_nothing_behind(world: FieldWorld) -> None:
    orphan = family("B", number=2)[1]
    row, members = family("C", number=3)
    world.deliver(NIGHT, [[family("A")], [(row, members + orphan)]], produced_at=AT)
    world.run(NIGHT)
    assert world.rows("SELECT state, reason FROM ledger.delivery") == [("rejected", "parts_misaligned")]
    assert world.counts() == [(2, 0, 0, 0, 0, 0, 2)]
    for table in ("core.kasus", "core.keluarga", "core.anggota", "restricted.keluarga_identity", "quality.reason"):
        assert world.rows(f"SELECT count(*) FROM {table}") == [(0,)], table


MESSAGES = st.lists(
    st.tuples(
        st.sampled_from(["A", "B"]),
        st.integers(1, 3),
        st.sampled_from(["clean", "other", "faulty", "withdrawn", "moved"]),
    ),
    min_size=2,
    max_size=4,
)


def message(document: str, versi: int, kind: str) -> Family:
    number = 1 if document == "A" else 2
    match kind:
        case "clean":
            return family(document, versi, number=number)
        case "other":
            return family(document, versi, number=number, r302_luas_lantai="99")
        case "faulty":
            return faulty(document, versi, number=number)
        case "moved":
            return family(document, versi, number=5)
    return withdrawal(document, versi, number=number)


@settings(max_examples=examples(3), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(messages=MESSAGES, choice=st.integers(1, 23))
def test_any_order_of_arrival_leaves_the_same_state_and_figures(
    prepared: FieldWorld, messages: list[tuple[str, int, str]], choice: int
) -> None:
    orders = list(permutations(range(len(messages))))
    seen = []
    for order in (orders[0], orders[choice % len(orders)]):
        world = prepared.fresh()
        for day, position in enumerate(order):
            night = NIGHT + timedelta(days=day)
            world.deliver(night, [message(*messages[position])], produced_at=AT + timedelta(minutes=position))
            world.run(night)
        seen.append((world.cases(), world.progress(NIGHT + timedelta(days=9))))
        for counts in world.counts():
            assert counts[0] == sum(counts[1:])
    assert seen[0] == seen[1]
