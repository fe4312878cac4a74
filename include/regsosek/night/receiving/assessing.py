"""One delivery on the engine alone: its files read, its parts compared, staged and judged, its violations counted.

Neither the warehouse nor the object store is asked, so that a producer's check of a delivery and the night's reception
are one.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property

from regsosek.landing.intake import FetchedFile
from regsosek.night.receiving.parts import Given, Parts, parts_of
from regsosek.privacy.erasure.pinned import NOTHING_PINNED, Pinned
from regsosek.quality.hold_limits import ErrorShare
from regsosek.quality.verdict import Judge, RuleCount, error_shares
from regsosek.staging.reading.files import read_part
from regsosek.staging.reading.repairs import Repair
from regsosek.warehouse.nights.delivery_outcome import Violated


@dataclass
class Assessment:
    """Takes the parts of one delivery one after the other and adds up what ``judge`` says of them."""

    given: Given
    judge: Judge
    violations: Counter[Violated] = field(default_factory=Counter)
    pinned: Pinned = NOTHING_PINNED
    _judged: Counter[str] = field(default_factory=Counter)
    _in_error: Counter[str] = field(default_factory=Counter)

    @cached_property
    def parts(self) -> Parts:
        """The steps that the delivery's instrument asks for."""
        return parts_of(self.given)

    def read(self, file: FetchedFile) -> tuple[Repair, ...]:
        """Reads one file as text.

        Raises:
            ContractBreachError: the file is not what contract and manifest say.
        """
        given, version = self.given, self.given.manifest.instrument_version
        return read_part(given.duck, file.delivered, file.path, version=version, offset=given.offset)

    def files_of(self, files: Iterable[FetchedFile]) -> dict[int, list[FetchedFile]]:
        """The files by part, each part's in the order of the instrument's datasets."""
        manifest = self.given.manifest
        found: dict[tuple[str, int], FetchedFile] = {
            (file.delivered.dataset, file.delivered.part): file for file in files
        }
        return {part: [found[each, part] for each in manifest.datasets] for part in manifest.parts}

    def compare(self, files_of: Iterable[list[FetchedFile]]) -> None:
        """Counts what repeats across the parts, before the first one is judged; no damaged file is half loaded."""
        self.parts.clear()
        for files in files_of:
            for file in files:
                self.read(file)
            self.parts.note()
        self.parts.count()

    def judge_staged(self, part: int) -> tuple[RuleCount, ...]:
        """Judges the part that was staged last and adds its counts to those of the delivery."""
        counts = self.judge.judge()
        for count in counts:
            self.violations[count.dataset, count.rule_id, count.severity] += count.violations
        self.violations.update(self.pinned.apply(self.given.duck, part))
        for share in error_shares(self.given.duck, self.given.manifest.datasets):
            self._judged[share.dataset] += share.judged
            self._in_error[share.dataset] += share.in_error
        return counts

    @property
    def shares(self) -> tuple[ErrorShare, ...]:
        """Rows judged and in error of each dataset, over all parts that were judged."""
        datasets = self.given.manifest.datasets
        found = tuple(ErrorShare(each, self._judged[each], self._in_error[each]) for each in datasets)
        return self.pinned.shares(found)
