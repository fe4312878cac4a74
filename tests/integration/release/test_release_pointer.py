"""What readers see: never half a release, never an older night, and a step back that nothing undoes by itself."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import text

from local_services.postgres import PostgresServer
from regsosek.errors import AuditError, DecisionError, ObjectStoreError, PointerError
from regsosek.release.lifecycle.pointer import POINTER
from regsosek.release.lifecycle.publication import publication_fault
from regsosek.release.lifecycle.rollback import repoint
from regsosek.release.lifecycle.thinning import STAYING, thin_out
from regsosek.release.lifecycle.verification import in_bucket, verify
from regsosek.release.lifecycle.withdrawal import MARK, withdraw
from regsosek.release.publish import Published
from regsosek.warehouse.nights.night_faults import faults_of
from support.deliveries.families import PROVINCE
from support.servers.lying_store import ALWAYS, Answer, LyingStore, half, lying_store, missing, nothing, page
from support.worlds.field_world import FieldWorld, family
from support.worlds.kept_state import keep_all
from support.worlds.published_world import (
    FIRST,
    PUBLISHED_RULES,
    SECOND,
    THIRD,
    CountingStore,
    back,
    other_plan,
    pointer,
    published_keys,
    read,
    receive,
    release,
    rollbacks,
    table,
    two_nights,
)

KEPT_RULES = PUBLISHED_RULES
TABLES_ALONE = True


def two_releases(world: FieldWorld) -> tuple[Published, Published]:
    receive(world, FIRST, [family("A")])
    first = release(world, FIRST)
    receive(world, SECOND, [family("B", number=2)])
    return first, release(world, SECOND)


@pytest.fixture(scope="module")
def made_once(
    prepared: FieldWorld, postgres_server: PostgresServer
) -> tuple[tuple[Published, Published], Callable[[], None]]:
    """The releases of two nights, and what brings them back as they were published."""
    published = two_releases(prepared.fresh())
    return published, keep_all(prepared, postgres_server)


@pytest.fixture
def both(
    world: FieldWorld, made_once: tuple[tuple[Published, Published], Callable[[], None]]
) -> tuple[Published, Published]:
    """``world`` with the releases of two nights, of which readers see the second."""
    published, restore = made_once
    restore()
    return published


def test_an_older_night_never_moves_the_pointer(world: FieldWorld) -> None:
    two_nights(world)
    newest = release(world, SECOND)
    older = release(world, FIRST)
    assert (older.current, newest.current) == (False, True)
    assert pointer(world)["release_id"] == newest.release_id
    assert table(world, older, "provinsi.csv")[PROVINCE]["dikunjungi"] == "4"


def test_killed_before_the_pointer_readers_see_the_old_release_and_a_retry_finishes(world: FieldWorld) -> None:
    receive(world, FIRST, [family("A")])
    old = release(world, FIRST)
    receive(world, SECOND, [family("B", number=2)])
    with pytest.raises(ObjectStoreError, match="killed"):
        release(world, SECOND, CountingStore(world.resources.store, broken_key=POINTER))
    assert pointer(world)["release_id"] == old.release_id
    retried = CountingStore(world.resources.store)
    new = release(world, SECOND, retried)
    assert retried.written == [POINTER]
    assert pointer(world)["release_id"] == new.release_id
    with world.resources.engine.connect() as connection:
        assert publication_fault(connection, SECOND, faults_of(connection, SECOND)) is None


def test_one_step_back_and_forward_again_only_by_other_content_or_a_later_night(
    world: FieldWorld, both: tuple[Published, Published], tmp_path: Path
) -> None:
    first, second = both
    assert back(world) == first.release_id == pointer(world)["release_id"]
    assert pointer(world)["rolled_back"] == [second.release_id]
    [(told,)] = rollbacks(world)
    assert told == {"release": second.release_id, "back_to": first.release_id, "by": "tester", "reason": "wrong plan"}
    again = release(world, SECOND)
    assert (again.release_id, again.current, pointer(world)["release_id"]) == (
        second.release_id, False, first.release_id,
    )  # fmt: skip
    other_plan(world, tmp_path, 50)
    mended = release(world, SECOND)
    assert (mended.current, pointer(world)["release_id"], pointer(world)["revision"]) == (True, mended.release_id, 2)
    assert back(world) == first.release_id
    receive(world, THIRD, [family("C", number=3)])
    third = release(world, THIRD)
    assert (third.current, pointer(world)["rolled_back"]) == (True, [second.release_id, mended.release_id])
    # what is new is told against what readers saw, not against what was taken back
    words = read(world, third.prefix + "changes.md").decode()
    assert (first.release_id in words, second.release_id in words) == (True, False)
    # one more step: what was taken back before is passed over, and does not come back either
    assert back(world) == first.release_id
    assert (release(world, SECOND).current, pointer(world)["release_id"]) == (False, first.release_id)
    with pytest.raises(DecisionError, match="nothing was published before"):
        back(world)


def test_a_rollback_that_was_killed_is_finished_by_the_next_call(
    world: FieldWorld, both: tuple[Published, Published]
) -> None:
    first, second = both
    with pytest.raises(ObjectStoreError, match="killed"):
        back(world, CountingStore(world.resources.store, broken_key=POINTER))
    assert pointer(world)["release_id"] == second.release_id
    assert back(world) == first.release_id
    assert len(rollbacks(world)) == 1
    # a warehouse that was lost learns from the pointer what was rolled back
    with world.resources.engine.begin() as connection:
        connection.execute(text("TRUNCATE release.release"))
    assert [release(world, night).current for night in (FIRST, SECOND)] == [True, False]
    assert world.rows("SELECT release_id FROM release.release WHERE rolled_back_at IS NOT NULL") == [
        (second.release_id,)
    ]


def test_other_content_is_a_new_revision_and_no_file_is_ever_written_twice(world: FieldWorld, tmp_path: Path) -> None:
    receive(world, FIRST, [family("A")])
    store = CountingStore(world.resources.store)
    plain = world.resources
    first = release(world, FIRST, store)
    other_plan(world, tmp_path, 40)
    second = release(world, FIRST, store)
    world.resources = plain
    # content that comes back is the release that it was, and the night's newest revision
    third = release(world, FIRST, store)
    assert (first.release_id == third.release_id, first.release_id == second.release_id) == (True, False)
    assert (pointer(world)["revision"], pointer(world)["release_id"]) == (3, first.release_id)
    written = [key for key in store.written if key != POINTER]
    assert len(written) == len(set(written))
    assert back(world) == second.release_id
    resources = world.resources
    resources.store.put_bytes(
        resources.settings.release_bucket, f"{first.prefix}manifest.json", b'{"content_hash": "other"}'
    )
    with pytest.raises(ObjectStoreError, match="never overwritten"):
        release(world, FIRST)


@pytest.fixture
def lying(world: FieldWorld) -> Iterator[LyingStore]:
    with lying_store(world) as store:
        yield store


def test_a_pointer_that_reads_wrongly_once_brings_no_rolled_back_release_to_the_readers(
    world: FieldWorld, both: tuple[Published, Published], lying: LyingStore
) -> None:
    first, second = both
    back(world)
    for told in (missing, half, page, nothing):
        lying.lie("GET", "terkini.json$", told)
        again = release(world, SECOND)
        assert (again.current, pointer(world)["release_id"]) == (False, first.release_id)
        assert pointer(world)["rolled_back"] == [second.release_id]


@pytest.mark.parametrize("told", [missing, half], ids=["missing", "half"])
def test_a_pointer_that_stays_unreadable_stops_the_release(
    world: FieldWorld, both: tuple[Published, Published], lying: LyingStore, told: Callable[[Answer], Answer]
) -> None:
    first, second = both
    back(world)
    lying.lie("GET", "terkini.json$", told, times=ALWAYS)
    with pytest.raises(ObjectStoreError, match=r"terkini\.json"):
        release(world, SECOND)
    lying.lies.clear()
    assert (pointer(world)["release_id"], pointer(world)["rolled_back"]) == (first.release_id, [second.release_id])


def test_a_lost_pointer_stops_everything_until_it_is_written_from_the_warehouse(
    world: FieldWorld, both: tuple[Published, Published]
) -> None:
    first, second = both
    back(world)
    resources = world.resources
    bucket = resources.settings.release_bucket
    resources.store.delete(bucket, POINTER)
    for act in (
        lambda: release(world, SECOND),
        lambda: back(world),
        lambda: thin_out(resources.publisher, resources.store, bucket, 7, dry_run=True),
    ):
        with pytest.raises(PointerError, match=rf"missing.*{second.release_id} and 1 more.*release repoint"):
            act()
    assert resources.store.size(bucket, POINTER) is None
    assert (
        repoint(resources.publisher, resources.store, bucket, by="sari", reason="deleted by hand").release_id
        == first.release_id
    )
    assert pointer(world)["rolled_back"] == [second.release_id]
    assert not release(world, SECOND).current
    with pytest.raises(DecisionError, match="agree"):
        repoint(resources.publisher, resources.store, bucket, by="sari", reason="again")
    assert world.rows("SELECT detail ->> 'by' FROM ledger.event WHERE kind = 'release_repointed'") == [("sari",)]


def test_a_pointer_restored_from_an_old_copy_is_not_believed(world: FieldWorld) -> None:
    receive(world, FIRST, [family("A")])
    release(world, FIRST)
    resources = world.resources
    old = read(world, POINTER)
    receive(world, SECOND, [family("B", number=2)])
    second = release(world, SECOND)
    resources.store.put_bytes(resources.settings.release_bucket, POINTER, old)
    receive(world, THIRD, [family("C", number=3)])
    with pytest.raises(PointerError, match=f"readers saw {second.release_id}"):
        release(world, THIRD)
    repoint(resources.publisher, resources.store, resources.settings.release_bucket, by="sari", reason="an old copy")
    assert pointer(world)["release_id"] == second.release_id
    assert release(world, THIRD).current


def test_a_file_that_reads_short_once_stops_no_release(world: FieldWorld, lying: LyingStore) -> None:
    receive(world, FIRST, [family("A")])
    lying.lie("GET", r"/desa\.csv$", half)
    assert release(world, FIRST).current


def test_readers_are_not_led_back_to_a_release_that_is_no_longer_whole(
    world: FieldWorld, both: tuple[Published, Published]
) -> None:
    first, second = both
    resources = world.resources
    resources.store.put_bytes(resources.settings.release_bucket, first.prefix + "desa.csv", b"")
    with pytest.raises(DecisionError, match=r"desa\.csv is not the published file"):
        back(world)
    assert pointer(world)["release_id"] == second.release_id
    assert rollbacks(world) == []


def test_a_thinned_release_still_tells_and_comes_back_when_it_is_published_again(
    world: FieldWorld, both: tuple[Published, Published]
) -> None:
    first, second = both
    receive(world, THIRD, [family("C", number=3)])
    release(world, THIRD)
    resources, bucket = world.resources, world.resources.settings.release_bucket
    whole = {key for key in published_keys(world) if key.startswith(first.prefix)}
    told = thin_out(resources.publisher, resources.store, bucket, 1, dry_run=True)
    assert [(each.release_id, each.files) for each in told] == [(first.release_id, len(whole) - len(STAYING))]
    assert whole <= published_keys(world)
    assert thin_out(resources.publisher, resources.store, bucket, 1, dry_run=False) == told
    assert thin_out(resources.publisher, resources.store, bucket, 1, dry_run=False) == []
    assert {key.removeprefix(first.prefix) for key in whole & published_keys(world)} == STAYING
    # a later night compares itself with it as before, and so does the same night published once more
    assert release(world, SECOND) == replace(second, current=False)
    assert release(world, FIRST) == replace(first, current=False)
    assert whole <= published_keys(world)
    assert verify(in_bucket(resources.store, bucket, first.prefix), None).faults == ()


def test_a_release_that_told_too_much_is_taken_away_and_does_not_come_back(
    world: FieldWorld, both: tuple[Published, Published]
) -> None:
    first, second = both
    resources, bucket = world.resources, world.resources.settings.release_bucket

    def take_away(release_id: str) -> int:
        return withdraw(
            resources.publisher, resources.store, bucket, release_id, by="sari", reason="cells of two families"
        )

    with pytest.raises(DecisionError, match="was not rolled back"):
        take_away(second.release_id)
    assert back(world) == first.release_id
    assert take_away(second.release_id) > 10
    left = {key.removeprefix(second.prefix) for key in published_keys(world) if key.startswith(second.prefix)}
    assert left - {"manifest.json.minisig"} == {"manifest.json", MARK}
    assert take_away(second.release_id) == 0
    with world.resources.engine.begin() as connection:  # a warehouse that is rebuilt knows of it by the mark
        connection.execute(text("DELETE FROM ledger.event WHERE kind = 'release_withdrawn'"))
    with pytest.raises(AuditError, match="was withdrawn because of what it told"):
        release(world, SECOND)
