"""The commands that answer a person: `regsosek privacy trail`, `erase`, `limit`, `lift`, `requests`."""

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from regsosek.cli.common import EXIT_FAILED, console, operator, resources
from regsosek.cli.options import ByOption, JsonOption, ProvinceOption, ReaderOption, ReasonOption
from regsosek.cli.shown_cases import access_of, enter_shown
from regsosek.errors import ConfigurationError, DecisionError
from regsosek.geography.provinces import province as province_of
from regsosek.wording.nouns import counted

if TYPE_CHECKING:
    from regsosek.night.erasure.erasing import Found
    from regsosek.privacy.trail.person_trail import Number
    from regsosek.resources import Resources

CaseOption = Annotated[str, typer.Option("--case", help="The case: id of the family's document (id_dokumen).")]
NikOption = Annotated[
    bool, typer.Option("--nik", help="Find the cases of a NIK, which is asked for or read from stdin.")
]
KkOption = Annotated[bool, typer.Option("--kk", help="The same by a KK number.")]
FileOption = Annotated[Path | None, typer.Option("--output", help="Write it here as JSON, readable by you alone.")]
RequestOption = Annotated[str, typer.Option("--request", help="The number of the request; no personal data.")]
ApplyOption = Annotated[bool, typer.Option("--apply", help="Do it; without, only what would be done is shown.")]
LandingOption = Annotated[
    bool, typer.Option("--delete-landing", help="Delete its deliveries from landing too, with a key that may.")
]
DIGITS = 16
commands = typer.Typer(name="privacy", help="What the law on personal data asks.", no_args_is_help=True)


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
    from regsosek.privacy.trail.person_trail import require_reader, trail_of_case
    from regsosek.privacy.trail.trail_tables import trail_document, trail_report
    from regsosek.scratch import open_private
    from regsosek.warehouse.nights.reason import stated

    if sum((bool(case), nik, kk)) != 1:
        raise ConfigurationError("name the person in one way: --case ID, --nik or --kk")
    code = province_of(province).code
    access = access_of("command_trail", by, reason=stated(reason))
    with resources() as opened, opened.account("owner").connect() as connection:
        require_reader(connection)
        cases = [case] if case else _cases(opened, code, "nik" if nik else "kk")
        enter_shown(opened, access, code, cases)
        keys, erased = opened.settings.trail_secrets, _marks(opened, code, cases)
        found = [trail_of_case(connection, keys, code, each, erased.get(each)) for each in cases]
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


@commands.command()
def erase(
    province: ProvinceOption,
    case: CaseOption,
    request: RequestOption,
    reason: ReasonOption,
    by: ByOption = "",
    apply: ApplyOption = False,
    delete_landing: LandingOption = False,
) -> None:
    """Erase a case: its answers go for good, its place in the figures stays. Shows first; does it with --apply."""
    from regsosek.night.erasure.erasing import Request, clear_landing, erase_case, find_case

    code = province_of(province).code
    with resources() as opened:
        found = find_case(opened, code, case)
        _tell_found(found)
        if not apply:
            console.print("Nothing was changed: add --apply to erase it.")
            return
        done = erase_case(opened, code, case, Request(request, operator(by), reason))
        console.print(f"Erased for request {request}: the case is {done.mark} from now on.", highlight=False)
        if delete_landing:
            clear_landing(opened, found.landing)
        elif found.landing:
            console.print("Landing still holds it: have these objects deleted there, then run `privacy requests`:")
            for key in found.landing:
                console.print(f"  {opened.settings.landing_bucket}/{key}", highlight=False)


@commands.command()
def limit(
    province: ProvinceOption, case: CaseOption, request: RequestOption, reason: ReasonOption, by: ByOption = ""
) -> None:
    """Limit a case: it counts as ever, and no list, file or login shows it until that is lifted."""
    from regsosek.night.erasure.limiting import limit_case

    with resources() as opened:
        done = limit_case(opened, province_of(province).code, case, request=request, by=operator(by), reason=reason)
    console.print(f"Limited for request {done.request}; `regsosek privacy lift` ends that.", highlight=False)


@commands.command()
def lift(province: ProvinceOption, case: CaseOption, reason: ReasonOption, by: ByOption = "") -> None:
    """Lift the limit of a case: it is shown again."""
    from regsosek.night.erasure.limiting import lift_limit

    with resources() as opened:
        done = lift_limit(opened, province_of(province).code, case, by=operator(by), reason=reason)
    console.print(f"The limit of request {done.request} is lifted.", highlight=False)


@commands.command()
def requests(by: ReaderOption = "") -> None:
    """List what was asked of cases, and what is still to be done; ends with 1 while anything is."""
    from regsosek.night.erasure.erasing import requests_made

    with resources() as opened:
        made = requests_made(opened)
        for code in sorted({each.province for each in made}):
            own = (each.case_id for each in made if each.province == code)
            enter_shown(opened, access_of("command_requests", by), code, own)
    for each in made:
        open_ = (
            f"open: {counted(each.left, 'object', 'objects')} in landing, due {each.due:%Y-%m-%d %H:%M} UTC"
            if each.left
            else "done"
        )
        if each.lost:
            open_ = "LOST: the archive lacks its tombstone; restore tombstones/ and keys/ from the newest copy"
        told = f"{each.at:%Y-%m-%d %H:%M}  {each.province}  {each.kind}  {each.case_id}  {each.request}  {open_}"
        console.print(told, highlight=False, soft_wrap=True)
    if any(each.left or each.lost for each in made):
        raise typer.Exit(EXIT_FAILED)


def _tell_found(found: "Found") -> None:
    deliveries = len({row.delivery_id for row in found.rows})
    console.print(
        f"The case stands in rows: {len(found.rows)}, of deliveries: {deliveries}; objects in landing: "
        f"{len(found.landing)}."
    )
    if found.tags:
        tags = counted(len(found.tags), "tag of a house", "tags of houses")
        console.print(f"At its number: {tags}; position and photo key go too.")
    if found.held:
        console.print(f"Held deliveries may bring it: it is emptied when one is freed: {', '.join(found.held)}")


def _marks(opened: "Resources", province: str, cases: list[str]) -> dict[str, str | None]:
    """The names that erased cases have now."""
    from regsosek.privacy.erasure.tombstones import list_tombstones, mark_of

    tombstones = list_tombstones(opened.store, opened.settings.archive_bucket, province)
    return {case: mark_of(tombstones, case, opened.settings.hash_keys) for case in cases if tombstones}


def _cases(opened: "Resources", province: str, kind: "Number") -> list[str]:
    """The cases of a number that is never an argument, which others on the machine could read.

    Raises:
        DecisionError: it stands in none.
    """
    from regsosek.privacy.trail.person_trail import cases_of_number

    asked = typer.prompt(kind.upper(), hide_input=True) if sys.stdin.isatty() else sys.stdin.readline()
    number = "".join(asked.split())
    if not (number.isascii() and number.isdecimal() and len(number) == DIGITS):
        raise DecisionError(f"a {kind.upper()} has {DIGITS} digits")
    with opened.account("owner").connect() as connection:
        found = cases_of_number(connection, opened.settings.hash_keys, province, kind, number)
    if not found:
        raise DecisionError(f"the {kind.upper()} stands in no case of province {province}; ask for another province")
    return found
