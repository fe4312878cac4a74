"""One office per province, with an address that mail can be sent to."""

from pathlib import Path

import pytest

from regsosek.errors import ReferenceDataError
from regsosek.geography.offices import Office, offices
from regsosek.geography.provinces import provinces


def offices_file(path: Path, province: str, row: str) -> Path:
    lines = [row if p.code == province else f"{p.code},BPS {p.name},prov@bps.example" for p in provinces()]
    file = path / "own.csv"
    file.write_text("\n".join(["province,name,email", *lines]))
    return file


def test_the_example_has_an_office_for_every_province_and_reaches_nobody() -> None:
    example = offices()
    assert list(example) == [p.code for p in provinces()]
    assert example["34"] == Office("34", "BPS Provinsi DI Yogyakarta", "prov34@bps.example")
    assert all(office.email.endswith(".example") for office in example.values())


def test_an_own_file_replaces_the_example(tmp_path: Path) -> None:
    file = offices_file(tmp_path, "11", "11,BPS Aceh,ipds.11+malam@aceh.bps.example")
    assert offices(file)["11"].email == "ipds.11+malam@aceh.bps.example"


@pytest.mark.parametrize(
    "email", ["", "x", "x@y", "a@b.c d", "a@b..c", "<a@b.c>", "a@b.c;d@e.f", "@b.c", '"a@b.c\nBcc: d@e.f"', "a@b.c@d.e"]
)
def test_a_malformed_address_is_named_by_its_province_alone(tmp_path: Path, email: str) -> None:
    with pytest.raises(ReferenceDataError, match="malformed offices of provinces 73;") as caught:
        offices(offices_file(tmp_path, "73", f"73,BPS,{email}"))
    assert not email or email not in str(caught.value).split("73;")[1].split()


def test_an_office_needs_a_name(tmp_path: Path) -> None:
    with pytest.raises(ReferenceDataError, match="73"):
        offices(offices_file(tmp_path, "73", "73, ,prov73@bps.example"))


def test_two_offices_of_one_province_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ReferenceDataError, match="missing: 73; named twice: 72"):
        offices(offices_file(tmp_path, "73", "72,BPS,prov72@bps.example"))
