"""Simulated answers without planted defects keep every rule of the catalogue and have plausible margins."""

import csv
from pathlib import Path

import duckdb
import pytest

from regsosek.contract.codebook import DATASETS, block, variable, variables
from regsosek.contract.instruments import first_version
from regsosek.errors import ConfigurationError
from regsosek.quality.rules import load_suites, violation
from regsosek.simulation.answers.projection import as_text
from regsosek.simulation.draws.margins import read_margins
from support.checks.matrix import FULL

pytestmark = FULL

_HERE = "r404_keberadaan IN (1, 5)"
# Rules of the catalogue that the suites do not hold yet: which rows of ``k`` or ``a`` break them.
with (Path(__file__).parent / "catalogue.csv").open(encoding="utf-8", newline="") as _file:
    BROKEN = {row["rule"]: (row["relation"], row["broken_when"]) for row in csv.DictReader(_file)}


def _count(connection: duckdb.DuckDBPyConnection, relation: str, condition: str) -> int:
    [(count,)] = connection.execute(f"SELECT count(*) FROM {relation} WHERE {condition}").fetchall()
    return int(count)


def _value(connection: duckdb.DuckDBPyConnection, expression: str, relation: str) -> float:
    [(value,)] = connection.execute(f"SELECT {expression} FROM {relation}").fetchall()
    return float(value)


@pytest.mark.parametrize("rule", BROKEN)
def test_rules_without_a_suite_are_kept(answers: duckdb.DuckDBPyConnection, rule: str) -> None:
    relation, condition = BROKEN[rule]
    assert _count(answers, relation, condition) == 0


@pytest.mark.parametrize("dataset", DATASETS)
def test_suites_find_nothing_but_new_and_retired_sub_sls(answers: duckdb.DuckDBPyConnection, dataset: str) -> None:
    suite = load_suites(Path(__file__).parents[3] / "expectations")[dataset]
    relation = {"keluarga": "k", "anggota": "a"}[dataset]
    broken = {rule.id for rule in suite.rules if _count(answers, relation, violation(rule))}
    assert broken <= {"G02", "G03"}


@pytest.mark.parametrize("dataset", DATASETS)
def test_universes_of_the_codebook_are_respected(answers: duckdb.DuckDBPyConnection, dataset: str) -> None:
    relation = {"keluarga": "k", "anggota": "a"}[dataset]
    for item in (item for item in variables(dataset, first_version()) if item.universe):
        asked = block(dataset, item.block, first_version())
        if item.required != "yes_outside_free":
            outside = f"({asked.applies_when}) AND NOT ({item.universe}) AND {item.name} IS NOT NULL"
            assert _count(answers, relation, outside) == 0, item.name
        if item.required != "no":
            missing = f"({asked.required_when}) AND ({item.universe}) AND {item.name} IS NULL"
            assert _count(answers, relation, missing) == 0, item.name
            assert _count(answers, relation, f"({asked.required_when}) AND ({item.universe})") > 0, item.name


def test_the_poor_live_differently(answers: duckdb.DuckDBPyConnection) -> None:
    share = "avg(({0})::INT) FILTER (r111_status_keluarga = 1) - avg(({0})::INT) FILTER (r111_status_keluarga = 3)"
    assert _value(answers, share.format("r303_lantai IN (5, 6, 7, 8)"), "k") > 0.3
    assert _value(answers, share.format("r501b_pkh = 1"), "k") > 0.3
    assert _value(answers, share.format("r502b_kulkas = 1"), "k") < -0.3


def test_an_incomplete_interview_lacks_answers_but_keeps_its_roster(answers: duckdb.DuckDBPyConnection) -> None:
    assert _count(answers, "k", "r205_hasil = 2 AND r506_rekening IS NULL") > 0
    assert _count(answers, "k", "r205_hasil = 2 AND r301a_status_bangunan IS NOT NULL") > 0
    assert _count(answers, "a", f"r205_hasil = 2 AND {_HERE} AND r407_umur IS NULL") == 0


@pytest.mark.parametrize(("degrees", "text"), [("5e-06", "0.000005"), ("-0.0", "0.000000"), ("141.25", "141.250000")])
def test_decimals_are_never_written_with_an_exponent(degrees: str, text: str) -> None:
    written = as_text(variable("keluarga", "lintang", first_version()), f"{degrees}::DOUBLE")
    assert duckdb.sql(f"SELECT {written}").fetchall() == [(text,)]


def test_a_margin_of_a_column_that_is_not_delivered_is_refused_with_the_fix() -> None:
    head = "dataset,column,building,kept,follows_welfare,poorest_to_richest,source\n"
    with pytest.raises(ConfigurationError, match=r"margins\.csv: keluarga.r599_uji is not in version 1.*take the line"):
        read_margins(head + "keluarga,r599_uji,,yes,0.6,1:10 2:90,own\n")
