"""A case that is erased: gone from warehouse, archive and whatever is rebuilt, while everything still adds up."""

import gzip
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from typer.testing import CliRunner

from regsosek.alerts.persistence.waiting_families import waiting_by_kabkota
from regsosek.alerts.weekly import read_week
from regsosek.asking.quarantine import quarantine_page, quarantined_cases, waiting_by_night
from regsosek.cli.main import app
from regsosek.errors import DecisionError
from regsosek.landing.encrypted import AGE_MAGIC, key_of, object_key
from regsosek.night import nightly
from regsosek.night.archive_conversion import encrypt_archive
from regsosek.night.erasure import erasing
from regsosek.night.erasure.erasing import Request, complete_erasures, erase_case
from regsosek.night.erasure.limiting import lift_limit, limit_case
from regsosek.night.outcome import Outcome
from regsosek.night.replaying import replay
from regsosek.privacy.erasure.tombstones import list_tombstones, mark_of
from regsosek.privacy.trail.access_trail import Access, AccessTrail
from regsosek.privacy.trail.person_trail import trail_of_case
from support.checks.command_line import environment
from support.checks.traces_left import contents
from support.deliveries.families import PROVINCE
from support.deliveries.stream_messages import deliver_stream, tag
from support.worlds.field_world import Family, FieldWorld, Row, family, faulty
from support.worlds.published_world import AT, FIRST, PUBLISHED_RULES, SECOND, THIRD, receive, release

TABLES_ALONE = True
# F06-shared: a KK number that two families of a delivery bear; the neighbour stays as it was judged.
KEPT_RULES = (*PUBLISHED_RULES, "F06-shared", "T05", "T07", "R-geotag-lintang")
NIK, KK, NAME, STREET = "6472015505800078", "6472010101010001", "SITI AMINAH BINTI OMAR", "JALAN MAWAR 17"
ASKED = Request("S-12/2026", "sari", "asked in writing")
POINT, PHOTO = "-1.2345678", "foto/rumah-siti.jpg"
WORDS = (NIK, KK, NAME, STREET, "NOMOR-ASLI", POINT, PHOTO)


def person(document: str, versi: int = 1, *, number: int, **changes: str) -> Family:
    row, members = family(document, versi, number=number, r114_no_kk=KK, r107_alamat=STREET, **changes)
    return row, [each | {"r402_nama": NAME, "r403_nik": NIK} for each in members]


def house_of_it(id_tag: str = "TAG-1", versi: int = 1, **changes: str) -> Row:
    return tag(id_tag, versi=str(versi), lintang=POINT, kunci_foto=PHOTO, **changes)


def receive_tags(world: FieldWorld, night: date, tags: list[Row], format_: str = "csv.gz") -> None:
    deliver_stream(world, night, "geotag", tags, produced_at=AT + (night - FIRST), format_=format_)


def everything(world: FieldWorld) -> dict[str, list[str]]:
    """Every row that nights leave behind; where an erased document was repaired is counted when it was first read."""
    return {table: rows for table, rows in contents(world, ()).items() if table != "ledger.repair"}


def archived(world: FieldWorld, scratch: Path) -> bytes:
    """All that anybody who has the archive key can read in the archive, unpacked."""
    resources, found = world.resources, b""
    for each in resources.store.list_objects(resources.settings.archive_bucket, ""):
        content = resources.store.get_bytes(resources.settings.archive_bucket, each.key, max_bytes=10**7) or b""
        found += content
        if each.key.startswith("keys/"):
            sha256 = each.key.rpartition("/")[2]
            content = resources.archive.fetch(sha256, scratch / "content").read_bytes()
            found += gzip.decompress(content) if content[:2] == b"\x1f\x8b" else content
    return found


def words_in(text: str | bytes) -> set[str]:
    return {word for word in WORDS if (word.encode() if isinstance(text, bytes) else word) in text}


def eventful(world: FieldWorld) -> None:
    """The case in three formats, two revisions and a duplicate, once in quarantine; a neighbour has its KK number."""
    spoiled = person("A", number=1, r302_luas_lantai="NOMOR-ASLI", r303_lantai="0")
    neighbour = family("B", number=2, r114_no_kk=KK)
    wrong = house_of_it("TAG-2", kode_petugas="0000")
    receive_tags(world, FIRST, [house_of_it(), tag("TAG-3", r110_no_keluarga="2"), wrong])
    receive(world, FIRST, [spoiled, neighbour, faulty("C", number=3)])
    receive_tags(world, SECOND, [house_of_it(versi=2, akurasi_m="77")], "parquet")
    receive(
        world,
        SECOND,
        [person("A", 2, number=1), person("A", 2, number=1), family("D", number=4)],
        formats={"keluarga": "jsonl.gz", "anggota": "parquet"},
    )


@pytest.fixture(scope="module")
def erased(prepared: FieldWorld, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The world before and after, and what was published before."""
    world, scratch = prepared.fresh(), tmp_path_factory.mktemp("archived")
    eventful(world)
    published = release(world, SECOND)
    before = everything(world)
    assert words_in(str(before)) == words_in(archived(world, scratch)) | {"NOMOR-ASLI"} == set(WORDS)
    kept = {
        each.key: each.size
        for each in world.resources.store.list_objects(world.resources.settings.archive_bucket, "obj")
    }
    tombstone = erase_case(world.resources, PROVINCE, "A", ASKED)
    return world, before, everything(world), published, tombstone, kept, scratch


def test_nothing_of_it_can_be_read_any_more(erased: Any) -> None:
    world, _, after, _, tombstone, kept, scratch = erased
    assert words_in(str(after)) == {KK}  # the neighbour's own number
    assert words_in(archived(world, scratch)) <= {KK}
    assert '"A"' not in str(after)
    bucket = world.resources.settings.archive_bucket
    for former in tombstone.files:
        assert kept[object_key(former)]
        assert world.resources.store.size(bucket, object_key(former)) == 0
        assert world.resources.archive.current(former) == tombstone.files[former]


def test_every_row_is_still_there_and_every_figure_stands(erased: Any) -> None:
    world, before, after, published, *_ = erased
    gone = {"quality.reason", "restricted.untyped_value"}  # what was found of its answers
    assert {t: len(rows) for t, rows in before.items() if t not in gone} == {
        t: len(rows) for t, rows in after.items() if t not in gone
    }
    figures = [table for table in before if table.startswith(("mart.", "ledger.", "quality.rule", "quality.error"))]
    assert {t: before[t] for t in figures} == {t: after[t] for t in figures}
    assert release(world, SECOND).content_hash == published.content_hash


def test_what_is_rebuilt_from_the_archive_is_the_same(erased: Any) -> None:
    world, _, after, *_ = erased
    replay(world.resources, FIRST, [PROVINCE])
    again = everything(world)
    assert {t: set(rows) ^ set(after[t]) for t, rows in again.items() if rows != after[t]} == {}


def test_who_did_it_for_which_request_is_kept(erased: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    world, _, _, _, tombstone, *_ = erased
    asked = "SELECT case_id, kind, request, by, reason FROM ledger.case_request"
    assert world.rows(asked) == [(tombstone.mark, "erased", ASKED.request, ASKED.by, ASKED.reason)]
    with pytest.raises(DecisionError, match="no delivery that was accepted"):
        erase_case(world.resources, PROVINCE, "A", ASKED)
    [made] = erasing.requests_made(world.resources)
    assert (made.due - made.at, made.lost) == (timedelta(hours=72), False)
    assert made.left == len(world.rows("SELECT 1 FROM ledger.delivery")) * 2 + 2  # of K two files each; a manifest each
    with monkeypatch.context() as patch:
        patch.setattr(erasing, "list_tombstones", lambda *_: ())  # an archive restored from an older copy
        assert [each.lost for each in erasing.requests_made(world.resources)] == [True]
    landing = erasing.find_case(world.resources, PROVINCE, tombstone.mark).landing
    erasing.clear_landing(world.resources, landing)
    assert [each.left for each in erasing.requests_made(world.resources)] == [0]


def test_the_trail_still_answers_for_its_id(erased: Any) -> None:
    world, _, _, _, tombstone, *_ = erased
    settings = world.resources.settings
    seen = Access("sari", "operator", (PROVINCE,), "portal_quarantine", "keluarga")
    AccessTrail(world.resources.loader, settings.trail_secret).enter(seen, PROVINCE, ["A"])
    mark = mark_of(list_tombstones(world.resources.store, settings.archive_bucket, PROVINCE), "A", settings.hash_keys)
    assert mark == tombstone.mark
    with world.resources.account("owner").connect() as connection:
        told = trail_of_case(connection, settings.trail_secrets, PROVINCE, "A", mark)
        without = trail_of_case(connection, settings.trail_secrets, PROVINCE, "A")
    assert [each.account for each in told.accesses] == ["sari"]
    [words] = [each.told for each in told.processing if each.step == "erased"]
    assert words == f"{ASKED.by}; request {ASKED.request}; {ASKED.reason}"
    assert {each.step for each in told.processing} >= {"received", "published", "stands now"}
    assert not without.processing


def test_it_is_taken_in_as_erased_when_it_comes_again(erased: Any) -> None:
    world, _, _, _, tombstone, _, scratch = erased
    receive_tags(world, THIRD, [house_of_it(versi=3), house_of_it("TAG-9"), tag("TAG-4", r110_no_keluarga="4")])
    receive(world, THIRD, [person("A", 3, number=1), family("E", number=5)])
    after = everything(world)
    assert words_in(str(after)) | words_in(archived(world, scratch)) == {KK}
    known = world.rows("SELECT status, verdict FROM core.kasus WHERE case_id = :m AND versi = 3", m=tombstone.mark)
    assert known == [("loaded", "clean")]
    assert not release(world, THIRD).held_back  # the second reading finds what the log says
    replay(world.resources, FIRST, [PROVINCE])
    again = everything(world)
    assert {t: set(rows) ^ set(after[t]) for t, rows in again.items() if rows != after[t]} == {}


@pytest.mark.parametrize("document", [NIK, ""], ids=["a NIK", "none"])
def test_a_case_whose_id_may_not_be_shown_is_known_again(world: FieldWorld, tmp_path: Path, document: str) -> None:
    receive(world, FIRST, [person(document, number=1), family("B", number=2)])
    [case_id] = [case for (case,) in world.rows("SELECT case_id FROM core.kasus") if case.startswith("?")]
    tombstone = erase_case(world.resources, PROVINCE, case_id, ASKED)
    receive(world, SECOND, [person(document, 2, number=1)])
    assert words_in(str(everything(world))) | words_in(archived(world, tmp_path)) == set()
    versions = world.rows("SELECT versi FROM core.kasus WHERE case_id = :m ORDER BY 1", m=tombstone.mark)
    assert versions == [(1,), (2,)]


def test_a_killed_erasure_is_completed_by_the_next_night(
    world: FieldWorld, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    receive(world, FIRST, [person("A", number=1)])
    with monkeypatch.context() as patch:
        patch.setattr(erasing, "wipe", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            erase_case(world.resources, PROVINCE, "A", ASKED)
    assert words_in(str(everything(world)))
    receive(world, SECOND)
    assert words_in(str(everything(world))) | words_in(archived(world, tmp_path)) == set()
    done = everything(world)
    with world.resources.engine.begin() as connection:
        connection.exec_driver_sql("DELETE FROM ledger.case_request")  # as in a dump of before, wiped twice
    complete_erasures(world.resources, PROVINCE)
    assert everything(world) == done


def told_to_mend(world: FieldWorld, night: date) -> list[tuple[str, int]]:
    """What the office hears of families in quarantine: each condition that stands, and its families."""
    nightly.notify(world.resources, Outcome(night, (PROVINCE,), failed={}, publication=None))
    return world.rows(
        "SELECT kind, families FROM alert.condition WHERE night = :night AND kind = 'QUALITY' "
        "AND level = 'provinsi' AND state <> 'resolved'",
        night=night,
    )


def waiting_as_of(world: FieldWorld, night: date) -> int:
    with world.resources.engine.connect() as connection:
        return sum(each.families for each in waiting_by_kabkota(connection, PROVINCE, night).values())


def acted_on(world: FieldWorld, night: date) -> set[tuple[int, int]]:
    """Conditions told and gone in the week's report, of what waits."""
    with world.resources.engine.connect() as connection:
        return {(each.conditions, each.gone) for each in read_week(connection, night).kinds if each.what == "QUALITY"}


def test_a_condition_that_ended_by_erasure_was_not_acted_on(world: FieldWorld) -> None:
    """Four of five families were corrected before; the last was erased, and nobody can correct it."""
    wrong = [faulty(f"D{number}", number=number) for number in range(1, 6)]
    receive(world, FIRST, [*wrong, *(family(f"D{number}", number=number) for number in range(6, 26))])
    receive(world, SECOND, [family(f"D{number}", 2, number=number) for number in range(2, 6)])
    assert [told_to_mend(world, night) for night in (FIRST, SECOND)] == [[("QUALITY", 5)], [("QUALITY", 1)]]
    erase_case(world.resources, PROVINCE, "D1", ASKED)
    receive(world, THIRD)
    assert told_to_mend(world, THIRD) == []
    assert {gone for _, gone in acted_on(world, THIRD)} == {0}
    with world.resources.engine.begin() as connection:
        connection.execute(text("DELETE FROM ledger.case_request"))
    assert {told - gone for told, gone in acted_on(world, THIRD)} == {0}, "the same end by a correction counts"


def test_nobody_is_asked_to_mend_what_was_erased(world: FieldWorld) -> None:
    wrong = [faulty(f"D{number}", number=number) for number in range(1, 6)]
    receive(world, FIRST, [*wrong, *(family(f"D{number}", number=number) for number in range(6, 26))])
    assert told_to_mend(world, FIRST) == [("QUALITY", 5)]
    erase_case(world.resources, PROVINCE, "D1", ASKED)
    receive(world, SECOND, [faulty("D2", 2, number=2)])
    assert told_to_mend(world, SECOND) == [("QUALITY", 4)]
    with world.resources.engine.connect() as connection:
        assert sum(each.cases for each in waiting_by_night(connection, PROVINCE)) == 4
    assert [row[4] for row in world.progress(SECOND)] == [5]  # figures stay as they were published
    erase_case(world.resources, PROVINCE, "D2", ASKED)
    receive(world, THIRD, [family(f"D{number}", 2, number=number) for number in range(3, 6)])
    assert told_to_mend(world, THIRD) == []
    assert waiting_as_of(world, FIRST) == 3, "a night that is read again counts none that was erased since"
    pointers = everything(world)["core.kasus_terkini"]
    replay(world.resources, FIRST, [PROVINCE])
    assert everything(world)["core.kasus_terkini"] == pointers


def shown(world: FieldWorld) -> list[str]:
    with world.resources.engine.connect() as connection:
        listed = [each.case_id for each in quarantined_cases(connection, PROVINCE)]
        assert listed == [each.case_id for each in quarantine_page(connection, PROVINCE, after="", limit=9)]
        assert sum(each.cases for each in waiting_by_night(connection, PROVINCE)) == 2  # counting goes on
    return listed


def test_a_limited_case_counts_and_is_shown_to_nobody_until_that_is_lifted(world: FieldWorld) -> None:
    receive(world, FIRST, [faulty("A", number=1), faulty("B", number=2), family("C", number=3)])
    resources, before = world.resources, everything(world)
    asked = {"request": "S-13/2026", "by": "sari", "reason": "disputed"}
    assert shown(world) == ["A", "B"]
    limit_case(resources, PROVINCE, "A", **asked)
    limit_case(resources, PROVINCE, "C", **asked)
    assert shown(world) == ["B"]
    assert everything(world) == before
    with pytest.raises(DecisionError, match="limited already"):
        limit_case(resources, PROVINCE, "A", **asked)
    with pytest.raises(DecisionError, match="no such case"):
        limit_case(resources, PROVINCE, "Z", **asked)
    with resources.engine.begin() as connection:
        connection.execute(text("DELETE FROM ledger.case_request"))  # as a warehouse that is rebuilt begins
    replay(resources, FIRST, [PROVINCE])
    assert shown(world) == ["B"]
    lift_limit(resources, PROVINCE, "A", by="sari", reason="settled")
    assert shown(world) == ["A", "B"]
    with pytest.raises(DecisionError, match="not limited"):
        lift_limit(resources, PROVINCE, "A", by="sari", reason="settled")
    assert [(each.case_id, each.kind) for each in erasing.requests_made(resources)] == [("C", "limited")]


@pytest.fixture
def command(world: FieldWorld, monkeypatch: pytest.MonkeyPatch) -> Any:
    for name, value in environment(world.resources.settings).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("REGSOSEK_ENV_FILE", "/nonexistent")
    monkeypatch.setattr("regsosek.cli.common._account", lambda: ("sari", True))

    def run(act: str, *words: str) -> tuple[int, str]:
        answer = CliRunner().invoke(app, ["privacy", act, *words])
        return answer.exit_code, " ".join(f"{answer.output} {answer.exception}".split())

    return run


def test_the_commands_show_before_they_act_and_say_what_is_left(world: FieldWorld, command: Any) -> None:
    receive(world, FIRST, [person("A", number=1), family("B", number=2)])
    of_a = ("-p", PROVINCE, "--case", "A")
    asked, before = ("--request", ASKED.request, "--reason", ASKED.reason), everything(world)
    assert command("requests")[0] == 0
    code, told = command("erase", *of_a, *asked)
    assert (code, "Nothing was changed" in told, everything(world)) == (0, True, before)
    assert command("limit", *of_a, *asked)[0] == 0
    assert "limited already" in command("limit", *of_a, *asked)[1]
    assert f"limited A {ASKED.request} done" in command("requests")[1]
    assert command("lift", *of_a, "--reason", "settled")[0] == 0
    code, told = command("lift", *of_a, "--reason", "settled")
    assert (code, "not limited" in told) == (1, True)
    code, told = command("erase", *of_a, *asked, "--apply")
    assert (code, "Landing still holds it" in told, words_in(str(everything(world)))) == (0, True, set())
    code, told = command("erase", *of_a, *asked, "--apply")
    assert (code, "no delivery that was accepted" in told) == (1, True)
    code, told = command("requests")
    assert (code, "open: 3 objects in landing" in told) == (1, True)
    [made] = erasing.requests_made(world.resources)
    erasing.clear_landing(world.resources, erasing.find_case(world.resources, PROVINCE, made.case_id).landing)
    code, told = command("requests")
    assert (code, f"erased {made.case_id} {ASKED.request} done" in told) == (0, True)


def test_what_lies_in_clear_is_encrypted_where_it_lies(world: FieldWorld, tmp_path: Path) -> None:
    receive(world, FIRST, [person("A", number=1)])
    resources, bucket = world.resources, world.resources.settings.archive_bucket
    sha256s = list(resources.archive.keys())
    for sha256 in sha256s:  # as a version before there were keys left it
        resources.store.put_file(bucket, object_key(sha256), resources.archive.fetch(sha256, tmp_path / "plain"))
        resources.store.delete(bucket, key_of(sha256))
    assert [each.encrypted for each in (encrypt_archive(resources), encrypt_archive(resources))] == [len(sha256s), 0]
    assert set(resources.archive.keys()) == set(sha256s)
    for sha256 in sha256s:
        assert (resources.store.get_bytes(bucket, object_key(sha256), max_bytes=99) or b"").startswith(AGE_MAGIC)
    replay(resources, FIRST, [PROVINCE])
