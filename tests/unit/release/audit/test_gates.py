"""Each gate of the audit lets sound figures pass, and names what it found when something is wrong."""

import io
from datetime import date
from pathlib import Path

import pandas as pd
import pytest

from regsosek.errors import AuditError, ConfigurationError
from regsosek.release.audit.additivity import additivity_faults
from regsosek.release.audit.audit import AuditCheck, require_passed
from regsosek.release.audit.conservation import LedgerCounts, delivery_faults
from regsosek.release.audit.published_rules import load_rules, rule_faults
from regsosek.settings import PROJECT_ROOT
from regsosek.statistics.counts.tree import add_up
from regsosek.statistics.definitions.definitions import definitions
from regsosek.warehouse.tables import PROGRESS_MEASURES, ROW_STATES
from support.checks.matrix import FULL
from support.figures import made_up

NIGHT = date(2022, 10, 23)


def counted(state: str, received: int, **states: int) -> LedgerCounts:
    return LedgerCounts("X", NIGHT, state, "keluarga", received, dict.fromkeys(ROW_STATES, 0) | states)


PRESENT = {("X", "keluarga", "received"): 3, ("X", "keluarga", "loaded"): 2, ("X", "keluarga", "quarantined"): 1}


@pytest.mark.parametrize(
    ("line", "present", "told"),
    [
        (counted("accepted", 3, loaded=2, quarantined=1), PRESENT, None),
        (counted("accepted", 4, loaded=2, quarantined=1), PRESENT, "4 rows of keluarga received, 3 accounted for"),
        (counted("accepted", 3, loaded=3), PRESENT, "3 rows of keluarga loaded, 2 stored"),
        (counted("accepted", 3, loaded=2, quarantined=1), {}, "3 rows of keluarga received, 0 stored"),
        (counted("rejected", 3, rejected=3), {}, None),
        (counted("held", 3, held=3), {}, None),
        (counted("rejected", 3, rejected=3), PRESENT, "it was not accepted"),
        (counted("registered", 0), {}, "not decided"),
    ],
)
def test_conservation_of_a_delivery(
    line: LedgerCounts, present: dict[tuple[str, str, str], int], told: str | None
) -> None:
    faults = delivery_faults([line], present)
    assert (faults == []) if told is None else any(told in fault for fault in faults)


def additivity(measure: str | None = None, column: str = "completion") -> list[str]:
    tree = made_up.completion()
    days = made_up.daily(tree, NIGHT)
    whole = days.groupby("code")[list(PROGRESS_MEASURES)].sum()
    for code in whole.index:  # the made-up days are rounded; the last one takes the rest
        last = days.index[(days["code"] == code)][-1]
        for each in PROGRESS_MEASURES:
            rest = int(tree.loc[tree["code"] == code, each].iloc[0]) - int(whole.loc[code, each])
            days.loc[last, each] += rest
    changes = tree[tree["level"] == "desa"][["code", *PROGRESS_MEASURES]].assign(visited=lambda own: own["visited"] - 1)
    before = tree.set_index("code")[list(PROGRESS_MEASURES)] - add_up(changes, tree)
    if measure:
        wrong = {"completion": tree, "daily": days}[column]
        wrong.loc[wrong["code"] == "35", measure] += 1
    return additivity_faults(before, changes, tree, days)


def test_a_sound_tree_adds_up() -> None:
    assert additivity() == []


@pytest.mark.parametrize("measure", PROGRESS_MEASURES)
def test_one_figure_too_many_is_found_at_its_region(measure: str) -> None:
    assert any(fault.startswith(f"region 35, {measure}:") for fault in additivity(measure))


def test_days_that_do_not_add_up_are_found() -> None:
    assert any("summed by day" in fault for fault in additivity("visited", "daily"))


def test_a_case_lost_between_levels_is_found() -> None:
    assert additivity("unmapped") == ["region 35: visited is not the sum of its children and of what is unmapped"]


def test_the_published_tables_keep_the_rules() -> None:
    assert rule_faults(load_rules(PROJECT_ROOT / "expectations"), made_up.built()) == []


@FULL
@pytest.mark.parametrize(
    ("table", "change", "told"),
    [
        ("provinsi.csv", lambda b: b.rsplit(b"\n", 2)[0] + b"\n", "R09"),
        ("desa.csv", lambda b: b.replace(b"kerangka,versi", b"menolak,versi"), "R37"),
        ("kabkota.csv", lambda b: b + b.split(b"\n")[-2] + b"\n", "R02"),
    ],
)
def test_a_broken_table_is_found_by_rule(table: str, change: object, told: str) -> None:
    files = made_up.built()
    files[table] = change(files[table])  # type: ignore[operator]
    assert any(
        f"{table}: rule {told}" in fault for fault in rule_faults(load_rules(PROJECT_ROOT / "expectations"), files)
    )


def test_a_table_that_is_not_there_is_found() -> None:
    files = made_up.built()
    del files["desa.csv"]
    assert "desa.csv: not in the release" in rule_faults(load_rules(PROJECT_ROOT / "expectations"), files)


def test_a_suite_without_ids_is_refused(tmp_path: Path) -> None:
    (tmp_path / "release.json").write_text('{"expectations": [{"type": "x", "kwargs": {}, "meta": {}}]}')
    with pytest.raises(ConfigurationError, match="lack id"):
        load_rules(tmp_path)


def test_all_faults_of_all_checks_are_told_at_once() -> None:
    checks = [AuditCheck("first", ("a", "b")), AuditCheck("second", ()), AuditCheck("third", ("c",))]
    with pytest.raises(AuditError, match=r"first: a; b \| third: c"):
        require_passed(NIGHT, checks)
    require_passed(NIGHT, [AuditCheck("second", ())])


@FULL
@pytest.mark.parametrize("column", ["column_A", "column_B"])
def test_a_night_without_any_such_day_is_evaluated_all_the_same(column: str) -> None:
    rules, files = load_rules(PROJECT_ROOT / "expectations"), made_up.built()
    dates = {each.column for each in definitions().values() if each.unit == "tanggal"}
    for rule in rules.expectations:
        emptied = rule["kwargs"].get(column)
        if rule["kwargs"].get("ignore_row_if") != "either_value_is_missing" or emptied not in dates:
            continue
        for name in rule["meta"]["tables"]:
            table = pd.read_csv(io.BytesIO(files[name]), dtype=str, keep_default_na=False)
            files[name] = table.assign(**{emptied: ""}).to_csv(index=False).encode()
    assert [fault for fault in rule_faults(rules, files) if "could not be evaluated" in fault] == []
