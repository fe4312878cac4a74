"""The pages that answer operators: whole, escaped, filtered by who looks, and leading to the right place in Airflow."""

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from regsosek.alerts.conditions import condition as condition_module
from regsosek.alerts.conditions.condition import Condition, Kind, Place, Severity
from regsosek.alerts.conditions.operator_actions import Act, Verb
from regsosek.alerts.outbox.operating import OutboxLine
from regsosek.asking.deliveries import BrokenRule, DecisionLine, DeliveryDetail, DeliveryLine, RegionShare
from regsosek.asking.quarantine import QUARANTINED, QuarantinedCase, WaitingByNight, WaitingByRule, without_officer
from regsosek.portal.login.viewer import Viewer
from regsosek.portal.pages import pages
from regsosek.portal.pages.airflow_links import CLEAR_ADDRESS, DAG_ADDRESS, TRIGGER_ADDRESS, log_address
from regsosek.portal.views.corrections import Changed, Event
from regsosek.portal.views.decisions import DecisionRow
from regsosek.portal.views.notifications import Met, SentMessage, _met
from regsosek.portal.views.quarantine import AGES, ProvinceWaiting, age_of
from regsosek.portal.views.releases import ReleaseLine
from regsosek.portal.views.state_words import _measures
from regsosek.portal.views.steps import STEPS, ProvinceSteps, receptions
from regsosek.release.lifecycle.current_release import StandingRelease
from regsosek.release.lifecycle.pointer import Position
from regsosek.warehouse.nights.ledger import Spent
from regsosek.warehouse.nights.task_runs import TaskRun
from support.figures.outline import Outline
from support.figures.portal_world import AT, HOSTILE, NIGHT, delivery, frame, held, night
from support.worlds.portal_viewers import OPERATOR, office

ID = held().delivery_id
RUN = TaskRun("64", NIGHT, "regsosek_nightly", "manual__2022-10-22T01:00:00+07:00", "receive", 22, 2, AT, 75.4, 3 << 28)
PUBLISH = replace(RUN, province="00", task_id="publish", map_index=-1, seconds=None)
TOLD = SentMessage(7, "64", NIGHT, "digest", HOSTILE, f"Yth. {HOSTILE}", "waiting", 2, HOSTILE, AT, AT, None)
REACHED = [
    OutboxLine(7, NIGHT, "64", "digest", "operasional", "email", address, backup_of, state, 1, fault, None, sent_at)
    for address, backup_of, state, fault, sent_at in (
        ("bps6400@bps.example", "", "failed", HOSTILE, None),
        (HOSTILE, "bps6400@bps.example", "sent", None, AT),
    )
]
MET = Met(
    "64", NIGHT, "HELD", "KRITIS", NIGHT - timedelta(days=2), (("families", "400"),), "64/HELD/64", f"64 {HOSTILE}",
    state="snoozed", until=NIGHT + timedelta(days=3), families=400,
)  # fmt: skip
OURS = replace(MET, province="00", kind="PIPELINE_FAULT", id="00/PIPELINE_FAULT/64", state="open", until=None)
ACT = Act(
    Kind.HELD, Place("provinsi", "64"), Verb.SNOOZE, "operator", HOSTILE, AT, NIGHT, until=NIGHT + timedelta(days=3)
)
POSITION = Position("2022-10-21-0123456789ab", NIGHT, 2, "0" * 64, "rilis/x/", ("2022-10-21-ffff",))
STANDING = StandingRelease(POSITION, None, (("in time", 20), ("late", 14)))


def shown(template: str, viewer: Viewer = OPERATOR, **values: object) -> str:
    return pages.page(template, replace(frame(), viewer=viewer), **values)


def detail(state: str = "held") -> DeliveryDetail:
    line = DeliveryLine("64", ID, NIGHT, NIGHT, None, state, None, 400, 1300, HOSTILE)
    rules = (BrokenRule("keluarga", "C-303", "critical", 250),)
    decisions = () if state == "held" else (DecisionLine(NIGHT, "freed", AT, HOSTILE, HOSTILE),)
    return DeliveryDetail(line, held().shares, rules, (RegionShare("6403", HOSTILE, 10, 9),), decisions)


def province(viewer: Viewer = OPERATOR) -> str:
    return shown(
        "province.html.j2", viewer, province="64", nights=[night().seen_by(viewer)], lines=[delivery()], repairs={},
        held=[held()], told=[TOLD], met=[MET], waiting=ProvinceWaiting("64", oldest=NIGHT, messages={"progres": 3}),
        runs={NIGHT: RUN}, corrected=[Changed("64", NIGHT, 4, {"corrected": 0}, 4)],
    )  # fmt: skip


def held_page(viewer: Viewer = OPERATOR) -> str:
    decided = DecisionRow("64", ID, NIGHT, "registered", "freed", HOSTILE, HOSTILE, AT, carried_out=False)
    return shown("held.html.j2", viewer, held=[held()], decided=[decided], shown_nights=[NIGHT])


def delivery_page(state: str = "held", viewer: Viewer = OPERATOR) -> str:
    return shown(
        "delivery.html.j2", viewer, detail=detail(state), line=detail(state).line, nights=[NIGHT], withdrawn=()
    )


def decide(verb: str = "free", state: str = "held") -> str:
    return shown("decide.html.j2", detail=detail(state), line=detail(state).line, verb=verb, token="t", longest=500)


def quarantine() -> str:
    waiting = ProvinceWaiting("64", {name: 1 for _, name in AGES}, NIGHT, 2, {"geotag": 5})
    return shown("quarantine.html.j2", nights=[NIGHT], waiting=[waiting], ages=[name for _, name in AGES])


def quarantine_of(dataset: str = "keluarga", viewer: Viewer = OPERATOR) -> str:
    case = QuarantinedCase(
        "64", NIGHT, ID, "6403015/0007/2022-10-20", "quarantined", "6403015", 1, 2, "PPL-0007", ("C-303",)
    )
    return shown(
        "quarantine_of.html.j2", viewer, province="64", dataset=dataset, datasets=QUARANTINED, rule="C-303",
        cases=[case], rules=[WaitingByRule("C-303", 1, NIGHT)], since=[WaitingByNight(NIGHT, "pending", 1)], most=100,
    )  # fmt: skip


def steps() -> str:
    spent = {"judge": Spent(75.4, 3 << 28), "load": Spent(0.31, 1 << 28)}
    found = [ProvinceSteps("64", NIGHT, spent, RUN), ProvinceSteps("65", NIGHT, {}, replace(RUN, seconds=None))]
    return shown(
        "steps.html.j2", nights=[NIGHT], night=NIGHT, steps=STEPS, provinces=found, of_nation=[PUBLISH],
        slowest=[(found[0], "judge"), (found[0], "load")],
    )  # fmt: skip


def alerts() -> str:
    return shown("alerts.html.j2", told=[TOLD, replace(TOLD, province=None, sent_at=AT)], met=[MET], ours=[OURS],
                 acts=[(MET.id, ACT)], nights=[NIGHT])  # fmt: skip


def alert(viewer: Viewer = OPERATOR) -> str:
    return shown("alert.html.j2", viewer, told=TOLD, met=[MET], reached=REACHED if viewer.operator else [])


def condition(viewer: Viewer = OPERATOR) -> str:
    return shown("condition.html.j2", viewer, met=MET, acts=[ACT], token="a.b", longest=500)


def corrections() -> str:
    events = [
        Event("64", NIGHT, "freed", ID, AT, HOSTILE, HOSTILE),
        Event("00", NIGHT, "a_kind_of_tomorrow", None, AT, "", ""),
    ]
    changes = [Changed("64", NIGHT, -3, {"corrected": 0, "freed": 7, "withdrawn": -2}, 5)]
    return shown("corrections.html.j2", changed=changes, journal=events, nights=[NIGHT])


def releases() -> str:
    line = ReleaseLine(POSITION.release_id, NIGHT, 2, AT, None, None, ("94",), ("94",), 35, 1, AT, current=True)
    back = replace(line, revision=1, signed_by="16F13A1A74D571B0", rolled_back_at=AT, current=False, audited=0)
    return shown("releases.html.j2", lines=[line, back], standing=STANDING)


def run(last: TaskRun | None = RUN) -> str:
    return shown(
        "run.html.j2",
        province="64",
        night=NIGHT,
        last=last,
        dag=DAG_ADDRESS,
        trigger=TRIGGER_ADDRESS,
        clear=CLEAR_ADDRESS,
    )


ALL: list[Callable[[], str]] = [
    province, held_page, delivery_page, decide, quarantine, quarantine_of, steps, alerts, alert, condition, corrections,
    releases, run, lambda: run(None), lambda: delivery_page("registered"), lambda: decide("reject", "accepted"),
]  # fmt: skip


@pytest.mark.parametrize("page", ALL)
def test_pages_are_whole_and_lead_and_ask_nowhere_but_here_and_airflow(page: Callable[[], str]) -> None:
    outline = Outline(page())
    assert outline.is_whole_and_fetches_nothing()
    assert all(link.startswith(("#content", "/under/regsosek/", "/under/dags/")) for link in outline.links())
    assert "http:" not in page()
    assert "https:" not in page()


@pytest.mark.parametrize(
    "page",
    [province, held_page, delivery_page, alerts, alert, condition, corrections, lambda: decide("free", "accepted")],
)
def test_text_from_outside_stays_text(page: Callable[[], str]) -> None:
    assert HOSTILE in Outline(page()).text
    assert "<script>alert" not in page()


@pytest.mark.parametrize("page", ALL)
def test_the_navigation_has_every_section_and_marks_where_one_is(page: Callable[[], str]) -> None:
    outline = Outline(page())
    assert {f"/under/regsosek{each.address}" for each in pages.SECTIONS} <= set(outline.links())
    assert [a["href"] for tag, a in outline.tags if tag == "a" and a.get("aria-current") == "true"][:1] == [
        "/under/regsosek/"
    ]


def test_the_log_of_a_province_is_that_of_its_mapped_task() -> None:
    run_id = "manual__2022-10-22T01%3A00%3A00%2B07%3A00"
    assert log_address(RUN) == f"/dags/regsosek_nightly/runs/{run_id}/tasks/receive/mapped/22"
    assert log_address(PUBLISH) == f"/dags/regsosek_nightly/runs/{run_id}/tasks/publish"
    for page in (province(), steps(), run()):
        assert f"/under{log_address(RUN)}" in Outline(page).links()


def test_a_task_that_could_not_note_itself_is_found_through_the_run_that_others_noted() -> None:
    assert receptions([PUBLISH, RUN], "64") == {NIGHT: RUN}
    found = receptions([PUBLISH], "64")[NIGHT]
    assert log_address(found) == log_address(RUN)
    assert found.started_at is None
    # It may have been about other provinces: nothing is offered to be done again in it.
    assert [a["data-ask"] for tag, a in Outline(run(found)).tags if tag == "form"] == ["trigger"]
    assert receptions([], "64") == {}


def test_an_office_is_offered_nothing_that_operators_do() -> None:
    viewer = office("64")
    for page in (province(viewer), held_page(viewer), delivery_page("registered", viewer)):
        outline = Outline(page)
        assert not [link for link in outline.links() if link.startswith("/under/dags/") or "/run/" in link]
        assert not [link for link in outline.links() if link.endswith(("/free", "/reject", "/steps", "/releases"))]
    assert "bps6400@bps.example" in Outline(alert()).text
    assert "bps6400@bps.example" not in Outline(alert(viewer)).text


def test_what_a_message_speaks_of_is_told_without_its_officer() -> None:
    assert without_officer("progres", "6403015/0007/2022-10-20") == "6403015/2022-10-20"
    assert without_officer("geotag", "TAG-1") == "TAG-1"
    assert without_officer("rekap_vk", "6403015") == "6403015"  # the new code may be missing


@pytest.mark.parametrize("dataset", ["keluarga", "progres"])
def test_codes_of_officers_are_for_those_who_may_see_them(dataset: str) -> None:
    may = replace(OPERATOR, sensitive=True)
    assert "PPL-0007" in Outline(quarantine_of(dataset, may)).text
    page = quarantine_of(dataset)
    assert "PPL-0007" not in page
    if dataset == "progres":  # its key names the officer
        assert "/0007/" not in page
        assert "/0007/" in quarantine_of(dataset, may)


def test_a_decision_says_what_will_happen_under_whose_name_and_asks_for_a_reason() -> None:
    for verb, word in (("free", "received again"), ("reject", "counts whole as rejected")):
        outline = Outline(decide(verb))
        assert word in outline.text
        assert "sari" in outline.text
        [form] = [attributes for tag, attributes in outline.tags if tag == "form"]
        assert (form["method"], form["action"]) == ("post", f"/under/regsosek/deliveries/64/{ID}/{verb}")
        [reason] = [attributes for tag, attributes in outline.tags if tag == "textarea"]
        assert "required" in reason
        assert reason["maxlength"] == "500"


def test_what_was_decided_cannot_be_decided_again_and_says_by_whom_it_was() -> None:
    outline = Outline(decide("reject", "accepted"))
    assert not [tag for tag, _ in outline.tags if tag == "form"]
    assert "It was freed by" in outline.text


def test_time_and_memory_stand_with_the_slowest_first_and_a_task_that_did_not_end_says_so() -> None:
    text = Outline(steps()).text
    assert text.index("1 min 15 s") < text.index("0.3 s")
    assert "768 MiB" in text
    assert "has not ended" in text


def test_a_release_says_whether_it_is_signed_current_rolled_back_and_right() -> None:
    text = Outline(releases()).text
    for said in (
        "not signed",
        "Current",
        "Rolled back",
        "16F13A1A74D571B0",
        "1 fault",
        "not yet",
        "20 in time, 14 late",
    ):
        assert said in text
    assert "NOT SIGNED; rolled back: 2022-10-21-ffff" in STANDING.release_words


def test_a_run_is_asked_for_with_night_and_province_filled_in() -> None:
    outline = Outline(run())
    values = {a["name"]: a.get("value") for tag, a in outline.tags if tag == "input"}
    assert (values["date"], values["provinces"]) == (str(NIGHT), "64")
    asked = {a["data-ask"]: a for tag, a in outline.tags if tag == "form"}
    assert asked["trigger"]["data-address"] == "/under/api/v2/dags/regsosek_nightly/dagRuns"
    assert asked["trigger"]["data-dag"] == "/under/api/v2/dags/regsosek_nightly"
    clear = asked["clear"]
    assert (clear["data-run"], clear["data-task"], clear["data-index"]) == (RUN.run_id, "receive", "22")
    assert [a["data-ask"] for tag, a in Outline(run(None)).tags if tag == "form"] == ["trigger"]


def test_a_condition_says_where_it_stands_and_offers_acts_to_operators_alone() -> None:
    outline = Outline(condition())
    assert "snoozed to 2022-10-24" in outline.text
    [form] = [a for tag, a in outline.tags if tag == "form"]
    assert (form["method"], form["action"]) == ("post", "/under/regsosek/alerts/conditions/64/HELD/64")
    assert [a["value"] for tag, a in outline.tags if tag == "option"] == [verb.value for verb in Verb]
    assert not [tag for tag, _ in Outline(condition(office("64"))).tags if tag == "form"]


def test_ages_are_told_apart() -> None:
    assert [age_of(NIGHT - timedelta(days=n), NIGHT) for n in (0, 1, 2, 3, 6, 7, 30)] == [
        "1 night", "2–3 nights", "2–3 nights", "4–7 nights", "4–7 nights", "8 or more", "8 or more",
    ]  # fmt: skip


def test_portal_mail_and_page_have_one_word_for_one_thing() -> None:
    from regsosek.alerts.sentences.texts import words_of
    from regsosek.portal.views.state_words import condition_words, night_words
    from regsosek.release.figures.words import night_states

    told = {kind: words_of("en").kind(kind).short for kind in Kind if kind is not Kind.PIPELINE_FAULT}
    assert {kind: condition_words()[kind].label.lower() for kind in told} == {
        kind: short.lower() for kind, short in told.items()
    }
    assert {state: words.label for state, words in night_words().items() if state != "failed"} == {
        state: words.label.en for state, words in night_states().items()
    }


def test_a_condition_is_told_by_its_place_and_its_numbers_by_their_names() -> None:
    numbers = {"visited": 403, "target": 2924, "plan_percent": 27.9903, "small_kabkota": 7, "within_limits": 1}
    behind = Condition(Kind.BEHIND, Place("provinsi", "12"), Severity.ATTENTION, NIGHT, 415, numbers)
    told = _met("12", NIGHT, behind)
    assert told.place == "12 Sumatera Utara"
    assert dict(told.figures) == {
        "visited": "403", "families by plan's denominator": "2,924", "planned by then": "28.0%",
        "kab/kota behind that are too small to be told of": "7", "within the limits": "yes",
    }  # fmt: skip
    below = _met("12", NIGHT, replace(behind, place=Place("kabkota", "1204", "Tapanuli")))
    assert below.place == "1204 Tapanuli"


def test_every_number_that_a_condition_is_decided_on_has_a_name() -> None:
    folder = Path(condition_module.__file__).parent
    written = " ".join(each.read_text(encoding="utf-8") for each in folder.glob("detect*.py"))
    named = set(re.findall(r'"([a-z_]+)": ', written))
    assert len(named) > 20
    assert named - set(_measures()) == set()


def test_every_condition_and_event_has_words() -> None:
    from regsosek.portal.views.state_words import condition_words, event_words

    assert set(condition_words()) == {kind.value for kind in Kind}
    assert set(event_words()) == {
        "sql_login_given",
        "sql_login_closed",
        "freed",
        "retried",
        "rejected",
        "superseded",
        "reopened",
        "release_rolled_back",
        "release_repointed",
        "release_withdrawn",
    }
