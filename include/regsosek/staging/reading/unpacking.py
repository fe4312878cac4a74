"""The one pass over a gzip file: unpacked to plain text on disk while checksum, size, encoding and lines are checked.

The engine that reads the text afterwards checks no gzip checksum and knows no bound; and reading a plain file it can
use every core.
"""

import codecs
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from regsosek.contract.limits import MAX_GZIP_MEMBERS, MAX_LINE_BYTES, unpacked_bound
from regsosek.contract.manifest import DeliveredFile
from regsosek.errors import ContractBreachError

READ_BYTES = 1 << 18
CHUNK_BYTES = 1 << 20  # not above MAX_LINE_BYTES: a line that is too long then always crosses a border of chunks
_GZIP = 31  # zlib's window bits for a gzip stream with its checksum
_MAGIC = b"\x1f\x8b"
_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


@dataclass(slots=True)
class TextFacts:
    """What the pass learned of the text.

    Attributes:
        bom: a byte order mark stood before the text and was left out.
        lf, cr, crlf: how often each byte, and the pair, occurs; ``lf`` and ``cr`` count those of pairs too.
    """

    bom: bool = False
    lf: int = 0
    cr: int = 0
    crlf: int = 0

    @property
    def mixed(self) -> bool:
        """Whether lines may end in more than one way, or in CR alone."""
        return self.cr > self.crlf or 0 < self.crlf < self.lf


def unpack(file: DeliveredFile, packed: Path, plain: Path) -> TextFacts:
    """Unpacks ``packed`` into ``plain`` as UTF-8 without a byte order mark.

    Raises:
        ContractBreachError: ``file_unreadable``, ``file_too_large``, ``encoding_unsupported`` or ``nul_characters``.
    """
    text = _Text(file.name)
    bound = unpacked_bound(file.rows, packed.stat().st_size)
    unpacked = 0
    with packed.open("rb") as source, plain.open("wb") as target:
        for chunk in _unpacked(file.name, source):
            unpacked += len(chunk)
            if unpacked > bound:
                raise ContractBreachError(
                    "file_too_large",
                    f"{file.name} unpacks to more than {bound} bytes, too much for its {file.rows} rows and its size",
                )
            target.write(text.check(chunk))
        text.finish()
    return text.facts


def _unpacked(name: str, source: BinaryIO) -> Iterator[bytes]:
    """The text in chunks; a file of several gzip members is one text, and each member's checksum is checked."""
    data = source.read(READ_BYTES)
    if not data:
        raise ContractBreachError("file_unreadable", f"{name} is empty (0 bytes); write it anew")
    members = 0
    while data:
        members += 1
        _check_member(name, data, members)
        stream = zlib.decompressobj(_GZIP)
        yield from _member(name, stream, data, source)
        data = stream.unused_data or source.read(READ_BYTES)


def _check_member(name: str, start: bytes, number: int) -> None:
    if not _MAGIC.startswith(start[:2]):
        fault = "has bytes behind its gzip stream" if number > 1 else "is not compressed with gzip"
        raise ContractBreachError("file_unreadable", f"{name} {fault}; write it anew")
    if number > MAX_GZIP_MEMBERS:
        raise ContractBreachError("file_too_large", f"{name} has more than {MAX_GZIP_MEMBERS} gzip members; write one")


def _member(name: str, stream: "zlib._Decompress", data: bytes, source: BinaryIO) -> Iterator[bytes]:
    while not stream.eof:
        if not data:
            raise ContractBreachError("file_unreadable", f"{name} is cut short: its gzip stream has no end")
        try:
            chunk = stream.decompress(data, CHUNK_BYTES)
        except zlib.error:
            raise ContractBreachError(
                "file_unreadable", f"{name} is damaged: its gzip stream or checksum is wrong; write it anew"
            ) from None
        if chunk:
            yield chunk
        data = stream.unconsumed_tail or (b"" if stream.eof else source.read(READ_BYTES))


@dataclass(slots=True)
class _Text:
    """Checks text chunk by chunk."""

    name: str
    facts: TextFacts = field(default_factory=TextFacts)
    _decoder: codecs.IncrementalDecoder = field(default_factory=lambda: codecs.getincrementaldecoder("utf-8")("strict"))
    _begun: bool = False
    _open_line: int = 0
    _last: bytes = b""

    def check(self, chunk: bytes) -> bytes:
        """Returns ``chunk`` as it is to be written."""
        if not self._begun:
            chunk = self._begin(chunk)
        self._check_encoding(chunk)
        self._count_line_ends(chunk)
        self._check_line(chunk)
        return chunk

    def finish(self) -> None:
        """Checks that the text does not end inside of a character."""
        self._decode(b"", final=True)

    def _begin(self, chunk: bytes) -> bytes:
        self._begun = True
        if chunk.startswith(_MAGIC):
            raise ContractBreachError("file_unreadable", f"{self.name} is compressed twice; compress it once")
        if chunk.startswith(_UTF16) or chunk[:4096].count(0) > len(chunk[:4096]) // 4:
            raise ContractBreachError("encoding_unsupported", f"{self.name} is written in UTF-16; export it as UTF-8")
        self.facts.bom = chunk.startswith(codecs.BOM_UTF8)
        return chunk.removeprefix(codecs.BOM_UTF8)

    def _check_encoding(self, chunk: bytes) -> None:
        if 0 in chunk:
            raise ContractBreachError(
                "nul_characters", f"{self.name} has NUL characters; remove them where the data are kept"
            )
        if not chunk.isascii() or self._decoder.getstate()[0]:
            self._decode(chunk)

    def _decode(self, chunk: bytes, *, final: bool = False) -> None:
        try:
            self._decoder.decode(chunk, final)
        except UnicodeDecodeError:
            raise ContractBreachError(
                "encoding_unsupported",
                f"{self.name} is not UTF-8, probably Windows-1252 or Latin-1; export it as UTF-8",
            ) from None

    def _count_line_ends(self, chunk: bytes) -> None:
        facts = self.facts
        facts.lf += chunk.count(b"\n")
        facts.cr += chunk.count(b"\r")
        facts.crlf += chunk.count(b"\r\n") + (self._last == b"\r" and chunk.startswith(b"\n"))
        self._last = chunk[-1:]

    def _check_line(self, chunk: bytes) -> None:
        last = max(chunk.rfind(b"\n"), chunk.rfind(b"\r"))
        first = min((place for place in (chunk.find(b"\n"), chunk.find(b"\r")) if place >= 0), default=len(chunk))
        longest = self._open_line + first
        self._open_line = longest if last < 0 else len(chunk) - last - 1
        if longest > MAX_LINE_BYTES:
            raise ContractBreachError(
                "file_too_large", f"{self.name} has a line of more than {MAX_LINE_BYTES} bytes; look for a broken quote"
            )
