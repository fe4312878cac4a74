"""A mailbox behind IMAP over TLS that knows the few commands a reader of bounces gives."""

import socketserver
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field


@dataclass
class ImapMailbox:
    """The mails of folder INBOX; ``seen`` are the numbers of those that were marked."""

    mails: list[bytes]
    password: str
    port: int = 0
    seen: set[int] = field(default_factory=set)

    def answer(self, command: str, words: list[str]) -> tuple[bytes, bool]:
        """What is said to one command, and whether it is granted."""
        if command == "STORE":
            self.seen.add(int(words[0]))
        said = {
            "CAPABILITY": b"* CAPABILITY IMAP4rev1\r\n",
            "SELECT": f"* {len(self.mails)} EXISTS\r\n".encode(),
            "SEARCH": f"* SEARCH {self._unseen()}\r\n".encode(),
        }.get(command, b"")
        if command == "FETCH":
            said = self._fetched(int(words[0]))
        granted = {"LOGIN": lambda: words[1].strip('"') == self.password, "SELECT": lambda: words[0] == '"INBOX"'}
        return said, granted.get(command, lambda: True)()

    def _unseen(self) -> str:
        return " ".join(str(n) for n in range(1, len(self.mails) + 1) if n not in self.seen)

    def _fetched(self, number: int) -> bytes:
        content = self.mails[number - 1]
        return f"* {number} FETCH (BODY[] {{{len(content)}}}\r\n".encode() + content + b")\r\n"


@contextmanager
def imap_mailbox(mails: list[bytes], context: ssl.SSLContext, *, password: str) -> Iterator[ImapMailbox]:
    """Serves ``mails`` to whoever knows ``password``."""
    box = ImapMailbox(mails, password)

    class Session(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            self.wfile.write(b"* OK ready\r\n")
            for line in self.rfile:
                tag, command, *words = line.decode().split()
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
