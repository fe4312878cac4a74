"""Tables as the templates draw them: a head, columns that explain themselves, lines of written cells."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from regsosek.geography.regions import NATION
from regsosek.release.site.addresses import PAGE_LEVELS, Address, page_path
from regsosek.release.site.atlas import Atlas, Row, lags
from regsosek.release.site.language import Language
from regsosek.statistics.definitions.definitions import definitions, needed_beside

BEHIND, AHEAD, GAP = "behind", "ahead", "gap"
_TEXT_UNITS = ("teks",)


@dataclass(frozen=True)
class TableColumn:
    """The head of a column; ``field`` leads to its line of the glossary, where it has one."""

    label: str
    field: str = ""
    text: bool = False


@dataclass(frozen=True)
class Cell:
    """One cell: ``sort`` orders a column where the text would not; ``href`` makes it a link; ``kind`` styles it."""

    text: str
    sort: str = ""
    href: str = ""
    kind: str = ""


@dataclass(frozen=True)
class TableRow:
    """A row: its head, its cells; ``status`` stands under its head, where it stays in sight."""

    head: Cell
    cells: Sequence[Cell]
    kind: str = ""
    status: Cell | None = None


@dataclass(frozen=True)
class Table:
    """A table with a caption; ``id`` is unique on its page."""

    id: str
    caption: str
    head: str
    columns: Sequence[TableColumn]
    lines: Sequence[TableRow]
    sortable: bool = False


@dataclass
class PageContext:
    """What one page in one language is written with; notes which figures it shows, for its glossary."""

    atlas: Atlas
    language: Language
    address: Address
    used: dict[str, None] = field(default_factory=dict)

    def column(self, name: str) -> TableColumn:
        """The column of a figure; what it divides is explained with it."""
        definition = definitions()[name]
        self.used[name] = None
        if definition.is_share:
            self.used.update(dict.fromkeys(needed_beside(definition)))
        return TableColumn(self.language.name(name), name, definition.unit in _TEXT_UNITS)

    def figure(self, row: Row, name: str) -> str:
        """A figure of a row as text; a status within limits says the limit, exactly where the gap looks alike."""
        told = self.language.figure(name, row.get(name))
        limit = row.get("limit_points") if name == "status" else None
        if limit is None:
            return told
        written = self.language.written
        gap, bound = written.told_apart(-row["gap_points"], -limit)
        text = "status_within" if bound == written.plain_decimal(-limit) else "status_within_closely"
        return self.language.say(text, status=told, gap=gap, limit=bound)

    def cell(self, row: Row, name: str) -> Cell:
        """A figure of a row as a cell."""
        value = row.get(name)
        return Cell(self.figure(row, name), "" if value is None else str(value), kind=_kind(row, name, value))

    def region_link(self, row: Row) -> str:
        """The page of a region, or its place on that of its kab/kota; nothing where it has none."""
        if row["code"] not in self.atlas.regions:
            return ""
        if row["level"] in PAGE_LEVELS:
            return self.address.to(page_path(row))
        return f"{self.address.to(page_path(self.atlas.region(row['parent_code'])))}#w{row['code']}"

    def named(self, row: Row) -> Cell:
        """The head of a region's line."""
        return Cell(row["name"], row["code"], self.region_link(row))

    def table(
        self,
        name: str,
        caption: str,
        head: str,
        fields: Sequence[str],
        rows: Iterable[Row],
        headed: Callable[[Row], Cell] | None = None,
        *,
        sortable: bool = False,
        status: str = "",
    ) -> Table:
        """A table of figures, a line per row; the nation's line is a total; ``status``: what stands in the head."""
        columns = [self.column(each) for each in fields]
        self.used.update({status: None} if status else {})
        lines = [
            TableRow(
                (headed or self.named)(row),
                [self.cell(row, each) for each in fields],
                "" if headed else _line_kind(row),
                self.cell(row, status) if status else None,
            )
            for row in rows
        ]
        return Table(name, caption, head, columns, lines, sortable)


def _line_kind(row: Row) -> str:
    return "total" if row.get("code") == NATION and row.get("level") == "nasional" else ""


def _kind(row: Row, name: str, value: object) -> str:
    """No colour of warning for what is on plan."""
    if name in {"gap_points", "gap_families"} and isinstance(value, int | float):
        return BEHIND if lags(row) else AHEAD if value > 0 else ""
    if name.startswith("rule_text"):
        return "long"
    if name in {"status", "state"}:
        return f"word {name}-{value}"
    return ""
