"""Where each province stands among the others by its gap to the plan, and how many places it moved since a release.

Both ranks are of what was published: the former one of all provinces that the former release judged. What nobody can
judge has no rank.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from regsosek.release.site.page_table import Cell, PageContext, Table, TableColumn
from regsosek.wording.number_form import NOTHING

_DECIMALS = 2  # as the tables write a gap: who reads the same has the same rank


def ranks(gaps: Mapping[str, float | None]) -> dict[str, int]:
    """The rank of each that has a gap, 1 for the highest; equal gaps share one, and the next is left out."""
    known = {code: round(float(gap), _DECIMALS) for code, gap in gaps.items() if gap is not None}
    return {code: 1 + sum(other > own for other in known.values()) for code, own in known.items()}


def with_ranks(context: PageContext, table: Table, codes: Sequence[str]) -> Table:
    """The table of provinces with their ranks in its first column, and what they mean in its caption.

    Args:
        codes: of the regions of its lines.
    """
    now = ranks({row["code"]: row["gap_points"] for row in context.atlas.of_level("provinsi")})
    before = ranks(context.atlas.figures.changes.gaps_before)
    lines = [
        replace(line, cells=[_cell(context, now.get(code), before.get(code)), *line.cells])
        for line, code in zip(table.lines, codes, strict=True)
    ]
    columns = [TableColumn(context.language.texts["col_rank"]), *table.columns]
    return replace(table, caption=f"{table.caption} {_told(context, now, before)}", columns=columns, lines=lines)


def _cell(context: PageContext, now: int | None, before: int | None) -> Cell:
    if now is None:
        return Cell(NOTHING)
    return Cell(f"{now} ({_moved(context, before - now)})" if before else str(now), str(now))


def _moved(context: PageContext, places: int) -> str:
    key = "rank_same" if not places else "rank_up" if places > 0 else "rank_down"
    return context.language.say(key, places=abs(places))


def _told(context: PageContext, now: Mapping[str, int], before: Mapping[str, int]) -> str:
    language, former = context.language, context.atlas.figures.changes.former_night
    told = language.say("rank_told", count=len(now))
    if former is None or not before:
        return told
    moved = language.say("rank_moved", former=language.written.night_date(former), count=len(before))
    return f"{told} {moved}"
