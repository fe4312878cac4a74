"""The streams beside K: by the contract, the same every time, and at one with K but for what is labelled."""

import csv
import gzip
import hashlib
import json
from collections import Counter
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import pytest

from regsosek.contract.codebook import variables
from regsosek.contract.instruments import datasets_of
from regsosek.contract.manifest import parse_manifest
from regsosek.simulation.field.campaign import NEVER, Campaign, default_behaviour
from regsosek.simulation.field.frame import province_frame
from regsosek.simulation.field.frame_changes import retired_from
from regsosek.simulation.output.sinks import DirectorySink
from regsosek.simulation.planted.defects import DefectTable
from regsosek.simulation.simulate import SimulationReport, simulate
from regsosek.simulation.streams.happenings import fields
from regsosek.simulation.streams.stream_deliveries import STREAMS
from support.checks.matrix import FULL

pytestmark = FULL

PROVINCE = "75"
FIRST, LAST = date(2022, 11, 14), date(2022, 11, 30)
Row = dict[str, str]


@dataclass(frozen=True)
class Delivered:
    report: SimulationReport
    root: Path

    def rows(self, dataset: str) -> list[Row]:
        """Every row in the order of arrival."""
        found: list[Row] = []
        for path in sorted(
            self.root.glob(f"landing/prov=*/tanggal=*/*/{dataset}-*.csv.gz"), key=lambda p: p.parent.name
        ):
            with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
                found += csv.DictReader(file)
        return found

    def labelled(self, kind: str) -> Counter[str]:
        """Families by sub-SLS."""
        found: Counter[str] = Counter()
        for gap in self.report.gaps:
            if gap.kind == kind:
                found[gap.id_subsls] += gap.families
        return found


def campaign(*, streams: bool = True) -> Campaign:
    """Many gaps, and sub-SLS that change, in a small province."""
    shape = default_behaviour().streams
    planted = shape.planted.model_copy(
        update={
            "reported_only": 0.1,
            "unreported": 0.1,
            "list_missing": 0.1,
            "head_not_met": 0.1,
            "lost_document": 0.01,
        }
    )
    behaviour = default_behaviour().model_copy(
        update={
            "streams": shape.model_copy(
                update={"planted": planted, "renamed": 0.1, "report_again": 0.5, "head_at_weekends": 0.5}
            ),
            "frame": default_behaviour().frame.model_copy(update={"retired_share": 0.1}),
        }
    )
    return Campaign(scale=0.02, first_delivery=FIRST, behaviour=behaviour, streams=streams)


def delivered(root: Path, made: Campaign, nights: int = (LAST - FIRST).days + 1) -> Delivered:
    days = [FIRST + timedelta(days=n) for n in range(nights)]
    nothing = DefectTable(share_of_documents=0, kind=())
    return Delivered(simulate(made, DirectorySink(root), nights=days, provinces=[PROVINCE], defects=nothing), root)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Delivered:
    """A campaign to the end: everything has arrived."""
    return delivered(tmp_path_factory.mktemp("streams"), campaign())


def counts(whole: Delivered) -> Counter[str]:
    """Families by sub-SLS by the newest report of each sub-SLS, officer and day."""
    newest = {
        (r["id_subsls"], r["kode_petugas"], r["tanggal"]): int(r["jumlah_kk_cacah"]) for r in whole.rows("progres")
    }
    found: Counter[str] = Counter()
    for (code, *_), families in newest.items():
        found[code] += families
    return found


def documents(whole: Delivered) -> Counter[str]:
    return Counter(
        dict(Counter(code for code, _ in {(r["id_subsls"], r["id_dokumen"]) for r in whole.rows("keluarga")}))
    )


def test_deliveries_keep_the_contract(whole: Delivered) -> None:
    seen = set()
    for each in whole.report.streams:
        folder = whole.root / each.envelope.folder
        manifest = parse_manifest(
            (folder / "manifest.json").read_bytes(), province=PROVINCE, delivery_id=each.envelope.delivery_id
        )
        assert datasets_of(manifest.instrument, manifest.instrument_version) == (each.dataset,)
        for file in manifest.files:
            content = (folder / file.name).read_bytes()
            assert (len(content), hashlib.sha256(content).hexdigest()) == (file.bytes, file.sha256)
            header, *rows = csv.reader(gzip.decompress(content).decode().splitlines())
            assert header == [item.name for item in variables(each.dataset, manifest.instrument_version)]
            assert len(rows) == file.rows
        seen.add(each.dataset)
    assert seen == set(STREAMS)


def test_values_have_the_types_of_the_codebook(whole: Delivered) -> None:
    for dataset in STREAMS:
        rows = whole.rows(dataset)
        for item in variables(dataset, "1"):
            values = [row[item.name] for row in rows]
            assert all(values) or item.required != "yes", item.name
            if item.kind in {"integer", "choice"}:
                assert all(value.isdigit() for value in values if value), item.name
            if item.kind == "digits":
                assert all(len(value) == item.width for value in values if value), item.name


def test_streams_agree_with_k_but_for_what_is_labelled(whole: Delivered) -> None:
    reported, arrived = counts(whole), documents(whole)
    only = whole.labelled("reported_not_received")
    missing = whole.labelled("received_not_reported")
    assert only
    assert missing
    known = {code for code in arrived if code in reported or code in missing}
    assert {code: reported[code] - arrived[code] for code in reported if reported[code] != arrived[code]} == dict(only)
    assert {code: arrived[code] for code in known if code not in reported} == dict(missing)


def test_tags_without_a_document_are_labelled(whole: Delivered) -> None:
    keys = ("id_subsls", "r109_no_bangunan", "r110_no_keluarga")
    arrived = {tuple(int(row[key]) for key in keys) for row in whole.rows("keluarga")}
    tags = {row["id_tag"]: row for row in whole.rows("geotag")}
    standing = [tuple(int(row[key]) for key in keys) for row in tags.values() if row["status_dokumen"] == "1"]
    lost = Counter(f"{key[0]:016d}" for key in standing if key not in arrived)
    assert lost == whole.labelled("tagged_not_received")
    assert lost
    withdrawn = [row for row in tags.values() if row["status_dokumen"] == "9"]
    assert withdrawn
    poor = [row for row in tags.values() if row["kelas_vk"] in "12"]
    assert 0.88 < sum(row["ada_foto"] == "1" for row in poor) / len(poor) < 0.98
    assert all((row["ada_foto"] == "1") == bool(row["kunci_foto"]) for row in tags.values())


def test_heirs_of_a_list_add_up_to_it_and_lists_may_be_missing(whole: Delivered) -> None:
    made = campaign()
    known = province_frame(made, PROVINCE).subsls
    known = known.take(known.in_frame)
    load = dict(zip((f"{code:016d}" for code in known.id_subsls), known.load.tolist(), strict=True))
    retired = {f"{code:016d}" for code in known.id_subsls[retired_from(made, known) < 100]}
    lists: dict[tuple[str, str], Row] = {}
    for row in whole.rows("rekap_vk"):
        lists[row["id_subsls"], row["id_subsls_baru"]] = row
    sums: Counter[str] = Counter()
    for (code, new), row in lists.items():
        if row["jumlah_keluarga_verifikasi"] and (row["status"] in {"1", "2"} or code not in retired):
            sums[code] += int(row["jumlah_keluarga_verifikasi"])
            classes = sum(int(row[name]) for name in ("sangat_miskin", "miskin", "tidak_miskin"))
            assert classes == int(row["jumlah_keluarga_verifikasi"])
        assert bool(new) == bool(row["status"])
    missing = set(whole.labelled("list_not_entered"))
    assert missing & set(load)
    assert {code: load[code] for code in sums} == dict(sums)
    assert not missing & set(sums)
    assert {row["status"] for row in lists.values()} == {"", "1", "2", "3"}


def test_what_arrives_is_never_later_than_said(whole: Delivered) -> None:
    shape = campaign().behaviour.streams
    for each in whole.report.streams:
        manifest = json.loads((whole.root / each.envelope.folder / "manifest.json").read_text())
        if each.dataset == "progres" and each.envelope.night > FIRST and each.rows:
            first = date.fromisoformat(manifest["enumerated_from"])
            assert (each.envelope.night - first).days <= shape.report_days_at_most + 1


def test_heads_who_are_at_work_on_weekdays_are_met_at_weekends_after_the_first_visit() -> None:
    made = campaign()
    [field] = fields(made, province_frame(made, PROVINCE))
    met = field.verified < NEVER
    wait = (field.verified - field.began)[met]
    assert wait.min() == 0
    assert wait.max() > made.behaviour.streams.verified_within
    weekday = (made.windows[PROVINCE].opens.weekday() + field.verified[met][wait > 2] - 1) % 7
    assert set(weekday.tolist()) <= {5, 6}


def test_a_campaign_without_streams_delivers_k_as_ever(tmp_path: Path) -> None:
    alone = delivered(tmp_path, campaign(streams=False), nights=1)
    assert not Campaign().streams
    assert not alone.report.streams
    assert not alone.report.gaps
    assert not alone.rows("progres")


def test_the_same_seed_gives_the_same_bytes(tmp_path: Path) -> None:
    def digests(root: Path) -> dict[str, str]:
        delivered(root, campaign(), nights=2)
        files = (path for path in root.rglob("*") if path.is_file())
        return {str(path.relative_to(root)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}

    assert digests(tmp_path / "first") == digests(tmp_path / "second")
