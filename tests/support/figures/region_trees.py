"""Random region trees with counts and denominators, for the laws that hold on any of them."""

from datetime import date
from typing import Any

import pandas as pd
from hypothesis import strategies as st

from regsosek.geography.calendar import FieldWindow
from regsosek.geography.plan import NONE_SUPPLIED, STEADY
from regsosek.geography.region_targets import NO_TARGETS
from regsosek.geography.regions import LEVELS, NATION
from regsosek.statistics.measures.denominators import SUMS, described
from regsosek.statistics.measures.region_figures import region_figures
from regsosek.warehouse.tables import PROGRESS_MEASURES

OPENS, CLOSES = date(2022, 10, 15), date(2022, 11, 14)
COUNTS = (*PROGRESS_MEASURES, "unmapped", "frame_families", *SUMS)


def windows(codes: list[str]) -> dict[str, FieldWindow]:
    return {code: FieldWindow(code, OPENS, CLOSES, plan=STEADY) for code in codes}


def rolled_up(desa: pd.DataFrame, tree: pd.DataFrame) -> pd.DataFrame:
    """``tree`` with the counts of its desa summed up to the nation."""
    sums = desa.set_index("code")[list(COUNTS)].reindex(tree["code"], fill_value=0)
    for level in reversed(LEVELS[1:]):
        children = tree[tree["level"] == level]
        upwards = sums.loc[children["code"]].groupby(children["parent_code"].to_numpy()).sum()
        sums = sums.add(upwards, fill_value=0)
    return tree.join(sums.astype("int64"), on="code")


def figures(counted: pd.DataFrame, night: date, known: set[str] | None = None) -> pd.DataFrame:
    """Denominators, shares and pace of a counted tree."""
    provinces = sorted(counted.loc[counted["level"] == "provinsi", "code"])
    opened = windows(provinces)
    counting = set(provinces) if known is None else known
    here = described(counted, opened, NO_TARGETS, counting)
    return region_figures(here, opened, NONE_SUPPLIED, night, counting)


def counted_row(**counts: Any) -> dict[str, Any]:
    """What one desa counts: zero but for ``counts``."""
    return {**dict.fromkeys(COUNTS, 0), **counts}


def small_tree() -> pd.DataFrame:
    """Nation, one province, two kab/kota of two kecamatan of one desa each."""
    rows: list[tuple[str, str, str | None, str | None]] = [
        (NATION, "nasional", None, None),
        ("11", "provinsi", NATION, "11"),
    ]
    for kabkota in ("1101", "1102"):
        rows.append((kabkota, "kabkota", "11", "11"))
        for kecamatan in (f"{kabkota}010", f"{kabkota}020"):
            rows += [(kecamatan, "kecamatan", kabkota, "11"), (f"{kecamatan}001", "desa", kecamatan, "11")]
    return framed(pd.DataFrame(rows, columns=["code", "level", "parent_code", "province"]))


def framed(tree: pd.DataFrame) -> pd.DataFrame:
    """The columns that the reference data give every region; no targets."""
    return tree.assign(
        name=tree["code"], frame_version="v1", target_version=None, target_source=None, scale=None, last_day=None,
        verified_version=None, target_families=pd.Series(pd.NA, index=tree.index, dtype="Int64"),
    )  # fmt: skip


@st.composite
def counted_trees(draw: st.DrawFn) -> pd.DataFrame:
    """A tree of up to two provinces with real province codes, its desa counting at random."""
    rows: list[tuple[str, str, str | None, str | None]] = [(NATION, "nasional", None, None)]
    desa: list[dict[str, Any]] = []
    for province in ("11", "12")[: draw(st.integers(1, 2))]:
        rows.append((province, "provinsi", NATION, province))
        for a in range(draw(st.integers(1, 3))):
            rows.append((kabkota := f"{province}0{a}", "kabkota", province, province))
            for b in range(draw(st.integers(1, 3))):
                rows.append((kecamatan := f"{kabkota}0{b}0", "kecamatan", kabkota, province))
                rows.append((code := f"{kecamatan}001", "desa", kecamatan, province))
                desa.append({"code": code, **draw(desa_counts())})
    tree = framed(pd.DataFrame(rows, columns=["code", "level", "parent_code", "province"]))
    return rolled_up(pd.DataFrame(desa), tree)


@st.composite
def desa_counts(draw: st.DrawFn) -> dict[str, Any]:
    """Counts that fit each other: what is found was visited, what is verified lies in the frame."""
    visited = draw(st.integers(0, 60))
    results = draw(st.lists(st.integers(0, visited // 6), min_size=5, max_size=5))
    named = dict(zip(("complete", "incomplete", "no_respondent", "refused", "moved"), results, strict=True))
    subsls, covered = draw(st.integers(0, 4)), draw(st.integers(0, 4))
    return counted_row(
        visited=visited,
        **named,
        found_families=draw(st.integers(0, visited)),
        frame_families=draw(st.integers(0, 50)),
        prelist_families=draw(st.integers(0, 50)),
        subsls_frame=subsls,
        subsls_verified=min(subsls, covered),
        verified_families=draw(st.integers(0, 40)) if covered else 0,
        visited_where_verified=draw(st.integers(0, visited)) if covered else 0,
        sls_prelist=subsls,
        sls_visited=draw(st.integers(0, 5)),
    )
