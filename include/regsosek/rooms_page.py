"""Draws the rooms for ``docs/architecture.md``, from import-linter's contracts and the docstrings of packages.

A room is a package or module directly below ``regsosek``. The contracts in ``pyproject.toml`` hold its place.
"""

import ast
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from regsosek.errors import ConfigurationError
from regsosek.wording import markdown

PAGES: Final = (Path("docs/architecture.md"), Path("docs/architecture/rooms.md"))
CODE: Final = Path("include/regsosek")
PACKAGE: Final = "regsosek"

Layers = tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Room:
    """A room: its name, what its docstring says, and its own layers, highest first.

    A room without a contract of its own has no layers.
    """

    name: str
    is_package: bool
    says: str
    layers: Layers
    sub_rooms: tuple[tuple[str, str], ...]


def documents(root: Path) -> dict[Path, str]:
    """Returns the pages by their paths below ``root``, with their regions filled.

    Raises:
        ConfigurationError: the contract of rooms misses a package, or a room lacks a docstring.
    """
    regions = markdown.regions(__file__, {"floors": floors(root)})
    return {root / page: markdown.filled((root / page).read_text(encoding="utf-8"), regions) for page in PAGES}


def floors(root: Path) -> tuple[tuple[Room, ...], ...]:
    """Returns the rooms by layer, highest first."""
    contracts = _contracts(root)
    layers = contracts.get(PACKAGE, ())
    placed = {name for layer in layers for name in layer}
    if missing := sorted(_packages(root / CODE) - placed):
        message = f"pyproject.toml: 'rooms import downwards only' lacks {', '.join(missing)}: add its layer"
        raise ConfigurationError(message)
    return tuple(tuple(_room(root, name, contracts) for name in layer) for layer in layers)


def _room(root: Path, name: str, contracts: dict[str, Layers]) -> Room:
    folder = root / CODE / name
    is_package = folder.is_dir()
    sub_rooms = tuple((sub, _says(folder / sub)) for sub in sorted(_packages(folder))) if is_package else ()
    return Room(name, is_package, _says(folder), contracts.get(f"{PACKAGE}.{name}", ()), sub_rooms)


def _packages(folder: Path) -> set[str]:
    return {each.parent.name for each in folder.glob("*/__init__.py")}


def _contracts(root: Path) -> dict[str, Layers]:
    """Returns the layers that import-linter holds, by the package that they divide."""
    settings: dict[str, Any] = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))
    contracts = settings["tool"]["importlinter"]["contracts"]
    return {
        container: tuple(tuple(name.strip() for name in layer.split("|")) for layer in contract["layers"])
        for contract in contracts
        if contract["type"] == "layers"
        for container in contract["containers"]
    }


def _says(path: Path) -> str:
    """Returns the first paragraph of the docstring of the package or module at ``path``, in one line."""
    source = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    docstring = ast.get_docstring(ast.parse(source.read_text(encoding="utf-8")))
    if not docstring:
        message = f"{source}: a docstring is missing: say in one line what the room does"
        raise ConfigurationError(message)
    return " ".join(docstring.split("\n\n")[0].split()).replace("``", "`")
