"""The commands for messages: `regsosek alerts outbox`, `send`, `retry`, `withhold`, `restored`."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer
from rich.text import Text

from regsosek.cli.common import console, resources
from regsosek.cli.options import DAY
from regsosek.errors import ConfigurationError
from regsosek.night.run_request import chosen
from regsosek.wording.nouns import counted

if TYPE_CHECKING:
    from regsosek.resources import Resources

MessageArgument = Annotated[int, typer.Argument(metavar="ID", help="Message, as `alerts outbox` numbers it.")]
NightOption = Annotated[datetime | None, typer.Option("--night", formats=DAY, help="Only of this night.")]
RecipientsOption = Annotated[
    list[str] | None, typer.Option("--province", "-p", help="Province code, e.g. 64; repeat it; default: everybody.")
]
StateOption = Annotated[str, typer.Option(help="Only waiting, sent, failed, withheld or standby ones.")]
DryRunOption = Annotated[bool, typer.Option("--dry-run", help="Show what waits, word for word; send nothing.")]
NowOption = Annotated[
    bool, typer.Option("--now", help="Also what waits for its next try, as after a server is mended.")
]
AnyMessageArgument = Annotated[
    int | None, typer.Argument(metavar="[ID]", help="Message, as `alerts outbox` numbers it.")
]
WaitingOption = Annotated[bool, typer.Option("--waiting", help="All messages that wait, in place of one.")]
commands = typer.Typer()


@commands.command("outbox")
def list_outbox(state: StateOption = "", night: NightOption = None, province: RecipientsOption = None) -> None:
    """List messages by recipient: what was sent, what waits until when, what failed and why."""
    from regsosek.alerts.nightly import group_of
    from regsosek.alerts.outbox.operating import STATES, outbox_lines
    from regsosek.asking.tables.outbox_tables import outbox_table

    if state not in {"", *STATES}:
        raise ConfigurationError(f"state {state!r} is none; write one of {', '.join(STATES)}")
    groups = [group_of(code) for code in chosen(province)] if province else None
    with resources() as opened, opened.alerter.connect() as connection:
        lines = outbox_lines(connection, state=state, night=night.date() if night else None, groups=groups)
    console.print(outbox_table(lines))


@commands.command()
def send(dry_run: DryRunOption = False, now: NowOption = False) -> None:
    """Send what is due (what the DAG regsosek_send does)."""
    from regsosek.alerts.outbox.operating import waiting_letters
    from regsosek.asking.tables.outbox_tables import letter_text

    with resources() as opened:
        if not dry_run:
            _send(opened, at_once=now)
            return
        with opened.alerter.connect() as connection:
            letters = waiting_letters(connection)
    moment = datetime.now(UTC)
    for not_before, letter in letters:
        console.rule(f"{'due' if not_before <= moment else 'later'}", align="left")
        console.print(Text(letter_text(letter, not_before)))
    due = sum(not_before <= moment for not_before, _ in letters)
    console.print(f"Due: {due}; waiting for their hour: {len(letters) - due}; nothing was sent.")


@commands.command()
def retry(message_id: MessageArgument) -> None:
    """Send a message at once to all whom it did not reach, whatever hour it is, and all else that is due."""
    from regsosek.alerts.outbox import operating

    with resources() as opened:
        with opened.alerter.begin() as connection:
            tried = operating.retry(connection, message_id)
        console.print(f"Message {message_id} is tried again for {tried}.")
        _send(opened)


@commands.command()
def withhold(message_id: AnyMessageArgument = None, waiting: WaitingOption = False) -> None:
    """Keep a message from whoever does not have it yet; `retry` lets it go after all."""
    from regsosek.alerts.outbox import operating

    if (message_id is None) != waiting:
        raise ConfigurationError("name a message, as `regsosek alerts outbox` numbers it, or write --waiting for all")
    with resources() as opened, opened.alerter.begin() as connection:
        if message_id is None:
            withheld = counted(operating.withhold_all(connection), "delivery", "deliveries")
            console.print(f"All that waits is withheld: {withheld}.")
            return
        kept = operating.withhold(connection, message_id)
    console.print(f"Message {message_id} is withheld from {kept}.")


@commands.command()
def restored() -> None:
    """Learn from the archive what was sent after the dump that the warehouse was restored from; send nothing."""
    from regsosek.alerts.outbox.operating import outbox_lines
    from regsosek.alerts.sending.sent_before import SentBefore

    with resources() as opened:
        marked = SentBefore(opened.alerter, opened.settings, datetime.now(UTC)).learn()
        with opened.alerter.connect() as connection:
            waiting = len(outbox_lines(connection, state="waiting"))
    console.print(f"Delivered after the dump, and not once more: {marked}; waiting: {waiting}.")


def _send(opened: "Resources", *, at_once: bool = False) -> None:
    from regsosek.alerts.sending.send_due import deliver

    done = deliver(opened.alerter, opened.settings, at_once=at_once)
    console.print(
        f"Delivered: {done.sent}; tries that failed: {done.failed}; waiting for the next try: {done.waiting}, "
        f"for their hour: {done.later}; came back: {done.bounced}."
    )
    if opened.settings.mail_is_airflows:
        console.print("Mail goes by an Airflow connection, which only the DAG regsosek_send can use.")
