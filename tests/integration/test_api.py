"""The API over a published campaign: what it answers is what was published, page by page, to whom it may."""

from collections.abc import Iterator

import pytest

from regsosek.settings import Settings
from served_portal import API, HOME, NATIONAL, NEIGHBOUR, NIGHTS, OFFICE, Portal, served_portal


@pytest.fixture(scope="module")
def portal(services_env: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Portal]:
    with served_portal(services_env.model_copy(update={"work_dir": tmp_path_factory.mktemp("work")})) as portal:
        yield portal


def test_try(portal: Portal) -> None:
    import json, time

    client = portal.seen_by(NATIONAL)
    for path in (
        "daily",
        "arrivals",
        "revisions",
        "changes",
        "floor",
        "forecast",
        "what-if",
        "streams",
        "photos",
        "figures",
        "figures/subsls?provinsi=19",
        "releases",
        "regions",
        "definitions",
        "nights",
        "deliveries",
        "quality",
        "quarantine?provinsi=19",
        "gaps?provinsi=19",
        "appointments?provinsi=19",
        "openapi.json",
    ):
        t = time.perf_counter()
        a = client.get(
            f"{API}/{path}{'&' if '?' in path else '?'}limit=2" if path != "openapi.json" else f"{API}/{path}"
        )
        print(path, a.status_code, round((time.perf_counter() - t) * 1000), len(a.content), a.text[:900])
    print(json.dumps(client.get(f"{API}/openapi.json").json()["paths"]["/floor"], indent=1)[:3000])
    assert 0
