"""The pass over a gzip file: damage, bombs and encodings are found while it runs, and what it learns is true."""

import gzip
import tracemalloc
import zlib
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from regsosek.contract.limits import ALLOWANCE_BYTES, MAX_LINE_BYTES, unpacked_bound
from regsosek.errors import ContractBreachError
from regsosek.staging.reading.unpacking import CHUNK_BYTES, TextFacts, unpack
from support.checks.matrix import examples
from support.deliveries.families import described_file

LINES = b"".join(b"%d,CONTOH\n" % n for n in range(300_000))
PACKED = gzip.compress(LINES, mtime=0)


def unpacked(directory: Path, packed: bytes, rows: int = 300_000) -> tuple[TextFacts, bytes]:
    file, path = described_file("anggota", packed, rows, directory)
    facts = unpack(file, path, directory / "text")
    return facts, (directory / "text").read_bytes()


def refused(directory: Path, packed: bytes, rows: int = 300_000) -> ContractBreachError:
    with pytest.raises(ContractBreachError, match=r"anggota-00001\.csv\.gz") as raised:
        unpacked(directory, packed, rows)
    assert "CONTOH" not in str(raised.value)
    return raised.value


def members(text: bytes, size: int) -> bytes:
    return b"".join(gzip.compress(text[start : start + size], mtime=0) for start in range(0, len(text), size))


@pytest.mark.parametrize("packed", [PACKED, members(LINES, 500_000), PACKED + gzip.compress(b"")])
def test_whole_files_come_out_as_they_went_in(tmp_path: Path, packed: bytes) -> None:
    facts, text = unpacked(tmp_path, packed)
    assert text == LINES
    assert (facts.lf, facts.cr, facts.crlf, facts.bom, facts.mixed) == (300_000, 0, 0, False, False)


def wrong_checksum(packed: bytes) -> bytes:
    return packed[:-8] + bytes([packed[-8] ^ 1]) + packed[-7:]


@pytest.mark.parametrize(
    ("damaged", "told"),
    [
        (b"", "0 bytes"),
        (LINES[:1000], "not compressed with gzip"),
        (PACKED[:-1], "cut short"),
        (PACKED[: len(PACKED) // 2], "cut short"),
        (PACKED[:5], "cut short"),
        (wrong_checksum(PACKED), "checksum"),
        (wrong_checksum(PACKED) + PACKED, "checksum"),
        (PACKED + b"garbage", "behind its gzip stream"),
        (PACKED + bytes(512), "behind its gzip stream"),
        (PACKED + PACKED[:100], "cut short"),
        (PACKED[:-4] + b"\0\0\0\0", "checksum"),
        (zlib.compress(LINES), "not compressed with gzip"),
        (gzip.compress(PACKED), "compressed twice"),
    ],
)
def test_a_damaged_file_is_unreadable_and_told_how(tmp_path: Path, damaged: bytes, told: str) -> None:
    breach = refused(tmp_path, damaged)
    assert breach.reason == "file_unreadable"
    assert told in breach.detail


@pytest.mark.parametrize(
    ("text", "reason", "told"),
    [
        (LINES.decode().encode("utf-16"), "encoding_unsupported", "UTF-16"),
        (LINES.decode().encode("utf-16-le"), "encoding_unsupported", "UTF-16"),
        (LINES + "CONTÖH".encode("latin-1"), "encoding_unsupported", "Latin-1"),
        (LINES + "Ö".encode()[:1], "encoding_unsupported", "UTF-8"),
        (LINES + b"\xed\xa0\x80", "encoding_unsupported", "UTF-8"),
        (LINES + b"\0", "nul_characters", "NUL"),
    ],
)
def test_text_that_is_not_utf_8_is_refused_by_its_name(tmp_path: Path, text: bytes, reason: str, told: str) -> None:
    breach = refused(tmp_path, gzip.compress(text, mtime=0))
    assert breach.reason == reason
    assert told in breach.detail


def test_a_bomb_is_left_as_soon_as_it_passes_its_bound_in_little_memory(tmp_path: Path) -> None:
    bomb = gzip.compress(b"1,2\n" * (40 * 1024 * 1024), mtime=0)
    tracemalloc.start()
    try:
        breach = refused(tmp_path, bomb, rows=2**31 - 1)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert breach.reason == "file_too_large"
    assert (tmp_path / "text").stat().st_size <= unpacked_bound(2**31 - 1, len(bomb))
    assert peak < 16 * CHUNK_BYTES


def test_few_rows_explain_few_bytes(tmp_path: Path) -> None:
    text = bytes(range(33, 126)) * 100 + b"\n"
    much = text * (2 * ALLOWANCE_BYTES // len(text))
    assert refused(tmp_path, gzip.compress(much, 1, mtime=0), rows=1).reason == "file_too_large"


@pytest.mark.parametrize("end", [b"\n", b"\r", b"\r\n"])
def test_lines_are_measured_across_chunks(tmp_path: Path, end: bytes) -> None:
    short = b"x" * 700_000 + end + b"y" * (MAX_LINE_BYTES - 1) + end + b"z"
    assert unpacked(tmp_path, gzip.compress(short))[1] == short
    assert refused(tmp_path, gzip.compress(short + b"z" * (MAX_LINE_BYTES + 1))).reason == "file_too_large"
    assert refused(tmp_path, gzip.compress(b"z" * (MAX_LINE_BYTES + 1) + end + short)).reason == "file_too_large"


@settings(max_examples=examples(40), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    pieces=st.lists(st.sampled_from([b"\n", b"\r", b"\r\n", b"a", "ö".encode(), "\U00010330".encode()]), max_size=20),
    padding=st.integers(CHUNK_BYTES - 30, CHUNK_BYTES),
)
def test_line_ends_and_characters_across_chunks_are_counted_and_kept(
    tmp_path: Path, pieces: list[bytes], padding: int
) -> None:
    text = b"x" * (padding // 2) + b"\n" + b"x" * (padding - padding // 2 - 1) + b"".join(pieces)
    facts, out = unpacked(tmp_path, gzip.compress(text, 1, mtime=0))
    assert out == text
    assert (facts.lf, facts.cr, facts.crlf) == (text.count(b"\n"), text.count(b"\r"), text.count(b"\r\n"))


def test_a_byte_order_mark_is_left_out_and_told(tmp_path: Path) -> None:
    facts, text = unpacked(tmp_path, gzip.compress(b"\xef\xbb\xbf" + LINES, mtime=0))
    assert facts.bom
    assert text == LINES
