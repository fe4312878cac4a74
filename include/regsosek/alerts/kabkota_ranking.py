"""Which kab/kota an office looks at first: those with the most families to be dealt with."""

from collections.abc import Collection
from dataclasses import dataclass

from regsosek.alerts.conditions import Kind
from regsosek.alerts.indonesian import harmless, number, percent
from regsosek.alerts.province_figures import KabkotaFigures, ProvinceFigures
from regsosek.alerts.thresholds import Thresholds


@dataclass(frozen=True, slots=True)
class KabkotaRanking:
    """The first lines of the ranking, and how many kab/kota the province has."""

    lines: tuple[str, ...]
    all: int


def rank_kabkota(figures: ProvinceFigures, kinds: Collection[Kind], limits: Thresholds) -> KabkotaRanking:
    """Ranks by families below plan, quarantined and off the frame, as far as a condition of ``kinds`` asks for them."""
    burdens = [(_burden(each, figures.plan_percent, kinds), each) for each in figures.kabkota]
    burdened = sorted((pair for pair in burdens if pair[0] > 0), key=lambda pair: (-pair[0], pair[1].code))
    lines = tuple(_line(each) for _, each in burdened[: limits.lengths.kabkota])
    return KabkotaRanking(lines, len(figures.kabkota))


def _burden(kabkota: KabkotaFigures, plan_percent: float, kinds: Collection[Kind]) -> int:
    burden = 0
    if "BEHIND" in kinds or "NO_DATA" in kinds:
        burden += max(0, round(plan_percent / 100 * kabkota.load) - kabkota.visited)
    if "QUALITY" in kinds:
        burden += kabkota.quarantined
    if "CODE" in kinds:
        burden += kabkota.off_frame
    return burden


def _line(kabkota: KabkotaFigures) -> str:
    tonight = [f"masuk {number(kabkota.received)}"] if kabkota.received else ["tidak ada yang masuk"]
    tonight += [f"karantina {number(kabkota.quarantined)}"] if kabkota.quarantined else []
    tonight += [f"kode tidak dikenal {number(kabkota.off_frame)}"] if kabkota.off_frame else []
    visited = f"{percent(kabkota.visited, kabkota.load)} dari {number(kabkota.load)}"
    return harmless(f"{kabkota.code} {kabkota.name}: {visited}; {', '.join(tonight)}")
