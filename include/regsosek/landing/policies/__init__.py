"""What each key may do with the buckets, as AWS, MinIO and Ceph read it: one template for all provinces."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib import resources
from typing import Any

from regsosek.geography.provinces import provinces

Policy = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Buckets:
    """The names that the templates stand for."""

    landing: str
    archive: str
    release: str


def province_policy(buckets: Buckets, province: str) -> Policy:
    """Of the key of a province: put below its prefix and list that, over TLS; nothing else."""
    return _filled("province.json", buckets, province)


def policies(buckets: Buckets) -> Iterator[tuple[str, Policy]]:
    """All policies by name: one per province; of nights, pages, watchdog; and that of who supplies reference files."""
    for each in provinces():
        yield f"prov{each.code}", province_policy(buckets, each.code)
    for name in ("pipeline", "pages", "watchdog", "reference"):
        yield name, _filled(f"{name}.json", buckets)


def _filled(template: str, buckets: Buckets, province: str = "") -> Policy:
    text = resources.files(__package__).joinpath(template).read_text(encoding="utf-8")
    names = {"LANDING": buckets.landing, "ARCHIVE": buckets.archive, "RELEASE": buckets.release, "PROVINCE": province}
    for word, name in names.items():
        text = text.replace(word, name)
    filled: Policy = json.loads(text)
    return filled
