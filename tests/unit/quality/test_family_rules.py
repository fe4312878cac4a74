"""Rules of the family that are written several times, once for each programme, say the same of each."""

import re

from regsosek.contract.codebook import all_variables
from regsosek.quality.rules import Suite

PROGRAMMES = {v.item[-1]: v.name for v in all_variables("keluarga") if re.fullmatch(r"501[a-g]", v.item) and v.codes}


def test_the_period_of_all_programmes_is_one(suites: dict[str, Suite]) -> None:
    rules = {rule.id: rule for rule in suites["keluarga"].rules if re.fullmatch(r"V01-501.-periode", rule.id)}
    assert set(rules) == {f"V01-501{letter}-periode" for letter in PROGRAMMES}
    neutral = set()
    for letter, received in PROGRAMMES.items():
        rule = rules[f"V01-501{letter}-periode"]
        condition = rule.kwargs["condition"].replace(received, "received").replace(f"r501{letter}_", "r501_")
        neutral.add(
            (condition, rule.severity, re.sub(r"\(.*?\)", "", rule.text_en.replace(f"501{letter}", "501"), count=1))
        )
    assert len(neutral) == 1
