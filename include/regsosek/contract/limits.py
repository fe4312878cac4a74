"""How large a delivery may be, and how much a file may hold beyond what its manifest says: bounds against bombs."""

from collections.abc import Iterator
from typing import Final

from regsosek.contract.manifest import Manifest
from regsosek.errors import ContractBreachError

MAX_LINE_BYTES: Final = 1 << 20
MAX_COLUMNS: Final = 1_000
# An ordinary row has some hundred bytes as CSV and some two thousand as JSON, and gzip makes them ten to forty times
# smaller.
MAX_ROW_BYTES: Final = 16 << 10
MAX_RATIO: Final = 200
MAX_UNPACKED_BYTES: Final = 4 << 30
ALLOWANCE_BYTES: Final = 16 << 20
MAX_GZIP_MEMBERS: Final = 100_000


def size_breaches(manifest: Manifest, *, file_bytes: int, delivery_bytes: int) -> Iterator[ContractBreachError]:
    """What a manifest promises of packed bytes beyond the limits, so that nothing of it need be fetched.

    Args:
        file_bytes: the most that a file may have.
        delivery_bytes: the most that all of its files may have together.
    """
    for file in manifest.files:
        bound = min(file_bytes, ALLOWANCE_BYTES + file.rows * MAX_ROW_BYTES)
        if file.bytes > bound:
            detail = f"{file.name} has {file.bytes} bytes, with its {file.rows} rows it may have {bound}"
            yield ContractBreachError("file_too_large", detail)
    total = sum(file.bytes for file in manifest.files)
    if total > delivery_bytes:
        yield ContractBreachError("delivery_too_large", f"{total} bytes in all, the limit is {delivery_bytes}")


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
