"""``docs/processing-record.md`` and ``docs/impact-assessment.md``: what the data say of processing, as the law asks.

What is a fact of the code (categories, rights, ways, retention) is written from the data that the code runs by; the
rest is data beside this file.
"""

import csv
import tomllib
from collections.abc import Callable, Iterator
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

from regsosek.contract.codebook import ALL_DATASETS, DATASETS, Variable, all_variables
from regsosek.contract.documentation import filled, table
from regsosek.privacy.categories import Category, categories, category_of, columns_of_roles
from regsosek.privacy.ways import ways
from regsosek.warehouse.rights import PREFIX, READERS, role_lines

PAGES = (Path("docs/processing-record.md"), Path("docs/impact-assessment.md"))
ALL, OF_ROLES = "all", "roles"


@cache
def lines(name: str) -> tuple[dict[str, str], ...]:
    """The lines of a table of this package."""
    source = resources.files(__package__).joinpath(name).read_text(encoding="utf-8")
    return tuple(csv.DictReader(source.splitlines()))


@cache
def activities() -> tuple[dict[str, Any], ...]:
    """The activities of processing."""
    source = resources.files(__package__).joinpath("activities.toml").read_text(encoding="utf-8")
    return tuple(tomllib.loads(source)["activity"])


def documents(root: Path) -> dict[Path, str]:
    """The pages by their paths below ``root``, their regions filled."""
    regions: dict[str, Callable[[], str]] = {
        "activities": _activities, "categories": _categories, "recipients": _recipients, "ways": _ways,
        "retention": _retention, "measures": _measures, "triggers": _triggers, "risks": _risks,
    }  # fmt: skip
    return {root / page: filled((root / page).read_text(encoding="utf-8"), regions) for page in PAGES}


def _activities() -> str:
    heads = ("Activity", "Purpose", "Basis", "Data", "By", "Kept as")
    return table(heads, [_activity(each) for each in activities()])


def _activity(each: dict[str, Any]) -> tuple[str, ...]:
    data = {ALL: "every category", OF_ROLES: "as the roles open them"}.get(str(each["data"])) or ", ".join(each["data"])
    recipients, retention = ", ".join(each["recipients"]), ", ".join(each["retention"])
    return each["name"], each["purpose"], each["basis"], data, recipients, retention


def _categories() -> str:
    heads = ("Category", "Dalam bahasa Indonesia", "Specific", "Variables", "Lies in", "Readers who may see it")
    return table(heads, [_category(each) for each in categories()])


def _category(category: Category) -> tuple[str, ...]:
    own = list(_variables(category))
    places = sorted({_schema(dataset, variable) for dataset, variable in own})
    names = {f"{dataset}.{variable.name}" for dataset, variable in own}
    readers = [role.removeprefix(PREFIX) for role in READERS if columns_of_roles({role}) & names]
    label = f"`{category.category}`: {category.label_en}"
    return label, category.label_id, category.specific, str(len(own)), ", ".join(places), ", ".join(readers) or "none"


def _variables(category: Category) -> Iterator[tuple[str, Variable]]:
    for dataset in ALL_DATASETS:
        yield from ((dataset, v) for v in all_variables(dataset) if category_of(dataset, v) is category)


def _schema(dataset: str, variable: Variable) -> str:
    if variable.pii:
        return "`restricted`"
    return "`core`" if dataset in DATASETS else "`stream`"


def _recipients() -> str:
    return table(("Role", "May"), [(f"`{PREFIX}{line['role']}`", line["may"]) for line in role_lines()])


def _ways() -> str:
    heads = ("Way", "What is done", "Where", "What of a case", "For")
    return table(heads, [(f"`{each.way}`", each.act, each.place, each.shown, each.purpose) for each in ways().values()])


def _retention() -> str:
    heads = ("Class", "What", "Days", "From", "How it ends", "Basis")
    return table(
        heads,
        [(f"`{line['class']}`", line["what"], line["kept_days"], line["counted_from"], line["how"], line["basis"])
         for line in lines("retention.csv")],
    )  # fmt: skip


def _measures() -> str:
    return table(("Measure", "Proof"), [(line["measure"], _link(line["proof"])) for line in lines("measures.csv")])


def _link(path: str) -> str:
    return f"[{path}]({path.removeprefix('docs/') if path.startswith('docs/') else '../' + path})"


def _triggers() -> str:
    rows = [(line["trigger"], line["fits"], line["why"], _named(line["measures"])) for line in lines("triggers.csv")]
    return table(("Processing that calls for an assessment", "Fits", "Why", "What lessens it"), rows)


def _risks() -> str:
    rows = [
        (line["risk"], line["harm"], line["likelihood"], line["severity"], _named(line["measures"]), line["rest"])
        for line in lines("risks.csv")
    ]
    return table(("Risk", "Harm", "Likelihood", "Severity", "What lessens it", "What stays"), rows)


def _named(listed: str) -> str:
    measures = {line["id"]: line["measure"].partition(";")[0] for line in lines("measures.csv")}
    return "; ".join(measures[each] for each in listed.split())
