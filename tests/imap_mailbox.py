"""A mailbox behind IMAP over TLS that knows the few commands a reader of bounces gives."""

import socketserver
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field


@dataclass
class ImapMailbox:
    """The mails of one folder; ``seen`` are the numbers of those that were marked."""

    mails: list[bytes]
    port: int = 0
    seen: set[int] = field(default_factory=set)
    logins: list[str] = field(default_factory=list)


@contextmanager
def imap_mailbox(mails: list[bytes], context: ssl.SSLContext, *, password: str) -> Iterator[ImapMailbox]:
    """Serves ``mails`` from the folder INBOX to whoever knows ``password``."""
    box = ImapMailbox(mails)

    class Session(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            self.say("* OK ready")
            for line in self.rfile:
                tag, command, *words = line.decode().split()
                self.answer(tag, command.upper(), words)

        def say(self, text: str) -> None:
            self.wfile.write(text.encode() + b"\r\n")

        def answer(self, tag: str, command: str, words: list[str]) -> None:
            refused = False
            if command == "CAPABILITY":
                self.say("* CAPABILITY IMAP4rev1")
            elif command == "LOGIN":
                box.logins.append(words[0])
                refused = words[1].strip('"') != password
            elif command == "SELECT":
                refused = words[0] != '"INBOX"'
                self.say(f"* {len(box.mails)} EXISTS")
            elif command == "SEARCH":
                unseen = (str(n) for n in range(1, len(box.mails) + 1) if n not in box.seen)
                self.say(f"* SEARCH {' '.join(unseen)}")
            elif command == "FETCH":
                content = box.mails[int(words[0]) - 1]
                self.wfile.write(f"* {words[0]} FETCH (BODY[] {{{len(content)}}}\r\n".encode() + content + b")\r\n")
            elif command == "STORE":
                box.seen.add(int(words[0]))
            self.say(f"{tag} {'NO' if refused else 'OK'} done")

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
