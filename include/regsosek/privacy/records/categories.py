"""Categories of data as data: what the codebook's variables tell of a person, and which the law calls specific.

Specific (UU 27/2022 article 4) are health, personal finance and whatever is told of a child; the last is no variable of
its own: every row of a member below :data:`ADULT` is.
"""

import csv
import re
from collections.abc import Collection, Iterable
from functools import cache
from importlib import resources
from typing import NamedTuple

from regsosek.contract.codebook import ALL_DATASETS, Variable, all_variables
from regsosek.contract.stream_kinds import MESSAGES
from regsosek.errors import ConfigurationError
from regsosek.warehouse.access.rights import table_rights

ADULT = 18


class Category(NamedTuple):
    """A category: the class of personal data in the codebook, or the pattern of ``dataset.variable`` that is of it."""

    category: str
    specific: str
    pii: str
    variables: str
    label_id: str
    label_en: str


@cache
def categories() -> tuple[Category, ...]:
    """All of them; a variable is of the first that takes it."""
    source = resources.files(__package__).joinpath("categories.csv").read_text(encoding="utf-8")
    return tuple(Category(**row) for row in csv.DictReader(source.splitlines()))


def category_of(dataset: str, variable: Variable) -> Category:
    """The category of a variable: by class or pattern, else that of its stream (``contract/streams.csv``).

    Raises:
        ConfigurationError: none takes it.
    """
    for each in categories():
        if each.pii == variable.pii if each.pii else re.fullmatch(each.variables, f"{dataset}.{variable.name}"):
            return each
    named = f"{dataset}.{variable.name} is of no category"
    if dataset not in MESSAGES:
        raise ConfigurationError(f"{named}; add it to a pattern of privacy/records/categories.csv")
    of_stream = {each.category: each for each in categories()}.get(MESSAGES[dataset].category)
    if of_stream is None:
        raise ConfigurationError(
            f"{named}; add it to a pattern of privacy/records/categories.csv, or name a category of that file for all "
            "of its stream in contract/streams.csv"
        )
    return of_stream


def categories_of(datasets: Iterable[str], names: Collection[str] | None = None) -> list[Category]:
    """The categories of some datasets' variables, in the order of the data.

    Args:
        names: only these variables, as ``dataset.variable``; none: all.
    """
    found = {
        category_of(dataset, variable)
        for dataset in datasets
        for variable in all_variables(dataset)
        if names is None or f"{dataset}.{variable.name}" in names
    }
    return [each for each in categories() if each in found]


def columns_of_roles(roles: Collection[str]) -> set[str]:
    """What logins of some roles of readers may read of cases, as ``dataset.variable``."""
    rights = (right for right in table_rights() if right.role in {*roles} and right.on.startswith("core."))
    return {f"{right.on.removeprefix('core.')}.{right.column}" for right in rights if right.column}


def everything() -> list[Category]:
    """Every category that a delivery may hold."""
    return categories_of(ALL_DATASETS)
