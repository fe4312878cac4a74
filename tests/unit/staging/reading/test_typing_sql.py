"""Typing: what is valid keeps its value, what is not stays text; nothing is guessed."""

from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from regsosek.contract.codebook import DATASETS, Variable, all_variables, variable
from regsosek.contract.instruments import first_version
from regsosek.contract.key_forms import KeyForm, key_forms
from regsosek.staging.reading import typing_sql
from regsosek.staging.reading.typing_sql import PATTERNS, SQL_TYPES, can_be_untyped, typed
from support.checks.matrix import examples

BY_KIND = {v.kind: v for dataset in DATASETS for v in all_variables(dataset)}


@pytest.fixture(scope="module")
def connection() -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect(":memory:")
    connection.execute("SET TimeZone = 'UTC'")
    return connection


def value(connection: duckdb.DuckDBPyConnection, of: Variable, text: str) -> Any:
    query = f"SELECT {typed(of, 't.text')} FROM (SELECT {typing_sql.given('$text')} AS text) t"
    [(found,)] = connection.execute(query, {"text": text}).fetchall()
    return found


@settings(max_examples=examples(100), deadline=None)
@given(number=st.integers(0, 999_999_999), zeros=st.integers(0, 8))
def test_whole_numbers_keep_their_value_with_or_without_leading_zeros(connection, number: int, zeros: int) -> None:
    text = str(number).rjust(zeros, "0")
    assert value(connection, BY_KIND["integer"], text) == number


@settings(max_examples=examples(60), deadline=None)
@given(day=st.dates(date(1800, 1, 1), date(2099, 12, 31)))
def test_dates_keep_their_value(connection, day: date) -> None:
    assert value(connection, BY_KIND["date"], day.isoformat()) == day


INSTANTS = st.datetimes(
    datetime(1901, 1, 1),  # noqa: DTZ001 - hypothesis adds the offset itself
    datetime(2099, 12, 30),  # noqa: DTZ001 - as above
    timezones=st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes))),
)


@settings(max_examples=examples(60), deadline=None)
@given(instant=INSTANTS)
def test_timestamps_keep_their_instant_whatever_the_offset(connection, instant: datetime) -> None:
    assert value(connection, BY_KIND["timestamp"], instant.isoformat()) == instant.astimezone(UTC)


@settings(max_examples=examples(60), deadline=None)
@given(degrees=st.decimals(-180, 180, places=6))
def test_decimals_keep_their_value(connection, degrees) -> None:
    assert value(connection, BY_KIND["decimal"], f"{degrees:f}") == pytest.approx(float(degrees), abs=1e-12)


@settings(max_examples=examples(100), deadline=None)
@given(kind=st.sampled_from(sorted(PATTERNS)), text=st.text(max_size=12))
def test_any_text_is_typed_or_refused_and_never_raises(connection, kind: str, text: str) -> None:
    value(connection, BY_KIND[kind], text)


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        *(
            ("integer", text)
            for text in ("1.6", "1e2", "+5", "-5", "\uff12", "\u0662", "0x10", "1 000", "1_000", "1,000", "2\n3")
        ),
        *(("choice", text) for text in ("1.0", "+1", "0000000001", "\uff11")),
        *(("date", text) for text in ("2022-1-5", "epoch", "infinity", "20221020", "20-10-2022", "2022-02-29")),
        *(
            ("date", text)
            for text in ("2022-10-20T00:00:00", "0000-01-01", "10000-01-01", "1799-12-31", "\uff12022-10-20")
        ),
        *(("timestamp", f"2022-10-20{text}") for text in ("T09:00:00", " 09:00:00+07:00", "T24:00:00Z", "T09:60:00Z")),
        *(("timestamp", f"2022-10-20T09:00:00{text}") for text in ("+99:99", "+0700", "+07", " WIB", ".1234567Z")),
        *(("timestamp", text) for text in ("0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-12:00", "now", "epoch")),
        *(("decimal", text) for text in ("1,5", "1.", ".5", "1e2", "NaN", "inf", "+1.5", "--1")),
        *(("digits", text) for text in ("12a4", "-001", "1.0", "\uff11\uff12\uff13\uff14")),
        *(("key", text) for text in ("A B", "-A", "\u00c41", "A\nB", "'; DROP TABLE kasus; --")),
    ],
)
def test_what_is_written_otherwise_is_refused(connection, kind: str, text: str) -> None:
    assert value(connection, BY_KIND[kind], text) is None


@pytest.mark.parametrize(
    ("kind", "text", "expected"),
    [
        ("integer", " 7 ", 7),
        ("choice", "03", 3),
        ("digits", " 0007 ", "0007"),
        ("key", " D-1042 ", "D-1042"),
        ("text", "  Ibu Contoh, S.Pd  ", "Ibu Contoh, S.Pd"),
        ("decimal", "-0.5", -0.5),
        ("date", "2024-02-29", date(2024, 2, 29)),
        ("timestamp", "2022-10-20T09:00:00.5Z", datetime(2022, 10, 20, 9, 0, 0, 500_000, UTC)),
    ],
)
def test_blanks_around_and_leading_zeros_do_not_matter(connection, kind: str, text: str, expected: object) -> None:
    assert value(connection, BY_KIND[kind], text) == expected


@pytest.mark.parametrize("form", key_forms(), ids=lambda form: form.form)
def test_an_id_of_the_contract_is_read_as_it_stands(connection, form: KeyForm) -> None:
    assert value(connection, BY_KIND["key"], form.example) == form.example


@pytest.mark.parametrize(
    "text",
    [
        "6472015505800078", "NIK-6472015505800078", "6472015505800076_1", "KK/6472011212120077", "dok-6472015505800078",
        "6472.0155.0580.0079", "081277700995", "+6281277700995", "62-81277700995", "0812-7770-0995", "(0541)123456",
        "SITI.CANARYDOK.BINTI.ALI", "SITI", "SITI-1", "-1.24680,117.15349", "64720155-0580-0079-0000-000000000000",
        "01GF006472015505800078ABCD",
    ],
)  # fmt: skip
def test_an_id_made_of_personal_data_is_not_read(connection, text: str) -> None:
    assert value(connection, BY_KIND["key"], text) is None


@settings(max_examples=examples(100), deadline=None)
@given(
    nik=st.from_regex("(6[1-5]|9[1-4])[0-9]{4}[0-7][0-9](0[1-9]|1[0-2])[0-9]{2}0[0-9]{3}", fullmatch=True),
    breaks=st.lists(st.tuples(st.integers(1, 15), st.sampled_from("-._/")), max_size=4),
    around=st.tuples(*[st.from_regex("[A-Za-z0-9._/-]{0,8}", fullmatch=True)] * 2),
)
def test_no_id_holds_a_nik_however_it_is_parted(connection, nik: str, breaks, around: tuple[str, str]) -> None:
    parted = nik
    for place, separator in sorted(breaks, reverse=True):
        parted = parted[:place] + separator + parted[place:]
    assert value(connection, BY_KIND["key"], parted.join(around)) is None


def test_the_key_of_a_photo_is_personal_and_may_be_of_any_form(connection) -> None:
    photo = variable("geotag", "kunci_foto", first_version())
    assert value(connection, photo, "foto/64/a_b.jpg") == "foto/64/a_b.jpg"


@pytest.mark.parametrize("text", ["", "   "])
def test_empty_is_missing(connection, text: str) -> None:
    assert {value(connection, v, text) for v in BY_KIND.values()} == {None}


def test_every_kind_of_the_codebook_has_a_type_and_only_free_text_is_always_typable() -> None:
    assert set(BY_KIND) == set(SQL_TYPES) == {*PATTERNS, "text"}
    assert not can_be_untyped(variable("anggota", "r402_nama", first_version()))
    assert can_be_untyped(variable("anggota", "r403_nik", first_version()))
