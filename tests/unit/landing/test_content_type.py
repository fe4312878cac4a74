"""A page that is served from the bucket itself is shown, not downloaded."""

import pytest

from regsosek.landing.object_store import content_type


@pytest.mark.parametrize(
    ("key", "kind"),
    [
        ("rilis/2022-10-23-0123456789ab/en/index.html", "text/html"),
        ("rilis/2022-10-23-0123456789ab/aset/gaya.css", "text/css"),
        ("rilis/2022-10-23-0123456789ab/aset/kurva.svg", "image/svg+xml"),
        ("rilis/terkini.json", "application/json"),
        ("landing/keluarga-00001.csv.gz", "application/octet-stream"),
        ("objects/0123456789ab", "application/octet-stream"),
    ],
)
def test_a_name_tells_its_media_type(key: str, kind: str) -> None:
    assert content_type(key) == kind
