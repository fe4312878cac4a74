"""Conditions gathered to lines: nothing lost, nobody counted twice, the order of urgency kept."""

from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from regsosek.alerts.conditions.condition import Kind, Notification, Place, Severity, State, Why
from regsosek.alerts.sentences.grouping import by_kabkota, kabkota_lines, province_lines, recovered, still_open, worst
from support.worlds.notified_conditions import BALIKPAPAN, BERAU, NIGHT, PROVINCE, sub_sls, told

KINDS = [kind for kind in Kind if kind is not Kind.PIPELINE_FAULT]
PLACES = [PROVINCE, BERAU, BALIKPAPAN, *(sub_sls(n, k) for n in (1, 2) for k in ("6403", "6471")),
          Place("petugas", "P1", "", "6403"), Place("desa", "6471010001", "", "6471")]  # fmt: skip
TOLD = st.lists(
    st.builds(told, st.sampled_from(KINDS), st.sampled_from(PLACES), families=st.integers(0, 500),
              why=st.sampled_from(Why), severity=st.sampled_from(Severity)),
    max_size=12,
)  # fmt: skip


@given(TOLD)
def test_every_condition_stands_in_exactly_one_line(conditions: list[Notification]) -> None:
    lines = (*province_lines(conditions), *kabkota_lines(conditions))
    assert sorted(map(id, (each for line in lines for each in line.told))) == sorted(map(id, conditions))
    for line in lines:
        assert worst(line.told) is line.severity
        assert max(t.condition.families for t in line.told) <= line.families <= sum(
            t.condition.families for t in line.told
        )  # fmt: skip
    assert len(still_open(conditions)) + len(recovered(conditions)) == len(conditions)


@given(TOLD)
def test_lines_and_kabkota_keep_the_order_of_urgency(conditions: list[Notification]) -> None:
    lines = kabkota_lines(conditions)
    firsts = [conditions.index(line.told[0]) for line in lines]
    assert firsts == sorted(firsts)
    groups = by_kabkota(lines)
    assert [group[0].kabkota for group in groups] == list(dict.fromkeys(line.kabkota for line in lines))


def test_a_line_speaks_for_all_below_its_kabkota() -> None:
    silent = [
        told(Kind.NO_DATA, sub_sls(1), families=40, since=date(2022, 10, 24), figures={"silent_nights": 3, "load": 40}),
        told(Kind.NO_DATA, sub_sls(2), families=60, why=Why.ESCALATED, severity=Severity.CRITICAL,
             figures={"silent_nights": 2, "load": 60, "plan_percent": 48}),
    ]  # fmt: skip
    [line] = kabkota_lines(silent)
    assert (line.kabkota, line.level, line.families, line.severity) == ("6403", "subsls", 100, Severity.CRITICAL)
    assert (line.since, line.why) == (date(2022, 10, 24), Why.ESCALATED)
    assert line.figures == {"silent_nights": 3, "load": 100, "plan_percent": 48}
    [whole] = kabkota_lines([told(Kind.NO_DATA, BERAU, families=300), *silent])
    assert (whole.level, whole.families, whole.since) == ("kabkota", 300, date(2022, 10, 24))


def test_percentages_are_never_added() -> None:
    [line] = kabkota_lines([told(Kind.BEHIND, sub_sls(n), figures={"plan_percent": 40.0 + n}) for n in (1, 2)])
    assert line.figures == {}


def test_what_has_recovered_is_not_open() -> None:
    gone = told(Kind.BEHIND, BERAU, why=Why.RECOVERED)
    resolved = told(Kind.BEHIND, BERAU, state=State.RESOLVED)
    here = told(Kind.BEHIND, BALIKPAPAN, since=NIGHT)
    assert still_open([gone, here, resolved]) == (here,)
    assert recovered([gone, here, resolved]) == (gone, resolved)
