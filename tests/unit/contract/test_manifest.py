"""The manifest: what the contract says is accepted, everything else is refused with its reason and no noise."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regsosek.contract.codebook import STREAMS
from regsosek.contract.instruments import instrument_of, instruments
from regsosek.contract.manifest import MAX_MANIFEST_BYTES, Manifest, parse_manifest
from regsosek.errors import ContractBreachError

DELIVERY = "01GFWC1W80A0B1C2D3E4F5G6H7"
Document = dict[str, Any]


def described(dataset: str, part: int = 1, **changes: Any) -> Document:
    name = f"{dataset}-{part:05d}.csv.gz"
    file = {"name": name, "dataset": dataset, "part": part, "format": "csv.gz", "rows": 2, "bytes": 900}
    return file | {"sha256": "a" * 64} | changes


def document(**changes: Any) -> Document:
    return {
        "contract_version": "1",
        "instrument": "REGSOSEK22.K",
        "instrument_version": "1",
        "province": "64",
        "delivery_id": DELIVERY,
        "produced_at": "2022-10-20T20:15:00+08:00",
        "producer": "simulasi",
        "enumerated_from": "2022-10-15",
        "enumerated_to": "2022-10-20",
        "files": [described("keluarga"), described("anggota")],
        "totals": {"keluarga": 2, "anggota": 2},
    } | changes


def parsed(content: Document | bytes) -> Manifest:
    raw = content if isinstance(content, bytes) else json.dumps(content).encode()
    return parse_manifest(raw, province="64", delivery_id=DELIVERY)


def refused(content: Document | bytes) -> ContractBreachError:
    with pytest.raises(ContractBreachError) as raised:
        parsed(content)
    return raised.value


def test_a_sound_manifest_is_read() -> None:
    files = [described(dataset, part) for part in (2, 1) for dataset in ("anggota", "keluarga")]
    manifest = parsed(document(files=files, totals={"keluarga": 4, "anggota": 4}, supersedes=["0" * 26]))
    assert manifest.parts == (1, 2)
    assert manifest.file("anggota", 2).name == "anggota-00002.csv.gz"
    assert manifest.produced_at.isoformat() == "2022-10-20T20:15:00+08:00"
    assert manifest.supersedes == ("0" * 26,)


def test_a_byte_order_mark_is_tolerated() -> None:
    assert parsed(b"\xef\xbb\xbf" + json.dumps(document()).encode()).province == "64"


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"\xff\xfe{}",
        json.dumps(document()).encode("utf-16"),
        json.dumps(document(producer="\ud800")).encode(),
        b"[" * 200_000,
        b'{"a":' * 50_000 + b"1" + b"}" * 50_000,
        b" " * (MAX_MANIFEST_BYTES + 1),
    ],
    ids=["empty", "half", "not UTF-8", "UTF-16", "lone surrogate", "deep list", "deep object", "huge"],
)
def test_what_is_no_json_is_unreadable(content: bytes) -> None:
    assert refused(content).reason == "manifest_unreadable"


def test_the_folder_decides_province_and_delivery() -> None:
    assert refused(document(province="65")).reason == "wrong_province"
    assert refused(document(delivery_id="0" * 26)).reason == "wrong_delivery_id"


@pytest.mark.parametrize("changes", [{"instrument_version": "99"}, {"instrument": "REGSOSEK22.XK"}])
def test_a_questionnaire_that_nobody_knows_is_refused_by_a_reason_of_its_own(changes: Document) -> None:
    refusal = refused(document(**changes))
    assert refusal.reason == "instrument_unknown"
    assert "known: REGSOSEK22.K version 1, " in refusal.detail
    assert all(f"{each.instrument} version {each.version}" in refusal.detail for each in instruments())


@pytest.mark.parametrize("dataset", STREAMS)
def test_a_stream_has_its_one_dataset_in_any_number_of_parts(dataset: str) -> None:
    files = [described(dataset, part) for part in (1, 2, 3)]
    manifest = parsed(document(instrument=instrument_of(dataset), files=files, totals={dataset: 6}))
    assert manifest.datasets == (dataset,)
    assert [manifest.file(dataset, part).rows for part in manifest.parts] == [2, 2, 2]


PAIR = [described("keluarga"), described("anggota")]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"contract_version": "2"}, "contract_version"),
        ({"instrument": "questionnaire K"}, "instrument"),
        ({"instrument_version": 1}, "instrument_version"),
        ({"instrument_version": "6403015202840001"}, "instrument_version"),
        ({"province": "064"}, "province"),
        ({"delivery_id": "01GFWC1W80A0B1C2D3E4F5G6HI"}, "delivery_id"),
        ({"produced_at": "2022-10-20T20:15:00"}, "produced_at: Input should have timezone info"),
        ({"produced_at": 1666224000}, "produced_at"),
        ({"produced_at": "1666268100"}, "produced_at: must be ISO 8601"),
        ({"produced_at": "1666268100.5"}, "produced_at: must be ISO 8601"),
        ({"produced_at": "2022-10-20T20:15:00\u221208:00"}, "produced_at: must be ISO 8601"),
        ({"enumerated_from": "1666224000"}, "enumerated_from: must be YYYY-MM-DD"),
        ({"produced_at": "0001-01-01T00:00:00+14:00"}, "produced_at"),
        ({"producer": ""}, "producer"),
        ({"producer": "a\0b"}, "producer"),
        ({"enumerated_from": "2022-10-21"}, "enumerated_to lies before enumerated_from"),
        ({"enumerated_from": "15-10-2022"}, "enumerated_from"),
        ({"files": PAIR[:1]}, r"parts without their counterpart: \[1\]"),
        ({"files": []}, "files: Tuple should have at least 1 item"),
        ({"files": [*PAIR, described("keluarga")]}, "files named twice: keluarga-00001"),
        ({"files": [described("keluarga"), described("anggota", 2)]}, r"parts without their counterpart: \[1, 2\]"),
        ({"files": [described("keluarga", rows="2"), PAIR[1]]}, "files.0.rows"),
        ({"files": [described("keluarga", rows=2**40), PAIR[1]]}, "files.0.rows"),
        ({"files": [described("keluarga", rows=-1), PAIR[1]]}, "files.0.rows"),
        ({"files": [described("keluarga", sha256="A" * 64), PAIR[1]]}, "files.0.sha256"),
        ({"files": [described("keluarga", format="csv"), PAIR[1]]}, "files.0.format"),
        ({"files": [described("keluarga", name="../keluarga.csv.gz"), PAIR[1]]}, "must be named keluarga-00001.csv.gz"),
        ({"totals": {"keluarga": 3, "anggota": 2}}, "totals say something else than what the files add up to"),
        ({"totals": {"keluarga": 2}}, "totals say"),
        ({"files": [*PAIR, described("progres")]}, "the instrument has keluarga and anggota, not progres"),
        ({"files": [described("progres")], "totals": {"progres": 2}}, "keluarga and anggota, not progres"),
        ({"instrument": "REGSOSEK22.PROGRES"}, "the instrument has progres, not anggota, keluarga"),
        ({"instrument": "REGSOSEK22.REKAPVK", "files": [described("geotag")]}, "has rekap_vk, not geotag"),
        ({"supersedes": [DELIVERY]}, "a delivery cannot supersede itself"),
    ],
)
def test_what_breaks_the_contract_is_named(changes: Document, said: str) -> None:
    with pytest.raises(ContractBreachError, match=said) as raised:
        parsed(document(**changes))
    assert raised.value.reason == "manifest_invalid"


@pytest.mark.parametrize("field", [name for name, f in Manifest.model_fields.items() if f.is_required()])
def test_every_field_but_supersedes_is_needed(field: str) -> None:
    content = document()
    del content[field]
    assert refused(content).detail == f"{field}: Field required"


def test_what_the_producer_invented_is_not_repeated() -> None:
    nik = "6403015202840001"
    breach = refused(document(**{nik: 1}, totals={nik: 1}, producer=nik * 9, files=[described("keluarga", name=nik)]))
    assert nik not in str(breach)
    assert "unknown field: Extra inputs are not permitted" in breach.detail


def test_many_faults_are_summed_up() -> None:
    files = [described(dataset, part, rows=-1) for part in range(1, 2001) for dataset in ("keluarga", "anggota")]
    detail = refused(document(files=files)).detail
    assert "; and " in detail
    assert len(detail) < 1000


@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    )
)
def test_any_json_is_refused_and_never_our_fault(content: Any) -> None:
    assert refused(json.dumps(content).encode()).reason in {"manifest_invalid", "manifest_unreadable"}


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('"province": "64"', '"province": "63", "province": "64"', "named twice: province"),
        ('"rows": 2', f'"rows": {"9" * 4000}, "rows": 2', "named twice: rows"),
        ('"totals": {', '"totals": {"keluarga": 9, ', "named twice: keluarga"),
    ],
    ids=["field", "of a file, with many digits", "dataset"],
)
def test_a_manifest_does_not_depend_on_its_reader(old: str, new: str, said: str) -> None:
    breach = refused(json.dumps(document()).replace(old, new, 1).encode())
    assert (breach.reason, breach.detail) == ("manifest_invalid", said)
