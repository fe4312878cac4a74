"""Keyed hashes, computed inside DuckDB so that no number ever passes through Python: NIK and KK numbers, ids that may
not be shown, contents.

HMAC-SHA-256 cut to 16 bytes. A plain hash would be reversible by trying all numbers; the keys stay outside the
warehouse. Keys form a chain, the oldest first: each later one hashes what the one before it made. So a key is changed
without the numbers (:mod:`regsosek.warehouse.hashes.rehashing`), and whoever has an earlier key alone
finds out nothing.
"""

import hmac
from collections.abc import Sequence

import duckdb

BLOCK_BYTES = 64
HASH_BYTES = 16
HashKeys = tuple[bytes, ...]


def prepare_keys(connection: duckdb.DuckDBPyConnection, keys: Sequence[bytes]) -> None:
    """Hands the chain to the connection: each key as the two padded blocks of RFC 2104, and a macro that uses them."""
    hashed = "encode(given)"
    for number, key in enumerate(keys):
        for name, block in zip(_blocks(number), _padded(connection, key), strict=True):
            connection.execute(f"SET VARIABLE {name} = ?::BLOB", [block])
        inner, outer = (f"getvariable('{name}')" for name in _blocks(number))
        hashed = f"unhex(left(sha256({outer} || unhex(sha256({inner} || {hashed}))), {2 * HASH_BYTES}))"
    connection.execute(f"CREATE OR REPLACE TEMP MACRO keyed_hash(given) AS {hashed}")


def keyed_hash(column: str) -> str:
    """SQL: the keyed hash of text ``column`` as 16 bytes; NULL stays NULL."""
    return f"keyed_hash({column})"


def hashed_on(value: bytes, keys: Sequence[bytes]) -> bytes:
    """What the chain ``keys`` makes of ``value``: a text's bytes, or the hash that earlier keys made of it."""
    for key in keys:
        value = hmac.digest(key, value, "sha256")[:HASH_BYTES]
    return value


def _blocks(number: int) -> tuple[str, str]:
    return f"hmac_inner_{number}", f"hmac_outer_{number}"


def _padded(connection: duckdb.DuckDBPyConnection, key: bytes) -> tuple[bytes, bytes]:
    if len(key) > BLOCK_BYTES:
        [(hashed,)] = connection.execute("SELECT unhex(sha256(?::BLOB))", [key]).fetchall()
        key = bytes(hashed)
    padded = key.ljust(BLOCK_BYTES, b"\0")
    return bytes(byte ^ 0x36 for byte in padded), bytes(byte ^ 0x5C for byte in padded)
