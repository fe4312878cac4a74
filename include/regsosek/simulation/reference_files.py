"""Writes what the simulated operation knows beforehand: the sub-SLS frame, the officers and the targets, as reference files."""

import csv
import io
import json
from collections.abc import Iterator, Mapping
from datetime import datetime, time
from hashlib import sha256
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np

from regsosek.geography.frame import (
    CONTRACT_VERSION,
    DATASETS,
    ReferenceDataset,
    ReferenceFile,
    ReferenceManifest,
    file_key,
    file_name,
    manifest_key,
    reference_columns,
)
from regsosek.simulation.campaign import Campaign
from regsosek.simulation.delivery import PRODUCER
from regsosek.simulation.frame import ProvinceFrame, SubSls, province_frame
from regsosek.simulation.keluarga import sls_names
from regsosek.simulation.parts import pack, sha256_of
from regsosek.simulation.sinks import Sink

VERSION = "2022-10-01"
_SLS = "1"
_MADE_AT = datetime.combine(datetime.fromisoformat(VERSION), time(9), ZoneInfo("Asia/Jakarta"))

Row = Mapping[str, str | int]


def write_reference_files(campaign: Campaign, sink: Sink, provinces: list[str], scratch: Path) -> dict[str, int]:
    """Writes sls, petugas and target of ``provinces`` under version VERSION; returns the scaled target by province."""
    files: dict[ReferenceDataset, list[ReferenceFile]] = {dataset: [] for dataset in DATASETS}
    targets: dict[str, int] = {}
    for province in provinces:
        frame = province_frame(campaign, province)
        known = frame.subsls.take(frame.subsls.in_frame)
        targets[province] = frame.target
        for dataset, rows in (("sls", _sls(known)), ("petugas", _officers(known, campaign)), ("target", [_target(frame, campaign)])):
            files[dataset].append(_put(dataset, province, rows, scratch, sink))
    for dataset, listed in files.items():
        manifest = _manifest(dataset, campaign, listed)
        sink.put_bytes(manifest_key(dataset, VERSION), (manifest.model_dump_json(indent=2) + "\n").encode())
    return targets
