"""Rules slightly wrong, as somebody would get them wrong: a bound off by one, a code too few, ``<`` for ``<=``."""

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from regsosek.quality.rules import EXPECT_NO_ROWS_WHERE, Rule

_LIST = re.compile(r"IN \(([^()]*), [^(),]*\)")
_SPAN = re.compile(r"BETWEEN (\d+) AND (\d+)")
_OPERATORS: tuple[tuple[re.Pattern[str], str | Callable[[re.Match[str]], str]], ...] = (
    (re.compile(r"<="), "<"),
    (re.compile(r">="), ">"),
    (re.compile(r"<(?![=>])"), "<="),
    (re.compile(r"(?<!<)>(?!=)"), ">="),
    (_SPAN, lambda m: f"BETWEEN {m[1]} AND {int(m[2]) - 1}"),
    (_SPAN, lambda m: f"BETWEEN {int(m[1]) + 1} AND {m[2]}"),
    (_LIST, lambda m: f"IN ({m[1]})"),
    (re.compile(r"(?<![<>])= (\d+)"), lambda m: f"= {int(m[1]) + 1}"),
    (re.compile(r"(?<![<>])= '"), "<> '"),
    (re.compile(r"<>"), "="),
    (re.compile(r"IS NOT NULL"), "IS NULL"),
    (re.compile(r"IS NULL"), "IS NOT NULL"),
    (re.compile(r"\bNOT (?!NULL)"), ""),
)


def mutants(rule: Rule) -> Iterator[Rule]:
    """The slightly wrong versions of ``rule``, those off by the least first."""
    for kwargs in _wrong_kwargs(rule):
        yield replace(rule, kwargs={**rule.kwargs, **kwargs})


def _wrong_kwargs(rule: Rule) -> Iterator[dict[str, Any]]:
    if rule.type == EXPECT_NO_ROWS_WHERE:
        yield from ({"condition": condition} for condition in wrong_conditions(str(rule.kwargs["condition"])))
    for bound, step in (("max_value", -1), ("min_value", 1)):
        if bound in rule.kwargs:
            yield {bound: rule.kwargs[bound] + step}
    if "value_set" in rule.kwargs:
        yield {"value_set": rule.kwargs["value_set"][1:]}
        yield {"value_set": rule.kwargs["value_set"][:-1]}


def wrong_conditions(condition: str) -> Iterator[str]:
    """``condition`` with one operator or operand changed, each in turn."""
    for pattern, wrong in _OPERATORS:
        for found in pattern.finditer(condition):
            changed = wrong if isinstance(wrong, str) else wrong(found)
            yield condition[: found.start()] + changed + condition[found.end() :]
