"""What is counted of each family besides its state and result, as data: ``case_facts.csv``.

A fact is a number of a case: a number of persons, or 1 for a family that is meant and 0 for any other. Its column in
``core.kasus``, its sums in ``mart`` and its figure in every table of the release follow from its line.
"""

import csv
from functools import cache
from importlib import resources

from regsosek.errors import ConfigurationError


@cache
def case_facts() -> dict[str, str]:
    """SQL of each fact over the members ``a`` of one family, by its name.

    Raises:
        ConfigurationError: a name stands twice or is no word, or a line has no SQL.
    """
    source = resources.files(__package__).joinpath("case_facts.csv").read_text(encoding="utf-8")
    return read_facts(source)


def read_facts(source: str) -> dict[str, str]:
    """The same of the text of a file."""
    found: dict[str, str] = {}
    for row in csv.DictReader(source.splitlines()):
        name, sql = row["fact"], row["of_members"]
        if name in found or not name.isidentifier() or not sql:
            raise ConfigurationError(f"staging/case_facts.csv: fact {name!r} needs a name of its own, and SQL; mend it")
        found[name] = sql
    return found
