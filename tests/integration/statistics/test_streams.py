"""Streams beside the questionnaire: received, judged, quarantined and replayed like it, and never mixed with it."""

import gzip
import io
import logging
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from itertools import permutations

import pytest
from rich.console import Console

from regsosek.asking.deliveries import delivery_lines
from regsosek.asking.tables.delivery_tables import delivery_table
from regsosek.contract.codebook import STREAMS
from regsosek.geography.calendar import field_windows
from regsosek.landing.archive import list_receipts
from regsosek.night.deciding import free
from regsosek.night.replaying import replay
from regsosek.portal.pages import pages
from regsosek.portal.views.delivery_rows import deliveries_of
from regsosek.portal.views.night_rows import read_night
from regsosek.portal.views.validation import read_validation
from regsosek.quality.rules import load_suites
from regsosek.quality.verdict import Judge
from regsosek.release.audit.conservation import conservation_faults
from regsosek.resources import open_resources
from regsosek.settings import PROJECT_ROOT, Settings
from regsosek.statistics.definitions.as_of import last_refreshed
from regsosek.statistics.nights.province_nights import provinces_of_the_night
from regsosek.warehouse.cases.stream_state import newest_messages
from regsosek.warehouse.nights.holding import held_deliveries
from regsosek.warehouse.reference import load_frame
from support.checks.traces_left import contents, on_landing
from support.deliveries.families import DESA, PROVINCE, SUBSLS, csv_gz
from support.deliveries.stream_messages import LATITUDE, LONGITUDE, PHOTO, deliver_stream, recap, report, tag
from support.worlds.field_world import FRAME_COLUMNS, CompiledJudge, FieldWorld, family, few_rules
from support.worlds.other_process import Step, interrupted

NIGHT = date(2022, 10, 21)
NEXT, THIRD = NIGHT + timedelta(days=1), NIGHT + timedelta(days=2)
AT = datetime(2022, 10, 20, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
PARTS = "regsosek.night.receiving.parts"
OTHER, OTHER_SUBSLS = "65", "6503010001000100"
SECOND_SUBSLS = DESA + "000200"


@pytest.fixture(scope="module")
def prepared(services_env: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[FieldWorld]:
    """Two provinces; few rules of the questionnaire, all of the streams."""
    settings = services_env.model_copy(update={"work_dir": tmp_path_factory.mktemp("work")})
    streams = {name: suite for name, suite in load_suites(PROJECT_ROOT / "expectations").items() if name in STREAMS}
    with open_resources(settings) as resources:
        world = FieldWorld(resources, few_rules() | streams)
        world.prepare(tmp_path_factory.mktemp("reference"))
        codes = {SUBSLS: PROVINCE, SECOND_SUBSLS: PROVINCE, OTHER_SUBSLS: OTHER}
        frame = [
            (p, code, "2022-01-01", None, code[:10], "RT", 1, 60, "BPS", "2022-10-01") for code, p in codes.items()
        ]
        with resources.engine.begin() as connection:
            load_frame(connection, frame, FRAME_COLUMNS, tmp_path_factory.mktemp("frame"))
        yield world


def counts(world: FieldWorld, dataset: str) -> list[tuple[object, ...]]:
    """Province, state, and rows received, loaded, quarantined, duplicate, withdrawn, rejected, held by delivery."""
    return world.rows(
        "SELECT d.province, d.state, c.received, c.loaded, c.quarantined, c.duplicate, c.withdrawn, c.rejected, c.held "
        "FROM ledger.delivery d JOIN ledger.delivery_count c USING (province, delivery_id, delivered_on) "
        "WHERE c.dataset = :dataset ORDER BY d.province, d.night, d.position",
        dataset=dataset,
    )


def newest(world: FieldWorld, dataset: str, columns: str, night: date, province: str = PROVINCE) -> list[tuple]:
    query = f"SELECT {columns} FROM ({newest_messages(dataset)}) n ORDER BY 1"
    return world.rows(query, province=province, night=night)


def faults(world: FieldWorld, night: date) -> dict[str, list[str]]:
    with world.resources.engine.begin() as connection:
        return conservation_faults(connection, last_refreshed(connection, night), {})


def stop() -> None:
    raise InterruptedError


def full_night(world: FieldWorld) -> FieldWorld:
    """Questionnaires and all streams from two provinces; one delivery cut off, one message in error."""
    world.deliver(NIGHT, [family("A"), family("B", number=2)], produced_at=AT)
    world.deliver(NIGHT, [family("C", id_subsls=OTHER_SUBSLS)], produced_at=AT, province=OTHER)
    for province, code in ((PROVINCE, SUBSLS), (OTHER, OTHER_SUBSLS)):
        own = {"id_subsls": code}
        reports = [[report(**own), report(**own, kode_petugas="0008")], [report(**own, tanggal="2022-10-19")]]
        deliver_stream(world, NIGHT, "progres", reports, produced_at=AT + MINUTE, province=province)
        tags = [tag("TAG-1", **own), tag("TAG-2", **own, versi="2", status_dokumen="9")]
        deliver_stream(world, NIGHT, "geotag", tags, produced_at=AT + 2 * MINUTE, province=province)
        broken = {"jumlah_keluarga_verifikasi": "1"} if province == OTHER else {}
        lines = [recap(**own), recap(**own, status="1", id_subsls_baru=code[:14] + "01", **broken)]
        deliver_stream(world, NIGHT, "rekap_vk", lines, produced_at=AT + 3 * MINUTE, province=province)
    whole = csv_gz("progres", [report()])
    deliver_stream(world, NIGHT, "progres", [report()], produced_at=AT + 4 * MINUTE, body=whole[:-9])
    return world


def run(world: FieldWorld, night: date = NIGHT, judge: type[Judge] = CompiledJudge) -> None:
    for province in (PROVINCE, OTHER):
        world.run(night, province=province, judge=judge)


def test_a_night_with_all_streams_is_received_whole(world: FieldWorld) -> None:
    run(full_night(world), judge=Judge)
    of_streams = world.rows(
        "SELECT province, instrument, state, reason FROM ledger.delivery WHERE instrument <> 'REGSOSEK22.K' "
        "ORDER BY province, position"
    )
    accepted = [(f"REGSOSEK22.{name}", "accepted", None) for name in ("PROGRES", "GEOTAG", "REKAPVK")]
    cut_off = ("REGSOSEK22.PROGRES", "rejected", "file_unreadable")
    assert of_streams == [*((PROVINCE, *each) for each in (*accepted, cut_off)), *((OTHER, *each) for each in accepted)]
    assert counts(world, "progres") == [
        (PROVINCE, "accepted", 3, 3, 0, 0, 0, 0, 0),
        (PROVINCE, "rejected", 1, 0, 0, 0, 0, 1, 0),
        (OTHER, "accepted", 3, 3, 0, 0, 0, 0, 0),
    ]
    assert counts(world, "geotag") == [(p, "accepted", 2, 1, 0, 0, 1, 0, 0) for p in (PROVINCE, OTHER)]
    assert counts(world, "rekap_vk") == [
        (PROVINCE, "accepted", 2, 2, 0, 0, 0, 0, 0),
        (OTHER, "accepted", 2, 1, 1, 0, 0, 0, 0),
    ]
    reasons = world.rows("SELECT province, dataset, rule_id, case_id FROM quality.reason WHERE severity = 'critical'")
    assert reasons == [(OTHER, "rekap_vk", "R13", f"{OTHER_SUBSLS}/{OTHER_SUBSLS[:14]}01")]
    assert world.rows("SELECT dataset, payload ->> 'miskin' FROM restricted.quarantined") == [("rekap_vk", "10")]
    assert faults(world, NIGHT) == {}


def test_a_second_run_changes_nothing(world: FieldWorld) -> None:
    run(full_night(world))
    before = contents(world, (NIGHT,))
    run(world)
    assert contents(world, (NIGHT,)) == before
    assert all(before[table] for table in ("stream.progres", "stream.geotag", "stream.rekap_vk"))


@pytest.mark.parametrize(
    "step",
    [
        Step(f"{PARTS}.load_messages", 1),
        Step(f"{PARTS}.load_messages", 2),
        Step("regsosek.warehouse.nights.ledger.accept"),
    ],
    ids=str,
)
def test_an_interrupted_delivery_is_taken_up_again(world: FieldWorld, step: Step) -> None:
    parts = [[report(), report(jumlah_asn="99", kode_petugas="0009")], [report(kode_petugas="0008"), report()]]
    deliver_stream(world, NIGHT, "progres", parts, produced_at=AT)
    with interrupted(step, stop), pytest.raises(InterruptedError):
        world.run(NIGHT)
    world.run(NIGHT)
    assert counts(world, "progres") == [(PROVINCE, "accepted", 4, 2, 1, 1, 0, 0, 0)]
    assert world.rows("SELECT part, row_no, row_state FROM stream.progres ORDER BY 1, 2") == [
        (1, 1, "loaded"), (2, 1, "loaded"), (2, 2, "duplicate"),
    ]  # fmt: skip
    assert faults(world, NIGHT) == {}


def test_a_replay_from_the_archive_leaves_the_same_tables(world: FieldWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    run(full_night(world))
    deliver_stream(world, NEXT, "progres", [report(jumlah_art="12")], produced_at=AT + timedelta(days=1))
    run(world, NEXT)
    before = contents(world, (NIGHT, NEXT))
    monkeypatch.setattr("regsosek.night.discovery.applicable_rules.Judge", CompiledJudge)
    nothing = world.resources.settings.release_bucket
    replay(on_landing(world, nothing).resources, NIGHT, [PROVINCE, OTHER])
    assert contents(world, (NIGHT, NEXT)) == before


def test_no_position_leaves_the_restricted_schema(world: FieldWorld, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG, logger="regsosek"):
        full_night(world)
        unreadable = [tag("TAG-9", lintang=f"{LATITUDE}x", kunci_foto=f"{PHOTO} x"), tag("TAG-8", bujur=LATITUDE[1:])]
        deliver_stream(world, NIGHT, "geotag", unreadable, produced_at=AT + 5 * MINUTE)
        deliver_stream(world, NIGHT, "geotag", [tag()], produced_at=AT + 6 * MINUTE, spoil={"totals": {"geotag": 2}})
        run(world)
    tables = world.rows(
        "SELECT schemaname || '.' || tablename, schemaname FROM pg_tables WHERE schemaname IN "
        "('ledger', 'core', 'stream', 'quality', 'restricted', 'mart', 'alert') AND tablename !~ '_p[0-9]{2}'"
    )
    text = {schema: "" for _, schema in tables}
    for table, schema in tables:
        text[schema] += "".join(row for (row,) in world.rows(f"SELECT t::text FROM {table} t"))
    archive = world.resources.settings.archive_bucket
    text["receipts"] = "".join(r.model_dump_json() for r in list_receipts(world.resources.store, archive, night=NIGHT))
    text["log"] = caplog.text
    places = {where for where, told in text.items() for secret in (LATITUDE[1:], LONGITUDE, PHOTO) if secret in told}
    assert places == {"restricted"}
    assert {where for where in ("stream", "receipts", "log", "quality", "ledger") if not text[where]} == set()


def test_a_province_that_sent_streams_alone_is_silent_for_the_questionnaire(world: FieldWorld) -> None:
    deliver_stream(world, NIGHT, "progres", [report()], produced_at=AT)
    run(world)
    with world.resources.engine.begin() as connection:
        windows = field_windows()
        states = provinces_of_the_night(connection, last_refreshed(connection, NIGHT), windows).set_index("province")
    assert states.loc[PROVINCE, ["state", "deliveries", "accepted", "last_night"]].tolist() == [
        "nothing_delivered", 0, 0, None,
    ]  # fmt: skip
    assert states.loc[OTHER, "state"] == "nothing_delivered"
    assert world.rows("SELECT count(*) FROM mart.refreshed") == [(2,)]
    assert world.progress(NIGHT) == []


def truncated(rows: list[dict[str, str]]) -> bytes:
    return csv_gz("progres", rows)[:-9]


def of_another_kind(rows: list[dict[str, str]]) -> bytes:
    return gzip.compress(csv_gz("progres", rows))


@pytest.mark.parametrize(
    ("rows", "delivery", "state", "reason", "counted"),
    [
        ([report()], {"body": truncated([report()])}, "rejected", "file_", (1, 0, 0, 1)),
        ([report()], {"body": of_another_kind([report()])}, "rejected", "", (1, 0, 0, 1)),
        ([], {}, "accepted", None, (0, 0, 0, 0)),
        ([report(id_subsls=OTHER_SUBSLS)], {}, "accepted", None, (1, 0, 1, 0)),
        ([report()], {"spoil": {"province": OTHER}}, "rejected", "wrong_province", None),
        ([report(jumlah_art="13 orang")], {}, "accepted", None, (1, 0, 1, 0)),
        ([report(tanggal="20/10/2022")], {"format_": "jsonl.gz"}, "accepted", None, (1, 0, 1, 0)),
        ([report()], {"format_": "parquet"}, "accepted", None, (1, 1, 0, 0)),
        ([{"id_subsls": SUBSLS}], {}, "rejected", "columns_differ", (1, 0, 0, 1)),
        ([report()], {"spoil": {"instrument_version": "9"}}, "rejected", "instrument_unknown", None),
    ],
    ids=["truncated gzip", "packed twice", "header only", "province of the code", "province of the manifest",
         "wrong type", "wrong type in JSON lines", "parquet", "columns missing", "unknown version"],
)  # fmt: skip
def test_what_may_arrive_of_a_stream(world: FieldWorld, rows, delivery, state, reason, counted) -> None:
    deliver_stream(world, NIGHT, "progres", rows, produced_at=AT, **delivery)
    world.run(NIGHT)
    [(found, why)] = world.rows("SELECT state, reason FROM ledger.delivery")
    assert found == state
    assert why is None if reason is None else why.startswith(reason)
    if counted is not None:
        [line] = world.rows(
            "SELECT received, loaded, quarantined, rejected FROM ledger.delivery_count WHERE dataset = 'progres'"
        )
        assert line == counted
    assert faults(world, NIGHT) == {}


@pytest.mark.parametrize("order", list(permutations(range(3))), ids=str)
def test_the_newest_message_holds_whatever_the_order_of_arrival(world: FieldWorld, order: tuple[int, ...]) -> None:
    said = [report(jumlah_kk_cacah="4"), report(jumlah_kk_cacah="5"), report(jumlah_kk_cacah="4", jumlah_asn="0")]
    for night, which in zip((NIGHT, NEXT, THIRD), order, strict=True):
        deliver_stream(world, night, "progres", [said[which]], produced_at=AT + which * MINUTE)
        world.run(night)
        known = max(order[: (night - NIGHT).days + 1])
        assert newest(world, "progres", "jumlah_kk_cacah, jumlah_asn", night) == [
            (int(said[known]["jumlah_kk_cacah"]), int(said[known]["jumlah_asn"]))
        ]


def test_what_was_said_again_counts_once_and_keeps_its_place_in_the_order(world: FieldWorld) -> None:
    first, other = report(), report(jumlah_asn="2")
    for night, rows in ((NIGHT, [first, first]), (NEXT, [other, first | {"kode_petugas": "0009"}]), (THIRD, [first])):
        deliver_stream(world, night, "progres", rows, produced_at=AT + (night - NIGHT))
        world.run(night)
    assert [line[2:6] for line in counts(world, "progres")] == [(2, 1, 0, 1), (2, 2, 0, 0), (1, 1, 0, 0)]
    deliver_stream(world, THIRD + timedelta(days=1), "progres", [first], produced_at=AT + timedelta(days=3))
    world.run(THIRD + timedelta(days=1))
    assert counts(world, "progres")[-1][2:6] == (1, 0, 0, 1)
    found = newest(world, "progres", "kode_petugas, jumlah_asn, night", THIRD + timedelta(days=1))
    assert found == [("0007", 1, THIRD + timedelta(days=1)), ("0009", 1, NEXT)]
    assert faults(world, THIRD + timedelta(days=1)) == {}


def test_a_delivery_that_supersedes_another_of_its_instrument_replaces_it_whole(world: FieldWorld) -> None:
    old = deliver_stream(world, NIGHT, "geotag", [tag("TAG-1"), tag("TAG-2")], produced_at=AT)
    world.run(NIGHT)
    deliver_stream(world, NEXT, "geotag", [tag("TAG-2", ada_foto="0", kunci_foto="")], produced_at=AT, supersedes=[old])
    world.run(NEXT)
    assert newest(world, "geotag", "id_tag, ada_foto", NIGHT) == [("TAG-1", 1), ("TAG-2", 1)]
    assert newest(world, "geotag", "id_tag, ada_foto", NEXT) == [("TAG-2", 0)]


def test_instruments_do_not_supersede_each_other(world: FieldWorld) -> None:
    questionnaires = world.deliver(NIGHT, [family("A")], produced_at=AT)
    stream = deliver_stream(world, NIGHT, "progres", [report()], produced_at=AT + MINUTE)
    world.run(NIGHT)
    deliver_stream(world, NEXT, "progres", [report()], produced_at=AT + timedelta(days=1), supersedes=[questionnaires])
    world.deliver(NEXT, [family("B", number=2)], produced_at=AT + timedelta(days=1, minutes=1), supersedes=[stream])
    world.run(NEXT)
    assert (
        world.rows("SELECT state, reason FROM ledger.delivery WHERE night = :night", night=NEXT)
        == [("rejected", "supersedes_unknown")] * 2
    )
    assert [case[:2] for case in world.cases()] == [("A", "loaded")]


def test_contradictions_are_found_across_parts(world: FieldWorld) -> None:
    parts = [[report(), report(kode_petugas="0008")], [report(jumlah_asn="3"), report(kode_petugas="0008")]]
    deliver_stream(world, NIGHT, "progres", parts, produced_at=AT)
    world.run(NIGHT)
    assert counts(world, "progres") == [(PROVINCE, "accepted", 4, 1, 2, 1, 0, 0, 0)]
    assert set(world.rows("SELECT part, row_no, rule_id FROM quality.reason")) == {
        (1, 1, "L04"), (2, 1, "L04"),
    }  # fmt: skip


def test_a_stream_over_its_limit_is_held_until_an_operator_frees_it(
    world: FieldWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [report(kode_petugas=f"{n:04d}", jumlah_asn="99" if n % 3 == 0 else "1") for n in range(1, 121)]
    held = deliver_stream(world, NIGHT, "progres", rows, produced_at=AT)
    world.deliver(NIGHT, [family("A")], produced_at=AT + MINUTE)
    world.run(NIGHT)
    assert counts(world, "progres") == [(PROVINCE, "held", 120, 0, 0, 0, 0, 0, 120)]
    assert newest(world, "progres", "id_subsls", NIGHT) == []
    with world.resources.engine.begin() as connection:
        [waiting] = held_deliveries(connection)
        states = provinces_of_the_night(connection, last_refreshed(connection, NIGHT), field_windows())
    assert (waiting.instrument, waiting.messages, waiting.exceeded[0].dataset) == (
        "REGSOSEK22.PROGRES", 120, "progres",
    )  # fmt: skip
    assert states.set_index("province").loc[PROVINCE, "state"] == "accepted"
    monkeypatch.setattr("regsosek.night.discovery.applicable_rules.Judge", CompiledJudge)
    free(world.resources, PROVINCE, held, world.suites, by="test", reason="looked at")
    assert counts(world, "progres") == [(PROVINCE, "accepted", 120, 80, 40, 0, 0, 0, 0)]
    assert faults(world, NIGHT) == {}


def test_conservation_misses_a_message_that_is_gone(world: FieldWorld) -> None:
    deliver_stream(world, NIGHT, "progres", [report(), report(kode_petugas="0008")], produced_at=AT)
    world.run(NIGHT)
    with world.resources.engine.begin() as connection:
        connection.exec_driver_sql("DELETE FROM stream.progres WHERE kode_petugas = '0008'")
    told = " ".join(faults(world, NIGHT)[PROVINCE])
    assert "2 rows of progres received, 1 stored" in told
    assert "2 rows of progres loaded, 1 stored" in told


def test_the_operator_sees_deliveries_by_instrument(world: FieldWorld) -> None:
    run(full_night(world))
    with world.resources.engine.begin() as connection:
        lines = delivery_lines(connection, (PROVINCE, OTHER))
        brought = pages.Brought(deliveries_of(connection, [NIGHT], [PROVINCE, OTHER]))
        night = read_night(connection, NIGHT, field_windows())
    console = Console(file=io.StringIO(), width=200)
    console.print(delivery_table(lines))
    printed = console.file.getvalue()
    page = pages.night_page(pages.Frame("/r", datetime.now(UTC)), night, brought, [NIGHT])
    for instrument in ("REGSOSEK22.K", "REGSOSEK22.PROGRES", "REGSOSEK22.GEOTAG", "REGSOSEK22.REKAPVK"):
        assert instrument in printed
        assert instrument in page
    for dataset in ("keluarga", "progres", "geotag", "rekap_vk"):
        assert f"/r/nights/{NIGHT}/{OTHER}/{dataset}" in page
    asked = {"province": OTHER, "night": NIGHT, "dataset": "rekap_vk"}
    with world.resources.engine.begin() as connection:
        docs = read_validation(connection, world.resources.store, world.resources.settings.archive_bucket, **asked)
    assert {each.rule.id: each.violations for each in docs.outcomes if each.violations} == {"R12": 1, "R13": 1}
    assert (docs.deliveries, docs.rows) == (1, 2)
