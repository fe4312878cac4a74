"""Kinds whose cells were mangled by spreadsheets, or hold what an attacker would write."""

from hostile.draft import Draft, hostile

FULL_WIDTH = {ord("0") + n: 0xFF10 + n for n in range(10)}


@hostile
def leading_zeros_lost(draft: Draft) -> None:
    draft.change(r102_kabkota="3")


@hostile
def family_key_as_power_of_ten(draft: Draft) -> None:
    draft.change(id_subsls="6.40301E+15")


@hostile
def family_card_as_power_of_ten(draft: Draft) -> None:
    draft.change(r114_no_kk="1.6E+15")


@hostile
def apostrophe(draft: Draft) -> None:
    draft.change(r102_kabkota="'03", r103_kecamatan="'010")


@hostile
def apostrophe_before_nothing_certain(draft: Draft) -> None:
    draft.change(r102_kabkota="'tiga")


@hostile
def formula_around_a_code(draft: Draft) -> None:
    draft.change(r102_kabkota='="03"')


@hostile
def date_day_first(draft: Draft) -> None:
    draft.change(r201_tanggal_pencacahan="20/10/2022")


@hostile
def date_month_first(draft: Draft) -> None:
    draft.change("anggota", r406_tanggal_lahir="2/3/84")


@hostile
def date_as_spreadsheet_number(draft: Draft) -> None:
    draft.change(r201_tanggal_pencacahan="44854")


@hostile
def date_that_does_not_exist(draft: Draft) -> None:
    draft.change(r201_tanggal_pencacahan="2022-02-30")


@hostile
def date_in_the_future(draft: Draft) -> None:
    draft.change(r201_tanggal_pencacahan="2022-11-05")


@hostile
def date_with_clock(draft: Draft) -> None:
    draft.change(r201_tanggal_pencacahan="2022-10-20 00:00:00")


@hostile
def instant_without_offset(draft: Draft) -> None:
    draft.change(waktu_sinkron="2022-10-20T19:00:00")


@hostile
def decimal_comma(draft: Draft) -> None:
    draft.change(lintang="-1,2468")


@hostile
def number_with_unit(draft: Draft) -> None:
    draft.change(r302_luas_lantai="48 m2")


@hostile
def thousands_point(draft: Draft) -> None:
    draft.change(r302_luas_lantai="1.048")


@hostile
def number_of_forty_digits(draft: Draft) -> None:
    draft.change(r302_luas_lantai="9" * 40)


@hostile
def number_negative(draft: Draft) -> None:
    draft.change(r302_luas_lantai="-48")


@hostile
def not_a_number(draft: Draft) -> None:
    draft.change(lintang="NaN")


@hostile
def null_as_word(draft: Draft) -> None:
    draft.change(r303_lantai="NULL")


@hostile
def full_width_digits(draft: Draft) -> None:
    draft.change(r302_luas_lantai="48".translate(FULL_WIDTH))


@hostile
def arabic_digits(draft: Draft) -> None:
    draft.change("anggota", r407_umur="٠٣٨")


@hostile
def no_break_spaces(draft: Draft) -> None:
    draft.change(r302_luas_lantai="\u00a048\u00a0")


@hostile
def zero_width_space(draft: Draft) -> None:
    draft.change(r102_kabkota="03\u200b")


@hostile
def blanks_around(draft: Draft) -> None:
    draft.change(r302_luas_lantai="  48 ", r102_kabkota=" 03 ")


@hostile
def code_outside_of_its_list(draft: Draft) -> None:
    draft.change(r303_lantai="77")


@hostile
def document_is_a_nik(draft: Draft) -> None:
    household, members = draft.parts[0][0]
    for row in (household, *members):
        row["id_dokumen"] = "9171030302840001"
    draft.pack()


@hostile
def document_with_path(draft: Draft) -> None:
    household, members = draft.parts[0][0]
    for row in (household, *members):
        row["id_dokumen"] = "../../etc/passwd"
    draft.pack()


@hostile
def text_too_long(draft: Draft) -> None:
    draft.change(r107_alamat="JALAN TERTUTUP " * 100)


@hostile
def sql_in_texts(draft: Draft) -> None:
    draft.change(r106_nama_sls="RT'); DROP TABLE core.kasus; --", r108_nama_kepala="\\copy x from program 'id'")


@hostile
def template_in_texts(draft: Draft) -> None:
    draft.change(r106_nama_sls="{{ 7 * 7 }} ${jndi:ldap://x} {% for %} %s %(x)s", r600_catatan="{0.__class__}")


@hostile
def formula_in_texts(draft: Draft) -> None:
    draft.change(
        r106_nama_sls="=HYPERLINK(1)", r107_alamat="+SUM(A1)", r108_nama_kepala="@SUM(A1)", r600_catatan="-1+2"
    )


@hostile
def html_in_texts(draft: Draft) -> None:
    draft.change(r106_nama_sls="<script>alert(1)</script>", r600_catatan="</td><img src=x onerror=alert(1)>")


@hostile
def escapes_in_texts(draft: Draft) -> None:
    draft.change(r106_nama_sls="\\N \\. \\x41 \\", r107_alamat="\\.", r600_catatan="\x1b[31m\x07\x7f")


@hostile
def right_to_left_marks(draft: Draft) -> None:
    draft.change(r106_nama_sls="\u202eTR\u202c \u2066x\u2069")


@hostile
def emoji_and_rare_letters(draft: Draft) -> None:
    draft.change(r106_nama_sls="RT 👨\u200d👩\u200d👧 𐀀 ꦗꦮ")


@hostile
def heap_of_accents(draft: Draft) -> None:
    draft.change(r106_nama_sls="R" + "\u0301" * 60)
