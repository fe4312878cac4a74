"""Which rules judge a delivery: those of the suites of its night that hold for its version of its instrument."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import duckdb

from regsosek.contract.instruments import QUESTIONNAIRE
from regsosek.landing.archive import Receipt, fetch_archived
from regsosek.quality.rules import Suite, suite_from
from regsosek.quality.verdict import Judge
from regsosek.resources import Resources

SuitesOf = Callable[[Receipt], Mapping[str, Suite]]
_SUITE = "suite_"


@dataclass(frozen=True)
class SuiteChoice:
    """Which suites judge a delivery, by its receipt.

    Attributes:
        new: the suites that the receipts of newly discovered deliveries name; none where nothing is discovered.
        own: for a delivery in the night that it belongs to.
        decided: for one that was freed or retried, by the versions that the decision names.
    """

    new: Mapping[str, Suite]
    own: SuitesOf
    decided: SuitesOf


def current_suites(resources: Resources, suites: Mapping[str, Suite]) -> SuiteChoice:
    """Lets ``suites`` judge every delivery but those freed or retried by a decision that names others."""
    own = named_versions(suites)
    return SuiteChoice(
        new=suites,
        own=lambda _: suites,
        decided=lambda receipt: suites if suite_names(receipt) == own else archived_suites(resources, receipt),
    )


def receipt_suites(resources: Resources, own: SuitesOf) -> SuiteChoice:
    """Lets the suites that its receipt or decision names judge every delivery, as in a replay: it discovers nothing."""
    return SuiteChoice(new={}, own=own, decided=lambda receipt: archived_suites(resources, receipt))


@dataclass
class Judges:
    """The judges of one province's night: one for each version of an instrument and each set of suites."""

    duck: duckdb.DuckDBPyConnection
    suites_of: SuitesOf
    _made: dict[tuple[str, ...], Judge] = field(default_factory=dict)

    def of(self, receipt: Receipt, version: str, instrument: str = QUESTIONNAIRE) -> Judge:
        """The judge of a delivery of ``version``; making one costs Great Expectations seconds, so it is kept."""
        key = (instrument, version, *suite_names(receipt).values())
        if key not in self._made:
            self._made[key] = Judge(self.duck, self.suites_of(receipt), version, instrument)
        return self._made[key]


def suite_names(receipt: Receipt) -> dict[str, str]:
    """SHA-256 of every suite that a receipt names, by its name there."""
    return {name: sha256 for name, sha256 in sorted(receipt.versions.items()) if name.startswith(_SUITE)}


def named_versions(suites: Mapping[str, Suite]) -> dict[str, str]:
    """How a receipt names ``suites``: name to SHA-256."""
    return {f"{_SUITE}{dataset}": suite.version for dataset, suite in suites.items()}


def archived_suites(resources: Resources, receipt: Receipt) -> dict[str, Suite]:
    """The suites that a receipt names, by dataset, from the archive."""
    with resources.scratch("suites") as scratch:
        documents = [
            fetch_archived(
                resources.store, resources.settings.archive_bucket, sha256, scratch / f"{name}.json"
            ).read_bytes()
            for name, sha256 in suite_names(receipt).items()
        ]
    return {suite.dataset: suite for suite in map(suite_from, documents)}
