"""Kinds whose text is written in another encoding or with other line ends than the contract says."""

import gzip
from collections.abc import Callable

from hostile.draft import Draft, hostile


@hostile
def byte_order_mark(draft: Draft) -> None:
    draft.retext(lambda text: "\ufeff" + text)


@hostile
def crlf(draft: Draft) -> None:
    draft.pack()  # csv.writer ends its lines so


@hostile
def line_feeds(draft: Draft) -> None:
    for dataset in ("keluarga", "anggota"):
        draft.retext(lambda text: text.replace("\r\n", "\n"), dataset)


@hostile
def line_ends_mixed(draft: Draft) -> None:
    draft.retext(lambda text: text.replace("\r\n", "\n", 2))


@hostile
def carriage_returns_alone(draft: Draft) -> None:
    draft.retext(lambda text: text.replace("\r\n", "\r"))


@hostile
def utf16(draft: Draft) -> None:
    draft.retext(str, encoding="utf-16")


@hostile
def utf16_without_mark(draft: Draft) -> None:
    draft.retext(str, encoding="utf-16-le")


@hostile
def utf32(draft: Draft) -> None:
    draft.retext(str, encoding="utf-32")


@hostile
def latin1(draft: Draft) -> None:
    draft.change(r106_nama_sls="Café")
    draft.retext(str, encoding="latin-1")


@hostile
def windows1252(draft: Draft) -> None:
    draft.change(r106_nama_sls="RT “SATU” – 1")
    draft.retext(str, encoding="cp1252")


@hostile
def surrogate_bytes(draft: Draft) -> None:
    draft.change(r106_nama_sls="@")
    draft.rewrite(_with_bytes(b"@", b"\xed\xa0\x80"))


@hostile
def overlong_utf8(draft: Draft) -> None:
    draft.change(r106_nama_sls="@")
    draft.rewrite(_with_bytes(b"@", b"\xc0\xaf"))


@hostile
def text_ends_within_a_character(draft: Draft) -> None:
    draft.rewrite(_with_bytes(b"", b"", end=b"\xe2\x82"))


@hostile
def nul_characters(draft: Draft) -> None:
    draft.change(r106_nama_sls="RT\0 1")


@hostile
def blank_lines_at_the_end(draft: Draft) -> None:
    draft.retext(lambda text: text + "\r\n\r\n")


def _with_bytes(old: bytes, new: bytes, end: bytes = b"") -> Callable[[bytes], bytes]:
    return lambda packed: gzip.compress(gzip.decompress(packed).replace(old, new) + end)
