"""The right to a province or to the release is lost in silence: the run that lost it writes nothing any more."""

import multiprocessing
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text

from regsosek.errors import LockLostError
from regsosek.landing.archive import read_receipt
from regsosek.release.lifecycle.pointer import seen
from regsosek.resources import open_resources
from regsosek.settings import Settings
from regsosek.warehouse.locks import PROVINCE_LOCK, RELEASE_LOCK, province_lock
from support.deliveries.families import PROVINCE
from support.worlds.field_world import CompiledJudge, FieldWorld, family, faulty, few_rules
from support.worlds.other_process import Step, Wait, interrupted, start_night
from support.worlds.published_world import back, pointer, receive, release

TABLES_ALONE = True
NIGHT = date(2022, 10, 21)
AT = datetime(2022, 10, 20, 12, tzinfo=UTC)
PATIENCE_SECONDS = 30
RECEIVING, RECEPTION = "regsosek.night.receiving.receiving", "regsosek.night.receiving.reception"
PARTS, LEDGER = "regsosek.night.receiving.parts", "regsosek.warehouse.nights.ledger"


@pytest.fixture(scope="module")
def prepared(services_env: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[FieldWorld]:
    with open_resources(services_env) as resources:
        world = FieldWorld(resources, few_rules())
        world.prepare(tmp_path_factory.mktemp("reference"))
        yield world


@pytest.fixture(autouse=True)
def _compiled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("regsosek.night.discovery.applicable_rules.Judge", CompiledJudge)


def end_lock_session(world: FieldWorld, lock: int = PROVINCE_LOCK) -> None:
    """What a failover, an administrator or a firewall does to the session that holds the lock."""
    query = "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND granted AND classid = :lock"
    assert world.rows(query, lock=lock) == [(True,)]


def deliver(world: FieldWorld) -> None:
    parts = [[family("A"), family("B", number=2)], [faulty("C", number=3), family("D", number=4)]]
    world.deliver(NIGHT, parts, produced_at=AT)


@pytest.mark.parametrize(
    "step",
    [
        Step(f"{RECEIVING}.seal_night"),
        Step(f"{PARTS}.load_part"),
        Step(f"{PARTS}.load_part", call=2),
        Step(f"{RECEPTION}.fetch_files"),
    ],
    ids=str,
)
def test_who_lost_the_lock_is_refused_whether_anybody_took_it_or_not(world: FieldWorld, step: Step) -> None:
    deliver(world)
    with interrupted(step, lambda: end_lock_session(world)), pytest.raises(LockLostError, match=f"province {PROVINCE}"):
        world.run(NIGHT)
    assert world.run(NIGHT).states == {"accepted": 1}
    assert world.counts() == [(4, 3, 1, 0, 0, 0, 0)]


def test_who_lost_the_lock_rejects_nothing_in_the_archive_either(world: FieldWorld) -> None:
    store, settings = world.resources.store, world.resources.settings
    delivery_id = world.deliver(NIGHT, [family("A")], produced_at=AT)
    [missing] = [each.key for each in store.list_objects(settings.landing_bucket, "landing/") if "anggota" in each.key]
    store.delete(settings.landing_bucket, missing)
    step = Step(f"{RECEPTION}.fetch_files", before=True)
    with interrupted(step, lambda: end_lock_session(world)), pytest.raises(LockLostError, match=f"province {PROVINCE}"):
        world.run(NIGHT)

    def outcome() -> str | None:
        bucket = settings.archive_bucket
        found = read_receipt(store, bucket, province=PROVINCE, night=NIGHT, delivery_id=delivery_id)
        return found and found.outcome

    assert outcome() is None
    assert world.run(NIGHT).states == {"rejected": 1}
    assert outcome() == "rejected"


def begin_and_pause(world: FieldWorld, step: Step) -> tuple[Any, Wait]:
    """A night in a process of its own that stands still at ``step``."""
    context = multiprocessing.get_context("forkserver")
    wait = Wait(context.Event(), context.Event())
    process = start_night(world, NIGHT, PROVINCE, step, wait)
    assert wait.reached.wait(PATIENCE_SECONDS)
    return process, wait


@pytest.mark.parametrize(
    "before_the_flip",
    [Step(f"{RECEPTION}.exceeding", before=True), Step(f"{LEDGER}.accept", before=True)],
    ids=["outside of the transaction", "within it"],
)
def test_a_second_run_never_makes_a_family_a_duplicate_of_itself(world: FieldWorld, before_the_flip: Step) -> None:
    """A pauses before the flip and loses its lock; B pauses before recognising; A goes on, then B."""
    deliver(world)
    first, go_first = begin_and_pause(world, before_the_flip)
    end_lock_session(world)
    second, go_second = begin_and_pause(world, Step(f"{PARTS}.fetch_known", before=True))
    go_first.go.set()
    first.join(PATIENCE_SECONDS)
    go_second.go.set()
    second.join(PATIENCE_SECONDS)
    assert (first.exitcode, second.exitcode) == (1, 0)
    assert world.counts() == [(4, 3, 1, 0, 0, 0, 0)]
    assert world.rows("SELECT count(*) FROM core.keluarga") == [(3,)]


def test_a_delivery_that_another_run_decided_is_not_decided_again(world: FieldWorld) -> None:
    deliver(world)
    decide = "UPDATE ledger.delivery SET state = 'rejected', reason = 'file_size', detail = '' WHERE true RETURNING 1"

    def decided() -> None:
        with world.resources.engine.begin() as connection:
            connection.execute(text(decide))

    with interrupted(Step(f"{PARTS}.stage", before=True), decided), pytest.raises(LockLostError, match="is rejected"):
        world.run(NIGHT)
    assert world.rows("SELECT count(*) FROM core.kasus") == [(0,)]


def test_each_holder_draws_a_higher_token(world: FieldWorld) -> None:
    tokens = []
    for _ in range(3):
        with province_lock(world.resources.engine, PROVINCE) as held:
            tokens.append(held.token)
    assert tokens == sorted(set(tokens))


def test_a_publication_that_lost_its_right_moves_no_pointer(world: FieldWorld) -> None:
    receive(world, NIGHT, [family("A")])
    step = Step("regsosek.release.publish._verify")
    with interrupted(step, lambda: end_lock_session(world, RELEASE_LOCK)), pytest.raises(LockLostError):
        release(world, NIGHT)
    resources = world.resources
    assert seen(resources.store, resources.settings.release_bucket) is None
    assert world.rows("SELECT count(*) FROM release.release") == [(0,)]
    assert release(world, NIGHT).current


def test_a_rollback_that_lost_its_right_leads_nobody_back(world: FieldWorld) -> None:
    for night in (NIGHT, NIGHT + timedelta(days=1)):
        receive(world, night, [family(f"D{night.day}", number=night.day)])
        release(world, night)
    before = pointer(world)
    step = Step("regsosek.release.lifecycle.rollback._require_whole", before=True)
    with interrupted(step, lambda: end_lock_session(world, RELEASE_LOCK)), pytest.raises(LockLostError):
        back(world)
    assert pointer(world) == before
    back(world)
    assert pointer(world)["night"] == str(NIGHT)
