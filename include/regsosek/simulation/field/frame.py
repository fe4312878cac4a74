"""The simulated frame below the real desa: sub-SLS with their loads, and the officers who work them."""

from dataclasses import dataclass, fields, replace
from functools import cache
from typing import Self

import numpy as np

from regsosek.geography.provinces import province as province_of_code
from regsosek.geography.regions import region_master
from regsosek.simulation.draws.living import living
from regsosek.simulation.draws.randomness import Draws, Flags, Floats, Integers, seeded
from regsosek.simulation.field.campaign import Campaign, FrameShape

_KOTA_FROM = 71  # BPS numbers kabupaten from 01 and kota from 71
_DESA_FACTOR = 1_000_000  # a sub-SLS code is the desa's ten digits, four of the SLS and two of the sub-SLS
_FIRST_NEW_NUMBER = 7001
_FIRST_NEW_FAMILY = 5_000_000  # no kecamatan has so many families: card numbers stay unique


@dataclass(frozen=True)
class SubSls:
    """Columns over sub-SLS, all of one length.

    ``load`` in families; ``kabkota`` is the four-digit code; ``in_frame`` is false for those that the frame does not
    know yet; ``kecamatan_rank`` counts within the kab/kota from 1; ``first_family`` is the number of families before
    this sub-SLS in its kecamatan at full scale; an officer's work runs from 0 to ``ppl_load`` families, of which this
    sub-SLS begins at ``ppl_start``.
    """

    id_subsls: Integers
    load: Integers
    kabkota: Integers
    in_frame: Flags
    urban: Flags
    kecamatan_rank: Integers
    first_family: Integers
    ppl: Integers
    pml: Integers
    ppl_start: Integers
    ppl_load: Integers

    def __len__(self) -> int:
        return len(self.id_subsls)

    def take(self, rows: Integers | Flags) -> Self:
        """The chosen rows."""
        return type(self)(**{f.name: getattr(self, f.name)[rows] for f in fields(self)})

    def followed_by(self, other: Self) -> Self:
        """These rows, then those of ``other``."""
        return type(self)(**{f.name: np.concatenate([getattr(p, f.name) for p in (self, other)]) for f in fields(self)})

    @property
    def desa(self) -> Integers:
        """The desa of each, ten digits."""
        return self.id_subsls // _DESA_FACTOR

    @property
    def number(self) -> Integers:
        """The number of the SLS within its desa."""
        return self.id_subsls // 100 % 10_000

    @property
    def half(self) -> Integers:
        """The last two digits: 0 if the SLS is undivided."""
        return self.id_subsls % 100


@dataclass(frozen=True)
class ProvinceFrame:
    """One province's sub-SLS as the enumerators meet them."""

    province: str
    target_source: str
    subsls: SubSls

    @property
    def target(self) -> int:
        """Families to enumerate: the sum of the loads that the frame knows."""
        return int(self.subsls.load[self.subsls.in_frame].sum())


@dataclass(frozen=True)
class _Desa:
    """The desa of a province with the kecamatan and kab/kota that the region master puts them in."""

    code: Integers
    kecamatan: Integers
    kabkota: Integers


def province_frame(campaign: Campaign, province: str) -> ProvinceFrame:
    """The frame of ``province`` at the campaign's scale; at scale 1 its loads sum to the province's target exactly.

    Raises:
        ReferenceDataError: the province is unknown.
    """
    known = province_of_code(province)
    shape = campaign.behaviour.frame
    desa = _desa_by_province()[province]
    families = _families_per_desa(known.target, desa, campaign.seed, shape)
    urban = _urban(desa, families, living()[province].urban, campaign.seed)
    whole = _with_officers(_divided(desa, families, urban, campaign.seed, shape), shape)
    sample = _with_work(_sampled(whole, campaign))
    return ProvinceFrame(
        province, known.target_source, sample.followed_by(_unknown_to_frame(sample, province, campaign))
    )


@cache
def _desa_by_province() -> dict[str, _Desa]:
    regions = region_master().regions
    rows: dict[str, list[tuple[int, int, int]]] = {}
    for desa in (region for region in regions.values() if region.level == "desa"):
        kecamatan = regions[desa.parent_code or ""]
        kabkota = regions[kecamatan.parent_code or ""]
        codes = int(desa.code), int(kecamatan.code), int(kabkota.code)
        rows.setdefault(kabkota.parent_code or "", []).append(codes)
    return {province: _Desa(*np.array(sorted(codes), dtype=np.int64).T) for province, codes in rows.items()}


def _families_per_desa(target: int, desa: _Desa, seed: int, shape: FrameShape) -> Integers:
    """Splits the target over the desa by weight, to the last family (largest remainders)."""
    spread = Draws(seeded(seed, "desa", desa.code)).normal("size")
    weight = np.exp(shape.desa_spread * spread) * np.where(_is_kota(desa.kabkota), shape.kota_weight, 1.0)
    return shape.smallest_desa + apportioned(target - shape.smallest_desa * len(weight), weight)


def apportioned(total: int, weight: Floats | Integers) -> Integers:
    """Splits ``total`` by weight into whole numbers that sum to it (largest remainders)."""
    exact: Floats = np.asarray(weight / weight.sum() * total, dtype=np.float64)
    whole: Integers = np.floor(exact).astype(np.int64)
    most_left = np.argsort(whole - exact, kind="stable")
    whole[most_left[: total - int(whole.sum())]] += 1
    return whole


def _is_kota(kabkota: Integers) -> Flags:
    return np.asarray(kabkota % 100 >= _KOTA_FROM, dtype=np.bool_)


def _urban(desa: _Desa, families: Integers, share: float, seed: int) -> Flags:
    """Every desa of a kota, and as many others that ``share`` of the province's families live in cities."""
    kota = _is_kota(desa.kabkota)
    in_kota = families[kota].sum() / families.sum()
    others = np.clip((share - in_kota) / max(1 - in_kota, 1e-9), 0, 1)
    return kota | Draws(seeded(seed, "urban desa", desa.code)).chance("urban", float(others))


def _divided(desa: _Desa, families: Integers, urban: Flags, seed: int, shape: FrameShape) -> SubSls:
    """Cuts each desa into sub-SLS of about the usual size, some of them halves of one SLS."""
    count = np.maximum(1, np.rint(families / shape.families_per_sls)).astype(np.int64)
    row = np.repeat(np.arange(len(count)), count)
    place = place_in_group(count)
    load = families[row] // count[row] + (place < families[row] % count[row])
    left, right = (place % 2 == 0) & (place + 1 < count[row]), place % 2 == 1
    pairs = Draws(seeded(seed, "pair", desa.code[row] * 10_000 + place // 2))
    # What one of two neighbours has more the other has less, so that the desa's sum stays.
    load = load + (left.astype(np.int64) - right) * pairs.integer("shift", -10, 10)
    split = pairs.chance("split", shape.split_share)
    first_half, second_half = left & split, right & split
    # The second half of a divided SLS bears its number, so everything after it moves up by one.
    number = place + 1 - _counted_in_group(second_half, count)
    half = np.where(first_half, 1, np.where(second_half, 2, 0))
    return _unstaffed(desa, row, urban, load, desa.code[row] * _DESA_FACTOR + number * 100 + half)


def place_in_group(sizes: Integers) -> Integers:
    """0, 1, 2, ... within each of the groups of these sizes, one after another."""
    return np.arange(int(sizes.sum())) - np.repeat(np.cumsum(sizes) - sizes, sizes)


def _counted_in_group(flags: Flags, sizes: Integers) -> Integers:
    running = np.cumsum(flags)
    before = np.concatenate([[0], running])[np.cumsum(sizes) - sizes]
    return np.asarray(running - np.repeat(before, sizes), dtype=np.int64)


def _unstaffed(desa: _Desa, row: Integers, urban: Flags, load: Integers, id_subsls: Integers) -> SubSls:
    nobody = np.zeros(len(load), dtype=np.int64)
    kecamatan, kabkota = desa.kecamatan[row], desa.kabkota[row]
    return SubSls(
        id_subsls=id_subsls,
        load=load,
        kabkota=kabkota,
        in_frame=np.ones(len(load), dtype=np.bool_),
        urban=urban[row],
        kecamatan_rank=_rank_within(kabkota, kecamatan),
        first_family=_sum_before(kecamatan, load),
        ppl=nobody,
        pml=nobody,
        ppl_start=nobody,
        ppl_load=nobody,
    )


def _rank_within(group: Integers, member: Integers) -> Integers:
    """1, 2, 3, ... for the different members of each group, in their order."""
    pairs, place = np.unique(np.stack([group, member]), axis=1, return_inverse=True)
    _, sizes = np.unique(pairs[0], return_counts=True)
    return (place_in_group(sizes) + 1)[place.reshape(-1)]


def _sum_before(group: Integers, amount: Integers) -> Integers:
    """The amounts before each row within its group, in the order of the rows."""
    order = np.argsort(group, kind="stable")
    running = np.cumsum(amount[order]) - amount[order]
    _, first, sizes = np.unique(group[order], return_index=True, return_counts=True)
    result = np.empty_like(running)
    result[order] = running - np.repeat(running[first], sizes)
    return result


def _with_officers(subsls: SubSls, shape: FrameShape) -> SubSls:
    """Gives each officer neighbouring sub-SLS of one kab/kota, at full scale: a sample keeps them."""
    before = _sum_before(subsls.kabkota, subsls.load)
    _, place = np.unique(subsls.kabkota, return_inverse=True)
    total = np.bincount(place, weights=subsls.load)[place]
    officers = np.maximum(1, np.rint(total / shape.families_per_ppl)).astype(np.int64)
    ppl = np.floor((before + subsls.load / 2) / total * officers).astype(np.int64)
    supervisors = np.clip(np.rint(officers / shape.ppl_per_pml), 1, 999).astype(np.int64)
    return replace(subsls, ppl=ppl + 1, pml=ppl * supervisors // officers + 1)


def _sampled(subsls: SubSls, campaign: Campaign) -> SubSls:
    """The sub-SLS of the scale: in each kab/kota those with the lowest draws, at least one."""
    draw = Draws(seeded(campaign.seed, "sample", subsls.id_subsls)).uniform("order")
    order = np.lexsort((draw, subsls.kabkota))
    _, sizes = np.unique(subsls.kabkota, return_counts=True)
    taken = np.maximum(1, np.rint(sizes * campaign.scale)).astype(np.int64)
    return subsls.take(np.sort(order[place_in_group(sizes) < np.repeat(taken, sizes)]))


def _with_work(subsls: SubSls) -> SubSls:
    officer = subsls.kabkota * 10_000 + subsls.ppl
    _, place = np.unique(officer, return_inverse=True)
    total = np.bincount(place, weights=subsls.load)[place].astype(np.int64)
    return replace(subsls, ppl_start=_sum_before(officer, subsls.load), ppl_load=total)


def _unknown_to_frame(subsls: SubSls, province: str, campaign: Campaign) -> SubSls:
    """New sub-SLS beside some of the known ones: enumerators find them before PSLS reports them."""
    shape = campaign.behaviour.frame
    chance = Draws(seeded(campaign.seed, "new sls", np.array([int(province)]))).uniform("remainder")[0]
    count = min(len(subsls), int(len(subsls) * shape.new_sls_share + chance))
    draws = Draws(seeded(campaign.seed, "new sls", subsls.id_subsls))
    host = np.sort(np.argsort(draws.uniform("host"), kind="stable")[:count])
    beside = subsls.take(host)
    load = draws.integer("load", *shape.new_sls_families)[host]
    # Their numbers start where no desa of the frame comes to.
    number = _FIRST_NEW_NUMBER + np.arange(count)
    return replace(
        beside,
        id_subsls=beside.desa * _DESA_FACTOR + number * 100,
        load=load,
        in_frame=np.zeros(count, dtype=np.bool_),
        first_family=_FIRST_NEW_FAMILY + np.cumsum(load) - load,
        ppl_start=np.zeros(count, dtype=np.int64),
        ppl_load=load,
    )
