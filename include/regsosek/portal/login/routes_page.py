"""The page that tells how every route of Airflow answers each kind of account, of the table that a test holds it to."""

import csv
from pathlib import Path
from typing import Final

from regsosek.wording import markdown

ROUTES: Final = Path("include/regsosek/portal/login/airflow_routes.csv")
PAGE: Final = Path("docs/airflow-routes.md")
ACCOUNTS: Final = ("nobody", "stranger", "province", "operator")


def routes_page(root: Path) -> dict[Path, str]:
    """The page below ``root``, the project's directory, with its text."""
    with Path(__file__).with_name(ROUTES.name).open(encoding="utf-8", newline="") as file:
        lines = list(csv.DictReader(file))
    return {root / PAGE: markdown.page(__file__, {"routes": lines, "table": ROUTES, "accounts": ACCOUNTS})}
