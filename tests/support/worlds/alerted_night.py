"""A small warehouse that alerts are decided from, filled table by table, and what became of them."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

from sqlalchemy import Engine, Table, func, insert, select, text

from local_services.loopback import free_port
from local_services.mail_sink import MailSink
from regsosek.alerts.nightly import alert_provinces
from regsosek.settings import Settings
from regsosek.warehouse import tables
from regsosek.warehouse.database import connect
from regsosek.warehouse.migration import ensure_night_partitions, migrate

NIGHT = date(2022, 10, 26)  # day 12: the plan expects 48 %
NIK = "6403015502840001"
DESA, SUBSLS = "6403010001", "6403010001000100"
OTHER_DESA, OTHER_SUBSLS = "6471010001", "6471010001000100"
ULID = "01GFXKQ2Z8V3M5N7P9R1T3W5{:02d}"
SEEDED = ("alert.outbox", "alert.delivery", "alert.condition", "alert.told", "alert.act", "ledger.delivery",
          "ledger.delivery_count", "ledger.seal", "quality.rule_result", "mart.total", "mart.arrivals", "mart.change",
          "mart.province_arrivals", "mart.refreshed", "release.release", "core.kasus", "core.kasus_terkini",
          "quality.reason")  # fmt: skip


@contextmanager
def alert_warehouse(settings: Settings) -> Iterator[Engine]:
    """A migrated warehouse with two kab/kota of Kalimantan Timur and two targets."""
    engine = connect(settings)
    migrate(engine)
    regions = [("64", "provinsi", "Kalimantan Timur", None), ("6403", "kabkota", "Kabupaten Berau", "64"),
               ("6403010", "kecamatan", "Kelay", "6403"), (DESA, "desa", "Merasa", "6403010"),
               ("6471", "kabkota", "Kota Balikpapan", "64"), ("6471010", "kecamatan", "Timur", "6471"),
               (OTHER_DESA, "desa", "Sri Rahayu", "6471010")]  # fmt: skip
    parents = {code: parent for code, _, _, parent in regions}
    with engine.begin() as connection:
        for code, level, name, parent in regions:
            put(connection, tables.region, code=code, level=level, name=name, parent_code=parent, code_system="BPS",
                version="1", valid_from=date(2022, 1, 1))  # fmt: skip
            above: str | None = code
            while above:
                put(connection, tables.region_ancestor, code=code, ancestor_code=above)
                above = parents[above]
        for id_subsls, id_desa, load in ((SUBSLS, DESA, 600), (OTHER_SUBSLS, OTHER_DESA, 400)):
            put(connection, tables.subsls, province="64", id_subsls=id_subsls, valid_from=date(2022, 1, 1),
                id_desa=id_desa, kind=1, families_load=load, code_system="BPS", version="1")  # fmt: skip
        for code in ("64", "73"):
            put(connection, tables.target, province=code, families=1000, source="published", scale=1, version="1")
    yield engine
    engine.dispose()


def emptied(warehouse: Engine, mail_sink: MailSink) -> Engine:
    """The same without deliveries, conditions, messages and mails."""
    with warehouse.begin() as connection:
        connection.execute(text(f"TRUNCATE {', '.join(SEEDED)}"))
        # Balikpapan was done before anything else happened.
        put(connection, tables.total, province="64", code=OTHER_DESA[:4], placed=False,
            night=NIGHT - timedelta(days=9), visited=400)  # fmt: skip
    for path in mail_sink.received():
        path.unlink()
    return warehouse


def put(connection: Any, table: Table, **values: Any) -> None:
    """Inserts a row."""
    connection.execute(insert(table).values(**values))


def deliver_families(
    engine: Engine,
    *,
    night: date = NIGHT,
    visited: int,
    received: int = 100,
    quarantined: int = 0,
    rejected: int = 0,
    off_frame: int = 0,
) -> None:
    """One accepted delivery of Berau, one rejected if asked, and the marts that follow; the night is refreshed.

    Args:
        quarantined: of ``received``, families that break P05 and wait from then on.
        off_frame: of these, families of a desa that break G03 instead.
    """
    with engine.begin() as connection:
        for n, (state, rows) in enumerate((("accepted", received), ("rejected", rejected))):
            if rows:
                own = {"province": "64", "delivery_id": ULID.format(night.day * 2 + n), "delivered_on": night}
                put(connection, tables.delivery, **own, night=night, position=n, prefix="p", state=state,
                    reason="file_missing" if state == "rejected" else None, detail=f"names {NIK}", versions={},
                    producer=NIK, registered_at=datetime.now(UTC))  # fmt: skip
                split = {"loaded": rows - quarantined, "quarantined": quarantined}
                for dataset in ("keluarga", "anggota"):
                    counts = split if state == "accepted" else {"rejected": rows}
                    put(connection, tables.delivery_count, **own, dataset=dataset, received=rows, **counts)
        for n in range(quarantined):
            place, rule = (DESA, "G03") if n < off_frame else (SUBSLS, "P05")
            quarantine(connection, f"c{night:%d}-{n}", night, placed_code=place, rule=rule)
        places = [(SUBSLS, received - off_frame, quarantined - off_frame), (DESA, off_frame, off_frame)]
        for place, n, bad in places:
            if n:
                put(connection, tables.arrivals, province="64", placed_code=place, night=night, received=n,
                    quarantined=bad)  # fmt: skip
        of_province = select(func.coalesce(func.max(tables.total.c.visited), 0)).where(tables.total.c.code == "64")
        before = connection.execute(of_province).scalar_one()
        for region in ("64", SUBSLS[:4]):
            put(connection, tables.total, province="64", code=region, placed=False, night=night,
                visited=before + visited)  # fmt: skip
        put(connection, tables.refreshed, province="64", night=night)


def quarantine(
    connection: Any, case_id: str, night: date, *, placed_code: str = SUBSLS, rule: str = "P05", ppl: str = "0013"
) -> None:
    """A family whose document of ``night`` breaks ``rule``; it waits in quarantine."""
    ensure_night_partitions(connection, "64", night)
    row_no = int(case_id.rpartition("-")[2])
    row = {"province": "64", "night": night, "delivery_id": ULID.format(night.day * 2), "part": 1, "row_no": row_no}
    put(connection, tables.kasus, **row, case_id=case_id, versi=1, rank_versi=1, produced_at=datetime.now(UTC),
        content_hash=case_id.encode(), status="quarantined", verdict="critical", placed_code=placed_code, ppl=ppl,
        enumerated_on=night, members=1, persons=1)  # fmt: skip
    put(connection, tables.kasus_terkini, province="64", case_id=case_id, state="quarantined", waiting="quarantined")
    put(connection, tables.reason, **row, dataset="keluarga", rule_id=rule, severity="critical", case_id=case_id)


def compose(engine: Engine, settings: Settings, night: date = NIGHT) -> dict[str, str]:
    """What became of each of the two provinces."""
    composed = alert_provinces(engine, settings, night, provinces=["64", "73"])
    became = ("composed", "quiet", "unchanged", "sent_before", "not_processed", "failed", "stopped")
    return {group: what for what in became for group in getattr(composed, what)}


def letter(night: date) -> dict[str, Any]:
    """A message to the province that was sent on ``night``."""
    return {"recipient_group": "prov64", "night": night, "kind": "digest", "language": "id", "subject": "s",
            "body": "b", "html": "", "attachments": [], "fingerprint": "f", "state": "sent",
            "urgent": False}  # fmt: skip


def words(mail: EmailMessage) -> str:
    """The plain text of a mail."""
    body = mail.get_body(("plain",))
    assert body is not None
    return str(body.get_content())


def mails(mail_sink: MailSink) -> list[EmailMessage]:
    """The mails that arrived, the first one first."""
    return [message_from_bytes(path.read_bytes(), policy=policy.default) for path in mail_sink.received()]


def outbox(engine: Engine) -> list[Any]:
    """The messages of the outbox, the first one first."""
    with engine.begin() as connection:
        return list(connection.execute(select(tables.outbox).order_by(tables.outbox.c.id)))


def delivery_of(engine: Engine, outbox_id: int) -> int:
    """The id of the one delivery of a message."""
    with engine.begin() as connection:
        return connection.execute(
            select(tables.delivery_of_message.c.id).where(tables.delivery_of_message.c.outbox_id == outbox_id)
        ).scalar_one()


def unreachable(settings: Settings) -> Settings:
    """Settings with a mail server that is not there."""
    return settings.model_copy(update={"smtp_port": free_port()})
