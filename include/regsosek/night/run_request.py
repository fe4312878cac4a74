"""What one run is asked to do: the one place that turns a partition key or a form into a night. Light to import."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from regsosek.errors import ConfigurationError
from regsosek.geography.calendar import default_night
from regsosek.geography.provinces import province, provinces


@dataclass(frozen=True)
class RunRequest:
    """A night, the provinces it is run for, and whether digests are sent."""

    night: date
    provinces: tuple[str, ...]
    alerts: bool


def run_request(
    partition_key: str | None, params: Mapping[str, Any], *, run_after: datetime, run_type: str
) -> RunRequest:
    """Reads a run: the form's date wins over the partition key, and that over yesterday in Jakarta.

    Raises:
        ConfigurationError: the date is none.
        ReferenceDataError: a province is unknown.
    """
    given = params.get("date") or partition_key
    try:
        night = date.fromisoformat(given) if given else default_night(run_after)
    except ValueError:
        raise ConfigurationError(f"night {given!r} is no date; write YYYY-MM-DD") from None
    refuse_future(night, run_after)
    backfilled = "backfill" in run_type.lower()
    return RunRequest(night, chosen(params.get("provinces")), bool(params.get("alerts", True)) and not backfilled)


def refuse_future(night: date, now: datetime) -> None:
    """A night to come would seal what belongs to the nights before it, and move readers past them.

    Raises:
        ConfigurationError: ``night`` lies after today in Jakarta.
    """
    today = default_night(now) + timedelta(days=1)
    if night > today:
        raise ConfigurationError(
            f"night {night} lies in the future; today in Jakarta is {today}: give that date or an earlier one"
        )


def chosen(codes: Sequence[str] | None) -> tuple[str, ...]:
    """The provinces asked for, in their order; all of them if none is named.

    Raises:
        ReferenceDataError: a code is no province of the frame of 2022.
    """
    return tuple(province(code).code for code in codes) if codes else tuple(each.code for each in provinces())
