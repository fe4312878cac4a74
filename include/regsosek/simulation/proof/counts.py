"""Campaigns as counts alone: families by kab/kota, day of enumeration and night of arrival, of different shapes."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Annotated

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from regsosek.simulation.draws.randomness import Floats, Integers, name_key

DAYS = 31
SYNC_DAYS_AT_MOST = 14
_SATURDAY = 5
Range = tuple[float, float]


class _Table(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Spell(_Table):
    """Days on which work goes on at another pace."""

    begins: Annotated[Range, Field(alias="from")]
    days: Range
    factor: Range
    share: float
    made_up: Range


class CampaignShape(_Table):
    """How the campaigns of one kind go; a range is drawn from once per province."""

    curve: Annotated[tuple[Range, ...], Field(min_length=2)]
    pace: Range
    weekend_weight: Range
    reached: Range
    ends: Range
    sync_again: Range
    silent_nights: tuple[int, int]
    region_spread: float
    day_spread: float
    province_day_spread: float
    spell: Spell | None = None


@dataclass(frozen=True)
class Counts:
    """One province's campaign.

    Attributes:
        families: the denominator of each kab/kota, shape (regions,).
        known: families by region, day of enumeration and night of arrival, both from 0 at the opening day, shape
            (regions, days, days + SYNC_DAYS_AT_MOST + 1); nothing arrived before the first delivery.
        first_weekday: of the opening day, 0 is Monday.
    """

    families: Integers
    known: NDArray[np.int64]
    first_weekday: int

    @property
    def done(self) -> Integers:
        """Families by region and day once everything has arrived."""
        return np.asarray(self.known.sum(axis=2), dtype=np.int64)


@cache
def shapes() -> Mapping[str, CampaignShape]:
    """All shapes by name: what ``shapes.toml`` says of each beside what is usual."""
    text = resources.files("regsosek.simulation").joinpath("data", "shapes.toml").read_text(encoding="utf-8")
    content = tomllib.loads(text)
    return {name: CampaignShape.model_validate({**content["usual"], **own}) for name, own in content["shape"].items()}


def province_counts(name: str, seed: int, *, regions: int = 12) -> Counts:
    """One province of ``regions`` kab/kota whose campaign has the shape ``name``; equal seeds give equal counts."""
    shape = shapes()[name]
    random = np.random.default_rng([seed, int(name_key(name) % np.uint64(2**31))])
    families = np.rint(random.lognormal(np.log(40_000), 0.8, regions)).astype(np.int64)
    weekday = int(random.integers(0, 7))
    shares = _shares(shape, random, regions, weekday)
    done = random.poisson(shares * families[:, None])
    return Counts(families, _arrivals(shape, random, done), weekday)


def _shares(shape: CampaignShape, random: np.random.Generator, regions: int, weekday: int) -> Floats:
    """Of the denominator, by region and day."""
    spread = random.normal(1, shape.region_spread, (regions, 1)).clip(0.6, 1.6)
    pace = random.uniform(*shape.pace) * spread
    ends = (random.uniform(*shape.ends) * random.normal(1, 0.04, (regions, 1))).clip(0.3, 1) * DAYS
    moments, done = np.array(shape.curve).T
    passed = np.interp(np.clip(np.arange(DAYS + 1) / ends, 0, 1), moments, done)
    planned = np.diff(passed**pace, axis=1)
    dates = (weekday + np.arange(DAYS)) % 7
    busy = planned * np.where(dates >= _SATURDAY, random.uniform(*shape.weekend_weight), 1.0)
    reached = (random.uniform(*shape.reached) * random.normal(1, 0.03, (regions, 1))).clip(0.5, 1.12)
    shares = busy / busy.sum(axis=1, keepdims=True) * reached
    if shape.spell:
        shares = _interrupted(shares, shape.spell, random)
    noise = random.lognormal(0, shape.day_spread, shares.shape)
    return np.asarray(shares * noise * random.lognormal(0, shape.province_day_spread, (1, DAYS)), dtype=np.float64)


def _interrupted(shares: Floats, spell: Spell, random: np.random.Generator) -> Floats:
    hit = random.random((shares.shape[0], 1)) < spell.share
    begins = int(random.uniform(*spell.begins))
    ends = min(DAYS, begins + round(random.uniform(*spell.days)))
    within = (np.arange(DAYS) >= begins) & (np.arange(DAYS) < ends)
    factor = random.uniform(*spell.factor)
    changed = np.where(hit & within, shares * factor, shares)
    if factor > 1:  # a surge does what is left sooner; it makes no families
        return np.asarray(changed * shares.sum(axis=1, keepdims=True) / changed.sum(axis=1, keepdims=True))
    lost = (shares - changed).sum(axis=1, keepdims=True) * random.uniform(*spell.made_up)
    after = np.where(np.arange(DAYS) >= ends, shares, 0)
    return np.asarray(changed + lost * after / np.maximum(after.sum(axis=1, keepdims=True), 1e-9), dtype=np.float64)


def _arrivals(shape: CampaignShape, random: np.random.Generator, done: Integers) -> NDArray[np.int64]:
    again = random.uniform(*shape.sync_again)
    lags = (1 - again) * again ** np.arange(SYNC_DAYS_AT_MOST + 1)
    lags[-1] += 1 - lags.sum()
    by_lag = random.multinomial(done, lags)
    first = int(random.integers(0, 7))
    number = int(random.integers(*shape.silent_nights, endpoint=True))
    silent = {int(night) for night in random.integers(2, DAYS, number)}
    known = np.zeros((*done.shape, DAYS + SYNC_DAYS_AT_MOST + 1), dtype=np.int64)
    for day in range(DAYS):
        for lag in range(SYNC_DAYS_AT_MOST + 1):
            night = max(day + lag, first)
            while night in silent:
                night += 1
            known[:, day, night] += by_lag[:, day, lag]
    return known
