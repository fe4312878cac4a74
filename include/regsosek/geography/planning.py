"""What the organiser plans: field windows, plan curves and targets of regions, as the settings name their files."""

from collections.abc import Mapping
from dataclasses import dataclass

from regsosek.geography.calendar import FieldWindow, planned_windows
from regsosek.geography.plan import Plans, plans
from regsosek.geography.region_targets import RegionTargets, region_targets
from regsosek.settings import Settings


@dataclass(frozen=True)
class Planning:
    """Windows by province, curves and targets by region."""

    windows: Mapping[str, FieldWindow]
    plans: Plans
    targets: RegionTargets


def planning(settings: Settings) -> Planning:
    """Reads the files of the deployment, or what is packaged.

    Raises:
        ReferenceDataError: one of them is faulty; it names line and fix.
    """
    return Planning(windows_of(settings), plans_of(settings), region_targets(settings.region_targets_file))


def plans_of(settings: Settings) -> Plans:
    """The plans alone.

    Raises:
        ReferenceDataError: the file is faulty, or there is no such shape.
    """
    return plans(settings.plan_file, settings.plan_shape)


def windows_of(settings: Settings) -> dict[str, FieldWindow]:
    """The windows alone, by province, with the plan of each.

    Raises:
        ReferenceDataError: calendar or plan is faulty; it names line and fix.
    """
    return planned_windows(settings.calendar_file, settings.plan_file, settings.plan_shape)
