"""What a message says beside the figures: who reads it, in which language, on which clock, and what names mean."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from zoneinfo import ZoneInfo

from regsosek.alerts.sentences.texts import Words, words_of
from regsosek.wording import Language


@dataclass(frozen=True, slots=True)
class Officer:
    """An officer by code: the role (PPL, PML, Koseka), and the superior's role and code; empty where not known."""

    role: str
    superior_role: str = ""
    superior: str = ""


@dataclass(frozen=True, slots=True)
class ExplainingEvent:
    """A known event that explains a condition (a flood, a feast), and its last day."""

    words: str
    until: date | None = None


@dataclass(frozen=True, slots=True)
class Context:
    """What a digest says beside the figures.

    Attributes:
        office: name of the office.
        zone: of the province.
        rule_texts: text by rule id, in the language of the message.
        release: the night that the newest published release is of; None before the first.
        language: that the office reads.
        events: known events by the id that conditions name.
        officers: by code, those that conditions are about; one that is not known is told by its code alone.
        address: of the page of the province; empty: nobody serves it.
        quarantine: the address of its families in quarantine on the portal; empty: there is none.
        deliveries: the address of its deliveries there, to be followed by an id; empty: there is none.
    """

    office: str
    zone: ZoneInfo
    rule_texts: Mapping[str, str]
    release: str | None
    language: Language = "id"
    events: Mapping[str, ExplainingEvent] = field(default_factory=dict)
    officers: Mapping[str, Officer] = field(default_factory=dict)
    address: str = ""
    quarantine: str = ""
    deliveries: str = ""

    @property
    def words(self) -> Words:
        """The words of its language."""
        return words_of(self.language)
