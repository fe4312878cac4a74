"""The bench of late days works on a small campaign: its nights are whole, and their releases pass their audits."""

import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest
from sqlalchemy import text

from regsosek.resources import open_resources
from regsosek.settings import PROJECT_ROOT, Settings

TABLES_ALONE = True
OFFICERS = 25


@pytest.fixture
def growth(monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    monkeypatch.syspath_prepend(str(PROJECT_ROOT / "bench"))
    import growth

    yield growth
    for name in ("growth", "campaign_nights", "campaign_files"):
        del sys.modules[name]


def test_both_days_are_measured_on_one_campaign(growth: ModuleType, services_env: Settings, tmp_path: Path) -> None:
    settings = services_env.model_copy(update={"work_dir": tmp_path / "work"})
    with open_resources(settings) as resources:
        measured = growth.measure(resources, OFFICERS, (2, 4), 1, tmp_path)
        with resources.engine.connect() as connection:
            released = connection.execute(text("SELECT night, manifest -> 'held_back' FROM release.release ORDER BY 1"))
            nights = [(row[0].day, row[1]) for row in released]
    assert list(measured) == [2, 4]
    assert all(cost.cpu > 0 for costs in measured.values() for cost in costs.values())
    assert nights == [(day, []) for day in range(15, 19)]
