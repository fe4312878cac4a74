"""Discovery: every key is accounted for, and the order of the listing decides nothing."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regsosek.landing.discovery import (
    SHOWN_STRAYS,
    DeliveryFolder,
    discover,
    is_debris,
    is_folder_marker,
    misplaced,
    place_of,
)
from regsosek.landing.store import StoredObject

NIGHT = date(2022, 10, 21)
FIRST, SECOND = "01GFXXXXXXXXXXXXXXXXXXXXX1", "01GFXXXXXXXXXXXXXXXXXXXXX2"
FOLDER = f"landing/prov=35/tanggal=2022-10-21/{FIRST}/"

folders = st.builds(
    lambda days, delivery_id: f"landing/prov=35/tanggal={NIGHT + timedelta(days)}/{delivery_id}/",
    st.integers(-2, 2),
    st.sampled_from([FIRST, SECOND]),
)
file_names = st.sampled_from(
    ["manifest.json", "keluarga-00001.csv.gz", "anggota-00001.csv.gz", "anggota-00002.parquet"]
)
odd_names = st.sampled_from(
    ["", ".DS_Store", "../x.csv.gz", "catatan.txt", "manifest.json.tmp", "keluarga-1.csv.gz", "a/b"]
)
odd_keys = st.text(max_size=30).map(lambda text: f"landing/prov=35/{text}")
keys = st.lists(st.one_of(st.tuples(folders, file_names | odd_names).map("".join), odd_keys), unique=True)


def fill(store, names):
    for name in names:
        store.put_bytes("landing", name, b"")
    return store


@given(names=keys, data=st.data())
def test_order_of_listing_decides_nothing(new_store, names, data):
    shuffled = data.draw(st.permutations(names))
    as_listed = discover(fill(new_store(), names), "landing", "35", NIGHT)
    assert discover(fill(new_store(), shuffled), "landing", "35", NIGHT) == as_listed


@given(names=keys)
def test_every_key_is_part_of_a_delivery_or_unfinished_or_later_or_a_stray(new_store, names):
    found = discover(fill(new_store(), names), "landing", "35", NIGHT)
    prefixes = {folder.prefix for folder in (*found.deliveries, *found.unfinished, *found.later)}
    markers = {name for name in names if is_folder_marker(StoredObject(name, 0, ""))}
    in_folders = {name for name in names if name not in found.strays and not is_debris(name)} - markers
    assert all(name.rpartition("/")[0] + "/" in prefixes for name in in_folders)
    assert len(in_folders) + found.stray_count + found.debris + len(markers) == len(names)
    assert len(found.deliveries) + len(found.unfinished) + len(found.later) == len(prefixes)


@given(names=keys)
def test_a_delivery_is_a_folder_with_a_manifest_up_to_the_night(new_store, names):
    found = discover(fill(new_store(), names), "landing", "35", NIGHT)
    assert all(folder.prefix + "manifest.json" in names and folder.delivered_on <= NIGHT for folder in found.deliveries)
    assert all(folder.prefix + "manifest.json" not in names for folder in found.unfinished)
    assert all(folder.delivered_on > NIGHT for folder in found.later)


def test_the_marks_of_folders_are_nothing(store):
    fill(store, ["landing/", "landing/prov=35/", "landing/prov=35/tanggal=2022-10-21/", FOLDER, "reference/"])
    found = discover(store, "landing", "35", NIGHT)
    assert (found.stray_count, found.unfinished, found.deliveries) == (0, (), ())
    assert misplaced(store, "landing", ["35"]) == ()


@pytest.mark.parametrize(
    ("key", "content"),
    [
        (FOLDER, b"not empty"),
        ("landing/prov=35/arsip/", b""),
        ("landing/prov=35/tanggal=21-10-2022/", b""),
        (f"{FOLDER}dalam/", b""),
    ],
)
def test_what_only_looks_like_the_mark_of_a_folder_is_a_stray(store, key, content):
    store.put_bytes("landing", key, content)
    assert discover(store, "landing", "35", NIGHT).strays == (key,)


def test_what_tools_leave_is_no_stray_and_counted_apart(store):
    left = ["_SUCCESS", ".keluarga-00001.csv.gz.crc", ".DS_Store", "._manifest.json", "Thumbs.db"]
    fill(store, [f"landing/prov=35/{name}" for name in left] + [FOLDER + name for name in left])
    found = discover(fill(store, [f"{FOLDER}keluarga.csv"]), "landing", "35", NIGHT)
    assert (found.strays, found.stray_count, found.debris) == ((f"{FOLDER}keluarga.csv",), 1, 10)
    assert found.unfinished == ()


@pytest.mark.parametrize(
    ("today", "misdated"),
    [
        # The night is run in the morning after it, and an office in the east has the next day's date already.
        (NIGHT + timedelta(1), [NIGHT + timedelta(3)]),
        # The same night run again, when the days to come of then have passed.
        (NIGHT + timedelta(30), []),
    ],
)
def test_a_folder_is_misdated_when_no_clock_has_come_to_its_day(store, today, misdated):
    days = [NIGHT, *(NIGHT + timedelta(ahead) for ahead in (1, 2, 3))]
    fill(store, [f"landing/prov=35/tanggal={day}/{FIRST}/manifest.json" for day in days])
    found = discover(store, "landing", "35", NIGHT)
    assert [folder.delivered_on for folder in found.later] == days[1:]
    assert [folder.delivered_on for folder in found.misdated(today)] == misdated


def test_deliveries_come_by_day_then_id(store):
    days = [(NIGHT, SECOND), (NIGHT, FIRST), (NIGHT - timedelta(1), SECOND)]
    fill(store, [f"landing/prov=35/tanggal={day}/{delivery}/manifest.json" for day, delivery in days])
    found = discover(store, "landing", "35", NIGHT)
    assert [(folder.delivered_on, folder.delivery_id) for folder in found.deliveries] == sorted(days)


def test_a_reused_delivery_id_shows_twice(store):
    fill(store, [f"landing/prov=35/tanggal=2022-10-{day}/{FIRST}/manifest.json" for day in (20, 21)])
    assert [f.delivered_on.day for f in discover(store, "landing", "35", NIGHT).deliveries] == [20, 21]


def test_other_provinces_are_not_seen(store):
    fill(store, [f"landing/prov=36/tanggal=2022-10-21/{FIRST}/manifest.json", "landing/prov=351/x"])
    found = discover(store, "landing", "35", NIGHT)
    assert not found.deliveries
    assert found.stray_count == 0


@pytest.mark.parametrize(
    "key",
    [
        f"{FOLDER}../manifest.json",
        f"{FOLDER}./manifest.json",
        f"{FOLDER}sub/manifest.json",
        f"{FOLDER}Manifest.json",
        f"{FOLDER}manifest.json\n",
        f"{FOLDER}keluarga-00001.csv.gz\n",
        f"{FOLDER}keluarga-00001.csv",
        f"{FOLDER}keluarga-\u0661\u0661\u0661\u0661\u0661.csv.gz",
        FOLDER,
        f"/{FOLDER}manifest.json",
        f"landing//prov=35/tanggal=2022-10-21/{FIRST}/manifest.json",
        f"landing/prov=35/tanggal=2022-02-31/{FIRST}/manifest.json",
        f"landing/prov=35/tanggal=20221021/{FIRST}/manifest.json",
        f"landing/prov=35/tanggal=1666310400/{FIRST}/manifest.json",
        f"landing/prov=35/2022-10-21/{FIRST}/manifest.json",
        f"landing/prov=5/tanggal=2022-10-21/{FIRST}/manifest.json",
        f"landing/35/tanggal=2022-10-21/{FIRST}/manifest.json",
        f"landing/prov=35/tanggal=2022-10-21/{FIRST.lower()}/manifest.json",
        f"landing/prov=35/tanggal=2022-10-21/{FIRST}0/manifest.json",
        f"landing/prov=35/tanggal=2022-10-21/{FIRST}\n/manifest.json",
        "landing/prov=35/tanggal=2022-10-21/../manifest.json",
        "",
    ],
)
def test_what_only_looks_like_a_delivery_is_a_stray(key):
    assert place_of(key) is None


def test_a_file_in_its_place_is_recognised():
    folder = DeliveryFolder(province="35", delivered_on=NIGHT, delivery_id=FIRST)
    assert folder.prefix == FOLDER
    assert place_of(f"{FOLDER}manifest.json") == (folder, "manifest.json")
    assert place_of(f"{FOLDER}anggota-00012.csv.gz") == (folder, "anggota-00012.csv.gz")


def test_a_heap_of_rubbish_is_counted_and_not_kept(store):
    rubbish = [f"landing/prov=35/{number:05d}.tmp" for number in range(5_000)]
    found = discover(fill(store, reversed(rubbish)), "landing", "35", NIGHT)
    assert found.stray_count == 5_000
    assert list(found.strays) == rubbish[:SHOWN_STRAYS]


def test_what_no_province_will_look_at_is_misplaced(store):
    fill(store, ["landing/prov=35/x", "landing/prov=053/y", "landing/readme", "Landing/prov=35/z", "kiriman.zip"])
    assert misplaced(store, "landing", ["35", "36"]) == (
        "Landing/",
        "kiriman.zip",
        "landing/prov=053/",
        "landing/readme",
    )
