#!/usr/bin/env python3
"""Takes every mail on port 1025 and lists them on 8025 as Mailpit's API does, as far as docker/try.sh asks.

`/mailpit readyz` answers whether it is up. Messages are kept in memory: stopping forgets them.
"""

import json
import sys
import threading
import urllib.request
from email import message_from_bytes, policy
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

SMTP_PORT, HTTP_PORT = 1025, 8025
messages: list[dict[str, Any]] = []


class Catcher:
    """Keeps what Mailpit's list tells of a message."""

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802 - aiosmtpd's
        """Keeps one message."""
        message = message_from_bytes(envelope.original_content or b"", policy=policy.default)
        told = {
            "ID": str(len(messages) + 1),
            "MessageID": str(message["Message-ID"]).strip("<>"),
            "To": [{"Name": "", "Address": address} for address in envelope.rcpt_tos],
            "Subject": str(message["Subject"]),
        }
        messages.append(told)
        return "250 Message accepted for delivery"


class Listing(BaseHTTPRequestHandler):
    """`/api/v1/messages`, and `/readyz`."""

    def do_GET(self) -> None:
        """Answers with all messages, the newest first."""
        body = json.dumps({"total": len(messages), "messages": messages[::-1]}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name of the base class
        """Says nothing: a health check every ten seconds is no news."""


def main() -> int:
    """Serves, or asks whether it is served."""
    if sys.argv[1:] == ["readyz"]:
        with urllib.request.urlopen(f"http://127.0.0.1:{HTTP_PORT}/readyz", timeout=4) as answer:
            return 0 if answer.status == 200 else 1  # noqa: PLR2004 - OK
    Controller(Catcher(), hostname="0.0.0.0", port=SMTP_PORT).start()  # noqa: S104 - Docker publishes what may be seen
    server = ThreadingHTTPServer(("0.0.0.0", HTTP_PORT), Listing)  # noqa: S104 - as above
    threading.Thread(target=server.serve_forever).start()
    return 0


if __name__ == "__main__":
    sys.exit(main())
