"""A store, or something before it, that answers wrongly: no night takes its word for what a province delivered."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from regsosek.errors import LostRaceError
from regsosek.landing.archive import Seal, canonical_json, read_receipt, read_seal
from regsosek.landing.store import ABSENT
from regsosek.night import nightly
from regsosek.night.discovery import applicable_rules
from regsosek.night.discovery.sealing import seal_night
from regsosek.night.nightly import run_night
from support.checks.matrix import cells
from support.deliveries.families import PROVINCE
from support.servers.lying_store import (
    ALWAYS,
    Answer,
    LyingStore,
    broken_page,
    half,
    half_without_length,
    lower_case,
    lying_store,
    missing,
    no_entries,
    no_entries_of,
    nothing,
    page,
    twice_without_length,
    uncounted,
)
from support.servers.lying_store import word as words
from support.worlds.field_world import CompiledJudge, FieldWorld, family

TABLES_ALONE = True
KEPT_RULES = ("C-303", "F05")
NIGHT, NEXT = date(2022, 10, 21), date(2022, 10, 22)
AT = datetime(2022, 10, 20, 12, tzinfo=UTC)
LISTING = rf"prefix=landing/prov={PROVINCE}/"
MANIFEST = r"/manifest\.json$"
FILE = r"/keluarga-00001\.csv\.gz$"


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch, prepared: FieldWorld) -> None:
    """Judges by a few rules and the compiled SQL, and publishes nothing: that is the question of other tests."""
    monkeypatch.setattr(nightly, "load_suites", lambda _: prepared.suites)
    monkeypatch.setattr(applicable_rules, "Judge", CompiledJudge)
    monkeypatch.setattr(nightly, "_try_publish", lambda _resources, _night: None)


@pytest.fixture
def store(world: FieldWorld) -> Iterator[LyingStore]:
    with lying_store(world) as lying:
        yield lying


def deliver(world: FieldWorld, night: date = NIGHT, *names: str) -> str:
    families = [family(name, number=ord(name)) for name in names or ("A", "B")]
    return world.deliver(night, families, produced_at=AT + (night - NIGHT))


def run(world: FieldWorld, night: date = NIGHT) -> Mapping[str, str]:
    """What failed of the night, by province."""
    return run_night(world.resources, night, [PROVINCE], alerts=False).outcome.failed


def states(world: FieldWorld) -> list[tuple[object, ...]]:
    return world.rows("SELECT state, reason FROM ledger.delivery ORDER BY night, position")


def visited(world: FieldWorld, night: date = NIGHT) -> int:
    return sum(row[2] for row in world.progress(night))


NO_LISTINGS = {
    "page": page,
    "page that is no XML": broken_page,
    "nothing": nothing,
    "listing without its end": words(b"<IsTruncated>false</IsTruncated>", b""),
    "unknown word": words(b"<IsTruncated>false<", b"<IsTruncated>perhaps<"),
    "listing of another place": words(b"<Key>landing", b"<Key>elsewhere"),
    "nothing in another place": no_entries_of(b"Prefix"),
    "nothing in another bucket": no_entries_of(b"Name"),
    "a count and no entries": uncounted,
    "entries in lower case": lower_case,
    "a count that is no number": words(b"<KeyCount>", b"<KeyCount>some "),
}


@pytest.mark.parametrize(
    "told", cells(NO_LISTINGS, always={"page", "listing without its end", "a count and no entries"})
)
def test_an_answer_that_is_no_listing_is_asked_again(
    world: FieldWorld, store: LyingStore, told: Callable[[Answer], Answer]
) -> None:
    deliver(world)
    store.lie("GET", LISTING, told)
    assert run(world) == {}
    assert states(world) == [("accepted", None)]


@pytest.mark.parametrize("told", cells(NO_LISTINGS, always={"nothing", "listing of another place"}))
def test_a_store_that_gives_no_listing_stops_the_province_and_seals_nothing(
    world: FieldWorld, store: LyingStore, told: Callable[[Answer], Answer]
) -> None:
    deliver(world)
    store.lie("GET", LISTING, told, times=ALWAYS)
    assert f"list {world.resources.settings.landing_bucket}/landing/prov={PROVINCE}/" in run(world)[PROVINCE]
    assert world.rows("SELECT count(*) FROM ledger.seal") == [(0,)]
    store.lies.clear()
    assert run(world) == {}
    assert states(world) == [("accepted", None)]


WRONG_ONCE = {
    "missing": missing,
    "half": half,
    "half without its length": half_without_length,
    "twice without its length": twice_without_length,
    "page": page,
    "page that is no XML": broken_page,
    "nothing": nothing,
}


@pytest.mark.parametrize("address", [MANIFEST, FILE], ids=["manifest", "file"])
@pytest.mark.parametrize("told", cells(WRONG_ONCE, always={"missing", "half without its length"}))
def test_one_wrong_answer_rejects_no_sound_delivery(
    world: FieldWorld, store: LyingStore, address: str, told: Callable[[Answer], Answer]
) -> None:
    deliver(world)
    store.lie("GET", world.resources.settings.landing_bucket + ".*" + address, told)
    assert run(world) == {}
    assert states(world) == [("accepted", None)]
    assert visited(world) == 2


@pytest.mark.parametrize("address", [MANIFEST, FILE], ids=["manifest", "file"])
@pytest.mark.parametrize("told", cells(WRONG_ONCE, always={"half", "page"}))
def test_a_store_that_contradicts_its_own_listing_stops_the_province_not_the_delivery(
    world: FieldWorld, store: LyingStore, address: str, told: Callable[[Answer], Answer]
) -> None:
    deliver(world)
    store.lie("GET", world.resources.settings.landing_bucket + ".*" + address, told, times=ALWAYS)
    assert "ObjectStoreError: get" in run(world)[PROVINCE]
    assert states(world) == [("registered", None)]
    store.lies.clear()
    assert run(world) == {}
    assert states(world) == [("accepted", None)]


def test_listing_and_reading_that_agree_once_reject_nothing(world: FieldWorld, store: LyingStore) -> None:
    delivery = deliver(world)
    # Both from a replica that has not heard of the file yet, as long as the first look at the files lasts.
    store.lie("GET", f"prefix=.*{delivery}", no_entries, times=2, after=1)
    store.lie("GET", world.resources.settings.landing_bucket + ".*" + FILE, missing, times=1)
    assert run(world) == {}
    assert states(world) == [("accepted", None)]


def test_two_readings_that_differ_stop_the_province(world: FieldWorld, store: LyingStore) -> None:
    delivery = deliver(world)
    landing = world.resources.settings.landing_bucket
    file = f"landing/prov={PROVINCE}/tanggal={NIGHT}/{delivery}/keluarga-00001.csv.gz"
    whole = world.resources.store.get_bytes(landing, file, max_bytes=10**6)
    assert whole is not None
    world.resources.store.put_bytes(landing, file, whole[:-1])
    store.lie("GET", f"prefix=.*{delivery}", no_entries, times=2, after=1)
    store.lie("GET", landing + ".*" + FILE, missing, times=1)
    failed = run(world)[PROVINCE]
    assert f"delivery {delivery}" in failed and "file_missing" in failed and "file_size" in failed
    assert states(world) == [("registered", None)]


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [("keluarga-00001.csv.gz", "file_size"), ("manifest.json", "manifest_unreadable")],
)
def test_what_two_readings_say_is_rejected(world: FieldWorld, store: LyingStore, spoil: str, reason: str) -> None:
    delivery = deliver(world)
    folder = f"landing/prov={PROVINCE}/tanggal={NIGHT}/{delivery}/"
    world.resources.store.put_bytes(world.resources.settings.landing_bucket, folder + spoil, b"short")
    store.asked.clear()
    assert run(world) == {}
    assert states(world) == [("rejected", reason)]
    assert len([each for each in store.asked if each.startswith(("GET", "HEAD")) and each.endswith("/" + spoil)]) == 2


def test_the_two_readings_lie_a_pause_apart(
    world: FieldWorld, store: LyingStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    slept: list[float] = []
    monkeypatch.setattr("regsosek.night.discovery.fetching.sleep", slept.append)
    delivery = deliver(world)
    key = f"landing/prov={PROVINCE}/tanggal={NIGHT}/{delivery}/keluarga-00001.csv.gz"
    world.resources.store.delete(world.resources.settings.landing_bucket, key)
    slower = world.resources.settings.model_copy(update={"second_look_seconds": 7})
    world.resources = replace(world.resources, settings=slower)
    run(world)
    assert (states(world), slept) == ([("rejected", "file_missing")], [7])


@pytest.mark.parametrize("record", ["receipts", "decisions"])
def test_a_record_of_the_archive_that_reads_missing_once_is_read_again(
    world: FieldWorld, store: LyingStore, record: str
) -> None:
    deliver(world)
    seal_night(world.resources, PROVINCE, NIGHT, world.suites)  # by a process that ended then
    store.lie("GET", f"/{record}/", missing)
    assert run(world) == {}
    assert states(world) == [("accepted", None)]


def test_a_receipt_that_is_gone_is_a_fault_that_names_it(world: FieldWorld, store: LyingStore) -> None:
    delivery = deliver(world)
    seal_night(world.resources, PROVINCE, NIGHT, world.suites)  # by a process that ended then
    store.lie("GET", "/receipts/", missing, times=ALWAYS)
    failed = run(world)[PROVINCE]
    assert "ObjectStoreError" in failed and delivery in failed


@pytest.mark.parametrize("told", [page, nothing], ids=["page", "nothing"])
@pytest.mark.parametrize("record", ["receipts", "seals", "objects"])
def test_a_write_that_was_answered_by_somebody_else_is_made_again(
    world: FieldWorld, store: LyingStore, record: str, told: Callable[[Answer], Answer]
) -> None:
    delivery = deliver(world)
    store.lie("PUT", f"/{record}/", told)
    assert run(world) == {}
    archive = world.resources.settings.archive_bucket
    assert read_receipt(world.resources.store, archive, province=PROVINCE, night=NIGHT, delivery_id=delivery)
    assert states(world) == [("accepted", None)]


@pytest.mark.parametrize("conditions", ["honoured", "ignored", "refused"])
def test_a_night_runs_whatever_the_store_makes_of_conditions(
    world: FieldWorld, store: LyingStore, conditions: str
) -> None:
    deliver(world)
    store.conditions = conditions
    assert run(world) == {}
    assert states(world) == [("accepted", None)]
    # A write that was made and whose answer got lost finds itself there at the next try.
    deliver(world, NEXT, "C")
    store.lie("PUT", "/seals/", nothing)
    assert run(world, NEXT) == {}
    assert states(world) == [("accepted", None), ("accepted", None)]


def test_who_comes_second_overwrites_nothing_and_is_told(world: FieldWorld, store: LyingStore) -> None:
    archive, mine = world.resources.settings.archive_bucket, world.resources.store
    store.conditions = "honoured"
    mine.put_bytes(archive, "seals/x.json", b"first", over=ABSENT)
    mine.put_bytes(archive, "seals/x.json", b"first", over=ABSENT)
    with pytest.raises(LostRaceError, match=rf"put {archive}/seals/x\.json.*nothing was overwritten"):
        mine.put_bytes(archive, "seals/x.json", b"second", over=ABSENT)
    tag = mine.etag(archive, "seals/x.json")
    mine.put_bytes(archive, "seals/x.json", b"third", over=tag)
    with pytest.raises(LostRaceError):
        mine.put_bytes(archive, "seals/x.json", b"fourth", over=tag)
    with pytest.raises(LostRaceError):
        mine.put_bytes(archive, "seals/y.json", b"fifth", over=tag)
    assert mine.get_bytes(archive, "seals/x.json", max_bytes=9) == b"third"


def test_a_store_that_refuses_conditions_is_asked_without_them_from_then_on(
    world: FieldWorld, store: LyingStore
) -> None:
    archive, mine = world.resources.settings.archive_bucket, world.resources.store
    store.conditions = "refused"
    for content in (b"first", b"second"):
        mine.put_bytes(archive, "seals/x.json", content, over=ABSENT)
    assert (mine.takes_conditions, len(store.asked)) == (False, 3)
    assert mine.get_bytes(archive, "seals/x.json", max_bytes=9) == b"second"


def test_two_runs_past_the_lock_seal_a_night_once(world: FieldWorld, store: LyingStore) -> None:
    deliver(world)
    store.conditions = "honoured"
    archive, honest = world.resources.settings.archive_bucket, store.honest
    stranger = Seal(province=PROVINCE, night=NIGHT, sealed_at=AT, delivery_ids=())

    # Between the look for a seal and its writing.
    store.before = ("PUT .*/seals/", lambda: honest.put_bytes(archive, stranger.key, canonical_json(stranger)))
    assert "LostRaceError" in run(world)[PROVINCE]
    assert read_seal(honest, archive, province=PROVINCE, night=NIGHT) == stranger
    assert world.rows("SELECT count(*) FROM ledger.seal") == [(0,)]
