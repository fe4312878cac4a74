"""A national field day: real proportions, officers' usual work, and bytes that depend on the seed alone."""

import hashlib
from datetime import date
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from regsosek.errors import ConfigurationError
from regsosek.geography.provinces import provinces
from regsosek.simulation.field.campaign import Campaign
from regsosek.simulation.field.field_day import families_by_province, messages_of_one_day
from regsosek.simulation.field.frame import province_frame
from regsosek.simulation.field.timeline import SentDocuments
from regsosek.simulation.national import simulate_national_day
from regsosek.simulation.output.sinks import DirectorySink
from support.checks.matrix import FULL

pytestmark = FULL

NIGHT = date(2022, 10, 29)
NATION = 2_900_000


def _digests(root: Path, under: str = "") -> dict[str, str]:
    files = (path for path in (root / under).rglob("*") if path.is_file())
    return {str(path.relative_to(root)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("alone")
    report = simulate_national_day(Campaign(scale=1e-9), partial(DirectorySink, root), night=NIGHT, families=3_000)
    assert report.families == 3_000
    assert len(report.deliveries) == len(provinces())
    return root


def test_two_processes_write_the_same_bytes(alone: Path, tmp_path: Path) -> None:
    simulate_national_day(
        Campaign(scale=1e-9), partial(DirectorySink, tmp_path), night=NIGHT, families=3_000, processes=2
    )
    assert _digests(tmp_path) == _digests(alone)


def test_a_provinces_day_does_not_depend_on_the_others(alone: Path, tmp_path: Path) -> None:
    campaign, sink = Campaign(scale=1e-9), partial(DirectorySink, tmp_path)
    report = simulate_national_day(campaign, sink, night=NIGHT, families=3_000, provinces=["64"])
    assert [delivery.envelope.province for delivery in report.deliveries] == ["64"]
    written = _digests(tmp_path, "landing")
    assert written
    assert written.items() <= _digests(alone, "landing").items()
    # The reference files are whole all the same, or nobody could load the version.
    assert _digests(tmp_path, "reference") == _digests(alone, "reference")


def test_provinces_share_the_families_by_their_targets() -> None:
    shares = families_by_province(NATION)
    assert sum(shares.values()) == NATION
    total = sum(province.target for province in provinces())
    assert all(abs(shares[p.code] - NATION * p.target / total) < 1 for p in provinces())


@pytest.fixture(scope="module")
def day() -> tuple[SentDocuments, np.ndarray]:
    """All families that North Kalimantan visits on a national day, and the officer of each."""
    campaign = Campaign(scale=1)
    frame = province_frame(campaign, "65")
    families = families_by_province(NATION)["65"]
    pieces = messages_of_one_day(campaign, frame, day=15, families=families, defect_share=0)
    sent = SentDocuments.joined(list(pieces))
    assert len(sent) == families
    place = frame.subsls.take(sent.subsls)
    return sent, place.kabkota * 10_000 + place.ppl


def test_officers_visit_about_ten_families_a_day(day: tuple[SentDocuments, np.ndarray]) -> None:
    _, loads = np.unique(day[1], return_counts=True)
    assert 8 < loads.mean() < 12
    assert loads.max() <= 25


def test_nobody_is_visited_twice(day: tuple[SentDocuments, np.ndarray]) -> None:
    sent, _ = day
    assert len(np.unique(np.stack([sent.subsls, sent.ordinal]), axis=1).T) == len(sent)
    assert set(sent.enumerated) == set(sent.synchronised) == {15}


def test_everybody_works_when_the_others_could_not_visit_so_many() -> None:
    campaign = Campaign(scale=1e-9)
    frame = province_frame(campaign, "65")
    everyone = int(frame.subsls.load.sum())
    sent = SentDocuments.joined(list(messages_of_one_day(campaign, frame, day=3, families=everyone, defect_share=0)))
    assert len(np.unique(sent.key)) == everyone


def test_more_families_than_there_are_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="raise it"):
        simulate_national_day(Campaign(scale=1e-9), partial(DirectorySink, tmp_path), night=NIGHT, families=1_000_000)
