"""A night made up for the pages: one province in each state, a held delivery, and hostile text from outside."""

from datetime import UTC, date, datetime
from decimal import Decimal

from regsosek.geography.provinces import provinces
from regsosek.portal.pages.pages import Frame
from regsosek.portal.views.delivery_rows import DeliveryRow, RowsOf
from regsosek.portal.views.night_rows import NightRow, ProvinceState
from regsosek.portal.views.state_words import night_words
from regsosek.release.lifecycle.publication import Publication
from regsosek.warehouse.nights.holding import HeldDelivery, MeasuredShare
from support.worlds.portal_viewers import OPERATOR

NIGHT = date(2022, 10, 21)
AT = datetime(2022, 10, 21, 19, 5, tzinfo=UTC)
HOSTILE = "<script>alert(1)</script>\"' onload=x {{7*7}} $HOME"


def delivery(province: str = "64", state: str = "rejected", **changes: object) -> DeliveryRow:
    """One delivery whose producer and detail are hostile."""
    fields: dict[str, object] = {
        "province": province, "delivery_id": "01GFWC1W80A0B1C2D3E4F5G6H7", "night": NIGHT, "delivered_on": NIGHT,
        "state": state, "reason": "file_altered", "detail": HOSTILE, "producer": HOSTILE, "registered_at": AT,
        "decided_at": AT, "decided_night": None,
        "judged": False, "keluarga": RowsOf(1200, 0, 0, 1200), "anggota": RowsOf(4100, 0, 0, 4100),
    }  # fmt: skip
    return DeliveryRow(**(fields | changes))  # type: ignore[arg-type]  # a test names the fields that it changes


def held(day: date = NIGHT) -> HeldDelivery:
    """A delivery over the limit of its families, and under that of its members."""
    shares = (
        MeasuredShare("keluarga", 400, 250, Decimal("40.0"), 50),
        MeasuredShare("anggota", 1300, 300, Decimal("25.5"), 150),
    )
    return HeldDelivery("64", "01GFWC1W80A0B1C2D3E4F5G6H8", NIGHT, day, 400, 1300, shares)


def frame() -> Frame:
    """Where Airflow mounts the portal when it is itself served under a path."""
    return Frame(base="/under/regsosek", read_at=AT, viewer=OPERATOR, here="/")


def night() -> NightRow:
    """A night with every state of ``states.csv``."""
    states = [*night_words()]
    lines = tuple(
        ProvinceState(p.code, p.name, states[n % len(states)], 1, ("file_altered",)) for n, p in enumerate(provinces())
    )
    release = Publication("2022-10-21-0123456789ab", NIGHT, "rilis/x/", AT, ())
    return NightRow(NIGHT, lines, release, "provinces 64 failed their conservation check")
