"""The settings themselves, before anything is asked of a service."""

from difflib import get_close_matches

from regsosek.doctor.finding import Check, Finding, fail, ok, warn
from regsosek.doctor.surroundings import Surroundings
from regsosek.settings import Settings, variable

_EXAMPLE = ".example"


def _variables(surroundings: Surroundings) -> Finding:
    if not surroundings.faults:
        return ok(f"{len(surroundings.settings.model_fields_set)} set, all known and well-formed")
    told = "; ".join(f"{variable(name)}: {_told(name, fault)}" for name, fault in surroundings.faults.items())
    return fail(told, "set them in .env (include/regsosek/settings.py describes each), then start the services again")


def _told(name: str, fault: str) -> str:
    if name in Settings.model_fields:
        return fault
    near = get_close_matches(name, Settings.model_fields, n=1)
    return f"no such setting; did you mean {variable(near[0])}?" if near else "no such setting; remove it"


def _addresses(surroundings: Surroundings) -> Finding:
    settings = surroundings.settings
    given = {"mail_sender": (settings.mail_sender,), "platform_recipients": settings.platform_recipients}
    invented = [variable(name) for name, each in given.items() if any(a.endswith(_EXAMPLE) for a in each)]
    if not settings.platform_recipients:
        return fail("nobody is told of our own faults", f"name recipients in {variable('platform_recipients')}")
    if invented:
        return warn(f"{', '.join(invented)} still hold an example address", "set them to addresses of this office")
    return ok(f"faults of ours go to {len(settings.platform_recipients)} addresses")


CHECKS = (
    Check("settings", _variables),
    Check("platform recipients", _addresses, settings=("mail_sender", "platform_recipients")),
)
