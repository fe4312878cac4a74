"""The commands for deliveries: `regsosek deliveries list`, `show`, `free`, `reject`."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from regsosek.cli_release import tell_release
from regsosek.errors import ConfigurationError
from regsosek.night.run_request import chosen

if TYPE_CHECKING:
    from regsosek.night.deciding import Decide
    from regsosek.night.house import House

    OpenHouse = Callable[[], AbstractContextManager[House]]

DeliveryArgument = Annotated[str, typer.Argument(metavar="ID", help="Delivery id, as `deliveries list` shows it.")]
StateOption = Annotated[str, typer.Option(help="Only held, rejected, accepted or registered ones.")]
NightOption = Annotated[
    datetime | None, typer.Option("--night", formats=["%Y-%m-%d"], help="Only those that arrived on this night.")
]
ProvinceOption = Annotated[
    list[str] | None, typer.Option("--province", "-p", help="Province code, e.g. 64; repeat it; default: all 34.")
]
ReasonOption = Annotated[str, typer.Option(help="Why; it is recorded under your account. No personal data.")]
PublishOption = Annotated[
    bool, typer.Option(help="Publish the newest night again at once; not needed between several decisions in a row.")
]
DELIVERY_STATES = ("held", "rejected", "accepted", "registered")


def add_delivery_commands(app: typer.Typer, console: Console, house: "OpenHouse", operator: Callable[[], str]) -> None:
    """Adds the group to ``app``; they write to ``console``, work in ``house`` and are signed by ``operator``."""
    deliveries = typer.Typer(help="Deliveries: which there are, why one is held, and what becomes of it.")
    app.add_typer(deliveries, name="deliveries", no_args_is_help=True)
    _add_views(deliveries, console, house)
    _add_decisions(deliveries, console, house, operator)


def _add_views(deliveries: typer.Typer, console: Console, house: "OpenHouse") -> None:
    @deliveries.command("list")
    def list_deliveries(state: StateOption = "", night: NightOption = None, province: ProvinceOption = None) -> None:
        """List deliveries as they stand now; `--state held` lists what waits for a decision."""
        from regsosek.night.deliveries import delivery_lines
        from regsosek.night.delivery_tables import delivery_table

        if state not in {"", *DELIVERY_STATES}:
            raise ConfigurationError(f"state {state!r} is none; write one of {', '.join(DELIVERY_STATES)}")
        with house() as opened, opened.engine.connect() as connection:
            lines = delivery_lines(connection, chosen(province), state=state, night=night.date() if night else None)
        console.print(delivery_table(lines))

    @deliveries.command()
    def show(delivery_id: DeliveryArgument) -> None:
        """Show why a delivery is held: shares and limits, rules by violations, kab/kota, decisions; no answers."""
        from regsosek.night.deliveries import delivery_detail
        from regsosek.night.delivery_tables import delivery_report

        with house() as opened, opened.engine.connect() as connection:
            console.print(delivery_report(delivery_detail(connection, delivery_id)))


def _add_decisions(deliveries: typer.Typer, console: Console, house: "OpenHouse", operator: Callable[[], str]) -> None:
    @deliveries.command()
    def free(delivery_id: DeliveryArgument, reason: ReasonOption, publish: PublishOption = True) -> None:
        """Accept a held delivery after all: it is received again, counts from the newest night, and is published."""
        from regsosek.night import deciding

        carry_out(deciding.free, delivery_id, reason, publish)

    @deliveries.command()
    def reject(delivery_id: DeliveryArgument, reason: ReasonOption, publish: PublishOption = True) -> None:
        """Reject a held delivery for good; the province is told to send a better one."""
        from regsosek.night import deciding

        carry_out(deciding.reject, delivery_id, reason, publish)

    def carry_out(decide: "Decide", delivery_id: str, reason: str, publish: bool) -> None:
        from regsosek.night import deciding
        from regsosek.quality.rules import load_suites

        with house() as opened:
            suites = load_suites(opened.settings.expectations_dir)
            decided = decide(opened, delivery_id, suites, by=operator(), reason=reason)
            console.print(
                f"Delivery {delivery_id} of province {decided.province} is {decided.state} from night {decided.night}."
            )
            deciding.tell(opened, decided)
            if publish:
                published = deciding.publish_newest(opened)
                tell_release(console, published)
            else:
                console.print(f"Readers see it with the next night, or by `regsosek release --date {decided.night}`.")
