"""The page that tells how every route of Airflow answers each kind of account, of the table that a test holds it to."""

import csv
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from regsosek.contract.documentation import table

ROUTES: Final = Path("include/regsosek/portal/airflow_routes.csv")
PAGE: Final = Path("docs/airflow-routes.md")
ACCOUNTS: Final = ("nobody", "stranger", "province", "operator")
_INTRODUCTION: Final = """\
# Routes of Airflow

How each route of Airflow's API server answers whom: {number} of them, every verb of its OpenAPI documents (also of the
UI's own API and of FAB's), asked of a running server with FAB, with harmless words in each place and an empty body.
An integration test asks all of them again and holds the server to `{table}`; this page is written from that table by
`make fix`. What stands behind it: [security](security.md).

| account | here |
|---|---|
| nobody | no login |
| stranger | role `Viewer`, in no line of the table of accounts |
| province | roles `Kanwil64` and `Viewer`, entered with province 64: even the wrong role in Airflow opens nothing |
| operator | role `Op`, entered as operator |

Statuses of operators say how far an empty request comes: 404 and 422 are past the login, 403 is Airflow's own refusal.
`/regsosek/` has [its own rules](operations.md#who-sees-what).

"""


def routes_page(root: Path) -> dict[Path, str]:
    """The page below ``root``, the project's directory, with its text."""
    with Path(__file__).with_name(ROUTES.name).open(encoding="utf-8", newline="") as file:
        lines = list(csv.DictReader(file))
    text = _INTRODUCTION.format(number=len(lines), table=ROUTES)
    return {root / PAGE: text + table(("route", *ACCOUNTS), [_row(line) for line in lines]) + "\n"}


def _row(line: Mapping[str, str]) -> tuple[str, ...]:
    return (f"`{line['verb']} {line['path']}`", *(line[account] for account in ACCOUNTS))
