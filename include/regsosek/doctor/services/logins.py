"""Who may log in to Airflow: its own pages and API tell of every province, so they are for operators alone."""

from collections.abc import Collection, Iterable, Mapping

from sqlalchemy import Connection, create_engine, make_url, text
from sqlalchemy.exc import SQLAlchemyError

from regsosek.doctor.check_result import Check, CheckResult, fail, ok, warn
from regsosek.doctor.services.airflow import DATABASE
from regsosek.doctor.surroundings import TIMEOUT_SECONDS, Surroundings
from regsosek.errors import AccessError
from regsosek.portal.login.accounts import OPERATING_ROLES, OPERATOR, AccountsFile, read_accounts
from regsosek.wording.nouns import counted

MANAGER = "AIRFLOW__CORE__AUTH_MANAGER"
USERS = "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS"
ALL_ADMINS = "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS"
PUBLIC_ROLE = "AIRFLOW__FAB__AUTH_ROLE_PUBLIC"
SIMPLE, FAB = "SimpleAuthManager", "FabAuthManager"
YES = frozenset({"true", "t", "yes", "y", "1", "on"})
SHOWN = 5
# Accounts that may log in with their roles, given to them or to a group of theirs; and roles that open anything there.
_ROLES = """
SELECT u.username AS account, r.name AS role FROM ab_user u
JOIN (SELECT user_id, role_id FROM ab_user_role
      UNION SELECT g.user_id, own.role_id FROM ab_user_group g JOIN ab_group_role own ON own.group_id = g.group_id
     ) given ON given.user_id = u.id
JOIN ab_role r ON r.id = given.role_id WHERE u.active
"""
# FAB gives every role of ours the homepage ("Website"), which opens nothing: no route asks for it.
_OPENING = """
SELECT DISTINCT r.name FROM ab_role r
JOIN ab_permission_view_role given ON given.role_id = r.id
JOIN ab_permission_view p ON p.id = given.permission_view_id
JOIN ab_view_menu v ON v.id = p.view_menu_id WHERE v.name <> 'Website'
"""
_FAB_FIX = (
    "take that role from them (`airflow users remove-role`); an account of a province needs its own alone, such as "
    "Kanwil64, which has no permission of Airflow's (docs/security.md)"
)
_SIMPLE_FIX = "it is for one person's own machine; name FAB's manager in " + MANAGER + " (docs/security.md)"


def _logins(surroundings: Surroundings) -> CheckResult:
    environ = surroundings.environ
    if DATABASE not in environ:
        return ok("Airflow is not configured for this process: nothing to check")
    manager = environ.get(MANAGER, SIMPLE).rpartition(".")[2]
    if manager == SIMPLE:
        return _simple(surroundings)
    if manager != FAB:
        return warn(f"{manager} is not known here", "let Airflow open to operators alone (docs/security.md)")
    if environ.get(PUBLIC_ROLE):
        return fail("whoever does not log in has a role in Airflow", f"take {PUBLIC_ROLE} out")
    return _fab(surroundings)


def _simple(surroundings: Surroundings) -> CheckResult:
    environ, path = surroundings.environ, surroundings.settings.accounts_file
    if environ.get(ALL_ADMINS, "").casefold() in YES:
        return fail("whoever reaches Airflow is its admin, without a login", f"take {ALL_ADMINS} out")
    users = dict(each.strip().partition(":")[::2] for each in environ.get(USERS, "admin:admin").split(",") if each)
    others = [name for name, role in users.items() if role.casefold() not in OPERATING_ROLES]
    if path is not None:
        grants = read_accounts(path).grants.items()
        others += [account for (_, account), grant in grants if OPERATOR not in grant.rights]
    if others:
        return fail(f"the simple auth manager shows all of Airflow to {_named(others)}", _SIMPLE_FIX)
    if len(users) > 1:
        return warn(f"the simple auth manager lets {counted(len(users), 'account', 'accounts')} in", _SIMPLE_FIX)
    return ok("the simple auth manager, with one account: a machine of one person")


def _fab(surroundings: Surroundings) -> CheckResult:
    try:
        roles, opening = _asked(surroundings.environ[DATABASE])
    except SQLAlchemyError as error:  # its words may repeat the address with the password
        return fail(f"Airflow's database does not answer ({type(error).__name__})", f"look at {DATABASE}")
    accounts = AccountsFile(lambda: surroundings.settings.accounts_file)
    beyond = {name: held & opening for name, held in roles.items() if not _operates(accounts, name, held)}
    wrong = [f"{name} ({', '.join(sorted(held))})" for name, held in sorted(beyond.items()) if held]
    if wrong:
        return fail(f"no operators, and Airflow opens to them: {_named(wrong)}", _FAB_FIX)
    operators = counted(len(roles) - len(beyond), "operator", "operators")
    return ok(f"{counted(len(roles), 'account', 'accounts')}; Airflow's own pages open to the {operators}")


def _asked(url: str) -> tuple[Mapping[str, frozenset[str]], frozenset[str]]:
    """The roles of each account, and the roles that have any permission."""
    limits = {"connect_timeout": TIMEOUT_SECONDS} if make_url(url).get_backend_name() == "postgresql" else {}
    engine = create_engine(url, connect_args=limits)
    try:
        with engine.connect() as connection:
            return _held(connection), frozenset(connection.execute(text(_OPENING)).scalars())
    finally:
        engine.dispose()


def _held(connection: Connection) -> Mapping[str, frozenset[str]]:
    held: dict[str, set[str]] = {}
    for account, role in connection.execute(text(_ROLES)):
        held.setdefault(account, set()).add(role)
    return {account: frozenset(roles) for account, roles in held.items()}


def _operates(accounts: AccountsFile, name: str, roles: Collection[str]) -> bool:
    try:
        return accounts.viewer(name, roles).operator
    except AccessError:
        return False


def _named(names: Iterable[str]) -> str:
    every = list(dict.fromkeys(names))
    more = f" and {len(every) - SHOWN} more" if len(every) > SHOWN else ""
    return f"{', '.join(every[:SHOWN])}{more}"


CHECKS = (Check("logins of Airflow", _logins, settings=("accounts_file",), after=("accounts file",)),)
