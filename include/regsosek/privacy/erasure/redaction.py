"""Single rows of a delivered file written anew, whatever its format; every other row keeps its bytes or values."""

import csv
import gzip
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from regsosek.contract.codebook import Variable, all_variables
from regsosek.contract.key_forms import any_form
from regsosek.contract.manifest import Format
from regsosek.staging.reading.csv_quotes import CR, LF, Quoting, whole_lines

# What a row holds from now on: by column a text, or None for what it holds; columns that are not named are emptied.
Change = Mapping[str, str | None]

# What a counted family keeps: its place, its revision, its result and its day; whatever does not look like that goes.
KEPT = {
    "keluarga": (
        "versi", "status_dokumen", "id_subsls", "r101_provinsi", "r102_kabkota", "r103_kecamatan", "r104_desa",
        "r109_no_bangunan", "r110_no_keluarga", "r201_tanggal_pencacahan", "r202_kode_ppl", "r205_hasil",
    ),
    "anggota": ("versi", "id_subsls", "r109_no_bangunan", "r110_no_keluarga", "r401_no_urut", "r404_keberadaan"),
    "geotag": (
        "id_tag", "versi", "status_dokumen", "id_subsls", "r109_no_bangunan", "r110_no_keluarga", "ditandai_pada",
        "kode_petugas", "kelas_vk", "ada_foto",
    ),
}  # fmt: skip
DOCUMENT, PRESENCE, PRESENT = "id_dokumen", "r404_keberadaan", ("1", "5")
# A text of the identity that says nothing any more carries what tells erased contents of one case apart.
MARKED = {"keluarga": "r107_alamat", "geotag": "kunci_foto"}
_BY_KIND = {
    "date": "^[0-9]{4}-[0-9]{2}-[0-9]{2}$",
    "timestamp": "^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}.[0-9]{2}.[0-9]{2}([.][0-9]{1,6})?(Z|[+-][0-9]{2}.[0-9]{2})$",
}
_BOM = "\ufeff"


def kept_pattern(dataset: str, column: str) -> str:
    """What a value of a kept column looks like, for Python and PostgreSQL alike."""
    if column == PRESENCE:
        return f"^0*({'|'.join(PRESENT)})$"
    variable = next(each for each in all_variables(dataset) if each.name == column)
    if variable.kind == "key":
        return f"^({any_form()})$"
    return _BY_KIND.get(variable.kind) or f"^[0-9]{{1,{_width(variable)}}}$"


def _width(variable: Variable) -> int:
    return variable.width or 1


def rewrite(source: Path, target: Path, format_: Format, changes: Mapping[int, Change]) -> None:
    """Writes ``source`` as ``target`` with the rows of ``changes`` (from 1) changed.

    Raises:
        ValueError: the file has no such row.
    """
    {"csv.gz": _csv, "jsonl.gz": _json_lines, "parquet": _parquet}[format_](source, target, changes)


def _csv(source: Path, target: Path, changes: Mapping[int, Change]) -> None:
    with gzip.open(source, "rb") as given, _packed(target) as written:
        records = _records(source.name, given)  # type: ignore[arg-type]  # a GzipFile reads as any binary file
        header = next(records)
        written.write(header)
        names = [name.strip().lower() for name in _cells(header.decode().removeprefix(_BOM))]
        row, left = 0, dict(changes)
        for record in records:
            row += bool(record.strip())
            change = left.pop(row, None) if record.strip() else None
            written.write(record if change is None else _csv_record(record.decode(), names, change))
    _require_all(left)


def _csv_record(record: str, names: Sequence[str], change: Change) -> bytes:
    end = record[len(record.rstrip("\r\n")) :]
    values = (_changed(change, name, value) for name, value in zip(names, _cells(record), strict=True))
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator=end).writerow(values)
    return text.getvalue().encode()


def _cells(record: str) -> list[str]:
    return next(csv.reader(io.StringIO(record, newline="")))


def _changed(change: Change, name: str, value: str) -> str:
    text = change.get(name, "")
    return value if text is None else text


def _records(name: str, source: BinaryIO) -> Iterator[bytes]:
    """The records of a CSV with their ends; a line break within quotes ends none."""
    quoting, rest = Quoting(name), b""
    for text in whole_lines(source):
        quoted = quoting.spans(text).mask(len(text))
        signs = np.frombuffer(text, dtype=np.uint8)
        paired = (signs == CR) & (np.append(signs[1:], 0) == LF)
        start = 0
        for end in np.flatnonzero(((signs == LF) | ((signs == CR) & ~paired)) & ~quoted) + 1:
            yield rest + text[start:end]
            rest, start = b"", int(end)
        rest += text[start:]
    if rest:
        yield rest


def _json_lines(source: Path, target: Path, changes: Mapping[int, Change]) -> None:
    row, left = 0, dict(changes)
    with gzip.open(source, "rt", encoding="utf-8", newline="\n") as lines, _packed(target) as written:
        for line in lines:
            row += bool(line.strip())
            change = left.pop(row, None) if line.strip() else None
            written.write((line if change is None else _json_line(line, change)).encode())
    _require_all(left)


def _json_line(line: str, change: Change) -> str:
    given: dict[str, Any] = json.loads(line.removeprefix(_BOM))
    names = {key: key.strip().lower() for key in given}
    changed = {key: _json_value(change.get(names[key], ""), value) for key, value in given.items()}
    return json.dumps(changed) + "\n"


def _json_value(text: str | None, value: Any) -> Any:
    return value if text is None else text or None


def _parquet(source: Path, target: Path, changes: Mapping[int, Change]) -> None:
    table = pq.read_table(source, partitioning=None)
    if changes and max(changes) > table.num_rows:
        raise ValueError("the file has no such row")
    columns = [_column(table, place, changes) for place in range(table.num_columns)]
    pq.write_table(pa.table(columns, names=table.column_names), target)


def _column(table: Any, place: int, changes: Mapping[int, Change]) -> Any:
    column, name = table.column(place), table.column_names[place].strip().lower()
    texts = {row: change.get(name, "") for row, change in changes.items()}
    for text in {text for text in texts.values() if text is not None}:
        mask = np.zeros(table.num_rows, dtype=bool)
        mask[[row - 1 for row, each in texts.items() if each == text]] = True
        if text and pa.types.is_dictionary(column.type):
            column = column.cast(column.type.value_type)
        column = pc.if_else(pa.array(mask), pa.scalar(text or None, type=column.type), column)
    return column


def _packed(target: Path) -> gzip.GzipFile:
    return gzip.GzipFile(target, "wb", compresslevel=6, mtime=0)


def _require_all(left: Mapping[int, Change]) -> None:
    if left:
        raise ValueError("the file has no such row")
