"""Deliveries as tables for the terminal: the list, and why one is held."""

from collections.abc import Iterable, Sequence
from pathlib import Path

from rich.box import SIMPLE_HEAD
from rich.console import Group
from rich.table import Table
from rich.text import Text

from regsosek.asking.deliveries import DeliveryDetail, DeliveryLine
from regsosek.quality.hold_limits import measured
from regsosek.scratch import open_private
from regsosek.warehouse.nights.holding import MeasuredShare
from regsosek.warehouse.nights.replacing import ReplacedFamilies, WithdrawnFamily
from regsosek.wording.nouns import counted
from regsosek.wording.spreadsheet import Spreadsheet

SHOWN_RULES = 20
SHOWN_FAMILIES = 20


def delivery_table(lines: Sequence[DeliveryLine]) -> Table:
    """One line per delivery."""
    columns = (
        "Province", "Delivery", "Delivered", "Night", "State", "Since", "Instrument", "Families", "Persons", "Messages",
        "Withdrawn", "Reason",
    )  # fmt: skip
    rows = (
        (each.province, each.delivery_id, each.delivered_on, each.night, each.state, each.decided_night,
         each.instrument, f"{each.families:,}", f"{each.persons:,}", f"{each.messages:,}", f"{each.withdrawn:,}",
         each.reason)
        for each in lines
    )  # fmt: skip
    return _table(counted(len(lines), "delivery", "deliveries"), columns, rows)


def _contents(line: DeliveryLine) -> str:
    if line.messages:
        return f"{counted(f'{line.messages:,}', 'message', 'messages')} of {line.instrument}"
    families, persons = f"{line.families:,}", f"{line.persons:,}"
    return f"{counted(families, 'family', 'families')}, {counted(persons, 'person', 'persons')}"


def delivery_report(detail: DeliveryDetail) -> Group:
    """Everything about one delivery, the reason for holding it first."""
    parts: list[Text | Table] = [Text(_head(detail.line)), _shares(detail.shares)]
    if detail.replaced:
        parts += [_replaced(detail.replaced), _withdrawn(detail.withdrawn)]
    if detail.regions:
        rows = (
            (r.region_code, r.name, f"{r.in_error:,}", f"{r.judged:,}", _percent(r.in_error, r.judged))
            for r in detail.regions
        )
        parts.append(_table("Cases in error by kab/kota", ("Code", "Name", "In error", "Judged", "%"), rows))
    if detail.rules:
        shown = detail.rules[:SHOWN_RULES]
        title = f"Rules by violations ({len(shown)} of {len(detail.rules)})"
        broken = ((r.rule_id, r.dataset, r.severity, f"{r.rows:,}") for r in shown)
        parts.append(_table(title, ("Rule", "Dataset", "Severity", "Rows"), broken))
    if detail.decisions:
        taken = ((d.kind, d.night, f"{d.at:%Y-%m-%d %H:%M} UTC", d.by, d.reason) for d in detail.decisions)
        parts.append(_table("Decisions", ("Decision", "From night", "At", "By", "Reason"), taken))
    return Group(*parts)


def write_withdrawn(detail: DeliveryDetail, path: Path) -> None:
    """Writes the keys of the families that a replacement withdrew as CSV, without any answer."""
    with open_private(path) as file:
        writer = Spreadsheet(file)
        writer.writerow(("province", "id_subsls", "r109_no_bangunan", "r110_no_keluarga", "id_dokumen"))
        writer.writerows((detail.line.province, f.id_subsls, f.building, f.family, f.case_id) for f in detail.withdrawn)


def _shares(shares: Sequence[MeasuredShare]) -> Table:
    rows = (
        (share.dataset, f"{share.in_error:,}", f"{share.judged:,}", measured(share.dataset),
         _percent(share.in_error, share.judged), share.limit_percent, share.least_rows,
         "over" if share.exceeded else "")
        for share in shares
    )  # fmt: skip
    columns = ("Dataset", "Found", "Of", "What", "%", "Limit %", "From rows", "")
    return _table("Shares and limits", columns, rows)


def _replaced(replaced: Sequence[ReplacedFamilies]) -> Table:
    rows = (
        (r.code, r.name or "", f"{r.withdrawn:,}", f"{r.families:,}", _percent(r.withdrawn, r.families), f"{r.kept:,}")
        for r in replaced
    )
    title = "Families of the replaced deliveries by kab/kota: withdrawn, of how many, kept because another brings them"
    return _table(title, ("Code", "Name", "Withdrawn", "Of", "%", "Kept"), rows)


def _withdrawn(families: Sequence[WithdrawnFamily]) -> Table:
    shown = families[:SHOWN_FAMILIES]
    title = f"Families withdrawn ({len(shown)} of {len(families)}; --withdrawn FILE writes all)"
    rows = ((f.id_subsls, f.building, f.family, f.case_id) for f in shown)
    return _table(title, ("Sub-SLS", "Building", "Family", "Document"), rows)


def _head(line: DeliveryLine) -> str:
    since = f" since night {line.decided_night}" if line.decided_night else ""
    reason = f" ({line.reason})" if line.reason else ""
    return (
        f"Delivery {line.delivery_id} of province {line.province}: {line.state}{reason}{since}; delivered "
        f"{line.delivered_on}, night {line.night}, {_contents(line)}"
    )


def _percent(part: int, whole: int) -> str:
    return f"{100 * part / whole:.1f}" if whole else "–"


def _table(title: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> Table:
    table = Table(title=title, title_justify="left", box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
    for column in columns:
        table.add_column(column, no_wrap=column in {"Delivery", "Code"})
    for row in rows:
        table.add_row(*("–" if cell is None else str(cell) for cell in row))
    return table
