"""The kinds of planted defects, from ``data/defects.toml``, and the rule that each must trigger."""

import tomllib
from functools import cache
from importlib import resources
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from regsosek.contract.codebook import DATASETS, Variable, variable, variables
from regsosek.simulation.projection import as_text, cell, inside, outside

Form = Literal["untypable", "width", "outside_list", "missing", "surplus", "written", "key"]
Expected = Literal["quarantined", "warning"]
UNKNOWN_SLS_RULE = "G03"


class DefectKind(BaseModel):
    """One kind of defect; the fields are explained at the head of ``defects.toml``."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    dataset: Literal["keluarga", "anggota"]
    column: str
    form: Form
    value: str = "x"
    where: str = "TRUE"
    rule: str = ""
    expected: Expected | Literal[""] = ""
    weight: float = Field(1.0, gt=0)

    @property
    def item(self) -> Variable:
        """The variable that it spoils."""
        return variable(self.dataset, self.column)

    @property
    def rule_id(self) -> str:
        """The rule that it must trigger."""
        return self.rule or rule_id(self.item, self.form)

    @property
    def outcome(self) -> Expected:
        """What happens to the case."""
        return self.expected or ("warning" if self.item.uncertain else "quarantined")


class DefectTable(BaseModel):
    """All kinds, and the share of the documents that bear one."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    share_of_documents: float = Field(ge=0, le=1)
    kind: tuple[DefectKind, ...]


@cache
def default_defects() -> DefectTable:
    """The kinds that the project carries."""
    text = resources.files(__package__).joinpath("data", "defects.toml").read_text(encoding="utf-8")
    return DefectTable.model_validate(tomllib.loads(text))


def rule_id(item: Variable, form: Form) -> str:
    """The id of the rule generated from the codebook that a defect of this form breaks."""
    if form == "untypable":
        return f"T-{_reference(item)}"
    if form in {"missing", "surplus"}:
        return item.universe_rule or f"U-{_reference(item)}"
    letter = "W" if form == "width" else "C" if item.codes else "R"
    return item.value_rule or f"{letter}-{_reference(item)}"


def fitting_rows(kind: DefectKind) -> str:
    """SQL over the candidates: where the defect can be planted so that it breaks its own rule and no other."""
    if kind.form == "written":
        return kind.where
    if kind.form == "missing":
        return inside(kind.item)
    if kind.form == "surplus":
        return f"({outside(kind.item)}) AND {kind.column} IS NOT NULL"
    return f"r205_hasil = 1 AND ({cell(kind.item)}) IS NOT NULL"


def written_value(kind: DefectKind) -> str:
    """SQL of what stands in the file; ``{}`` is the cell as it would have been."""
    if kind.form == "missing":
        return "NULL"
    if kind.form == "surplus":
        return as_text(kind.item)
    if kind.form == "width":
        return "left({}, -1)"
    return kind.value if kind.form == "written" else f"'{kind.value}'"


def _reference(item: Variable) -> str:
    """The item number; the column name where several columns of a dataset share it; prefixed where both datasets have it."""
    if sum(other.reference == item.reference for other in variables(item.dataset)) > 1:
        return item.name
    elsewhere = {other.reference for dataset in DATASETS if dataset != item.dataset for other in variables(dataset)}
    ambiguous = item.dataset == "anggota" and item.reference in elsewhere
    return f"anggota-{item.reference}" if ambiguous else item.reference
