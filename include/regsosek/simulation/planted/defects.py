"""The kinds of planted defects, from ``data/defects.toml``, and the rule that each must trigger."""

import tomllib
from functools import cache
from importlib import resources
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from regsosek.contract.codebook import QuestionnaireDataset, Variable, block, variable
from regsosek.contract.instruments import first_version
from regsosek.quality.generated import rule_id
from regsosek.simulation.answers.projection import as_text, cell, inside, outside

Form = Literal["untypable", "width", "outside_list", "missing", "surplus", "written", "key"]
Expected = Literal["quarantined", "warning"]


class DefectKind(BaseModel):
    """One kind of defect; the fields are explained at the head of ``defects.toml``."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    dataset: QuestionnaireDataset
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
        return variable(self.dataset, self.column, first_version())

    @property
    def rule_id(self) -> str:
        """The rule that it must trigger."""
        return self.rule or rule_id(self.item, _letter(self.item, self.form))

    @property
    def outcome(self) -> Expected:
        """What happens to the case."""
        lenient = self.item.uncertain or block(self.dataset, self.item.block, first_version()).severity == "warning"
        return self.expected or ("warning" if lenient else "quarantined")


# Not planted but met: a sub-SLS that the frame does not know yet, and one that it knows no more.
NEW_SLS = DefectKind(name="sls_new", dataset="keluarga", column="id_subsls", form="key", rule="G03")
RETIRED_SLS = DefectKind(
    name="sls_retired", dataset="keluarga", column="id_subsls", form="key", rule="G02", expected="warning"
)


class DefectTable(BaseModel):
    """All kinds, and the share of the documents that bear one."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    share_of_documents: float = Field(ge=0, le=1)
    kind: tuple[DefectKind, ...]


@cache
def default_defects() -> DefectTable:
    """The kinds that the project carries."""
    text = resources.files("regsosek.simulation").joinpath("data", "defects.toml").read_text(encoding="utf-8")
    return DefectTable.model_validate(tomllib.loads(text))


def _letter(item: Variable, form: Form) -> str:
    if form in {"untypable", "width"}:
        return "T" if form == "untypable" else "W"
    if form in {"missing", "surplus"}:
        return "U"
    return "C" if item.codes else "R"


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
