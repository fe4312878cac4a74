"""The provincial BPS offices: who is told about a province's night."""

import re
from dataclasses import dataclass
from pathlib import Path

from regsosek.errors import ReferenceDataError
from regsosek.geography.provinces import provinces
from regsosek.geography.reference_table import DATA, read_table, require_one_each

# One plain ASCII address: no display name, no list, nothing that could start another mail header.
_ADDRESS = re.compile(r"[A-Za-z0-9_+-]+(\.[A-Za-z0-9_+-]+)*@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+")


@dataclass(frozen=True, slots=True)
class Office:
    """The office of one province and the mailbox that its digests go to."""

    province: str
    name: str
    email: str


def offices(path: Path | None = None) -> dict[str, Office]:
    """The office of every province, by code and in its order.

    Args:
        path: CSV with the columns province, name, email; none means the example file, which reaches nobody.

    Raises:
        ReferenceDataError: a province is missing, unknown or named twice, or its name or address is malformed.
    """
    path = path or DATA / "offices.csv"
    rows = read_table(path, ("province", "name", "email"))
    require_one_each(path.name, [row["province"] for row in rows], [province.code for province in provinces()])
    malformed = [row["province"] for row in rows if not row["name"] or not _ADDRESS.fullmatch(row["email"])]
    if malformed:
        fix = "give each a name and one plain e-mail address"
        raise ReferenceDataError(f"{path.name}: malformed offices of provinces {', '.join(sorted(malformed))}; {fix}")
    return {row["province"]: Office(**row) for row in sorted(rows, key=lambda row: row["province"])}
