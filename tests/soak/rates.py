"""How often what happens, as ``rates.toml`` says."""

import random
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Self

FILE = Path(__file__).with_name("rates.toml")


@dataclass(frozen=True)
class Rates:
    """Sections of the file."""

    arrivals: dict[str, float]
    operations: dict[str, float]
    tries: dict[str, float]
    faults: dict[str, float]
    store: dict[str, float]

    @classmethod
    def read(cls) -> Self:
        return cls(**tomllib.loads(FILE.read_text(encoding="utf-8")))

    def kinds(self, chance: random.Random) -> list[str]:
        """The faults of one operation, in the order in which its tries meet them."""
        drawn: list[str] = []
        while len(drawn) < self.tries["most"] and chance.random() < self.tries["another"]:
            drawn += chance.choices(list(self.faults), list(self.faults.values()))
        return drawn
