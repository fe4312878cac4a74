"""Two documents on one family are one family, and a replacement takes back families, never what others brought."""

from base64 import b64decode
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from ulid import ULID

from regsosek.alerts.nightly import alert_provinces
from regsosek.asking.quarantine import quarantined_cases, waiting_by_rule
from regsosek.night.deciding import free
from regsosek.night.replaying import replay
from regsosek.portal.views.quarantine import waiting_by_province
from regsosek.release.rereading.archived_cases import Archive, read_cases
from regsosek.release.rereading.full_reading import read_whole
from regsosek.release.rereading.second_reading import Headline, change_since
from regsosek.warehouse.nights.holding import shares_of
from regsosek.warehouse.nights.replacing import replaced_by
from support.checks.matrix import examples
from support.checks.traces_left import contents
from support.deliveries.families import DESA, PROVINCE
from support.worlds.field_world import FEW_RULES, CompiledJudge, Family, FieldWorld, family, faulty, withdrawal

NIGHT = date(2022, 10, 21)
NEXT = NIGHT + timedelta(days=1)
AT = datetime(2022, 10, 20, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
KEPT_RULES = (*FEW_RULES, "F04")


def states(world: FieldWorld) -> list[tuple[Any, ...]]:
    return world.rows("SELECT case_id, state, waiting FROM core.kasus_terkini ORDER BY case_id")


def figures(world: FieldWorld, night: date = NIGHT) -> tuple[int, ...]:
    """Visited, complete, quarantined, pending, conflicting."""
    return tuple(map(sum, zip(*(row[2:7] for row in world.progress(night)), strict=True)))


def read_again(world: FieldWorld, night: date, scratch: Path) -> Headline:
    """The whole of the archive, and what the last night changed by the nightly reading."""
    settings = world.resources.settings
    archive = Archive(world.resources.archive, scratch, settings.hash_keys)
    with world.resources.engine.begin() as connection:
        return read_whole(connection, archive, PROVINCE, night)


def changed_again(world: FieldWorld, after: date, night: date, scratch: Path) -> Headline:
    settings = world.resources.settings
    archive = Archive(world.resources.archive, scratch, settings.hash_keys)
    with world.resources.engine.begin() as connection:
        return change_since(read_cases(connection, archive, PROVINCE, after, night), after)


def require_conservation(world: FieldWorld) -> None:
    for counts in world.counts():
        assert counts[0] == sum(counts[1:])


def test_two_documents_in_quarantine_on_one_key_are_one_family_and_both_are_to_be_corrected(
    world: FieldWorld, tmp_path: Path
) -> None:
    world.deliver(NIGHT, [family("A"), family("B"), family("C", number=2)], produced_at=AT)
    world.run(NIGHT)
    speaking = [case for case, state, _ in states(world) if state == "quarantined"]
    assert len(speaking) == 1
    assert {(case, waiting) for case, _, waiting in states(world)} == {
        ("A", "quarantined"),
        ("B", "quarantined"),
        ("C", None),
    }
    assert figures(world) == (2, 1, 1, 0, 1)
    assert world.counts() == [(3, 1, 2, 0, 0, 0, 0)]
    assert read_again(world, NIGHT, tmp_path) == Headline(2, 1)
    with world.resources.engine.connect() as connection:
        assert [(case.case_id, case.state) for case in quarantined_cases(connection, PROVINCE)] == [
            ("A", "quarantined"),
            ("B", "quarantined"),
        ]
        assert [(each.rule_id, each.cases) for each in waiting_by_rule(connection, PROVINCE)] == [("F04", 2)]
        assert waiting_by_province(connection, [PROVINCE], NIGHT)[0].families == 2


@pytest.mark.parametrize("clean_first", [True, False])
def test_an_accepted_document_speaks_before_a_newer_one_in_quarantine(
    world: FieldWorld, tmp_path: Path, clean_first: bool
) -> None:
    sent = [(family("A"), AT), (faulty("B", 3), AT + HOUR)]
    for night, (case, produced_at) in enumerate(sent if clean_first else sent[::-1]):
        world.deliver(NIGHT + timedelta(days=night), [case], produced_at=produced_at)
        world.run(NIGHT + timedelta(days=night))
    assert states(world) == [("A", "loaded", None), ("B", "conflicting", "quarantined")]
    assert figures(world, NEXT) == (1, 1, 0, 0, 1)
    assert read_again(world, NEXT, tmp_path) == Headline(1, 1)


def test_the_end_of_a_contest_is_told_as_its_cause(world: FieldWorld, tmp_path: Path) -> None:
    world.deliver(NIGHT, [family("A"), family("B")], produced_at=AT)
    world.run(NIGHT)
    [loser] = [case for case, state, _ in states(world) if state == "conflicting"]
    [winner] = {"A", "B"} - {loser}
    world.deliver(NEXT, [family(winner, 2, number=2)], produced_at=AT + HOUR)
    world.run(NEXT)
    assert world.rows(
        "SELECT cause, sum(visited)::int, sum(complete)::int, sum(quarantined)::int, sum(conflicting)::int "
        "FROM mart.change WHERE night = :night GROUP BY 1 ORDER BY 1",
        night=NEXT,
    ) == [("conflicting", 1, 0, 1, -1), ("corrected", 0, 1, -1, 0)]
    assert figures(world, NEXT) == (2, 1, 1, 0, 0)
    assert changed_again(world, NIGHT, NEXT, tmp_path) == Headline(1, 1)


@pytest.mark.parametrize("key", [{"r109_no_bangunan": ""}, {"id_subsls": "3578010001000100"}], ids=["none", "nowhere"])
def test_a_key_that_cannot_be_read_joins_no_families(world: FieldWorld, tmp_path: Path, key: dict[str, str]) -> None:
    world.deliver(NIGHT, [faulty("A", **key), faulty("B", **key)], produced_at=AT)
    world.run(NIGHT)
    assert figures(world) == (2, 0, 2, 0, 0)
    assert read_again(world, NIGHT, tmp_path) == Headline(2, 0)


def replaced(world: FieldWorld, untouched: Sequence[Family], first: Sequence[Family], second: Sequence[Family]) -> None:
    """Three deliveries of three nights; the last replaces the second."""
    world.deliver(NIGHT, list(untouched), produced_at=AT)
    world.run(NIGHT)
    former = world.deliver(NEXT, list(first), produced_at=AT + HOUR)
    world.run(NEXT)
    third = NEXT + timedelta(days=1)
    world.deliver(third, list(second), produced_at=AT + 2 * HOUR, supersedes=[former])
    world.run(third)
    require_conservation(world)


# What an untouched delivery and the replaced one say of family B, which the replacement does not name, and what holds.
LEFT_OUT = {
    "only there": ([], [family("B", number=2)], "withdrawn"),
    "repeated": ([family("B", number=2)], [family("B", number=2)], "loaded"),
    "corrected": ([family("B", number=2)], [family("B", 2, number=2)], "loaded"),
    "corrected badly": ([family("B", number=2)], [faulty("B", 2, number=2)], "pending"),
    "in quarantine before": ([faulty("B", number=2)], [family("B", 2, number=2)], "loaded"),
    "withdrawn before": ([withdrawal("B", 1, number=2)], [family("B", 2, number=2)], "withdrawn"),
}


@pytest.mark.parametrize("said", LEFT_OUT)
def test_a_replacement_withdraws_what_no_delivery_that_stands_brings(
    world: FieldWorld, tmp_path: Path, said: str
) -> None:
    before, replaced_one, holds = LEFT_OUT[said]
    replaced(world, [family("A"), *before], [family("C", number=3), *replaced_one], [family("C", number=3)])
    assert dict(row[:2] for row in states(world)) == {"A": "loaded", "B": holds, "C": "loaded"}
    third = NEXT + timedelta(days=1)
    assert read_again(world, third, tmp_path).visited == figures(world, third)[0]


def test_what_is_left_out_of_every_delivery_that_brought_it_is_withdrawn(world: FieldWorld, tmp_path: Path) -> None:
    first = world.deliver(NIGHT, [family("A"), family("B", number=2)], produced_at=AT)
    second = world.deliver(NIGHT, [family("B", number=2)], produced_at=AT + HOUR)
    world.deliver(NIGHT, [family("A")], produced_at=AT + 2 * HOUR, supersedes=[first, second])
    world.run(NIGHT)
    assert states(world) == [("A", "loaded", None), ("B", "withdrawn", None)]
    assert read_again(world, NIGHT, tmp_path) == Headline(1, 1)


def listed_first(world: FieldWorld, families: Sequence[Family], supersedes: Sequence[str]) -> str:
    """A delivery that was produced last and whose id sorts first."""
    later = {"produced_at": (AT + 2 * HOUR).isoformat()}
    return world.deliver(NIGHT, list(families), produced_at=AT, supersedes=supersedes, spoil=later)


def test_a_replacement_is_received_after_what_it_replaces_whichever_is_listed_first(
    world: FieldWorld, tmp_path: Path
) -> None:
    former = world.deliver(NIGHT, [family("A", 3), family("B", number=2), family("C", number=3)], produced_at=AT + HOUR)
    listed_first(world, [family("A", 1, r302_luas_lantai="99")], [former])
    world.run(NIGHT)
    assert [case[:4] for case in world.cases()] == [
        ("A", "loaded", 1, 99),
        ("B", "withdrawn", None, None),
        ("C", "withdrawn", None, None),
    ]
    assert read_again(world, NIGHT, tmp_path) == Headline(1, 1)
    before = contents(world, (NIGHT,))
    replay(world.resources, NIGHT, [PROVINCE])
    assert contents(world, (NIGHT,)) == before


def test_deliveries_that_replace_each_other_are_received_as_they_are_listed(world: FieldWorld) -> None:
    other = str(ULID.from_datetime(AT + HOUR))
    first = listed_first(world, [family("A")], [other])
    world.deliver(
        NIGHT,
        [family("B", number=2)],
        produced_at=AT + HOUR,
        supersedes=[first],
        delivery_id=other,
    )
    assert world.run(NIGHT).states == {"accepted": 2}
    require_conservation(world)


@pytest.mark.parametrize(("named", "state", "visited"), [(16, "accepted", 16), (15, "held", 20)])
def test_a_replacement_is_held_for_more_than_a_fifth_withdrawn_and_counts_once_freed(
    world: FieldWorld, named: int, state: str, visited: int
) -> None:
    first = world.deliver(NIGHT, [family(f"D{n}", number=n) for n in range(1, 21)], produced_at=AT)
    world.run(NIGHT)
    families = [family(f"D{n}", 2, number=n) for n in range(1, named + 1)]
    second = world.deliver(NEXT, families, produced_at=AT + HOUR, supersedes=[first])
    assert world.run(NEXT).states == {state: 1}
    assert figures(world, NEXT)[0] == visited
    with world.resources.engine.connect() as connection:
        [of_kabkota] = replaced_by(connection, PROVINCE, second)
        assert (of_kabkota.families, of_kabkota.withdrawn, of_kabkota.kept) == (20, 20 - named, 0)
        assert of_kabkota.code == DESA[:4] and of_kabkota.name, "whoever reads it knows kab/kota by name"
        assert [share.exceeded for share in shares_of(connection, PROVINCE, second) if share.dataset == "replaced"] == [
            state == "held"
        ]
    if state == "held":
        free(world.resources, PROVINCE, second, world.suites, by="tester", reason="the office left them out on purpose")
        assert figures(world, NEXT)[0] == named


def test_what_is_withdrawn_is_told_once_with_its_denominator_and_a_replay_finds_it_again(
    world: FieldWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("regsosek.night.discovery.applicable_rules.Judge", CompiledJudge)
    replaced(
        world,
        [family("B", number=2)],
        [family("A"), family("B", number=2), family("C", number=3), family("D", number=4)],
        [family("A")],
    )
    third = NEXT + timedelta(days=1)
    for night in (third, third + timedelta(days=1)):
        world.run(night)
        alert_provinces(world.resources.alerter, world.resources.settings, night, provinces=[PROVINCE])
    kinds = (
        "SELECT night, level, families FROM alert.condition WHERE kind = 'REPLACED' AND state = 'open' ORDER BY 1, 2"
    )
    assert world.rows(kinds) == [(third, "kabkota", 2), (third, "provinsi", 2)]
    [(body, attachments)] = world.rows("SELECT body, attachments FROM alert.outbox WHERE night = :night", night=third)
    body = " ".join(body.split())
    assert "2 dari 4 keluarga dalam kiriman yang digantikan (50,0 %) tidak disebut lagi dan ditarik dari angka." in body
    assert "1 keluarga lain yang tidak disebut tetap dihitung karena ada dalam kiriman lain." in body
    assert "KELUARGA DITARIK OLEH KIRIMAN PENGGANTI" in body
    listed = b64decode(attachments[0]["content"]).decode("utf-8-sig")
    assert "2 dari 4 keluarga dalam kiriman yang digantikan" in listed
    told = world.rows("SELECT night, why FROM alert.told WHERE kind = 'REPLACED'")
    assert {night for night, _ in told} == {third}
    noted = world.rows("SELECT region_code, families, withdrawn, kept FROM ledger.replacement")
    assert noted == [(DESA[:4], 4, 2, 1)]
    before = contents(world, (NIGHT, NEXT, third))
    replay(world.resources, NIGHT, [PROVINCE])
    assert contents(world, (NIGHT, NEXT, third)) == before


@pytest.mark.parametrize("order", [(0, 1), (1, 0)], ids=str)
def test_answers_that_one_delivery_is_accepted_with_are_accepted_whichever_came_first(
    world: FieldWorld, tmp_path: Path, order: tuple[int, int]
) -> None:
    contested = [family("B", number=5), family("C", number=5)]
    deliveries = [contested, contested[:1]]
    for day, number in enumerate(order):
        produced = AT + timedelta(minutes=number)
        world.deliver(NIGHT + timedelta(days=day), deliveries[number], produced_at=produced)
        world.run(NIGHT + timedelta(days=day))
    assert states(world) == [("B", "loaded", None), ("C", "conflicting", "quarantined")]
    assert figures(world, NEXT) == (1, 1, 0, 0, 1)
    assert read_again(world, NEXT, tmp_path) == Headline(1, 1)
    require_conservation(world)


KINDS = ("clean", "other", "faulty", "withdrawn", "contested", "contested badly", "keyless", "unknown")
SENT = st.tuples(st.sampled_from("ABC"), st.integers(1, 3), st.sampled_from(KINDS))
DELIVERIES = st.lists(
    st.tuples(st.lists(SENT, min_size=1, max_size=3, unique_by=lambda sent: sent[0]), st.sets(st.integers(0, 2))),
    min_size=2,
    max_size=4,
)


def sent(document: str, versi: int, kind: str) -> Family:
    number = "ABC".index(document) + 1
    changes = {
        "other": {"r302_luas_lantai": "99"},
        "faulty": {"r303_lantai": "0"},
        "contested badly": {"r303_lantai": "0"},
        "keyless": {"r303_lantai": "0", "r109_no_bangunan": ""},
        "unknown": {"r303_lantai": "0", "id_subsls": DESA + "999900"},
    }.get(kind, {})
    if kind == "withdrawn":
        return withdrawal(document, versi, number=number)
    return family(document, versi, number=5 if kind.startswith("contested") else number, **changes)


def possible(order: Sequence[int], deliveries: Sequence[tuple[Any, set[int]]]) -> bool:
    """A delivery can only replace one that is known."""
    return all(order.index(each) < place for place, n in enumerate(order) for each in deliveries[n][1] if each < n)


@settings(max_examples=examples(3), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(deliveries=DELIVERIES, choice=st.integers(0, 23))
def test_any_order_of_arrival_leaves_the_same_families_and_both_readings_agree(
    prepared: FieldWorld, tmp_path_factory: pytest.TempPathFactory, deliveries: list[Any], choice: int
) -> None:
    orders = [each for each in permutations(range(len(deliveries))) if possible(each, deliveries)]
    seen = []
    for order in (orders[0], orders[choice % len(orders)]):
        world, ids = prepared.fresh(), dict[int, str]()
        for day, number in enumerate(order):
            messages, supersedes = deliveries[number]
            night, former = NIGHT + timedelta(days=day), [ids[each] for each in sorted(supersedes) if each < number]
            ids[number] = world.deliver(
                night,
                [sent(*message) for message in messages],
                produced_at=AT + timedelta(minutes=number),
                supersedes=former,
            )
            world.run(night)
            known = figures(world, night) or (0,) * 5
            scratch = tmp_path_factory.mktemp("again")
            assert read_again(world, night, scratch) == Headline(*known[:2])
            before = figures(world, night - timedelta(days=1)) or (0,) * 5
            changed = Headline(known[0] - before[0], known[1] - before[1])
            assert changed_again(world, night - timedelta(days=1), night, scratch) == changed
        require_conservation(world)
        held_keys = world.rows(
            "SELECT id_subsls, r109_no_bangunan, r110_no_keluarga, count(*) FROM core.kasus_terkini WHERE state IN "
            "('loaded', 'pending', 'quarantined') AND id_subsls || r109_no_bangunan || r110_no_keluarga IS NOT NULL "
            "GROUP BY 1, 2, 3 HAVING count(*) > 1"
        )
        assert held_keys == []
        seen.append((states(world), figures(world, NIGHT + timedelta(days=9))))
    assert seen[0] == seen[1]
