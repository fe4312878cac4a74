"""A front that speaks TLS before a server on loopback that does not, as a proxy or PostgreSQL would."""

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from local_services.loopback import HOST

_SSL_REQUEST_BYTES = 8  # PostgreSQL's client asks in clear whether the server would encrypt


@contextmanager
def tls_front(port: int, context: ssl.SSLContext, *, postgresql: bool = False) -> Iterator[int]:
    """A port whose connections end up, decrypted, at ``port``."""
    with socket.create_server((HOST, 0)) as listening:
        threading.Thread(target=_accept, args=(listening, port, context, postgresql), daemon=True).start()
        yield listening.getsockname()[1]
        with suppress(OSError):
            listening.shutdown(socket.SHUT_RDWR)


def _accept(listening: socket.socket, port: int, context: ssl.SSLContext, postgresql: bool) -> None:
    with suppress(OSError):
        while True:
            came, _ = listening.accept()
            threading.Thread(target=_serve, args=(came, port, context, postgresql), daemon=True).start()


def _serve(came: socket.socket, port: int, context: ssl.SSLContext, postgresql: bool) -> None:
    with suppress(OSError), came:
        if postgresql:
            came.recv(_SSL_REQUEST_BYTES, socket.MSG_WAITALL)
            came.sendall(b"S")
        with context.wrap_socket(came, server_side=True) as secret, socket.create_connection((HOST, port)) as behind:
            threading.Thread(target=_carry, args=(behind, secret), daemon=True).start()
            _carry(secret, behind)


def _carry(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while block := source.recv(1 << 16):
            target.sendall(block)
        target.shutdown(socket.SHUT_WR)
