"""The commands for deliveries: `regsosek deliveries list`, `show`, `free`, `reject`, `retry`."""

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from regsosek.cli.common import console, operator, resources
from regsosek.cli.nights.release import tell_release
from regsosek.cli.options import DAY, ByOption, ProvinceOption, ProvincesOption, ReaderOption, ReasonOption
from regsosek.cli.shown_cases import access_of, enter_shown
from regsosek.errors import ConfigurationError
from regsosek.night.run_request import chosen
from regsosek.wording.nouns import counted

if TYPE_CHECKING:
    from regsosek.night.deciding import Decide

DeliveryArgument = Annotated[str, typer.Argument(metavar="ID", help="Delivery id, as `deliveries list` shows it.")]
StateOption = Annotated[str, typer.Option(help="Only held, rejected, accepted or registered ones.")]
NightOption = Annotated[
    datetime | None, typer.Option("--night", formats=DAY, help="Only those that arrived on this night.")
]
PublishOption = Annotated[
    bool, typer.Option(help="Publish the newest night again at once; not needed between several decisions in a row.")
]
OfProvinceOption = Annotated[
    str,
    typer.Option("--province", "-p", help="Province code; needed where several have a delivery of that id."),
]
WithdrawnOption = Annotated[
    Path | None, typer.Option("--withdrawn", help="Write the keys of the families that it withdrew here, as CSV.")
]
DELIVERY_STATES = ("held", "rejected", "accepted", "registered")
commands = typer.Typer(
    name="deliveries",
    help="Deliveries: which there are, why one is held, and what becomes of it.",
    no_args_is_help=True,
)


@commands.command("list")
def list_deliveries(state: StateOption = "", night: NightOption = None, province: ProvincesOption = None) -> None:
    """List deliveries as they stand now; `--state held` lists what waits for a decision."""
    from regsosek.asking.deliveries import delivery_lines
    from regsosek.asking.tables.delivery_tables import delivery_table

    if state not in {"", *DELIVERY_STATES}:
        raise ConfigurationError(f"state {state!r} is none; write one of {', '.join(DELIVERY_STATES)}")
    with resources() as opened, opened.engine.connect() as connection:
        lines = delivery_lines(connection, chosen(province), state=state, night=night.date() if night else None)
    console.print(delivery_table(lines))


@commands.command()
def show(
    delivery_id: DeliveryArgument,
    province: OfProvinceOption = "",
    withdrawn: WithdrawnOption = None,
    by: ReaderOption = "",
) -> None:
    """Show why a delivery is held, and which families a replacement withdrew: shares, limits, keys; no answers."""
    from regsosek.asking.deliveries import delivery_detail, province_of_delivery
    from regsosek.asking.tables.delivery_tables import SHOWN_FAMILIES, delivery_report, write_withdrawn

    way = "command_delivery_file" if withdrawn else "command_delivery"
    with resources() as opened, opened.engine.connect() as connection:
        own = province_of_delivery(connection, delivery_id, province)
        detail = delivery_detail(connection, own, delivery_id)
        if shown := detail.withdrawn if withdrawn else detail.withdrawn[:SHOWN_FAMILIES]:
            enter_shown(opened, access_of(way, by, delivery_id), own, (family.case_id for family in shown))
    console.print(delivery_report(detail))
    if withdrawn is not None:
        write_withdrawn(detail, withdrawn)
        console.print(f"{counted(f'{len(detail.withdrawn):,}', 'withdrawn family', 'withdrawn families')}: {withdrawn}")


@commands.command()
def free(
    delivery_id: DeliveryArgument,
    reason: ReasonOption,
    province: OfProvinceOption = "",
    publish: PublishOption = True,
    by: ByOption = "",
) -> None:
    """Accept a held delivery after all: it is received again, counts from the newest night, and is published."""
    from regsosek.night import deciding

    _carry_out(deciding.free, delivery_id, province, reason, publish, by)


@commands.command()
def reject(
    delivery_id: DeliveryArgument,
    reason: ReasonOption,
    province: OfProvinceOption = "",
    publish: PublishOption = True,
    by: ByOption = "",
) -> None:
    """Reject a held delivery for good; the province is told to send a better one."""
    from regsosek.night import deciding

    _carry_out(deciding.reject, delivery_id, province, reason, publish, by)


@commands.command()
def retry(
    delivery_id: DeliveryArgument,
    province: ProvinceOption,
    reason: ReasonOption,
    publish: PublishOption = True,
    by: ByOption = "",
) -> None:
    """Read a delivery again that was rejected for what the object store said of it; the office sends nothing anew."""
    from regsosek.night import deciding

    _carry_out(deciding.retry, delivery_id, province, reason, publish, by)


def _carry_out(decide: "Decide", delivery_id: str, province: str, reason: str, publish: bool, by: str) -> None:
    from regsosek.asking.deliveries import province_of_delivery
    from regsosek.night import deciding
    from regsosek.quality.rules import load_suites

    with resources() as opened:
        suites = load_suites(opened.settings.expectations_dir)
        with opened.engine.connect() as connection:
            own = province_of_delivery(connection, delivery_id, province)
        decided = decide(opened, own, delivery_id, suites, by=operator(by), reason=reason)
        console.print(
            f"Delivery {delivery_id} of province {decided.province} is {decided.state} from night {decided.night}."
        )
        deciding.notify(opened, decided)
        if publish:
            tell_release(deciding.publish_newest(opened))
        else:
            console.print(f"Readers see it with the next night, or by `regsosek release --date {decided.night}`.")
