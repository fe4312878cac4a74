"""Rows of a delivered file emptied: every other byte or value stays as it was sent."""

import gzip
import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from regsosek.privacy.erasure.redaction import rewrite

CHANGE = {"id_dokumen": "er-e000000000000000", "versi": None}
CSV = (
    b"\xef\xbb\xbfid_dokumen, Versi ,r107_alamat,lain\r\n"
    b'D1,1,"Jl. Mawar\n no. 1, RT 2",x\r\n'
    b"\r\n"
    b'D2,\'2,"kata ""dia""",y\n'
    b"D3,3,,z"
)


def rewritten(tmp_path, name, content, changes):
    source, target = tmp_path / name, tmp_path / f"new-{name}"
    source.write_bytes(content)
    rewrite(source, target, name.partition(".")[2], changes)
    return target


@pytest.mark.parametrize(
    ("row", "before", "after"),
    [
        (1, b'D1,1,"Jl. Mawar\n no. 1, RT 2",x\r\n', b"er-e000000000000000,1,,\r\n"),
        (2, b'D2,\'2,"kata ""dia""",y\n', b"er-e000000000000000,'2,,\n"),
        (3, b"D3,3,,z", b"er-e000000000000000,3,,"),
    ],
)
def test_a_record_of_csv_keeps_its_end_and_leaves_the_others_alone(tmp_path, row, before, after):
    target = rewritten(tmp_path, "keluarga.csv.gz", gzip.compress(CSV), {row: CHANGE})
    assert gzip.decompress(target.read_bytes()) == CSV.replace(before, after)


def test_a_line_of_json_keeps_its_keys(tmp_path):
    lines = [{"ID_DOKUMEN": "D1", "versi": 1, "r107_alamat": "Jl."}, {"ID_DOKUMEN": "D2", "versi": 2.0, "lain": [1]}]
    content = "\n".join(json.dumps(line) for line in lines).encode()
    target = rewritten(tmp_path, "keluarga.jsonl.gz", gzip.compress(content), {2: CHANGE})
    first, second = gzip.decompress(target.read_bytes()).splitlines()
    assert first == content.splitlines()[0]
    assert json.loads(second) == {"ID_DOKUMEN": CHANGE["id_dokumen"], "versi": 2.0, "lain": None}


def test_a_row_of_parquet_keeps_the_types_of_the_file(tmp_path):
    table = pa.table(
        {
            "id_dokumen": pa.array(["D1", "D2"]).dictionary_encode(),
            "versi": pa.array([1, 2], pa.int16()),
            "r407_umur": pa.array([38, 7], pa.int8()),
        }
    )
    pq.write_table(table, tmp_path / "sent.parquet")
    target = rewritten(tmp_path, "anggota.parquet", (tmp_path / "sent.parquet").read_bytes(), {1: CHANGE})
    now = pq.read_table(target)
    assert now.to_pylist() == [
        {"id_dokumen": CHANGE["id_dokumen"], "versi": 1, "r407_umur": None},
        {"id_dokumen": "D2", "versi": 2, "r407_umur": 7},
    ]
    assert (now.schema.field("versi").type, now.schema.field("r407_umur").type) == (pa.int16(), pa.int8())


@pytest.mark.parametrize("name", ["keluarga.csv.gz", "keluarga.jsonl.gz"])
def test_a_row_that_is_not_there_is_an_error(tmp_path, name):
    content = CSV if "csv" in name else b'{"id_dokumen": "D1"}'
    with pytest.raises(ValueError, match="no such row"):
        rewritten(tmp_path, name, gzip.compress(content), {9: CHANGE})
