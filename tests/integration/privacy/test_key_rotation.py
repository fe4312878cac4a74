"""A newer key of the hashes: what is known is recognised as before, whichever of the keys made it."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from regsosek.errors import ConfigurationError, DefectError
from regsosek.night import rotating
from regsosek.night.erasure.limiting import complete_limits, limit_case
from regsosek.night.replaying import replay
from regsosek.night.rotating import rotate
from regsosek.privacy.erasure.limitation import list_limits
from regsosek.privacy.trail.access_trail import Access, AccessTrail
from regsosek.privacy.trail.person_trail import cases_of_number, trail_of_case
from regsosek.release.rereading.archived_cases import Archive, read_cases
from regsosek.staging.pseudonyms import hashed_on
from regsosek.warehouse.access.hidden_cases import hidden_cases
from support.deliveries.families import PROVINCE
from support.worlds.field_world import FieldWorld, family, faulty
from support.worlds.published_world import FIRST, PUBLISHED_RULES, SECOND, THIRD, receive, release

TABLES_ALONE = True
KEPT_RULES = PUBLISHED_RULES
NIK = "6472015505800078"
NEWER = "a-newer-key-of-32-characters-or-so"
HASHES = (
    "SELECT night, delivery_id, part, row_no, case_id, content_hash, status FROM core.kasus ORDER BY 1, 2, 3, 4",
    "SELECT night, delivery_id, part, row_no, nik_hash FROM core.anggota ORDER BY 1, 2, 3, 4",
    "SELECT night, delivery_id, part, row_no, kk_hash FROM core.keluarga ORDER BY 1, 2, 3, 4",
    "SELECT case_id, state, waiting, night, row_no FROM core.kasus_terkini ORDER BY night, row_no",
    "SELECT night, delivery_id, rule_id, case_id FROM quality.reason ORDER BY 1, 2, 3, 4",
    "SELECT night, delivery_id, dataset, row_no, case_id FROM restricted.quarantined ORDER BY 1, 2, 3, 4",
    "SELECT placed_code, enumerated_on, night, cause, visited, complete FROM mart.change ORDER BY 1, 2, 3, 4",
)


def with_keys(world: FieldWorld, *newer: str) -> None:
    """The processes are given ``newer`` keys behind the one that they have."""
    own = world.resources.settings.hash_keys[0].decode()
    settings = world.resources.settings.model_copy(update={"hmac_key": SecretStr(",".join((own, *newer)))})
    world.resources = replace(world.resources, settings=settings)


def everything(world: FieldWorld) -> list[list[tuple[Any, ...]]]:
    return [world.rows(query) for query in HASHES]


def turned(world: FieldWorld) -> list[rotating.RotationState]:
    return list(rotate(world.resources, [PROVINCE], by="sari", reason="yearly"))


def families() -> list[Any]:
    """A clean one with numbers, an error, and one whose id may not be shown."""
    row, members = family("A", r114_no_kk="6472010101010001")
    numbered = (row, [member | {"r403_nik": NIK} for member in members])
    return [numbered, faulty("B", number=2), family(NIK, number=3)]


def hashes(found: list[list[tuple[Any, ...]]]) -> list[bytes]:
    """The hashes of contents, NIK and KK, and of ids that may not be shown, row by row."""
    shown = [bytes(value) for table in found for row in table for value in row if isinstance(value, memoryview | bytes)]
    ids = [bytes.fromhex(row[-1][1:]) for row in found[4] if row[-1].startswith("?")]
    return shown + ids


def _killed(*_: object, **__: object) -> None:
    raise KeyError


def test_what_is_known_is_recognised_with_a_newer_key(
    world: FieldWorld, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    replaced = receive(world, FIRST, [*families(), family("C", number=5)])
    with_keys(world, NEWER)
    receive(world, SECOND, families(), supersedes=[replaced])  # nights go on with the key that the hashes have
    published, before = release(world, SECOND), everything(world)
    [unshown] = [case for (case,) in world.rows("SELECT case_id FROM core.kasus_terkini") if case.startswith("?")]
    seen = Access("sari", "operator", (PROVINCE,), "portal_quarantine", "keluarga")
    AccessTrail(world.resources.engine, world.resources.settings.trail_secret).enter(seen, PROVINCE, [unshown])
    limit_case(world.resources, PROVINCE, unshown, request="P-1", by="sari", reason="what it says is disputed")
    with monkeypatch.context() as killed, pytest.raises(DefectError):
        killed.setattr(rotating, "note_keys", _killed)
        turned(world)
    complete_limits(world.resources, PROVINCE)  # as a night does
    assert everything(world) == before
    [done] = turned(world)
    assert (done.generation, done.done) == (2, True)
    [now] = [case for (case,) in world.rows("SELECT case_id FROM core.kasus_terkini") if case.startswith("?")]
    with world.resources.engine.connect() as connection:
        [entry] = trail_of_case(connection, world.resources.settings.trail_secrets, PROVINCE, now).accesses
        found = cases_of_number(connection, world.resources.settings.hash_keys, PROVINCE, "nik", NIK)
        hidden = hidden_cases(connection, PROVINCE)
    assert (entry.account, found, now in hidden) == ("sari", ["A"], True)
    archived = list_limits(world.resources.store, world.resources.settings.archive_bucket, PROVINCE)
    assert {each.case_id for each in archived} == {unshown, now}
    after = everything(world)
    assert not set(hashes(before)) & set(hashes(after))
    left_out = world.rows("SELECT content_hash FROM core.kasus WHERE part = 0")[0][0]
    derived = {bytes(left_out)}
    made = [hashed_on(each, (NEWER.encode(),)) for each in hashes(before)]
    assert set(hashes(after)) - derived <= set(made)
    assert release(world, SECOND).content_hash == published.content_hash
    assert turned(world) == [done]  # a second call finds nothing to do
    receive(world, THIRD, families())
    archive = Archive(world.resources.archive, tmp_path, world.resources.settings.hash_keys)
    with world.resources.engine.connect() as connection:  # it compares every hash with what the files give
        assert len(read_cases(connection, archive, PROVINCE, SECOND, THIRD).revisions) == 9
    told = world.rows("SELECT status FROM core.kasus WHERE night = :n AND part > 0", n=THIRD)
    assert told == [("duplicate",)] * 3
    before = everything(world)
    replay(world.resources, FIRST, [PROVINCE])
    assert everything(world) == before
    with_keys(world)
    with pytest.raises(ConfigurationError, match="2 keys, and REGSOSEK_HMAC_KEY holds 1"):
        replay(world.resources, FIRST, [PROVINCE])
    with_keys(world, "another-newer-key-of-32-characters")
    with pytest.raises(ConfigurationError, match="another key than REGSOSEK_HMAC_KEY holds"):
        receive(world, THIRD + timedelta(days=1), families())
    assert everything(world) == before


def other_order(world: FieldWorld) -> str:
    """A key that gives the greater hash to the other one of the two contents of the night."""
    small, great = sorted(bytes(each) for (each,) in world.rows("SELECT content_hash FROM core.kasus"))
    keys = (f"{number:032d}" for number in range(1000))
    return next(key for key in keys if hashed_on(small, (key.encode(),)) > hashed_on(great, (key.encode(),)))


@pytest.mark.parametrize("ids", [("E", "F"), ("E", "E")], ids=["two documents on a key", "a case stated twice"])
def test_where_two_statements_change_places_the_warehouse_is_as_if_built_with_the_key(
    world: FieldWorld, ids: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    days = ("2022-10-16", "2022-10-18")
    receive(
        world, FIRST, [faulty(name, number=4, r201_tanggal_pencacahan=day) for name, day in zip(ids, days, strict=True)]
    )
    with_keys(world, other_order(world))
    before = everything(world)
    with monkeypatch.context() as killed:
        killed.setattr(rotating, "replay", lambda *_: pytest.fail("killed"))
        if ids[0] == ids[1]:
            with pytest.raises(pytest.fail.Exception):
                turned(world)
            [left] = rotating.standing(world.resources, [PROVINCE])
            assert (left.generation, left.done, left.rebuild_from) == (2, False, FIRST)
    [done] = turned(world)
    assert done.done
    after = everything(world)
    assert after[-1] != before[-1]  # the other one speaks, and the figures say so
    replay(world.resources, FIRST, [PROVINCE])
    assert everything(world) == after


def test_a_warehouse_that_is_begun_anew_has_all_keys_at_once(world: FieldWorld) -> None:
    with_keys(world, NEWER)
    [begun] = rotating.standing(world.resources, [PROVINCE])
    assert (begun.generation, begun.rows, begun.done) == (2, 0, True)
