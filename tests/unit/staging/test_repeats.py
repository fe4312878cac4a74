"""What repeats within a delivery is the same however it is cut into parts, and only what counts is counted."""

from pathlib import Path

import duckdb
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from regsosek.contract.codebook import DATASETS
from regsosek.staging.reading.files import read_part
from regsosek.staging.repeats import clear_repeats, count_repeats, note_part
from support.checks.matrix import examples
from support.deliveries.families import VERSION, Row, anggota_row, delivered_file, keluarga_row, stage_rows

CARDS = ("6403012000000001", "6403012000000002")
NIKS = ("6403015202840001", "6403015202840002", "")
Family = tuple[Row, list[Row]]


def family(document: str, *, number: int = 1, niks: tuple[str, ...] = (), **changes: str) -> Family:
    key = {"id_dokumen": document, "r110_no_keluarga": str(number), "versi": changes.pop("versi", "1")}
    present = changes.pop("present", "1")
    members = [anggota_row(n, **key, r403_nik=nik, r404_keberadaan=present) for n, nik in enumerate(niks, start=1)]
    return keluarga_row(**key, **changes), members


def counted(
    connection: duckdb.DuckDBPyConnection, directory: Path, parts: list[list[Family]]
) -> dict[tuple[str, str], tuple[object, ...]]:
    """By document and versi: how many carry the key, the card, and the NIK of each member in order."""
    clear_repeats(connection)
    for part in parts:
        for dataset, rows in zip(DATASETS, _rows(part), strict=True):
            read_part(connection, *delivered_file(dataset, rows, directory), version=VERSION)
        note_part(connection)
    count_repeats(connection)
    found = {}
    for part in parts:
        stage_rows(connection, directory, *_rows(part), alone=False)
        rows = connection.execute(
            "SELECT k.id_dokumen, k.versi, any_value(key_documents_in_delivery), any_value(kk_families_in_delivery), "
            "list(nik_cases_in_delivery ORDER BY a.r401_no_urut) FROM keluarga k "
            "LEFT JOIN anggota a ON a.keluarga_row = k.row_no GROUP BY ALL"
        ).fetchall()
        found |= {(document, str(versi)): tuple(counts) for document, versi, *counts in rows}
    return found


def _rows(part: list[Family]) -> tuple[list[Row], list[Row]]:
    return [k for k, _ in part], [member for _, members in part for member in members]


@st.composite
def deliveries(draw: st.DrawFn) -> list[Family]:
    cases = draw(st.lists(st.tuples(st.sampled_from("ABC"), st.sampled_from("12")), max_size=5, unique=True))
    return [
        family(
            document,
            versi=versi,
            number=draw(st.integers(1, 2)),
            status_dokumen=draw(st.sampled_from("119")),
            r114_no_kk=draw(st.sampled_from(CARDS)),
            present=draw(st.sampled_from("152")),
            niks=tuple(draw(st.lists(st.sampled_from(NIKS), max_size=2))),
        )
        for document, versi in cases
    ]


def _expected(families: list[Family]) -> dict[tuple[str, str], tuple[object, ...]]:
    """The same, read from the definition in plain Python."""
    newest: dict[str, str] = {}
    for row, _ in families:
        newest[row["id_dokumen"]] = max(row["versi"], newest.get(row["id_dokumen"], ""))
    counting = [f for f in families if f[0]["versi"] == newest[f[0]["id_dokumen"]] and f[0]["status_dokumen"] == "1"]

    def documents(column: str, value: str) -> int:
        return max(1, len({row["id_dokumen"] for row, _ in counting if row[column] == value}))

    def cases(member: Row) -> int | None:
        if member["r404_keberadaan"] not in {"1", "5"} or not member["r403_nik"]:
            return None
        same = {
            row["id_dokumen"]
            for row, members in counting
            for m in members
            if m["r404_keberadaan"] in {"1", "5"} and m["r403_nik"] == member["r403_nik"]
        }
        return max(1, len(same))

    return {
        (row["id_dokumen"], row["versi"]): (
            documents("r110_no_keluarga", row["r110_no_keluarga"]),
            documents("r114_no_kk", row["r114_no_kk"]),
            [cases(member) for member in members] or [None],
        )
        for row, members in families
        if row["status_dokumen"] == "1"
    }


@settings(max_examples=examples(12), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(families=deliveries(), cut=st.integers(0, 5))
def test_counts_follow_the_definition_however_the_delivery_is_cut(
    engine, tmp_path: Path, families: list[Family], cut: int
) -> None:
    parts = [part for part in (families[:cut], families[cut:]) if part]
    assert counted(engine, tmp_path, parts) == _expected(families)


def test_another_part_is_seen_and_the_delivery_before_is_forgotten(engine, tmp_path: Path) -> None:
    first, second = family("A", r114_no_kk=CARDS[0]), family("B", r114_no_kk=CARDS[0])
    assert {counts[:2] for counts in counted(engine, tmp_path, [[first], [second]]).values()} == {(2, 2)}
    assert {counts[:2] for counts in counted(engine, tmp_path, [[second]]).values()} == {(1, 1)}


def test_what_cannot_be_compared_is_not_counted(engine, tmp_path: Path) -> None:
    families = [
        family("A", r114_no_kk=CARDS[0], niks=(NIKS[0],)),
        family("", number=2, r114_no_kk=CARDS[0], niks=(NIKS[0],)),
        family("C", number=3, r114_no_kk=CARDS[0][:-1], niks=(NIKS[0][:-1],)),
    ]
    found = counted(engine, tmp_path, [families])
    assert found["A", "1"] == (1, 1, [1])
    assert found["C", "1"] == (1, None, [None])
    assert found[None, "1"] == (None, None, [None])  # type: ignore[index]  # a row without a document
