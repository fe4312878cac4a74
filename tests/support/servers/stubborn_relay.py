"""A mail relay that keeps a transaction open after it refused the content, or ends a session after some messages."""

import socketserver
import threading
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field


@dataclass
class StubbornRelay:
    """What came, by recipient, and how each was announced.

    Attributes:
        refuses: whose messages are refused at DATA, before their content; only RSET ends such a transaction.
        per_session: messages of one session; then it says 421 and hangs up.
    """

    refuses: Collection[str] = ()
    per_session: int = 1000
    port: int = 0
    came: list[str] = field(default_factory=list)
    announced: list[str] = field(default_factory=list)


class _Session(socketserver.StreamRequestHandler):
    it: StubbornRelay
    recipient, taken = "", 0

    def handle(self) -> None:
        self.wfile.write(b"220 ready\r\n")
        for line in self.rfile:
            answer = self.answer(line.decode().strip())
            self.wfile.write(f"{answer}\r\n".encode())
            if answer.startswith(("221", "421")):
                return

    def answer(self, said: str) -> str:
        verb = said[:4].upper()
        if verb == "MAIL" and self.recipient:
            return "503 5.5.1 nested MAIL"
        if verb == "MAIL" and self.taken >= self.it.per_session:
            return "421 4.7.0 too many messages in this session"
        if verb == "EHLO":
            return "250-relay.example\r\n250 DSN"
        if verb == "MAIL":
            self.it.announced.append(said)
        if verb in {"RSET", "RCPT"}:
            self.recipient = said.partition("<")[2].partition(">")[0]
        if verb == "DATA":
            return self.data()
        return "221 bye" if verb == "QUIT" else "250 OK"

    def data(self) -> str:
        if self.recipient in self.it.refuses:
            return "451 4.3.0 not now"
        self.wfile.write(b"354 go on\r\n")
        while self.rfile.readline() != b".\r\n":
            pass
        self.it.came.append(self.recipient)
        self.recipient, self.taken = "", self.taken + 1
        return "250 OK"


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True


@contextmanager
def stubborn_relay(it: StubbornRelay) -> Iterator[StubbornRelay]:
    """Serves until the caller is done."""
    with _Server(("127.0.0.1", 0), type("Session", (_Session,), {"it": it})) as server:
        it.port = server.server_address[1]
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield it
        server.shutdown()
