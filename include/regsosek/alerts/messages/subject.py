"""Subject lines that a phone shows whole: as much of the news as fits, and how much more there is."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from regsosek.alerts.messages.rendering import render
from regsosek.alerts.sentences.texts import Words

MOST_SIGNS = 69  # with "Subject: " a line of 78, which no program folds
_CUT = "..."  # plain ASCII: another sign would make the whole line one that is encoded


def fitting(template: str, values: Mapping[str, Any], words: Words) -> str:
    """The subject with as many of ``news`` as fit; the first, without what stands in brackets, at the least.

    What there is ``besides`` stands there if it all fits, and is not counted else: only problems are. ``more`` names
    the text for what is left out. Where a long ``name`` leaves no room for the first, it is written in short, and the
    first as ``tight`` has it.
    """
    news: Sequence[str] = values["news"]
    besides, more = values.get("besides", ()), values.get("more", "subject.more")
    short = [each.partition(" (")[0] for each in news]
    tries = [[*news, *besides]] if besides else []
    all_but = [(form[:n], len(news) - n) for n in range(len(news), 0, -1) for form in (news, short)]
    tries += [[*told, *([words.say(more, n=left)] if left else [])] for told, left in all_but]
    first = [[each] for each in (short[0], values.get("tight") or short[0])]
    tight = [[*each, f"+{len(news) - 1}"] for each in first] if len(news) > 1 else []
    forms = [(values, each) for each in tries]
    forms += [({**values, "name": _in_short(values.get("name", ""))}, each) for each in [*tries, *tight, *first]]
    return first_fitting(render(template, {**own, "news": each}).strip() for own, each in forms)


def first_fitting(forms: Iterable[str]) -> str:
    """The first of ``forms``, the longest first, that a phone shows whole; else as much of the last as it shows."""
    last = ""
    for last in forms:
        if len(last) <= MOST_SIGNS:
            return last
    return last[: MOST_SIGNS - len(_CUT)] + _CUT


def _in_short(name: str) -> str:
    return name.replace("Kepulauan ", "Kep. ")
