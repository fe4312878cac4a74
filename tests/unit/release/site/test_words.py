"""What the pages say: who is not whole and since when, who will be late, and each language for itself."""

import re
from dataclasses import replace
from datetime import timedelta
from posixpath import dirname, join, normpath

import pandas as pd
import pytest

from regsosek.release.figures.figures import Figures
from regsosek.release.files.offered import offered_files
from regsosek.release.site.about import about_lines
from regsosek.release.site.key_messages import KeyMessage, answers
from regsosek.release.site.language import LANGUAGES, Language
from regsosek.release.site.measure_map import places
from regsosek.release.site.pages import site
from regsosek.release.site.sections import NIGHTS_SHOWN, arrivals, forecasts, gaps, ranking, unheard
from regsosek.statistics.definitions.definitions import definitions
from regsosek.statistics.forecast.table import WIDE_INTERVAL
from support.checks.site_outline import Outline
from support.figures import made_up
from support.figures.site_parts import ENGLISH, INDONESIAN, context, said, with_forecast, with_nights, with_state

KINDS = ("index.html", "provinsi/11.html", "provinsi/64.html", "kabkota/1101.html")
SPOKEN = ("alt", "title", "aria-label", "placeholder", "data-none", "data-found")


@pytest.fixture(scope="module")
def figures() -> Figures:
    return made_up.figures()


@pytest.fixture(scope="module")
def outlines(figures: Figures) -> dict[str, Outline]:
    written = site(figures)
    return {name: Outline(written[name].decode()) for kind in KINDS for name in (kind, f"en/{kind}")}


def answer(figures: Figures, code: str, question: str) -> KeyMessage:
    at = context(figures)
    [found] = [each for each in answers(at, at.atlas.region(code)) if question in each.question]
    return found


def test_the_first_answers_count_and_mark_what_is_not_whole(figures: Figures) -> None:
    missing = answer(figures, "00", "missing tonight")
    assert (missing.figure, missing.unit) == ("31", "of 34 provinces whole")
    for code, state, whole in (("11", "Accepted", True), ("64", "Held", False), ("94", "No families delivered", False)):
        found = answer(figures, code, "What arrived tonight?")
        assert found.figure == state
        assert ("behind" in found.kind.split()) is not whole, state
    assert "held deliveries are not counted" in " ".join(answer(figures, "64", "What arrived tonight?").sentences)


def test_a_kabkota_that_never_sent_a_family_says_so_beside_its_province(figures: Figures) -> None:
    """The night of its province was accepted: that says nothing of it, and nobody knows which part is worst."""
    shown = figures.completion.copy()
    shown.loc[(shown["code"] == "1101") | (shown["parent_code"] == "1101"), ["visited", "status"]] = (0, "not_begun")
    silent = replace(figures, completion=shown)
    brought = answer(silent, "1101", "What arrived tonight")
    assert brought.question == "What arrived tonight of all of Aceh?" and brought.figure == "Accepted"
    nothing = "have arrived yet, so nobody knows how many are enumerated there"
    assert nothing in brought.sentences[-1]
    worst = answer(silent, "1101", "is worst")
    assert worst.figure == "–" and nothing in worst.sentences[0]
    assert nothing not in " ".join(answer(figures, "1101", "What arrived tonight").sentences)


def test_of_whom_no_family_came_the_page_tells_plan_and_other_sources_and_no_gap(figures: Figures) -> None:
    """What is not known is empty: in the card, in its place among others, and in what a link to the page shows."""
    shown = figures.completion.copy()
    own = shown["code"] == "1101"
    shown.loc[own, ["visited", "status"]] = (0, "not_begun")
    shown.loc[own, ["gap_points", "gap_families", "days_behind"]] = None
    of_other = figures.streams[figures.streams["code"] == "11"].assign(
        code="1101", stream_families=27, frame_families=81
    )
    silent = replace(figures, completion=shown, streams=pd.concat([figures.streams, of_other]))
    reached = answer(silent, "1101", "How far")
    told = " ".join(reached.sentences)
    assert (reached.figure, reached.unit) == ("–", "not known yet")
    assert "nobody knows how many are enumerated there" in told and "Planned by tonight: " in told
    assert "Geotags: 27 of 81 families" in told and "Documents (K):" not in told
    assert "points" not in told and "days behind" not in told
    assert "No families yet: " in " ".join(answer(silent, "11", "worst").sentences)


def test_the_ranking_says_of_each_province_what_its_night_brought(outlines: dict[str, Outline]) -> None:
    head, *rows = outlines["en/index.html"].tables["t-urutan"]
    states = {row[0]: row[head.index(definitions()["state"].name.en)] for row in rows}
    told = {name: states[name] for name in ("Aceh", "Maluku", "Kalimantan Timur", "Papua")}
    assert told == dict(zip(told, ("Accepted", "Rejected", "Held", "No families delivered"), strict=True))


def test_a_province_with_older_figures_says_of_which_night_they_are(figures: Figures) -> None:
    older = with_state(figures, "94", figures_night=made_up.FORMER)
    at = context(older)
    told = {each.code: " ".join(each.more) for each in gaps(at, at.atlas.region("00"))}
    assert "Its figures are of the night of 22 Oct." in told["94"]
    assert all("of the night of" not in told[code] for code in ("64", "81"))
    never = context(with_state(figures, "94", figures_night=None))
    [own] = gaps(never, never.atlas.region("94"))
    assert (own.code, own.more) == ("94", ("There are no figures of this province yet.",))


def test_the_calendar_ends_with_the_night_and_each_column_is_of_its_own(figures: Figures) -> None:
    nights = [made_up.NIGHT - timedelta(days=ago) for ago in reversed(range(NIGHTS_SHOWN + 3))]
    at = context(with_nights(figures, nights))
    tables = arrivals(at, at.atlas.of_level("provinsi"))
    assert sum(len(each.lines) for each in tables) == 34
    for table in tables:
        assert [each.label for each in table.columns] == list(map(ENGLISH.written.short_date, nights[-NIGHTS_SHOWN:]))
        told = [[cell.sort for cell in line.cells] for line in table.lines]
        assert all(own == list(map(str, range(3, NIGHTS_SHOWN + 3))) for own in told)


def test_whether_a_region_ends_in_time_is_as_certain_as_its_interval(figures: Figures) -> None:
    for in_time, told, kind in (("yes", "Yes", ""), ("uncertain", "Not certain", ""), ("no", "No", "behind")):
        other = with_forecast(figures, "11", forecast_status="forecast", in_time=in_time)
        found = answer(other, "11", "finish in time?")
        assert (found.figure, found.kind) == (told, kind)


def test_where_the_pace_of_the_officers_ends_is_told_where_the_forecast_says_otherwise(figures: Figures) -> None:
    fields = {"forecast_status": "forecast", "in_time": "uncertain", "visited": 100, "plan_base_families": 1000,
              "families_left": 900, "officer_days_needed": 90, "families_per_officer_day": 10.0, "days_left": 17,
              "final_low_share": 53.4, "final_high_share": 98.6}  # fmt: skip
    for officers, reached in ((4.0, ""), (1.0, "27.0%"), (9.0, "163.0%")):
        found = answer(with_forecast(figures, "11", officers_per_day=officers, **fields), "11", "finish in time?")
        told = " ".join(found.sentences)
        assert "at work each day" in told, officers
        assert (f"would be {reached}, outside of the interval" in told) is bool(reached), officers


def test_the_calendar_tells_the_families_of_what_was_not_taken(figures: Figures) -> None:
    """A night that was rejected brought no row that counts: nobody should read that it brought nobody."""
    told = figures.calendar.copy()
    latest = (told["code"] == made_up.REJECTED) & (told["night"] == figures.night)
    told.loc[latest, ["received", "rejected_of_night"]] = (0, 27)
    at = context(replace(figures, calendar=told))
    lines = [line for table in arrivals(at, at.atlas.of_level("provinsi")) for line in table.lines]
    [line] = [each for each in lines if each.head.text == at.atlas.region(made_up.REJECTED)["name"]]
    assert (line.cells[-1].text, line.cells[-1].sort) == ("Rejected", "27")


def test_a_kabkota_says_whose_plan_it_is_but_for_a_curve_of_its_own(figures: Figures) -> None:
    shown = figures.completion.copy()
    shown.loc[shown["code"] == "1101", "plan_percent"] = 99.0
    for own, told in ((figures.completion, True), (shown, False)):
        found = answer(replace(figures, completion=own), "1101", "How far is it?")
        assert ("The plan in use" in " ".join(found.sentences)) is told


def test_the_nation_counts_what_is_certain_what_is_not_and_what_cannot_be_told(figures: Figures) -> None:
    others = with_forecast(figures, "11", forecast_status="forecast", in_time="no", final_share=61.5)
    others = with_forecast(others, "31", forecast_status="forecast", in_time="uncertain", final_share=98.7)
    others = with_forecast(others, made_up.SILENT, forecast_status="done", in_time="yes")
    found = answer(others, "00", "finish in time?")
    assert found.figure == "1 yes, 1 not certain, 1 no"
    said_of = " ".join(found.sentences)
    assert "Not done in time by forecast, with their final coverage: Aceh (61.5%)." in said_of
    assert "with their final coverage by forecast: DKI Jakarta (98.7%)." in said_of


def test_where_no_province_can_be_forecast_no_number_is_said(figures: Figures) -> None:
    none = figures
    for code in ("11", "31", made_up.SILENT):
        none = with_forecast(none, code, forecast_status="impossible", forecast_reason="first_third", in_time=None)
    found = answer(none, "00", "finish in time?")
    assert found.figure == "cannot be forecast yet"
    assert "cannot be forecast yet (less than a third of the window has passed): Aceh" in " ".join(found.sentences)


@pytest.mark.parametrize(
    ("days", "said"),
    [
        ((5, 3, 9), "(earliest 17 Nov, latest 23 Nov)"),
        ((5, 3, None), "(earliest 17 Nov; the latest day cannot be foreseen)"),
        ((None, 3, None), "more than 30 days after the window by forecast (earliest 17 Nov;"),
        ((None, None, None), "Even the earliest date of completion lies more than 30 days after the window"),
    ],
)
def test_a_day_that_cannot_be_foreseen_is_said_in_words(
    figures: Figures, days: tuple[int | None, ...], said: str
) -> None:
    end = figures.windows["11"].closing(figures.night)
    dates = [None if day is None else end + timedelta(days=day) for day in days]
    fields = dict(zip(("done_on", "done_from", "done_until"), dates, strict=True))
    found = answer(with_forecast(figures, "11", forecast_status="forecast", in_time="no", **fields), "11", "finish in")
    assert said in " ".join(found.sentences)
    assert "–" not in found.sentences[1]


@pytest.mark.parametrize(
    ("low", "high", "wide", "above"),
    [(34.5, 291.8, True, True), (20.0, 80.0, True, False), (80.0, 105.0, False, True), (70.0, 90.0, False, False)],
)
def test_an_interval_says_what_keeps_it_from_being_planned_by(
    figures: Figures, low: float, high: float, wide: bool, above: bool
) -> None:
    """A night without data widened Maluku Utara's to 257 points, up to nearly three times its families."""
    shares = {"final_share": (low + high) / 2, "final_low_share": low, "final_high_share": high}
    told = with_forecast(figures, "11", forecast_status="forecast", in_time="uncertain", **shares)
    said_of = " ".join(answer(told, "11", "finish in").sentences)
    assert ("nothing can be planned by it yet" in said_of) is wide
    assert ("Final coverage can exceed 100%" in said_of) is above


def test_table_and_definitions_say_of_an_interval_what_the_card_says(figures: Figures) -> None:
    """The definitions go with CSV, workbook and API, and the glossary is made of them."""
    width = f"wider than {WIDE_INTERVAL} percentage points"
    caption = forecasts(context(figures), context(figures).atlas.region("11")).caption
    assert width in caption and "outside of the interval" in caption
    assert width in ENGLISH.definition("final_low_share")
    assert f"lebih lebar dari {WIDE_INTERVAL} poin persen" in INDONESIAN.definition("final_low_share")
    assert "can exceed 100 percent" in ENGLISH.definition("final_high_share")
    assert "outside of the interval" in ENGLISH.definition("officer_days_needed")


def test_one_family_is_one_in_the_first_answers(figures: Figures) -> None:
    shown = figures.completion.copy()
    shown.loc[shown["code"] == "1101", "complete"] = 1
    one = replace(figures, completion=shown)
    assert answer(one, "1101", "complete and accepted").unit == "family complete"
    assert answer(figures, "11", "complete and accepted").unit == "families complete"


def test_forecasts_begin_with_the_least_reached_at_the_end_and_end_with_those_that_cannot_be_told(
    figures: Figures,
) -> None:
    at = context(with_forecast(figures, "31", final_share=None))
    table = forecasts(at, at.atlas.region("00"))
    place = [column.field for column in table.columns].index("final_share")
    ends = [line.cells[place].sort for line in table.lines]
    known = [float(each) for each in ends if each]
    assert len(known) == len(ends) - 1 > 1
    assert ends[-1] == ""
    assert known == sorted(known)


def test_only_what_is_behind_by_the_rules_is_in_the_colour_of_warning(figures: Figures) -> None:
    at = context(figures)
    table = ranking(at, at.atlas.region("00"))
    place = [column.field for column in table.columns].index("gap_points")
    kinds = {}
    for line in table.lines:
        assert line.status is not None, "the status stands where the name does, so that it stays in sight"
        gap, lagging = line.cells[place], line.status.kind.endswith("behind")
        assert gap.kind == ("behind" if lagging else "ahead" if float(gap.sort) > 0 else ""), line.head.text
        kinds[gap.kind] = float(gap.sort)
    assert set(kinds) == {"behind", "ahead", ""}
    assert kinds[""] <= 0, "below plan by less than the rules allow is on plan"


def test_where_nobody_is_behind_nobody_is_named_the_worst(figures: Figures) -> None:
    calm = figures.completion["status"].mask(figures.completion["status"].isin(["behind", "far_behind"]), "on_plan")
    found = answer(replace(figures, completion=figures.completion.assign(status=calm)), "00", "worst")
    assert (found.figure, found.kind) == (ENGLISH.texts["none"], "")
    assert "Furthest below plan: " in " ".join(found.sentences)
    assert "status: on plan." in " ".join(found.sentences)


def test_a_word_within_limits_says_the_limit_wherever_it_stands(figures: Figures) -> None:
    """In sentences and in the heads of lines alike: 11 points below and *within limits* is believed by its limit."""
    codes, shown = list(figures.completion["code"]), figures.completion.copy()
    shown.loc[codes.index("76"), ["gap_points", "limit_points", "status"]] = (-11.4, -15.0, "below_plan")
    at = context(replace(figures, completion=shown))
    row = at.atlas.region("76")
    assert at.figure(row, "status") == at.cell(row, "status").text == "below plan (within limits), limit 15 points"
    close = at.figure(row | {"gap_points": -14.26, "limit_points": -14.29}, "status")
    assert close == "below plan (within limits): 14.26 points below, limit 14.29", "both are 14.3 with one decimal"


def test_who_is_behind_is_named_also_where_one_without_families_lies_further_below(figures: Figures) -> None:
    codes, shown = list(figures.completion["code"]), figures.completion.copy()
    for code, gap, status in (("11", None, "not_begun"), ("12", -27.0, "far_behind"), ("13", -26.0, "on_plan")):
        shown.loc[codes.index(code), ["gap_points", "status"]] = (gap, status)
    found = answer(replace(figures, completion=shown), "00", "worst")
    assert (found.figure, found.kind) == ("Sumatera Utara", "name behind")
    assert "No families yet: Aceh." in " ".join(found.sentences)
    calm = shown["status"].mask(shown["status"].isin(["behind", "far_behind"]), "on_plan")
    told = " ".join(answer(replace(figures, completion=shown.assign(status=calm)), "00", "worst").sentences)
    assert "No families yet: Aceh." in told and "Furthest below plan: Aceh" not in told


def test_a_page_whose_deliveries_are_whole_names_the_kabkota_without_a_family(figures: Figures) -> None:
    """Its province sent everything that it had: the kab/kota that it holds nothing of is missing all the same."""
    shown = figures.completion.copy()
    shown.loc[shown["code"] == "1101", "status"] = "not_begun"
    at = context(replace(figures, completion=shown))
    assert unheard(at, at.atlas.region("11")) == unheard(at, at.atlas.region("00")) == at.atlas.region("1101")["name"]
    assert unheard(at, at.atlas.region("12")) == ""


def test_a_place_without_families_is_never_said_to_be_on_plan(figures: Figures) -> None:
    kecamatan = figures.completion["code"] == "1101010"
    shown = figures.completion.copy()
    shown.loc[kecamatan, ["gap_points", "status"]] = (None, "not_begun")
    told = " ".join(answer(replace(figures, completion=shown), "1101", "worst").sentences)
    assert "No families yet: " in told


def test_every_page_says_until_when_its_data_count(outlines: dict[str, Outline]) -> None:
    for name, outline in outlines.items():
        english = name.startswith("en/")
        until = "23 Oct 2022, 23:59 WIB" if english else "23 Okt 2022, 23.59 WIB"
        assert until in said(outline), name


def test_a_page_leads_to_itself_in_the_other_language_and_names_it_in_that_language(
    outlines: dict[str, Outline],
) -> None:
    for kind in KINDS:
        for name, code, other in ((kind, "en", f"en/{kind}"), (f"en/{kind}", "id", kind)):
            ways = [each for tag in ("a", "link") for each in outlines[name].named(tag) if each.get("hreflang")]
            assert len(ways) == 2, name
            assert {normpath(join(dirname(name), str(each["href"]))) for each in ways} == {other}
            assert {each["hreflang"] for each in ways} == {code}
            assert [each.get("lang") for each in ways if "rel" not in each] == [code], "read aloud as it is written"


def test_only_names_and_numbers_read_the_same_in_both_languages(figures: Figures, outlines: dict[str, Outline]) -> None:
    names = _names(figures)
    for kind in KINDS:
        pages = [outlines[name] for name in (kind, f"en/{kind}")]
        same = set.intersection(*({" ".join(each.split()) for each in _spoken(page)} for page in pages))
        words = {each for each in same if re.search(r"[A-Za-z]{2}", re.sub(r"^\d+ [A-Z][a-z]{2}$", "", each))}
        assert {each for each in words if each.strip(":. ") not in names} == set(), kind


def test_an_english_page_has_no_indonesian_but_the_note_of_the_reference_files(outlines: dict[str, Outline]) -> None:
    for kind in KINDS:
        told = said(outlines[f"en/{kind}"])
        assert not re.search("kerangka pada|Direktorat|malam tanggal", told), kind
        assert "Note of the reference files, in Indonesian: simulasi" in told


def test_a_night_in_indonesian_has_no_day_of_the_week(outlines: dict[str, Outline]) -> None:
    days = "|".join(("Senin", "Selasa", "Rabu", "Kamis", "Jumat", "Sabtu", "Minggu"))
    for kind in KINDS:
        assert not re.search(f"[Mm]alam ({days})", said(outlines[kind])), kind
    assert "malam tanggal 22 Oktober 2022" in said(outlines["index.html"])


def _spoken(page: Outline) -> list[str]:
    """What a reader sees or hears: text, and what stands for it in attributes."""
    return [*page.text, *(value for _, tag in page.tags for key, value in tag.items() if key in SPOKEN and value)]


def _names(figures: Figures) -> set[str]:
    """What is called the same in both languages: regions, files, data sets, versions, and words that both have."""
    same = {text for key, text in INDONESIAN.texts.items() if text == ENGLISH.texts[key]}
    same |= {each.name.id for each in definitions().values() if each.name.id == each.name.en}
    named = {
        str(value)
        for frame in (figures.completion, figures.floors, figures.rules)
        for name in map(str, frame)
        if name in ("name", "rule_dataset") or name.endswith("_version")
        for value in frame[name].dropna()
    }
    tiles = {place[name] for place in places().values() for name in ("short", "letters")}
    files = {*offered_files(), "manifest.json.minisig"}
    verify = "minisign -Vm manifest.json -p ../kunci/KEY.pub regsosek release verify FOLDER --key ../kunci/KEY.pub"
    about = set.intersection(
        *({told for _, told in about_lines(figures.about, each)} for each in (INDONESIAN, ENGLISH))
    )
    return same | named | tiles | files | about | {verify}


@pytest.mark.parametrize(("language", "word"), zip(LANGUAGES, ("kerangka", "frame"), strict=True))
def test_versions_of_denominators_are_written_in_the_language_of_the_page(language: Language, word: str) -> None:
    told = language.figure("floor_base_version", "kerangka 2022-10-01; target 2022-10-01")
    assert told == f"{word} 2022-10-01; target 2022-10-01"


def test_the_nation_says_whose_last_delivery_and_lag_its_sources_show(outlines: dict[str, Outline]) -> None:
    furthest = "last delivery and lag: of the province furthest behind"
    assert furthest in said(outlines["en/index.html"]) and furthest not in said(outlines["en/provinsi/11.html"])


def test_no_published_definition_sends_its_reader_to_a_file_that_the_release_lacks() -> None:
    texts = [text for each in definitions().values() for text in (each.definition.id, each.definition.en)]
    assert [text for text in texts if "docs/" in text or ".md" in text] == []
