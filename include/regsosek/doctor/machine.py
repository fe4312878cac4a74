"""The machine: scratch space, memory, clocks, time zones, installed versions."""

import os
import re
import shutil
import stat
from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from importlib.metadata import PackageNotFoundError, requires, version
from tempfile import NamedTemporaryFile
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import httpx
import psutil
from packaging.requirements import Requirement

from regsosek.doctor.check_result import Check, CheckResult, fail, ok, warn
from regsosek.doctor.surroundings import TIMEOUT_SECONDS, Surroundings
from regsosek.geography.provinces import provinces
from regsosek.scratch import Holder, WorkFolder, work_folders
from regsosek.settings import variable
from regsosek.wording.nouns import counted

GIB = 1 << 30
MIB = 1 << 20
# A task of the largest province needs so much beside DuckDB (docs/performance.md).
BESIDE_DUCKDB_BYTES = 400 * MIB
_UNITS = {
    "KB": 1000,
    "MB": 1000**2,
    "GB": 1000**3,
    "TB": 1000**4,
    "KIB": 1 << 10,
    "MIB": MIB,
    "GIB": GIB,
    "TIB": 1 << 40,
}
_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([KMGT]I?B)", re.IGNORECASE)
# S3 refuses requests a quarter of an hour off; a minute already puts arrivals near midnight into the wrong night.
SKEW_WARNED_SECONDS, SKEW_FAILED_SECONDS = 5, 60
# Folders that a fix names.
NAMED = 5
NIGHT_ZONE_VARIABLE, NIGHT_ZONE = "AIRFLOW__CORE__DEFAULT_TIMEZONE", "Asia/Jakarta"


def _versions(_: Surroundings) -> CheckResult:
    wanted = [Requirement(each) for each in requires("regsosek") or ()]
    unmet = [told for each in wanted if (each.marker is None or each.marker.evaluate()) and (told := _unmet(each))]
    if unmet:
        return fail(f"installed are {', '.join(unmet)}", "build the image anew from the lock (or run make install)")
    return ok(f"regsosek {version('regsosek')}, its {len(wanted)} libraries as the lock wants them")


def _unmet(requirement: Requirement) -> str:
    try:
        installed = version(requirement.name)
    except PackageNotFoundError:
        return f"no {requirement.name}"
    fits = requirement.specifier.contains(installed, prereleases=True)
    return "" if fits else f"{requirement.name} {installed} in place of {requirement.specifier}"


def _work_dir(surroundings: Surroundings) -> CheckResult:
    path = surroundings.settings.work_dir
    fix = f"give {path} to uid {os.getuid()} with mode 0700, or name another in {variable('work_dir')}"
    try:
        with NamedTemporaryFile(prefix="doctor-", dir=surroundings.settings.scratch) as probe:
            probe.write(b"probe")
            probe.flush()
    except OSError as error:
        return fail(f"{path} cannot be written to: {error.strerror}", fix)
    mode = stat.S_IMODE(path.stat().st_mode)
    if mode & 0o077:
        return fail(f"{path} holds personal data and has mode {mode:04o}: others can read it", f"chmod 0700 {path}")
    return ok(f"{path} is ours alone and can be written to")


def _left_behind(surroundings: Surroundings) -> CheckResult:
    path, by_holder = surroundings.settings.scratch, defaultdict[Holder, list[WorkFolder]](list)
    for each in work_folders(path):
        by_holder[each.holder].append(each)
    living, dead, unknown = (by_holder[holder] for holder in (Holder.LIVING, Holder.DEAD, Holder.UNKNOWN))
    told = [_counted(living, "in use")] if living else []
    told += [_counted(dead, "of ended runs")] if dead else []
    told += [_counted(unknown, "of runs that may live on another machine")] if unknown else []
    if not dead and not unknown:
        return ok(f"no run left anything under {path}" + (f"; {told[0]}" if told else ""))
    names = " ".join(str(each.path) for each in (*dead, *unknown)[:NAMED])
    fix = "the next night, replay or audit deletes those of ended runs, and others a day after they were touched last"
    return warn(f"{'; '.join(told)}: they may hold personal data", f"{fix}; at once: rm -r {names}")


def _counted(folders: Sequence[WorkFolder], what: str) -> str:
    oldest = datetime.fromtimestamp(folders[0].touched, UTC)
    size = sum(each.size for each in folders) / MIB
    return f"{len(folders)} work folder(s) {what} ({size:.1f} MiB, the oldest touched last {oldest:%Y-%m-%d %H:%M} UTC)"


def _disk(surroundings: Surroundings) -> CheckResult:
    path, least = surroundings.settings.scratch, surroundings.settings.least_free_gib
    usage = shutil.disk_usage(path)
    told = f"{usage.free / GIB:.1f} GiB of {usage.total / GIB:.1f} GiB are free under {path}"
    fix = f"free space, or name a larger place in {variable('work_dir')}"
    if usage.free < least * GIB:
        return fail(f"{told}, {variable('least_free_gib')} wants {least:g}", fix)
    return ok(told) if usage.free >= 2 * least * GIB else warn(f"{told}, less than twice what a night wants", fix)


def _memory(surroundings: Surroundings) -> CheckResult:
    limit = surroundings.settings.memory_limit
    sized = _SIZE.fullmatch(limit.strip())
    if sized is None:
        return fail(f"{variable('memory_limit')} is no size: {limit}", "write one as DuckDB does, such as 1500MB")
    at_once = int(surroundings.environ.get("AIRFLOW__CORE__PARALLELISM") or 1)
    wanted = at_once * (float(sized[1]) * _UNITS[sized[2].upper()] + BESIDE_DUCKDB_BYTES)
    total = psutil.virtual_memory().total
    told = f"{counted(at_once, 'task', 'tasks')} at once may take {wanted / GIB:.1f} GiB of {total / GIB:.1f} GiB"
    if wanted > total:
        return warn(told, f"lower {variable('memory_limit')} or AIRFLOW_PARALLELISM, or the kernel ends tasks")
    return ok(told)


def _zones(surroundings: Surroundings) -> CheckResult:
    names = {NIGHT_ZONE, *(province.timezone for province in provinces())}
    try:
        offsets = [datetime.now(ZoneInfo(name)).strftime("%z") for name in sorted(names)]
    except ZoneInfoNotFoundError as error:
        return fail(str(error.args[0]), "install tzdata (it is in the lock)")
    given = surroundings.environ.get(NIGHT_ZONE_VARIABLE, NIGHT_ZONE)
    if given != NIGHT_ZONE:
        fix = f"set it to {NIGHT_ZONE}: nights are counted there, and Airflow would read dates otherwise"
        return fail(f"{NIGHT_ZONE_VARIABLE} is {given}", fix)
    return ok(f"{', '.join(sorted(names))} are known ({', '.join(offsets)})")


def _store_clock(surroundings: Surroundings) -> CheckResult:
    settings = surroundings.settings
    address = settings.s3_endpoint_url or f"https://s3.{settings.s3_region}.amazonaws.com"
    try:
        answer = httpx.head(address, timeout=TIMEOUT_SECONDS)
    except httpx.HTTPError as error:
        fix = f"start the store, or correct {variable('s3_endpoint_url')}"
        return fail(f"{address} does not answer: {type(error).__name__}", fix)
    if "Date" not in answer.headers:
        return warn("the object store does not tell its time", "compare its clock with this machine's by hand")
    return skew_finding("object store", parsedate_to_datetime(answer.headers["Date"]), datetime.now(UTC))


def skew_finding(whose: str, theirs: datetime, ours: datetime) -> CheckResult:
    """What the difference between two clocks means; both instants carry an offset."""
    skew = (ours - theirs).total_seconds()
    told = f"this machine's clock is {abs(skew):.0f} s {'ahead of' if skew > 0 else 'behind'} that of the {whose}"
    fix = "let both follow a time server (chrony or systemd-timesyncd)"
    if abs(skew) >= SKEW_FAILED_SECONDS:
        return fail(told, fix)
    return warn(told, fix) if abs(skew) >= SKEW_WARNED_SECONDS else ok(told)


CHECKS = (
    Check("versions", _versions),
    Check("work dir", _work_dir, settings=("work_dir",)),
    Check("work folders", _left_behind, settings=("work_dir",), after=("work dir",)),
    Check("disk space", _disk, settings=("work_dir", "least_free_gib"), after=("work dir",)),
    Check("memory", _memory, settings=("memory_limit",)),
    Check("time zones", _zones),
    Check("clock of the object store", _store_clock, settings=("s3_endpoint_url", "s3_region")),
)
