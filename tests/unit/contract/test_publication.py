"""A published version of an instrument is fixed: what would change its form is refused, by name and with the fix."""

from collections.abc import Callable
from pathlib import Path
from unittest.mock import patch

import pytest

from regsosek import generated
from regsosek.contract.instruments import instruments
from regsosek.contract.publication import (
    PUBLISHED,
    fingerprints,
    publication_faults,
    publish,
    published_forms,
    published_text,
    unpublished,
)
from regsosek.errors import ConfigurationError
from regsosek.settings import PROJECT_ROOT
from support.deliveries.edited_codebook import (
    FIRST,
    SECOND,
    Line,
    codebook,
    lines,
    published,
    second_version,
    shipped,
    with_versions,
    written,
)

LATER = f"REGSOSEK22.K/{SECOND}"
Edit = Callable[[list[Line]], None]


def of(rows: list[Line], name: str) -> Line:
    return next(row for row in rows if row["name"] == name)


def added_without_since(rows: list[Line]) -> None:
    place = next(n for n, row in enumerate(rows) if row["name"] == "r301b_bukti_kepemilikan")
    rows.insert(place + 1, rows[place] | {"name": "r399_uji", "item": "399"})


def code_added(rows: list[Line]) -> None:
    rows.append({"codes": "daya", "code": "6", "label_id": "Uji", "label_en": "Test", "since": "", "until": ""})


def code_dropped(rows: list[Line]) -> None:
    rows.remove(next(row for row in rows if row["codes"] == "daya" and row["code"] == "5"))


def code_relabelled(rows: list[Line]) -> None:
    next(row for row in rows if row["codes"] == "ya_tidak" and row["code"] == "1")["label_id"] = "Tidak"


def first_two_swapped(rows: list[Line]) -> None:
    rows[0], rows[1] = rows[1], rows[0]


CHANGES: dict[str, tuple[str, Edit, str]] = {
    "a variable without since": ("variables.csv", added_without_since, "keluarga.r399_uji is not on it"),
    "a variable taken out": (
        "variables.csv",
        lambda rows: rows.remove(of(rows, "r505_internet")),
        "keluarga.r505_internet is missing",
    ),
    "a variable closed before": (
        "variables.csv",
        lambda rows: of(rows, "r505_internet").update(since=SECOND),
        "keluarga.r505_internet is missing",
    ),
    "a width": ("variables.csv", lambda rows: of(rows, "r302_luas_lantai").update(width="5"), "keluarga.r302_luas"),
    "a range": ("variables.csv", lambda rows: of(rows, "r407_umur").update(maximum="120"), "anggota.r407_umur was"),
    "a universe": ("variables.csv", lambda rows: of(rows, "r410_hamil").update(universe="TRUE"), "anggota.r410_hamil"),
    "a requirement": ("variables.csv", lambda rows: of(rows, "r403_nik").update(required="yes"), "anggota.r403_nik"),
    "a stream's column": ("variables.csv", lambda rows: of(rows, "ada_foto").update(required="no"), "geotag.ada_foto"),
    "an order": ("variables.csv", first_two_swapped, "columns keluarga was changed; put its lines back"),
    "a code more": ("codes.csv", code_added, "codes daya was changed"),
    "a code less": ("codes.csv", code_dropped, "codes daya was changed"),
    "a code's meaning": ("codes.csv", code_relabelled, "codes ya_tidak was changed"),
    "a block's universe": (
        "blocks.csv",
        lambda rows: next(row for row in rows if row["block"] == "III").update(required_when="TRUE"),
        "block keluarga.III was changed",
    ),
    "an instrument's datasets": ("instruments.csv", lambda rows: rows[0].update(datasets="keluarga"), "anggota"),
    "a day": ("instruments.csv", lambda rows: rows[0].update(known_since="2022-10-16"), "instrument was changed"),
}


def test_the_shipped_forms_are_published_as_they_stand() -> None:
    assert publication_faults(published_text()) == []
    assert unpublished(published_text()) == []
    assert set(published_forms(published_text())) == {(each.instrument, each.version) for each in instruments()}


@pytest.mark.parametrize("name", CHANGES)
def test_a_change_of_a_published_form_is_refused_by_name(name: str) -> None:
    file, edit, named = CHANGES[name]
    texts = with_versions(shipped(), SECOND)
    edited = lines(texts[file])
    edit(edited)
    with codebook({**texts, file: written(edited)}):
        assert any(named in fault for fault in publication_faults(published()))


def test_generate_refuses_before_it_writes_anything() -> None:
    """House rule F3: an item without `since` used to enter the printed form of version 1 unnoticed."""
    texts = with_versions(shipped(), SECOND)
    edited = lines(texts["variables.csv"])
    added_without_since(edited)
    with codebook({**texts, "variables.csv": written(edited)}), pytest.raises(ConfigurationError, match="`since`"):
        generated.stale_files()


def test_translations_and_judgements_are_not_printed() -> None:
    texts = shipped()
    edited = lines(texts["variables.csv"])
    of(edited, "r302_luas_lantai").update(label_en="Floor space", mark="UNCERTAIN", value_rule="H99")
    with codebook({**texts, "variables.csv": written(edited)}):
        assert publication_faults(published()) == []


def test_a_later_version_is_free_until_it_is_published() -> None:
    with codebook(second_version(shipped())):
        assert publication_faults(published()) == []
        assert unpublished(published()) == [LATER]
        text = publish(published(), LATER)
        assert text.startswith(published())
        assert unpublished(text) == []
        assert publication_faults(text) == []


def test_publishing_fixes_the_later_version_too() -> None:
    with codebook(second_version(shipped())):
        text = publish(published(), LATER)
    texts = second_version(shipped())
    edited = lines(texts["variables.csv"])
    of(edited, "r399_uji")["width"] = "2"
    with codebook({**texts, "variables.csv": written(edited)}):
        [fault] = publication_faults(text)
    assert fault.startswith(f"{LATER} is published and fixed: keluarga.r399_uji was changed")


def test_what_is_published_is_not_published_again() -> None:
    with pytest.raises(ConfigurationError, match="published already"):
        publish(published(), f"REGSOSEK22.K/{FIRST}")
    with pytest.raises(ConfigurationError, match="no version of"):
        publish(published(), "REGSOSEK22.K/9")


def test_nothing_is_published_over_a_changed_form() -> None:
    texts = second_version(shipped())
    edited = lines(texts["codes.csv"])
    code_relabelled(edited)
    with codebook({**texts, "codes.csv": written(edited)}), pytest.raises(ConfigurationError, match="ya_tidak"):
        publish(published(), LATER)


def test_a_published_version_stays_known() -> None:
    texts = shipped()
    edited = [line for line in lines(texts["instruments.csv"]) if line["datasets"] != "rekap_vk"]
    fixed = published()
    with codebook({**texts, "instruments.csv": written(edited)}):
        faults = publication_faults(fixed)
    assert faults == ["REGSOSEK22.REKAPVK/1 is published; put its line back into instruments.csv"]


def test_the_command_writes_the_file_once(tmp_path: Path) -> None:
    path = tmp_path / PUBLISHED
    path.parent.mkdir(parents=True)
    with codebook(second_version(shipped())), patch("regsosek.generated.published_text", published):
        assert generated.publish_version(LATER, tmp_path) == path
        [form] = [each for each in instruments() if each.version == SECOND]
        assert published_forms(path.read_text(encoding="utf-8"))["REGSOSEK22.K", SECOND] == fingerprints(form)
    assert (PROJECT_ROOT / PUBLISHED).read_text(encoding="utf-8") == published_text()
