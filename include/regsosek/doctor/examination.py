"""All checks, one after the other, to the end whatever fails."""

from collections.abc import Mapping, Sequence

from regsosek.doctor.check_result import Check, CheckResult, Verdict, fail, skip
from regsosek.doctor.files import CHECKS as FILES
from regsosek.doctor.keys import CHECKS as KEYS
from regsosek.doctor.machine import CHECKS as MACHINE
from regsosek.doctor.services.airflow import CHECKS as AIRFLOW
from regsosek.doctor.services.logins import CHECKS as LOGINS
from regsosek.doctor.services.mail import CHECKS as MAIL
from regsosek.doctor.services.objects import CHECKS as OBJECTS
from regsosek.doctor.services.transport import CHECKS as TRANSPORT
from regsosek.doctor.services.warehouse import CHECKS as WAREHOUSE
from regsosek.doctor.surroundings import Surroundings
from regsosek.doctor.variables import CHECKS as VARIABLES
from regsosek.errors import RegsosekError
from regsosek.settings import variable

# In the order of what rests on what; a check may only come after those that it names.
CHECKS: tuple[Check, ...] = (
    *VARIABLES, *MACHINE, *FILES, *TRANSPORT, *WAREHOUSE, *OBJECTS, *KEYS, *MAIL, *LOGINS, *AIRFLOW
)  # fmt: skip


def examine(environ: Mapping[str, str], checks: Sequence[Check] = CHECKS) -> dict[str, CheckResult]:
    """What every check found, by its name and in its order."""
    surroundings = Surroundings.of(environ)
    findings: dict[str, CheckResult] = {}
    try:
        for check in checks:
            findings[check.name] = _without_secrets(surroundings, _look(check, surroundings, findings))
    finally:
        surroundings.close()
    return findings


def healthy(findings: Mapping[str, CheckResult]) -> bool:
    """Whether nothing failed; what was skipped rests on something that did."""
    return all(finding.verdict is not Verdict.FAIL for finding in findings.values())


def _look(check: Check, surroundings: Surroundings, earlier: Mapping[str, CheckResult]) -> CheckResult:
    faulty = [variable(name) for name in check.settings if name in surroundings.faults]
    missed = [name for name in check.after if earlier[name].verdict in {Verdict.FAIL, Verdict.SKIP}]
    if faulty or missed:
        return skip(f"not checked, it rests on {', '.join([*faulty, *missed])}")
    try:
        return check.examine(surroundings)
    except RegsosekError as error:
        return fail(str(error), "do what the message says, then ask again")
    except Exception as error:  # noqa: BLE001 - the other checks go on, and an unknown message may hold a secret
        return fail(f"the check itself broke: {type(error).__name__}", "tell the developers; the message is withheld")


def _without_secrets(surroundings: Surroundings, finding: CheckResult) -> CheckResult:
    """The last guard: no check should repeat a secret, and none that does gets through."""
    found, fix = finding.found, finding.fix
    for secret in surroundings.secrets:
        found, fix = found.replace(secret, "***"), fix.replace(secret, "***")
    return CheckResult(finding.verdict, found, fix)
