"""What the project's own deployment files say, as they stand in the repository."""

import importlib.util
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import yaml

from regsosek.settings import PROJECT_ROOT


@pytest.fixture(scope="session")
def compose() -> dict[str, Any]:
    return yaml.safe_load((PROJECT_ROOT / "docker-compose.yaml").read_text(encoding="utf-8"))


@pytest.fixture(scope="session")
def own_services(compose: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The services that are built here."""
    return {name: service for name, service in compose["services"].items() if "build" in service}


@pytest.fixture(scope="session")
def command() -> Callable[[str], ModuleType]:
    """Loads a command of the repository (a path from its root), which is no part of the package."""

    def load(path: str) -> ModuleType:
        name = Path(path).stem
        spec = importlib.util.spec_from_file_location(name, PROJECT_ROOT / path)
        assert spec is not None
        assert spec.loader is not None
        if (beside := str((PROJECT_ROOT / path).parent)) not in sys.path:
            sys.path.append(beside)  # as where it is run: commands of one folder share code
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        spec.loader.exec_module(module)
        return module

    return load
