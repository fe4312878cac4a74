"""What readers were told last of results, rules and photos: from the files of the release that they saw before."""

from dataclasses import dataclass, field
from datetime import date
from typing import Any

import pandas as pd
from sqlalchemy import Connection, func, select

from regsosek.landing.store import Store
from regsosek.release.figures.disclosure import RESULTS
from regsosek.release.figures.previous_release import FormerRelease, last_release, published_table
from regsosek.warehouse.tables import published_release

LEVELS_OF_RESULTS = ("nasional.csv", "provinsi.csv", "kabkota.csv")
RULES, PHOTOS = "mutu.csv", "foto.csv"


@dataclass(frozen=True)
class PreviouslyPublished:
    """What was told last.

    Attributes:
        regions: nation, provinces and kab/kota as published, index code.
        night: of the release; of its results too, where they do not name another.
        rules, photos: the rows of ``mutu.csv`` and ``foto.csv``, columns by field.
        final: a newer night is published, so that what was told of this one stays as it is.
    """

    regions: pd.DataFrame = field(default_factory=pd.DataFrame)
    rules: pd.DataFrame = field(default_factory=pd.DataFrame)
    photos: pd.DataFrame = field(default_factory=pd.DataFrame)
    night: date | None = None
    final: bool = False

    def results(self, codes: pd.Index) -> pd.DataFrame:
        """The results of the regions ``codes``; missing where none were told."""
        told = self.regions.reindex(columns=list(RESULTS)).reindex(codes)
        return told.astype("Int64")

    def nights(self, codes: pd.Index) -> "pd.Series[Any]":
        """The nights of these results, where any were told."""
        if "results_night" not in self.regions:
            return pd.Series(self.night, codes, dtype=object)
        told = self.regions["results_night"].reindex(codes).dropna()
        return told.map(date.fromisoformat).reindex(codes).astype(object)


def last_told(connection: Connection, store: Store, bucket: str, night: date) -> PreviouslyPublished:
    """What readers saw last of ``night`` or one before it: also what was rolled back since, for they have read it."""
    newest = connection.execute(select(func.max(published_release.c.night))).scalar()
    release = last_release(connection, night)
    final = newest is not None and newest > night
    if release is None:
        return PreviouslyPublished(final=final)
    rules, photos = (_kept(store, bucket, release, name) for name in (RULES, PHOTOS))
    regions = pd.concat([published_table(store, bucket, release, name) for name in LEVELS_OF_RESULTS])
    return PreviouslyPublished(regions.set_index("code"), rules, photos, release.as_of.night, final)


def _kept(store: Store, bucket: str, release: FormerRelease, name: str) -> pd.DataFrame:
    """A table of which retention may have left nothing: then nothing of it counts as told."""
    kept = store.size(bucket, release.prefix + name) is not None
    return published_table(store, bucket, release, name) if kept else pd.DataFrame()
