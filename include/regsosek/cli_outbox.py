"""The commands for messages: `regsosek alerts outbox`, `send`, `retry`, `withhold`."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.text import Text

from regsosek.errors import ConfigurationError
from regsosek.night.run_request import chosen

if TYPE_CHECKING:
    from regsosek.night.house import House

    OpenHouse = Callable[[], AbstractContextManager[House]]

MessageArgument = Annotated[int, typer.Argument(metavar="ID", help="Message, as `alerts outbox` numbers it.")]
NightOption = Annotated[datetime | None, typer.Option("--night", formats=["%Y-%m-%d"], help="Only of this night.")]
ProvinceOption = Annotated[
    list[str] | None, typer.Option("--province", "-p", help="Province code, e.g. 64; repeat it; default: everybody.")
]
StateOption = Annotated[str, typer.Option(help="Only waiting, sent, failed, withheld or standby ones.")]
DryRunOption = Annotated[bool, typer.Option("--dry-run", help="Show what waits, word for word; send nothing.")]


def add_outbox_commands(alerts: typer.Typer, console: Console, house: "OpenHouse") -> None:
    """Adds them to the group ``alerts``; they write to ``console`` and work in ``house``."""
    _add_views(alerts, console, house)
    _add_decisions(alerts, console, house)


def _add_views(alerts: typer.Typer, console: Console, house: "OpenHouse") -> None:
    @alerts.command("outbox")
    def list_outbox(state: StateOption = "", night: NightOption = None, province: ProvinceOption = None) -> None:
        """List messages by recipient: what was sent, what waits until when, what failed and why."""
        from regsosek.alerts.nightly import group_of
        from regsosek.alerts.outbox_desk import STATES, outbox_lines
        from regsosek.night.outbox_tables import outbox_table

        if state not in {"", *STATES}:
            raise ConfigurationError(f"state {state!r} is none; write one of {', '.join(STATES)}")
        groups = [group_of(code) for code in chosen(province)] if province else None
        with house() as opened, opened.engine.connect() as connection:
            lines = outbox_lines(connection, state=state, night=night.date() if night else None, groups=groups)
        console.print(outbox_table(lines))

    @alerts.command()
    def send(dry_run: DryRunOption = False) -> None:
        """Send what is due (what the DAG regsosek_send does)."""
        from regsosek.alerts.outbox_desk import waiting_letters
        from regsosek.night.outbox_tables import letter_text

        with house() as opened:
            if not dry_run:
                _send(console, opened)
                return
            with opened.engine.connect() as connection:
                letters = waiting_letters(connection)
        now = datetime.now(UTC)
        for not_before, letter in letters:
            console.rule(f"{'due' if not_before <= now else 'later'}", align="left")
            console.print(Text(letter_text(letter, not_before)))
        due = sum(not_before <= now for not_before, _ in letters)
        console.print(f"{due} deliveries are due, {len(letters) - due} wait for their hour; nothing was sent.")


def _add_decisions(alerts: typer.Typer, console: Console, house: "OpenHouse") -> None:
    @alerts.command()
    def retry(message_id: MessageArgument) -> None:
        """Send a message at once to all whom it did not reach, whatever hour it is, and all else that is due."""
        from regsosek.alerts import outbox_desk

        with house() as opened:
            with opened.engine.begin() as connection:
                tried = outbox_desk.retry(connection, message_id)
            console.print(f"Message {message_id} is tried again for {tried}.")
            _send(console, opened)

    @alerts.command()
    def withhold(message_id: MessageArgument) -> None:
        """Keep a message from whoever does not have it yet; `retry` lets it go after all."""
        from regsosek.alerts import outbox_desk

        with house() as opened, opened.engine.begin() as connection:
            kept = outbox_desk.withhold(connection, message_id)
        console.print(f"Message {message_id} is withheld from {kept}.")


def _send(console: Console, opened: "House") -> None:
    from regsosek.alerts.sending import deliver

    done = deliver(opened.engine, opened.settings)
    console.print(
        f"{done.sent} deliveries made, {done.failed} tries failed, {done.waiting} wait for the next try, "
        f"{done.later} for their hour; {done.bounced} came back."
    )
    if opened.settings.mail_is_airflows:
        console.print("Mail goes by an Airflow connection, which only the DAG regsosek_send can use.")
