"""One night with every kind of broken delivery in one province, next to provinces without fault."""

import csv
import io
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import pytest

from hostile.corpus import KINDS, deliveries, rules_of_the_corpus
from hostile.draft import NIGHT, SECRETS, Draft, clean
from hostile.searched import Remembered, open_tables, released
from regsosek.alerts import night_context
from regsosek.alerts.conditions.thresholds import thresholds
from regsosek.alerts.messages.rendering import harmless
from regsosek.alerts.sentences.texts import words_of
from regsosek.contract.codebook import DATASETS
from regsosek.contract.pages.hostile import HostileKind
from regsosek.geography.regions import region_master
from regsosek.landing.archive import list_receipts
from regsosek.night.discovery import applicable_rules
from regsosek.night.discovery.sealing import seal_night
from regsosek.night.nightly import NightReport, run_night
from regsosek.quality.rules import load_suites
from regsosek.resources import open_resources
from regsosek.settings import Settings
from regsosek.warehouse.reference import load_frame
from support.checks.traces_left import contents
from support.deliveries.families import DESA, PROVINCE, SUBSLS
from support.worlds.field_world import FRAME_COLUMNS, CompiledJudge, FieldWorld

NEIGHBOURS = ("63", "65")
PROVINCES = (NEIGHBOURS[0], PROVINCE, NEIGHBOURS[1])
STATES = "loaded, quarantined, superseded, duplicate, withdrawn, held, rejected"
pytestmark = pytest.mark.timeout(1500)

Rows = list[tuple[Any, ...]]


@dataclass
class Left:
    """What a run of the night left behind."""

    report: NightReport
    tables: Mapping[str, list[str]]
    release: Mapping[str, bytes]
    letters: Mapping[str, str]


@dataclass
class Night:
    """The night with the corpus, run twice, and the same night of the neighbours alone."""

    world: FieldWorld
    drafts: Mapping[str, Draft]
    first: Left
    second: Left
    alone: Left
    ledger: Mapping[str, tuple[str, str | None, str | None]]
    counts: Mapping[tuple[str, str], Mapping[str, int]]
    repairs: Mapping[str, Mapping[str, int]]
    rules: Mapping[str, set[str]]
    sums: Rows
    seal: tuple[int, list[str]]
    open_tables: Mapping[str, str]
    log: str


def desa_of(province: str) -> str:
    return min(code for code, each in region_master().regions.items() if each.level == "desa" and code[:2] == province)


def neighbour(province: str, number: int) -> Draft:
    """A delivery without fault of a province that has nothing to do with the corpus."""
    draft = clean(number)
    desa = desa_of(province)
    place = {"r101_provinsi": desa[:2], "r102_kabkota": desa[2:4], "r103_kecamatan": desa[4:7], "r104_desa": desa[7:]}
    for row, members in draft.parts[0]:
        row.update(place)
        for each in (row, *members):
            each["id_subsls"] = desa + "000100"
    draft.province = province
    draft.pack()
    return draft


def prepare(world: FieldWorld, scratch: Path) -> None:
    world.prepare(scratch)
    places = [(PROVINCE, SUBSLS, DESA)] + [(p, desa_of(p) + "000100", desa_of(p)) for p in NEIGHBOURS]
    frame = [(p, code, "2022-01-01", None, desa, "RT", 1, 60, "BPS", "2022-10-01") for p, code, desa in places]
    with world.resources.engine.begin() as connection:
        load_frame(connection, frame, FRAME_COLUMNS, scratch)


def put(world: FieldWorld, files: Mapping[str, bytes | None]) -> None:
    settings = world.resources.settings
    for key, content in files.items():
        if content is not None:
            world.resources.store.put_bytes(settings.landing_bucket, key, content)
        else:
            _client(settings).delete_object(Bucket=settings.landing_bucket, Key=key)


def _client(settings: Settings) -> Any:
    return boto3.client(
        "s3",
        endpoint_url=settings.s3_endpoint_url,
        region_name=settings.s3_region,
        aws_access_key_id=settings.s3_access_key_id.get_secret_value(),
        aws_secret_access_key=settings.s3_secret_access_key.get_secret_value(),
    )


def night_of(world: FieldWorld) -> Left:
    report = run_night(world.resources, NIGHT, PROVINCES)
    letters = dict(world.rows("SELECT recipient_group, subject || E'\\n' || body FROM alert.outbox"))
    return Left(report, contents(world, [NIGHT]), released(world), letters)


def by_prefix(world: FieldWorld, columns: str, more: str, only: str = "TRUE") -> Rows:
    joined = f"ledger.delivery d JOIN {more} USING (province, delivery_id)"
    return world.rows(
        f"SELECT d.prefix, {columns} FROM {joined} WHERE d.reason IS DISTINCT FROM 'id_reused' AND {only}"
    )


def counted(world: FieldWorld) -> dict[tuple[str, str], dict[str, int]]:
    rows = world.rows(
        f"SELECT d.prefix, c.dataset, {STATES} FROM ledger.delivery d "
        "JOIN ledger.delivery_count c USING (province, delivery_id, delivered_on)"
    )
    names = STATES.split(", ")
    return {(p, dataset): {s: n for s, n in zip(names, told, strict=True) if n} for p, dataset, *told in rows}


def summed(rows: Rows) -> dict[str, dict[str, int]]:
    found: dict[str, dict[str, int]] = {}
    for prefix, kind, amount in rows:
        found.setdefault(prefix, {})[kind] = found.get(prefix, {}).get(kind, 0) + amount
    return found


@pytest.fixture(scope="module")
def world(services_env: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[FieldWorld]:
    expectations = rules_of_the_corpus(tmp_path_factory.mktemp("expectations"))
    work = tmp_path_factory.mktemp("work")
    with open_resources(
        services_env.model_copy(update={"expectations_dir": expectations, "work_dir": work})
    ) as resources:
        world = FieldWorld(resources, load_suites(expectations))
        prepare(world, tmp_path_factory.mktemp("reference"))
        yield world


@pytest.fixture(scope="module")
def in_a_hurry(monkeypatch_module: pytest.MonkeyPatch) -> None:
    """Judges by the compiled SQL alone, and a digest that lists every rejected delivery."""
    every = thresholds().lengths.model_copy(update={"rejected": 1000})
    limits = thresholds().model_copy(update={"lengths": every})
    monkeypatch_module.setattr(applicable_rules, "Judge", CompiledJudge)
    monkeypatch_module.setattr(night_context, "thresholds", lambda: limits)


@pytest.fixture(scope="module")
def monkeypatch_module() -> Iterator[pytest.MonkeyPatch]:
    with pytest.MonkeyPatch.context() as patch:
        yield patch


@pytest.fixture(scope="module")
def night(world: FieldWorld, log: Remembered, in_a_hurry: None) -> Night:
    clean_ones = [neighbour(province, 900 + n) for n, province in enumerate(NEIGHBOURS)]
    world.fresh()
    for each in clean_ones:
        put(world, dict(each.objects()))
    alone = night_of(world)
    world.fresh()
    drafts = {kind.kind: draft for kind, draft in deliveries()}
    for each in (*clean_ones, *drafts.values()):
        put(world, dict(each.objects()))
    seal_night(world.resources, PROVINCE, NIGHT, world.suites)
    put(world, changes(drafts, "after_sealing"))
    first = night_of(world)
    found = {
        "ledger": {p: told for p, *told in world.rows("SELECT prefix, state, reason, detail FROM ledger.delivery")},
        "counts": counted(world),
        "repairs": summed(by_prefix(world, "r.kind, r.amount", "ledger.repair r")),
        "rules": rules(by_prefix(world, "r.rule_id", "quality.rule_result r", "r.violations > 0")),
        "sums": world.rows(f"SELECT received, {STATES.replace(',', ' +')} FROM ledger.delivery_count"),
        "seal": world.rows("SELECT strays, unfinished FROM ledger.seal WHERE province = :p", p=PROVINCE)[0],
    }
    put(world, changes(drafts, "after_night"))
    second = night_of(world)
    return Night(world, drafts, first, second, alone, open_tables=open_tables(world), log="\n".join(log.lines), **found)


def changes(drafts: Mapping[str, Draft], when: str) -> dict[str, bytes | None]:
    return {draft.prefix + name: body for draft in drafts.values() for name, body in getattr(draft, when).items()}


def rules(rows: Rows) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for prefix, rule_id in rows:
        found.setdefault(prefix, set()).add(rule_id)
    return found


@pytest.fixture(params=KINDS.values(), ids=KINDS)
def kind(request: pytest.FixtureRequest) -> HostileKind:
    found: HostileKind = request.param
    return found


def test_a_kind_ends_with_its_verdict(night: Night, kind: HostileKind) -> None:
    prefix = night.drafts[kind.kind].prefix
    state, reason, detail = night.ledger.get(prefix, (None, None, None))
    if kind.verdict not in {"accepted", "rejected", "held"}:
        assert state is None
        assert (prefix in night.seal[1]) == (kind.verdict == "unfinished")
        return
    assert (state, reason or "") == (kind.verdict, kind.reason), detail
    assert night.counts.get((prefix, "keluarga"), {}) == kind.keluarga
    told = {each: n for each, n in night.repairs.get(prefix, {}).items() if each != "crlf"}
    assert told == kind.repairs
    assert not kind.rule or kind.rule in night.rules[prefix]


def test_nothing_of_ours_failed(night: Night) -> None:
    assert night.first.report.outcome.whole, night.first.report.outcome
    assert [each.province for each in night.first.report.provinces] == list(PROVINCES)


def test_every_row_is_accounted_for(night: Night) -> None:
    assert night.sums
    assert [(received, parts) for received, parts in night.sums if received != parts] == []


def test_what_lies_there_is_what_the_ledger_counts(night: Night) -> None:
    """Nothing half loaded: the tables hold the rows of accepted deliveries, state by state, and no others."""
    for state, tables in {"loaded": "core.{}", "quarantined": "restricted.quarantined"}.items():
        for dataset in DATASETS:
            only = f"AND t.dataset = '{dataset}'" if state == "quarantined" else ""
            query = f"SELECT count(*) FROM {tables.format(dataset)} t WHERE province = :p {only}"
            [(lying,)] = night.world.rows(query, p=PROVINCE)
            ledger = [
                n.get(state, 0) for (prefix, d), n in night.counts.items() if d == dataset and PROVINCE in prefix[:17]
            ]
            assert lying == sum(ledger), (state, dataset)


def test_what_is_no_delivery_is_counted(night: Night) -> None:
    strays = [
        each for name, draft in night.drafts.items() if KINDS[name].verdict == "stray" for each in draft.objects()
    ]
    beside = len(night.drafts["stray_files_beside"].strays) + len(["Manifest.JSON"])
    assert night.seal[0] == len(strays) + beside + len(["folder_of_next_century"])
    assert re.search(r"Kalimantan Timur(: \d|\))", night.first.letters["platform"])


def test_the_province_reads_every_reason_in_its_language(night: Night) -> None:
    letter = " ".join(night.first.letters[f"prov{PROVINCE}"].split())
    rejected = [(name, kind) for name, kind in KINDS.items() if kind.verdict == "rejected"]
    assert len(rejected) > 100
    for name, kind in rejected:
        delivery = night.drafts[name].prefix.split("/")[-2]
        told = re.escape(harmless(words_of("id").rejection(kind.reason)))
        assert re.search(rf"- {delivery} \([^)]*\): {told} ", letter), name


def test_neighbours_do_not_notice(night: Night) -> None:
    for province in NEIGHBOURS:
        mine = f'"province": "{province}"'
        kept, alone = ({n: [row for row in rows if mine in row] for n, rows in left.tables.items()}
                       for left in (night.first, night.alone))  # fmt: skip
        assert kept == alone
        assert kept["core.keluarga"]
        letters = [re.sub(r"s3://\S+", "", left.letters[f"prov{province}"]) for left in (night.first, night.alone)]
        assert letters[0] == letters[1]


def test_the_published_figures_of_neighbours_are_the_same(night: Night) -> None:
    published, alone = figures(night.first), figures(night.alone)
    assert published == alone
    assert {code[:2] for rows in published.values() for code, *_ in rows} == set(NEIGHBOURS)


def figures(left: Left) -> dict[str, Rows]:
    """The lines of the neighbours in every published CSV, by its name; rules that others violate are told as zeros."""
    found: dict[str, Rows] = {}
    for key, body in left.release.items():
        rows = list(csv.DictReader(io.StringIO(body.decode()))) if key.endswith(".csv") else []
        lines = [(row["kode"], *row.values()) for row in rows if row.get("kode", "")[:2] in NEIGHBOURS
                 and row.get("baris_melanggar") != "0"]  # fmt: skip
        if lines:
            found[key.rsplit("/", 1)[-1]] = lines
    return found


def test_the_second_run_changes_nothing(night: Night) -> None:
    assert night.second.tables == night.first.tables
    assert night.second.release == night.first.release
    assert night.second.letters == night.first.letters


def test_no_personal_value_leaves_its_place(night: Night) -> None:
    places = {
        "log": night.log,
        **night.open_tables,
        "receipts": "".join(r.model_dump_json() for r in list_receipts(
            night.world.resources.store, night.world.resources.settings.archive_bucket, night=NIGHT)),
        **{f"letter {group}": body for group, body in night.first.letters.items()},
        **{f"release {key}": body.decode("utf-8", "replace") for key, body in night.first.release.items()},
    }  # fmt: skip
    assert all(places[name] for name in ("log", "receipts", "core.kasus", "core.keluarga", "quality.reason"))
    found = [(place, secret) for place, text in places.items() for secret in SECRETS if secret in text]
    assert found == []


def test_the_secrets_do_lie_where_they_may(night: Night) -> None:
    held = "\n".join(row for name in ("keluarga_identity", "anggota_identity", "quarantined")
                     for (row,) in night.world.rows(f"SELECT to_jsonb(t)::text FROM restricted.{name} t"))  # fmt: skip
    assert [secret for secret in SECRETS if secret not in held] == []
