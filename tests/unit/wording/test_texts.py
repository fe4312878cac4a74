"""Texts in both languages: one shape of file and of columns, wherever they lie, and each said in both."""

import csv
from pathlib import Path

from regsosek.settings import PROJECT_ROOT
from regsosek.wording import Text
from regsosek.wording.texts import columns, read_texts, text_in

TABLES = sorted((PROJECT_ROOT / "include" / "regsosek").rglob("*.csv"))


def test_a_text_is_read_by_key_and_said_in_a_language(tmp_path: Path) -> None:
    file = tmp_path / "texts.csv"
    file.write_text('key,id,en\nhalo,"Halo, semua",Hello\n', encoding="utf-8")
    assert read_texts(file) == {"halo": Text("Halo, semua", "Hello")}
    assert [read_texts(file)["halo"].of(language) for language in ("id", "en")] == ["Halo, semua", "Hello"]
    assert text_in({"label_id": "a", "label_en": "b", "label": "c"}, "label") == Text("a", "b")
    assert columns("label", "meaning") == ("label_id", "label_en", "meaning_id", "meaning_en")


def test_every_table_names_the_language_of_each_text_and_says_it_in_both() -> None:
    assert {path.name: faults for path in TABLES if (faults := _faults(path))} == {}


def _faults(path: Path) -> list[str]:
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    names = list(rows[0]) if rows else []
    english = [name.removesuffix("en") for name in names if name == "en" or name.endswith("_en")]
    unnamed = [f"{name}en without {name}id" for name in english if f"{name}id" not in names]
    both = [name for name in english if f"{name}id" in names]
    return unnamed + [f"{row}" for row in rows for name in both if bool(row[f"{name}id"]) != bool(row[f"{name}en"])]
