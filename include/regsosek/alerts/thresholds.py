"""The thresholds of the alerts, as ``thresholds.toml`` states them."""

import tomllib
from functools import cache
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from regsosek.errors import ConfigurationError

THRESHOLDS = Path(__file__).parent / "thresholds.toml"

Percent = Annotated[float, Field(ge=0, le=100)]
Count = Annotated[int, Field(ge=1)]


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class NoDataThresholds(_Frozen):
    """When silence becomes critical, in nights in a row."""

    critical_after_nights: Count


class QualityThresholds(_Frozen):
    """Shares of quarantined families, and the least number of families that a share is taken of."""

    attention_percent: Percent
    critical_percent: Percent
    least_families: Count


class BehindThresholds(_Frozen):
    """Percentage points below plan, and the first days of the window that are not judged."""

    margin_points: Percent
    critical_points: Percent
    muted_days: Annotated[int, Field(ge=0)]


class CodeThresholds(_Frozen):
    """Families whose code leads to no sub-SLS: a share or a number, whichever comes first."""

    attention_percent: Percent
    attention_families: Count
    critical_percent: Percent


class WindowThresholds(_Frozen):
    """How many nights after closing silence and arrears are still news."""

    late_nights: Count


class Lengths(_Frozen):
    """The most lines of each list in a digest."""

    kabkota: Annotated[int, Field(ge=1, le=10)]
    rules: Count
    rejected: Count


class Deadline(_Frozen):
    """Days after the night's date, and the hour on that day in the province's own time."""

    days: Annotated[int, Field(ge=1)]
    hour: Annotated[int, Field(ge=0, le=23)]


class Thresholds(_Frozen):
    """All thresholds; ``deadline`` by kind of condition."""

    no_data: NoDataThresholds
    quality: QualityThresholds
    behind: BehindThresholds
    code: CodeThresholds
    window: WindowThresholds
    lengths: Lengths
    deadline: dict[str, Deadline]


@cache
def thresholds(path: Path = THRESHOLDS) -> Thresholds:
    """Reads the thresholds.

    Raises:
        ConfigurationError: the file is not TOML, or a threshold is missing, unknown or out of range.
    """
    try:
        return Thresholds.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise ConfigurationError(f"{path.name} cannot be read as TOML ({type(error).__name__}); mend it") from None
    except ValidationError as error:
        faults = "; ".join(f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in error.errors())
        raise ConfigurationError(f"{path.name}: {faults}") from None
