"""A number beside its noun: singular or plural, as English asks for it; Indonesian has one form for both.

A text holds both forms, ``{n|family|families}``; who fills it gives the number alone.
"""

import re
from collections.abc import Mapping

_NOUN = re.compile(r"\{(\w+)\|([^{}|]+)\|([^{}|]+)\}")
_SIGNS = "+-\N{MINUS SIGN}"


def counted(number: object, one: str, many: str) -> str:
    """``1 family``, ``1,204 families``: ``number`` may be written already, with its sign."""
    return f"{number} {one if str(number).lstrip(_SIGNS) == '1' else many}"


def with_nouns(form: str, values: Mapping[str, object]) -> str:
    """``form`` with ``{n} family`` or ``{n} families`` for ``{n|family|families}``, as the ``n`` of ``values`` asks."""
    return _NOUN.sub(lambda found: _chosen(found, values), form)


def bare(form: str) -> str:
    """``form`` with the numbers alone."""
    return _NOUN.sub(r"{\1}", form)


def _chosen(found: "re.Match[str]", values: Mapping[str, object]) -> str:
    name, one, many = found.groups()
    return f"{{{name}}}{counted(values[name], one, many).removeprefix(str(values[name]))}"
