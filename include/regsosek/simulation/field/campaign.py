"""What is simulated: seed, scale, window, how field work behaves and what goes wrong, from ``data/campaign.toml``."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from regsosek.errors import ConfigurationError
from regsosek.geography.calendar import FieldWindow, field_windows

NEVER = 10_000  # a day that no campaign reaches
DEMO_SCALE = 1 / 2000
DEMO_FIRST_DELIVERY = date(2022, 10, 28)
Share = Annotated[float, Field(ge=0, le=1)]
Curve = Annotated[tuple[tuple[int, Share], ...], Field(min_length=1)]


class _Table(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Enumeration(_Table):
    """How fast families are enumerated and how late their documents arrive (``simulation.schedule``).

    ``common``: days of the window with the share of the load that is enumerated by their end; ``curve``: the same for
    provinces and kab/kota that go their own way, where ``province_spread`` and ``reached`` say nothing.
    """

    common: Curve
    curve: Mapping[str, Curve] = {}
    province_spread: float
    kabkota_spread: float
    officer_spread: Share
    weekend_weight: float
    reached: tuple[Share, Share]
    sync_again: Share
    sync_again_remote: Share
    sync_days_at_most: int
    remote_provinces: tuple[str, ...]


class SecondMessage(_Table):
    """Shares of the documents that come a second time, by what the second message says."""

    revised: Share
    revised_if_faulty: Share
    rewritten: Share
    moved: Share
    withdrawn: Share
    again: Share


class FrameShape(_Table):
    """How the frame below the desa is made."""

    families_per_sls: int
    families_per_ppl: int
    ppl_per_pml: int
    pml_per_koseka: int
    kota_weight: float
    desa_spread: float
    smallest_desa: int
    split_share: Share
    new_sls_share: Share
    new_sls_families: tuple[int, int]
    retired_share: Share
    retired_days: tuple[int, int]
    formed_share: Share = 0
    formed_days: tuple[int, int] = (2, 10)


class DeliveryIncident(_Table):
    """Something that goes wrong with the delivery of one province's day."""

    kind: Literal["silent", "resent", "superseding", "broken"]
    province: str
    day: int
    of: int | None = None


class PlantedGaps(_Table):
    """Shares of the sub-SLS (of the families: ``lost_document``) in which a stream contradicts the others."""

    reported_only: Share
    unreported: Share
    list_missing: Share
    head_not_met: Share
    lost_document: Share


class StreamShape(_Table):
    """How late the streams beside K report, how lists are verified and houses photographed, what gaps are planted."""

    report_again: Share
    report_days_at_most: int
    report_corrected: Share
    tag_again: Share
    tag_days_at_most: int
    tag_withdrawn: Share
    photo_if_poor: Share
    photo_otherwise: Share
    verified_within: int
    head_at_weekends: Share
    recap_first_day: int
    recap_again: Share
    recap_days_at_most: int
    renamed: Share
    planted: PlantedGaps


class Behaviour(_Table):
    """The whole of ``campaign.toml``."""

    enumeration: Enumeration
    second_message: SecondMessage
    frame: FrameShape
    streams: StreamShape
    incident: tuple[DeliveryIncident, ...]


def behaviour_of(path: Path) -> Behaviour:
    """The project's own behaviour, but for what the campaign file ``path`` says: tables change by key, lists whole.

    Raises:
        ConfigurationError: the file cannot be read, or says something that a campaign does not know.
    """
    try:
        own = tomllib.loads(path.read_text(encoding="utf-8"))
        usual = default_behaviour().model_dump()
        changed = {key: usual.get(key, {}) | value if isinstance(value, dict) else value for key, value in own.items()}
        return Behaviour.model_validate(usual | changed)
    except (OSError, ValueError) as error:
        fix = "write it like include/regsosek/simulation/data/campaign.toml"
        raise ConfigurationError(f"campaign file {path.name} cannot be used ({type(error).__name__}); {fix}") from error


@cache
def default_behaviour() -> Behaviour:
    """The behaviour that the project carries."""
    text = resources.files("regsosek.simulation").joinpath("data", "campaign.toml").read_text(encoding="utf-8")
    return Behaviour.model_validate(tomllib.loads(text))


@dataclass(frozen=True)
class Campaign:
    """One simulated campaign; equal campaigns deliver equal bytes.

    Attributes:
        seed: every draw depends on it.
        scale: share of the sub-SLS that are simulated, over 0 and at most 1; at least one in every kab/kota.
        first_delivery: the night of the first delivery, which carries everything synchronised until then.
        families_per_part: families in one file, at most.
        windows: field window by province.
        behaviour: shares, pace and incidents.
        streams: daily counts, tags and recaps are delivered beside K, which then lacks what their planted gaps say.

    Raises:
        ConfigurationError: the scale or the part size makes no sense.
    """

    seed: int = 20221015
    scale: float = DEMO_SCALE
    first_delivery: date = DEMO_FIRST_DELIVERY
    families_per_part: int = 50_000
    windows: Mapping[str, FieldWindow] = field(default_factory=field_windows)
    behaviour: Behaviour = field(default_factory=default_behaviour)
    streams: bool = False

    def __post_init__(self) -> None:
        if not 0 < self.scale <= 1 or round(self.scale, 9) <= 0:
            raise ConfigurationError(f"scale {self.scale} must be over 0 and at most 1, e.g. 0.0005 for 1/2000")
        if self.families_per_part < 1:
            raise ConfigurationError(f"families_per_part {self.families_per_part} must be at least 1")

    @property
    def scale_text(self) -> str:
        """The scale as reference files write it: decimal, at most nine places."""
        return f"{self.scale:.9f}".rstrip("0").rstrip(".")

    def day(self, province: str, night: date) -> int:
        """The day of the province's window that ``night`` is, 1 at opening."""
        return self.windows[province].day_of_window(night)

    def date_of(self, province: str, day: int) -> date:
        """The date of a day of the province's window."""
        return self.windows[province].opens + timedelta(days=day - 1)

    def incident(self, province: str, day: int) -> DeliveryIncident | None:
        """What goes wrong with the delivery of ``province`` on ``day``."""
        wrong = (i for i in self.behaviour.incident if (i.province, i.day) == (province, day))
        return next(wrong, None)
