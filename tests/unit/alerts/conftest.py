"""One healthy night of East Kalimantan on day 12 of its window, to be changed one figure at a time."""

from collections.abc import Callable
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from regsosek.alerts.conditions.province_figures import KabkotaFigures, ProvinceFigures, RowCounts
from regsosek.alerts.sentences.context import Context
from regsosek.geography.calendar import FieldWindow
from regsosek.geography.plan import STEADY

Night = Callable[..., ProvinceFigures]


def healthy_night(**changes: Any) -> ProvinceFigures:
    figures = {
        "province": "64",
        "night": date(2022, 10, 26),
        "window": FieldWindow("64", date(2022, 10, 15), date(2022, 11, 14), plan=STEADY),
        "target": 100_000,
        "target_source": "published",
        "scale": 1.0,
        "visited": 48_000,
        "visited_before": 44_000,
        "deliveries": {"accepted": 2},
        "families": RowCounts(received=1000, loaded=1000),
        "persons": RowCounts(received=3100, loaded=3100),
        "kabkota": (KabkotaFigures("6403", "Kabupaten Berau", 60_000, 28_800, 600),),
        "last_arrival": date(2022, 10, 25),
    }
    return ProvinceFigures(**{**figures, **changes})


@pytest.fixture
def night() -> Night:
    return healthy_night


@pytest.fixture
def context() -> Context:
    texts = {"P05": "Kepala keluarga harus tepat satu.", "P01": "Nomor urut anggota tidak berurutan."}
    return Context("BPS Provinsi Kalimantan Timur", ZoneInfo("Asia/Makassar"), texts, None)
