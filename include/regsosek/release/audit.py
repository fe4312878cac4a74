"""The one gate before the public: every check is made and told, and a release that fails any is not published."""

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import pandas as pd
from sqlalchemy import Connection

from regsosek.errors import AuditError
from regsosek.release.additivity import additivity_faults
from regsosek.release.archived_cases import Archive, read_cases
from regsosek.release.conservation import national_faults
from regsosek.release.figures import Figures
from regsosek.release.published_rules import PublishedRules, rule_faults
from regsosek.release.second_reading import Headline, change_since
from regsosek.statistics.as_of import AsOf
from regsosek.statistics.tree import own_figures, province_totals

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Check:
    """The result of one check; ``faults`` name what does not hold, without personal data."""

    name: str
    faults: tuple[str, ...]

    @property
    def passed(self) -> bool:
        """Whether it found nothing."""
        return not self.faults


def audit(
    connection: Connection, archive: Archive, figures: Figures, rules: PublishedRules, files: Mapping[str, bytes]
) -> tuple[Check, ...]:
    """Makes every check of a release that has been built aside; conservation by province has been judged before."""
    own = own_figures(connection, figures.as_of)
    return (
        _check("conservation of the nation", national_faults(connection, figures.as_of, figures.arrivals)),
        _check("additivity", additivity_faults(own, figures.completion, figures.daily)),
        _check("rules of the published tables", rule_faults(rules, files)),
        _check("second reading of the headline figures", second_reading_faults(connection, archive, figures)),
    )


def require_passed(night: date, checks: Sequence[Check]) -> None:
    """Lets a release pass only if every check did.

    Raises:
        AuditError: telling every fault of every check that failed.
    """
    told = [f"{check.name}: {'; '.join(check.faults)}" for check in checks if not check.passed]
    if told:
        raise AuditError(
            f"the release of night {night} was not published; the last one stays. {' | '.join(told)} "
            "(find the cause, process the province's night again, then release again)"
        )


def second_reading_faults(connection: Connection, archive: Archive, figures: Figures) -> list[str]:
    """Compares, by province, what the release changes in the figures with what the archived files say."""
    standing = figures.as_of.nights
    since = {code: figures.former.nights.get(code, night - timedelta(days=1)) for code, night in standing.items()}
    released = figures.completion.set_index("code")
    before = province_totals(connection, AsOf(figures.night, since))
    faults: list[str] = []
    for code, night in standing.items():
        shown = _headline(released, code) - _headline(before, code)
        faults += _province_faults(connection, archive, code, (since[code], night), shown)
    return faults


def _province_faults(
    connection: Connection, archive: Archive, code: str, nights: tuple[date, date], shown: Headline
) -> Iterable[str]:
    after, night = nights
    try:
        read = change_since(read_cases(connection, archive, code, after, night), after)
    except AuditError as error:
        return [str(error)]
    log.debug("province %s, nights after %s: second reading %s", code, after, read)
    return [
        f"province {code}: {name} changes by {getattr(shown, name)} in the release, "
        f"by {getattr(read, name)} in the archived files"
        for name in ("visited", "complete")
        if getattr(shown, name) != getattr(read, name)
    ]


def _headline(totals: pd.DataFrame, code: str) -> Headline:
    if code not in totals.index:
        return Headline(0, 0)
    row = totals.loc[[code], ["visited", "complete"]].astype("int64").to_numpy().tolist()[0]
    return Headline(*row)


def _check(name: str, faults: Iterable[str]) -> Check:
    return Check(name, tuple(faults))
