"""Conditions to be told, in few words, for the tests of what is made of them."""

from datetime import date
from typing import Any

from regsosek.alerts.conditions.condition import Condition, Kind, Notification, Place, Severity, Why

NIGHT = date(2022, 10, 26)
BERAU, BALIKPAPAN = Place("kabkota", "6403", "Kabupaten Berau"), Place("kabkota", "6471", "Kota Balikpapan")
PROVINCE = Place("provinsi", "64", "Kalimantan Timur")


def sub_sls(number: int, kabkota: str = "6403") -> Place:
    """A sub-SLS whose name, as on many maps, is that of a person."""
    return Place("subsls", f"{kabkota}010001{number:04d}00", "RT Pak Budi Santoso", kabkota)


def told(kind: Kind, place: Place, *, families: int = 0, why: Why = Why.NEW, **changes: Any) -> Notification:
    """One condition of tonight, PERHATIAN unless it is said."""
    own = {"severity": Severity.ATTENTION, "since": NIGHT, **changes}
    return Notification(Condition(kind, place, families=families, **own), why)
