"""``docs/processing-record.md`` and ``docs/impact-assessment.md``: what the data say of processing, as the law asks.

What is a fact of the code (categories, rights, ways, retention) is written from the data that the code runs by; the
rest is data beside this file.
"""

import csv
import tomllib
from collections.abc import Iterable, Iterator
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

from regsosek.contract.codebook import ALL_DATASETS, DATASETS, Variable, all_variables
from regsosek.privacy.records.categories import Category, categories, category_of, columns_of_roles
from regsosek.privacy.trail.ways import ways
from regsosek.warehouse.access.rights import PREFIX, READERS, role_lines
from regsosek.wording import markdown

PAGES = (Path("docs/processing-record.md"), Path("docs/impact-assessment.md"))
ALL, OF_ROLES = "all", "roles"


@cache
def lines(name: str) -> tuple[dict[str, str], ...]:
    """The lines of a table of this room; ``name`` is its path below ``privacy/``."""
    source = resources.files("regsosek.privacy").joinpath(name).read_text(encoding="utf-8")
    return tuple(csv.DictReader(source.splitlines()))


@cache
def activities() -> tuple[dict[str, Any], ...]:
    """The activities of processing."""
    source = resources.files(__package__).joinpath("activities.toml").read_text(encoding="utf-8")
    return tuple(tomllib.loads(source)["activity"])


def documents(root: Path) -> dict[Path, str]:
    """The pages by their paths below ``root``, their regions filled."""
    values = {
        "lines": lines,
        "known_activities": activities(),
        "all": ALL,
        "of_roles": OF_ROLES,
        "known_categories": categories(),
        "variables": lambda category: list(_variables(category)),
        "schemas": lambda own: sorted({_schema(dataset, variable) for dataset, variable in own}),
        "readers": _readers,
        "roles": role_lines(),
        "prefix": PREFIX,
        "known_ways": ways(),
        "link": _link,
        "named": _named,
    }
    regions = markdown.regions(__file__, values)
    return {root / page: markdown.filled((root / page).read_text(encoding="utf-8"), regions) for page in PAGES}


def _variables(category: Category) -> Iterator[tuple[str, Variable]]:
    for dataset in ALL_DATASETS:
        yield from ((dataset, v) for v in all_variables(dataset) if category_of(dataset, v) is category)


def _schema(dataset: str, variable: Variable) -> str:
    if variable.pii:
        return "`restricted`"
    return "`core`" if dataset in DATASETS else "`stream`"


def _readers(own: Iterable[tuple[str, Variable]]) -> list[str]:
    """The readers who may see one of these variables at least."""
    names = {f"{dataset}.{variable.name}" for dataset, variable in own}
    return [role.removeprefix(PREFIX) for role in READERS if columns_of_roles({role}) & names]


def _link(path: str) -> str:
    return f"[{path}]({path.removeprefix('docs/') if path.startswith('docs/') else '../' + path})"


def _named(listed: str) -> str:
    measures = {line["id"]: line["measure"].partition(";")[0] for line in lines("records/measures.csv")}
    return "; ".join(measures[each] for each in listed.split())
