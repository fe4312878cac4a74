"""The archive: content by its hash, one spelling per record, a seal that only a reopening changes."""

import hashlib
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from regsosek.errors import ObjectStoreError, SealedNightError
from regsosek.landing.archive import (
    Receipt,
    Reopening,
    Seal,
    archive_bytes,
    archive_file,
    canonical_json,
    fetch_archived,
    list_receipts,
    list_seals,
    read_receipt,
    read_seal,
    write_receipt,
    write_seal,
)
from regsosek.landing.encrypted import object_key
from regsosek.privacy.erasure.limitation import LIMITS, list_limits
from regsosek.privacy.erasure.tombstones import TOMBSTONES, list_tombstones

NIGHT = date(2022, 10, 21)
FIRST, SECOND, THIRD = (f"01GFXXXXXXXXXXXXXXXXXXXXX{n}" for n in "123")
HASH = "ab" * 32
AT = datetime(2022, 10, 21, 18, 0, tzinfo=UTC)
WIB = timezone(timedelta(hours=7))

receipts = st.builds(
    Receipt,
    province=st.sampled_from(["11", "35"]),
    night=st.dates(date(2022, 10, 15), date(2022, 11, 14)),
    delivery_id=st.sampled_from([FIRST, SECOND]),
    folder=st.text(max_size=20),
    delivered_on=st.dates(date(2022, 10, 15), date(2022, 11, 14)),
    manifest_sha256=st.none() | st.just(HASH),
    registered_at=st.datetimes(timezones=st.sampled_from([UTC, WIB])),
    versions=st.dictionaries(st.text(max_size=8), st.just(HASH), max_size=3),
    outcome=st.none(),
    reason=st.none(),
    detail=st.none(),
)


def receipt(**changes):
    values = {
        "province": "35",
        "night": NIGHT,
        "delivery_id": FIRST,
        "folder": f"landing/prov=35/tanggal=2022-10-21/{FIRST}/",
        "delivered_on": NIGHT,
        "manifest_sha256": HASH,
        "registered_at": AT,
        "versions": {"suite": HASH, "codebook": HASH},
    }
    return Receipt(**values | changes)


def seal(*delivery_ids, **changes):
    return Seal(**{"province": "35", "night": NIGHT, "sealed_at": AT, "delivery_ids": delivery_ids} | changes)


@given(content=st.binary(max_size=64))
def test_archived_content_comes_back_and_is_written_once(new_store, tmp_path_factory, content):
    store = new_store()
    path = tmp_path_factory.getbasetemp() / "content"
    path.write_bytes(content)
    sha256 = archive_bytes(store, "archive", content)
    assert archive_file(store, "archive", path) == sha256 == hashlib.sha256(content).hexdigest()
    assert store.writes == 1
    assert fetch_archived(store, "archive", sha256, path).read_bytes() == content


def test_content_lies_under_its_hash(store):
    sha256 = archive_bytes(store, "archive", b"regsosek")
    assert list(store.objects) == [("archive", f"objects/sha256/{sha256[:2]}/{sha256}")]


def test_an_upload_that_went_wrong_is_written_again(store):
    sha256 = hashlib.sha256(b"whole").hexdigest()
    store.put_bytes("archive", object_key(sha256), b"who")
    archive_bytes(store, "archive", b"whole")
    assert store.objects["archive", object_key(sha256)] == b"whole"


def test_an_upload_that_the_store_cut_short_is_an_error(store, monkeypatch):
    monkeypatch.setattr(store, "size", lambda *_: 3)
    with pytest.raises(ObjectStoreError, match="3 bytes of 5"):
        archive_bytes(store, "archive", b"whole")


@pytest.mark.parametrize("stored", [None, b"wholE"], ids=["missing", "damaged"])
def test_what_the_archive_cannot_give_back_whole_leaves_nothing(store, tmp_path, stored):
    sha256 = hashlib.sha256(b"whole").hexdigest()
    if stored is not None:
        store.put_bytes("archive", object_key(sha256), stored)
    with pytest.raises(ObjectStoreError, match=sha256):
        fetch_archived(store, "archive", sha256, tmp_path / "part")
    assert list(tmp_path.iterdir()) == []


@given(written=receipts)
def test_a_receipt_reads_as_it_was_written_and_has_one_spelling(new_store, written):
    store = new_store()
    write_receipt(store, "archive", written)
    read = read_receipt(
        store, "archive", province=written.province, night=written.night, delivery_id=written.delivery_id
    )
    assert read == written
    assert canonical_json(read) == canonical_json(written) == store.objects["archive", written.key]


def test_one_moment_has_one_spelling():
    assert canonical_json(receipt(registered_at=AT)) == canonical_json(receipt(registered_at=AT.astimezone(WIB)))


def test_equal_receipts_have_equal_bytes_whatever_the_order_of_their_versions():
    forth, back = receipt(versions={"a": HASH, "b": HASH}), receipt(versions={"b": HASH, "a": HASH})
    assert canonical_json(forth) == canonical_json(back)


def test_a_receipt_is_stored_by_night_and_province(store):
    write_receipt(store, "archive", receipt())
    [(_, key)] = store.objects
    assert key == f"receipts/night=2022-10-21/prov=35/{FIRST}.json"
    assert store.objects["archive", key].endswith(b"}\n")


def test_a_missing_receipt_is_none(store):
    assert read_receipt(store, "archive", province="35", night=NIGHT, delivery_id=FIRST) is None


def test_a_rejection_has_its_reason():
    assert receipt(outcome="rejected", reason="file_missing", detail="anggota-00001.csv.gz").outcome == "rejected"
    with pytest.raises(ValidationError, match="come together"):
        receipt(outcome="rejected")
    with pytest.raises(ValidationError, match="come together"):
        receipt(reason="file_missing")


def test_a_reused_id_does_not_overwrite_the_receipt_of_the_first(store):
    first = receipt(delivered_on=date(2022, 10, 20))
    again = receipt(outcome="rejected", reason="id_reused", detail="used on 2022-10-20", manifest_sha256=None)
    for each in (first, again):
        write_receipt(store, "archive", each)
    assert list_receipts(store, "archive", night=NIGHT) == (first, again)
    assert read_receipt(store, "archive", province="35", night=NIGHT, delivery_id=FIRST) == first


def test_receipts_of_a_night_come_in_the_order_of_processing(store):
    expected = [
        receipt(province="11", delivery_id=THIRD),
        receipt(delivered_on=date(2022, 10, 20), delivery_id=SECOND),
        receipt(delivery_id=FIRST),
    ]
    for each in (*reversed(expected), receipt(night=date(2022, 10, 20))):
        write_receipt(store, "archive", each)
    assert list_receipts(store, "archive", night=NIGHT) == tuple(expected)
    assert list_receipts(store, "archive", night=NIGHT, province="35") == tuple(expected[1:])


def test_a_receipt_that_is_none_is_an_error_that_names_it(store):
    store.put_bytes("archive", receipt().key, b'{"province": "35"}')
    with pytest.raises(ObjectStoreError, match=f"{FIRST}.json is no receipt"):
        list_receipts(store, "archive", night=NIGHT)


def test_an_open_night_has_no_seal_and_a_sealed_one_keeps_it(store):
    assert read_seal(store, "archive", province="35", night=NIGHT) is None
    sealed = seal(SECOND, FIRST, unfinished=("landing/prov=35/tanggal=2022-10-21/x/",))
    for _ in range(2):
        write_seal(store, "archive", sealed)
    assert read_seal(store, "archive", province="35", night=NIGHT) == sealed
    assert list(store.objects) == [("archive", "seals/night=2022-10-21/prov=35.json")]


REOPENING = Reopening(at=AT + timedelta(hours=9), reason="late courier")


def test_a_reopened_night_takes_more_deliveries(store):
    write_seal(store, "archive", seal(FIRST))
    reopened = seal(FIRST, SECOND, reopened=(REOPENING,))
    write_seal(store, "archive", reopened)
    assert read_seal(store, "archive", province="35", night=NIGHT) == reopened


@pytest.mark.parametrize(
    "other",
    [
        seal(FIRST, SECOND),
        seal(FIRST, sealed_at=AT + timedelta(hours=1)),
        seal(reopened=(REOPENING,)),
        seal(SECOND, FIRST, reopened=(REOPENING,)),
    ],
    ids=["longer without reopening", "later", "shorter", "reordered"],
)
def test_a_seal_that_is_not_a_reopening_is_refused(store, other):
    write_seal(store, "archive", seal(FIRST))
    with pytest.raises(SealedNightError, match="night 2022-10-21 of province 35"):
        write_seal(store, "archive", other)
    assert read_seal(store, "archive", province="35", night=NIGHT) == seal(FIRST)


def test_a_reopening_cannot_be_forgotten(store):
    write_seal(store, "archive", seal(FIRST, reopened=(REOPENING,)))
    with pytest.raises(SealedNightError):
        write_seal(store, "archive", seal(FIRST))


def test_seals_are_listed_by_night_then_province(store):
    seals = [seal(night=date(2022, 10, 20)), seal(province="11"), seal()]
    for each in reversed(seals):
        write_seal(store, "archive", each)
    assert list_seals(store, "archive") == tuple(seals)
    assert list_seals(store, "archive", night=NIGHT) == tuple(seals[1:])


@pytest.mark.parametrize(("records", "prefix"), [(list_limits, LIMITS), (list_tombstones, TOMBSTONES)])
def test_a_folder_that_a_console_made_is_no_request_and_what_cannot_be_read_is_none_left_out(
    store: Any, records: Callable[[Any, str, str], Sequence[Any]], prefix: str
) -> None:
    store.put_bytes("archive", f"{prefix}prov=64/", b"")
    assert list(records(store, "archive", "64")) == []
    store.put_bytes("archive", f"{prefix}prov=64/x.json", b"{}")
    with pytest.raises(ObjectStoreError, match=r"x\.json is no "):
        list(records(store, "archive", "64"))
