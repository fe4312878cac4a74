"""What is known of each kind of condition, as ``kinds.toml`` states it: rank, deadline, escalation, runbook."""

import tomllib
from collections import Counter
from collections.abc import Mapping
from datetime import date, timedelta
from functools import cache
from pathlib import Path
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, model_validator

from regsosek.alerts.conditions.condition import Kind
from regsosek.errors import ConfigurationError
from regsosek.geography.free_days import next_to_arrange

KINDS = Path(__file__).parent / "kinds.toml"


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Deadline(_Frozen):
    """Days after the night's date, or before the next free day, and the hour on that day in the province's own time."""

    days: Annotated[int, Field(ge=0)] = 0
    days_before_free_day: Annotated[int, Field(ge=0, le=1)] = 0
    hour: Annotated[int, Field(ge=0, le=23)]

    @model_validator(mode="after")
    def _counts_from_one_day(self) -> Self:
        if bool(self.days) == bool(self.days_before_free_day):
            raise ValueError("give either days or days_before_free_day, 1 at least")
        return self

    def day(self, first: date, province: str) -> date:
        """The day itself, of what was told first of the night ``first``."""
        if self.days_before_free_day:
            return next_to_arrange(province, first) - timedelta(days=self.days_before_free_day)
        return first + timedelta(days=self.days)


class Portal(_Frozen):
    """How the operator's page shows a kind; ``mark`` tells it apart where colours do not."""

    tone: str
    mark: str
    label: str
    explanation: str


class Row(_Frozen):
    """A row of the table in ``docs/alerts.md``: of which places, from when on, and when critical."""

    of: str
    when: str
    critical: str


class KindTraits(_Frozen):
    """What is known of one kind.

    Attributes:
        rank: which kind a message names first; 1 comes before all others.
        escalation_nights: after so many nights open it goes to the centre; None: never.
        silences: the kinds that are not told while this one explains them.
        deadline: None: no office is asked.
        runbook: the name of its page.
    """

    rank: Annotated[int, Field(ge=1)]
    escalation_nights: Annotated[int, Field(ge=1)] | None = None
    silences: tuple[Kind, ...] = ()
    deadline: Deadline | None = None
    runbook: str
    portal: Portal
    rows: Annotated[tuple[Row, ...], Field(min_length=1)]


_TABLES = TypeAdapter(dict[Kind, KindTraits])


@cache
def kind_traits(path: Path = KINDS) -> Mapping[Kind, KindTraits]:
    """Reads what is known of every kind, by rank.

    Raises:
        ConfigurationError: the file is not TOML, a kind has no table or a malformed one, or two have one rank.
    """
    try:
        found = _TABLES.validate_python(tomllib.loads(path.read_text(encoding="utf-8")))
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise ConfigurationError(f"{path.name} cannot be read as TOML ({type(error).__name__}); mend it") from None
    except ValidationError as error:
        faults = "; ".join(f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in error.errors())
        raise ConfigurationError(f"{path.name}: {faults}") from None
    if missing := [kind.value for kind in Kind if kind not in found]:
        raise ConfigurationError(f"{path.name}: no table of {', '.join(missing)}; write rank, runbook, portal and rows")
    shared = [rank for rank, times in Counter(each.rank for each in found.values()).items() if times > 1]
    if shared:
        raise ConfigurationError(f"{path.name}: rank {shared[0]} stands twice; give each kind a rank of its own")
    return dict(sorted(found.items(), key=lambda item: item[1].rank))


def rank(kind: Kind) -> int:
    """Which kind a message names first: the lower."""
    return kind_traits()[kind].rank
