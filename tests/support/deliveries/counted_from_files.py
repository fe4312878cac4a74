"""What simulated deliveries tell as of a night, read from the files alone: another way than that of the warehouse."""

import csv
import gzip
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from pathlib import Path

import pandas as pd

from regsosek.contract.codebook import STREAMS
from regsosek.geography.calendar import field_windows
from regsosek.statistics.measures.denominators import lineages
from regsosek.statistics.streams.clocks import Clock, streams
from regsosek.statistics.streams.lists import Statement, placed_lists
from regsosek.statistics.streams.reconciliation import DAY_COUNTS, ProvinceStreams

Row = dict[str, str]
_DATASETS = {"k": "keluarga"} | {stream: stream for stream in STREAMS}
_LIST = ("jumlah_keluarga_verifikasi", "nonrespon", "sangat_miskin", "miskin", "tidak_miskin")
_FAMILY = ("id_subsls", "r109_no_bangunan", "r110_no_keluarga")


def read(paths: Iterable[Path]) -> list[Row]:
    found: list[Row] = []
    for path in sorted(paths):
        with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
            found += csv.DictReader(file)
    return found


@dataclass(frozen=True)
class Files:
    """The deliveries of one province below ``root``."""

    root: Path
    province: str

    @cached_property
    def rows(self) -> dict[str, list[tuple[date, Row]]]:
        """By stream, every row with its night, in order of arrival."""
        found: dict[str, list[tuple[date, Row]]] = {}
        for stream, dataset in _DATASETS.items():
            folders = sorted(self.root.glob(f"landing/prov={self.province}/tanggal=*/*"), key=lambda each: each.name)
            found[stream] = [
                (date.fromisoformat(folder.parent.name[-10:]), row)
                for folder in folders
                for row in read(folder.glob(f"{dataset}-*.csv.gz"))
            ]
        return found

    @cached_property
    def nights(self) -> dict[str, list[date]]:
        """By stream, the nights with a delivery."""
        return {
            stream: sorted({
                date.fromisoformat(path.parents[1].name[-10:])
                for path in self.root.glob(f"landing/prov={self.province}/tanggal=*/*/{dataset}-*.csv.gz")
            })
            for stream, dataset in _DATASETS.items()
        }  # fmt: skip

    @cached_property
    def frame(self) -> list[Row]:
        return read(self.root.glob(f"reference/sls/*/prov={self.province}.csv.gz"))

    @cached_property
    def changes(self) -> list[Row]:
        return read(self.root.glob(f"reference/psls/*/prov={self.province}.csv.gz"))

    @cached_property
    def root_of(self) -> dict[str, str]:
        desa = {row["id_subsls"]: row["id_desa"] for row in self.frame}
        return lineages(
            (row["id_subsls_lama"], row["id_subsls_baru"], int(row["status"]), desa[row["id_subsls_lama"]])
            for row in self.changes
        )

    def place(self, code: str) -> str:
        """One of all codes that ``code`` is related to; of an unknown sub-SLS its desa."""
        known = {row["id_subsls"] for row in self.frame}
        own = code if code in known else code[:10]
        return self.root_of.get(own, own)

    def told(self, seen: Mapping[str, date]) -> ProvinceStreams:
        """What the streams say, each as of the night in ``seen``."""
        days: dict[tuple[str, date], dict[str, int]] = defaultdict(lambda: dict.fromkeys(DAY_COUNTS, 0))
        rows = {name: [row for night, row in found if night <= seen[name]] for name, found in self.rows.items()}
        place = {row["id_subsls"]: self.place(row["id_subsls"]) for found in rows.values() for row in found}
        documents = {row["id_dokumen"]: row for row in reversed(rows["k"])}
        for row in documents.values():
            days[place[row["id_subsls"]], date.fromisoformat(row["r201_tanggal_pencacahan"])]["arrived"] += 1
        for row in {(r["id_subsls"], r["kode_petugas"], r["tanggal"]): r for r in rows["progres"]}.values():
            own = days[place[row["id_subsls"]], date.fromisoformat(row["tanggal"])]
            own["reported"] += int(row["jumlah_kk_cacah"])
            own["verified"] += int(row["jumlah_kk_verifikasi"])
            own["messages"] += 1
        known = {tuple(int(row[name]) for name in _FAMILY) for row in rows["k"]}
        for row in {r["id_tag"]: r for r in rows["geotag"]}.values():
            if row["status_dokumen"] == "1":
                own = days[place[row["id_subsls"]], date.fromisoformat(row["ditandai_pada"][:10])]
                own["tagged"] += 1
                own["without_document"] += tuple(int(row[name]) for name in _FAMILY) not in known
        table = pd.DataFrame([{"code": code, "day": day, **counts} for (code, day), counts in days.items()])
        return ProvinceStreams(
            days=table,
            lists=self._lists(rows["rekap_vk"], seen["rekap_vk"]),
            mixed=frozenset(code for code in self.root_of.values() if len(code) == 10)
            | {code for code in table["code"] if len(code) == 10},
            closes=field_windows()[self.province].closes,
            clocks={
                name: Clock(self._first(name), seen[name], streams()[name].grace_days)
                for name in seen
                if self._first(name) <= seen[name]
            },
        )

    def _first(self, stream: str) -> date:
        return min((night for night, _ in self.rows[stream]), default=date.max)

    def _lists(self, rows: list[Row], night: date) -> pd.DataFrame:
        newest = {(r["id_subsls"], r["id_subsls_baru"]): (place, r) for place, r in enumerate(rows)}
        statements = [
            Statement(
                source, target or source, row["flag_tidak_ditemukan"] == "1",
                tuple(int(row[name]) for name in _LIST) if row[_LIST[0]] else None, (place,), "",
            )
            for (source, target), (place, row) in newest.items()
        ]  # fmt: skip
        loads = {
            row["id_subsls"]: int(row["families_load"]) for row in self.frame
            if row["valid_from"] <= night.isoformat() <= (row["valid_to"] or "9999")
        }  # fmt: skip
        heirs: dict[str, list[str]] = defaultdict(list)
        for row in self.changes:
            if row["valid_from"] <= night.isoformat():
                heirs[row["id_subsls_lama"]].append(row["id_subsls_baru"])
        found, lost = placed_lists(statements, loads, heirs)
        assert not lost
        lists = {code: found[code].counts for code in found}
        table = pd.DataFrame(
            [
                {"code": self.root_of.get(code, code), "families": (lists.get(code) or [0])[0],
                 "entered": code in found and (lists[code] is not None or found[code].not_found)}
                for code in loads
            ]
        )  # fmt: skip
        return table.groupby("code", as_index=False).agg({"families": "sum", "entered": "all"})
