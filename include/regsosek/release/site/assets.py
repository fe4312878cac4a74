"""Styles, scripts and search list of the site: files whose names carry the hash of their content."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from pathlib import Path

import vl_convert

from regsosek.release.site.addresses import PAGE_LEVELS
from regsosek.release.site.atlas import Atlas

FOLDER = "aset"
VEGA_LITE = "6.4"
_HERE = Path(__file__).parent / "assets"
_HASH_DIGITS = 10
_SEARCHED = ("provinsi", "kabkota", "kecamatan")


@dataclass(frozen=True)
class Assets:
    """Files by name, and the names by what they are for."""

    files: Mapping[str, bytes]
    style: str
    script: str
    interactive: str
    regions: str


def assets(atlas: Atlas) -> Assets:
    """The assets of one release; only the search list depends on it."""
    style, script, interactive = _fixed()
    regions = _named("wilayah", "js", _regions(atlas))
    files = dict([style, script, interactive, regions])
    return Assets(files, style[0], script[0], interactive[0], regions[0])


@cache
def _fixed() -> tuple[tuple[str, bytes], ...]:
    """Made once in a process: the bundle of the interactive charts takes more than a second."""
    snippet = (_HERE / "interactive.js").read_text(encoding="utf-8")
    bundle = vl_convert.javascript_bundle(snippet, vl_version=VEGA_LITE)
    return (
        _named("situs", "css", (_HERE / "site.css").read_bytes()),
        _named("situs", "js", (_HERE / "site.js").read_bytes()),
        _named("grafik", "js", bundle.encode()),
    )


def _named(name: str, ending: str, content: bytes) -> tuple[str, bytes]:
    return f"{FOLDER}/{name}-{sha256(content).hexdigest()[:_HASH_DIGITS]}.{ending}", content


def _regions(atlas: Atlas) -> bytes:
    """Code, name, level and code above of every region that can be searched; a script, as files have no fetch."""
    found = [
        [row["code"], row["name"], row["level"] if row["level"] in PAGE_LEVELS else "", row["parent_code"]]
        for level in _SEARCHED
        for row in atlas.of_level(level)
    ]
    return f"window.regsosekRegions={json.dumps(found, ensure_ascii=False, separators=(',', ':'))};\n".encode()
