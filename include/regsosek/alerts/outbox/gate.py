"""The gate before the outbox: a message that looks as if it carried personal data does not pass."""

from collections import Counter

from sqlalchemy import Connection, TextClause, text

from regsosek.alerts.messages.rendering import Message
from regsosek.alerts.outbox.personal_data import Personal, Suspect, suspects
from regsosek.errors import PersonalDataError

_SUB_SLS = text("SELECT DISTINCT id_subsls FROM reference.subsls WHERE id_subsls = ANY(:values)")
_VILLAGES = text("""
SELECT v.value FROM unnest(CAST(:values AS text[])) v(value)
WHERE EXISTS (SELECT 1 FROM reference.region r WHERE strpos(upper(r.name), upper(v.value)) > 0)
""")


def require_clean(connection: Connection, message: Message) -> None:
    """Looks through all of ``message``; codes of the frame and names of regions are nobody's data.

    Raises:
        PersonalDataError: what was found, where and how often, never the value.
    """
    found = suspects(message)
    if not found:
        return
    nobodys = _known(connection, _SUB_SLS, found, Personal.IDENTITY) | _known(
        connection, _VILLAGES, found, Personal.NAME
    )
    stopped = Counter((each.what, each.where) for each in found if each.value not in nobodys)
    if stopped:
        told = ", ".join(f"{what} in its {where} ({n})" for (what, where), n in sorted(stopped.items()))
        raise PersonalDataError(f"stopped a message: {told}; find the field that it came from and keep it out")


def _known(connection: Connection, query: TextClause, found: list[Suspect], what: Personal) -> set[str]:
    values = sorted({each.value for each in found if each.what is what})
    return set(connection.execute(query, {"values": values}).scalars()) if values else set()
