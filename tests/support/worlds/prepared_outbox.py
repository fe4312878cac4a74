"""A message in an emptied outbox, settings of a relay, and what the tables say of it afterwards."""

from dataclasses import replace
from datetime import UTC, date, datetime
from email.message import EmailMessage
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, select, text

from regsosek.alerts.messages.rendering import Attachment, Message
from regsosek.alerts.outbox.outbox import place
from regsosek.geography.provinces import provinces
from regsosek.geography.recipients import COLUMNS, Channel, Recipient, Role
from regsosek.settings import Settings
from regsosek.warehouse import tables

NIGHT = date(2022, 10, 26)
NOW = datetime(2022, 10, 26, 19, tzinfo=UTC)  # 02:00 WIB on the 27th
OFFICE = Recipient("64", Role.OPERATIONS, Channel.EMAIL, "prov64@bps.example")
DEPUTY = replace(OFFICE, address="wakil64@bps.example", backup_of=OFFICE.address)
HEAD = replace(OFFICE, role=Role.LEADERSHIP, address="kepala64@bps.example")
MESSAGE = Message("[KRITIS] malam", "Isi.\n", "<p>Isi.</p>", (Attachment("daftar.csv", "text/csv", b"a,b\r\n"),))
TEAM = "platform@bps.example"


def emptied_outbox(engine: Engine) -> Engine:
    """The same warehouse without messages."""
    with engine.begin() as connection:
        connection.execute(text("TRUNCATE alert.outbox, alert.delivery, alert.unread_mailbox, alert.sent_before"))
    return engine


def settings_for(settings: Settings, port: int, **more: Any) -> Settings:
    """Settings whose relay listens on ``port``."""
    return settings.model_copy(update={"smtp_port": port, "smtp_timeout_seconds": 5.0} | more)


def put(engine: Engine, *to: Recipient, night: date = NIGHT, message: Message = MESSAGE, **more: Any) -> bool:
    """Composes one message into the outbox; whether it waits there."""
    with engine.begin() as connection:
        key = {"group": "prov64", "night": night, "kind": "digest"}
        own = {"recipients": to or (OFFICE,), "message": message, "news": "x", "now": NOW} | more
        return place(connection, **key, **own)


def deliveries(engine: Engine) -> dict[str, Any]:
    """The deliveries by address."""
    with engine.begin() as connection:
        return {row.address: row for row in connection.execute(select(tables.delivery_of_message))}


def message_row(engine: Engine) -> Any:
    """The digest in the outbox."""
    with engine.begin() as connection:
        return connection.execute(select(tables.outbox).where(tables.outbox.c.kind == "digest")).one()


def message_of(engine: Engine, night: date) -> int:
    """The number of the message of ``night``."""
    with engine.begin() as connection:
        return connection.execute(select(tables.outbox.c.id).where(tables.outbox.c.night == night)).scalar_one()


def bounce_of(mail: EmailMessage, **changed: str) -> str:
    """A report of a mail server about a mail that came to it, perhaps with another ``action`` or ``message_id``."""
    return report_of(mail["To"], **{"message_id": str(mail["Message-ID"])} | changed)


def guessed_id(row: Any) -> str:
    """The id of a delivery as far as a stranger can count it."""
    return f"<{NIGHT:%Y%m%d}.prov64.{row.outbox_id}.{row.id}@bps.example>"


def report_of(address: str, message_id: str, action: str = "failed") -> str:
    """A report of a mail server, or of who says that he is one."""
    return (
        "From: MAILER-DAEMON@relay.example\nTo: regsosek-nightly@bps.example\nSubject: Undelivered\nMIME-Version: 1.0\n"
        'Content-Type: multipart/report; report-type=delivery-status; boundary="B"\n\n'
        "--B\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; relay.example\n\n"
        f"Final-Recipient: rfc822; {address}\nAction: {action}\nStatus: 5.1.1\n\n"
        "--B\nContent-Type: text/rfc822-headers\n\n"
        f"Message-ID: {message_id}\n\n--B--\n"
    )


def recipients_file(path: Path) -> Path:
    """A file of recipients in which the platform team has mail and a chat."""
    rows = [f"{p.code},operasional,email,prov{p.code}@bps.example,,id,," for p in provinces()]
    team = [f"00,platform,email,{TEAM},,en,,", f"00,platform,webhook,obrolan-tim,{TEAM},en,,"]
    (path / "recipients.csv").write_text("\n".join([",".join(COLUMNS), *rows, *team]))
    return path / "recipients.csv"
