"""Plants at most one defect into a document and labels it, so that what quality finds can be compared case by case."""

from collections.abc import Iterator, Sequence
from dataclasses import astuple, dataclass

import duckdb
import numpy as np
import pyarrow as pa

from regsosek.simulation.answers.documents import Candidates
from regsosek.simulation.answers.piece import Piece
from regsosek.simulation.draws.randomness import Floats, Integers
from regsosek.simulation.field.frame_changes import retired_from
from regsosek.simulation.field.timeline import SentDocuments
from regsosek.simulation.planted.defects import NEW_SLS, RETIRED_SLS, DefectKind, Expected, fitting_rows, written_value

PLANTED = "planted"  # number of the kind, from 1; 0 for none
_NONE = -1


@dataclass(frozen=True)
class Label:
    """One planted defect; ``r401`` is the member's order number before any defect, empty for a defect of keluarga."""

    province: str
    delivery_id: str
    id_dokumen: str
    dataset: str
    r401: str
    kind: str
    column: str
    rule_id: str
    expected: Expected

    def row(self) -> tuple[str, ...]:
        """The values in the order of LABEL_COLUMNS."""
        return astuple(self)


LABEL_COLUMNS = tuple(Label.__dataclass_fields__)


@dataclass(frozen=True)
class Planted:
    """What was planted: by defect its document, its kind (from 0) and the row in the kind's dataset."""

    document: Integers
    kind: Integers
    row: Integers

    def __len__(self) -> int:
        return len(self.document)


def overrides(kinds: Sequence[DefectKind], dataset: str) -> dict[str, str]:
    """For the projection of ``dataset``: what the spoiled columns hold in the planted rows."""
    cases: dict[str, str] = {}
    for number, kind in enumerate(kinds, start=1):
        if kind.dataset == dataset and kind.form != "key":
            cases[kind.column] = cases.get(kind.column, "") + f" WHEN {number} THEN {written_value(kind)}"
    return {column: f"CASE {PLANTED}{sql} ELSE {{}} END" for column, sql in cases.items()}


def plant_keys(
    connection: duckdb.DuckDBPyConnection, kinds: Sequence[DefectKind], messages: SentDocuments, codes: Integers
) -> tuple[Integers, Planted]:
    """Spoils the sub-SLS codes of some documents: the codes as they are to be written, and what was planted."""
    of_key = np.array([kind.form == "key" for kind in kinds], dtype=np.bool_)
    limits = np.cumsum([kind.weight for kind in kinds]) / sum(kind.weight for kind in kinds)
    documents = np.flatnonzero(messages.faulty < 1)
    kind = np.searchsorted(limits, messages.faulty[documents], side="right")
    documents, kind = documents[of_key[kind]], kind[of_key[kind]]
    written = codes.copy()
    for number in np.unique(kind):
        rows = documents[kind == number]
        connection.register("codes", pa.table({"id_subsls": codes[rows]}))
        written[rows] = connection.sql(f"SELECT {kinds[number].value} AS code FROM codes").fetchnumpy()["code"]
        connection.unregister("codes")
    return written, Planted(documents, kind, documents)


def plant_answers(
    connection: duckdb.DuckDBPyConnection, kinds: Sequence[DefectKind], piece: Piece, tables: Candidates, taken: Planted
) -> tuple[Candidates, Planted]:
    """Gives each faulty document not ``taken`` a fitting kind: the tables with PLANTED, and what was planted."""
    faulty = piece.messages.faulty
    documents = np.setdiff1d(np.flatnonzero(faulty < 1), taken.document)
    places = _fitting_places(connection, kinds, tables, documents)
    # The same number that made the document faulty chooses the kind; its fraction in finer steps is as good as new.
    kind = _chosen(places, kinds, faulty[documents] * 1_000 % 1)
    found = kind != _NONE
    rows = places[np.flatnonzero(found), kind[found]]
    planted = Planted(documents[found], kind[found], rows)
    return _marked(tables, kinds, planted), planted


def labels(
    kinds: Sequence[DefectKind], piece: Piece, tables: Candidates, planted: Sequence[Planted], delivery_id: str
) -> Iterator[Label]:
    """The labels of one file: planted defects, and documents from sub-SLS that the frame does not know that day."""
    ids = tables.keluarga.column("id_dokumen")
    for group in planted:
        for document, number, row in zip(group.document, group.kind, group.row, strict=True):
            order = str(tables.anggota.column("r401_no_urut")[row]) if kinds[number].dataset == "anggota" else ""
            yield _label(piece.province, delivery_id, str(ids[document]), order, kinds[number])
    retired = piece.messages.enumerated >= retired_from(piece.campaign, piece.place)
    for kind, met in ((NEW_SLS, ~piece.place.in_frame), (RETIRED_SLS, retired)):
        for document in np.flatnonzero(met & ~piece.withdrawn):
            yield _label(piece.province, delivery_id, str(ids[document]), "", kind)


def _label(province: str, delivery_id: str, id_dokumen: str, order: str, kind: DefectKind) -> Label:
    return Label(
        province=province,
        delivery_id=delivery_id,
        id_dokumen=id_dokumen,
        dataset=kind.dataset,
        r401=order,
        kind=kind.name,
        column=kind.column,
        rule_id=kind.rule_id,
        expected=kind.outcome,
    )


def _fitting_places(
    connection: duckdb.DuckDBPyConnection, kinds: Sequence[DefectKind], tables: Candidates, documents: Integers
) -> Integers:
    """By document and kind the first row where the kind fits, _NONE where there is none."""
    places = np.full((len(documents), len(kinds)), _NONE, dtype=np.int64)
    of_members = np.flatnonzero(np.isin(tables.family, documents))
    sources = (
        ("keluarga", tables.keluarga, documents, documents),
        ("anggota", tables.anggota, of_members, tables.family[of_members]),
    )
    for dataset, table, rows, families in sources:
        own = [n for n, kind in enumerate(kinds) if kind.dataset == dataset and kind.form != "key"]
        if own and len(rows):
            few = table.take(pa.array(rows)).append_column("place", pa.array(rows))
            connection.register("few", few.append_column("document", pa.array(np.searchsorted(documents, families))))
            found = connection.sql(_first_fits(kinds, own)).fetchnumpy()
            connection.unregister("few")
            places[found["document"][:, None], own] = np.stack([found[f"k{n}"] for n in own], axis=1)
    return places


def _first_fits(kinds: Sequence[DefectKind], own: Sequence[int]) -> str:
    firsts = [f"coalesce(min(place) FILTER ({fitting_rows(kinds[n])}), {_NONE}) AS k{n}" for n in own]
    return f"SELECT document, {', '.join(firsts)} FROM few GROUP BY document"


def _chosen(places: Integers, kinds: Sequence[DefectKind], chances: Floats) -> Integers:
    if not places.size:
        return np.full(len(places), _NONE, dtype=np.int64)
    weights = np.where(places == _NONE, 0.0, [kind.weight for kind in kinds])
    running = np.cumsum(weights, axis=1)
    total = running[:, -1:]
    # argmax finds the first step over the chance; a step of no weight never is one.
    kind = np.argmax(running > chances[:, None] * total, axis=1)
    return np.where(total[:, 0] > 0, kind, _NONE)


def _marked(tables: Candidates, kinds: Sequence[DefectKind], planted: Planted) -> Candidates:
    marks = {}
    for dataset, table in (("keluarga", tables.keluarga), ("anggota", tables.anggota)):
        mark = np.zeros(table.num_rows, dtype=np.int16)
        own = np.array([kinds[n].dataset == dataset for n in planted.kind], dtype=np.bool_)
        mark[planted.row[own]] = planted.kind[own] + 1
        marks[dataset] = table.append_column(PLANTED, pa.array(mark))
    return Candidates(marks["keluarga"], marks["anggota"], tables.family)
