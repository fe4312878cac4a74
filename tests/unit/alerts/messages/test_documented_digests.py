"""The documentation shows two digests as the code writes them today."""

from collections.abc import Callable
from datetime import date, timedelta

import pytest

from regsosek.alerts.conditions.evaluation import Rules
from regsosek.alerts.conditions.province_figures import (
    KabkotaFigures,
    ProvinceFigures,
    RowCounts,
    RuleViolations,
    Waiting,
)
from regsosek.alerts.conditions.thresholds import thresholds
from regsosek.alerts.messages.province_digest import compose_digest
from regsosek.alerts.sentences.context import Context
from regsosek.settings import PROJECT_ROOT
from support.worlds.alert_memory import Memory

Night = Callable[..., ProvinceFigures]
DOCUMENT = PROJECT_ROOT / "docs" / "alerts.md"
TONIGHT, LIMITS = date(2022, 10, 26), thresholds()
BEFORE = TONIGHT - timedelta(days=1)


def written(figures: ProvinceFigures, context: Context, *before: ProvinceFigures) -> str:
    """Subject and text of what an office is told, having been told of the nights before."""
    memory = Memory()
    for each in before:
        memory.judge(each, Rules(LIMITS))
    message = compose_digest(figures, memory.judge(figures, Rules(LIMITS)).telling.told, LIMITS, context)
    return f"Subject: {message.subject}\n\n{message.body.strip()}"


@pytest.fixture
def digests(night: Night, context: Context) -> dict[str, str]:
    waits = Waiting(90, BEFORE, 66)
    berau = KabkotaFigures("6403", "Kabupaten Berau", 60_000, 16_200, 600, Waiting(74, BEFORE, 60), BEFORE)
    paser = KabkotaFigures("6401", "Kabupaten Paser", 40_000, 18_800, 400, Waiting(16, BEFORE, 6), BEFORE)
    arrived = RowCounts(received=1000, loaded=934, quarantined=66)
    rules = (RuleViolations("P05", 61), RuleViolations("P01", 29))
    bad = night(
        visited=35_000, visited_before=34_000, families=arrived, waiting=waits, rules=rules, kabkota=(paser, berau)
    )
    silent = night(night=BEFORE, visited=34_000, families=RowCounts(), deliveries={}, kabkota=())
    fine = night(visited=38_000, visited_before=37_100, waiting=Waiting(3, BEFORE), kabkota=())
    return {"problems": written(bad, context, silent), "good news": written(fine, context)}


@pytest.mark.parametrize("name", ["problems", "good news"])
def test_the_documentation_shows_a_digest_as_it_is_written(digests: dict[str, str], name: str) -> None:
    text, begin, end = DOCUMENT.read_text(encoding="utf-8"), f"<!-- digest, {name}: begin -->", "<!-- digest: end -->"
    shown = text[text.index(begin) + len(begin) :]
    assert shown[: shown.index(end)].strip() == f"```text\n{digests[name]}\n```", digests[name]
