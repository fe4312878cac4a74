"""What a night did with one province, made of what became of each delivery."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from sqlalchemy import Connection

from regsosek.warehouse.nights.delivery_outcome import DeliveryOutcome, Folder, folder_of, read_outcomes
from regsosek.warehouse.nights.ledger import Delivery


@dataclass(frozen=True)
class ProvinceNight:
    """What a night did with one province, for logs, lineage, measures and the command line.

    Attributes:
        outcomes: of the night's own deliveries in their order, and of those of earlier nights that were decided for it.
    """

    province: str
    night: date
    outcomes: tuple[DeliveryOutcome, ...]

    @property
    def states(self) -> Mapping[str, int]:
        """How many of the night's own deliveries are in each state."""
        return Counter(each.state for each in self.outcomes if each.entry.night == self.night)

    def __str__(self) -> str:
        states = ", ".join(f"{n} {state}" for state, n in sorted(self.states.items())) or "nothing delivered"
        return f"province {self.province}, night {self.night}: {states}"


@dataclass
class GatheredOutcomes:
    """Gathers what becomes of the deliveries of a province's night; an outcome takes the place of an earlier one."""

    _entries: dict[Folder, Delivery] = field(default_factory=dict)
    _outcomes: dict[Folder, DeliveryOutcome] = field(default_factory=dict)

    def expect(self, entry: Delivery) -> None:
        """Takes in a delivery of which the ledger alone knows what became, unless its outcome follows."""
        self._entries[folder_of(entry)] = entry
        self._outcomes.pop(folder_of(entry), None)

    def take(self, outcome: DeliveryOutcome) -> None:
        """Takes in what this process made of a delivery."""
        self.expect(outcome.entry)
        self._outcomes[outcome.folder] = outcome
        for each in outcome.replaced:
            self.expect(each)

    def complete(self, connection: Connection, province: str) -> tuple[DeliveryOutcome, ...]:
        """All outcomes in the order of the ledger; those of deliveries decided elsewhere are read from it."""
        missing = [entry for folder, entry in self._entries.items() if folder not in self._outcomes]
        read = read_outcomes(connection, province, missing) if missing else []
        everything = [*self._outcomes.values(), *read]
        return tuple(sorted(everything, key=lambda each: (each.entry.position, each.entry.delivery_id)))
