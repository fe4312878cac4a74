"""Does a bad day cost more than a clean one? The same day of East Java at several shares of bad cases.

Every variant is measured in a process of its own, in turn; figures are ratios to the clean day of the same run, so
that another load on the machine falls on all of them alike. Run it with ``make bench``.
"""

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from datetime import date
from math import ceil
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from province_day import STEPS, Measured
from regsosek.simulation.field.campaign import Campaign
from regsosek.simulation.output.sinks import DirectorySink
from regsosek.simulation.planted.defects import default_defects
from regsosek.simulation.simulate import simulate_day

PROVINCE, DAY, FAMILIES, PARTS = "35", date(2022, 10, 29), 400_000, 8
BAD_SHARES = (0.0, 0.01, 0.2, 0.6)
RATIO_AT_MOST, RSS_AT_MOST = 1.5, 2 * 1024**3
MIB = 1024**2
console = Console(width=110)


def bench(
    scale: Annotated[float, typer.Option(min=0.001, max=1, help="1 is 400,000 families in 8 parts.")] = 1,
    rounds: Annotated[int, typer.Option(min=1, help="How often each variant runs; the fastest run counts.")] = 1,
    directory: Annotated[Path | None, typer.Option(help="Where the days are written; 300 MB at scale 1.")] = None,
) -> None:
    """Measure stage, judge and split at 0, 1, 20 and 60 % bad cases, as ratios to the clean day."""
    with TemporaryDirectory(prefix="regsosek-bench-", dir=directory) as place:
        days = {share: _simulated(Path(place) / f"bad{share:g}", share, scale) for share in BAD_SHARES}
        runs: dict[float, list[Measured]] = {share: [] for share in BAD_SHARES}
        for turn in range(rounds):
            for share in _in_turn(turn):
                runs[share].append(_measured(days[share]))
    console.print(_table({share: min(measured, key=_wall) for share, measured in runs.items()}))


def _simulated(root: Path, bad: float, scale: float) -> Path:
    families = max(PARTS, round(FAMILIES * scale))
    table = default_defects().model_copy(update={"share_of_documents": bad})
    campaign = Campaign(scale=1, families_per_part=ceil(families / PARTS))
    simulate_day(campaign, DirectorySink(root), province=PROVINCE, night=DAY, families=families, defects=table)
    return root


def _in_turn(turn: int) -> Sequence[float]:
    """The shares, each round beginning with another one."""
    first = turn % len(BAD_SHARES)
    return BAD_SHARES[first:] + BAD_SHARES[:first]


def _measured(day: Path) -> Measured:
    script = Path(__file__).with_name("province_day.py")
    done = subprocess.run([sys.executable, str(script), str(day)], check=True, stdout=subprocess.PIPE, text=True)
    return Measured(**json.loads(done.stdout.splitlines()[-1]))


def _wall(run: Measured) -> float:
    return sum(run.wall.values())


def _table(best: Mapping[float, Measured]) -> Table:
    clean = best[0.0]
    title = (
        f"One day of East Java, {clean.families:,} families and {clean.persons:,} persons in {PARTS} parts; "
        f"ratios to the clean day. Targets: at most {RATIO_AT_MOST}, RSS under {RSS_AT_MOST // MIB:,} MiB; ! is a miss."
    )
    table = Table(title=title)
    columns = (
        "planted",
        "error",
        "wall s",
        "wall",
        "CPU s",
        "CPU",
        *(f"{step} CPU" for step in STEPS),
        "RSS MiB",
        "RSS",
    )
    for column in columns:
        table.add_column(column, justify="right")
    for share, run in best.items():
        table.add_row(*_row(share, run, clean))
    return table


def _row(share: float, run: Measured, clean: Measured) -> tuple[str, ...]:
    cpu, of_clean = sum(run.cpu.values()), sum(clean.cpu.values())
    return (
        f"{share:.0%}",
        f"{run.quarantined / run.families:.1%}",
        f"{_wall(run):.1f}",
        _ratio(_wall(run), _wall(clean)),
        f"{cpu:.1f}",
        _ratio(cpu, of_clean),
        *(f"{run.cpu[step] / clean.cpu[step]:.2f}" for step in STEPS),
        f"{run.peak_rss / MIB:,.0f}{_mark(run.peak_rss >= RSS_AT_MOST)}",
        f"{run.peak_rss / clean.peak_rss:.2f}",
    )


def _ratio(cost: float, of_clean: float) -> str:
    return f"{cost / of_clean:.2f}{_mark(cost > RATIO_AT_MOST * of_clean)}"


def _mark(missed: bool) -> str:
    return " !" if missed else ""


if __name__ == "__main__":
    typer.run(bench)
