"""The commands of the simulation: `regsosek simulate` and `regsosek simulate-day`."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from regsosek.cli.common import console
from regsosek.cli.options import DAY, ProvincesOption
from regsosek.night.run_request import chosen
from regsosek.wording.nouns import counted

SeedOption = Annotated[int, typer.Option(help="Equal seeds deliver equal bytes.")]
commands = typer.Typer()


@commands.command()
def simulate(
    first: Annotated[datetime, typer.Option("--from", formats=DAY, help="First night.")] = datetime(
        2022, 10, 28, tzinfo=UTC
    ),
    nights: Annotated[int, typer.Option(min=1, max=60, help="How many nights.")] = 3,
    province: ProvincesOption = None,
    scale: Annotated[float, typer.Option(help="Share of the sub-SLS, over 0 and at most 1.")] = 1 / 2000,
    seed: SeedOption = 20221015,
    streams: Annotated[bool, typer.Option("--streams", help="Daily counts, geotags and recaps beside K.")] = False,
    signing_keys: Annotated[
        Path | None,
        typer.Option(help="Sign manifests with the keys in this directory, made if need be, with producer-keys.csv."),
    ] = None,
) -> None:
    """Let a simulated field campaign deliver into the landing bucket."""
    from regsosek.resources import open_resources
    from regsosek.settings import load_settings
    from regsosek.simulation.delivering import deliver_campaign

    settings = load_settings()
    with open_resources(settings) as opened:
        report = deliver_campaign(
            opened,
            first.date(),
            nights,
            chosen(province),
            scale=scale,
            seed=seed,
            labels=settings.scratch.parent,
            streams=streams,
            signing_keys=signing_keys,
        )
    console.print(
        f"{_amounts(len(report.deliveries) + len(report.streams), report.families, report.persons)} "
        f"at scale {report.scale:g}"
    )


@commands.command()
def simulate_day(
    date_: Annotated[datetime, typer.Option("--date", formats=DAY, help="The field day.")] = datetime(
        2022, 10, 29, tzinfo=UTC
    ),
    families: Annotated[int, typer.Option(min=1, help="Of the nation, split by the provinces' targets.")] = 2_960_000,
    province: ProvincesOption = None,
    into: Annotated[Path | None, typer.Option(help="A directory in place of the landing bucket.")] = None,
    processes: Annotated[int, typer.Option(min=1, help="At once; the bytes are the same with any number.")] = 2,
    seed: SeedOption = 20221015,
    labels: Annotated[Path | None, typer.Option(help="Write the planted defects here as CSV.")] = None,
) -> None:
    """Let the whole nation deliver one simulated field day at full scale, to measure with."""
    from functools import partial

    from regsosek.settings import load_settings
    from regsosek.simulation.delivering import deliver_national_day, landing_sink
    from regsosek.simulation.output.sinks import DirectorySink

    open_sink = partial(DirectorySink, into) if into else partial(landing_sink, load_settings())
    report = deliver_national_day(
        open_sink,
        date_.date(),
        chosen(province),
        families=families,
        processes=processes,
        seed=seed,
        labels=labels,
    )
    console.print(_amounts(len(report.deliveries), report.families, report.persons))


def _amounts(deliveries: int, families: int, persons: int) -> str:
    counts = ((deliveries, "delivery", "deliveries"), (families, "family", "families"), (persons, "person", "persons"))
    return ", ".join(counted(f"{n:,}", one, many) for n, one, many in counts)
