"""Where a province stands among all: what is told of it, what the page knows beside, and which stands first."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from regsosek.alerts.conditions.condition import Kind, Notification, Severity, State, Why
from regsosek.alerts.conditions.province_figures import ProvinceFigures
from regsosek.alerts.messages.province_digest import families_of, of_kind
from regsosek.alerts.sentences.grouping import still_open
from regsosek.statistics.measures.status import BEHIND

# Of whom nothing came that could be counted: nobody knows how the province stands.
_UNDELIVERED = frozenset({Kind.NO_DATA, Kind.ZERO, Kind.REJECTED, Kind.HELD})
_WORST_STATUS = ("no_data", "far_behind", "behind")


@dataclass(frozen=True, slots=True)
class ProvinceStand:
    """Where one province stands tonight: its figures, everything told of it, most urgent first, and what is put off."""

    figures: ProvinceFigures
    told: Sequence[Notification]
    put_off: Sequence[Kind] = ()

    @property
    def opened(self) -> tuple[Notification, ...]:
        """What is told and open."""
        return still_open(self.told)

    @property
    def kinds(self) -> dict[Kind, int]:
        """The open kinds, each with the families concerned."""
        return {kind: families_of(lines) for kind, lines in of_kind(self.opened).items()}

    @property
    def critical(self) -> bool:
        """Whether one of them is KRITIS."""
        return any(each.condition.severity is Severity.CRITICAL for each in self.opened)

    @property
    def whole(self) -> frozenset[Kind]:
        """The open kinds that the province has as a whole, not only some of its kab/kota."""
        return frozenset(t.condition.kind for t in self.opened if t.condition.place.level in ("nasional", "provinsi"))

    def has_whole(self, kind: Kind) -> bool:
        """Whether the province has ``kind`` as a whole; behind plan it is by the page's status, told of it or not."""
        return kind in self.whole or (kind is Kind.BEHIND and self.figures.pace.status in BEHIND)

    def has_in_part(self, kind: Kind) -> bool:
        """Whether only some of its kab/kota have ``kind``: what subject, counts and list say of a province."""
        below = kind in self.kinds or (kind is Kind.BEHIND and bool(self.figures.behind_below))
        return below and not self.has_whole(kind)

    @property
    def undelivered(self) -> bool:
        """Whether it was silent, or what it sent was not taken."""
        return bool(self.whole & _UNDELIVERED)

    @property
    def well(self) -> bool:
        """Whether nothing is open or put off, and the page calls nothing of it behind: some arrears are small."""
        return not self.opened and not self.put_off and self.figures.well

    @property
    def escalated(self) -> tuple[Notification, ...]:
        """What was escalated to the centre."""
        return tuple(t for t in self.opened if t.why is Why.ESCALATED or t.condition.state is State.ESCALATED)


def worst_first(stands: Mapping[str, ProvinceStand]) -> list[str]:
    """Codes: first who did not deliver, then by the page's status, critical kinds, families short and waiting."""

    def rank(code: str) -> tuple[bool, int, int, int, int, str]:
        stand, figures = stands[code], stands[code].figures
        critical = {t.condition.kind for t in stand.opened if t.condition.severity is Severity.CRITICAL}
        short, waiting = min(0, figures.pace.gap_families or 0), -figures.waiting.families
        return not stand.undelivered, _place_of(figures.pace.status), -len(critical), short, waiting, code

    return sorted(stands, key=rank)


def _place_of(status: str) -> int:
    return _WORST_STATUS.index(status) if status in _WORST_STATUS else len(_WORST_STATUS)
