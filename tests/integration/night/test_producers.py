"""What one producer can do to another, and to the disk: nothing of another's is fetched, nothing without bound."""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from regsosek.contract.manifest import SIGNATURE_NAME
from regsosek.geography.regions import region_master
from regsosek.landing.archive import read_receipt
from regsosek.landing.encrypted import object_key
from regsosek.landing.object_store import ObjectStore
from regsosek.landing.producer_keys import COLUMNS
from regsosek.minisign import Signer
from regsosek.night.replaying import replay
from regsosek.resources import open_resources
from regsosek.settings import Settings
from support.deliveries.families import PROVINCE
from support.worlds.field_world import FieldWorld, add_place, family, faulty, few_rules

NIGHT = date(2022, 10, 21)
AT = datetime(2022, 10, 20, 12, tzinfo=UTC)
OTHER = "63"
OTHER_DESA = min(c for c, each in region_master().regions.items() if each.level == "desa" and c[:2] == OTHER)


@pytest.fixture(scope="module")
def prepared(services_env: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[FieldWorld]:
    """The world's own reference data, and a sub-SLS of a second province."""
    scratch = tmp_path_factory.mktemp("reference")
    with open_resources(services_env.model_copy(update={"work_dir": tmp_path_factory.mktemp("work")})) as resources:
        world = FieldWorld(resources, few_rules())
        world.prepare(scratch)
        add_place(world, OTHER, OTHER_DESA, scratch)
        yield world


def manifest_of(world: FieldWorld, delivery_id: str) -> dict[str, Any]:
    key = f"landing/prov={PROVINCE}/tanggal={NIGHT}/{delivery_id}/manifest.json"
    document = world.resources.store.get_bytes(world.resources.settings.landing_bucket, key, max_bytes=10**6)
    return dict(json.loads(document or b""))


def verdicts(world: FieldWorld, province: str = PROVINCE) -> list[tuple[Any, ...]]:
    return world.rows(
        "SELECT state, reason FROM ledger.delivery WHERE province = :province ORDER BY position", province=province
    )


def archived(world: FieldWorld) -> set[str]:
    return {
        each.key for each in world.resources.store.list_objects(world.resources.settings.archive_bucket, "objects/")
    }


def emptied(world: FieldWorld, delivery_id: str, province: str) -> None:
    """Takes away all files but the manifest."""
    bucket = world.resources.settings.landing_bucket
    for each in list(
        world.resources.store.list_objects(bucket, f"landing/prov={province}/tanggal={NIGHT}/{delivery_id}/")
    ):
        if not each.key.endswith("manifest.json"):
            world.resources.store.delete(bucket, each.key)


@pytest.mark.parametrize("thief", [OTHER, PROVINCE], ids=["another province", "the same province"])
def test_hashes_of_a_manifest_fetch_nothing_that_did_not_land_with_it(world: FieldWorld, thief: str) -> None:
    own = world.deliver(NIGHT, [family("A"), faulty("B", number=2)], produced_at=AT)
    world.run(NIGHT)
    named = manifest_of(world, own)
    stolen = world.deliver(
        NIGHT,
        [family("C", number=3)],
        produced_at=AT + timedelta(hours=1),
        province=thief,
        spoil={"files": named["files"], "totals": named["totals"]},
    )
    emptied(world, stolen, thief)
    night = NIGHT if thief == OTHER else NIGHT + timedelta(days=1)
    world.run(night, province=thief)
    assert verdicts(world, thief)[-1] == ("rejected", "file_missing")
    assert world.rows("SELECT 1 FROM restricted.quarantined WHERE delivery_id = :id", id=stolen) == []


def test_what_landed_once_is_replayed_from_the_archive_alone(world: FieldWorld) -> None:
    own = world.deliver(NIGHT, [family("A"), faulty("B", number=2)], produced_at=AT)
    world.run(NIGHT)
    before = world.cases()
    emptied(world, own, PROVINCE)
    replay(world.resources, NIGHT, [PROVINCE])
    assert (world.cases(), verdicts(world)) == (before, [("accepted", None)])
    bucket = world.resources.settings.archive_bucket
    receipt = read_receipt(world.resources.store, bucket, province=PROVINCE, night=NIGHT, delivery_id=own)
    assert receipt is not None and receipt.files_archived


def test_what_is_refused_is_not_archived(world: FieldWorld) -> None:
    """The second part has a member without a family, which shows when the first one is loaded already."""
    lone = family("D", number=4)[1]
    parts: list[Any] = [[family("A")], [family("B", number=2), (family("C", number=3)[0], lone)]]
    refused = world.deliver(NIGHT, parts, produced_at=AT)
    world.run(NIGHT)
    assert verdicts(world) == [("rejected", "parts_misaligned")]
    named = {object_key(file["sha256"]) for file in manifest_of(world, refused)["files"]}
    assert archived(world) & named == set()


def test_a_file_beyond_its_bounds_is_refused_before_anything_is_fetched(
    world: FieldWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    large = world.deliver(NIGHT, [family("A")], produced_at=AT)
    document = manifest_of(world, large)
    content = b"\0" * (20 << 20)
    document["files"][0] |= {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
    bucket, folder = world.resources.settings.landing_bucket, f"landing/prov={PROVINCE}/tanggal={NIGHT}/{large}/"
    world.resources.store.put_bytes(bucket, folder + "manifest.json", json.dumps(document).encode())
    fetched: list[str] = []
    download = ObjectStore.download
    monkeypatch.setattr(
        ObjectStore, "download", lambda store, of, key, *a, **k: fetched.append(of) or download(store, of, key, *a, **k)
    )
    world.run(NIGHT)
    assert verdicts(world) == [("rejected", "file_too_large")]
    assert bucket not in fetched


@pytest.fixture
def signing(world: FieldWorld, tmp_path: Path) -> dict[str, Signer]:
    """Both provinces have a key, which the deployment knows."""
    signers = {province: Signer.new() for province in (PROVINCE, OTHER)}
    path = tmp_path / "producer-keys.csv"
    lines = (f"{province},{signer.public.text},2022-10-01,,test" for province, signer in signers.items())
    path.write_text("\n".join([",".join(COLUMNS), *lines]))
    settings = world.resources.settings.model_copy(update={"producer_keys_file": path})
    world.resources = replace(world.resources, settings=settings)
    return signers


def sign(world: FieldWorld, delivery_id: str, signature: bytes) -> None:
    key = f"landing/prov={PROVINCE}/tanggal={NIGHT}/{delivery_id}/{SIGNATURE_NAME}"
    world.resources.store.put_bytes(world.resources.settings.landing_bucket, key, signature)


def document_of(world: FieldWorld, delivery_id: str) -> bytes:
    return json.dumps(manifest_of(world, delivery_id)).encode()


def test_a_province_that_has_a_key_delivers_with_its_signature_alone(
    world: FieldWorld, signing: dict[str, Signer]
) -> None:
    sound, unsigned, foreign, replayed = (
        world.deliver(NIGHT, [family(document, number=n)], produced_at=AT + timedelta(minutes=n))
        for n, document in enumerate("ABCD", start=1)
    )
    own = signing[PROVINCE].sign(document_of(world, sound), "a day of enumeration")
    sign(world, sound, own)
    sign(world, foreign, signing[OTHER].sign(document_of(world, foreign), "in another's name"))
    sign(world, replayed, own)
    world.run(NIGHT)
    assert dict(world.rows("SELECT delivery_id, reason FROM ledger.delivery")) == {
        sound: None,
        unsigned: "signature_missing",
        foreign: "signature_untrusted",
        replayed: "signature_invalid",
    }
    bucket = world.resources.settings.archive_bucket
    receipt = read_receipt(world.resources.store, bucket, province=PROVINCE, night=NIGHT, delivery_id=sound)
    assert receipt is not None and receipt.signature_sha256 == hashlib.sha256(own).hexdigest()
    # What was believed once is believed, whatever becomes of the key; what was not, is not.
    world.resources = replace(
        world.resources, settings=world.resources.settings.model_copy(update={"producer_keys_file": None})
    )
    before = world.rows("SELECT delivery_id, state, reason FROM ledger.delivery ORDER BY 1")
    replay(world.resources, NIGHT, [PROVINCE])
    assert world.rows("SELECT delivery_id, state, reason FROM ledger.delivery ORDER BY 1") == before
