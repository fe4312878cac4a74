"""``docs/warehouse-roles.md``: the tables of roles and rights, written from the data that are granted."""

from collections import defaultdict
from pathlib import Path

from regsosek.warehouse.access.rights import LETTERS, NATION, PARTS, PREFIX, READERS, role_lines, table_rights
from regsosek.wording import markdown

PAGE = Path("docs/warehouse-roles.md")


def documents(root: Path) -> dict[Path, str]:
    """The page by its path below ``root``, its regions filled."""
    values = {
        "prefix": PREFIX,
        "nation": NATION,
        "role_lines": role_lines(),
        "part_and_reader_roles": (*PARTS, *READERS),
        "rights_by_table": _rights_by_table(),
        "letters": _letters,
        "columns_by_role": _columns_by_role(),
    }
    regions = markdown.regions(__file__, values)
    return {root / PAGE: markdown.filled((root / PAGE).read_text(encoding="utf-8"), regions)}


def _rights_by_table() -> dict[str, dict[str, set[str]]]:
    """What each role may do with each table; ``c`` stands for a right to some of its columns."""
    rights: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    for right in table_rights():
        rights[right.on][right.role].add("c" if right.column else right.privilege)
    return dict(sorted(rights.items()))


def _letters(privileges: set[str]) -> str:
    found = [letter for letter, privilege in LETTERS.items() if privilege in privileges]
    return "".join([*found, *(["c"] if privileges == {"c"} else [])])


def _columns_by_role() -> dict[tuple[str, str], list[str]]:
    """The columns that a role has a right to of a table, where it has none to the table."""
    columns: dict[tuple[str, str], list[str]] = defaultdict(list)
    for right in sorted(table_rights()):
        if right.column:
            columns[right.on, right.role].append(right.column)
    return dict(sorted(columns.items()))
