"""How life differs between provinces (``data/living.csv``): cities, welfare, manner of building, size of families."""

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Literal

from regsosek.geography.provinces import province, provinces

# jawa: tile on masonry; luar: zinc on masonry; kayu: wood, often on stilts; timur: zinc and thatch, wood and bamboo.
Building = Literal["jawa", "luar", "kayu", "timur"]
# The nation's welfare is to have mean 0: this is how much better off a city is, and the share that lives in cities.
_OF_A_CITY, URBAN_NATION = 0.35, 0.57


@dataclass(frozen=True)
class Living:
    """What the families of one province have in common.

    ``urban`` is the share of families in cities, ``welfare`` the mean in standard deviations of the nation before the
    effect of cities, ``members`` the mean persons of a family (Dukcapil, as in ``provinces.csv``).
    """

    urban: float
    welfare: float
    building: Building
    members: float

    @property
    def mean_welfare(self) -> float:
        """The mean over its cities and villages."""
        return self.welfare + _OF_A_CITY * (self.urban - URBAN_NATION)


@cache
def living() -> Mapping[str, Living]:
    """All provinces by code."""
    text = resources.files("regsosek.simulation").joinpath("data", "living.csv").read_text(encoding="utf-8")
    return {row["province"]: _living(row) for row in csv.DictReader(text.splitlines())}


@cache
def mean_welfare(building: Building) -> float:
    """The mean welfare of the provinces that build in this manner, by their families."""
    targets = {p.code: p.target for p in provinces() if living()[p.code].building == building}
    return sum(living()[code].mean_welfare * target for code, target in targets.items()) / sum(targets.values())


def city_bonus(urban: float) -> float:
    """What is added to the welfare in a city (1) or village (0); 0 in the mean of the nation."""
    return _OF_A_CITY * (urban - URBAN_NATION)


def _living(row: dict[str, str]) -> Living:
    registered = province(row["province"])
    return Living(
        urban=float(row["urban"]) / 100,
        welfare=float(row["welfare"]),
        building=row["building"],  # type: ignore[arg-type]  # the unit test of the answers holds the file to the literal
        members=registered.persons_dukcapil / registered.families_dukcapil,
    )
