"""A night whose every column, key, file name and field of a manifest holds somebody's data: where it comes to lie.

Accepted, quarantined, held, rejected and crashed deliveries of the questionnaire and of all streams at once. Outside of
landing, archive and schema ``restricted`` nothing of it is found, written in any of its forms.
"""

import json
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from hostile.searched import Remembered, open_tables, released
from regsosek.contract.codebook import all_variables
from regsosek.contract.manifest import DeliveredFile, Manifest
from regsosek.night.discovery import applicable_rules
from regsosek.night.nightly import run_night
from regsosek.quality.rules import load_suites
from regsosek.quality.verdict import RuleCount
from regsosek.resources import open_resources
from regsosek.settings import Settings
from support.deliveries.families import DESA, PROVINCE, Row
from support.deliveries.stream_messages import CLEAN, deliver_stream, tag
from support.worlds.field_world import CompiledJudge, Family, FieldWorld, family

NIGHT = date(2022, 10, 21)
AT = datetime(2022, 10, 20, 12, tzinfo=UTC)
NAME = "SITI.CANARYNAMA"
# A name looks like any other text: that of an SLS is a neighbourhood's and shown, that of a system names no person.
NAMES_SHOWN = {"r106_nama_sls", "nama_sls_baru", "producer"}
# As somebody writes them, by what is left of them without signs: so they are looked for.
CANARIES = {
    "6472015505800078": "6472015505800078", "NIK-6472.0155.0580.0078": "6472015505800078",
    "6472015505800078_1": "6472015505800078", "KK/6472011212120077": "6472011212120077",
    "0812-7770-0995": "81277700995", "+6281277700995": "81277700995", NAME: "SITICANARYNAMA",
    "-6.2468013": "62468013", "106.1534987": "1061534987",
}  # fmt: skip
LIMITS = {"keluarga": "100,100000", "anggota": "100,100000", "progres": "100,100000", "geotag": "25,30",
          "rekap_vk": "100,100000", "replaced": "100,100000"}  # fmt: skip


class CrashingJudge(CompiledJudge):
    """Fails over a family that bears its own number, and says its value."""

    def _judge_dataset(self, dataset: str) -> list[RuleCount]:
        if dataset == "keluarga" and self._connection.execute("SELECT 1 FROM keluarga WHERE case_id = 'X9'").fetchall():
            raise ValueError(" ".join(CANARIES))
        return super()._judge_dataset(dataset)


def planted(dataset: str) -> Iterator[Row]:
    """Each column of ``dataset`` with each canary."""
    for variable in all_variables(dataset):
        for canary in CANARIES:
            if canary != NAME or variable.name not in NAMES_SHOWN:
                yield {variable.name: canary}


def message(dataset: str, number: int) -> Row:
    """A clean message that speaks of something else than any other."""
    own = {
        "progres": {"kode_petugas": f"{number + 1:04d}"}, "geotag": {"id_tag": f"TAG-{number}"},
        "rekap_vk": {"id_subsls_baru": f"{DESA}{number + 1:04d}00", "status": "1"},
    }  # fmt: skip
    return CLEAN[dataset]() | own[dataset]


def families() -> list[Family]:
    """A family for each canary in each column of its own row and of a member's; members share its keys."""
    found: list[Family] = []
    for dataset in ("keluarga", "anggota"):
        for changes in planted(dataset):
            number = len(found)
            resources = {"r109_no_bangunan": f"{number // 900 + 1:03d}"}
            row, members = family(f"D{number}", number=number % 900 + 1, **resources)
            for each in (row, *members) if dataset == "keluarga" else members[1:]:
                each.update({name: value for name, value in changes.items() if name in each})
            found.append((row, members))
    return found


def deliver_all(world: FieldWorld) -> dict[str, str]:
    """Puts everything into landing: what each delivery is there for, by its id."""
    minutes = iter(range(10_000))

    def at() -> datetime:
        return AT + timedelta(minutes=next(minutes))

    sent = {world.deliver(NIGHT, families(), produced_at=at()): "every column of K"}
    for dataset in CLEAN:
        rows = [message(dataset, n) | row for n, row in enumerate([*planted(dataset), {}])]
        sent[deliver_stream(world, NIGHT, dataset, rows, produced_at=at())] = f"every column of {dataset}"
    keys = [tag(canary) for canary in CANARIES]
    sent[deliver_stream(world, NIGHT, "geotag", keys, produced_at=at())] = "ids of tags"
    strange = {"r999_6472015505800078": "1", "r998_siti_canarynama": "2", "NIK 6472015505800078": "3"}
    columns = [(strange | row, members) for row, members in [family("C1", number=950)]]
    sent[world.deliver(NIGHT, columns, produced_at=at(), spoil={"producer": "Sdr. Ali 0812-7770-0995"})] = "columns"
    for name in Manifest.model_fields:
        for canary in (*CANARIES, 6472015505800078):
            if canary == NAME and name in NAMES_SHOWN:
                continue
            sent[world.deliver(NIGHT, [family("M1", number=951)], produced_at=at(), spoil={name: canary})] = name
    for name in DeliveredFile.model_fields:
        sent |= _spoiled_files(world, at(), name)
    unknown = {"SITI.CANARYNAMA 6472015505800078": 1, "supersedes": ["01GF006472015505800078ABCD"]}
    sent[world.deliver(NIGHT, [family("M2", number=952)], produced_at=at(), spoil=unknown)] = "unknown fields"
    sent[world.deliver(NIGHT, [family("X9", number=953)], produced_at=AT + timedelta(days=1))] = "crashed"
    folder = f"landing/prov={PROVINCE}/tanggal={NIGHT}/"
    for key in (f"{folder}6472015505800078/manifest.json", f"{folder}{next(iter(sent))}/SITI.CANARYNAMA.csv"):
        world.resources.store.put_bytes(world.resources.settings.landing_bucket, key, b"{}")
    return sent


def _spoiled_files(world: FieldWorld, at: datetime, field: str) -> dict[str, str]:
    delivery_id = world.deliver(NIGHT, [family("M3", number=954)], produced_at=at)
    bucket = world.resources.settings.landing_bucket
    key = f"landing/prov={PROVINCE}/tanggal={NIGHT}/{delivery_id}/manifest.json"
    manifest = json.loads(world.resources.store.get_bytes(bucket, key, max_bytes=10**6) or b"")
    manifest["files"][0][field] = "keluarga-6472015505800078-SITI.CANARYNAMA.csv"
    world.resources.store.put_bytes(bucket, key, json.dumps(manifest).encode())
    return {delivery_id: f"files.{field}"}


@pytest.fixture(scope="module")
def world(services_env: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[FieldWorld]:
    own = tmp_path_factory.mktemp("canaries")
    limits = own / "limits.csv"
    limits.write_text("province,dataset,limit_percent,least_rows,source\n" + "".join(
        f"*,{dataset},{limit},of this test\n" for dataset, limit in LIMITS.items()))  # fmt: skip
    settings = services_env.model_copy(update={"hold_limits_file": limits, "work_dir": own / "work"})
    with open_resources(settings) as resources:
        world = FieldWorld(resources, load_suites(settings.expectations_dir))
        world.prepare(tmp_path_factory.mktemp("reference"))
        yield world.fresh()


@pytest.fixture(scope="module")
def states(world: FieldWorld, log: Remembered) -> Mapping[str, set[str]]:
    """The night is run twice, the first time it crashes; by what a delivery is there for, its states."""
    sent = deliver_all(world)
    for judge in (CrashingJudge, CompiledJudge):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(applicable_rules, "Judge", judge)
            report = run_night(world.resources, NIGHT, [PROVINCE])
        assert report.outcome.whole == (judge is CompiledJudge), report.outcome
    found: dict[str, set[str]] = {}
    for delivery_id, state in world.rows("SELECT delivery_id, state FROM ledger.delivery"):
        found.setdefault(sent[delivery_id], set()).add(state)
    return found


def test_every_state_is_there(states: Mapping[str, set[str]], world: FieldWorld) -> None:
    assert states["every column of K"] == states["every column of progres"] == {"accepted"}
    assert states["every column of geotag"] == {"held"}
    assert states["ids of tags"] == states["columns"] == states["crashed"] == {"accepted"}
    assert set().union(*(states[name] for name in DeliveredFile.model_fields if name in states)) <= {"rejected"}
    assert world.rows("SELECT count(*) > 100 FROM core.kasus WHERE status = 'quarantined'") == [(True,)]


def test_nothing_of_it_lies_open(states: Mapping[str, set[str]], world: FieldWorld, log: Remembered) -> None:
    places: dict[str, str] = {
        "log": "\n".join(log.lines), **open_tables(world),
        **{f"release {key}": body.decode("utf-8", "replace") for key, body in released(world).items()},
        **{f"work {path.name}": path.read_text(errors="replace")
           for path in Path(world.resources.settings.work_dir).rglob("*") if path.is_file()},
    }  # fmt: skip
    filled = (
        "log",
        "core.kasus",
        "core.keluarga",
        "stream.progres",
        "stream.rekap_vk",
        "quality.reason",
        "alert.outbox",
    )
    assert [name for name in filled if not places[name]] == []
    found = {(place, canary, around) for place, text in places.items() for canary, around in _seen(text)}
    assert sorted(found) == []


def _seen(text: str) -> Iterator[tuple[str, str]]:
    bare = re.sub(r"[^0-9A-Za-z]", "", text).upper()
    for core in set(CANARIES.values()):
        if place := bare.find(core) + 1:
            yield core, bare[max(0, place - 60) : place + 40]


def test_it_does_lie_where_it_may(states: Mapping[str, set[str]], world: FieldWorld) -> None:
    held = "\n".join(
        str(row) for name in ("keluarga_identity", "anggota_identity", "quarantined", "untyped_value")
        for row in world.rows(f"SELECT to_jsonb(t)::text FROM restricted.{name} t")
    )  # fmt: skip
    assert [core for core in set(CANARIES.values()) if core not in {c for c, _ in _seen(held)}] == []
