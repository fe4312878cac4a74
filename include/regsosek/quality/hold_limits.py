"""How much of a delivery may be wrong before it is held whole: ``hold_limits.csv``, by province and dataset.

A line of ``stream`` is of every stream without a line of its own. Beside the datasets stands ``replaced``: how many
families of the deliveries that it replaces a delivery may withdraw.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from pathlib import Path

from regsosek.contract.codebook import ALL_DATASETS, DATASETS, STREAMS
from regsosek.errors import ConfigurationError
from regsosek.geography.provinces import provinces
from regsosek.geography.reference_table import read_table
from regsosek.landing.archive import HoldLimit
from regsosek.wording import markdown

HOLD_LIMITS = Path(__file__).parent / "hold_limits.csv"
EVERYWHERE = "*"
REPLACED = "replaced"
STREAM = "stream"
MEASURED = (*ALL_DATASETS, REPLACED)
# What is judged of each dataset.
RULED = {"keluarga": "cases", "anggota": "members", REPLACED: "cases"} | dict.fromkeys(STREAMS, "messages")
_COLUMNS = ("province", "dataset", "limit_percent", "least_rows", "source")

Limits = Mapping[str, HoldLimit]


@dataclass(frozen=True)
class ErrorShare:
    """How many rows of one dataset were judged, and how many of them are in error (``keluarga``: cases).

    Of ``replaced``: families of the replaced deliveries, and how many of them are withdrawn.
    """

    dataset: str
    judged: int
    in_error: int

    def exceeds(self, limit: HoldLimit) -> bool:
        """Whether the share lies over ``limit``; exactly at it, or of too few rows, it does not."""
        return self.judged >= limit.least_rows and self.in_error * 100 > limit.percent * self.judged


def measured(dataset: str) -> str:
    """In English, what a share is taken of and what counts against it: ``cases in error``."""
    return "families of the replaced deliveries withdrawn" if dataset == REPLACED else f"{RULED[dataset]} in error"


def exceeding(shares: Iterable[ErrorShare], limits: Limits) -> tuple[ErrorShare, ...]:
    """The shares that lie over the limit of their dataset; a dataset without a limit has none to exceed."""
    return tuple(share for share in shares if share.dataset in limits and share.exceeds(limits[share.dataset]))


def hold_limits(province: str, path: Path | None = None) -> dict[str, HoldLimit]:
    """The limit of every dataset for ``province``: its own line, else the line of all provinces (``*``).

    A stream that has neither takes the lines of ``stream`` in the same order. A stream or ``replaced`` without any line
    has no limit, so that files written before there were these still serve.

    Args:
        path: CSV with the columns province, dataset, limit_percent (0 to 100), least_rows (from 1), source; none means
            our own.

    Raises:
        ConfigurationError: a line is malformed or stands twice, or a dataset has no line for all provinces.
        ReferenceDataError: the file cannot be read.
    """
    path = path or HOLD_LIMITS
    lines: dict[tuple[str, str], HoldLimit] = {}
    for row in read_table(path, _COLUMNS):
        key = row["province"], row["dataset"]
        if key in lines:
            raise ConfigurationError(f"{path.name}: province {key[0]}, {key[1]} stands twice; keep one line")
        lines[key] = _limit(path.name, row)
    missing = [dataset for dataset in DATASETS if (EVERYWHERE, dataset) not in lines]
    if missing:
        raise ConfigurationError(f"{path.name}: no line of province {EVERYWHERE} for {', '.join(missing)}; add it")
    return {d: lines[key] for d in MEASURED for key in _places(province, d) if key in lines}


def _places(province: str, dataset: str) -> list[tuple[str, str]]:
    """The lines that may say the limit of a dataset, the one that holds before others last."""
    named = (STREAM, dataset) if dataset in STREAMS else (dataset,)
    return [(place, name) for name in named for place in (EVERYWHERE, province)]


def our_limits() -> list[dict[str, str]]:
    """The lines of our own limits, one for each dataset; that of ``stream`` stands for each stream without one."""
    lines = read_table(HOLD_LIMITS, _COLUMNS)
    rest = [stream for stream in STREAMS if stream not in {line["dataset"] for line in lines}]
    return [
        line | {"dataset": dataset}
        for line in lines
        for dataset in (rest if line["dataset"] == STREAM else [line["dataset"]])
    ]


def regions() -> markdown.Regions:
    """Our own limits, as the landing contract shows them."""
    return markdown.regions(__file__, {"limits": our_limits, "everywhere": EVERYWHERE})


def _limit(file_name: str, row: Mapping[str, str]) -> HoldLimit:
    place = f"{file_name}: province {row['province']}, {row['dataset']}"
    if row["province"] not in {EVERYWHERE, *(each.code for each in provinces())}:
        raise ConfigurationError(f"{place}: no such province; write its BPS code, or {EVERYWHERE} for all")
    if row["dataset"] not in {*MEASURED, STREAM}:
        raise ConfigurationError(f"{place}: no such dataset; write {' or '.join((*MEASURED, STREAM))}")
    if not row["source"]:
        raise ConfigurationError(f"{place}: say in column source where the limit comes from")
    try:
        return HoldLimit(percent=Decimal(row["limit_percent"]), least_rows=int(row["least_rows"]))
    except (InvalidOperation, ValueError):
        raise ConfigurationError(f"{place}: limit_percent must be 0 to 100, least_rows a whole number from 1") from None
