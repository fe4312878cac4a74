"""The trail of access: that it keeps what it is told, and that nobody reads cases past it."""

from sqlalchemy import text

from regsosek.doctor.check_result import Check, CheckResult, fail, ok, warn
from regsosek.doctor.keys import LEAST_DIFFERENT
from regsosek.doctor.surroundings import Surroundings
from regsosek.settings import PARTS, variable
from regsosek.warehouse.access.rights import PREFIX
from regsosek.warehouse.access.row_security import CASES, OPENED_POLICY
from regsosek.wording.nouns import counted

KEPT = ("ledger.access", "ledger.access_case")
TRAIL_KEY, DRAWN = variable("trail_key"), "what `openssl rand -hex 32` prints"
SHOWN = 5
_SWITCHED_ON = """
SELECT tgrelid::regclass::text FROM pg_trigger
WHERE tgname = 'keep_access' AND tgenabled IN ('O', 'A') AND tgrelid = ANY(CAST(:tables AS regclass[]))
"""
# Tables that readers have rights to and that show rows to whoever said nothing.
_UNASKED = """
SELECT schemaname || '.' || tablename AS name FROM pg_policies
GROUP BY 1 HAVING starts_with(schemaname || '.' || tablename, :cases) AND bool_and(policyname <> :policy)
"""
# Logins beside the accounts of parts and owner: those that no policy binds, that may do a part's work by hand, or that
# somebody gave a table with identities. The account that the server was made with is left out: there is always one.
_PAST = """
SELECT r.rolname FROM pg_roles r
WHERE r.rolcanlogin AND r.oid <> 10 AND r.rolname <> ALL(:parts)
      AND r.oid <> (SELECT nspowner FROM pg_namespace WHERE nspname = 'ledger')
      AND (r.rolsuper OR r.rolbypassrls OR pg_has_role(r.oid, 'pg_read_all_data', 'MEMBER')
           OR EXISTS (SELECT 1 FROM pg_roles p WHERE p.rolname = ANY(:parts) AND pg_has_role(r.oid, p.oid, 'MEMBER'))
           OR EXISTS (SELECT 1 FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
                      WHERE n.nspname = 'restricted' AND c.relkind IN ('r', 'p')
                            AND has_table_privilege(r.oid, c.oid, 'SELECT')))
ORDER BY 1
"""


def _kept(surroundings: Surroundings) -> CheckResult:
    with surroundings.engine.connect() as connection:
        on = set(connection.execute(text(_SWITCHED_ON), {"tables": list(KEPT)}).scalars())
        asked = {"cases": CASES, "policy": OPENED_POLICY}
        unasked = sorted(connection.execute(text(_UNASKED), asked).scalars())
    if off := sorted(set(KEPT) - on):
        return fail(
            f"entries of {', '.join(off)} can be changed: the trigger keep_access is off",
            f"ALTER TABLE {off[0]} ENABLE TRIGGER keep_access, and find out who switched it off",
        )
    if unasked:
        return fail(f"{', '.join(unasked)} shows cases to logins that said nothing", "run `regsosek migrate`")
    return ok("it keeps what it is told, and logins of persons say what for")


def _past(surroundings: Surroundings) -> CheckResult:
    parts = [f"{PREFIX}{part}" for part in PARTS]
    with surroundings.engine.connect() as connection:
        past = list(connection.execute(text(_PAST), {"parts": parts}).scalars())
    if past:
        more = f" and {len(past) - SHOWN} more" if len(past) > SHOWN else ""
        return warn(
            f"{counted(len(past), 'login', 'logins')} can read cases past the trail: {', '.join(past[:SHOWN])}{more}",
            "take from them superuser, BYPASSRLS, pg_read_all_data, roles of parts and rights to restricted; give "
            "persons roles of readers (docs/warehouse-roles.md)",
        )
    return ok("no login but the server's first and those of the parts reads cases past it")


def _key(surroundings: Surroundings) -> CheckResult:
    settings = surroundings.settings
    if settings.trail_key is None and settings.hmac_key is None:
        return warn("not set here: no case is shown, as befits the watchdog", f"set {TRAIL_KEY} where cases are shown")
    keys = settings.trail_secrets
    if min(len(set(key)) for key in keys) < LEAST_DIFFERENT:
        return fail("a key can be guessed, and with it whom the entries name", f"set {TRAIL_KEY} to {DRAWN}")
    if settings.trail_key is None:
        return ok(f"the key of the hashes; on a server set {TRAIL_KEY}, for its pages are not given that one")
    return ok(f"{len(keys[0])} characters" + (f", and {len(keys) - 1} former ones" if keys[1:] else ""))


CHECKS = (
    Check("trail key", _key, settings=("trail_key", "hmac_key")),
    Check("trail of access", _kept, after=("migration",)),
    Check("readers past the trail", _past, after=("migration",)),
)
