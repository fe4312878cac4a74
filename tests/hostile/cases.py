"""Kinds whose deliveries, parts and cases do not fit each other or the place where they lie."""

from datetime import timedelta

from hostile.draft import NIGHT, SECRETS, Draft, clean, delivery_id, hostile, household


@hostile
def parts_misaligned(draft: Draft) -> None:
    (first, roster), second, third = draft.parts[0]
    draft.parts = [[(first, []), second], [(third[0], [*third[1], *roster])]]
    draft.pack()


@hostile
def member_without_readable_key(draft: Draft) -> None:
    _, members = draft.parts[0][0]
    members[1] |= {"id_dokumen": "#REF!", "id_subsls": "#REF!", "r109_no_bangunan": "#REF!"}
    draft.pack()


@hostile
def member_of_another_family(draft: Draft) -> None:
    _, members = draft.parts[0][0]
    members[1]["r110_no_keluarga"] = "002"
    draft.pack()


@hostile
def part_without_counterpart(draft: Draft) -> None:
    draft.parts.append([household(draft.number, 4)])
    draft.pack()
    draft.manifest["files"].pop()
    draft.manifest["totals"]["anggota"] -= 2


@hostile
def parts_with_gap(draft: Draft) -> None:
    draft.parts = [draft.parts[0][:1], [], draft.parts[0][1:]]
    draft.pack()
    draft.manifest["files"] = [each for each in draft.manifest["files"] if each["part"] != 2]
    draft.files = {each["name"]: draft.files[each["name"]] for each in draft.manifest["files"]}


@hostile
def second_part_broken(draft: Draft) -> None:
    draft.parts = [draft.parts[0][:2], draft.parts[0][2:]]
    draft.pack()
    draft.rewrite(lambda packed: packed[:-8] + bytes(8), "anggota", part=2)


@hostile
def two_deliveries_with_one_id(draft: Draft) -> None:
    first = clean(draft.number)
    first.day = NIGHT - timedelta(days=1)
    draft.earlier = [first]


@hostile
def delivered_twice(draft: Draft) -> None:
    first = clean(draft.number, later=-1)
    draft.earlier = [first]


@hostile
def supersedes_a_stranger(draft: Draft) -> None:
    draft.manifest["supersedes"] = ["01ARZ3NDEKTSV4RRFFQ69G5FAV"]


@hostile
def supersedes_itself(draft: Draft) -> None:
    draft.manifest["supersedes"] = [draft.delivery_id]


@hostile
def supersedes_each_other(draft: Draft) -> None:
    first = clean(draft.number, later=-1)
    first.manifest["supersedes"] = [draft.delivery_id]
    draft.manifest["supersedes"] = [first.delivery_id]
    draft.earlier = [first]


@hostile
def supersedes_a_rejected_one(draft: Draft) -> None:
    first = clean(draft.number, later=-1)
    first.document = b"no manifest"
    draft.earlier = [first]
    draft.manifest["supersedes"] = [first.delivery_id]


@hostile
def all_bad(draft: Draft) -> None:
    draft.parts = [[household(draft.number, place, r303_lantai="0") for place in range(1, 61)]]
    draft.pack()


@hostile
def all_bad_but_few(draft: Draft) -> None:
    for row, _ in draft.parts[0]:
        row["r303_lantai"] = "0"
    draft.pack()


@hostile
def every_cell_empty(draft: Draft) -> None:
    row, members = draft.parts[0][0]
    members.clear()
    draft.change(**dict.fromkeys(row, ""))


@hostile
def every_cell_unreadable(draft: Draft) -> None:
    row, members = draft.parts[0][0]
    members.clear()
    draft.change(**dict.fromkeys(row, "?"))


@hostile
def wrong_province_in_rows(draft: Draft) -> None:
    draft.change(r101_provinsi="63")


@hostile
def family_key_of_another_province(draft: Draft) -> None:
    row, members = draft.parts[0][0]
    for each in (row, *members):
        each["id_subsls"] = "6301010001000100"
    row |= {"r101_provinsi": "63", "r102_kabkota": "01", "r103_kecamatan": "010", "r104_desa": "001"}
    draft.pack()


@hostile
def family_key_is_a_nik(draft: Draft) -> None:
    row, members = draft.parts[0][0]
    for each in (row, *members):
        each["id_subsls"] = SECRETS[0] + "0001"
    draft.pack()


@hostile
def two_documents_on_one_key(draft: Draft) -> None:
    row, members = draft.parts[0][1]
    for each in (row, *members):
        each["r110_no_keluarga"] = "001"
    draft.pack()


@hostile
def document_twice(draft: Draft) -> None:
    row, members = draft.parts[0][1]
    for each in (row, *members):
        each["id_dokumen"] = draft.parts[0][0][0]["id_dokumen"]
    draft.pack()


@hostile
def revision_of_zero(draft: Draft) -> None:
    _revision(draft, "0")


@hostile
def revision_huge(draft: Draft) -> None:
    _revision(draft, "4294967297")


@hostile
def document_without_id(draft: Draft) -> None:
    row, members = draft.parts[0][0]
    for each in (row, *members):
        each["id_dokumen"] = ""
    draft.pack()


@hostile
def status_unknown(draft: Draft) -> None:
    draft.change(status_dokumen="5")


@hostile
def withdrawal_of_a_stranger(draft: Draft) -> None:
    draft.parts[0][0][1].clear()
    draft.change(status_dokumen="9")


@hostile
def family_of_999_members(draft: Draft) -> None:
    draft.parts[0][0] = household(draft.number, 1, members=999)
    draft.pack()


@hostile
def family_without_members(draft: Draft) -> None:
    draft.parts[0][0][1].clear()
    draft.pack()


@hostile
def folder_of_lower_case_id(draft: Draft) -> None:
    draft.folder = draft.prefix.replace(draft.delivery_id, draft.delivery_id.lower())


@hostile
def folder_of_no_id(draft: Draft) -> None:
    draft.folder = draft.prefix.replace(draft.delivery_id, "kiriman SITI RAHASIA")


@hostile
def folder_of_impossible_date(draft: Draft) -> None:
    draft.folder = draft.prefix.replace(str(NIGHT), "2022-02-30")


@hostile
def folder_of_other_date_order(draft: Draft) -> None:
    draft.folder = draft.prefix.replace(str(NIGHT), "21-10-2022")


@hostile
def folder_within_a_folder(draft: Draft) -> None:
    draft.folder = draft.prefix + "salinan/"


@hostile
def folder_of_tomorrow(draft: Draft) -> None:
    draft.day = NIGHT + timedelta(days=1)


@hostile
def folder_of_next_century(draft: Draft) -> None:
    draft.day = NIGHT.replace(year=NIGHT.year + 100)


@hostile
def folder_of_last_year(draft: Draft) -> None:
    draft.day = NIGHT.replace(year=2021)


@hostile
def folder_without_manifest(draft: Draft) -> None:
    draft.without_manifest = True


@hostile
def manifest_of_other_spelling(draft: Draft) -> None:
    draft.without_manifest = True
    draft.files["Manifest.JSON"] = draft.written_manifest()


@hostile
def manifest_alone(draft: Draft) -> None:
    draft.files.clear()


@hostile
def id_of_the_year_10889(draft: Draft) -> None:
    draft.delivery_id = "7" + "Z" * 25
    draft.pack()


@hostile
def stray_files_beside(draft: Draft) -> None:
    draft.strays = {draft.prefix + "catatan.xlsx": b"x", draft.prefix + "keluarga-00001.csv.gz.tmp": b"y"}


@hostile
def manifest_of_another_folder(draft: Draft) -> None:
    draft.delivery_id = delivery_id(draft.number, later=1)
    draft.folder = draft.prefix
    draft.delivery_id = delivery_id(draft.number)


def _revision(draft: Draft, revision: str) -> None:
    row, members = draft.parts[0][0]
    for each in (row, *members):
        each["versi"] = revision
    draft.pack()
