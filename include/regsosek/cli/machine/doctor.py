"""`regsosek doctor`: everything that can be wrong around the pipeline, and how to mend it."""

import json
import os
from collections.abc import Mapping
from typing import TYPE_CHECKING

import typer
from rich.markup import escape

from regsosek.cli.common import EXIT_FAILED, console
from regsosek.cli.options import JsonOption

if TYPE_CHECKING:
    from regsosek.doctor.check_result import CheckResult

COLOURS = {"ok": "green", "warn": "yellow", "FAIL": "bold red", "skip": "dim"}
commands = typer.Typer()


@commands.command()
def doctor(as_json: JsonOption = False) -> None:
    """Check settings, services, files and keys, and say how to mend what is wrong; ends with 1 if anything is."""
    from regsosek.doctor.examination import examine, healthy

    findings = examine(os.environ)
    if as_json:
        typer.echo(json.dumps(_document(findings), indent=2))
    else:
        for name, finding in findings.items():
            console.print(_line(name, finding), soft_wrap=True, highlight=False)
    if not healthy(findings):
        raise typer.Exit(EXIT_FAILED)


def _line(name: str, finding: "CheckResult") -> str:
    colour = COLOURS[finding.verdict]
    fix = f" -> {finding.fix}" if finding.fix else ""
    return f"[{colour}]{finding.verdict:4}[/{colour}]  {escape(f'{name}: {finding.found}{fix}')}"


def _document(findings: Mapping[str, "CheckResult"]) -> list[dict[str, str]]:
    return [
        {"check": name, "verdict": str(each.verdict), "found": each.found, "fix": each.fix}
        for name, each in findings.items()
    ]
