"""What retention takes: not what readers see, what a rollback leads to, a month's last release, or recent nights."""

import io
from datetime import date, timedelta
from typing import Any

import pandas as pd
import pytest

from regsosek.errors import ObjectStoreError
from regsosek.release.figures.previous_release import REGION_FILES, FormerRelease, published_table
from regsosek.release.lifecycle.pointer import Position
from regsosek.release.lifecycle.thinning import STAYING, KeptRelease, may_go
from regsosek.statistics.definitions.as_of import AsOf
from support.figures import made_up

LAST = date(2022, 11, 14)


def kept(night: date, revision: int = 1, *, rolled_back: bool = False) -> KeptRelease:
    name = f"{night}-{revision}"
    return KeptRelease(name, night, revision, f"rilis/{name}/", rolled_back)


def readers_see(release: KeptRelease) -> Position:
    return Position(release.release_id, release.night, release.revision, "", release.prefix)


CAMPAIGN = [kept(LAST - timedelta(days=n)) for n in range(31)]


def test_old_nights_go_but_a_months_last_release_stays() -> None:
    going = [each.night for each in may_go(CAMPAIGN, readers_see(CAMPAIGN[0]), 7)]
    assert going == [date(2022, 10, 15) + timedelta(days=n) for n in range(24) if n != 16]


def test_what_readers_see_and_what_a_rollback_leads_to_stay_however_old() -> None:
    old = [kept(LAST), kept(LAST - timedelta(days=20)), kept(LAST - timedelta(days=20), 2), kept(LAST, 2)]
    assert may_go(old, readers_see(old[2]), 7) == []
    assert may_go(old, readers_see(old[0]), 7) == [old[1]]


def test_what_was_rolled_back_is_no_months_last_release_and_no_way_back() -> None:
    october = [kept(date(2022, 10, 30)), kept(date(2022, 10, 31), rolled_back=True)]
    assert may_go([*october, *CAMPAIGN[:8]], readers_see(CAMPAIGN[0]), 7) == [october[1], CAMPAIGN[7]]


class Bucket:
    """The files of one release."""

    def __init__(self, files: dict[str, bytes]) -> None:
        self.files = files

    def get_bytes(self, bucket: str, key: str, *, max_bytes: int) -> bytes | None:
        found = self.files.get(key.removeprefix("rilis/x/"))
        return None if found is None else found[:max_bytes]


def test_a_thinned_release_says_of_every_region_what_it_said_whole() -> None:
    files = made_up.built()
    manifest: dict[str, Any] = {"files": [{"name": name, "bytes": len(data)} for name, data in files.items()]}
    at = pd.Timestamp("2022-10-24").to_pydatetime()
    release = FormerRelease("x", AsOf(made_up.NIGHT, {}), "rilis/x/", "", at, manifest)
    whole, thin = Bucket(files), Bucket({name: data for name, data in files.items() if name in STAYING})
    for name in REGION_FILES:
        said, told = (published_table(store, "b", release, name) for store in (whole, thin))  # type: ignore[arg-type]
        assert written(told) == written(said), name
    with pytest.raises(ObjectStoreError, match=r"harian\.parquet is not the published file"):
        published_table(thin, "b", release, "harian.csv")  # type: ignore[arg-type]


def written(frame: pd.DataFrame) -> str:
    """What a person reads of it: 3 and 3.0 are one number."""
    text = io.StringIO()
    frame.map(lambda value: float(value) if isinstance(value, int) else value).to_csv(text, index=False)
    return text.getvalue()
