"""``docs/warehouse-roles.md``: the tables of roles and rights, written from the data that are granted."""

from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

from regsosek.contract.documentation import filled, table
from regsosek.warehouse.rights import LETTERS, NATION, PARTS, PREFIX, READERS, role_lines, table_rights

PAGE = Path("docs/warehouse-roles.md")


def documents(root: Path) -> dict[Path, str]:
    """The page by its path below ``root``, its regions filled."""
    regions = {"roles": _roles, "tables": _tables, "columns": _columns}
    return {root / PAGE: filled((root / PAGE).read_text(encoding="utf-8"), regions)}


def _roles() -> str:
    kinds = {"part": "part of the pipeline", "reader": "persons: what they read"}
    rows = [(f"`{PREFIX}{line['role']}`", kinds[line["kind"]], line["may"]) for line in role_lines()]
    whose = "persons: whose rows"
    rows += [
        (f"`{PREFIX}province_11` to `_97`", whose, "rows of that province"),
        (f"`{NATION}`", whose, "rows of every province"),
    ]
    return table(("Role", "For", "May"), rows)


def _tables() -> str:
    rights: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    for right in table_rights():
        rights[right.on][right.role].add("c" if right.column else right.privilege)
    roles = (*PARTS, *READERS)
    heads = ("Table", *(role.removeprefix(PREFIX) for role in roles))
    return table(heads, ((f"`{on}`", *(_letters(rights[on][role]) for role in roles)) for on in sorted(rights)))


def _letters(privileges: set[str]) -> str:
    found = [letter for letter, privilege in LETTERS.items() if privilege in privileges]
    return "".join([*found, *(["c"] if privileges == {"c"} else [])])


def _columns() -> str:
    return table(("Table", "Role", "Columns"), _column_rows())


def _column_rows() -> Iterator[tuple[str, str, str]]:
    columns: dict[tuple[str, str], list[str]] = defaultdict(list)
    for right in sorted(table_rights()):
        if right.column:
            columns[right.on, right.role].append(f"`{right.column}`")
    for (on, role), names in sorted(columns.items()):
        yield f"`{on}`", role.removeprefix(PREFIX), ", ".join(names)
