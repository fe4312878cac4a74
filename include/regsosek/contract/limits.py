"""How much a delivered file may hold beyond what its manifest says: the bounds against decompression bombs."""

from typing import Final

MAX_LINE_BYTES: Final = 1 << 20
MAX_COLUMNS: Final = 1_000
# An ordinary row has some hundred bytes as CSV and some two thousand as JSON, and gzip makes them ten to forty times
# smaller.
MAX_ROW_BYTES: Final = 16 << 10
MAX_RATIO: Final = 200
MAX_UNPACKED_BYTES: Final = 4 << 30
ALLOWANCE_BYTES: Final = 16 << 20
MAX_GZIP_MEMBERS: Final = 100_000


def rows_bound(packed_bytes: int) -> int:
    """The most rows that a file of ``packed_bytes`` may hold: each has a document of its own, so each takes a byte.

    Parquet writes a million equal values in a few bytes, which no bound on unpacked bytes sees.
    """
    return 10_000 + packed_bytes


def unpacked_bound(rows: int, packed_bytes: int) -> int:
    """The most bytes that a file of ``rows`` rows may unpack to; small files have an allowance."""
    by_rows = ALLOWANCE_BYTES + rows * MAX_ROW_BYTES
    by_ratio = ALLOWANCE_BYTES + packed_bytes * MAX_RATIO
    return min(by_rows, by_ratio, MAX_UNPACKED_BYTES)
