"""How numbers, days and names of people are written: what every text for readers shares, whatever it tells."""

from dataclasses import dataclass
from typing import Literal

Language = Literal["id", "en"]


@dataclass(frozen=True, slots=True)
class Text:
    """What is said to readers, in both languages."""

    id: str
    en: str

    def of(self, language: Language) -> str:
        """The text in one language."""
        return self.id if language == "id" else self.en
