"""The report of a breach (UU 27/2022 article 46): which data, when and how exposed, what is done, who knew when.

Counts and words alone: who is affected stands in a file of its own, for those who tell the persons.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import cache
from typing import Literal

from jinja2 import Environment, PackageLoader
from sqlalchemy import Connection, text

from regsosek.geography.provinces import province
from regsosek.privacy.records.affected import Affected
from regsosek.privacy.records.incident import Incident
from regsosek.wording.english import number as english_number
from regsosek.wording.indonesian import number as indonesian_number
from regsosek.wording.templates import environment

Language = Literal["id", "en"]
_NUMBERS = {"id": indonesian_number, "en": english_number}
_MADE = """
SELECT at, account FROM ledger.access WHERE way IN ('command_breach', 'command_breach_file') AND told = :reference
ORDER BY at
"""


def breach_report(
    incident: Incident, affected: Affected, made: Sequence[datetime], now: datetime, language: Language
) -> str:
    """The report as Markdown.

    Args:
        made: when the report, or the list of persons, was made before.
    """
    template = _environment().get_template(f"breach.{language}.md.j2")
    left = incident.due - now
    values = {
        "now": now, "made": made, "left_hours": abs(left) // timedelta(hours=1), "late": left < timedelta(0),
        "number": _NUMBERS[language], "moment": _moment,
        "name": lambda code: province(code).name, "specific": [each for each in affected.categories if each.specific],
    }  # fmt: skip
    return template.render(incident=incident, affected=affected, **values)


def reports_made(connection: Connection, reference: str) -> list[datetime]:
    """When somebody made the report of an incident, or the list of its cases: who knew when."""
    return [row.at for row in connection.execute(text(_MADE), {"reference": reference})]


def _moment(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M} (UTC{at:%z})"


@cache
def _environment() -> Environment:
    # Markdown of our own words and of what the incident's file says.
    return environment(PackageLoader("regsosek.privacy.records", "."), html=False)
