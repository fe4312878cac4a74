"""The outbox for the terminal: who was told, who waits until when, and a message as it would go out."""

from collections.abc import Sequence
from datetime import datetime

from rich.box import SIMPLE_HEAD
from rich.table import Table

from regsosek.alerts.outbox.operating import OutboxLine
from regsosek.alerts.outbox.send_outcome import Letter
from regsosek.geography.calendar import NIGHT_ZONE
from regsosek.wording.nouns import counted


def outbox_table(lines: Sequence[OutboxLine]) -> Table:
    """One line per message and recipient, times in WIB."""
    table = Table(title=f"Messages by recipient: {len(lines)}", title_justify="left", box=SIMPLE_HEAD)
    for column in ("ID", "Night", "Group", "Kind", "Role", "To", "State", "Tries", "When", "Why"):
        table.add_column(column, overflow="fold")
    for each in lines:
        cells = (each.outbox_id, each.night, each.group, each.kind, each.role, _whom(each), each.state, each.attempts)
        table.add_row(*map(str, cells), _when(each), each.last_error or "")
    return table


def letter_text(letter: Letter, not_before: datetime) -> str:
    """Envelope, subject and text of a message that waits."""
    beside = ["HTML"] if letter.html else []
    beside += [f"{each.name} ({counted(f'{len(each.content):,}', 'byte', 'bytes')})" for each in letter.attachments]
    lines = (
        f"Message {letter.id} to {letter.address} by {letter.channel}, not before {_moment(not_before)}",
        f"Subject: {letter.subject}",
        *([f"With: {', '.join(beside)}"] if beside else []),
        "",
        letter.body,
    )
    return "\n".join(lines)


def _whom(line: OutboxLine) -> str:
    return f"{line.address} for {line.backup_of}" if line.backup_of else line.address


def _when(line: OutboxLine) -> str:
    if line.next_try_at:
        return f"from {_moment(line.next_try_at)}"
    return _moment(line.sent_at) if line.sent_at else ""


def _moment(value: datetime) -> str:
    return f"{value.astimezone(NIGHT_ZONE):%Y-%m-%d %H:%M %Z}"
