"""Where to read what to do: the runbook of each finding, task and error, by ``runbooks.csv``."""

import csv
from functools import cache
from pathlib import Path
from typing import Literal

from regsosek.errors import ConfigurationError, RegsosekError
from regsosek.settings import setting

About = Literal["finding", "task", "error"]

TABLE = Path(__file__).with_name("runbooks.csv")
FOLDER = "runbooks"
PATH_IN_REPOSITORY = "docs"


@cache
def pages() -> dict[tuple[str, str], str]:
    """The name of the page by what it is about (``error``) and its name (``ParityError``)."""
    with TABLE.open(encoding="utf-8", newline="") as file:
        return {(row["about"], row["name"]): row["page"] for row in csv.DictReader(file)}


def link(about: About, name: str, docs_url: str | None) -> str:
    """Address of the runbook below ``docs_url``, else its path in the repository.

    Raises:
        KeyError: ``runbooks.csv`` has no such line; a test holds every one to it.
    """
    base = (docs_url or PATH_IN_REPOSITORY).rstrip("/")
    return f"{base}/{FOLDER}/{pages()[about, name]}.md"


def link_of_error(error: RegsosekError, docs_url: str | None) -> str:
    """The runbook of the error's own class, or of the nearest one above it that has one."""
    known = (kind.__name__ for kind in type(error).__mro__ if ("error", kind.__name__) in pages())
    return link("error", next(known), docs_url)


def configured_docs_url() -> str | None:
    """``REGSOSEK_DOCS_URL``; None also where the settings cannot be read, which must hide no error."""
    try:
        return setting("docs_url")
    except ConfigurationError:
        return None


def on_page(dag_id: str, task_id: str) -> str:
    """The line of a task's page in Airflow that leads to its runbook."""
    address = link("task", f"{dag_id}.{task_id}", configured_docs_url())
    shown = f"[{address}]({address})" if "://" in address else f"`{address}`"
    return f"\n**Runbook**: {shown}\n"
