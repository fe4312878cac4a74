"""The settings themselves, before anything is asked of a service."""

from difflib import get_close_matches

from regsosek.doctor.check_result import Check, CheckResult, fail, ok, warn
from regsosek.doctor.surroundings import Surroundings
from regsosek.settings import Settings, variable

_EXAMPLE = ".example"


def _variables(surroundings: Surroundings) -> CheckResult:
    if not surroundings.faults:
        return ok(f"{len(surroundings.settings.model_fields_set)} set, all known and well-formed")
    told = "; ".join(f"{variable(name)}: {_told(name, fault)}" for name, fault in surroundings.faults.items())
    return fail(told, "set them in .env (include/regsosek/settings.py describes each), then start the services again")


def _told(name: str, fault: str) -> str:
    if name in Settings.model_fields:
        return fault
    near = get_close_matches(name, Settings.model_fields, n=1)
    return f"no such setting; did you mean {variable(near[0])}?" if near else "no such setting; remove it"


def _sender(surroundings: Surroundings) -> CheckResult:
    sender = surroundings.settings.mail_sender
    if sender.endswith(_EXAMPLE):
        return warn(f"{variable('mail_sender')} still holds an example address", "set it to an address of this office")
    return ok(f"mail comes from {sender}")


CHECKS = (
    Check("settings", _variables),
    Check("sender of mail", _sender, settings=("mail_sender",)),
)
