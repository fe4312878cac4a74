"""The locks: what can be said about them without a registry."""

from collections.abc import Callable
from types import ModuleType

import pytest

from regsosek.settings import PROJECT_ROOT

LOCKED = """\
# made by hand
pandas==3.1.1 \\
    --hash=sha256:aa
numpy==2.4.6 ; python_full_version < '3.12' \\
    --hash=sha256:bb
numpy==2.5.5 ; python_full_version >= '3.12' \\
    --hash=sha256:cc
psycopg-binary==3.3.9
"""


@pytest.fixture
def lock(command: Callable[[str], ModuleType]) -> ModuleType:
    return command("tools/lock.py")


@pytest.mark.parametrize(
    "wanted",
    ["pandas>=3.1,<4  # why", "NumPy>=2.5", "psycopg_binary", "-c requirements.txt\n\n# nothing\npandas[x]==3.1.1"],
)
def test_met(lock: ModuleType, wanted: str) -> None:
    assert lock.unmet_requirements(wanted, LOCKED) == []


@pytest.mark.parametrize("wanted", ["pandas<3.1.1", "numpy>=2.6", "duckdb"])
def test_unmet(lock: ModuleType, wanted: str) -> None:
    assert lock.unmet_requirements(wanted, LOCKED) == [wanted]


def test_the_committed_locks_meet_their_requirements(lock: ModuleType) -> None:
    for name in lock.LOCKS:
        wanted, locked = ((PROJECT_ROOT / f"{name}.{kind}").read_text(encoding="utf-8") for kind in ("in", "txt"))
        assert lock.unmet_requirements(wanted, locked) == []


def test_every_locked_version_is_hashed(lock: ModuleType) -> None:
    for name in lock.LOCKS:
        lines = (PROJECT_ROOT / f"{name}.txt").read_text(encoding="utf-8").splitlines()
        pins = [number for number, line in enumerate(lines) if "==" in line and not line.startswith((" ", "#"))]
        assert pins
        assert all(lines[number + 1].startswith("    --hash=sha256:") for number in pins)
