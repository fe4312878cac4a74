"""Which Airflow account sees what: a table of the deployment, and what holds where there is none.

A line of an account decides alone. Else the lines of its roles are joined: their provinces are added, and a right
holds only if it is given for every one of them, so that two roles never make more of each other.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from regsosek.errors import AccessError, ReferenceDataError
from regsosek.geography.reference_table import read_table
from regsosek.portal.login.viewer import Viewer, all_provinces

Kind = Literal["user", "role"]
COLUMNS = ("account", "kind", "provinces", "rights")
KINDS = ("user", "role")
EVERYWHERE = "*"
OPERATOR, SENSITIVE = "operator", "sensitive"
RIGHTS = (OPERATOR, SENSITIVE)
# The roles of both auth managers whose holders may do anything in Airflow, or run it.
OPERATING_ROLES = frozenset({"admin", "op"})
SETTING = "REGSOSEK_ACCOUNTS_FILE"


@dataclass(frozen=True)
class Grant:
    """What one line gives: provinces, and rights (:data:`RIGHTS`) in all of them."""

    provinces: frozenset[str]
    rights: frozenset[str]


@dataclass(frozen=True)
class Accounts:
    """The lines of the table by kind and account."""

    grants: Mapping[tuple[str, str], Grant]

    def viewer(self, name: str, roles: Collection[str]) -> Viewer:
        """What an account with some roles sees.

        Raises:
            AccessError: neither the account nor any of its roles has a line.
        """
        own = self.grants.get(("user", name))
        found = [own] if own else [self.grants[key] for key in (("role", role) for role in roles) if key in self.grants]
        if not found:
            raise AccessError(
                "your Airflow account is not entered for Regsosek, nor is any of its roles; "
                f"ask the platform team for a line in the file that {SETTING} names"
            )
        provinces = frozenset[str]().union(*(grant.provinces for grant in found))
        held = {right: _given(right, found) >= provinces for right in RIGHTS}
        return Viewer(name, provinces, operator=held[OPERATOR], sensitive=held[SENSITIVE])


def _given(right: str, grants: Iterable[Grant]) -> frozenset[str]:
    """The provinces that a right is given for."""
    return frozenset[str]().union(*(grant.provinces for grant in grants if right in grant.rights))


def without_file(name: str, roles: Collection[str]) -> Viewer:
    """What an account sees where no table is named: whoever runs Airflow operates, all others read what is public."""
    operates = any(role.casefold() in OPERATING_ROLES for role in roles)
    return Viewer(name, all_provinces() if operates else frozenset(), operator=operates, sensitive=False)


def read_accounts(path: Path) -> Accounts:
    """The table of a CSV file with the columns :data:`COLUMNS`.

    ``provinces`` are BPS codes with spaces between, or ``*`` for all; ``rights`` none, or some of :data:`RIGHTS`.

    Raises:
        ReferenceDataError: naming the line and how to mend it.
    """
    grants: dict[tuple[str, str], Grant] = {}
    for number, row in enumerate(read_table(path, COLUMNS), start=1):
        place = f"{path.name}: data row {number} ({row['kind']} {row['account']})"
        key = (row["kind"], row["account"])
        if key in grants:
            raise ReferenceDataError(f"{place}: stands twice; keep one line")
        grants[key] = _grant(place, row)
    return Accounts(grants)


def _grant(place: str, row: Mapping[str, str]) -> Grant:
    if row["kind"] not in KINDS or not row["account"]:
        raise ReferenceDataError(f"{place}: name an account of Airflow, and say in kind whether it is a user or a role")
    rights = frozenset(row["rights"].split())
    if strange := sorted(rights - set(RIGHTS)):
        raise ReferenceDataError(f"{place}: no such right: {', '.join(strange)}; write {', '.join(RIGHTS)}, or nothing")
    if OPERATOR in rights and row["provinces"] != EVERYWHERE:
        raise ReferenceDataError(f"{place}: nights are run for the nation: an operator needs provinces {EVERYWHERE}")
    return Grant(_provinces(place, row["provinces"]), rights)


def _provinces(place: str, listed: str) -> frozenset[str]:
    if listed == EVERYWHERE:
        return all_provinces()
    codes = frozenset(listed.split())
    fix = f"write two-digit BPS codes with spaces between, or {EVERYWHERE} for all"
    if not codes:
        raise ReferenceDataError(f"{place}: names no province; {fix}")
    if strange := sorted(codes - all_provinces()):
        raise ReferenceDataError(f"{place}: no such province: {', '.join(strange)}; {fix}")
    return codes


@dataclass
class AccountsFile:
    """The table of a process: looked at by every request, read when it has changed.

    ``path`` gives where it lies, None where the deployment has none. A file that is gone or faulty lets nobody in.
    """

    path: Callable[[], Path | None]
    _read: tuple[tuple[int, int], Accounts] | None = field(default=None, init=False)

    def viewer(self, name: str, roles: Collection[str]) -> Viewer:
        """What an account with some roles sees now.

        Raises:
            AccessError: it is not in the table.
            ReferenceDataError: the table cannot be read.
        """
        path = self.path()
        return without_file(name, roles) if path is None else self._current(path).viewer(name, roles)

    def _current(self, path: Path) -> Accounts:
        try:
            stat = path.stat()
        except OSError as error:
            fix = f"put it there, or mend {SETTING}"
            raise ReferenceDataError(f"{path.name}: cannot be read ({type(error).__name__}); {fix}") from error
        mark = (stat.st_mtime_ns, stat.st_size)
        if self._read is None or self._read[0] != mark:
            self._read = (mark, read_accounts(path))
        return self._read[1]
