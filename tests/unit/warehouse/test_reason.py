"""What may stand in the journals as the reason of a decision."""

import pytest

from regsosek.errors import DecisionError
from regsosek.warehouse.nights.reason import stated


def test_a_reason_stands_on_one_line() -> None:
    assert stated(" rumah\tkosong,\n diperiksa  ulang ") == "rumah kosong, diperiksa ulang"


@pytest.mark.parametrize("sign", ["\0", "\x1b", "\x9b", "\u202e", "\u2066", "\u200b", "\ufeff", "\ud800"])
def test_signs_that_nobody_sees_are_refused(sign: str) -> None:
    with pytest.raises(DecisionError, match="nobody sees"):
        stated(f"diperiksa{sign} ulang")
