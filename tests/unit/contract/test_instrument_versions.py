"""Versions of the questionnaire side by side: what each of them has, and what all of them have together."""

import json
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from regsosek.contract.codebook import (
    DATASETS,
    all_variables,
    code_list,
    codebook_document,
    columns_of,
    variable,
    variable_lines,
    variables,
)
from regsosek.contract.codebook_check import codebook_faults
from regsosek.contract.instruments import QUESTIONNAIRE, Span, instrument_versions, instruments
from regsosek.contract.pages.documentation import (
    manifest_schema,
    regions,
)
from regsosek.errors import ConfigurationError
from regsosek.settings import PROJECT_ROOT
from support.checks.matrix import examples
from support.deliveries.edited_codebook import (
    ADDED,
    FIRST,
    NEW_CODE,
    REMOVED,
    SECOND,
    codebook,
    lines,
    second_version,
    shipped,
    with_versions,
    written,
)

LATER = ("2", "2a", "3")
Edit = Callable[[list[dict[str, str]]], None]


def names(dataset: str, version: str) -> list[str]:
    return [v.name for v in variables(dataset, version)]


@st.composite
def spans(draw: st.DrawFn, versions: tuple[str, ...]) -> tuple[str, str]:
    """Any ``since`` and ``until`` that some version lies between, empty ones among them."""
    first, last = sorted(draw(st.tuples(*[st.integers(0, len(versions) - 1)] * 2)))
    since = draw(st.sampled_from((versions[first], "") if first == 0 else (versions[first],)))
    until = draw(st.sampled_from((versions[last], "") if last == len(versions) - 1 else (versions[last],)))
    return since, until


@st.composite
def codebooks(draw: st.DrawFn) -> dict[str, str]:
    """The shipped variables, each in a span of its own among several versions."""
    texts = with_versions(shipped(), *LATER)
    edited = lines(texts["variables.csv"])
    for line in edited:
        line["since"], line["until"] = draw(spans((FIRST, *LATER)))
    return {**texts, "variables.csv": written(edited)}


@settings(max_examples=examples(25), deadline=None)
@given(codebooks())
def test_the_versions_together_have_all_variables_each_in_the_same_order(texts: dict[str, str]) -> None:
    with codebook(texts):
        for dataset in DATASETS:
            everything = [v.name for v in all_variables(dataset)]
            assert {name for version in instrument_versions() for name in names(dataset, version)} == set(everything)
            for version in instrument_versions():
                asked = set(names(dataset, version))
                assert names(dataset, version) == [name for name in everything if name in asked]


@settings(max_examples=examples(50))
@given(st.data())
def test_a_span_holds_one_run_of_versions(data: st.DataObject) -> None:
    with codebook(with_versions(shipped(), *LATER)):
        known = instrument_versions()
        since, until = data.draw(spans(known))
        inside = Span(since, until).versions
        assert inside[0] == (since or known[0])
        assert inside[-1] == (until or known[-1])
        assert list(inside) == [v for v in known if known.index(inside[0]) <= known.index(v) <= known.index(inside[-1])]
        assert Span(since, until).always == (inside == known)


@pytest.mark.parametrize(("since", "until"), [("4", ""), ("", "4"), ("3", "2")])
def test_a_span_that_no_version_lies_in_is_refused(since: str, until: str) -> None:
    with codebook(with_versions(shipped(), *LATER)), pytest.raises(ConfigurationError, match="the codebook"):
        Span(since, until)


def test_a_later_version_leaves_the_earlier_one_as_it_was() -> None:
    with codebook(shipped()):
        before = {dataset: names(dataset, FIRST) for dataset in DATASETS}
        document = codebook_document()
        power = [code.code for code in code_list("daya", FIRST)]
    with codebook(second_version(shipped())):
        assert {dataset: names(dataset, FIRST) for dataset in DATASETS} == before
        assert [code.code for code in code_list("daya", FIRST)] == power
        assert columns_of(codebook_document(), QUESTIONNAIRE, FIRST) == columns_of(document, QUESTIONNAIRE, FIRST)
        assert [code.code for code in code_list("daya", SECOND)] == [*power, int(NEW_CODE)]
        expected = [ADDED if name == REMOVED else name for name in before["keluarga"]]
        assert names("keluarga", SECOND) == expected
        assert names("anggota", SECOND) == before["anggota"]
        with pytest.raises(KeyError):
            variable("keluarga", REMOVED, SECOND)


def test_an_archived_codebook_without_versions_is_that_of_the_first() -> None:
    columns = [name for name in lines(shipped()["variables.csv"])[0] if name not in {"since", "until"}]
    old = [{name: line[name] for name in columns} for line in lines(shipped()["variables.csv"])]
    document = f"# variables.csv\n{written(old)}# codes.csv\ncodes,code\n# blocks.csv\n".encode()
    with codebook(second_version(shipped())):
        assert columns_of(document, QUESTIONNAIRE, FIRST) == columns_of(codebook_document(), QUESTIONNAIRE, FIRST)
        assert columns_of(document, QUESTIONNAIRE, SECOND) != columns_of(codebook_document(), QUESTIONNAIRE, SECOND)


def test_a_changed_form_stands_once_in_the_union_and_as_it_was_in_each_version() -> None:
    texts = with_versions(shipped(), SECOND)
    edited = lines(texts["variables.csv"])
    place = next(n for n, line in enumerate(edited) if line["name"] == "r302_luas_lantai")
    edited.insert(place + 1, edited[place] | {"maximum": "900", "since": SECOND})
    edited[place]["until"] = FIRST
    with codebook({**texts, "variables.csv": written(edited)}):
        assert codebook_faults() == []
        assert [variable("keluarga", "r302_luas_lantai", v).maximum for v in (FIRST, SECOND)] == [997, 900]
        assert [v.maximum for v in all_variables("keluarga") if v.name == "r302_luas_lantai"] == [900]
        assert len(variable_lines("keluarga")) == len(all_variables("keluarga")) + 1


def twice(edited: list[dict[str, str]]) -> None:
    edited.insert(0, dict(edited[0]))


def apart(edited: list[dict[str, str]]) -> None:
    edited.append(edited[0] | {"since": SECOND})
    edited[0]["until"] = FIRST


def backwards(edited: list[dict[str, str]]) -> None:
    edited.insert(0, edited[0] | {"since": SECOND})
    edited[1]["until"] = FIRST


def retyped(edited: list[dict[str, str]]) -> None:
    edited.insert(1, edited[0] | {"since": SECOND, "type": "text"})
    edited[0]["until"] = FIRST


def without_codes(edited: list[dict[str, str]]) -> None:
    for line in edited:
        line["until"] = FIRST if line["codes"] == "daya" else ""


@pytest.mark.parametrize(
    ("file", "edit", "said"),
    [
        ("variables.csv", twice, "id_dokumen: version 1 has it 2 times"),
        ("variables.csv", apart, "id_dokumen: its lines lie apart"),
        ("variables.csv", backwards, "id_dokumen: its lines are not in the order of their versions"),
        ("variables.csv", retyped, "id_dokumen: type or class changes"),
        ("codes.csv", twice, "status_dokumen: version 1 has code 1 2 times"),
        ("codes.csv", without_codes, "daya: version 2 uses it and has no code"),
        ("blocks.csv", twice, "block 0: version 1 has 2 lines"),
    ],
)
def test_a_codebook_that_contradicts_itself_is_told_so(file: str, edit: Edit, said: str) -> None:
    texts = with_versions(shipped(), SECOND)
    edited = lines(texts[file])
    edit(edited)
    with codebook({**texts, file: written(edited)}):
        assert any(said in fault for fault in codebook_faults())


def test_two_forms_need_two_versions() -> None:
    with codebook(with_versions(shipped(), FIRST)), pytest.raises(ConfigurationError, match="twice"):
        instrument_versions()


def test_the_documents_mark_what_differs_and_only_that() -> None:
    told = regions(PROJECT_ROOT)
    with codebook(shipped()):
        assert "version" not in told["keluarga"]() + told["codes"]()
    with codebook(second_version(shipped())):
        table = told["keluarga"]()
        marked = [line for line in table.splitlines() if "**from version 2**" in line or "**until version 1**" in line]
        assert ["r399_uji" in line or "r301b" in line for line in marked] == [True, True]
        assert told["codes"]().count("**from version 2**") == 1
        assert told["instruments"]().count("`REGSOSEK22.K`") == 2


def test_the_schema_names_the_known_versions() -> None:
    known = sorted({each.version for each in instruments()})
    assert json.loads(manifest_schema())["properties"]["instrument_version"]["enum"] == known
