"""Does a late day cost more than an early one? Statistics and release of day 3 and day 30 of one campaign.

Every night brings the same news (``campaign_nights.py``). Both days are measured in one run, on one warehouse, so
that another load on the machine falls on both alike. CPU is that of this process and of the whole database server.
Run it with ``make bench``.
"""

import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table
from sqlalchemy import Engine, text

from campaign_nights import FAMILIES_A_DAY, Nights
from regsosek.local import stack
from regsosek.local.stack import WAREHOUSE
from regsosek.release.publish import publish
from regsosek.resources import Resources, open_resources
from regsosek.settings import load_settings

OFFICERS, EARLY, LATE, RATIO_AT_MOST = 33_333, 3, 30, 1.5
console = Console(width=110)


@dataclass(frozen=True)
class Cost:
    """Wall and CPU seconds of a step."""

    wall: float
    cpu: float

    def __add__(self, other: "Cost") -> "Cost":
        return Cost(self.wall + other.wall, self.cpu + other.cpu)


@dataclass
class Server:
    """The database server's CPU, that of its processes which have ended included."""

    engine: Engine

    def cpu(self) -> float:
        """CPU seconds so far."""
        with self.engine.connect() as connection:
            backend = connection.execute(text("SELECT pg_backend_pid()")).scalar_one()
        postmaster = int(_stat(backend)[1])
        running = [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()]
        children = [pid for pid in running if _parent(pid) == postmaster]
        ticks = sum(_ticks(pid, 11, 13) for pid in (postmaster, *children)) + _ticks(postmaster, 13, 15)
        return ticks / os.sysconf("SC_CLK_TCK")


def _stat(pid: int) -> list[str]:
    """The fields of /proc/PID/stat after the name, which may hold blanks."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()


def _parent(pid: int) -> int | None:
    try:
        return int(_stat(pid)[1])
    except (FileNotFoundError, ProcessLookupError):
        return None


def _ticks(pid: int, first: int, beyond: int) -> int:
    try:
        return sum(map(int, _stat(pid)[first:beyond]))
    except (FileNotFoundError, ProcessLookupError):
        return 0


def bench(
    scale: Annotated[float, typer.Option(min=0.001, max=1, help="1 is 400,000 families a night.")] = 0.1,
    rounds: Annotated[int, typer.Option(min=1, help="How often each step runs; the fastest run counts.")] = 2,
    late: Annotated[int, typer.Option(min=4, max=31, help="The late day.")] = LATE,
    directory: Annotated[Path | None, typer.Option(help="Where the services keep their state.")] = None,
) -> None:
    """Measure statistics and release at day 3 and at a late day, as ratios to day 3."""
    with TemporaryDirectory(prefix="regsosek-growth-", dir=directory) as place:
        root = Path(place) / "services"
        try:
            services = stack.services_up(root)
            variables = {**services.environment(WAREHOUSE), "REGSOSEK_ENV_FILE": os.devnull}
            # Reference data of this size are made in the warehouse itself, by its owner.
            variables["REGSOSEK_WAREHOUSE_URL"] = variables["REGSOSEK_WAREHOUSE_OWNER_URL"]
            with open_resources(load_settings(variables)) as resources:
                measured = measure(resources, round(OFFICERS * scale), (EARLY, late), rounds, Path(place))
        finally:
            stack.clean(root)
    console.print(_table(measured, round(OFFICERS * scale), rounds))


def measure(
    resources: Resources, officers: int, days: tuple[int, int], rounds: int, scratch: Path
) -> dict[int, dict[str, Cost]]:
    """What statistics and release of each of ``days`` cost, with all nights before it loaded and published."""
    resources.settings.work_dir.mkdir(parents=True, exist_ok=True)
    nights, server = Nights(resources, officers), Server(resources.engine)
    nights.prepare(scratch)
    measured: dict[int, dict[str, Cost]] = {}
    for day in range(1, max(days) + 1):
        night = nights.bring(day, scratch)
        nights.refresh(night)
        if day not in days:
            _publish(resources, night)
        else:
            nights.settle()
            measured[day] = {
                "statistics": _fastest(server, rounds, partial(nights.refresh, night)),
                "release": _fastest(server, rounds, partial(_publish, resources, night)),
            }
            console.print(f"day {day}: {measured[day]}")
    return measured


def _publish(resources: Resources, night: date) -> None:
    published = publish(resources.engine, resources.store, resources.settings, night)
    if published.held_back:
        raise SystemExit(f"the bench's province does not pass its audit: {published.held_back}")


def _fastest(server: Server, rounds: int, step: Callable[[], None]) -> Cost:
    return min((_cost(server, step) for _ in range(rounds)), key=lambda cost: cost.cpu)


def _cost(server: Server, step: Callable[[], None]) -> Cost:
    wall, cpu = time.monotonic(), time.process_time() + server.cpu()
    step()
    return Cost(time.monotonic() - wall, time.process_time() + server.cpu() - cpu)


def _table(measured: dict[int, dict[str, Cost]], officers: int, rounds: int) -> Table:
    early, *_ = measured.values()
    title = (
        f"Statistics and release of one province, {officers * FAMILIES_A_DAY:,} new families a night and 2 % as many "
        f"revisions; the fastest of {rounds} runs; ratios to day {min(measured)}. Target: at most {RATIO_AT_MOST}; "
        "! is a miss."
    )
    table = Table(title=title)
    table.add_column("day")
    for step in (*early, "together"):
        for column in (f"{step} wall s", "wall", "CPU s", "CPU"):
            table.add_column(column, justify="right")
    for day, costs in measured.items():
        cells = []
        for cost, before in zip(_with_sum(costs), _with_sum(early), strict=True):
            cells += [
                f"{cost.wall:.1f}",
                _ratio(cost.wall, before.wall),
                f"{cost.cpu:.1f}",
                _ratio(cost.cpu, before.cpu),
            ]
        table.add_row(str(day), *cells)
    return table


def _with_sum(costs: dict[str, Cost]) -> list[Cost]:
    return [*costs.values(), sum(costs.values(), Cost(0, 0))]


def _ratio(cost: float, early: float) -> str:
    return f"{cost / early:.2f}{' !' if cost > RATIO_AT_MOST * early else ''}"


if __name__ == "__main__":
    typer.run(bench)
