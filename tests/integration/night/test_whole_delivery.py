"""What rules know beyond one part: the other parts, the calendar of the night's receipt, and what became of an SLS."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from regsosek.geography.calendar import calendar_document
from regsosek.night.reference import load_reference
from regsosek.night.replaying import replay
from regsosek.simulation.field.campaign import Campaign
from regsosek.simulation.output.reference_files import write_reference_files
from regsosek.simulation.output.sinks import BucketSink
from regsosek.warehouse.reference import load_psls
from support.deliveries.families import DESA, PROVINCE, SUBSLS
from support.worlds.field_world import FieldWorld, family

NIGHT = date(2022, 10, 21)
AT = datetime(2022, 10, 20, 12, tzinfo=UTC)
KK = "6403012000000001"
REASONS = "SELECT case_id, rule_id FROM quality.reason ORDER BY 1, 2"
PSLS_COLUMNS = ["province", "id_subsls_lama", "id_subsls_baru", "status", "valid_from", "version"]


def test_what_repeats_in_another_part_is_found_and_found_again_by_a_replay(world: FieldWorld) -> None:
    card = {"r114_no_kk": KK, "r115_kode_kk": "0"}
    parts = [[family("A", **card), family("B", number=2)], [family("C", number=3, **card), family("D", number=2)]]
    world.deliver(NIGHT, parts, produced_at=AT)
    world.run(NIGHT)
    found = [("A", "F06-shared"), ("B", "F04"), ("C", "F06-shared"), ("D", "F04")]
    assert world.rows(REASONS) == found
    assert world.counts() == [(4, 2, 2, 0, 0, 0, 0)]
    replay(world.resources, NIGHT, [PROVINCE])
    assert world.rows(REASONS) == found


def test_a_delivery_knows_nothing_of_the_one_before(world: FieldWorld) -> None:
    for number, document in enumerate("AB", start=1):
        each = family(document, number=number, r114_no_kk=KK, r115_kode_kk="0")
        world.deliver(NIGHT, [each], produced_at=AT + timedelta(hours=number))
    world.run(NIGHT)
    assert world.rows(REASONS) == []


def test_an_extension_of_the_window_changes_no_verdict_of_a_night_before_it(world: FieldWorld, tmp_path: Path) -> None:
    nights = [date(2022, 11, 22), date(2022, 11, 23)]
    extended = tmp_path / "calendar.csv"
    extended.write_bytes(calendar_document().replace(b"2022-11-20", b"2022-11-30"))
    for night, document in zip(nights, "AB", strict=True):
        produced = datetime.combine(night, datetime.min.time(), UTC)
        late = family(document, number=ord(document), r201_tanggal_pencacahan="2022-11-21")
        world.deliver(night, [late], produced_at=produced)
    world.run(nights[0])
    settings = world.resources.settings.model_copy(update={"calendar_file": extended})
    world.resources = replace(world.resources, settings=settings)
    world.run(nights[1])
    assert world.rows(REASONS) == [("A", "F03-window")]
    replay(world.resources, nights[0], [PROVINCE])
    assert world.rows(REASONS) == [("A", "F03-window")]


def test_an_extension_holds_from_the_night_on_in_which_it_was_decided(world: FieldWorld, tmp_path: Path) -> None:
    nights = [date(2022, 11, 22), date(2022, 11, 23)]
    header, *rows = calendar_document().decode().splitlines()
    extension = {PROVINCE: "2022-11-30,2022-11-23,letter"}
    lines = [f"{row},{extension.get(row.split(',')[0], ',,')}" for row in rows]
    extended = tmp_path / "calendar.csv"
    extended.write_text("\n".join([f"{header},extended_to,decided_on,extension_source", *lines]))
    world.resources = replace(
        world.resources, settings=world.resources.settings.model_copy(update={"calendar_file": extended})
    )
    for night, document in zip(nights, "AB", strict=True):
        produced = datetime.combine(night, datetime.min.time(), UTC)
        late = family(document, number=ord(document), r201_tanggal_pencacahan="2022-11-21")
        world.deliver(night, [late], produced_at=produced)
        world.run(night)
    assert world.rows(REASONS) == [("A", "F03-window")]
    replay(world.resources, nights[0], [PROVINCE])
    assert world.rows(REASONS) == [("A", "F03-window")]


def test_a_visit_after_the_delivery_was_produced_is_in_the_future(world: FieldWorld) -> None:
    tomorrow = family("A", r201_tanggal_pencacahan="2022-10-21")
    world.deliver(NIGHT, [tomorrow, family("B", number=2)], produced_at=AT)
    world.run(NIGHT)
    assert world.rows(REASONS) == [("A", "F03-future")]


def test_a_family_of_a_retired_sls_is_loaded_and_counted_at_what_it_became(world: FieldWorld, tmp_path: Path) -> None:
    old = DESA + "000900"
    with world.resources.engine.begin() as connection:
        load_psls(connection, [(PROVINCE, old, SUBSLS, 2, "2022-10-18", "2022-10-18")], PSLS_COLUMNS, tmp_path)
    world.deliver(NIGHT, [family("A", id_subsls=old, r105a_sls="0009"), family("B", number=2)], produced_at=AT)
    world.run(NIGHT)
    assert world.rows(REASONS) == [("A", "G02")]
    assert [place[:3] for place in world.progress(NIGHT)] == [(SUBSLS, date(2022, 10, 20), 2)]
    assert world.rows("SELECT DISTINCT id_subsls FROM core.keluarga ORDER BY 1") == [(SUBSLS,), (old,)]


def test_the_list_of_changes_may_be_absent(world: FieldWorld, tmp_path: Path) -> None:
    store, bucket = world.resources.store, world.resources.settings.landing_bucket
    sink = BucketSink(store, bucket)
    write_reference_files(Campaign(), sink, list(_provinces()), tmp_path)
    loaded = {each.dataset: each.rows for each in load_reference(world.resources)}
    assert loaded["psls"] == world.rows("SELECT count(*) FROM reference.psls")[0][0] > 0
    empty = world.fresh()
    sink = _WithoutPsls(empty.resources.store, empty.resources.settings.landing_bucket)
    write_reference_files(Campaign(), sink, list(_provinces()), tmp_path)
    assert "psls" not in {each.dataset for each in load_reference(empty.resources)}
    assert empty.rows("SELECT count(*) FROM reference.psls") == [(0,)]


class _WithoutPsls(BucketSink):
    """A sender that has no list of changes."""

    def put_file(self, key: str, path: Path) -> None:
        if "/psls/" not in key:
            super().put_file(key, path)

    def put_bytes(self, key: str, content: bytes) -> None:
        if "/psls/" not in key:
            super().put_bytes(key, content)


def _provinces() -> Iterator[str]:
    yield from (line.split(",")[0] for line in calendar_document().decode().splitlines()[1:])
