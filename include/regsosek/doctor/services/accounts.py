"""The accounts of the warehouse: that each part can do its work, and how much more than that."""

from collections.abc import Iterable

from sqlalchemy import Connection, text
from sqlalchemy.exc import OperationalError

from regsosek.doctor.check_result import Check, CheckResult, fail, ok, warn
from regsosek.doctor.surroundings import Surroundings
from regsosek.settings import PARTS, Part, variable, warehouse_field
from regsosek.warehouse.access.closed_functions import FILE, locks_are_open
from regsosek.warehouse.access.rights import PREFIX, standing_rights, table_rights, wanted_rights
from regsosek.wording.nouns import counted

_WORKING: tuple[Part, ...] = tuple(part for part in PARTS if part != "owner")


def _accounts(surroundings: Surroundings) -> CheckResult:
    """Asks each part's account for what the part does; of parts that this process has no account for, nothing."""
    shared: list[Part] = []
    for part in _at_hand(surroundings):
        try:
            with surroundings.account(part).connect() as connection:
                lacks, owner = _lacks(connection, part), _owner_and_parts(connection)[0]
        except OperationalError:
            return fail(f"the account of the {part} is refused", f"correct {variable(warehouse_field(part))}")
        if lacks:
            tables = counted(len(lacks), "table", "tables")
            told = f"the account of the {part} may not do its work on {tables}, {lacks[0]} first"
            fix = f"run `regsosek migrate`, and name {PREFIX}{part} or the owner in {variable(warehouse_field(part))}"
            return fail(told, fix)
        shared += [part] if owner else []
    if shared:
        fix = f"give each an account of its own: {_variables(shared)} (docs/security.md)"
        return warn(f"{', '.join(shared)} work with the owner's account, which may do everything", fix)
    return ok("each part has an account that may do its work and no other")


def _at_hand(surroundings: Surroundings) -> list[Part]:
    """The parts with an account of their own here, and those that the account of the process works for.

    Where that is one of the parts' own, it works for that part; else for all that have none.
    """
    with surroundings.engine.connect() as connection:
        owner, members = _owner_and_parts(connection)
    works_for = _WORKING if owner or not members else members
    own = {part for part in _WORKING if getattr(surroundings.settings, warehouse_field(part)) is not None}
    return [part for part in _WORKING if part in own or part in works_for]


def _owner_and_parts(connection: Connection) -> tuple[bool, tuple[Part, ...]]:
    """Whether an account is the owner's, and whose work it may do."""
    values = {"parts": [f"{PREFIX}{part}" for part in _WORKING]}
    found = connection.execute(text(_ACCOUNT), values).one()
    return found.owner, tuple(part for part in _WORKING if f"{PREFIX}{part}" in found.parts)


# Of a schema that an account may not use, no name of a table can be looked up.
_ACCOUNT = """
SELECT EXISTS (SELECT 1 FROM pg_namespace WHERE nspname = 'ledger' AND pg_has_role(nspowner, 'USAGE')) AS owner,
       ARRAY(SELECT rolname::text FROM pg_roles WHERE rolname = ANY(:parts) AND pg_has_role(oid, 'USAGE')) AS parts
"""


def _lacks(connection: Connection, part: Part) -> list[str]:
    """The tables on which an account may not do what ``part`` does."""
    rights = [right for right in table_rights() if right.role == f"{PREFIX}{part}" and not right.column]
    values = {"tables": [right.on for right in rights], "privileges": [right.privilege for right in rights]}
    return list(connection.execute(text(_LACKING), values).scalars())


_LACKING = """
SELECT DISTINCT asked.name FROM unnest(CAST(:tables AS text[]), CAST(:privileges AS text[])) AS asked (name, privilege)
JOIN pg_namespace n ON n.nspname = split_part(asked.name, '.', 1)
JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = split_part(asked.name, '.', 2)
WHERE NOT (has_schema_privilege(n.oid, 'USAGE') AND has_table_privilege(c.oid, asked.privilege)) ORDER BY 1
"""


def _variables(parts: Iterable[Part]) -> str:
    return ", ".join(variable(warehouse_field(part)) for part in parts)


def _rights(surroundings: Surroundings) -> CheckResult:
    with surroundings.engine.connect() as connection:
        other = wanted_rights(connection) ^ standing_rights(connection)
    if other:
        first = min(other)
        told = f"{len(other)} rights are not as they should be, {first.privilege} of {first.role} on {first.on} first"
        return fail(told, "run `regsosek migrate` as the owner of the database and its schemas")
    return ok("every role has the rights that docs/security.md lists, and no other")


def _locks(surroundings: Surroundings) -> CheckResult:
    """Nights and releases wait for each other by locks that PostgreSQL lets any login take, and keep."""
    with surroundings.engine.connect() as connection:
        if locks_are_open(connection):
            told = "every login of the warehouse can take the locks of nights and releases, and stop them"
            return warn(told, f"let a superuser run include/regsosek/warehouse/{FILE} in its database")
    return ok("the locks of nights and releases are the parts' alone")


CHECKS = (
    Check("warehouse accounts", _accounts, after=("migration",)),
    Check("warehouse rights", _rights, after=("migration",)),
    Check("warehouse locks", _locks, after=("warehouse",)),
)
