"""Keyed hashes, computed inside DuckDB so that no number ever passes through Python: NIK and KK numbers, ids that may
not be shown, contents.

HMAC-SHA-256 cut to 16 bytes. A plain hash would be reversible by trying all numbers; the key stays outside the
warehouse.
"""

import duckdb

BLOCK_BYTES = 64
HASH_BYTES = 16


def prepare_key(connection: duckdb.DuckDBPyConnection, key: bytes) -> None:
    """Hands the key to the connection as the two padded blocks of RFC 2104."""
    if len(key) > BLOCK_BYTES:
        [(hashed,)] = connection.execute("SELECT unhex(sha256(?::BLOB))", [key]).fetchall()
        key = bytes(hashed)
    padded = key.ljust(BLOCK_BYTES, b"\0")
    connection.execute("SET VARIABLE hmac_inner = ?::BLOB", [bytes(byte ^ 0x36 for byte in padded)])
    connection.execute("SET VARIABLE hmac_outer = ?::BLOB", [bytes(byte ^ 0x5C for byte in padded)])


def keyed_hash(column: str) -> str:
    """SQL: the keyed hash of text ``column`` as 16 bytes; NULL stays NULL."""
    inner = f"unhex(sha256(getvariable('hmac_inner') || encode({column})))"
    return f"unhex(left(sha256(getvariable('hmac_outer') || {inner}), {2 * HASH_BYTES}))"
