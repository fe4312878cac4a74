"""What looks like a NIK, KK number, phone or coordinate leaves no record; what merely resembles it stays."""

import hashlib
import io
import json
import logging
import string
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console
from ulid import ULID

from regsosek.telemetry.context import within
from regsosek.telemetry.guard import MASK, masked, plain
from regsosek.telemetry.logs import json_handler, text_handler

NIK = "6471035203850002"
PERSONAL = (
    NIK, "6471.0352.0385.0002", "647103 520385 0002", "64.71.03.520385.0002", "64710352-03850002".replace("-", ""),
    "081234567890", "+62 812-3456-7890", "0812 3456 7890", "0812.3456.7890", "62812345678901", "(0541) 123456",
    "021-5551234", "117.15373", "-1.24680", "106.8271",
)  # fmt: skip
HARMLESS = (
    "delivery 01GFW5K3V8Z0S3T4Q5R6W7X8Y9 of province 64 accepted", "night 2022-10-21: 33 of 34 provinces whole",
    "imported 12 modules before the workers fork, in 3.1 s", "sub-SLS 6471030001000100 is retired",
    "id_subsls=6471030001000100", '{"id_subsls": "6471030001000100"}', "version 1.45.2", "12,345,678 of 1234567 rows",
    "keluarga-00001.csv.gz has 123456789012345 bytes", "limit 10.00 %", "2022-10-21T01:00:00.123456+07:00",
    "s3://regsosek-release/rilis/2022-10-21-abcdef012345/index.html", "SQLSTATE 22P02", "127.0.0.1:5432",
)  # fmt: skip


@pytest.mark.parametrize("value", PERSONAL)
@pytest.mark.parametrize("around", ["{}", "value '{}' of r403", "key=({})", "NIK:{},", "a/{}/b", "{};{}"])
def test_what_looks_personal_is_taken_out_and_counted(value: str, around: str) -> None:
    text = around.format(value, value)
    found, taken = masked(text)
    assert value not in found
    assert taken == text.count(value)
    assert found == text.replace(value, MASK)


@pytest.mark.parametrize("text", HARMLESS)
def test_what_merely_resembles_it_stays(text: str) -> None:
    assert masked(text) == (text, 0)


@pytest.mark.parametrize(
    ("text", "shown", "taken"),
    [
        ("Wilkerstat 2.1", "Wilkerstat 2.1", 0),
        (f"a\n {NIK}\t b", f"a {MASK} b", 1),
        ("".join(chr(ord(digit) + 0xFEE0) for digit in NIK), MASK, 1),
        (f"{NIK[:8]}\u200b{NIK[8:]}", MASK, 2),
        ("kirim \u202eulang", "kirim ulang", 1),
        ("Caf\u00e9 \ua9b2\ua9ba", "Caf\u00e9 \ua9b2\ua9ba", 0),
    ],
)
def test_free_text_is_shown_without_what_is_not_seen(text: str, shown: str, taken: int) -> None:
    assert plain(text) == (shown, taken)


# Beside a letter or another digit sixteen digits may be part of something longer, which is tried below.
_AROUND = st.text(alphabet=string.punctuation.replace("_", "").replace("=", "") + " \n\té")


@given(st.from_regex(r"[1-9]\d{15}", fullmatch=True), _AROUND, _AROUND)
def test_sixteen_digits_never_pass_whatever_stands_around_them(digits: str, before: str, after: str) -> None:
    assert digits not in masked(before + digits + after)[0]


@given(st.from_regex(r"[1-9]\d{15}", fullmatch=True), st.text(alphabet="xyzXYZ", min_size=1, max_size=3))
def test_nor_do_they_between_letters(digits: str, letters: str) -> None:
    assert digits not in masked(f"{letters}{digits}{letters}")[0]


@given(st.binary(), st.integers(0, 2**47), st.binary(min_size=10, max_size=10))
def test_hashes_and_delivery_ids_always_pass(content: bytes, milliseconds: int, chance: bytes) -> None:
    names = (hashlib.sha256(content).hexdigest(), str(ULID.from_bytes(milliseconds.to_bytes(6, "big") + chance)))
    for name in names:
        if not name.isdecimal():
            assert masked(f"object {name}, of it") == (f"object {name}, of it", 0)


@pytest.fixture
def logger() -> Iterator[logging.Logger]:
    own = logging.Logger("regsosek.test")
    yield own
    own.handlers.clear()


def fail() -> None:
    raise ValueError(f"value {NIK} is refused")


def log_all(logger: logging.Logger) -> None:
    with within(run="R", province="64", delivery_id="D", part=2, step="load"):
        logger.info("loaded %s", NIK)
        try:
            fail()
        except ValueError:
            logger.exception("failed")
    logger.warning("%d rows", 7)


def test_a_json_record_has_its_fields_and_no_value_even_in_a_traceback(logger: logging.Logger) -> None:
    stream = io.StringIO()
    logger.addHandler(json_handler(stream))
    log_all(logger)
    first, second, last = map(json.loads, stream.getvalue().splitlines())
    assert (first["event"], first["level"], first["logger"]) == (f"loaded {MASK}", "info", "regsosek.test")
    fields = {"run": "R", "province": "64", "delivery_id": "D", "part": 2, "step": "load"}
    assert first | fields == first
    assert first["masked"] == 1
    assert "ValueError" in second["exception"]
    assert NIK not in stream.getvalue()
    assert not {"province", "step", "masked"} & set(last)
    assert last["event"] == "7 rows"


def test_a_line_for_a_person_says_where_it_comes_from_and_no_value(logger: logging.Logger) -> None:
    stream = io.StringIO()
    logger.addHandler(text_handler(Console(file=stream, width=200)))
    log_all(logger)
    assert f"loaded {MASK} [province=64 delivery_id=D part=2 step=load]" in stream.getvalue()
    assert "ValueError" in stream.getvalue()
    assert NIK not in stream.getvalue()
