"""Writes the hashed, universal locks from their short lists of requirements, or checks that they are in step.

By uv's ``pip compile``, not as ``uv.lock``: that file holds the address of the index and of every package file, so that
one made behind an office's mirror serves there alone.
"""

import argparse
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[1]
# In this order: requirements-dev.in is constrained by requirements.txt.
LOCKS = ("requirements", "requirements-dev", "tools/uv")
# The oldest Python that the project supports; the locks hold for it and all later ones.
OLDEST_PYTHON = "3.11"
REGISTRY_FAILED = 2  # exit code of uv when it got no answer; 1 means that the requirements contradict each other


def compile_lock(uv: Path, folder: Path, name: str, *options: str) -> subprocess.CompletedProcess[str]:
    """Resolves ``<name>.in`` in ``folder`` into ``<name>.txt``; versions that are there and still fit stay."""
    command = [
        str(uv), "pip", "compile", "--quiet", "--universal", "--python-version", OLDEST_PYTHON, "--generate-hashes",
        "--no-annotate", "--no-emit-index-url", "--no-emit-find-links", "--custom-compile-command", "make lock",
        *options, f"{name}.in", "--output-file", f"{name}.txt",
    ]  # fmt: skip
    return subprocess.run(command, cwd=folder, check=False, text=True, stderr=subprocess.PIPE)


def write_locks(uv: Path, *options: str) -> list[str]:
    """Brings the committed locks in step; returns what went wrong."""
    for name in LOCKS:
        done = compile_lock(uv, ROOT, name, *options)
        if done.returncode != 0:
            return [f"{name}.in can't be locked: {done.stderr.strip()}"]
        print(f"wrote {name}.txt")
    return []


def check_locks(uv: Path) -> list[str]:
    """Faults of the committed locks, found on a copy.

    Without a registry and without what uv remembers of it, only the direct requirements are compared; this is said.
    """
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        for name in LOCKS:
            _copy(name, folder)
        return [fault for name in LOCKS for fault in _check(uv, folder, name)]


def unmet_requirements(wanted: str, locked: str) -> list[str]:
    """Requirements of the text ``wanted`` (an .in file) that no pin of the text ``locked`` (a lock) meets."""
    known = pins(locked)
    return [
        str(requirement)
        for requirement in requirements_of(wanted)
        if not any(requirement.specifier.contains(pin) for pin in known.get(canonicalize_name(requirement.name), []))
    ]


def requirements_of(wanted: str) -> list[Requirement]:
    """The requirements of the text of an .in file."""
    return [Requirement(line) for line in map(_uncommented, wanted.splitlines()) if line and line[0] != "-"]


def pins(locked: str) -> dict[str, list[str]]:
    """The versions of each package in the text of a lock; several where they differ by Python."""
    found: dict[str, list[str]] = {}
    for line in locked.splitlines():
        name, equals, rest = line.partition("==")
        if equals and not line.startswith((" ", "#")):
            found.setdefault(canonicalize_name(name.partition("[")[0]), []).append(rest.split()[0])
    return found


def _check(uv: Path, folder: Path, name: str) -> list[str]:
    done = compile_lock(uv, folder, name)
    if done.returncode == REGISTRY_FAILED:
        print(f"{name}: the package registry does not answer, comparing with what uv remembers of it")
        done = compile_lock(uv, folder, name, "--offline")
        if done.returncode != 0:
            return _check_pins(name)
    if done.returncode != 0:
        return [f"{name}.in: {done.stderr.strip()}"]
    in_step = (folder / f"{name}.txt").read_bytes() == (ROOT / f"{name}.txt").read_bytes()
    return [] if in_step else [f"{name}.txt is not what {name}.in resolves to; run `make lock` and commit it"]


def _check_pins(name: str) -> list[str]:
    print(f"{name}: uv remembers too little, so ONLY THE DIRECT REQUIREMENTS ARE COMPARED; check again with a network")
    texts = ((ROOT / f"{name}.{kind}").read_text(encoding="utf-8") for kind in ("in", "txt"))
    return [f"{name}.txt does not meet {unmet}; run `make lock` and commit it" for unmet in unmet_requirements(*texts)]


def _copy(name: str, folder: Path) -> None:
    for kind in ("in", "txt"):
        copy = folder / f"{name}.{kind}"
        copy.parent.mkdir(exist_ok=True)
        shutil.copyfile(ROOT / f"{name}.{kind}", copy)


def _uncommented(line: str) -> str:
    return line.partition("#")[0].strip()


def main() -> int:
    """Entry of `make lock` and `make check`."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--uv", type=Path, required=True, help="the uv to resolve with")
    parser.add_argument("--check", action="store_true", help="change nothing, fail when a lock is out of step")
    parser.add_argument("--upgrade", action="store_true", help="take the newest versions that fit")
    arguments = parser.parse_args()
    uv = arguments.uv.absolute()
    faults = check_locks(uv) if arguments.check else write_locks(uv, *["--upgrade"] * arguments.upgrade)
    for fault in faults:
        print(fault, file=sys.stderr)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
