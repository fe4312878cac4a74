"""The site: whole without JavaScript or network, small, escaped, the same in both languages, honest about gaps."""

import csv
import io
import json
import re
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise
from posixpath import dirname, join, normpath

import pandas as pd
import pytest

from regsosek.contract.reasons import rejection_reasons
from regsosek.geography.plan import PlanCurve
from regsosek.geography.provinces import provinces
from regsosek.geography.regions import Level
from regsosek.minisign import SIGNATURE_SUFFIX
from regsosek.release.build import build
from regsosek.release.files.tables import REGION_TABLES
from regsosek.release.lifecycle.manifest import MANIFEST
from regsosek.release.site.atlas import Atlas, plain
from regsosek.release.site.pages import site
from regsosek.release.site.policy import POLICY
from regsosek.statistics.definitions.definitions import definitions
from support.checks.matrix import FULL
from support.checks.site_outline import Outline
from support.figures import made_up

FIRST_VIEW = 200_000
HOSTILE = '<script>alert("1")</script>&{name}'
KINDS = ("index.html", "provinsi/11.html", "kabkota/1101.html")


@pytest.fixture(scope="module")
def files() -> dict[str, bytes]:
    return made_up.built()


def pages(files: dict[str, bytes]) -> dict[str, str]:
    return {name: content.decode() for name, content in files.items() if name.endswith(".html")}


def both(name: str) -> tuple[str, str]:
    return name, f"en/{name}"


@pytest.fixture(scope="module")
def outlines(files: dict[str, bytes]) -> dict[str, Outline]:
    return {name: Outline(files[name].decode()) for kind in KINDS for name in both(kind)}


def linked(name: str, outline: Outline) -> set[str]:
    """What a page leads to or loads, as names of the release."""
    addresses = [str(each[key]) for _, each in outline.tags for key in ("href", "src") if each.get(key)]
    own = [each.split("#")[0] for each in addresses if not each.startswith(("#", "data:,"))]
    return {normpath(join(dirname(name), each)) for each in own if each}


def test_there_is_a_page_for_nation_province_and_kabkota_in_both_languages(files: dict[str, bytes]) -> None:
    assert len(pages(files)) == 2 * (1 + 34 + 34)
    for kind in KINDS:
        assert {
            '<html lang="id"' in files[both(kind)[0]].decode(),
            '<html lang="en"' in files[both(kind)[1]].decode(),
        } == {True}


@FULL
def test_a_kabkota_that_nobody_knows_of_has_no_page() -> None:
    tree = made_up.completion()
    unknown = tree["code"].str.startswith("12") & (tree["level"] != "provinsi")
    tree.loc[unknown, ["frame_families", "visited"]] = 0
    figures = replace(made_up.figures(), completion=made_up.region_rows(tree, made_up.NIGHT))
    names = set(site(figures))
    assert "kabkota/1201.html" not in names
    assert "kabkota/1301.html" in names
    assert "provinsi/12.html" in names


def test_what_loads_before_anybody_touches_it_is_small(files: dict[str, bytes], outlines: dict[str, Outline]) -> None:
    for name in both("index.html"):
        page = outlines[name]
        loaded = [each["src"] for tag in ("script", "img") for each in page.named(tag) if each.get("src")]
        loaded += [each["href"] for each in page.named("link") if each["rel"] == "stylesheet"]
        names = {normpath(join(dirname(name), str(each))) for each in loaded}
        assert any(each.endswith(".css") for each in names)
        assert len(files[name]) + sum(len(files[each]) for each in names) < FIRST_VIEW


@FULL
def test_late_in_a_campaign_the_first_view_is_small_too() -> None:
    figures = made_up.figures()
    calendar = figures.calendar[figures.calendar["night"] == made_up.NIGHT]
    nights = [calendar.assign(night=made_up.NIGHT - timedelta(days=ago)) for ago in range(31)]
    written = site(replace(figures, calendar=pd.concat(nights)))
    own = [len(written[name]) for name in written if re.match(r"aset/situs|grafik/00-.*\.id\.svg", name)]
    # Of a real release restated days and rules take more room than of this one: 28 kB are left for them.
    assert len(written["index.html"]) + sum(own) < FIRST_VIEW - 28_000


def test_every_page_says_what_it_may_load_and_breaks_it_nowhere(files: dict[str, bytes]) -> None:
    for name, text in pages(files).items():
        page = Outline(text)
        assert page.open == [], name
        assert {each.get("content") for each in page.named("meta")} >= {POLICY}, name
        assert all(each.get("src") or each.get("type") == "application/json" for each in page.named("script")), name
        assert page.named("style") == [], name
        assert not [key for _, each in page.tags for key in each if key == "style" or key.startswith("on")], name
    assert "unsafe" not in POLICY


def test_no_page_style_script_or_drawing_names_an_address_elsewhere(files: dict[str, bytes]) -> None:
    own = [name for name in files if name.endswith((".html", ".css")) or re.match(r"aset/(situs|wilayah)", name)]
    for name in own:
        text = files[name].decode().replace("https://vega.github.io/schema/", "")
        assert not re.search(r"https?://|url\(|//[a-z]", text), name
    for name in (each for each in files if each.endswith(".svg")):
        assert re.findall(r"(?:href|src)=|url\(", files[name].decode()) == [], name


def test_every_link_leads_to_a_file_of_the_release(files: dict[str, bytes]) -> None:
    known = {*files, MANIFEST, MANIFEST + SIGNATURE_SUFFIX}
    for name, text in pages(files).items():
        page = Outline(text)
        assert linked(name, page) <= known, name
        anchors = {str(each["href"])[1:] for each in page.named("a") if str(each.get("href")).startswith("#")}
        assert anchors <= set(page.ids), name


def test_links_into_a_page_find_their_place(files: dict[str, bytes]) -> None:
    kecamatan = Outline(files["kabkota/1101.html"].decode())
    assert "w1101010" in kecamatan.ids
    assert len(kecamatan.ids) == len(set(kecamatan.ids))


@pytest.mark.parametrize("kind", KINDS)
def test_every_table_can_be_read_aloud_and_headings_are_in_order(outlines: dict[str, Outline], kind: str) -> None:
    for name in both(kind):
        page = outlines[name]
        assert len(page.named("caption")) == len(page.named("table")) > 3
        assert all("scope" in each for each in page.named("th"))
        assert all(each.get("alt") for each in page.named("img"))
        levels = [int(tag[1]) for tag, _ in page.tags if re.fullmatch(r"h[1-6]", tag)]
        assert levels.count(1) == 1
        assert all(after - before <= 1 for before, after in pairwise(levels))


@pytest.mark.parametrize("kind", KINDS)
def test_both_languages_have_the_same_figures(outlines: dict[str, Outline], kind: str) -> None:
    indonesian, english = (outlines[name] for name in both(kind))
    assert list(indonesian.tables) == list(english.tables)
    compared = 0
    for table in indonesian.tables:
        for ours, theirs in zip(indonesian.tables[table], english.tables[table], strict=True):
            for one, other in zip(ours, theirs, strict=True):
                number = one.translate(str.maketrans(",.", ".,")).replace("\u00a0%", "%")
                if re.fullmatch(r"[+−]?[\d.,]+%?", number):
                    assert number == other, (table, ours)
                    compared += 1
    assert compared > 30


def test_the_numbers_of_the_pages_are_those_of_the_tables(
    files: dict[str, bytes], outlines: dict[str, Outline]
) -> None:
    published = {row["kode"]: row for row in csv.DictReader(io.StringIO(files["provinsi.csv"].decode()))}
    shown = outlines["en/index.html"].tables["t-urutan"]
    head = shown[0]
    columns = {name: head.index(definitions()[name].name.en) for name in ("visited", "target_families", "complete")}
    rows = {row[0]: row for row in shown[2:]}
    assert len(rows) == 34
    for row in published.values():
        for name, place in columns.items():
            assert int(rows[row["nama"]][place].replace(",", "")) == int(row[definitions()[name].column])
    ordered = [float(row[head.index("Gap to the plan")].replace("−", "-")) for row in shown[2:]]
    assert ordered == sorted(ordered)


def test_below_kabkota_a_page_tells_what_is_public_and_no_more(outlines: dict[str, Outline]) -> None:
    page = outlines["en/kabkota/1101.html"]
    names = {each.name.en: each for each in definitions().values()}
    for table, level in (("t-urutan", "kecamatan"), ("t-1101010", "desa")):
        fields = [names[head] for head in page.tables[table][0][1:]]
        assert fields
        assert all(each.public_at(level) for each in fields), table  # type: ignore[arg-type]  # the levels of the table


def test_pages_show_no_region_table_column_that_the_release_does_not_publish(outlines: dict[str, Outline]) -> None:
    names = {each.name.en: each.field for each in definitions().values()}
    shown = {names[head] for head in outlines["en/kabkota/1101.html"].tables["t-1101010"][0][1:]}
    assert shown <= set(REGION_TABLES["desa.csv"][1])


def test_of_regions_below_kabkota_nothing_is_read_but_what_is_public_there() -> None:
    atlas = Atlas(made_up.figures())
    levels: tuple[Level, ...] = ("kecamatan", "desa")
    for level in levels:
        rows = atlas.of_level(level)
        read = {field for row in rows for field in row if field in definitions()}
        assert read, level
        assert all(definitions()[field].public_at(level) for field in read), level


@FULL
def test_hostile_names_stay_text() -> None:
    figures = made_up.figures(name=HOSTILE)
    written = site(replace(figures, rules=figures.rules.assign(rule_text=HOSTILE)))
    for name in ("index.html", "provinsi/11.html", "en/kabkota/1101.html"):
        text = written[name].decode()
        assert all(each.get("src") or each.get("type") for each in Outline(text).named("script")), name
        assert "alert(&#34;" in text
    shown = Outline(written["provinsi/11.html"].decode())
    assert len([each for each in shown.named("img") if HOSTILE in str(each["alt"])]) == len(shown.named("img")) > 0
    [regions] = [content for name, content in written.items() if name.startswith("aset/wilayah")]
    assert json.loads(regions.decode().removeprefix("window.regsosekRegions=").removesuffix(";\n"))


def test_the_missing_are_named_on_every_page_with_night_and_scale(files: dict[str, bytes]) -> None:
    for name, text in pages(files).items():
        top = text.split("<main")[0]
        assert all(province in top for province in ("Kalimantan Timur", "Maluku", "Papua")), name
        assert ("Skala 0,05\u00a0%" if not name.startswith("en/") else "Scale 0.05%") in top, name
        assert ("23 Okt 2022" if not name.startswith("en/") else "23 Oct 2022") in top, name


def test_who_is_missing_is_told_with_the_reason_and_what_is_held(files: dict[str, bytes]) -> None:
    text = " ".join("".join(Outline(files["index.html"].decode()).text).split())
    assert "lengkap di 31 dari 34 provinsi" in text
    assert "Papua (94): Tidak ada kiriman data keluarga (K)" in text
    assert rejection_reasons()["file_altered"].text.id in text
    assert "1.234 keluarga dalam kiriman yang ditahan belum dihitung." in text


def test_arrivals_stand_province_by_night_in_words(outlines: dict[str, Outline]) -> None:
    tables = outlines["en/index.html"].tables
    rows = {row[0]: row for name, own in tables.items() if name.startswith("t-kedatangan-") for row in own}
    assert len(rows) == 1 + len(provinces())
    assert rows["provinces"][1:] == ["22 Oct", "23 Oct"]
    assert [cell[1:] for cell in rows["Papua"][1:]] == [" No families delivered, 0", " No families delivered, 7"]
    assert [cell[1:] for cell in rows["Kalimantan Timur"][1:]] == [" No families delivered, 0", " Held, 7"]


def test_quality_tells_each_rule_in_the_language_of_the_page(outlines: dict[str, Outline]) -> None:
    head, *rows = outlines["en/index.html"].tables["t-aturan"]
    assert [row[0] for row in rows] == ["C-303", "P07"], "the most violated first"
    assert rows[0][1:6] == ["Check the answer", "error", "71.4%", "5", "7"]
    assert len(head) == len(rows[0])
    assert outlines["index.html"].tables["t-aturan"][1][1] == "Periksa isian"


@FULL
def test_without_calendar_rules_or_streams_the_pages_say_so() -> None:
    figures = made_up.figures()
    bare = replace(figures, calendar=figures.calendar.iloc[:0], rules=figures.rules.iloc[:0],
                   streams=figures.streams.iloc[:0], photos=figures.photos.iloc[:0])  # fmt: skip
    text = site(bare)["en/index.html"].decode()
    assert text.count("No data yet.") == 4


def test_what_will_be_done_and_when_is_answered(files: dict[str, bytes], outlines: dict[str, Outline]) -> None:
    forecasts = made_up.figures().prospects.forecasts.set_index("code")
    rows = {row[0]: row for row in outlines["en/index.html"].tables["t-prakiraan"]}
    head = rows["Region"]
    final = head.index("Coverage at the end")
    assert rows["Papua"][final] == f"{forecasts.loc['94', 'final_share']:.1f}%"
    answer = " ".join(Outline(files["en/provinsi/94.html"].decode()).text)
    assert "Will Papua finish in time?" in answer
    assert f"80% interval: {forecasts.loc['94', 'final_low_share']:.1f}%" in answer


@FULL
def test_the_first_release_compares_itself_with_nothing() -> None:
    figures = made_up.figures()
    first = replace(figures, changes=replace(figures.changes, former_id=None, former_night=None))
    written = build(first)
    assert "This is the first release; there is none before it" in written["en/index.html"].decode()
    assert "t-perubahan" not in Outline(written["index.html"].decode()).tables
    assert "versions of frame and targets are the same" not in written["changes.md"].decode()
    assert "The first release; there is no version before it" in written["changes.md"].decode()
    assert "Rilis pertama; tidak ada versi sebelumnya" in written["perubahan.md"].decode()


@FULL
def test_a_whole_operation_is_not_called_a_part_of_it() -> None:
    whole = site(made_up.figures(scale=1.0))["index.html"].decode()
    assert "Bukan angka seluruh operasi" not in whole
    assert "Skala" not in whole


@FULL
def test_the_same_figures_give_the_same_bytes_and_assets_are_named_by_content(files: dict[str, bytes]) -> None:
    again = site(made_up.figures())
    assert {name: files[name] for name in again} == again
    assert all(re.fullmatch(r"aset/[a-z]+-[0-9a-f]{10}\.(css|js)", name) for name in again if name.startswith("aset/"))


@FULL
def test_charts_are_drawn_of_regions_with_visits_alone() -> None:
    tree = made_up.completion()
    tree.loc[tree["code"].str.startswith("94"), "visited"] = 0
    written = site(replace(made_up.figures(), completion=made_up.region_rows(tree, made_up.NIGHT)))
    assert {"grafik/11-kemajuan.id.svg", "grafik/00-harian.en.svg"} <= set(written)
    assert not [name for name in written if name.startswith("grafik/94")]
    assert "Belum ada penyebut atau kunjungan" in written["provinsi/94.html"].decode()


@FULL
def test_the_plan_that_a_chart_draws_is_that_of_the_province() -> None:
    figures = made_up.figures()
    slow = PlanCurve((0.0, 31.0), (0.0, 1.0), "supplied")
    windows = {**figures.windows, "11": replace(figures.windows["11"], plan=slow)}
    specification = Outline(site(replace(figures, windows=windows))["provinsi/11.html"].decode())
    assert specification.open == []
    told = re.search(r'"plan":(\[.*?\])', site(replace(figures, windows=windows))["provinsi/11.html"].decode())
    assert told is not None
    shares = [each["share"] for each in json.loads(told[1])]
    assert shares[0] == pytest.approx(100 / 31, abs=0.01)


def test_the_map_has_every_province_with_its_figure_as_text(outlines: dict[str, Outline]) -> None:
    tiles = [each for each in outlines["index.html"].named("a") if str(each.get("class")).startswith("tile ")]
    assert len({each["data-code"] for each in tiles}) == 34
    items = [str(each.get("class")) for each in outlines["index.html"].named("li")]
    places = [each for each in items if re.fullmatch(r"r\d c\d+", each)]
    assert len(places) == len(set(places)) == 34


@FULL
def test_more_than_all_is_not_clipped() -> None:
    tree = made_up.completion()
    tree.loc[tree["code"] == "13", "visited"] = tree.loc[tree["code"] == "13", "target_families"] * 2
    written = site(replace(made_up.figures(), completion=made_up.region_rows(tree, made_up.NIGHT)))
    assert "200,0\u00a0%" in written["index.html"].decode()


def test_no_share_stands_on_a_page_without_what_it_divides(outlines: dict[str, Outline]) -> None:
    for name, page in outlines.items():
        rows = page.tables["t-penyebut"][1:]
        assert rows, name
        assert all(all(cell.strip() for cell in row[1:4]) for row in rows), name


def test_a_table_that_shows_a_share_shows_what_it_divides(outlines: dict[str, Outline]) -> None:
    names = {each.name.en: each for each in definitions().values()}
    for name in (each for each in outlines if each.startswith("en/")):
        for table, (head, *_) in outlines[name].tables.items():
            shown = {names[each].field: names[each] for each in head if each in names}
            alone = [each.field for each in shown.values() if each.is_share and each.denominator not in shown]
            assert alone == [], (name, table)


def test_beside_the_ranking_stands_the_floor(outlines: dict[str, Outline]) -> None:
    floors = {(row["code"], row["child_level"]): row for row in plain(made_up.figures().floors)}
    for name, code, level in (("index.html", "00", "provinsi"), ("kabkota/1101.html", "1101", "kecamatan")):
        page, worst = outlines[f"en/{name}"], floors[code, level]
        head, first, *_ = page.tables["t-terendah"]
        told = dict(zip(head, first, strict=True))
        assert told["Name of the lowest"] == worst["floor_name"]
        assert told["Percentage of the lowest part"] == f"{worst['floor_percent']:.1f}%"
        assert list(page.tables).index("t-terendah") == list(page.tables).index("t-urutan") + 1


def test_figures_lost_to_pandas_are_a_dash() -> None:
    figures = made_up.figures()
    completion = figures.completion.copy()
    completion.loc[completion["code"] == "13", ["visited_of_target", "gap_points", "status"]] = [
        pd.NA,
        pd.NA,
        "no_data",
    ]
    rows = Outline(site(replace(figures, completion=completion))["index.html"].decode()).tables["t-urutan"]
    assert rows[-1][:5] == ["Sumatera Barat", "–", "–", "36,0\u00a0%", "–"]


def test_a_link_to_a_page_shows_its_first_figure_and_what_is_missing(outlines: dict[str, Outline]) -> None:
    for name in ("index.html", "en/provinsi/11.html", "kabkota/1101.html"):
        told = {each["property"]: each["content"] for each in outlines[name].named("meta") if "property" in each}
        first = next(iter(re.findall(r"[\d.,]+\s?%", str(told["og:description"]))))
        assert first in "".join(outlines[name].text), name
        assert re.search(r"31 (dari|of) 34", str(told["og:description"])), name
        assert told["og:title"] in outlines[name].text, name


def test_who_is_missing_is_a_count_that_unfolds_by_state(outlines: dict[str, Outline]) -> None:
    for name, told in (
        ("index.html", "3 dari 34 provinsi belum lengkap"),
        ("provinsi/11.html", "Provinsi lain: 3 dari 34"),
        ("en/kabkota/1101.html", "Other provinces: 3 of"),
    ):
        said = " ".join("".join(outlines[name].text).split())
        assert told in said, name
        assert all(f"{state} (1): {province}" in said for state, province in _missing_in(name)), name


def _missing_in(name: str) -> list[tuple[str, str]]:
    states = (
        ("No families delivered", "Rejected", "Held")
        if name.startswith("en/")
        else ("Tidak ada data keluarga", "Ditolak", "Ditahan")
    )
    return list(zip(states, ("Papua", "Maluku", "Kalimantan Timur"), strict=True))


def test_a_whole_province_says_so_of_itself_alone(files: dict[str, bytes]) -> None:
    assert "Tidak ada kiriman Aceh malam ini yang kurang." in files["provinsi/11.html"].decode()
    assert "lengkap dari semua provinsi" not in files["provinsi/11.html"].decode()


def test_whole_days_are_whole_numbers(outlines: dict[str, Outline]) -> None:
    head, *rows = outlines["en/provinsi/11.html"].tables["t-sumber-data"]
    assert [row[head.index("Lag of the source")] for row in rows] == ["0", "2"]
