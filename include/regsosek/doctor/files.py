"""The files that a deployment supplies, read by the code that the night reads them with."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from regsosek.doctor.check_result import Check, CheckResult, fail, ok, warn
from regsosek.doctor.surroundings import Surroundings
from regsosek.geography.boundaries import boundaries
from regsosek.geography.calendar import default_night, field_windows
from regsosek.geography.planning import plans_of
from regsosek.geography.provinces import provinces
from regsosek.geography.recipients import CENTRE, Role, addressed, recipients
from regsosek.geography.region_targets import region_targets
from regsosek.landing.producer_keys import producer_keys
from regsosek.portal.login.accounts import read_accounts
from regsosek.quality.hold_limits import hold_limits
from regsosek.quality.rules import load_suites
from regsosek.release.figures.imprint import read_imprint
from regsosek.settings import variable
from regsosek.wording.nouns import counted


def _recipients(surroundings: Surroundings) -> CheckResult:
    path = surroundings.settings.recipients_file
    found = recipients(path)
    if path is None:
        fix = f"name the offices' addresses in {variable('recipients_file')} (docs/reference-files.md)"
        return warn("digests go to the addresses of the example file, which reach nobody", fix)
    by_address: dict[str, set[str]] = {}
    for each in found:
        by_address.setdefault(each.address.lower(), set()).add(each.province)
    shared = [" and ".join(sorted(codes)) for codes in by_address.values() if len(codes) > 1]
    if shared:
        fix = "give each office a mailbox of its own: one of them reads what is another's"
        return fail(f"{path.name}: provinces {'; '.join(shared)} have the same address", fix)
    ours = len(addressed(found, CENTRE, {Role.PLATFORM}))
    return ok(f"{path.name}: {counted(len(found), 'recipient', 'recipients')}; faults of ours go to {ours} of them")


def _calendar(surroundings: Surroundings) -> CheckResult:
    path = surroundings.settings.calendar_file
    windows = field_windows(path)
    night = default_night(datetime.now(UTC))
    name = path.name if path else "the plan of 2022"
    last = max(window.closing(night) for window in windows.values())
    if last + timedelta(days=31) < night:
        fix = f"name this year's windows in {variable('calendar_file')}"
        return warn(f"{name}: the last window closed on {last}, every visit of today counts as impossible", fix)
    return ok(f"{name}: {len(windows)} windows, {sum(w.is_open(night) for w in windows.values())} open last night")


def _hold_limits(surroundings: Surroundings) -> CheckResult:
    path = surroundings.settings.hold_limits_file
    datasets = {dataset for each in provinces() for dataset in hold_limits(each.code, path)}
    return ok(f"{path.name if path else 'our own limits'}: {', '.join(sorted(datasets))}")


def _expectations(surroundings: Surroundings) -> CheckResult:
    suites = load_suites(surroundings.settings.expectations_dir)
    empty = [name for name, suite in suites.items() if not suite.rules]
    if empty:
        return fail(f"no rules for {', '.join(empty)}", "bring expectations/ back from the repository")
    rules = sum(len(suite.rules) for suite in suites.values())
    return ok(f"{counted(rules, 'rule', 'rules')} of {counted(len(suites), 'dataset', 'datasets')}")


def _imprint(surroundings: Surroundings) -> CheckResult:
    path = surroundings.settings.imprint_file
    found = read_imprint(path)
    if path is None:
        fix = f"name publisher, contact and licence in {variable('imprint_file')} (docs/release.md)"
        return warn("releases name the publisher of the example, whose address reaches nobody", fix)
    return ok(f"{path.name}: {found.publisher}, {found.licence}")


def _boundaries(surroundings: Surroundings) -> CheckResult:
    path = surroundings.settings.boundaries_file
    if path is None:
        return ok("no boundaries are named: maps are made of tiles")
    read = boundaries(path)
    if read.mended:
        return warn(f"{path.name}: {read.told}", "look at these regions on the maps; better, mend the file itself")
    return ok(f"{path.name}: {read.told}")


def _plan(surroundings: Surroundings) -> CheckResult:
    settings = surroundings.settings
    plans_of(settings)
    if settings.plan_file is None:
        return ok(f"no plan is supplied: {settings.plan_shape}")
    return ok(f"{settings.plan_file.name} is well-formed; {settings.plan_shape} where it has no curve")


def _producer_keys(surroundings: Surroundings) -> CheckResult:
    settings = surroundings.settings
    keys, night = producer_keys(settings.producer_keys_file), default_night(datetime.now(UTC))
    signing = {each.province for each in keys if each.holds(night)}
    lapsed = sorted({each.province for each in keys} - signing)
    if lapsed:
        return warn(
            f"no key holds of provinces {', '.join(lapsed)}: nothing of theirs is taken in", "add their new keys"
        )
    if len(signing) < len(provinces()) and not settings.require_signed_manifests:
        fix = f"name a key of every province in {variable('producer_keys_file')} (docs/landing-contract.md)"
        of_all = f"{len(signing)} of {counted(len(provinces()), 'province', 'provinces')}"
        return warn(f"{of_all} sign; whoever may write delivers for the others", fix)
    return ok(f"manifests are signed by {counted(len(signing), 'province', 'provinces')}; no other delivers")


def _supplied(field: str, read: Callable[[Path], object], without: str) -> Check:
    """A file that may be left out."""

    def look(surroundings: Surroundings) -> CheckResult:
        path: Path | None = getattr(surroundings.settings, field)
        if path is None:
            return ok(without)
        read(path)
        return ok(f"{path.name} is well-formed")

    return Check(field.replace("_file", " file").replace("_", " "), look, settings=(field,))


CHECKS = (
    Check("recipients file", _recipients, settings=("recipients_file",)),
    Check("calendar file", _calendar, settings=("calendar_file",)),
    Check("plan", _plan, settings=("plan_file", "plan_shape")),
    _supplied("region_targets_file", region_targets, "no targets below the province are named"),
    Check("imprint file", _imprint, settings=("imprint_file",)),
    Check("boundaries file", _boundaries, settings=("boundaries_file",)),
    _supplied(
        "accounts_file", read_accounts, "no accounts are named: Airflow's admins and ops see all, others nothing"
    ),
    Check("producer keys", _producer_keys, settings=("producer_keys_file", "require_signed_manifests")),
    Check("hold limits file", _hold_limits, settings=("hold_limits_file",)),
    Check("expectations", _expectations, settings=("expectations_dir",)),
)
