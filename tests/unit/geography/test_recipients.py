"""Who is told: every province and the centre are heard, deputies lead somewhere, a fault names its row and the fix."""

from datetime import time
from pathlib import Path

import pytest

from regsosek.errors import ReferenceDataError
from regsosek.geography.provinces import provinces
from regsosek.geography.recipients import (
    CENTRE,
    COLUMNS,
    Channel,
    Quiet,
    Recipient,
    Role,
    addressed,
    by_language,
    recipients,
)

PLATFORM = "00,platform,email,tim@bps.example,,en,,"


def written(path: Path, *rows: str, without: str = "") -> Path:
    """A file in which every province but ``without`` has one office, the centre its team, then ``rows``."""
    offices = [f"{p.code},operasional,email,prov{p.code}@bps.example,,id,," for p in provinces() if p.code != without]
    file = path / "own.csv"
    file.write_text("\n".join([",".join(COLUMNS), PLATFORM, *offices, *rows]))
    return file


def test_the_example_has_an_office_for_every_province_and_reaches_nobody() -> None:
    example = recipients()
    assert {each.province for each in example} == {CENTRE, *(p.code for p in provinces())}
    assert addressed(example, "64", set(Role)) == (
        Recipient("64", Role.OPERATIONS, Channel.EMAIL, "prov64@bps.example", quiet=Quiet(time(21), time(6))),
    )
    assert all(each.address.endswith(".example") for each in example)


def test_roles_deputies_and_clocks_are_read(tmp_path: Path) -> None:
    known = recipients(
        written(
            tmp_path,
            "73,pimpinan,email,kepala73@bps.example,,id,20:00,07:30",
            "73,pimpinan,webhook,obrolan-73,kepala73@bps.example,id,,",
        )
    )
    office, head, deputy = addressed(known, "73", set(Role))
    assert (head.quiet, str(head.zone)) == (Quiet(time(20), time(7, 30)), "Asia/Makassar")
    assert (deputy.channel, deputy.backup_of) == (Channel.WEBHOOK, head.address)
    assert addressed(known, "73", {Role.OPERATIONS}) == (office,)
    assert str(addressed(known, CENTRE, {Role.PLATFORM})[0].zone) == "Asia/Jakarta"


def test_an_address_under_two_roles_is_told_once(tmp_path: Path) -> None:
    known = recipients(written(tmp_path, "73,pimpinan,email,prov73@bps.example,,id,,"))
    assert len(addressed(known, "73", {Role.OPERATIONS, Role.LEADERSHIP})) == 1


def test_a_deputy_reads_the_language_of_whom_he_stands_in_for(tmp_path: Path) -> None:
    known = recipients(
        written(
            tmp_path,
            "73,pimpinan,email,kepala73@bps.example,,id,,",
            "73,pimpinan,email,wakil73@bps.example,kepala73@bps.example,en,,",
            "73,pimpinan,webhook,obrolan-73,wakil73@bps.example,en,,",
            "73,pimpinan,email,tamu73@bps.example,,en,,",
        )
    )
    readers = by_language(addressed(known, "73", {Role.LEADERSHIP}))
    assert {language: [each.address for each in own] for language, own in readers.items()} == {
        "id": ["kepala73@bps.example", "wakil73@bps.example", "obrolan-73"], "en": ["tamu73@bps.example"],
    }  # fmt: skip


@pytest.mark.parametrize(
    "email", ["", "x", "x@y", "a@b.c d", "a@b..c", "<a@b.c>", "a@b.c;d@e.f", "@b.c", '"a@b.c\nBcc: d@e.f"', "a@b.c@d.e"]
)
def test_a_malformed_address_is_named_by_its_row_alone(tmp_path: Path, email: str) -> None:
    with pytest.raises(ReferenceDataError, match="data row 36: the address is none; write one plain") as caught:
        recipients(written(tmp_path, f"73,pimpinan,email,{email},,id,,"))
    assert not email or email not in str(caught.value).split("data row")[1].split()


@pytest.mark.parametrize(
    ("row", "told"),
    [
        ("99,pimpinan,email,a@b.cd,,id,,", "province must be a BPS code of the 2022 frame, or 00"),
        ("73,platform,email,a@b.cd,,id,,", "role must be operasional or pimpinan"),
        ("00,operasional,email,a@b.cd,,id,,", "role must be pusat or platform"),
        ("73,pimpinan,sms,a@b.cd,,id,,", "channel must be email or webhook"),
        ("73,pimpinan,email,a@b.cd,,jv,,", "language must be id or en"),
        ("73,pimpinan,webhook,json://host/token,,id,,", "no tag of the webhooks file"),
        ("73,pimpinan,email,a@b.cd,,id,21:00,", "quiet hours need quiet_from and quiet_until"),
        ("73,pimpinan,email,a@b.cd,,id,6:00,24:00", "quiet hours need"),
        ("73,pimpinan,email,a@b.cd,,id,06:00,06:00", "two different HH:MM"),
        ("73,pimpinan,email,a@b.cd,b@b.cd,id,,", "backup_of is no address of the same province and role"),
        ("73,pimpinan,email,a@b.cd,prov73@bps.example,id,,", "backup_of is no address of the same"),
        ("73,pimpinan,email,a@b.cd,a@b.cd,id,,", "leads back to itself"),
        ("73,operasional,email,prov73@bps.example,,id,,", "repeats row 28; remove one"),
    ],
)
def test_a_malformed_row_is_named_with_the_fix(tmp_path: Path, row: str, told: str) -> None:
    with pytest.raises(ReferenceDataError, match=told) as caught:
        recipients(written(tmp_path, row))
    assert "data row 36" in str(caught.value)
    assert "a@b.cd" not in str(caught.value)
    assert "token" not in str(caught.value)


def test_deputies_in_a_circle_are_named(tmp_path: Path) -> None:
    circle = ("73,pimpinan,email,a@b.cd,c@b.cd,id,,", "73,pimpinan,email,c@b.cd,a@b.cd,id,,")
    with pytest.raises(ReferenceDataError, match=r"data row 36: backup_of leads back .* data row 37: "):
        recipients(written(tmp_path, *circle))


def test_a_province_that_nobody_would_hear_from_is_named(tmp_path: Path) -> None:
    deputy_alone = "73,operasional,email,a@b.cd,a@b.cd,id,,"
    with pytest.raises(ReferenceDataError, match="province 73 has no operasional; add a row"):
        recipients(written(tmp_path, without="73"))
    with pytest.raises(ReferenceDataError, match="province 73 has no operasional; add a row"):
        recipients(written(tmp_path, deputy_alone, without="73"))


def test_critical_news_can_be_made_to_wait(tmp_path: Path) -> None:
    file = tmp_path / "own.csv"
    text = written(tmp_path).read_text().splitlines()
    file.write_text("\n".join([text[0] + ",critical", text[1] + ",at_once", *(f"{line},waits" for line in text[2:])]))
    platform, *offices = recipients(file)
    assert not platform.critical_waits
    assert all(each.critical_waits for each in offices)
