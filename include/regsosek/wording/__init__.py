"""How numbers, days and names of people are written: what every text for readers shares, whatever it tells."""

from typing import Literal

Language = Literal["id", "en"]
