"""Deliveries keep the landing contract, are the same every time, and their labels say exactly what quality finds."""

import csv
import gzip
import hashlib
from collections import Counter
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from regsosek.contract.codebook import DATASETS, variables
from regsosek.errors import ConfigurationError
from regsosek.quality.reasons import explain
from regsosek.quality.rules import load_suites
from regsosek.simulation.field.campaign import Campaign
from regsosek.simulation.output.sinks import BucketSink, DirectorySink
from regsosek.simulation.planted.defects import default_defects
from regsosek.simulation.planted.planting import LABEL_COLUMNS
from regsosek.simulation.simulate import simulate, simulate_day, write_labels
from support.checks.matrix import FULL

from .conftest import NIGHTS, PROVINCES, Simulated, stage_part, staging_engine

pytestmark = FULL

SUITES = load_suites(Path(__file__).parents[3] / "expectations")


def _digests(root: Path) -> dict[str, str]:
    files = (path for path in root.rglob("*") if path.is_file())
    return {str(path.relative_to(root)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def _rows(folder: Path, dataset: str) -> list[dict[str, str]]:
    rows: list[dict[str, str]] = []
    for path in sorted(folder.glob(f"{dataset}-*.csv.gz")):
        with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
            rows += csv.DictReader(file)
    return rows


def _folder(simulated: Simulated, kind: str) -> Path:
    [delivery] = [d for d in simulated.report.deliveries if d.kind == kind]
    return simulated.root / delivery.envelope.folder


def test_the_same_seed_gives_the_same_bytes(tmp_path: Path) -> None:
    roots = [tmp_path / name for name in ("first", "second", "parts", "other")]
    for root in roots[:2]:
        simulate(Campaign(), DirectorySink(root), nights=NIGHTS[:1], provinces=["75"])
    simulate(Campaign(seed=1), DirectorySink(roots[3]), nights=NIGHTS[:1], provinces=["75"])
    first, second, _, other = map(_digests, roots)
    assert first
    assert first == second
    # Targets are no draw, and a province without changes of SLS has the same empty list under every seed.
    alike = {digest for key, digest in first.items() if key.startswith(("reference/target/", "reference/psls/"))}
    assert not (set(first.values()) & set(other.values())) - alike


def test_the_size_of_parts_changes_no_row(tmp_path: Path) -> None:
    for name, size in (("small", 7), ("large", 50_000)):
        campaign = Campaign(families_per_part=size)
        simulate(campaign, DirectorySink(tmp_path / name), nights=NIGHTS[:1], provinces=["75"])
    small, large = (next((tmp_path / name).glob("landing/*/*/*")) for name in ("small", "large"))
    assert len(list(small.glob("keluarga-*"))) > 1
    for dataset in DATASETS:
        assert _rows(small, dataset) == _rows(large, dataset)


def test_manifests_describe_their_files(demo: Simulated) -> None:
    broken = _folder(demo, "broken")
    for folder, manifest in demo.manifests():
        for file in manifest.files:
            content = (folder / file.name).read_bytes()
            assert len(content) == file.bytes
            assert (hashlib.sha256(content).hexdigest() == file.sha256) == (
                folder != broken or file.dataset == "anggota"
            )
            if folder != broken:
                header, *rows = list(csv.reader(gzip.decompress(content).decode().splitlines()))
                assert header == [item.name for item in variables(file.dataset, manifest.instrument_version)]
                assert len(rows) == file.rows


def test_incidents_happen_as_planned(demo: Simulated) -> None:
    assert demo.report.silent == (("82", NIGHTS[1]),)
    kinds = Counter(delivery.kind for delivery in demo.report.deliveries)
    assert kinds == {"regular": len(NIGHTS) * len(PROVINCES) - 2, "broken": 1, "resent": 1, "superseding": 1}


def _first_night(simulated: Simulated, province: str) -> Path:
    [delivery] = [
        d for d in simulated.report.deliveries if (d.envelope.province, d.envelope.night) == (province, NIGHTS[0])
    ]
    return simulated.root / delivery.envelope.folder


def test_a_resent_delivery_repeats_every_row(demo: Simulated) -> None:
    for dataset in DATASETS:
        assert _rows(_folder(demo, "resent"), dataset) == _rows(_first_night(demo, "75"), dataset)


def test_a_superseding_delivery_names_the_old_one_and_lacks_some_cases(demo: Simulated) -> None:
    old, new = _first_night(demo, "65"), _folder(demo, "superseding")
    [manifest] = [manifest for folder, manifest in demo.manifests() if folder == new]
    assert manifest.supersedes == (old.name,)
    before, after = ({row["id_dokumen"] for row in _rows(folder, "keluarga")} for folder in (old, new))
    assert after < before


def test_the_night_after_silence_carries_both_days(demo: Simulated) -> None:
    late = [d for d in demo.report.deliveries if (d.envelope.province, d.envelope.night) == ("82", NIGHTS[2])]
    days = {row["waktu_sinkron"][:10] for d in late for row in _rows(demo.root / d.envelope.folder, "keluarga")}
    assert days == {"2022-10-29", "2022-10-30"}


def _found(simulated: Simulated, folders: set[Path]) -> set[tuple[str, str, str, str]]:
    """What the compiled suites find, as delivery, document, rule and outcome."""
    connection = staging_engine(simulated.root)
    found: set[tuple[str, str, str, str]] = set()
    for folder, manifest in ((folder, manifest) for folder, manifest in simulated.manifests() if folder in folders):
        stage_part(connection, folder, manifest, 1)
        for dataset in DATASETS:
            explain(connection, dataset, SUITES[dataset].rules)
            query = f"SELECT id_dokumen, rule_id, severity FROM {dataset}_reasons JOIN {dataset} USING (row_no)"
            for id_dokumen, rule_id, severity in connection.execute(query).fetchall():
                outcome = "quarantined" if severity == "critical" else "warning"
                found.add((folder.name, id_dokumen, rule_id, outcome))
    return found


def _labelled(simulated: Simulated, folders: set[Path]) -> set[tuple[str, str, str, str]]:
    names = {folder.name for folder in folders}
    of_folders = (label for label in simulated.report.labels if label.delivery_id in names)
    return {(label.delivery_id, label.id_dokumen, label.rule_id, label.expected) for label in of_folders}


def test_labels_are_exactly_what_quality_finds(spoiled: Simulated) -> None:
    folders = {folder for folder, _ in spoiled.manifests()}
    labels = _labelled(spoiled, folders)
    assert len(labels) > 2_000
    assert _found(spoiled, folders) == labels


def test_labels_are_exact_where_documents_come_again(demo: Simulated) -> None:
    folders = {folder for folder, manifest in demo.manifests() if manifest.province == "65"}
    labels = _labelled(demo, folders)
    assert len(labels) > 3
    assert _found(demo, folders) == labels


def test_no_case_has_two_defects(spoiled: Simulated) -> None:
    cases = Counter((label.delivery_id, label.id_dokumen) for label in spoiled.report.labels)
    assert max(cases.values()) == 1


def test_every_kind_of_defect_can_be_planted(spoiled: Simulated) -> None:
    kinds = {kind.name for kind in default_defects().kind}
    assert {label.kind for label in spoiled.report.labels} - {"sls_new", "sls_retired"} == kinds


def test_labels_point_at_the_spoiled_cell(demo: Simulated) -> None:
    """Recomputed from the delivered text alone, without suites."""
    spoiled = {
        "area_untypable": lambda row: row["r302_luas_lantai"] == "tiga puluh",
        "card_number_short": lambda row: len(row["r114_no_kk"]) == 15,
        "wall_missing": lambda row: row["r205_hasil"] == "1" and not row["r304_dinding"],
        "301b_surplus": lambda row: row["r301a_status_bangunan"] > "1" and row["r301b_bukti_kepemilikan"] > "",
        "desa_unknown": lambda row: row["r104_desa"] == "999",
    }  # fmt: skip
    unread = {_folder(demo, kind) for kind in ("broken", "resent")}
    found: Counter[tuple[str, str]] = Counter()
    for folder, _ in demo.manifests():
        for row in _rows(folder, "keluarga") if folder not in unread else ():
            found.update((kind, row["id_dokumen"]) for kind, test in spoiled.items() if test(row))
    labelled = Counter((label.kind, label.id_dokumen) for label in demo.report.labels if label.kind in spoiled)
    assert found == labelled


def test_a_second_message_corrects_moves_or_withdraws(demo: Simulated) -> None:
    versions: dict[str, list[dict[str, str]]] = {}
    for folder in (f for f, m in demo.manifests() if f not in {_folder(demo, "broken"), _folder(demo, "resent")}):
        for row in _rows(folder, "keluarga"):
            versions.setdefault(row["id_dokumen"], []).append(row)
    second = [row for rows in versions.values() for row in rows if row["versi"] == "2"]
    withdrawn = [row for row in second if row["status_dokumen"] == "9"]
    assert withdrawn
    assert all(row["id_subsls"] and row["waktu_sinkron"] and not row["r205_hasil"] for row in withdrawn)
    assert any(int(row["r110_no_keluarga"]) > 500 for row in second)
    pairs = [(rows[0], rows[1]) for rows in versions.values() if len(rows) > 1 and rows[0]["versi"] == rows[1]["versi"]]
    assert any(before["waktu_sinkron"] != after["waktu_sinkron"] for before, after in pairs)


def test_a_withdrawn_document_has_no_members(demo: Simulated) -> None:
    for folder, _ in demo.manifests():
        if folder != _folder(demo, "broken"):
            gone = {row["id_dokumen"] for row in _rows(folder, "keluarga") if row["status_dokumen"] == "9"}
            assert not gone & {row["id_dokumen"] for row in _rows(folder, "anggota")}


def test_labels_are_written_apart(demo: Simulated, tmp_path: Path) -> None:
    path = tmp_path / "labels.csv"
    write_labels(demo.report.labels, path)
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert tuple(rows[0]) == LABEL_COLUMNS
    assert len(rows) == len(demo.report.labels)
    assert not list(demo.root.rglob("*label*"))


def test_nights_before_the_first_delivery_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="2022-10-27"):
        simulate(Campaign(), DirectorySink(tmp_path), nights=[date(2022, 10, 27)], provinces=["75"])


def test_a_day_larger_than_the_province_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="raise it"):
        simulate_day(Campaign(), DirectorySink(tmp_path), province="75", night=NIGHTS[0], families=1_000_000)


class _Store:
    def __init__(self) -> None:
        self.keys: list[str] = []

    def put_file(self, bucket: str, key: str, path: Path) -> None:
        assert path.stat().st_size
        self.keys.append(f"{bucket}/{key}")

    def put_bytes(self, bucket: str, key: str, content: bytes) -> None:
        assert content
        self.keys.append(f"{bucket}/{key}")


@pytest.fixture
def stored() -> Iterator[list[str]]:
    store = _Store()
    simulate(Campaign(), BucketSink(store, "landing-bucket"), nights=NIGHTS[:1], provinces=["75"])
    yield store.keys


def test_the_manifest_is_put_last(stored: list[str]) -> None:
    landing = [key for key in stored if "/landing/" in key]
    assert landing[-1].endswith("manifest.json")
    assert len([key for key in landing if key.endswith("manifest.json")]) == 1
    assert all(key.startswith("landing-bucket/") for key in stored)
