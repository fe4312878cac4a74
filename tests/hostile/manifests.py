"""Kinds whose manifest is not what the contract describes."""

import codecs
import json
from typing import Any

from hostile.draft import SECRETS, Draft, hostile


def _inserted(draft: Draft, text: str) -> None:
    """Puts ``text`` before the first field of the manifest, where no JSON value could carry it."""
    draft.write_manifest(lambda manifest: f"{{{text}, ".encode() + json.dumps(manifest).encode()[1:])


def _replaced(draft: Draft, old: str, new: str) -> None:
    draft.write_manifest(lambda manifest: json.dumps(manifest).replace(old, new, 1).encode())


@hostile
def manifest_not_json(draft: Draft) -> None:
    draft.document = b"provinsi;64\r\nberkas;2\r\n"


@hostile
def manifest_empty(draft: Draft) -> None:
    draft.document = b""


@hostile
def manifest_cut_off(draft: Draft) -> None:
    draft.write_manifest(lambda manifest: json.dumps(manifest).encode()[:-20])


@hostile
def manifest_too_deep(draft: Draft) -> None:
    draft.document = b'{"a":' * 100_000 + b"1" + b"}" * 100_000


@hostile
def manifest_too_big(draft: Draft) -> None:
    draft.write_manifest(lambda manifest: json.dumps(manifest).encode() + b" " * (5 << 20))


@hostile
def manifest_of_too_many_files(draft: Draft) -> None:
    draft.manifest["files"] = [draft.entry("keluarga")] * 10_001


@hostile
def manifest_is_a_list(draft: Draft) -> None:
    draft.write_manifest(lambda manifest: json.dumps([manifest]).encode())


@hostile
def manifest_wrong_types(draft: Draft) -> None:
    draft.entry("keluarga")["rows"] = "3"


@hostile
def manifest_text_for_files(draft: Draft) -> None:
    draft.manifest["files"] = "keluarga-00001.csv.gz"


@hostile
def manifest_unknown_version(draft: Draft) -> None:
    draft.manifest["contract_version"] = "2"


@hostile
def instrument_unknown(draft: Draft) -> None:
    draft.manifest["instrument_version"] = "99"


@hostile
def manifest_unknown_field(draft: Draft) -> None:
    draft.manifest["operator"] = SECRETS[5]


@hostile
def manifest_field_named_by_a_secret(draft: Draft) -> None:
    draft.manifest[SECRETS[0] + "0001"] = SECRETS[2]


@hostile
def manifest_field_missing(draft: Draft) -> None:
    del draft.manifest["totals"]


@hostile
def manifest_key_twice(draft: Draft) -> None:
    _inserted(draft, '"province": "63"')


@hostile
def manifest_key_of_a_file_twice(draft: Draft) -> None:
    _replaced(draft, '"rows": 3', '"rows": 4, "rows": 3')


@hostile
def manifest_nan(draft: Draft) -> None:
    draft.entry("keluarga")["rows"] = float("nan")


@hostile
def manifest_huge_number(draft: Draft) -> None:
    draft.entry("keluarga")["rows"] = 10**400


@hostile
def manifest_fraction(draft: Draft) -> None:
    draft.entry("keluarga")["rows"] = 3.0


@hostile
def manifest_rows_negative(draft: Draft) -> None:
    draft.promise("keluarga", -3)


@hostile
def manifest_totals_negative(draft: Draft) -> None:
    draft.manifest["totals"]["keluarga"] = -3


@hostile
def manifest_totals_differ(draft: Draft) -> None:
    draft.manifest["totals"]["keluarga"] = 4


@hostile
def manifest_byte_order_mark(draft: Draft) -> None:
    draft.write_manifest(lambda manifest: codecs.BOM_UTF8 + json.dumps(manifest).encode())


@hostile
def manifest_utf16(draft: Draft) -> None:
    draft.write_manifest(lambda manifest: json.dumps(manifest).encode("utf-16"))


@hostile
def manifest_lone_surrogate(draft: Draft) -> None:
    draft.manifest["producer"] = "\ud800"


@hostile
def manifest_control_characters(draft: Draft) -> None:
    draft.manifest["producer"] = "uji\x1b[31m\n"


@hostile
def manifest_producer_is_html(draft: Draft) -> None:
    draft.manifest["producer"] = "<script>alert(1)</script> {{ 7 * 7 }} '; DROP TABLE ledger.delivery; --"


@hostile
def file_listed_twice(draft: Draft) -> None:
    again = dict(draft.entry("keluarga"))
    draft.manifest["files"].append(again)
    draft.manifest["totals"]["keluarga"] *= 2


@hostile
def dataset_unknown(draft: Draft) -> None:
    draft.entry("keluarga")["dataset"] = "rumah_tangga"


@hostile
def dataset_missing(draft: Draft) -> None:
    draft.manifest["files"] = [draft.entry("keluarga")]
    draft.manifest["totals"]["anggota"] = 0


@hostile
def part_of_zero(draft: Draft) -> None:
    _rename(draft, "keluarga-00000.csv.gz", part=0)


@hostile
def name_climbs_out(draft: Draft) -> None:
    _rename(draft, "../../prov=63/keluarga-00001.csv.gz")


@hostile
def name_absolute(draft: Draft) -> None:
    _rename(draft, "/etc/passwd")


@hostile
def name_with_look_alike(draft: Draft) -> None:
    _rename(draft, "keluаrga-00001.csv.gz")  # noqa: RUF001 (the Cyrillic letter is the point)


@hostile
def name_with_full_width_digits(draft: Draft) -> None:
    _rename(draft, "keluarga-0000１.csv.gz")  # noqa: RUF001 (the full-width digit is the point)


@hostile
def name_with_line_break(draft: Draft) -> None:
    _rename(draft, "keluarga-00001.csv.gz\n")


@hostile
def name_with_nul(draft: Draft) -> None:
    _rename(draft, "keluarga-00001.csv.gz\0.txt")


@hostile
def name_of_a_person(draft: Draft) -> None:
    _rename(draft, "SITI RAHASIA.csv.gz")


@hostile
def name_of_other_case(draft: Draft) -> None:
    _rename(draft, "Keluarga-00001.CSV.GZ")


@hostile
def hash_in_capitals(draft: Draft) -> None:
    draft.entry("keluarga")["sha256"] = draft.entry("keluarga")["sha256"].upper()


@hostile
def dates_swapped(draft: Draft) -> None:
    draft.manifest |= {"enumerated_from": "2022-10-21", "enumerated_to": "2022-10-15"}


@hostile
def produced_without_offset(draft: Draft) -> None:
    draft.manifest["produced_at"] = "2022-10-20T12:00:00"


@hostile
def produced_in_seconds_since_1970(draft: Draft) -> None:
    draft.manifest["produced_at"] = "1666268100"


@hostile
def produced_with_a_true_minus(draft: Draft) -> None:
    draft.manifest["produced_at"] = "2022-10-20T04:00:00\u221208:00"


@hostile
def produced_in_the_year_one(draft: Draft) -> None:
    draft.manifest["produced_at"] = "0001-01-01T00:00:00+14:00"


@hostile
def produced_in_the_future(draft: Draft) -> None:
    draft.manifest["produced_at"] = "2099-12-31T00:00:00+07:00"


@hostile
def wrong_province(draft: Draft) -> None:
    draft.manifest["province"] = "63"


@hostile
def province_with_zero(draft: Draft) -> None:
    draft.manifest["province"] = "064"


@hostile
def wrong_delivery_id(draft: Draft) -> None:
    draft.manifest["delivery_id"] = "0" * 26


@hostile
def manifest_changed_after_registration(draft: Draft) -> None:
    changed: dict[str, Any] = draft.manifest | {"totals": {"keluarga": 4, "anggota": 6}}
    draft.after_sealing = {"manifest.json": json.dumps(changed).encode()}


@hostile
def manifest_taken_away_after_registration(draft: Draft) -> None:
    draft.after_sealing = {"manifest.json": None}


@hostile
def manifest_changed_after_acceptance(draft: Draft) -> None:
    draft.after_night = {"manifest.json": b"something else"}


def _rename(draft: Draft, name: str, **more: Any) -> None:
    draft.entry("keluarga").update({"name": name} | more)
