"""Reasons of operators and names of systems: what is kept of them names nobody."""

import pytest

from regsosek.errors import DecisionError
from regsosek.warehouse.nights.reason import stated, system_name


@pytest.mark.parametrize(
    "reason",
    [
        "NIK 6472015505800078", "NIK 6472 0155 0580 0090", "hubungi 0812-7770-0991", "di 117.1534987", "lat -1.24680",
        "kirim \u202eulang", "a\x00b", "",
    ],
)  # fmt: skip
def test_a_reason_with_somebodys_number_or_an_unseen_character_is_refused(reason: str) -> None:
    with pytest.raises(DecisionError):
        stated(reason)


def test_a_reason_without_them_is_kept_on_one_line() -> None:
    assert stated(" salah\n ekspor, 3 dari 12 SLS ") == "salah ekspor, 3 dari 12 SLS"


@pytest.mark.parametrize(
    ("producer", "kept"),
    [
        ("SIREG 2.1.2022.10", "SIREG 2.1.2022.10"),
        ("uji 6472015505800078", "uji ***"),
        ("Bpk. Zakaria 081277700995", "*** ***"),
        ("Siti Aminah", "***"),
    ],
)
def test_the_name_of_a_system_names_no_person(producer: str, kept: str) -> None:
    assert system_name(producer) == kept
