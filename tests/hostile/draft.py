"""A clean delivery under construction, which a builder spoils in one respect before it is put in landing."""

import gzip
import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

from ulid import ULID

from support.deliveries.families import PROVINCE, WRITERS
from support.worlds.field_world import Family, family

NIGHT = date(2022, 10, 21)
AT = datetime(2022, 10, 20, 12, tzinfo=UTC)
# What the families of every delivery here carry, and nobody may find outside of landing, archive and `restricted`.
SECRETS = (
    "917103030284", "917104030284", "RAHASIA", "JALAN TERTUTUP", "0812999777", "BUDI PETUGAS", "CATATAN PRIBADI",
    "-1.2468013",
)  # fmt: skip
_FAMILIES = 3


def household(number: int, place: int, members: int = 2, **changes: str) -> Family:
    """A clean family in building ``number`` of East Kalimantan, with personal data throughout."""
    row, roster = family(
        f"H{number:03d}-{place}",
        number=place,
        members=members,
        **{
            "r109_no_bangunan": f"{number:03d}",
            "r107_alamat": "JALAN TERTUTUP 7",
            "r108_nama_kepala": "SITI RAHASIA",
            "r114_no_kk": f"917104030284{number:03d}{place % 10}",
            "r202_nama_ppl": "BUDI PETUGAS",
            "telepon_responden": "0812999777",
            "r600_catatan": "CATATAN PRIBADI",
            "lintang": "-1.2468013",
            "bujur": "117.1",
        }
        | changes,
    )
    for position, member in enumerate(roster):
        member |= {"r402_nama": "SITI RAHASIA", "r403_nik": f"917103030284{number:03d}{(2 * place + position) % 10}"}
    return row, roster


def delivery_id(number: int, later: int = 0) -> str:
    """The same id every time, in the order of ``number``, then ``later``."""
    moment = AT + timedelta(minutes=number, seconds=later)
    milliseconds = round(moment.timestamp() * 1000)
    chance = hashlib.sha256(f"{number} {later}".encode()).digest()[:10]
    return str(ULID.from_bytes(milliseconds.to_bytes(6, "big") + chance))


@dataclass
class Draft:
    """One delivery: families, the files made of them, the manifest that describes the files, and where it lies.

    Attributes:
        number: of the kind; its building, so that no two kinds share a family.
        document: the bytes of the manifest, where no JSON value would make them.
        without_manifest: the folder has none.
        folder: where it lies, if not where it belongs.
        strays: further keys, whole names.
        earlier: deliveries that this one refers to, each as sound as it looks.
        after_sealing, after_night: what is put in the folder then, by file name; ``None`` takes the file away.
    """

    number: int
    parts: list[list[Family]]
    delivery_id: str
    formats: dict[str, str] = field(default_factory=dict)
    produced_at: datetime = AT
    day: date = NIGHT
    province: str = PROVINCE
    files: dict[str, bytes] = field(default_factory=dict)
    manifest: dict[str, Any] = field(default_factory=dict)
    document: bytes | None = None
    without_manifest: bool = False
    folder: str = ""
    strays: dict[str, bytes] = field(default_factory=dict)
    earlier: list["Draft"] = field(default_factory=list)
    after_sealing: dict[str, bytes | None] = field(default_factory=dict)
    after_night: dict[str, bytes | None] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.pack()

    def pack(self, **formats: str) -> None:
        """Makes files and manifest of the families; ``formats`` by dataset."""
        self.formats |= formats
        self.files, self.manifest = {}, self._manifest()
        for part, families in enumerate(self.parts, start=1):
            rows = {"keluarga": [k for k, _ in families], "anggota": [a for _, members in families for a in members]}
            for dataset, content in rows.items():
                self.add(dataset, part, WRITERS[self._format(dataset)](dataset, content), len(content))

    def _format(self, dataset: str) -> str:
        return self.formats.get(dataset, "csv.gz")

    def _manifest(self) -> dict[str, Any]:
        return {
            "contract_version": "1", "instrument": "REGSOSEK22.K", "instrument_version": "1",
            "province": self.province, "delivery_id": self.delivery_id, "produced_at": self.produced_at.isoformat(),
            "producer": "uji", "enumerated_from": "2022-10-15", "enumerated_to": "2022-10-21", "files": [],
            "totals": {"keluarga": 0, "anggota": 0}, "supersedes": [],
        }  # fmt: skip

    def add(self, dataset: str, part: int, content: bytes, rows: int) -> None:
        """Adds a file and describes it."""
        format_ = self._format(dataset)
        name = f"{dataset}-{part:05d}.{format_}"
        self.files[name] = content
        described = {"name": name, "dataset": dataset, "part": part, "format": format_, "rows": rows}
        self.manifest["files"].append(described | _fingerprint(content))
        self.manifest["totals"][dataset] += rows

    def change(self, dataset: str = "keluarga", /, **cells: str) -> None:
        """Changes answers of the first family, or of its first member."""
        household, members = self.parts[0][0]
        (household if dataset == "keluarga" else members[0]).update(cells)
        self.pack()

    def entry(self, dataset: str, part: int = 1) -> dict[str, Any]:
        """What the manifest says of a file."""
        found: dict[str, Any] = next(
            each for each in self.manifest["files"] if (each["dataset"], each["part"]) == (dataset, part)
        )
        return found

    def promise(self, dataset: str, rows: int) -> None:
        """Lets the manifest speak of so many rows."""
        self.manifest["totals"][dataset] += rows - self.entry(dataset)["rows"]
        self.entry(dataset)["rows"] = rows

    def rewrite(self, spoil: Callable[[bytes], bytes], dataset: str = "keluarga", part: int = 1) -> None:
        """Changes the bytes of a file, which the manifest describes as they are then."""
        entry = self.entry(dataset, part)
        self.files[entry["name"]] = content = spoil(self.files[entry["name"]])
        entry.update(_fingerprint(content))

    def retext(self, spoil: Callable[[str], str], dataset: str = "keluarga", encoding: str = "utf-8") -> None:
        """Changes the text inside of a file."""
        self.rewrite(lambda packed: gzip.compress(spoil(gzip.decompress(packed).decode()).encode(encoding)), dataset)

    @property
    def prefix(self) -> str:
        """The folder."""
        return self.folder or f"landing/prov={self.province}/tanggal={self.day}/{self.delivery_id}/"

    def objects(self) -> Iterator[tuple[str, bytes]]:
        """Every key with its content, the manifest last."""
        for each in self.earlier:
            yield from each.objects()
        yield from self.strays.items()
        yield from ((self.prefix + name, content) for name, content in self.files.items())
        if not self.without_manifest:
            yield self.prefix + "manifest.json", self.written_manifest()

    def written_manifest(self) -> bytes:
        """The manifest as it is delivered."""
        return json.dumps(self.manifest).encode() if self.document is None else self.document

    def write_manifest(self, spoil: Callable[[Mapping[str, Any]], bytes]) -> None:
        """Writes the manifest in a way of its own."""
        self.document = spoil(self.manifest)


def _fingerprint(content: bytes) -> dict[str, Any]:
    return {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}


def clean(number: int, *, later: int = 0, families: int = _FAMILIES) -> Draft:
    """A delivery without fault of three families of two members in one part."""
    parts = [[household(number, place) for place in range(1, families + 1)]]
    return Draft(number, parts, delivery_id(number, later), produced_at=AT + timedelta(minutes=number, seconds=later))


Builder = Callable[[Draft], None]
BUILDERS: dict[str, Builder] = {}


def hostile(builder: Builder) -> Builder:
    """Registers the builder of the kind that has its name."""
    BUILDERS[builder.__name__] = builder
    return builder
