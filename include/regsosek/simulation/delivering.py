"""A simulated campaign into the landing bucket, with its labels kept apart from what is delivered."""

import sys
from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from regsosek.night.house import House
from regsosek.simulation.campaign import Campaign
from regsosek.simulation.simulate import SimulationReport, simulate, write_labels
from regsosek.simulation.sinks import BucketSink


def deliver_campaign(
    house: House,
    first: date,
    nights: int,
    provinces: Sequence[str],
    *,
    scale: float,
    seed: int,
    labels: Path,
) -> SimulationReport:
    """Delivers ``nights`` nights from ``first`` on, with a progress bar, and writes ``labels/labels.csv``."""
    campaign = Campaign(seed=seed, scale=scale, first_delivery=first)
    sink = BucketSink(house.store, house.settings.landing_bucket)
    columns = (TextColumn("Simulated deliveries"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, disable=not sys.stderr.isatty()) as progress:
        bar = progress.add_task("", total=nights * len(provinces))
        report = simulate(
            campaign,
            sink,
            nights=[first + timedelta(days=n) for n in range(nights)],
            provinces=provinces,
            progress=lambda _: progress.advance(bar),
        )
    write_labels(report.labels, labels / "labels.csv")
    return report
