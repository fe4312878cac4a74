"""``docs/simulation-margins.md``: what the simulator draws and what must come of it, as tables for a statistician."""

from collections.abc import Iterator
from pathlib import Path

from regsosek.contract.codebook import code_list, variable
from regsosek.contract.instruments import first_version
from regsosek.geography.provinces import province
from regsosek.simulation.living import living
from regsosek.simulation.margins import NOT_GIVEN, Margin, margins
from regsosek.simulation.plausible import Measure, measures

_HEAD = """# Margins of the simulation

Written by `make fix` from `include/regsosek/simulation/data/`; do not edit. [simulation.md](simulation.md) explains it.
Public figures are rounded and quoted from memory of the published tables; *own* marks our estimates, among them what
the simulator gave when it was tuned and is held to since.
"""
_BUILDINGS = {"": "all", "jawa": "Java, Bali, NTB", "luar": "zinc", "kayu": "wood", "timur": "east"}


def documents(root: Path) -> dict[Path, str]:
    """The generated page by its path below ``root``."""
    return {root / "docs" / "simulation-margins.md": "\n".join(_page()) + "\n"}


def _page() -> Iterator[str]:
    yield _HEAD
    yield "## What must come of a national day\n"
    yield "Held by `tests/unit/simulation/test_plausibility.py` on 60,000 families of all provinces.\n"
    yield "| measure | expected | tolerance | source | as of |\n|---|--:|--:|---|---|"
    yield from map(_measure, measures())
    yield "\n## Answers and their shares, from poor to rich\n"
    yield "*follows*: correlation with the welfare of the family. *kept*: the files have these shares within 2 points"
    yield "(5 in the east and where houses are of wood); where not, other answers or the skip change them.\n"
    yield "| item | provinces | follows | kept | shares in % | source |\n|---|---|--:|---|---|---|"
    yield from (_margin(*key, margin) for key, margin in margins().items())
    yield "\n## Provinces\n"
    yield "Persons per family from `provinces.csv` (Dukcapil, February 2023); the other columns are own estimates.\n"
    yield "| code | province | persons per family | in cities % | welfare, sd | manner of building |"
    yield "|---|---|--:|--:|--:|---|"
    yield from map(_province, living())


def _measure(measure: Measure) -> str:
    cells = (measure.measure, f"{measure.expected:g}", f"{measure.tolerance:g}", measure.source, measure.as_of)
    return _row(*cells)


def _margin(dataset: str, column: str, building: str, margin: Margin) -> str:
    item = variable(dataset, column, first_version())
    labels = (
        {code.code: code.label_en for code in code_list(item.codes, first_version())} if item.kind == "choice" else {}
    )
    labels[NOT_GIVEN] = "not given"
    total = sum(margin.shares)
    shares = (f"{labels.get(code, code)} {100 * share / total:.3g}" for code, share in _pairs(margin))
    kept = "yes" if margin.kept else "no"
    name = f"{item.reference} {item.label_en}"
    return _row(name, _BUILDINGS[building], f"{margin.follows_welfare:g}", kept, "; ".join(shares), margin.source)


def _pairs(margin: Margin) -> Iterator[tuple[int, float]]:
    return zip(margin.codes, margin.shares, strict=True)


def _province(code: str) -> str:
    place = living()[code]
    name = province(code).name
    cells = f"{place.members:.2f}", f"{100 * place.urban:.0f}", f"{place.welfare:+.2f}", _BUILDINGS[place.building]
    return _row(code, name, *cells)


def _row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"
