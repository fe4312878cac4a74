"""Jinja templates: one environment for pages, letters and documents, wherever the templates lie."""

from typing import Any

from jinja2 import BaseLoader, Environment, StrictUndefined

from regsosek.wording.nouns import counted


def environment(loader: BaseLoader, *, html: bool, **options: Any) -> Environment:
    """Templates of ``loader``: a value that is missing is an error, a line that holds only a tag leaves nothing.

    Args:
        html: values are escaped; in plain text and Markdown there is nothing to escape.
        options: of :class:`jinja2.Environment`, beside these.
    """
    made = Environment(
        loader=loader,
        autoescape=html,  # noqa: S701 - as said above
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        **options,
    )
    made.filters["counted"] = counted
    return made
