"""How often each answer is given (``data/margins.csv``): graded from poor to rich, so that all follow one welfare."""

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from statistics import NormalDist

import numpy as np

from regsosek.contract.codebook import DATASETS, Variable, bit_mask, code_list, variables
from regsosek.contract.instruments import first_version
from regsosek.errors import ConfigurationError
from regsosek.simulation.draws.living import Building, mean_welfare
from regsosek.simulation.draws.randomness import Draws, Floats, Integers

NOT_GIVEN = -1


@dataclass(frozen=True)
class Margin:
    """The shares of a column's answers, ordered from poor to rich; ``follows_welfare`` is a correlation, -1 to 1.

    ``kept`` is false where the files have other shares: other answers change the drawn ones, or only some are asked,
    who are richer or poorer than the rest. ``source`` says where the shares come from.
    """

    follows_welfare: float
    codes: tuple[int, ...]
    shares: tuple[float, ...]
    kept: bool
    source: str

    def answers(self, draws: Draws, name: str, welfare: Floats) -> Integers:
        """An answer for each key; over many keys they have the shares, NOT_GIVEN where the answer is left open."""
        rest = (1 - self.follows_welfare**2) ** 0.5
        score = self.follows_welfare * welfare + rest * draws.normal(name)
        total = np.cumsum(self.shares) / sum(self.shares)
        limits = [NormalDist().inv_cdf(share) for share in total[:-1]]
        return np.asarray(np.array(self.codes)[np.searchsorted(limits, score)], dtype=np.int64)


@cache
def margins() -> Mapping[tuple[str, str, str], Margin]:
    """All margins by dataset, column, and the manner of building of the provinces that they hold for, if not all.

    Raises:
        ConfigurationError: a line is of no column that the simulator delivers.
    """
    text = resources.files("regsosek.simulation").joinpath("data", "margins.csv").read_text(encoding="utf-8")
    return read_margins(text)


def read_margins(text: str) -> Mapping[tuple[str, str, str], Margin]:
    """The same of the text of a file."""
    rows = list(csv.DictReader(text.splitlines()))
    asked = {(dataset, each.name) for dataset in DATASETS for each in variables(dataset, first_version())}
    if strange := [f"{r['dataset']}.{r['column']}" for r in rows if (r["dataset"], r["column"]) not in asked]:
        raise ConfigurationError(
            f"simulation/data/margins.csv: {', '.join(strange)} is not in version {first_version()}, which the "
            "simulator delivers; take the line out, or name a column of that version"
        )
    return {(row["dataset"], row["column"], row["building"]): _margin(row) for row in rows}


def candidate(variable: Variable, draws: Draws, welfare: Floats, building: Building) -> Integers | None:
    """A candidate for everyone: by its margin, else any that the codebook allows; None where it takes a text."""
    own = margins().get((variable.dataset, variable.name, building))
    if own:
        # The shares are those of these provinces: there welfare counts from their own mean.
        return own.answers(draws, variable.name, welfare - mean_welfare(building))
    margin = margins().get((variable.dataset, variable.name, ""))
    if margin:
        return margin.answers(draws, variable.name, welfare)
    if variable.kind == "choice":
        return draws.among(variable.name, {code.code: 1.0 for code in code_list(variable.codes, first_version())})
    if variable.kind == "bits":
        return draws.integer(variable.name, 0, bit_mask(variable.codes, first_version()))
    if variable.kind == "integer" and variable.minimum is not None and variable.maximum is not None:
        return draws.integer(variable.name, variable.minimum, variable.maximum)
    return None


def _margin(row: dict[str, str]) -> Margin:
    pairs = [answer.split(":") for answer in row["poorest_to_richest"].split()]
    codes, shares = tuple(int(code) for code, _ in pairs), tuple(float(share) for _, share in pairs)
    return Margin(float(row["follows_welfare"]), codes, shares, row["kept"] == "yes", row["source"])
