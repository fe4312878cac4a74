"""What a version of the questionnaire does to a staged part: its columns, and a hash that knows answers, not forms."""

from pathlib import Path
from typing import Any

import pytest

from regsosek.errors import ContractBreachError
from regsosek.staging.reading.files import read_part
from regsosek.staging.reading.repairs import Repair
from support.deliveries.edited_codebook import (
    ADDED,
    FIRST,
    REMOVED,
    SECOND,
    codebook,
    lines,
    second_version,
    shipped,
    written,
)
from support.deliveries.families import Row, anggota_row, delivered_file, keluarga_row, stage_rows


def content_hash(engine: Any, directory: Path, row: Row, version: str) -> bytes:
    stage_rows(engine, directory, [row], [anggota_row()], version)
    return bytes(engine.execute("SELECT content_hash FROM kasus").fetchone()[0])


def without(row: Row, *names: str) -> Row:
    return {name: value for name, value in row.items() if name not in names}


def test_equal_answers_have_one_hash_whatever_version_carried_them(engine, tmp_path: Path) -> None:
    tenant = keluarga_row(r301a_status_bangunan="2", **{REMOVED: ""})
    before = content_hash(engine, tmp_path, tenant, FIRST)
    with codebook(second_version(shipped())):
        later = without(tenant, REMOVED)
        assert content_hash(engine, tmp_path, tenant, FIRST) == before
        assert content_hash(engine, tmp_path, {**later, ADDED: ""}, SECOND) == before
        answered = {content_hash(engine, tmp_path, {**later, ADDED: answer}, SECOND) for answer in ("1", "2")}
        assert len(answered | {before}) == 3


def test_an_item_more_or_less_leaves_the_hash_of_other_answers(engine, tmp_path: Path) -> None:
    tenant = keluarga_row(r301a_status_bangunan="2", **{REMOVED: ""})
    before = content_hash(engine, tmp_path, tenant, FIRST)
    both = second_version(shipped())
    edited = lines(both["variables.csv"])
    more = [line | {"until": ""} for line in edited]
    less = [line for line in edited if line["name"] != ADDED]
    for variables, row in ((more, {**tenant, ADDED: ""}), (less, without(tenant, REMOVED))):
        with codebook({**both, "variables.csv": written(variables)}):
            assert content_hash(engine, tmp_path, row, SECOND) == before


def test_what_a_version_does_not_have_is_empty_and_typed(engine, tmp_path: Path) -> None:
    with codebook(second_version(shipped())):
        stage_rows(engine, tmp_path, [keluarga_row()], [anggota_row()], FIRST)
        typed = engine.execute(f"SELECT {ADDED}, typeof({ADDED}), {ADDED}__untyped, {REMOVED} FROM keluarga").fetchall()
        assert typed == [(None, "SMALLINT", None, 1)]
        stage_rows(engine, tmp_path, [without(keluarga_row(), REMOVED) | {ADDED: "2"}], [anggota_row()], SECOND)
        assert engine.execute(f"SELECT {ADDED}, {REMOVED} FROM keluarga").fetchall() == [(2, None)]
        [text] = engine.execute("SELECT to_json(t) FROM keluarga_text t").fetchone()
        assert ADDED in text and REMOVED not in text


@pytest.mark.parametrize(
    ("row", "version", "unknown"),
    [(keluarga_row() | {ADDED: "1"}, FIRST, ADDED), (keluarga_row() | {ADDED: "1"}, SECOND, REMOVED)],
    ids=["added too early", "removed still there"],
)
def test_a_column_of_another_version_is_one_that_is_not_known(
    engine, tmp_path: Path, row, version: str, unknown: str
) -> None:
    with codebook(second_version(shipped())):
        file, path = delivered_file("keluarga", [row], tmp_path)
        repairs = read_part(engine, file, path, version=version)
        item = unknown.partition("_")[0]  # what follows may be anything, a person's name too
        assert Repair("keluarga", "column_unknown", item, 1) in repairs
        assert unknown not in {name for name, *_ in engine.execute("DESCRIBE keluarga_text").fetchall()}


@pytest.mark.parametrize(
    ("row", "version"),
    [(keluarga_row(), SECOND), (without(keluarga_row(), REMOVED), FIRST)],
    ids=["an old form under the new version", "a new form under the old version"],
)
def test_a_column_that_the_version_has_must_be_there(engine, tmp_path: Path, row, version: str) -> None:
    with codebook(second_version(shipped())), pytest.raises(ContractBreachError, match="columns_differ"):
        stage_rows(engine, tmp_path, [row], [anggota_row()], version)
