"""Whether the pointer and the warehouse tell the same story of what was published: neither alone moves readers."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import Connection, select

from regsosek.errors import PointerError
from regsosek.landing.store import Store
from regsosek.release.lifecycle.pointer import POINTER, Position, seen
from regsosek.warehouse.tables import published_release


@dataclass(frozen=True)
class Known:
    """A release as the warehouse knows it; ``rolled_back``: readers were led away from it."""

    release_id: str
    night: date
    revision: int
    rolled_back: bool

    @property
    def order(self) -> tuple[date, int]:
        """By night, then by revision."""
        return self.night, self.revision


def known_releases(connection: Connection) -> tuple[Known, ...]:
    """Every release that the warehouse knows."""
    table = published_release.c
    query = select(table.release_id, table.night, table.revision, table.rolled_back_at.is_not(None))
    return tuple(Known(*row) for row in connection.execute(query))


def disagreement(standing: Position | None, known: Sequence[Known]) -> str | None:
    """What the warehouse knows and the pointer does not, with the fix; ``None`` if nothing.

    The pointer may know more: it is moved first, and a warehouse may have been lost or restored since.
    """
    write = "restore it from a copy, or write it from the warehouse: `regsosek release repoint --reason ...`"
    if standing is None:
        if not known:
            return None
        newest = max(known, key=lambda each: each.order)
        more = len(known) - 1
        return f"{POINTER} is missing, and the warehouse knows release {newest.release_id} and {more} more; {write}"
    if interrupted(standing, known):
        return (
            f"{POINTER} leads to release {standing.release_id}, which the warehouse says was rolled back; finish that: "
            "`regsosek release rollback --reason ...`"
        )
    for each in known:
        if each.rolled_back and each.release_id not in standing.rolled_back:
            return (
                f"{POINTER} does not know that release {each.release_id} was rolled back, the warehouse does; {write}"
            )
    own = {standing.release_id, *standing.rolled_back}
    later = [each for each in known if each.order > standing.order and each.release_id not in own]
    if later:
        newest = max(later, key=lambda each: each.order)
        return (
            f"{POINTER} leads to release {standing.release_id}, and the warehouse knows that readers saw "
            f"{newest.release_id}; {write}"
        )
    return None


def interrupted(standing: Position, known: Sequence[Known]) -> bool:
    """Whether a rollback was recorded and ended before the pointer was moved."""
    return any(each.rolled_back and each.release_id == standing.release_id for each in known)


def agreed(connection: Connection, store: Store, bucket: str) -> Position | None:
    """What readers see, if the warehouse does not know better; ``None`` while nothing was ever published.

    Raises:
        PointerError: pointer and warehouse disagree; the message names both and the fix.
    """
    standing = seen(store, bucket)
    require_agreement(bucket, standing, known_releases(connection))
    return standing


def require_agreement(bucket: str, standing: Position | None, known: Sequence[Known]) -> None:
    """Raises :class:`PointerError` where the two disagree."""
    if (said := disagreement(standing, known)) is not None:
        raise PointerError(f"bucket {bucket}: {said}")
