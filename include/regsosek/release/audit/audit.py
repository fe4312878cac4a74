"""The one gate before the public: every check is made and told, and a release that fails any is not published."""

import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import pandas as pd
from sqlalchemy import Connection

from regsosek.errors import AuditError
from regsosek.geography.regions import NATION
from regsosek.release.audit.additivity import additivity_faults
from regsosek.release.audit.arrival_audit import calendar_faults, rule_table_faults
from regsosek.release.audit.change_audit import change_faults
from regsosek.release.audit.conservation import national_faults
from regsosek.release.audit.disclosure_audit import disclosure_faults
from regsosek.release.audit.published_rules import PublishedRules, rule_faults
from regsosek.release.audit.unprocessed import unprocessed_faults
from regsosek.release.figures.figures import Figures
from regsosek.release.files.tables import tables_of
from regsosek.release.rereading.archived_cases import Archive, read_cases
from regsosek.release.rereading.second_reading import Headline, change_since
from regsosek.statistics.counts.tree import changed_figures, province_totals, region_totals
from regsosek.statistics.definitions.as_of import AsOf
from regsosek.statistics.forecast.table import forecast_faults

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class AuditCheck:
    """The result of one check; ``faults`` name what does not hold, without personal data."""

    name: str
    faults: tuple[str, ...]

    @property
    def passed(self) -> bool:
        """Whether it found nothing."""
        return not self.faults


@dataclass(frozen=True)
class SecondReading:
    """The headline figures read again from the archived files, by province.

    Attributes:
        before: what they were when readers saw them last.
        changes: what they change by since, by the archived files.
        faults: where the statistics say otherwise.
    """

    before: Mapping[str, Headline]
    changes: Mapping[str, Headline]
    faults: Mapping[str, tuple[str, ...]]


# The tables that are checked by what is true, wherever readers do not see all of it.
_OF_ALL = ("provinsi.csv", "kabkota.csv", "perubahan.csv", "kedatangan.csv", "mutu.csv")


def audit(
    connection: Connection,
    reading: SecondReading,
    figures: Figures,
    rules: PublishedRules,
    files: Mapping[str, bytes],
    shown: Figures,
) -> tuple[AuditCheck, ...]:
    """Makes every check of a release built aside; each province's conservation and second reading came before.

    Args:
        figures: what is known; ``shown``: what of it readers may see, of which the ``files`` are made.
    """
    known = files if shown is figures else {**files, **tables_of(figures, _OF_ALL)}
    # A province that has no figures any more (it is being replayed) is not what it was, and need not be.
    still = {code: night for code, night in figures.former.nights.items() if code in figures.as_of.nights}
    former = AsOf(figures.former.night, still)
    before, changes = region_totals(connection, former), changed_figures(connection, figures.as_of, former)
    return (
        _check("conservation of the nation", national_faults(connection, figures.as_of, figures.arrivals)),
        _check("additivity", additivity_faults(before, changes, figures.counted, figures.daily)),
        _check("additivity of the changes", change_faults(figures.changes, figures.counted, known)),
        _check("calendar of arrivals", calendar_faults(known)),
        _check("quality by rule", rule_table_faults(known)),
        _check("rules of the published tables", rule_faults(rules, files)),
        _check("disclosure control", disclosure_faults(shown, files)),
        _check("what was not processed is empty", unprocessed_faults(known)),
        _check("days that forecasts go by", forecast_faults(figures.prospects, figures.counted)),
        _check("second reading of the headline figures", released_faults(figures, reading)),
    )


def require_passed(night: date, checks: Sequence[AuditCheck], lost: Sequence[str] = ()) -> None:
    """Lets a release pass only if every check did.

    Args:
        lost: nights that the warehouse lacks, with what brings them back: no night that is processed again does.

    Raises:
        AuditError: telling every fault of every check that failed.
    """
    told = [f"{check.name}: {'; '.join(check.faults)}" for check in checks if not check.passed]
    if told:
        remedy = "; ".join(lost) or "find the cause, process the province's night again"
        raise AuditError(
            f"the release of night {night} was not published; the last one stays. {' | '.join(told)} "
            f"({remedy}, then release again)"
        )


def read_again(connection: Connection, archive: Archive, as_of: AsOf, former: AsOf) -> SecondReading:
    """Reads what each province's nights changed since ``former``, and compares it with the statistics."""
    since = {code: former.nights.get(code, night - timedelta(days=1)) for code, night in as_of.nights.items()}
    then, now = province_totals(connection, AsOf(as_of.night, since)), province_totals(connection, as_of)
    before = {code: _headline(then, code) for code in since}
    changes: dict[str, Headline] = {}
    faults: dict[str, tuple[str, ...]] = {}
    for code, night in as_of.nights.items():
        shown = _headline(now, code) - before[code]
        try:
            changes[code] = change_since(read_cases(connection, archive, code, since[code], night), since[code])
        except AuditError as error:
            faults[code] = (str(error),)
            continue
        log.debug("province %s, nights after %s: second reading %s", code, since[code], changes[code])
        if shown != changes[code]:
            faults[code] = tuple(_differences(f"province {code}", "changes by", shown, changes[code]))
    return SecondReading(before, changes, faults)


def released_faults(figures: Figures, reading: SecondReading) -> Iterator[str]:
    """Compares the released figures, nation included, with the second reading; who is held back stands as before."""
    released = figures.counted.set_index("code")
    expected = {
        code: reading.before[code] if code in figures.held_back else reading.before[code] + reading.changes[code]
        for code in figures.as_of.nights
    }
    for code, read in expected.items():
        yield from _differences(f"province {code}", "is", _headline(released, code), read)
    nation = sum(expected.values(), Headline(0, 0))
    yield from _differences("nation", "is", _headline(released, NATION), nation)


def _differences(where: str, verb: str, shown: Headline, read: Headline) -> Iterator[str]:
    for name in ("visited", "complete"):
        if getattr(shown, name) != getattr(read, name):
            yield (
                f"{where}: {name} {verb} {getattr(shown, name)} in the release, "
                f"{getattr(read, name)} in the archived files"
            )


def _headline(totals: pd.DataFrame, code: str) -> Headline:
    if code not in totals.index:
        return Headline(0, 0)
    row = totals.loc[[code], ["visited", "complete"]].astype("int64").to_numpy().tolist()[0]
    return Headline(*row)


def _check(name: str, faults: Iterable[str]) -> AuditCheck:
    return AuditCheck(name, tuple(faults))
