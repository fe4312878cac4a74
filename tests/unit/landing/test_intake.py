"""Intake: all files of a delivery, verified, or none and the reason."""

import json
from dataclasses import replace
from datetime import date

import pytest

from regsosek.contract.manifest import MAX_MANIFEST_BYTES
from regsosek.errors import ContractBreachError, ObjectStoreError
from regsosek.landing.discovery import DeliveryFolder
from regsosek.landing.intake import fetch, read_manifest

FOLDER = DeliveryFolder(province="35", delivered_on=date(2022, 10, 21), delivery_id="01GFXXXXXXXXXXXXXXXXXXXXX1")
FILES = {"keluarga-00001.csv.gz": b"keluarga " * 100, "anggota-00001.csv.gz": b"anggota " * 300}


def fetch_delivery(store, directory):
    manifest = read_manifest(store, "landing", FOLDER).manifest
    return fetch(store, "landing", FOLDER, manifest, directory)


def test_every_file_arrives_as_delivered_in_the_order_of_the_manifest(store, deliver, tmp_path):
    deliver(store, FOLDER, FILES)
    fetched = fetch_delivery(store, tmp_path)
    assert {file.delivered.name: file.path.read_bytes() for file in fetched} == FILES
    assert [file.delivered.name for file in fetched] == list(FILES)
    assert [path.name for path in tmp_path.iterdir()] == [FOLDER.delivery_id]


def test_fetching_again_replaces_what_an_earlier_attempt_left(store, deliver, tmp_path):
    deliver(store, FOLDER, FILES)
    left_over = tmp_path / FOLDER.delivery_id / "anggota-00009.csv.gz"
    left_over.parent.mkdir()
    left_over.write_bytes(b"stale")
    assert fetch_delivery(store, tmp_path) == fetch_delivery(store, tmp_path)
    assert not left_over.exists()


def remove(content):
    return None


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (remove, "file_missing"),
        (lambda content: content[:-1], "file_size"),
        (lambda content: content + b"!", "file_size"),
        (lambda content: b"", "file_size"),
        (lambda content: b"!" + content[1:], "file_altered"),
    ],
    ids=["missing", "short", "long", "empty", "altered"],
)
@pytest.mark.parametrize("name", FILES)
def test_a_broken_file_rejects_the_delivery_and_leaves_nothing(store, deliver, tmp_path, name, damage, reason):
    deliver(store, FOLDER, FILES)
    content = damage(store.objects.pop(("landing", FOLDER.prefix + name)))
    if content is not None:
        store.put_bytes("landing", FOLDER.prefix + name, content)
    with pytest.raises(ContractBreachError, match=name) as breach:
        fetch_delivery(store, tmp_path)
    assert breach.value.reason == reason
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_listed_with_another_size_is_refused_before_anything_is_fetched(
    store, deliver, tmp_path, monkeypatch
):
    deliver(store, FOLDER, FILES)
    store.put_bytes("landing", FOLDER.prefix + "anggota-00001.csv.gz", b"!" * 10**6)
    monkeypatch.setattr(store, "download", None)
    with pytest.raises(ContractBreachError, match=r"anggota-00001.* more than the 2400 bytes") as breach:
        fetch_delivery(store, tmp_path)
    assert breach.value.reason == "file_size"


def test_a_listing_that_the_object_contradicts_is_not_blamed_on_the_delivery(store, deliver, tmp_path, monkeypatch):
    deliver(store, FOLDER, FILES)
    named = len(FILES["keluarga-00001.csv.gz"])
    listed = [replace(each, size=each.size + (each.size == named)) for each in store.list_objects("landing", "")]
    monkeypatch.setattr(store, "list_objects", lambda *_: iter(listed))
    with pytest.raises(ObjectStoreError, match=rf"listed with {named + 1} bytes and has {named}"):
        fetch_delivery(store, tmp_path)


def test_of_two_broken_files_the_first_of_the_manifest_is_named_every_time(store, deliver, tmp_path):
    files = {f"{kind}-{part:05d}.csv.gz": b"x" * part for part in range(1, 9) for kind in ("keluarga", "anggota")}
    deliver(store, FOLDER, files)
    for name in ("keluarga-00003.csv.gz", "anggota-00002.csv.gz", "anggota-00008.csv.gz"):
        del store.objects["landing", FOLDER.prefix + name]
    for _ in range(5):
        with pytest.raises(ContractBreachError, match=r"anggota-00002\.csv\.gz"):
            fetch_delivery(store, tmp_path)


def test_the_formats_of_one_delivery_may_differ(store, deliver, tmp_path):
    files = {"keluarga-00001.csv.gz": b"k", "anggota-00001.parquet": b"a"}
    deliver(store, FOLDER, files)
    assert [file.delivered.name for file in fetch_delivery(store, tmp_path)] == list(files)


def test_a_fault_of_the_store_is_not_blamed_on_the_delivery(store, deliver, tmp_path, monkeypatch):
    def give_up(*_, **__):
        raise ObjectStoreError("get landing/x: 503")

    deliver(store, FOLDER, FILES)
    monkeypatch.setattr(store, "download", give_up)
    with pytest.raises(ObjectStoreError):
        fetch_delivery(store, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_the_manifest_comes_with_its_bytes_as_delivered(store, deliver):
    deliver(store, FOLDER, FILES)
    read = read_manifest(store, "landing", FOLDER)
    assert read.document == store.objects["landing", FOLDER.prefix + "manifest.json"]
    assert [file.name for file in read.manifest.files] == list(FILES)


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        (None, "manifest_unreadable"),
        (b"{", "manifest_unreadable"),
        (b"{}", "manifest_invalid"),
    ],
    ids=["gone", "broken", "empty"],
)
def test_a_manifest_that_cannot_be_used_rejects_the_delivery(store, document, reason):
    if document is not None:
        store.put_bytes("landing", FOLDER.prefix + "manifest.json", document)
    with pytest.raises(ContractBreachError) as breach:
        read_manifest(store, "landing", FOLDER)
    assert breach.value.reason == reason


def test_a_manifest_beyond_the_limit_is_refused_though_its_beginning_would_do(store, deliver):
    deliver(store, FOLDER, FILES)
    store.objects["landing", FOLDER.prefix + "manifest.json"] += b" " * MAX_MANIFEST_BYTES
    with pytest.raises(ContractBreachError) as breach:
        read_manifest(store, "landing", FOLDER)
    assert breach.value.reason == "manifest_unreadable"


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"province": "36"}, "wrong_province"),
        ({"delivery_id": "01GFXXXXXXXXXXXXXXXXXXXXX2"}, "wrong_delivery_id"),
    ],
)
def test_a_manifest_of_another_folder_rejects_the_delivery(store, manifest_of, change, reason):
    manifest = manifest_of(FILES, province="35", delivery_id=FOLDER.delivery_id) | change
    store.put_bytes("landing", FOLDER.prefix + "manifest.json", json.dumps(manifest).encode())
    with pytest.raises(ContractBreachError) as breach:
        read_manifest(store, "landing", FOLDER)
    assert breach.value.reason == reason
