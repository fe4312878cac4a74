"""One definition of each figure: complete, consistent, and the one that computes, publishes and explains."""

from pathlib import Path

import pandas as pd
import pytest

from regsosek.errors import ConfigurationError
from regsosek.geography.regions import LEVELS
from regsosek.settings import PROJECT_ROOT
from regsosek.statistics.definitions.definitions import definitions, needed_beside, public_fields, read_definitions
from regsosek.statistics.definitions.shares import with_shares
from regsosek.statistics.glossary import PAGE, documents

HEADER = (
    "field,column,unit,numerator,denominator,version,coverage,made_of,lowest_level,"
    "name_id,definition_id,name_en,definition_en"
)


@pytest.mark.parametrize("field", [each.field for each in definitions().values()])
def test_every_figure_is_told_in_both_languages_with_its_unit(field: str) -> None:
    each = definitions()[field]
    assert all((each.column, each.unit, each.name.id, each.definition.id, each.name.en, each.definition.en))


# Percentages that divide nothing: positions in a plan, a distribution or a constant coverage.
NO_SHARES = {
    "plan_percent", "target_coverage", "frame_coverage", "registry_coverage", "sls_target_coverage",
    "plan_base_coverage", "first_quartile", "median", "third_quartile",
}  # fmt: skip


def test_every_percentage_names_what_it_divides() -> None:
    percents = {each.field for each in definitions().values() if each.unit == "persen"}
    assert {field for field in percents if not definitions()[field].is_share} == NO_SHARES


def test_every_denominator_names_version_and_coverage() -> None:
    """But for counts of the very thing: visited, received, judged, parts, tags, officers' days (their source stands
    beside); of sub-SLS the version stands beside."""
    of = {definitions()[each.denominator].field for each in definitions().values() if each.is_share}
    assert {field for field in of if not (definitions()[field].version and definitions()[field].coverage)} == {
        "visited", "received", "subsls_frame", "children", "children_judged", "officer_days", "tags_poor",
        "judged", "judged_tonight",
    }  # fmt: skip


@pytest.mark.parametrize("share", [each for each in definitions().values() if each.is_share], ids=lambda s: s.field)
def test_wherever_a_share_is_public_its_parts_are_public(share: object) -> None:
    assert all(
        definitions()[field].public_at(share.lowest_level)  # type: ignore[attr-defined]  # parametrized by a definition
        for field in needed_beside(share)  # type: ignore[arg-type]  # as above
    )


NONRESPONSE = {"complete", "incomplete", "no_respondent", "refused", "moved", "nonresponse", "nonresponse_of_visited",
               "quarantined", "pending", "persons", "verified_families"}  # fmt: skip


@pytest.mark.parametrize("level", ["kecamatan", "desa"])
def test_below_kabkota_no_result_is_public(level: str) -> None:
    assert not NONRESPONSE & set(public_fields(tuple(definitions()), level))  # type: ignore[arg-type]  # a level


def test_a_share_is_computed_as_defined_never_cut_off_and_missing_without_a_denominator() -> None:
    frame = pd.DataFrame(
        {"visited": [90, 130, 5, 5, 0], "target_families": pd.Series([100, 100, 0, None, 7], dtype="Int64")}
    )
    shares = with_shares(frame, ["visited_of_target"])["visited_of_target"]
    assert shares.isna().tolist() == [False, False, True, True, False]
    assert shares.dropna().tolist() == [90.0, 130.0, 0.0]


def test_a_ratio_that_is_no_percentage_is_not_multiplied() -> None:
    frame = pd.DataFrame({"days_late": [30], "received": [20]})
    assert with_shares(frame, ["mean_days_late"])["mean_days_late"].tolist() == [1.5]


def test_the_glossary_tells_every_figure_and_is_not_stale() -> None:
    [page] = documents(PROJECT_ROOT).values()
    assert all(f"`{each.column}`" in page and each.definition.en in page for each in definitions().values())
    assert (PROJECT_ROOT / PAGE).read_text(encoding="utf-8") == page


def written(path: Path, *lines: str) -> Path:
    file = path / "definitions.csv"
    file.write_text("\n".join([HEADER, *lines]))
    return file


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        (["a,kol_a,keluarga,,,,,,kelurahan,n,d,n,d"], f"lowest_level must be one of {', '.join(LEVELS)}"),
        (["a,k,keluarga,,,,,,desa,n,d,n,d", "b,k,keluarga,,,,,,desa,n,d,n,d"], "column k stands twice"),
        (["a,k,persen,b,,,,,desa,n,d,n,d"], "a needs both numerator and denominator"),
        (["a,k,persen,b,c,,,,desa,n,d,n,d"], "a names b, which is not defined; a names c"),
        (["a,k,keluarga,,,v,,,desa,n,d,n,d"], "a names v, which is not defined"),
        (["a,k,keluarga,,,,,b @cases,desa,n,d,n,d"], "a names b, which is not defined"),
    ],
)
def test_faulty_definitions_are_told(tmp_path: Path, lines: list[str], told: str) -> None:
    with pytest.raises(ConfigurationError, match=told):
        read_definitions(written(tmp_path, *lines))
