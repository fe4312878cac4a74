"""The commands that answer a person: `regsosek privacy trail`."""

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from regsosek.cli.at_hand import console, house
from regsosek.cli.options import JsonOption, ProvinceOption, ReaderOption, ReasonOption
from regsosek.cli.shown_cases import access_of, enter_shown
from regsosek.errors import ConfigurationError, DecisionError
from regsosek.geography.provinces import province as province_of
from regsosek.wording.nouns import counted

if TYPE_CHECKING:
    from regsosek.night.house import House
    from regsosek.privacy.trail import Number

CaseOption = Annotated[str, typer.Option("--case", help="The case: id of the family's document (id_dokumen).")]
NikOption = Annotated[
    bool, typer.Option("--nik", help="Find the cases of a NIK, which is asked for or read from stdin.")
]
KkOption = Annotated[bool, typer.Option("--kk", help="The same by a KK number.")]
FileOption = Annotated[Path | None, typer.Option("--output", help="Write it here as JSON, readable by you alone.")]
DIGITS = 16
commands = typer.Typer(name="privacy", help="What the law on personal data asks.", no_args_is_help=True)


@commands.callback()
def group() -> None:
    """Keeps a group of one command a group."""


@commands.command()
def trail(
    province: ProvinceOption,
    reason: ReasonOption,
    case: CaseOption = "",
    nik: NikOption = False,
    kk: KkOption = False,
    by: ReaderOption = "",
    as_json: JsonOption = False,
    output: FileOption = None,
) -> None:
    """Show who saw a person's case, and what became of it; asking is itself an entry."""
    from regsosek.privacy.trail import require_reader, trail_of_case
    from regsosek.privacy.trail_tables import trail_document, trail_report
    from regsosek.scratch import open_private
    from regsosek.warehouse.reason import stated

    if sum((bool(case), nik, kk)) != 1:
        raise ConfigurationError("name the person in one way: --case ID, --nik or --kk")
    code = province_of(province).code
    access = access_of("command_trail", by, reason=stated(reason))
    with house() as opened, opened.account("owner").connect() as connection:
        require_reader(connection)
        cases = [case] if case else _cases(opened, code, "nik" if nik else "kk")
        enter_shown(opened, access, code, cases)
        found = [trail_of_case(connection, opened.settings.trail_secrets, code, each) for each in cases]
    told = json.dumps([trail_document(each) for each in found], ensure_ascii=False, indent=2)
    if output:
        with open_private(output) as file:
            file.write(told + "\n")
        console.print(f"The trail of {counted(len(found), 'case', 'cases')}: {output}")
    elif as_json:
        typer.echo(told)
    else:
        for each in found:
            console.print(trail_report(each))


def _cases(opened: "House", province: str, kind: "Number") -> list[str]:
    """The cases of a number that is never an argument, which others on the machine could read.

    Raises:
        DecisionError: it stands in none.
    """
    from regsosek.privacy.trail import cases_of_number

    asked = typer.prompt(kind.upper(), hide_input=True) if sys.stdin.isatty() else sys.stdin.readline()
    number = "".join(asked.split())
    if not (number.isascii() and number.isdecimal() and len(number) == DIGITS):
        raise DecisionError(f"a {kind.upper()} has {DIGITS} digits")
    with opened.account("owner").connect() as connection:
        found = cases_of_number(connection, opened.settings.hash_keys, province, kind, number)
    if not found:
        raise DecisionError(f"the {kind.upper()} stands in no case of province {province}; ask for another province")
    return found
