"""The picture of the rooms: it follows the contracts, and no package stays outside of it."""

from pathlib import Path

import pytest

from regsosek.errors import ConfigurationError
from regsosek.rooms_page import CODE, documents, floors
from regsosek.settings import PROJECT_ROOT

FOLDERS = sorted(path.parent for path in (PROJECT_ROOT / CODE).rglob("__init__.py"))

CONTRACTS = """
[[tool.importlinter.contracts]]
name = "rooms import downwards only"
type = "layers"
containers = ["regsosek"]
layers = ["upper", "lower | errors"]

[[tool.importlinter.contracts]]
name = "inside upper"
type = "layers"
containers = ["regsosek.upper"]
layers = ["sending", "text | numbers"]

[[tool.importlinter.contracts]]
name = "no Airflow"
type = "forbidden"
source_modules = ["regsosek.lower"]
forbidden_modules = ["airflow"]
"""
ROOMS = {
    "upper/__init__.py": "Sends\nmails.\n\nMore of it.",
    "upper/sending/__init__.py": "Opens ``SMTP``.",
    "lower/__init__.py": "Reads files.",
    "errors.py": "Names faults.",
}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "pyproject.toml").write_text(CONTRACTS)
    for name, says in ROOMS.items():
        path = tmp_path / "include/regsosek" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f'"""{says}"""\n')
    for page, regions in (("architecture.md", ("picture", "rooms")), ("architecture/rooms.md", ("sub-rooms",))):
        path = tmp_path / "docs" / page
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("".join(f"<!-- generated: {region} -->\n<!-- end -->\n" for region in regions))
    return tmp_path


def test_rooms_stand_in_the_order_of_the_contracts(project: Path) -> None:
    upper, (lower, errors) = floors(project)[0][0], floors(project)[1]
    assert upper.layers == (("sending",), ("text", "numbers"))
    assert upper.says == "Sends mails."
    assert upper.sub_rooms == (("sending", "Opens `SMTP`."),)
    assert (lower.name, lower.is_package, errors.name, errors.is_package) == ("lower", True, "errors", False)


def test_picture_and_tables_name_every_room(project: Path) -> None:
    drawn = documents(project)[project / "docs/architecture.md"]
    assert 'upper["<b>upper</b><br/><i>sending</i><br/><i>text, numbers</i>"]' in drawn
    assert 'subgraph lower_errors[" "]\n        lower["<b>lower</b>"]\n        errors["<b>errors</b>"]\n' in drawn
    assert "    upper --> lower_errors\n" in drawn
    assert "| `lower/` | Reads files. |\n| `errors.py` | Names faults. |" in drawn
    assert "| `upper/sending/` | Opens `SMTP`. |" in documents(project)[project / "docs/architecture/rooms.md"]


def test_a_package_outside_of_the_contract_is_refused(project: Path) -> None:
    (project / "include/regsosek/stray").mkdir()
    (project / "include/regsosek/stray/__init__.py").touch()
    with pytest.raises(ConfigurationError, match="lacks stray: add its layer"):
        floors(project)


def test_a_room_without_docstring_is_refused(project: Path) -> None:
    (project / "include/regsosek/errors.py").write_text("")
    with pytest.raises(ConfigurationError, match=r"errors\.py: a docstring is missing"):
        floors(project)


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda path: str(path.relative_to(PROJECT_ROOT / CODE)))
def test_no_room_is_crowded(folder: Path) -> None:
    modules = [path for path in folder.glob("*.py") if path.name != "__init__.py"]
    assert len(modules) <= 14, f"{folder.name} holds {len(modules)} modules: draw sub-rooms"
