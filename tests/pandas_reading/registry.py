"""Which reading belongs to which rule."""

from collections.abc import Callable

import pandas as pd

from pandas_reading.part import Part

# The judged rows of the rule's dataset (by row number) that violate it; unknown counts as no.
Reading = Callable[[Part], "pd.Series[bool]"]

READINGS: dict[str, Reading] = {}


def reads(rule_id: str) -> Callable[[Reading], Reading]:
    """Registers a reading of rule ``rule_id``.

    Raises:
        ValueError: the rule has one already.
    """

    def register(reading: Reading) -> Reading:
        if rule_id in READINGS:
            raise ValueError(f"rule {rule_id} is read twice")
        READINGS[rule_id] = reading
        return reading

    return register
