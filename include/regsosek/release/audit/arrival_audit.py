"""Whether the calendar and the quality by rule agree with the other tables of the release; from their bytes.

Both come from the ledger. What arrived by night comes from the statistics, and what is held from the state of the
provinces: three ways to the same families.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta

import pandas as pd

from regsosek.geography.regions import NATION
from regsosek.release.audit.published_rules import read_table
from regsosek.statistics.definitions.definitions import definitions
from regsosek.statistics.nights.arrivals_calendar import BY_STATE
from regsosek.statistics.nights.rule_violations import RULE_COUNTS

CALENDAR_FILE, RULES_FILE, ARRIVALS_FILE, PROVINCES_FILE = "kalender.csv", "mutu.csv", "kedatangan.csv", "provinsi.csv"
SHOWN = 5


def calendar_faults(files: Mapping[str, bytes]) -> list[str]:
    """What does not hold in ``kalender.csv``: a cell too few or too many, or families that another table denies."""
    calendar, arrived = _read(files[CALENDAR_FILE]), _read(files[ARRIVALS_FILE])
    provinces = _read(files[PROVINCES_FILE]).set_index("code")
    arrived = arrived[arrived["code"] != NATION].rename(columns={"arrival_night": "campaign_night"})
    cell = ["code", "campaign_night"]
    both = calendar.groupby(cell)[["received", "late"]].sum().add_suffix("_shown")
    both = both.join(arrived.set_index(cell)[["received", "late"]], how="outer").fillna(0)
    by_state, deliveries = calendar[list(BY_STATE)].sum(axis=1), calendar["deliveries"].fillna(0)
    held = calendar.groupby("code")["held_of_night"].sum().reindex(provinces.index, fill_value=0)
    return [
        *_missing_cells(calendar, list(provinces.index)),
        *_told(both.index[both["received_shown"] != both["received"]], f"received differs from {ARRIVALS_FILE}"),
        *_told(both.index[both["late_shown"] != both["late"]], f"late differs from {ARRIVALS_FILE}"),
        *_told(calendar.index[deliveries != by_state], "deliveries are not the sum of their states"),
        *_told(held.index[held != provinces["held_families"]], f"families held differ from {PROVINCES_FILE}"),
    ]


def _missing_cells(calendar: pd.DataFrame, provinces: Sequence[str]) -> Iterator[str]:
    """Every province has one cell for each night from the first one to the release's."""
    if calendar.empty:
        yield f"{CALENDAR_FILE}: no nights"
        return
    last = pd.Timestamp(calendar["night"].iloc[0])
    first = pd.Timestamp(calendar["campaign_night"].min())
    nights = [str(day.date()) for day in pd.date_range(first, last, freq=timedelta(days=1))]
    expected = pd.MultiIndex.from_product([provinces, nights])
    cells = pd.MultiIndex.from_frame(calendar[["code", "campaign_night"]])
    yield from _told(expected.symmetric_difference(cells), "cell missing, or of no province or night")


def rule_table_faults(files: Mapping[str, bytes]) -> list[str]:
    """What does not hold in ``mutu.csv``: the nation and its provinces, and families judged against those received."""
    rules, arrived = _read(files[RULES_FILE]), _read(files[ARRIVALS_FILE])
    tonight = arrived[arrived["arrival_night"] == arrived["night"]]
    return [
        *_faults_of_the_nation(rules),
        *_more_than_received(rules, "judged", arrived),
        *_more_than_received(rules, "judged_tonight", tonight),
    ]


def _faults_of_the_nation(rules: pd.DataFrame) -> Iterator[str]:
    """Every row that a rule judged is in a province, whether it violates the rule or not."""
    rule = ["rule_dataset", "rule_id", "severity"]
    parts = rules[rules["code"] != NATION].groupby(rule)[list(RULE_COUNTS)].sum()
    whole = rules[rules["code"] == NATION].set_index(rule)
    parts = parts.reindex(parts.index.union(whole.index), fill_value=0)
    whole = whole.reindex(parts.index)
    wrong = (whole[list(RULE_COUNTS)] != parts).any(axis="columns")
    yield from _told(parts.index[wrong], "the nation is not its provinces", RULES_FILE)


def _more_than_received(rules: pd.DataFrame, counted: str, arrived: pd.DataFrame) -> Iterator[str]:
    families = rules[rules["rule_dataset"] == "keluarga"].set_index(["code", "rule_id"])
    codes = families.index.get_level_values("code")
    received = arrived.groupby("code")["received"].sum().reindex(codes, fill_value=0)
    too_many = families[counted].to_numpy() > received.to_numpy()
    yield from _told(families.index[too_many], f"{counted}: more than received", RULES_FILE)


def _read(content: bytes) -> pd.DataFrame:
    fields = {each.column: field for field, each in definitions().items()}
    return read_table(content).rename(columns=fields)


def _told(at_fault: pd.Index, what: str, file: str = CALENDAR_FILE) -> Iterator[str]:
    for cell in at_fault[:SHOWN]:
        where = " ".join(map(str, cell)) if isinstance(cell, tuple) else str(cell)
        yield f"{file}: {where}: {what}"
    if len(at_fault) > SHOWN:
        yield f"{file}: {len(at_fault) - SHOWN} more: {what}"
