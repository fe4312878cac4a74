"""The operator's pages: whole, escaped, fetching nothing, and saying what waits, what failed and where to look."""

from dataclasses import replace

import pytest

from regsosek.contract.reasons import rejection_reasons
from regsosek.contract.repairs import repair_kinds
from regsosek.portal.pages import pages
from regsosek.portal.pages.pages import Brought
from regsosek.portal.views.night_rows import COMPLETE
from regsosek.portal.views.repair_counts import Repaired
from regsosek.portal.views.state_words import delivery_words, night_words, share
from regsosek.release.figures.words import night_states
from support.figures.outline import Outline
from support.figures.portal_world import HOSTILE, NIGHT, delivery, frame, held, night
from support.worlds.portal_viewers import office


def board() -> str:
    return pages.board(frame(), [night(), night()], [held()])


def night_page() -> str:
    waiting = delivery(state="held", delivery_id=held().delivery_id, reason=None, detail=None)
    lines = [delivery(), waiting, delivery("65", "accepted", judged=True, reason=None), delivery("31", "registered")]
    mended = [Repaired(repair_kinds()["apostrophe"], "anggota", 1234)]
    brought = Brought(lines, [held()], {("65", lines[0].delivery_id): mended})
    return pages.night_page(frame(), night(), brought, [NIGHT])


ALL = [board, night_page, lambda: pages.message(frame(), "Not found", HOSTILE), lambda: pages.board(frame(), [], [])]


@pytest.mark.parametrize("page", ALL)
def test_pages_are_whole_and_fetch_nothing(page) -> None:
    assert Outline(page()).is_whole_and_fetches_nothing()
    assert "http:" not in page()
    assert "https:" not in page()


@pytest.mark.parametrize("page", ALL[1:3])
def test_text_from_outside_stays_text(page) -> None:
    assert HOSTILE in Outline(page()).text


@pytest.mark.parametrize("page", ALL)
def test_links_stay_under_the_path_that_airflow_gives(page) -> None:
    leading = [link for link in Outline(page()).links() if link != "#content"]
    assert all(link.startswith("/under/regsosek/") for link in leading)


def test_who_sees_no_page_of_airflow_finds_the_way_in_and_out_here() -> None:
    nobody, of_office = replace(frame(), viewer=None), replace(frame(), viewer=office("64"))
    sign_in, sign_out = "/under/api/v2/auth/login?next=/under/regsosek/", "/under/api/v2/auth/logout"
    assert sign_in in Outline(pages.message(nobody, "Not signed in", "Sign in")).links()
    assert sign_out in Outline(pages.message(of_office, "Not found", "")).links()
    assert sign_out not in Outline(pages.message(frame(), "Not found", "")).links()


def test_a_held_delivery_stands_first_with_what_decides_for_those_who_may() -> None:
    outline = Outline(board())
    assert outline.text.index("Waiting for a decision: 1 held") < outline.text.index("Not whole last night")
    for verb in ("free", "reject"):
        assert f"/under/regsosek/deliveries/64/{held().delivery_id}/{verb}" in outline.links()
    of_office = Outline(pages.board(replace(frame(), viewer=office("64")), [night().seen_by(office("64"))], [held()]))
    assert not [link for link in of_office.links() if link.endswith(("/free", "/reject"))]


def test_an_office_sees_its_own_province_and_no_word_of_ours_about_others() -> None:
    viewer = office("64")
    seen = night().seen_by(viewer)
    assert [each.province for each in seen.provinces] == ["64"]
    text = Outline(pages.board(replace(frame(), viewer=viewer), [seen], [])).text
    assert "64 Kalimantan Timur" in text
    assert "Kalimantan Utara" not in text
    assert "conservation" not in text
    assert "Steps" not in text


def test_reasons_are_told_in_both_languages() -> None:
    reason = rejection_reasons()["file_altered"]
    for page in (board(), night_page()):
        text = Outline(page).text.lower()
        assert reason.text.en.lower() in text
        assert reason.text.id.lower() in text


def test_an_unknown_reason_is_told_by_its_id() -> None:
    line = delivery(reason="a_reason_of_tomorrow")
    assert "a_reason_of_tomorrow" in Outline(pages.night_page(frame(), night(), Brought([line]), [NIGHT])).text


def test_data_docs_are_linked_where_something_was_judged() -> None:
    docs = [link for link in Outline(night_page()).links() if link.endswith(("/keluarga", "/anggota"))]
    assert docs == [f"/under/regsosek/nights/{NIGHT}/65/{dataset}" for dataset in ("keluarga", "anggota")]


def test_why_a_delivery_is_held_is_told_in_shares_and_limits() -> None:
    for page in (board(), night_page()):
        text = Outline(page).text
        assert "keluarga: 62.5% of 400, limit 40%" in text
        assert "anggota: 23.1% of 1,300, limit 25.5%" in text
        assert page.count('"said over"') == 1


def test_an_id_that_two_provinces_have_is_told_with_each_its_own() -> None:
    """Ids are their producers' choice: of a clean delivery nothing is told of the held one that bears the same id."""
    twin = delivery("65", "accepted", delivery_id=held().delivery_id, reason=None, detail=None, producer=None)
    brought = Brought(
        [twin], [held()], {("64", twin.delivery_id): [Repaired(repair_kinds()["apostrophe"], "anggota", 99)]}
    )
    text = Outline(pages.night_page(frame(), night(), brought, [NIGHT])).text
    assert "of 400" not in text
    assert repair_kinds()["apostrophe"].text.en not in text
    both = replace(brought, deliveries=[twin, delivery(state="held", delivery_id=twin.delivery_id)])
    assert "of 400" in Outline(pages.night_page(frame(), night(), both, [NIGHT])).text


def test_held_deliveries_older_than_the_shown_nights_have_no_data_docs() -> None:
    def docs(page: str) -> list[str]:
        return [link for link in Outline(page).links() if link.endswith("/keluarga")]

    assert docs(pages.board(frame(), [night()], [held()]))
    assert not docs(pages.board(frame(), [night()], [held(NIGHT.replace(day=1))]))


def test_what_was_decided_later_says_since_when_it_counts() -> None:
    line = delivery(state="accepted", decided_night=NIGHT.replace(day=25))
    assert "counts from 2022-10-25" in Outline(pages.night_page(frame(), night(), Brought([line]), [NIGHT])).text


def test_every_state_of_a_night_and_of_a_delivery_has_words_and_a_mark_of_its_own() -> None:
    assert set(night_words()) == {*night_states(), "failed"}
    assert set(delivery_words()) == {"registered", "held", "rejected", "accepted"}
    tones = {words.tone: words.mark for words in night_words().values()}
    assert len(set(tones.values())) == len(tones)


def test_small_shares_are_not_rounded_to_nothing() -> None:
    assert [share(value) for value in (None, 0, 0.0004, 0.125)] == ["–", "0.0%", "0.04%", "12.5%"]


def test_provinces_with_one_cause_are_told_in_one_line() -> None:
    gaps = night().gaps()
    assert len(gaps) == len(night_words()) - len(COMPLETE)
    assert sum(map(len, gaps.values())) + night().complete == 34


def test_both_halves_of_the_grid_show_each_province_its_own_state() -> None:
    page = board()
    for each in night().provinces:
        label = night_words()[each.state].label
        assert f'title="{each.name}, {NIGHT}: {label}"' in page


def test_what_reading_mended_is_told_under_its_delivery() -> None:
    text = Outline(night_page()).text
    kind = repair_kinds()["apostrophe"]
    assert f"Mended in anggota, 1,234 values: {kind.text.en}" in text
    assert text.count("Mended") == 1
