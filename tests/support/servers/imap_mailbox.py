"""A mailbox behind IMAP over TLS that knows the few commands a reader of bounces gives."""

import socketserver
import ssl
import threading
from base64 import b64decode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field


@dataclass
class ImapMailbox:
    """The mails of one folder.

    Attributes:
        folder: its name as it stands on the wire.
        seen: the numbers of the mails that were marked.
        mute: whether a search without a match is answered with OK alone, as some servers do.
        withheld: numbers of mails that are not given, whoever asks.
    """

    mails: list[bytes]
    password: str
    folder: str = '"INBOX"'
    mute: bool = False
    withheld: frozenset[int] = frozenset()
    port: int = 0
    seen: set[int] = field(default_factory=set)

    def answer(self, command: str, words: list[str]) -> tuple[bytes, bool]:
        """What is said to one command, and whether it is granted."""
        if command == "STORE":
            self.seen.add(int(words[0]))
        said = {
            "CAPABILITY": b"* CAPABILITY IMAP4rev1 AUTH=PLAIN\r\n",
            "SELECT": f"* {len(self.mails)} EXISTS\r\n".encode(),
            "EXAMINE": f"* {len(self.mails)} EXISTS\r\n* OK [READ-ONLY] only looking\r\n".encode(),
            "SEARCH": f"* SEARCH {self._unseen()}\r\n".encode() if self._unseen() or not self.mute else b"",
        }.get(command, b"")
        if command == "FETCH" and int(words[0]) not in self.withheld:
            said = self._fetched(int(words[0]))
        granted = {
            "LOGIN": lambda: words[1].strip('"') == self.password,
            "PLAIN": lambda: b64decode(words[0]).decode().split("\0")[2] == self.password,
            "SELECT": lambda: words[0] == self.folder,
            "EXAMINE": lambda: words[0] == self.folder,
            "FETCH": lambda: int(words[0]) not in self.withheld,
        }
        return said, granted.get(command, lambda: True)()

    def _unseen(self) -> str:
        return " ".join(str(n) for n in range(1, len(self.mails) + 1) if n not in self.seen)

    def _fetched(self, number: int) -> bytes:
        content = self.mails[number - 1][: 1024 * 1024]
        return f"* {number} FETCH (BODY[]<0> {{{len(content)}}}\r\n".encode() + content + b")\r\n"


@contextmanager
def imap_mailbox(box: ImapMailbox, context: ssl.SSLContext) -> Iterator[ImapMailbox]:
    """Serves ``box`` to whoever knows its password."""

    class Session(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            self.wfile.write(b"* OK ready\r\n")
            for line in self.rfile:
                tag, command, *words = line.decode("ascii").split()
                if command.upper() == "AUTHENTICATE":
                    self.wfile.write(b"+ \r\n")
                    command, words = words[0], [self.rfile.readline().decode().strip()]
                said, granted = box.answer(command.upper(), words)
                self.wfile.write(said + f"{tag} {'OK' if granted else 'NO'} done\r\n".encode())

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True

        def get_request(self) -> tuple[ssl.SSLSocket, object]:
            connection, address = super().get_request()
            return context.wrap_socket(connection, server_side=True), address

    with Server(("127.0.0.1", 0), Session) as server:
        box.port = server.server_address[1]
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield box
        server.shutdown()
