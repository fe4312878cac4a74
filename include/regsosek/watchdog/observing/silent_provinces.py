"""Provinces that deliver nothing while they enumerate."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta

from regsosek.geography.calendar import NIGHT_ZONE, FieldWindow
from regsosek.geography.provinces import province as province_of
from regsosek.watchdog.finding import Finding, FindingKind
from regsosek.watchdog.observing.limits import SilentProvinces
from regsosek.wording.nouns import counted


def days_listened(now: datetime, whole_days: int) -> tuple[date, ...]:
    """The days (WIB) of which a delivery ends the silence, the newest first: today and ``whole_days`` before it."""
    today = now.astimezone(NIGHT_ZONE).date()
    return tuple(today - timedelta(days=back) for back in range(whole_days + 1))


def silent(
    delivered: Sequence[Mapping[str, date]], now: datetime, windows: Mapping[str, FieldWindow], rules: SilentProvinces
) -> Iterator[Finding]:
    """A finding for each silent province, or one of the nation where most are silent.

    Args:
        delivered: the newest day of delivery by province, as each source has it.
    """
    _, *whole = days_listened(now, rules.days)
    listening = [code for code, window in windows.items() if all(window.is_open(day) for day in whole)]
    mute = [code for code in listening if _last(delivered, code) < whole[-1]]
    told = f"nothing delivered on the last {counted(rules.days, 'day', 'days')}"
    if len(mute) >= max(rules.nation_least, len(listening) * rules.nation_percent / 100):
        yield Finding(
            FindingKind.NATION_SILENT,
            f"{len(mute)} of {counted(len(listening), 'enumerating province', 'enumerating provinces')}: {told}",
        )
        return
    for code in mute:
        last = _last(delivered, code)
        since = f"; last delivery {last}" if last > date.min else "; none known"
        yield Finding(FindingKind.PROVINCE_SILENT, f"{code} {province_of(code).name}: {told}{since}", code)


def _last(delivered: Sequence[Mapping[str, date]], code: str) -> date:
    return max(source.get(code, date.min) for source in delivered)
