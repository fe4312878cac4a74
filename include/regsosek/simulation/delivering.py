"""Simulated deliveries into the landing bucket or a directory, with their labels kept apart from what is delivered."""

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from regsosek.landing.object_store import ObjectStore
from regsosek.resources import Resources
from regsosek.settings import Settings
from regsosek.simulation.field.campaign import Campaign
from regsosek.simulation.national import OpenSink, simulate_national_day
from regsosek.simulation.output.delivery import SimulatedDelivery
from regsosek.simulation.output.sinks import BucketSink, SigningSink, Sink
from regsosek.simulation.simulate import SimulationReport, simulate, write_gap_labels, write_labels


def deliver_campaign(
    resources: Resources,
    first: date,
    nights: int,
    provinces: Sequence[str],
    *,
    scale: float,
    seed: int,
    labels: Path,
    streams: bool = False,
    signing_keys: Path | None = None,
) -> SimulationReport:
    """Delivers ``nights`` nights from ``first`` on, with a progress bar; writes labels into the directory ``labels``.

    With ``streams``, daily counts, geotags and recaps are delivered beside K, and their planted gaps labelled too. With
    a directory of ``signing_keys``, every manifest is signed with the key of its province, which is made if need be.
    """
    campaign = Campaign(seed=seed, scale=scale, first_delivery=first, streams=streams)
    sink: Sink = BucketSink(resources.store, resources.settings.landing_bucket)
    if signing_keys is not None:
        sink = SigningSink.opened(sink, signing_keys, provinces)
    with _announced(nights * len(provinces)) as announce:
        report = simulate(
            campaign,
            sink,
            nights=[first + timedelta(days=n) for n in range(nights)],
            provinces=provinces,
            progress=announce,
        )
    write_labels(report.labels, labels / "labels.csv")
    if streams:
        write_gap_labels(report.gaps, labels / "gaps.csv")
    return report


def deliver_national_day(
    open_sink: OpenSink,
    night: date,
    provinces: Sequence[str],
    *,
    families: int,
    processes: int,
    seed: int,
    labels: Path | None,
) -> SimulationReport:
    """Delivers one field day of the nation at full scale, with a progress bar; ``labels`` is a CSV file, if any."""
    with _announced(len(provinces)) as announce:
        report = simulate_national_day(
            Campaign(seed=seed, scale=1),
            open_sink,
            night=night,
            families=families,
            provinces=provinces,
            processes=processes,
            progress=announce,
        )
    if labels is not None:
        write_labels(report.labels, labels)
    return report


def landing_sink(settings: Settings) -> BucketSink:
    """The landing bucket, opened by settings: every process opens its own."""
    return BucketSink(ObjectStore.connect(settings), settings.landing_bucket)


@contextmanager
def _announced(deliveries: int) -> Iterator[Callable[[SimulatedDelivery], None]]:
    columns = (TextColumn("Simulated deliveries"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, disable=not sys.stderr.isatty()) as progress:
        bar = progress.add_task("", total=deliveries)
        yield lambda _: progress.advance(bar)
