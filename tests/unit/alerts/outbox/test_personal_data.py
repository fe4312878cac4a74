"""The scanner: what a reader would meet of a person is found wherever it stands, and what is nobody's is not."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regsosek.alerts.messages.rendering import Attachment, Message
from regsosek.alerts.outbox.personal_data import Personal, read_html, suspects
from regsosek.wording import english, indonesian
from regsosek.wording.names import name_words

NIK = "6403015502840001"
CLEAN = (
    "[KRITIS] BPS Provinsi Kalimantan Timur (64) \u2013 data s.d. 27 Okt 2022 00:59 WITA",
    "01GFXKQ2Z8V3M5N7P9R1T3W5Y7 (26 Okt 2022): berkas yang disebut manifest tidak ada",
    "01234567890123456789012345".replace("5", "X", 1),
    "2.000 masuk = 700 dimuat + 200 karantina; 14.037.000 keluarga; 1.204.500 dari 85.036.166",
    "night 2022-10-26 2022-10-27 23:59, release 2022-10-26.02",
    "weekly audit of 2022-10-23-309349518156: 1 fault",
    "sha256 3f9a0d1c3f9a0d1c3f9a0d1c3f9a0d1c3f9a0d1c3f9a0d1c3f9a0d1c3f9a0d1c",
    "31,2 % dari 5.000; rencana 48,5 %; batas 0,05 %",
    "Kabupaten Paser, Ibu kota; kode 101 s.d. 105; PPL 6403-0012 (atasan PML 6403-P003)",
    "desa 6201010001 dan 6201010002",
)
PERSONAL = [
    (NIK, Personal.IDENTITY),
    (f"NIK{NIK}", Personal.IDENTITY),
    ("6403 0155 0284 0001", Personal.IDENTITY),
    ("64.03.01.550284.0001", Personal.IDENTITY),
    ("6403-0155-0284-0001", Personal.IDENTITY),
    (f"{NIK}001002", Personal.IDENTITY),
    ("080012345678", Personal.PHONE),
    ("0812-3456-7890", Personal.PHONE),
    ("+62 812 3456 7890", Personal.PHONE),
    ("(0541) 732793", Personal.PHONE),
    ("0541-732793", Personal.PHONE),
    ("-1.265389, 116.831200", Personal.PLACE),
    ("116,8312", Personal.PLACE),
    ("1\u00b015'55\" LS", Personal.PLACE),
    ("Siti Aminah", Personal.NAME),
    ("BUDI SANTOSO", Personal.NAME),
    ("Pak Suparman", Personal.NAME),
    ("Hj. Nurhayati", Personal.NAME),
]


def found(message: Message) -> list[tuple[Personal, str]]:
    return [(each.what, each.where) for each in suspects(message)]


@pytest.mark.parametrize("line", CLEAN)
def test_what_is_nobodys_is_not_suspected(line: str) -> None:
    assert suspects(Message(line, line, f"<p>{line}</p>", (Attachment("a.csv", "text/csv", line.encode()),))) == []


@pytest.mark.parametrize(("value", "what"), PERSONAL)
def test_it_is_found_in_every_part(value: str, what: Personal) -> None:
    attached = Attachment("a.csv", "text/csv", f"x;{value}".encode("utf-8-sig"))
    parts = {
        "subject": Message(f"a {value}", "b"),
        "text": Message("a", f"b\n{value}\nc"),
        "HTML": Message("a", "b", f"<p>c</p><p>{value}</p>"),
        "attachment": Message("a", "b", "", (attached,)),
    }
    for where, message in parts.items():
        assert (what, where) in found(message), where


@pytest.mark.parametrize(
    "html",
    [
        "<p>" + "".join(f"&#{ord(digit)};" for digit in NIK) + "</p>",
        f'<img alt="{NIK}">',
        f"<!-- {NIK} -->",
        f'<a href="tel:{NIK}">x</a>',
        f"<style>.x{{content:'{NIK}'}}</style>",
    ],
)
def test_html_hides_nothing(html: str) -> None:
    assert found(Message("a", "b", html)) == [(Personal.IDENTITY, "HTML")]


def test_neighbouring_cells_of_a_table_make_no_number() -> None:
    assert read_html("<td>6403</td><td>0155</td>").split() == ["6403", "0155"]
    assert suspects(Message("a", "b", "<td>64030155</td><td>02840001</td>")) == []
    rows = io.StringIO()
    csv.writer(rows).writerow(["64030155", "02840001"])
    assert suspects(Message("a", "b", "", (Attachment("x", "text/csv", rows.getvalue().encode()),))) == []


def test_every_name_that_the_simulator_can_draw_is_found() -> None:
    words = name_words()
    for first in (*words.men, *words.women):
        for second in filter(None, words.second):
            name = f"{first} {second}"
            assert [each.value for each in suspects(Message("a", f"u.p. {name}, kantor"))] == [name]


@pytest.mark.parametrize(("media_type", "content"), [("application/zip", b"PK"), ("text/csv", b"\xff\xfe\x00")])
def test_a_file_that_cannot_be_read_does_not_pass(media_type: str, content: bytes) -> None:
    assert found(Message("a", "b", "", (Attachment("x", media_type, content),))) == [
        (Personal.UNREADABLE, "attachment")
    ]


@given(st.text(alphabet="0123456789", min_size=16, max_size=16), st.text(" ,;\n()", min_size=1, max_size=3))
def test_no_number_of_sixteen_digits_passes_unseen(digits: str, around: str) -> None:
    message = Message("a", f"x{around.strip(' ')}; {digits}, y")
    assert digits in [each.value for each in suspects(message) if each.what is Personal.IDENTITY]


def test_a_suspect_does_not_show_its_value() -> None:
    [suspect] = suspects(Message("a", NIK))
    assert NIK not in repr(suspect)


@given(st.floats(0, 1))
def test_no_share_of_a_sample_looks_like_a_place(share: float) -> None:
    for written in (english, indonesian):
        assert suspects(Message("x", f"target di sini {written.share(share)} dari target")) == []
