"""Writes the reference files of the simulated operation: sub-SLS frame and its changes, officers, targets."""

import csv
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import Path

import numpy as np

from regsosek.geography.frame import (
    CONTRACT_VERSION,
    DATASETS,
    SIMULATED,
    ReferenceDataset,
    ReferenceFile,
    ReferenceManifest,
    file_key,
    file_name,
    manifest_key,
    reference_columns,
)
from regsosek.geography.provinces import province as province_of_code
from regsosek.simulation.answers.keluarga import sls_names
from regsosek.simulation.draws.randomness import Integers
from regsosek.simulation.field.campaign import NEVER, Campaign, FrameShape
from regsosek.simulation.field.frame import ProvinceFrame, SubSls, province_frame
from regsosek.simulation.field.frame_changes import formed_from, heirs, retired_from
from regsosek.simulation.output.delivery import PRODUCER, manifest_bytes
from regsosek.simulation.output.parts import pack, sha256_of
from regsosek.simulation.output.sinks import Sink

VERSION = "2022-10-01"
_MADE_AT = datetime.fromisoformat(f"{VERSION}T09:00:00+07:00")
_SLS = "1"

Row = Mapping[str, str | int]


Files = Mapping[ReferenceDataset, ReferenceFile]


def write_reference_files(campaign: Campaign, sink: Sink, provinces: Sequence[str], scratch: Path) -> dict[str, int]:
    """Writes sls, psls, petugas and target of ``provinces`` as version VERSION; returns the scaled target by province.

    Sub-SLS that only the enumerators know are not among them.
    """
    files: list[Files] = []
    targets: dict[str, int] = {}
    for province in provinces:
        frame = province_frame(campaign, province)
        targets[province] = frame.target
        files.append(write_province_files(campaign, frame, sink, scratch))
    write_reference_manifests(campaign, files, targets, sink)
    return targets


def write_province_files(campaign: Campaign, frame: ProvinceFrame, sink: Sink, scratch: Path) -> Files:
    """Writes the files of one province; nobody can read the version before its manifests stand."""
    rows = _province_rows(campaign, frame)
    return {dataset: _put(dataset, frame.province, rows[dataset], scratch, sink) for dataset in DATASETS}


def write_reference_manifests(
    campaign: Campaign, files: Sequence[Files], targets: Mapping[str, int], sink: Sink
) -> None:
    """Writes the manifests over ``files``, in their order, with the scale that ``targets`` make; with them the version
    exists.
    """
    scale = scale_of_targets(targets)
    for dataset in DATASETS:
        listed = [of_province[dataset] for of_province in files]
        sink.put_bytes(manifest_key(dataset, VERSION), manifest_bytes(_manifest(dataset, campaign, scale, listed)))


def scale_of_targets(targets: Mapping[str, int]) -> float:
    """What share of their real targets the simulated ``targets`` (families by province) are, to nine decimals.

    Whole sub-SLS, at least one of each kab/kota: this is more than the share of the sub-SLS that was asked for.
    """
    return round(sum(targets.values()) / sum(province_of_code(code).target for code in targets), 9)


def _province_rows(campaign: Campaign, frame: ProvinceFrame) -> dict[ReferenceDataset, Iterable[Row]]:
    known = frame.subsls.take(frame.subsls.in_frame)
    scale = f"{scale_of_targets({frame.province: frame.target}):.9f}".rstrip("0").rstrip(".")
    target: Row = {"target_families": frame.target, "source": frame.target_source, "scale": scale}
    return {
        "sls": _sls_rows(campaign, frame.province, known),
        "psls": _psls_rows(campaign, frame.province, known),
        "petugas": _officer_rows(known, frame.province, campaign.behaviour.frame),
        "target": [{"province": frame.province, **target}],
    }


def _sls_rows(campaign: Campaign, province: str, known: SubSls) -> Iterable[Row]:
    columns = known.desa.tolist(), sls_names(known).to_pylist(), formed_from(campaign, known).tolist()
    for desa, name, formed, (code, load, day) in zip(*columns, _with_days(campaign, known), strict=True):
        row: Row = {"id_desa": desa, "nama_sls": name, "jenis": _SLS, "valid_to": "", "code_system": "BPS"}
        old: Row = {**row, "id_subsls": code, "families_load": load, "valid_from": VERSION}
        if formed:
            yield {**old, "valid_from": campaign.date_of(province, formed).isoformat()}
            continue
        if day == NEVER:
            yield old
            continue
        yield {**old, "valid_to": campaign.date_of(province, day - 1).isoformat()}
        begins = campaign.date_of(province, day).isoformat()
        for heir in heirs(code, load):
            yield {**row, "id_subsls": heir.id_subsls, "families_load": heir.load, "valid_from": begins}


def _psls_rows(campaign: Campaign, province: str, known: SubSls) -> Iterable[Row]:
    for code, load, day in _with_days(campaign, known):
        for heir in heirs(code, load) if day != NEVER else ():
            yield {
                "id_subsls_lama": code,
                "id_subsls_baru": heir.id_subsls,
                "status": heir.status,
                "valid_from": campaign.date_of(province, day).isoformat(),
            }


def _with_days(campaign: Campaign, known: SubSls) -> Iterable[tuple[int, int, int]]:
    """Code, load, and the day from which the code holds no more."""
    return zip(known.id_subsls.tolist(), known.load.tolist(), retired_from(campaign, known).tolist(), strict=True)


def _officer_rows(known: SubSls, province: str, shape: FrameShape) -> Iterable[Row]:
    """PPL under PML under Koseka. A code is the kab/kota, then what the questionnaire says, as that is unique there."""
    koseka = (known.pml - 1) // shape.pml_per_koseka + 1
    levels: Sequence[tuple[str, str, Integers, str, Integers | None]] = (
        ("Koseka", "K{:02d}", koseka, "", None),
        ("PML", "{:03d}", known.pml, "K{:02d}", koseka),
        ("PPL", "{:04d}", known.ppl, "{:03d}", known.pml),
    )
    for role, form, codes, superior_form, superiors in levels:
        above = np.zeros_like(codes) if superiors is None else superiors
        for kabkota, code, superior in np.unique(np.stack([known.kabkota, codes, above], axis=1), axis=0).tolist():
            yield {
                "kode_petugas": f"{kabkota}-{form.format(code)}",
                "peran": role,
                "province": province,
                "id_kabkota": kabkota,
                "kode_atasan": f"{kabkota}-{superior_form.format(superior)}" if superior_form else "",
                "valid_from": VERSION,
                "valid_to": "",
            }


def _put(dataset: ReferenceDataset, province: str, rows: Iterable[Row], scratch: Path, sink: Sink) -> ReferenceFile:
    plain, packed = scratch / f"{dataset}.csv", scratch / f"{dataset}.csv.gz"
    with plain.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, [column.name for column in reference_columns(dataset)], lineterminator="\n")
        writer.writeheader()
        listed = list(rows)
        writer.writerows(listed)
    pack(plain, packed)
    sink.put_file(file_key(dataset, VERSION, province), packed)
    size, name = packed.stat().st_size, file_name(province)
    return ReferenceFile(name=name, province=province, rows=len(listed), bytes=size, sha256=sha256_of(packed))


def _manifest(
    dataset: ReferenceDataset, campaign: Campaign, scale: float, files: Sequence[ReferenceFile]
) -> ReferenceManifest:
    return ReferenceManifest(
        contract_version=CONTRACT_VERSION,
        dataset=dataset,
        version=VERSION,
        produced_at=_MADE_AT,
        producer=PRODUCER,
        scale=scale,
        note=f"{SIMULATED} (benih {campaign.seed}): sub-SLS utuh, sedikitnya satu di setiap kab/kota",
        files=tuple(files),
    )
