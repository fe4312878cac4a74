"""Subject lines that a phone shows whole: as much of the news as fits, and how much more there is."""

from collections.abc import Mapping, Sequence
from typing import Any

from regsosek.alerts.rendering import render
from regsosek.alerts.wording import Words

MOST_SIGNS = 69  # with "Subject: " a line of 78, which no program folds


def fitting(template: str, values: Mapping[str, Any], words: Words) -> str:
    """The subject with as many of ``news`` as fit; the first, without what stands in brackets, at the least.

    What there is ``besides`` stands there if it all fits, and is not counted else: only problems are.
    """
    news: Sequence[str] = values["news"]
    besides: Sequence[str] = values.get("besides", ())
    short = [each.partition(" (")[0] for each in news]
    tries = [[*news, *besides]] if besides else []
    tries += [[*form[:n], *_rest(len(news) - n, words)] for n in range(len(news), 0, -1) for form in (news, short)]
    rendered = (render(template, {**values, "news": each}).strip() for each in [*tries, short[:1]])
    last = ""
    for last in rendered:
        if len(last) <= MOST_SIGNS:
            break
    return last


def _rest(n: int, words: Words) -> list[str]:
    return [words.say("subject.more", n=n)] if n else []
