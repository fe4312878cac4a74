"""Known events: whom they cover, and that no silence goes without a reason, an owner and an end."""

from datetime import date
from pathlib import Path

import pytest

from regsosek.errors import ReferenceDataError
from regsosek.geography.known_events import known_events

KINDS = ("NO_DATA", "BEHIND")
HEADER = "id,region,kinds,opens,closes,reason,owner,source\n"
FLOOD = "banjir-1,3374,NO_DATA BEHIND,2022-10-21,2022-10-28,banjir,BPS Jateng,surat\n"


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "events.csv"
    path.write_text(HEADER + text, encoding="utf-8")
    return path


def test_an_event_covers_its_region_and_what_lies_in_it(tmp_path: Path) -> None:
    text = FLOOD + FLOOD.replace("banjir-1,3374", "raya,*") + FLOOD.replace("banjir-1,3374", "hari-bali,51")
    flood, everywhere, bali = known_events(written(tmp_path, text), KINDS)
    assert (flood.covers("33", "3374"), flood.covers("33", "3301"), flood.covers("33", "")) == (True, False, False)
    assert everywhere.covers("11", "")
    assert (bali.covers("51", ""), bali.covers("51", "5171"), bali.covers("52", "")) == (True, True, False)
    assert (flood.kinds, flood.opens, flood.closes) == ({"NO_DATA", "BEHIND"}, date(2022, 10, 21), date(2022, 10, 28))
    assert known_events(None, KINDS) == ()


@pytest.mark.parametrize(
    ("old", "new", "named"),
    [
        ("banjir,BPS", ",BPS", "fill reason"),
        ("BPS Jateng", "", "fill owner"),
        ("2022-10-28", "", "fill closes"),
        ("2022-10-28", "2022-10-20", "closes before it opens"),
        ("2022-10-28", "2022-12-23", "more than 62 days"),
        ("2022-10-28", "28 Oktober", "YYYY-MM-DD"),
        ("3374", "3399", "no such region: 3399"),
        ("BEHIND", "LATE", "no such kinds: LATE"),
        ("surat\n", "surat\n" + FLOOD, "banjir-1 stand twice"),
    ],
)
def test_a_faulty_event_is_named_with_its_fix(tmp_path: Path, old: str, new: str, named: str) -> None:
    with pytest.raises(ReferenceDataError, match=named):
        known_events(written(tmp_path, FLOOD.replace(old, new, 1)), KINDS)
