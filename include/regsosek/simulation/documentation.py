"""``docs/simulation-margins.md``: what the simulator draws and what must come of it, as tables for a statistician."""

from collections.abc import Iterator
from pathlib import Path

from regsosek.contract.codebook import Variable, code_list, variable
from regsosek.contract.instruments import first_version
from regsosek.geography.provinces import province
from regsosek.simulation.draws.living import living
from regsosek.simulation.draws.margins import NOT_GIVEN, Margin, margins
from regsosek.simulation.draws.plausible import measures
from regsosek.wording import markdown

_BUILDINGS = {"": "all", "jawa": "Java, Bali, NTB", "luar": "zinc", "kayu": "wood", "timur": "east"}


def documents(root: Path) -> dict[Path, str]:
    """The generated page by its path below ``root``."""
    return {root / "docs" / "simulation-margins.md": _page()}


def _page() -> str:
    values = {
        "measures": measures(),
        "margins": [(variable(dataset, column, first_version()), _BUILDINGS[building], margin)
                    for (dataset, column, building), margin in margins().items()],
        "labelled": _labelled,
        "provinces": [(province(code), place, _BUILDINGS[place.building]) for code, place in living().items()],
    }  # fmt: skip
    return markdown.page(__file__, values)


def _labelled(item: Variable, margin: Margin) -> Iterator[tuple[str, float]]:
    """What each code of a margin means, and its share in percent."""
    choices = code_list(item.codes, first_version()) if item.kind == "choice" else ()
    labels = {code.code: code.label_en for code in choices} | {NOT_GIVEN: "not given"}
    total = sum(margin.shares)
    for code, share in zip(margin.codes, margin.shares, strict=True):
        yield labels.get(code, str(code)), 100 * share / total
