"""A mail sink on loopback: takes every message by SMTP and writes it into a folder, one private .eml file each.

Run as a process of its own by ``python -m local_services.mail_sink --dir FOLDER --port PORT``.
"""

import argparse
import asyncio
import signal
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from secrets import token_hex

from aiosmtpd.smtp import SMTP, Envelope, Session

from local_services.loopback import HOST, claim_port, remembered_port
from local_services.private_files import private_directory, write_private
from local_services.processes import BackgroundProcess

INCLUDE_DIRECTORY = Path(__file__).resolve().parents[1]


@dataclass(frozen=True)
class MailSink:
    """The SMTP server whose state is kept in ``folder`` and whose messages go to ``messages``."""

    folder: Path
    messages: Path

    @property
    def name(self) -> str:
        """Name of the service."""
        return "mail"

    @property
    def process(self) -> BackgroundProcess:
        """The server's process."""
        return BackgroundProcess("mail", self.folder)

    @property
    def running(self) -> bool:
        """Whether our sink lives, whoever launched it."""
        return self.process.running

    @property
    def port(self) -> int | None:
        """The port of the running sink, or the one that it had last time."""
        return remembered_port(self.folder / "port.json")

    def received(self) -> list[Path]:
        """The files of the messages so far, oldest first."""
        return sorted(self.messages.glob("*.eml"))

    def start(self) -> None:
        """Starts the sink unless it runs, and waits until it listens."""
        private_directory(self.messages)
        port = self.port
        if port is None or not self.running:
            port = claim_port(self.folder / "port.json")
            command = [sys.executable, "-m", __name__, "--dir", str(self.messages), "--port", str(port)]
            self.process.start(command, {"PYTHONPATH": str(INCLUDE_DIRECTORY)})
        self.process.await_listening(port)

    def stop(self) -> None:
        """Ends the sink; messages are kept."""
        self.process.stop()


class FileHandler:
    """Writes what aiosmtpd received into ``folder``."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: ARG002, N802 - aiosmtpd's
        """Keeps one message under a name that sorts by time of arrival; the envelope stands in two X- headers."""
        content = envelope.original_content or b""
        recipients = ", ".join(envelope.rcpt_tos)
        headers = f"X-Envelope-From: {envelope.mail_from}\r\nX-Envelope-To: {recipients}\r\n"
        name = f"{datetime.now(UTC):%Y%m%dT%H%M%S.%fZ}-{token_hex(4)}.eml"
        write_private(self.folder / name, headers.encode() + content)
        return "250 Message accepted for delivery"


async def serve(folder: Path, port: int) -> None:
    """Takes messages on ``port`` until the process is asked to end."""
    loop = asyncio.get_running_loop()
    asked_to_end = asyncio.Event()
    for signal_number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(signal_number, asked_to_end.set)
    handler = FileHandler(folder)
    server = await loop.create_server(lambda: SMTP(handler, hostname="localhost"), HOST, port)
    async with server:
        await asked_to_end.wait()


def main() -> None:
    """Reads the command line and serves."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--dir", type=Path, required=True, help="where the messages go")
    parser.add_argument("--port", type=int, required=True, help="port on 127.0.0.1")
    arguments = parser.parse_args()
    asyncio.run(serve(private_directory(arguments.dir), arguments.port))


if __name__ == "__main__":
    main()
