"""The identity of a release: a hash of its contents alone, and the document that names every file."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from regsosek.release.figures.figures import Figures
from regsosek.statistics.definitions.definitions import definitions

ID_DIGITS = 12
MANIFEST = "manifest.json"
MAX_MANIFEST_BYTES = 4 * 1024 * 1024


@dataclass(frozen=True)
class ReleaseFiles:
    """The content files of a release, and what identifies them."""

    night: date
    files: Mapping[str, bytes]

    @property
    def hashes(self) -> dict[str, str]:
        """SHA-256 by file name, in order of name."""
        return {name: hashlib.sha256(self.files[name]).hexdigest() for name in sorted(self.files)}

    @property
    def content_hash(self) -> str:
        """SHA-256 over the sorted lines ``<sha256>  <name>``, as sha256sum writes them: anyone can check it."""
        return content_hash(self.hashes)

    @property
    def release_id(self) -> str:
        """``2022-10-23-0123456789ab``: the night, and the beginning of the content hash."""
        return f"{self.night.isoformat()}-{self.content_hash[:ID_DIGITS]}"


def content_hash(hashes: Mapping[str, str]) -> str:
    """SHA-256 over the lines ``<sha256>  <name>``, sorted by name."""
    lines = "".join(f"{hashes[name]}  {name}\n" for name in sorted(hashes))
    return hashlib.sha256(lines.encode()).hexdigest()


def manifest(
    figures: Figures, release: ReleaseFiles, suite_version: str, built_at: datetime, key_id: str | None = None
) -> dict[str, Any]:
    """What the release is; ``built_at`` and ``key_id`` stand here only, outside of the content hash.

    ``key_id`` names the public key that the manifest's signature is checked with; none says that it is unsigned.
    """
    return {
        "release_id": release.release_id,
        "night": figures.night.isoformat(),
        "content_hash": release.content_hash,
        "built_at": built_at.isoformat(),
        "signed_by": key_id,
        "as_of": {code: night.isoformat() for code, night in figures.as_of.nights.items()},
        "held_back": list(figures.held_back),
        "missing": [
            {"code": each.code, "name": each.name, "state": each.state, "held_families": each.held_families}
            for each in figures.missing
        ],
        "scale": figures.scale,
        "disclosure": figures.disclosed.document,
        "notes": list(figures.notes),
        "versions": {**figures.versions, "suite_release": suite_version},
        "definitions": {each.column: each.definition.id for each in definitions().values()},
        "files": [
            {"name": name, "bytes": len(release.files[name]), "sha256": sha256}
            for name, sha256 in release.hashes.items()
        ],
    }


def document(content: Mapping[str, Any]) -> bytes:
    """The one spelling of a manifest or pointer."""
    return (json.dumps(content, ensure_ascii=False, indent=2) + "\n").encode()
