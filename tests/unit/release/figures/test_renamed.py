"""Renamed tables and columns: the new names stand alone in the tables, the old ones are still found and told."""

import csv
import io
import json
from dataclasses import replace
from datetime import UTC, date, datetime
from hashlib import sha256
from types import SimpleNamespace
from typing import Any, cast

import pytest

from regsosek.landing.store import Store
from regsosek.portal.api.releases import Release, Releases
from regsosek.portal.sources import Sources
from regsosek.release.figures.figures import Figures
from regsosek.release.figures.previous_release import FormerRelease, published_table
from regsosek.release.figures.renamed import former_columns, former_tables, renamed, renamed_since, under_former_names
from regsosek.release.files.changelog import changelogs
from regsosek.release.files.tables import TABLE_FIELDS, table_files, target_source_words
from regsosek.statistics.definitions.as_of import AsOf
from regsosek.statistics.definitions.definitions import definitions
from support.figures import made_up

MISREAD = ("lantai", "aliran", "andaian")
OLD = {"files": [{"name": name} for name in former_tables().values()], "definitions": {}}


@pytest.fixture(scope="module")
def files() -> dict[str, bytes]:
    figures = first_under_new_names()
    tables = table_files(figures)
    return {**tables, **under_former_names(tables, figures.changes.renamed), **changelogs(figures)}


def first_under_new_names() -> Figures:
    """The release after one of which everything bore its old name."""
    made = made_up.figures()
    return replace(made, changes=replace(made.changes, renamed=renamed_since(OLD)))


def header(content: bytes) -> list[str]:
    return content.split(b"\n", 1)[0].decode().split(",")


class Bucket:
    """The files of one release."""

    def __init__(self, files: dict[str, bytes]) -> None:
        self.files = files

    def get_bytes(self, bucket: str, key: str, *, max_bytes: int) -> bytes | None:
        found = self.files.get(key)
        return None if found is None else found[:max_bytes]


def test_no_table_or_column_bears_a_name_that_the_questionnaire_gives_to_another_thing() -> None:
    columns = {definitions()[field].column for fields in TABLE_FIELDS.values() for field in fields}
    assert not [name for name in (*TABLE_FIELDS, *columns) if any(word in name for word in MISREAD)]


def test_every_new_name_is_one_of_a_table_that_is_published(files: dict[str, bytes]) -> None:
    for each in renamed():
        assert each.table in TABLE_FIELDS
        assert not each.column or each.column in header(files[each.table])


def test_a_renamed_table_stands_once_more_under_its_old_name_and_headers(files: dict[str, bytes]) -> None:
    assert {"lantai.csv", "andaian.csv", "aliran.csv"} == set(former_tables().values()) <= set(files)
    for table, former in former_tables().items():
        names = former_columns(table)
        assert header(files[former]) == [names.get(column, column) for column in header(files[table])]
        assert files[former].split(b"\n", 1)[1] == files[table].split(b"\n", 1)[1]
    assert "keluarga_menurut_aliran" in header(files["aliran.csv"])


@pytest.mark.parametrize(("text", "told"), [("perubahan.md", "sekarang bernama"), ("changes.md", "is now")])
def test_both_changelogs_tell_what_was_renamed(files: dict[str, bytes], text: str, told: str) -> None:
    written = files[text].decode()
    lines = [line for line in written.splitlines() if told in line]
    assert len(lines) == len(renamed())
    assert all(f"`{former}`" in written and f"`{table}`" in written for table, former in former_tables().items())


def test_what_readers_saw_under_its_new_name_is_not_told_again() -> None:
    """Of the old files one is there no more, and a column of a table whose name stayed has its new name already."""
    seen = {"files": [{"name": "terendah.csv"}, {"name": "andaian.csv"}], "definitions": {"anggota_masuk": ""}}
    told = renamed_since(seen)
    assert [each.table for each in told if not each.column] == ["skenario.csv"]
    assert "anggota_masuk" not in {each.column for each in told} >= {"baris_dikarantina"}
    columns = {each.column: "" for each in renamed()}
    assert renamed_since({"files": [{"name": each.table} for each in renamed()], "definitions": columns}) == ()


def test_a_release_of_before_is_read_under_the_names_of_today(files: dict[str, bytes]) -> None:
    older = {"r/" + name: content for name, content in under_former_names(files, renamed()).items()}
    listed = [{"name": key.removeprefix("r/"), "bytes": len(content)} for key, content in older.items()]
    night = date(2022, 10, 22)
    release = FormerRelease("r", AsOf(night, {}), "r/", "", datetime.now(UTC), {"files": listed})
    table = published_table(cast(Store, Bucket(older)), "bucket", release, "sumber_data.csv")
    assert {"stream", "stream_families", "stream_through"} <= set(table.columns)


def test_the_api_answers_of_a_release_of_before_under_the_names_of_today(files: dict[str, bytes]) -> None:
    [content] = [content for name, content in under_former_names(files, renamed()).items() if name == "aliran.csv"]
    release_id = "2022-10-22-0123456789ab"
    bucket = Bucket({f"rilis/{release_id}/aliran.csv": content})
    table = _api_table(bucket, release_id, "aliran.csv", content)
    assert table.rows.column_names == header(files["sumber_data.csv"])


def _api_table(bucket: Bucket, release_id: str, name: str, content: bytes) -> Any:

    sources = cast(Sources, SimpleNamespace(store=bucket, settings=SimpleNamespace(release_bucket="b")))
    listed = [{"name": name, "bytes": len(content), "sha256": sha256(content).hexdigest()}]
    release = Release(json.loads(json.dumps({"release_id": release_id, "files": listed})))
    return Releases(sources).table(release, "sumber_data.csv")


def test_what_arrived_in_a_night_shares_no_count_with_what_stands() -> None:
    standing, arriving = set(TABLE_FIELDS["provinsi.csv"]), set(TABLE_FIELDS["kedatangan.csv"])
    counts = {field for field in standing & arriving if definitions()[field].unit in {"keluarga", "orang", "baris"}}
    assert not counts


def test_the_source_of_a_target_is_told_in_indonesian(files: dict[str, bytes]) -> None:
    assert target_source_words("estimated+published") == "perkiraan; angka publikasi"
    rows = csv.DictReader(io.StringIO(files["provinsi.csv"].decode()))
    assert {row["sumber_target"] for row in rows} == {"perkiraan"}
