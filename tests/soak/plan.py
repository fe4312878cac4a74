"""What offices send and operators do, night by night, drawn from a seed: the same for the soak and its twin."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from ulid import ULID

from soak.acts import Act
from soak.rates import Rates
from soak.stage import PROVINCES, subsls_of
from support.deliveries import stream_messages
from support.deliveries.stream_messages import deliver_stream, report, tag
from support.worlds import field_world
from support.worlds.field_world import Family, FieldWorld, family, faulty

FIRST = date(2022, 10, 21)
DOCUMENTS = 60
BUILDINGS = 50


@dataclass(frozen=True)
class Sent:
    """A delivery as it lies in the offices' bucket; ``late``: it comes after its night was run."""

    province: str
    delivery_id: str
    prefix: str
    late: bool = False


@dataclass
class Night:
    """What arrives, and what is done once the night itself was run; ``restore``: nights that the dump is old."""

    night: date
    sent: list[Sent] = field(default_factory=list)
    acts: list[Act] = field(default_factory=list)
    altered: set[str] = field(default_factory=set)
    restore: int = 0
    impatient: bool = False


@dataclass
class Offices:
    """Both offices: they write into a bucket of their own, and know what they sent."""

    world: FieldWorld
    chance: random.Random
    rates: Rates
    minute: int = 0
    known: dict[str, list[tuple[str, list[Family]]]] = field(default_factory=lambda: {code: [] for code in PROVINCES})

    def nights(self, number: int) -> Iterator[Night]:
        """The nights in order; what is held of one is decided after the next."""
        open_: list[Sent] = []
        for index in range(number):
            night = Night(FIRST + timedelta(days=index))
            decided, open_ = open_, []
            for province in PROVINCES:
                open_ += self._province(night, province)
            night.acts += [self._decision(night.night, each) for each in decided]
            night.acts += self._reopenings(night)
            if index and self._draw("rollback", self.rates.operations):
                night.acts.append(Act("rollback", night.night, PROVINCES))
            if index > 1 and self._draw("restore", self.rates.operations):
                night.restore = self.chance.randint(1, 2)
                night.impatient = self._draw("impatient", self.rates.operations)
            yield night

    def _draw(self, what: str, rates: dict[str, float]) -> bool:
        return self.chance.random() < rates[what]

    def _province(self, night: Night, province: str) -> list[Sent]:
        """Everything that ``province`` sends; returns what will be held."""
        arrivals = self.rates.arrivals
        regular = self._deliver(night, province, self._families(night.night, province, 24))
        before = self.known[province][:-1]
        if before and self._draw("resent", arrivals):
            self._deliver(night, province, self.chance.choice(before)[1], known=False)
        if before and self._draw("superseding", arrivals):
            self._supersede(night, province, before)
        if self._draw("altered", arrivals):
            self._spoil(night, self._deliver(night, province, self._families(night.night, province, 4), known=False))
        if self._draw("late", arrivals):
            self._deliver(night, province, self._families(night.night, province, 5), late=True, known=False)
        if self._draw("stream", arrivals):
            self._streams(night, province)
        assert regular
        return (
            [self._deliver(night, province, self._bad(night.night, province), known=False)]
            if self._draw("held", arrivals)
            else []
        )

    def _deliver(
        self, night: Night, province: str, families: Sequence[Family], *, late: bool = False, known: bool = True,
        **more: Any,
    ) -> Sent:  # fmt: skip
        half = len(families) // 2
        delivery_id = self.world.deliver(
            night.night, [list(families[:half]), list(families[half:])], produced_at=self._now(night.night),
            province=province, **more,
        )  # fmt: skip
        if known:
            self.known[province].append((delivery_id, list(families)))
        return self._note(night, province, delivery_id, late=late)

    def _note(self, night: Night, province: str, delivery_id: str, *, late: bool = False) -> Sent:
        prefix = f"landing/prov={province}/tanggal={night.night}/{delivery_id}/"
        night.sent.append(Sent(province, delivery_id, prefix, late))
        return night.sent[-1]

    def _now(self, night: date) -> datetime:
        self.minute += 1
        return datetime.combine(night, datetime.min.time(), UTC) + timedelta(minutes=self.minute % 600)

    def _supersede(self, night: Night, province: str, before: list[tuple[str, list[Family]]]) -> None:
        """A better form of an earlier delivery that leaves one family out."""
        replaced = self.chance.choice(before)
        self.known[province].remove(replaced)
        self._deliver(night, province, replaced[1][1:], supersedes=[replaced[0]])

    def _spoil(self, night: Night, sent: Sent) -> None:
        bucket = self.world.resources.settings.landing_bucket
        self.world.resources.store.put_bytes(bucket, sent.prefix + "keluarga-00001.csv.gz", b"cut off")
        night.altered.add(sent.delivery_id)

    def _streams(self, night: Night, province: str) -> None:
        own = {"id_subsls": subsls_of(province)}
        day = {"tanggal": night.night.isoformat(), "dikirim_pada": f"{night.night}T18:00:00+08:00"}
        own_tag = {"id_tag": f"TAG-{self.minute}", "ditandai_pada": f"{night.night}T09:10:00+08:00"}
        for dataset, message in (("progres", report(**own, **day)), ("geotag", tag(**own, **own_tag))):
            at = self._now(night.night) + timedelta(hours=12)
            delivery_id = deliver_stream(self.world, night.night, dataset, [message], produced_at=at, province=province)
            self._note(night, province, delivery_id)

    def _families(self, night: date, province: str, number: int) -> list[Family]:
        return [self._family(night, province, each) for each in self.chance.sample(range(DOCUMENTS), number)]

    def _family(self, night: date, province: str, document: int) -> Family:
        """New, late, refused, in error, withdrawn or contested: any of the kinds that change a figure."""
        index = (night - FIRST).days
        day = max(FIRST, night - timedelta(days=self.chance.choice((0, 0, 1, 3))))
        keys = {"number": document % BUILDINGS + 1, "r201_tanggal_pencacahan": day.isoformat(), **_place(province)}
        name, versi = f"{province}-{document}", index + 1
        match self.chance.choice(("plain", "plain", "plain", "refused", "faulty", "withdrawn")):
            case "withdrawn":
                return family(name, versi, status_dokumen="9", **keys)[0], []
            case "faulty":
                return faulty(name, versi, **keys)
            case "refused":
                return family(name, versi, r205_hasil="4", **keys)
            case _:
                return family(name, versi, members=self.chance.randint(1, 4), **keys)

    def _bad(self, night: date, province: str) -> list[Family]:
        keys = {"r201_tanggal_pencacahan": night.isoformat(), **_place(province)}
        name = f"{province}-9{night:%d}"
        return [faulty(f"{name}{n}", number=BUILDINGS + n, **keys) for n in range(1, 8)] + [
            family(f"{name}8", number=BUILDINGS + 8, **keys)
        ]

    def _decision(self, night: date, held: Sent) -> Act:
        kind = "free" if self._draw("free", self.rates.operations) else "reject"
        return Act(kind, night, PROVINCES, held.delivery_id, held.province)

    def _reopenings(self, night: Night) -> list[Act]:
        late = {each.province for each in night.sent if each.late}
        return [
            Act("reopen", night.night, (code,)) for code in PROVINCES
            if code in late and self._draw("reopen", self.rates.operations)
        ]  # fmt: skip


def _place(province: str) -> dict[str, str]:
    code = subsls_of(province)
    names = ("r101_provinsi", "r102_kabkota", "r103_kecamatan", "r104_desa")
    parts = (code[:2], code[2:4], code[4:7], code[7:10])
    return {"id_subsls": code, **dict(zip(names, parts, strict=True))}


class SeededUlid:
    """Makes the ids that ``ULID.from_datetime`` would, but from a seed."""

    def __init__(self, seed: int) -> None:
        self._chance = random.Random(seed)

    def from_datetime(self, at: datetime) -> ULID:
        return ULID(ULID.from_datetime(at).bytes[:6] + self._chance.randbytes(10))


def with_seeded_ids(patch: pytest.MonkeyPatch, seed: int) -> None:
    """Lets the deliveries of a soak have the same ids each time."""
    ids = SeededUlid(seed)
    for module in (field_world, stream_messages):
        patch.setattr(module, "ULID", ids)
