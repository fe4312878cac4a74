"""The warehouse: reachable, ours, at the newest schema, with reference data, on a clock like ours."""

from datetime import UTC, datetime, timedelta

import psycopg
from alembic.script import ScriptDirectory
from sqlalchemy import text
from sqlalchemy.exc import ArgumentError, OperationalError

from regsosek.doctor.check_result import Check, CheckResult, fail, ok, warn
from regsosek.doctor.machine import skew_finding
from regsosek.doctor.services import accounts, trail
from regsosek.doctor.surroundings import Surroundings
from regsosek.geography.frame import DATASETS, OPTIONAL_DATASETS
from regsosek.settings import variable
from regsosek.transport import PLAIN
from regsosek.warehouse.database import SESSION
from regsosek.warehouse.migration import alembic_config, newest_revision, standing_revision
from regsosek.warehouse.reference import loaded_versions
from regsosek.wording.nouns import counted

LEAST_VERSION, PROVED_VERSION = 15, 18
URL = variable("warehouse_url")
_UNREACHABLE = {
    "password authentication failed": ("it refuses our password", f"correct the password in {URL}"),
    "does not exist": (
        "the role or database does not exist",
        f"make it (docker/create-databases.sh), or correct {URL}",
    ),
    "Connection refused": ("nothing listens there", f"start PostgreSQL, or correct host and port in {URL}"),
    "resolve host": ("no such host", f"correct the host in {URL}"),
    "certificate verify failed": (
        "its certificate is signed by nobody that we trust",
        f"name the PEM of its authority in {variable('warehouse_ca_file')}",
    ),
    "server certificate for": (
        "its certificate is for another name",
        f"name the host in {URL} as its certificate does",
    ),
    "does not support SSL": (
        "it offers no encryption",
        f"switch ssl on at the server, or name its host in {PLAIN} if its network does not leave the machine",
    ),
    "timeout": ("no answer in time", "look for a firewall between this machine and the server"),
    "pg_hba.conf": ("the server lets nobody in from here", "add this machine to its pg_hba.conf"),
    "too many": ("no connection is free", "raise max_connections, or lower AIRFLOW_PARALLELISM"),
}


def _reach(surroundings: Surroundings) -> CheckResult:
    try:
        place = surroundings.engine.url
    except ArgumentError:
        return fail(f"{URL} is no URL", "write postgresql+psycopg://user:password@host:port/database")
    where = f"{place.host}:{place.port or 5432}/{place.database}"
    try:
        with surroundings.engine.connect() as connection:
            number = int(connection.execute(text("SHOW server_version_num")).scalar_one()) // 10_000
            encoding = connection.execute(text("SHOW server_encoding")).scalar_one()
    except OperationalError as error:
        found, fix = _unreachable(str(error.orig))
        return fail(f"{where}: {found}", fix)
    if encoding != "UTF8":
        return fail(f"{where} is encoded in {encoding}", "make the database anew with ENCODING 'UTF8'")
    if number < LEAST_VERSION:
        return fail(f"{where} is PostgreSQL {number}", f"upgrade it to {PROVED_VERSION}; {LEAST_VERSION} is the least")
    if number < PROVED_VERSION:
        return warn(f"{where} is PostgreSQL {number}", f"the project is proved on {PROVED_VERSION}: plan an upgrade")
    return ok(f"{where}, PostgreSQL {number}, UTF8")


def _unreachable(message: str) -> tuple[str, str]:
    known = (told for words, told in _UNREACHABLE.items() if words in message)
    return next(known, ("it cannot be reached; its message is withheld", f"try psql with {URL}"))


def _clock(surroundings: Surroundings) -> CheckResult:
    with surroundings.engine.connect() as connection:
        theirs = connection.execute(text("SELECT clock_timestamp()")).scalar_one()
    return skew_finding("warehouse", theirs, datetime.now(UTC))


def _migration(surroundings: Surroundings) -> CheckResult:
    with surroundings.engine.connect() as connection:
        script = ScriptDirectory.from_config(alembic_config(connection))
        try:
            standing = standing_revision(connection)
        except psycopg.errors.InsufficientPrivilege:
            return fail("the schema's version cannot be read", f"use an account of the warehouse in {URL}")
        newest = newest_revision(connection)
        known = {revision.revision for revision in script.walk_revisions()}
    if standing == newest:
        return ok(f"at the newest schema, {newest}")
    if standing is None:
        return fail("the warehouse has no schema yet", "run `regsosek migrate`")
    if standing not in known:
        return fail(f"the warehouse is at {standing}, which this version does not know", "start the newer image again")
    return fail(f"the warehouse is at {standing}, the newest schema is {newest}", "run `regsosek migrate`")


def _sessions(surroundings: Surroundings) -> CheckResult:
    """A pooler between may drop what our sessions ask for, or keep it from the next transaction."""
    with surroundings.engine.connect() as connection:
        shown = {name: str(connection.execute(text(f"SHOW {name}")).scalar_one()) for name in ASKED}
    other = [f"{name} is {value}" for name, value in shown.items() if value.partition(",")[0] != SESSION[name]]
    if other:
        return fail(
            f"our sessions have other settings than they ask for: {'; '.join(other)}",
            f"name the server itself in {URL}, or let the pooler keep sessions and pass on `options`",
        )
    return ok("our sessions notice a peer that is gone, and no idle limit of the server ends them")


# Those that a local socket has, too.
ASKED = ("idle_session_timeout", "idle_in_transaction_session_timeout", "client_connection_check_interval", "datestyle")


def _reference(surroundings: Surroundings) -> CheckResult:
    with surroundings.engine.connect() as connection:
        loaded = loaded_versions(connection)
        query = (
            "SELECT (SELECT count(*) FROM reference.region), (SELECT count(DISTINCT province) FROM reference.subsls)"
        )
        regions, provinces = connection.execute(text(query)).one()
    missing = sorted(set(DATASETS) - set(OPTIONAL_DATASETS) - set(loaded))
    if missing or not regions:
        fix = (
            "deliver it below reference/ of the landing bucket (docs/reference-files.md), then run `regsosek reference`"
        )
        return fail(f"not loaded: {', '.join(missing) or 'regions'}", fix)
    told = f"{counted(f'{regions:,}', 'region', 'regions')}, frames of {counted(provinces, 'province', 'provinces')}"
    return ok(f"{', '.join(sorted(loaded))} are loaded: {told}")


def _retention(surroundings: Surroundings) -> CheckResult:
    """Nothing is counted here, which takes minutes: only whether somebody looks at it."""
    with surroundings.engine.connect() as connection:
        first, last = connection.execute(text(_LOOKED_AFTER)).one()
    now = datetime.now(UTC)
    if first is None or now - first < timedelta(days=RETENTION_DAYS):
        return ok("nothing is over its time yet")
    if last is None or now - last > timedelta(days=RETENTION_DAYS):
        told = "never" if last is None else f"last on {last.date()}"
        return warn(f"data over their time were ended {told}", "run `regsosek retention` (docs/privacy.md)")
    return ok(f"data over their time were ended on {last.date()}")


RETENTION_DAYS = 60
_LOOKED_AFTER = "SELECT (SELECT min(registered_at) FROM ledger.delivery), (SELECT max(at) FROM ledger.retention_run)"

CHECKS = (
    Check("warehouse", _reach, settings=("warehouse_url",)),
    Check("clock of the warehouse", _clock, after=("warehouse",)),
    Check("sessions of the warehouse", _sessions, after=("warehouse",)),
    Check("migration", _migration, after=("warehouse",)),
    *accounts.CHECKS,
    *trail.CHECKS,
    Check("reference data", _reference, after=("migration",)),
    Check("retention", _retention, after=("migration", "warehouse rights")),
)
