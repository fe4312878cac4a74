"""Great Expectations on our DuckDB: right counts part after part, and no verdict that could be mistaken for another."""

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import duckdb
import pytest

from regsosek.contract.codebook import DATASETS
from regsosek.contract.instruments import first_version
from regsosek.errors import ParityError
from regsosek.quality.engine import RESULT_FORMAT, Validator
from regsosek.quality.reasons import explain
from regsosek.quality.rules import Rule, Suite
from regsosek.quality.verdict import Judge, check_parity
from regsosek.staging.engine import open_engine
from support.checks.matrix import FULL
from support.deliveries.families import anggota_row, keluarga_row, reference_tables, stage_rows

NIK = "6403015202840001"


def rule(rule_id: str, type_: str = "expect_no_rows_where", **kwargs: object) -> Rule:
    return Rule(rule_id, "keluarga", "critical", type_, kwargs, "TRUE", "test", "teks", "text")


def suites_of(*rules: Rule) -> dict[str, Suite]:
    return {"keluarga": Suite("keluarga", rules), "anggota": Suite("anggota", ())}


SMALL = rule("SMALL", condition="r302_luas_lantai < 10")
KNOWN = rule("KNOWN", "expect_column_values_to_be_in_set", column="r303_lantai", value_set=[1, 2])
BROKEN = rule("BROKEN", condition="no_such_column = 1")


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    with open_engine(tmp_path, memory_limit="300MB", threads=1) as connection:
        reference_tables(connection)
        yield connection


def stage_floors(connection: duckdb.DuckDBPyConnection, directory: Path, *areas: str) -> None:
    families = [
        keluarga_row(id_dokumen=f"D{n}", r110_no_keluarga=str(n), r302_luas_lantai=area)
        for n, area in enumerate(areas, start=1)
    ]
    stage_rows(connection, directory, families, [])


def test_counts_are_those_of_the_part_that_lies_there_now(connection, tmp_path: Path) -> None:
    judge = Judge(connection, suites_of(SMALL, KNOWN), first_version())
    counted = []
    for areas in (("5", "6", "48"), ("48",), ("1", "48")):
        stage_floors(connection, tmp_path, *areas)
        counted.append([count.violations for count in judge.judge()])
    assert counted == [[2, 0], [0, 0], [1, 0]]


def test_the_whole_case_takes_its_worst_answer(connection, tmp_path: Path, suites: dict[str, Suite]) -> None:
    keys = [{"id_dokumen": f"D{n}", "r110_no_keluarga": str(n)} for n in range(3)]
    families = [keluarga_row(**key) for key in keys]
    members = [anggota_row(n, **key) for key in keys for n in (1, 2)]
    members[1] |= {"r427_gizi": "1"}
    families[2]["r112_jumlah_anggota"] = "5"
    stage_rows(connection, tmp_path, families, members)
    few = {
        dataset: replace(suite, rules=tuple(r for r in suite.rules if r.id in {"P17", "F05", "P01"}))
        for dataset, suite in suites.items()
    }
    Judge(connection, few, first_version()).judge()
    assert connection.execute("SELECT status FROM verdict ORDER BY keluarga_row").fetchall() == [
        ("error",),
        ("clean",),
        ("warning",),
    ]


def test_a_rule_that_raises_is_not_evaluated_rather_than_passed(connection, tmp_path: Path) -> None:
    stage_floors(connection, tmp_path, "48")
    assert Validator(connection, "keluarga", [KNOWN, BROKEN]).counts()["BROKEN"] is None


def test_the_compiled_pass_names_the_rule_that_raises_and_quotes_nothing(connection, tmp_path: Path) -> None:
    stage_floors(connection, tmp_path, "5")
    with pytest.raises(ParityError) as raised:
        Judge(connection, suites_of(SMALL, BROKEN), first_version()).judge()
    assert str(raised.value) == "reasons of keluarga not computed (BinderException): not evaluated: BROKEN"


def test_a_rule_that_fails_on_the_values_alone_is_named_too(connection, tmp_path: Path) -> None:
    stage_floors(connection, tmp_path, "5")
    casting = rule("CASTING", condition=f"CAST(id_dokumen || '{NIK}' AS INTEGER) > 1")
    with pytest.raises(ParityError, match="not evaluated: CASTING") as raised:
        explain(connection, "keluarga", [SMALL, casting])
    assert NIK not in str(raised.value)


@pytest.mark.parametrize(
    ("verdicts", "said"),
    [
        ({"H01": None}, "H01: not evaluated"),
        ({}, "H01: not evaluated"),
        ({"H01": 2}, "H01: Great Expectations 2, SQL 3"),
    ],
)
def test_a_verdict_that_is_missing_or_differs_stops(verdicts: dict[str, int | None], said: str) -> None:
    with pytest.raises(ParityError, match=said):
        check_parity(verdicts | {"H02": 0}, {"H01": 3, "H02": 0})


def test_equal_counts_pass() -> None:
    check_parity({"H01": 3, "H02": 0}, {"H01": 3, "H02": 0})


def test_a_compiler_that_counts_otherwise_is_found_out(connection, tmp_path: Path, monkeypatch) -> None:
    stage_floors(connection, tmp_path, "5", "48")
    other = replace(SMALL, kwargs={"condition": "r302_luas_lantai < 100"})
    monkeypatch.setattr(
        "regsosek.quality.verdict.explain", lambda connection, dataset, rules: explain(connection, dataset, [other])
    )
    with pytest.raises(ParityError, match="SMALL: Great Expectations 1, SQL 2"):
        Judge(connection, suites_of(SMALL), first_version()).judge()


def test_results_hold_counts_and_no_value(connection, tmp_path: Path, suites: dict[str, Suite], caplog) -> None:
    member = anggota_row(1, r403_nik=NIK + "9", r402_nama=NIK, r405_jenis_kelamin=NIK, r407_umur="131")
    stage_rows(connection, tmp_path, [keluarga_row(r114_no_kk=NIK + "9", r302_luas_lantai="998")], [member])
    names = {"P03", "F06-114", "T-405", "H02", "R-407"}
    for dataset in DATASETS:
        chosen = [r for r in suites[dataset].rules if r.id in names]
        validator = Validator(connection, dataset, chosen)
        document = json.dumps(validator._definition.run(result_format=RESULT_FORMAT).to_json_dict())
        assert [r.id for r in chosen if validator.counts()[r.id] != 1] == []
        assert NIK not in document
        assert '"unexpected_count": 1' in document
        assert '"unexpected_rows"' not in document
    assert NIK not in caplog.text


@FULL
def test_its_import_writes_nothing_into_a_verbose_log() -> None:
    verbose = "import logging; logging.basicConfig(level=logging.INFO); import regsosek.release.audit.published_rules"
    told = subprocess.run([sys.executable, "-c", verbose], capture_output=True, text=True, check=True)
    assert told.stderr == ""
