"""The trail of a case as tables for the terminal, and as a document."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Group
from rich.table import Table
from rich.text import Text

from regsosek.privacy.trail.person_trail import AccessLine, CaseTrail, ProcessingLine


def trail_report(found: CaseTrail) -> Group:
    """Everything about one case: who saw it, what became of it, what is kept."""
    heading = f"Province {found.province}, case {found.case_id}: {len(found.accesses)} accesses"
    parts: list[Text | Table] = [Text(heading), _accesses(found), _processing(found), _kept(found)]
    if found.unknown_keys:
        parts.append(Text(unknown_keys(found.unknown_keys)))
    return Group(*parts)


def unknown_keys(entries: int) -> str:
    """What to do where entries were made by a key that is not at hand."""
    return (
        f"{entries:,} entries of the trail name their cases by another key, and may name this one: "
        "add that key to REGSOSEK_FORMER_TRAIL_KEYS and ask again"
    )


def trail_document(found: CaseTrail) -> dict[str, Any]:
    """The same for programs."""
    return {
        "province": found.province,
        "case": found.case_id,
        "accesses": [_access_document(line) for line in found.accesses],
        "processing": [_processing_document(line) for line in found.processing],
        "kept_rows": dict(found.kept),
        "entries_by_unknown_keys": found.unknown_keys,
    }


def _access_document(line: AccessLine) -> dict[str, Any]:
    return {
        "at": line.at.isoformat(),
        "until": line.until.isoformat() if line.until else None,
        "account": line.account,
        "role": line.role,
        "provinces": list(line.provinces),
        "act": line.act,
        "way": line.way,
        "told": line.told,
        "why": line.why,
        "names_the_case": line.named,
    }


def _processing_document(line: ProcessingLine) -> dict[str, Any]:
    moments = {"at": line.at.isoformat() if line.at else None, "night": str(line.night) if line.night else None}
    return {**moments, "step": line.step, "delivery_id": line.delivery_id, "told": line.told}


def _accesses(found: CaseTrail) -> Table:
    columns = ("At (UTC)", "Account", "Right", "Act", "Way", "Why")
    rows = [
        (_moment(each.at), each.account, each.role, each.act if each.named else f"may have {each.act}",
         " ".join(filter(None, (each.way, each.told, f"to {_moment(each.until)}" if each.until else ""))), each.why)
        for each in found.accesses
    ]  # fmt: skip
    return _table("Who saw it", columns, rows)


def _processing(found: CaseTrail) -> Table:
    rows = [
        (_moment(each.at), str(each.night or ""), each.step, each.delivery_id, each.told) for each in found.processing
    ]
    return _table("What became of it", ("At (UTC)", "Night", "Step", "Delivery", "What"), rows)


def _kept(found: CaseTrail) -> Table:
    return _table("What is kept of it", ("What", "Rows"), [(name, f"{rows:,}") for name, rows in found.kept.items()])


def _table(title: str, columns: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> Table:
    table = Table(title=title, title_justify="left", box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*row)
    return table


def _moment(at: datetime | None) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M}" if at else ""
