"""Reference files in a folder, as an office has them that checks its deliveries by the frame."""

import csv
import gzip
import hashlib
import io
import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from regsosek.geography.frame import ReferenceDataset, file_name, reference_columns
from support.deliveries.families import DESA, PROVINCE, SUBSLS

VERSION = "2022-10-01"


def frame_row(**changes: str) -> dict[str, str]:
    """The one sub-SLS of the test frame."""
    row = {"id_subsls": SUBSLS, "id_desa": DESA, "nama_sls": "RT 001", "jenis": "1", "families_load": "60"}
    return row | {"valid_from": "2022-01-01", "valid_to": "", "code_system": "BPS"} | changes


def write_reference(root: Path, frame: Sequence[Mapping[str, str]], dataset: ReferenceDataset = "sls") -> Path:
    """Writes one version of ``dataset`` for the test province below ``root``."""
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, [column.name for column in reference_columns(dataset)])
    writer.writeheader()
    writer.writerows(frame)
    content = gzip.compress(text.getvalue().encode(), mtime=0)
    folder = root / "reference" / dataset / VERSION
    folder.mkdir(parents=True)
    (folder / file_name(PROVINCE)).write_bytes(content)
    described = {"name": file_name(PROVINCE), "province": PROVINCE, "rows": len(frame), "bytes": len(content)}
    manifest = {
        "contract_version": "1", "dataset": dataset, "version": VERSION, "produced_at": "2022-10-01T09:00:00+07:00",
        "producer": "uji", "scale": 0.001, "note": "", "files": [described | {"sha256": _sha256(content)}],
    }  # fmt: skip
    (folder / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    return root


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
