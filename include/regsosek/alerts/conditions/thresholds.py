"""The thresholds of the alerts, as ``thresholds.toml`` states them."""

import tomllib
from collections.abc import Mapping
from functools import cache, cached_property
from math import ceil
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from regsosek.alerts.conditions.condition import Kind
from regsosek.alerts.conditions.kinds import Deadline, kind_traits
from regsosek.errors import ConfigurationError

THRESHOLDS = Path(__file__).parent / "thresholds.toml"

Percent = Annotated[float, Field(ge=0, le=100)]
Count = Annotated[int, Field(ge=1)]


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class NoDataThresholds(_Frozen):
    """When silence becomes critical, in nights in a row."""

    critical_after_nights: Count
    kabkota_nights: Count
    subsls_nights: Count


class ZeroThresholds(_Frozen):
    """Shares of the sub-SLS at work that brought nothing; at work: begun, and ``finished_percent`` not reached."""

    attention_percent: Percent
    critical_percent: Percent
    least_active: Count
    finished_percent: Percent


class EndThresholds(_Frozen):
    """How much of the limits that began a condition its figures must fall below to end it."""

    percent_of_limit: Percent


class QualityThresholds(_Frozen):
    """Shares and least numbers of families that wait in quarantine, and how many must be judged for any share."""

    attention_percent: Percent
    attention_families: Count
    critical_percent: Percent
    least_families: Count
    critical_families: Count
    officer_percent: Percent
    officer_families: Count


class BehindThresholds(_Frozen):
    """The least families of a kab/kota that is told of."""

    kabkota_families: Count


class CodeThresholds(_Frozen):
    """Families that wait because of their code: a share of a province's, a number of a kab/kota's or desa's."""

    attention_percent: Percent
    attention_families: Count
    kabkota_families: Count
    critical_percent: Percent
    critical_families: Count
    desa_families: Count


class AppointmentThresholds(_Frozen):
    """How many days before free days heads of SLS who were not met are listed."""

    days_ahead: Annotated[int, Field(ge=1, le=7)]


class LateThresholds(_Frozen):
    """How many days of a kab/kota's delay its silence is forgiven, and of how many nights that is taken at least."""

    most_days: Annotated[int, Field(ge=0)]
    seen_nights: Count


class WindowThresholds(_Frozen):
    """How many nights after closing silence and arrears are still news."""

    late_nights: Count


class Lengths(_Frozen):
    """The most lines of each list in a digest."""

    kabkota: Annotated[int, Field(ge=1, le=10)]
    rules: Count
    rejected: Count


class Rows(_Frozen):
    """The most places below a kab/kota that a night names, of a province and kind."""

    desa: Count
    subsls: Count
    officers: Count


class Economy(_Frozen):
    """When what is unchanged is told again, and how much is told at all; nights and messages of one province."""

    critical_nights: Count
    interval_nights: Count
    waiting_nights: Count
    good_news_nights: Count
    messages_per_week: Annotated[int, Field(ge=1, le=7)]
    told_per_digest: Count
    snooze_nights: Count
    common_percent: Percent
    common_provinces: Count


# What begins a condition and is eased for one that stands; what makes it critical is not.
_EASED = {
    "zero": ("attention_percent",),
    "quality": ("attention_percent", "attention_families"),
    "code": ("attention_percent", "attention_families", "kabkota_families"),
}


class Thresholds(_Frozen):
    """All thresholds."""

    no_data: NoDataThresholds
    zero: ZeroThresholds
    end: EndThresholds
    quality: QualityThresholds
    behind: BehindThresholds
    code: CodeThresholds
    appointment: AppointmentThresholds
    late: LateThresholds
    window: WindowThresholds
    lengths: Lengths
    rows: Rows
    economy: Economy

    @property
    def escalation(self) -> Mapping[Kind, int]:
        """Nights by kind; a kind that is absent never goes to the centre."""
        return {kind: each.escalation_nights for kind, each in kind_traits().items() if each.escalation_nights}

    @property
    def inhibition(self) -> Mapping[Kind, tuple[Kind, ...]]:
        """By kind, the kinds that it silences at its place and below."""
        return {kind: each.silences for kind, each in kind_traits().items()}

    @property
    def deadline(self) -> Mapping[Kind, Deadline]:
        """By kind; of a kind that asks no office there is none."""
        return {kind: each.deadline for kind, each in kind_traits().items() if each.deadline}

    @cached_property
    def ending(self) -> "Thresholds":
        """The same with the limits below which a condition that stands is over."""
        changed = {name: self._eased(getattr(self, name), limits) for name, limits in _EASED.items()}
        return self.model_copy(update=changed)

    def _eased(self, group: _Frozen, limits: tuple[str, ...]) -> _Frozen:
        share = self.end.percent_of_limit / 100
        before = {name: getattr(group, name) for name in limits}
        return group.model_copy(
            update={name: ceil(n * share) if isinstance(n, int) else n * share for name, n in before.items()}
        )


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


def many_quarantined(quarantined: int, judged: int, limits: Thresholds) -> bool:
    """Whether ``quarantined`` of ``judged`` families are more than a few."""
    limit = limits.quality
    enough = judged >= limit.least_families and quarantined >= limit.attention_families
    return enough and quarantined * 100 > limit.attention_percent * judged


def too_many_quarantined(quarantined: int, judged: int, limits: Thresholds) -> bool:
    """Whether ``quarantined`` of ``judged`` families are a critical share."""
    limit = limits.quality
    return quarantined >= limit.critical_families and quarantined * 100 > limit.critical_percent * judged


def many_codes(families: int, judged: int, limits: Thresholds) -> bool:
    """Whether ``families`` of ``judged``, whose code leads to no sub-SLS, are more than slips of the pen."""
    limit = limits.code
    return families >= limit.attention_families and families * 100 >= limit.attention_percent * judged


def too_many_codes(families: int, judged: int, limits: Thresholds) -> bool:
    """Whether ``families`` of ``judged``, whose code leads to no sub-SLS, are a critical share."""
    limit = limits.code
    return families >= limit.critical_families and families * 100 >= limit.critical_percent * judged
