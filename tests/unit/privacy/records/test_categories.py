"""Every variable of the codebook is of one category, and what the law calls specific is marked."""

import re
from dataclasses import replace

import pytest

from regsosek.contract.codebook import ALL_DATASETS, all_variables
from regsosek.errors import ConfigurationError
from regsosek.privacy.records.categories import categories, categories_of, category_of, columns_of_roles, everything


def test_every_variable_is_of_one_category_and_every_category_has_some() -> None:
    found = {f"{d}.{v.name}": category_of(d, v).category for d in ALL_DATASETS for v in all_variables(d)}
    assert set(found.values()) == {each.category for each in categories()}
    taken = {
        name: [each.category for each in categories() if each.variables and re.fullmatch(each.variables, name)]
        for name in found
    }
    assert not {name: by for name, by in taken.items() if len(by) > 1}
    assert everything() == list(categories())


@pytest.mark.parametrize(("dataset", "also"), [("keluarga", ""), ("geotag", "contract/streams.csv")])
def test_a_variable_of_no_category_is_refused_with_the_file_that_wants_it(dataset: str, also: str) -> None:
    new = replace(all_variables(dataset)[0], name="warna_atap", pii="")
    with pytest.raises(ConfigurationError, match=f"{dataset}.warna_atap is of no category; .*categories.csv.*{also}"):
        category_of(dataset, new)
    assert category_of("progres", replace(new, name="jumlah_rumah")).category == "counts"


def test_health_and_finance_are_specific_and_what_an_analyst_reads_holds_no_health() -> None:
    assert [each.category for each in categories() if each.specific] == ["health", "finance"]
    read = {each.category for each in categories_of(("keluarga", "anggota"), columns_of_roles({"regsosek_analyst"}))}
    assert "finance" in read
    assert not read & {"health", "name", "identity", "address", "location", "phone", "note", "officer", "keys"}
    more = {each.category for each in categories_of(("anggota",), columns_of_roles({"regsosek_health"}))}
    assert more == {"health"}
