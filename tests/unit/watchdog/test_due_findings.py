"""When a finding is told: at its beginning, again after hours, once at its end, whatever rounds are missed or fail."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from regsosek.watchdog.checks import RoundFindings
from regsosek.watchdog.due_findings import DueReason, Step, confirmed, step
from regsosek.watchdog.finding import Finding, FindingKind
from regsosek.watchdog.observing.limits import limits
from regsosek.watchdog.state import Memory, merged, read, written

START = datetime(2022, 10, 25, 20, tzinfo=UTC)
RULES = limits().telling
LATE = Finding(FindingKind.RELEASE_LATE, "night 2022-10-25")
MUTE = Finding(FindingKind.PROVINCE_SILENT, "94 Papua", "94")


def minutes(n: int) -> datetime:
    return START + timedelta(minutes=n)


def round_(memory: Memory, n: int, *found: Finding, blind: frozenset[FindingKind] = frozenset(), sent: bool = True,
           silenced: tuple[str, ...] = ()) -> tuple[Memory, list[str]]:  # fmt: skip
    taken: Step = step(memory, RoundFindings(found, blind), minutes(n), RULES, silenced)
    kept = confirmed(taken.memory, taken.told, minutes(n)) if sent else taken.memory
    return kept, [f"{each.why} {each.finding.key}" for each in taken.told]


def test_it_begins_stands_and_ends() -> None:
    memory, told = round_(Memory(), 0, LATE)
    assert told == ["began RELEASE_LATE"]
    for n in (15, 30, 345):
        memory, told = round_(memory, n, LATE)
        assert told == []
    memory, told = round_(memory, 360, LATE)
    assert told == ["stands RELEASE_LATE"]
    memory, told = round_(memory, 375)
    assert told == []
    memory, told = round_(memory, 390)
    assert told == ["over RELEASE_LATE"]
    memory, told = round_(memory, 405)
    assert told == []
    memory, told = round_(memory, 420, LATE)
    assert told == ["began RELEASE_LATE"]
    assert memory.standing[0].began_at == minutes(420)


def test_what_comes_and_goes_is_one_finding() -> None:
    memory, said = Memory(), []
    for n in range(0, 20 * 15, 15):
        memory, told = round_(memory, n, *((LATE,) if n % 30 == 0 else ()))
        said += told
    assert said == ["began RELEASE_LATE"]


def test_what_could_not_be_judged_is_not_over() -> None:
    memory, _ = round_(Memory(), 0, LATE)
    for n in (15, 30, 45, 60):
        memory, told = round_(memory, n, blind=frozenset({FindingKind.RELEASE_LATE}))
        assert told == []
    assert [each.kind for each in memory.standing] == [FindingKind.RELEASE_LATE]


def test_what_nobody_took_is_told_by_the_next_round() -> None:
    memory, told = round_(Memory(), 0, LATE, sent=False)
    memory, told = round_(memory, 15, LATE)
    assert told == ["began RELEASE_LATE"]
    memory, _ = round_(memory, 45, sent=False)
    memory, told = round_(memory, 60)
    assert told == ["over RELEASE_LATE"]
    never, _ = round_(Memory(), 0, LATE, sent=False)
    never, told = round_(never, 60)
    assert told == []  # its beginning reached nobody: its end is no news
    assert never.standing == ()


def test_a_silence_keeps_it_and_tells_it_afterwards() -> None:
    memory, told = round_(Memory(), 0, MUTE, LATE, silenced=(MUTE.key,))
    assert told == ["began RELEASE_LATE"]
    memory, told = round_(memory, 15, MUTE, LATE)
    assert told == ["began PROVINCE_SILENT:94"]
    assert {each.began_at for each in memory.standing} == {START}


def test_two_watchdogs_that_share_what_they_told_tell_once() -> None:
    first, told = round_(Memory().with_round("dag", START), 0, LATE)
    assert told
    second, told = round_(merged([Memory(), first]), 7, LATE)
    assert told == []
    assert merged([second.with_round("command", minutes(7)), first]).rounds == {"dag": START, "command": minutes(7)}


def test_the_later_knowledge_of_a_finding_wins_whichever_is_read_first() -> None:
    old, _ = round_(Memory(), 0, LATE)
    new, _ = round_(old, 60)
    for memories in ([old, new], [new, old]):
        assert merged(memories).standing == ()
        assert merged(memories).records == new.records


def test_memory_survives_being_written_and_a_broken_file_is_none() -> None:
    memory, _ = round_(Memory().with_round("dag", START), 0, LATE, MUTE)
    assert read(written(memory)) == memory
    assert read(b"{") is None
    assert read(None) is None


def test_what_is_long_over_is_forgotten() -> None:
    memory, _ = round_(Memory(), 0, LATE)
    memory, _ = round_(memory, 60)
    assert memory.records
    memory, _ = round_(memory, 60 + 7 * 24 * 60)
    assert memory.records == {}


@given(st.lists(st.tuples(st.booleans(), st.booleans(), st.booleans(), st.integers(1, 500)), max_size=40))
def test_begins_and_ends_alternate_whatever_rounds_see(rounds: list[tuple[bool, bool, bool, int]]) -> None:
    memory, reached, n, last_told = Memory(), [], 0, None
    for present, blind, sent, wait in rounds:
        n += wait
        kinds = frozenset({LATE.kind}) if blind else frozenset()
        memory, told = round_(memory, n, *((LATE,) if present else ()), blind=kinds, sent=sent)
        assert len(told) <= 1
        if told and sent:
            reached.append(told[0].split()[0])
            if reached[-1] == DueReason.STANDS:
                assert last_told is not None and n - last_told >= 360
            last_told = n
    without_repeats = [why for why in reached if why != DueReason.STANDS]
    assert without_repeats == [DueReason.OVER if n % 2 else DueReason.BEGAN for n in range(len(without_repeats))]
