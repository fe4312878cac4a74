"""The operators' pages over a real warehouse and archive: what they answer, whom, and what a decision there does."""

import re
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from fastapi import Depends
from fastapi.testclient import TestClient
from httpx import Response
from sqlalchemy import Engine, event, text

from regsosek.alerts.nightly import alert_provinces
from regsosek.contract.codebook import STREAMS
from regsosek.landing.archive import list_decisions
from regsosek.landing.policies import Buckets, policies
from regsosek.night.nightly import notify, release
from regsosek.night.outcome import Outcome
from regsosek.night.receiving.stopwatch import peak_rss_bytes
from regsosek.night.task_runs import noted
from regsosek.portal.application import application
from regsosek.portal.login.viewer import Viewer
from regsosek.portal.sources import Sources
from regsosek.portal.views import state_words
from regsosek.quality.rules import load_suites
from regsosek.settings import PROJECT_ROOT, Settings
from regsosek.statistics.definitions.definitions import definitions
from regsosek.warehouse.locks import province_lock
from support.checks.store_policies import refused_by
from support.deliveries.families import DESA, PROVINCE, SUBSLS
from support.deliveries.stream_messages import LATITUDE, LONGITUDE, PHOTO, deliver_stream, report, tag
from support.worlds.field_world import CompiledJudge, FieldWorld, family, faulty, few_rules, prepared_world
from support.worlds.portal_viewers import OPERATOR, OTHER_OPERATOR, office, seen_as

NIGHT = date(2022, 10, 21)
NEXT = NIGHT + timedelta(days=1)
AT = datetime(2022, 10, 20, 12, tzinfo=UTC)
OTHER = "65"
LIMITS = "province,dataset,limit_percent,least_rows,source\n*,keluarga,60,3,test\n*,anggota,100,1,test\n"
PLANTED = {
    "r108_nama_kepala": "SITI PLANTED NAME", "r107_alamat": "JALAN PLANTED 17", "r114_no_kk": "6403015202840099",
}  # fmt: skip
REASON = "checked with the province by telephone"


@pytest.fixture(scope="module")
def prepared(services_env: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[FieldWorld]:
    streams = {name: suite for name, suite in load_suites(PROJECT_ROOT / "expectations").items() if name in STREAMS}
    with prepared_world(services_env, tmp_path_factory, few_rules() | streams, LIMITS) as world:
        yield world


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("regsosek.night.discovery.applicable_rules.Judge", CompiledJudge)


@pytest.fixture
def held(world: FieldWorld) -> str:
    """A night with a clean delivery, a stream, and a held delivery, whose id it is."""
    world.deliver(NIGHT, [family("A", number=1, **PLANTED), faulty("B", number=2, **PLANTED)], produced_at=AT)
    three = [faulty(f"C{n}", number=10 + n, **PLANTED) for n in range(3)]
    delivery_id = world.deliver(NIGHT, three, produced_at=AT + timedelta(minutes=1))
    wrong = [report(kode_petugas="0008", jumlah_kk_cacah="-4"), report(kode_petugas="0009", jumlah_art="x")]
    messages = [report(), *wrong]
    deliver_stream(world, NIGHT, "progres", messages, produced_at=AT + timedelta(minutes=2))
    deliver_stream(world, NIGHT, "geotag", [tag(), tag("TAG-2", kelas_vk="9")], produced_at=AT + timedelta(minutes=3))
    world.run(NIGHT)
    return delivery_id


def client_of(world: FieldWorld, viewer: Viewer = OPERATOR) -> TestClient:
    settings = world.resources.settings
    portal = application(Sources(lambda: settings), Depends(seen_as(viewer)))
    return TestClient(portal, base_url="http://airflow.example:8080", follow_redirects=False)


def decide(client: TestClient, delivery_id: str, verb: str = "free", reason: str = REASON, **headers: str) -> Response:
    """Opens the form and sends it as a browser does."""
    address = f"/deliveries/{PROVINCE}/{delivery_id}/{verb}"
    [token] = re.findall(r'name="token" value="([^"]+)"', client.get(address).text)
    sent = {"origin": "http://airflow.example:8080"} | headers
    return client.post(address, data={"token": token, "reason": reason}, headers=sent)


def delivery_state(world: FieldWorld, delivery_id: str) -> tuple[str, date | None]:
    query = "SELECT state, decided_night FROM ledger.delivery WHERE delivery_id = :id"
    [(state, night)] = world.rows(query, id=delivery_id)
    return state, night


def addresses(world: FieldWorld, delivery_id: str) -> list[str]:
    """Every page there is of the world of ``held``."""
    messages = [f"/alerts/{number}" for (number,) in world.rows("SELECT id FROM alert.outbox")]
    deliveries = [f"/deliveries/{PROVINCE}/{each}" for (each,) in world.rows("SELECT delivery_id FROM ledger.delivery")]
    waiting = [f"/quarantine/{PROVINCE}/{dataset}" for dataset in ("keluarga", *STREAMS)]
    forms = [f"/deliveries/{PROVINCE}/{delivery_id}/{verb}" for verb in ("free", "reject")]
    sections = ["/", "/held", "/quarantine", "/steps", "/alerts", "/corrections", "/releases"]
    regions = [f"/regions/{code}" for code in (PROVINCE, DESA[:4], DESA[:7], DESA)]
    own = [*regions, f"/provinces/{PROVINCE}", f"/run/{PROVINCE}/{NIGHT}", f"/nights/{NIGHT}"]
    return [*sections, *own, *waiting, *messages, *deliveries, *forms]


def test_no_page_holds_a_personal_value(world: FieldWorld, held: str) -> None:
    release(world.resources, NIGHT)
    alert_provinces(world.resources.alerter, world.resources.settings, NIGHT, provinces=[PROVINCE])
    client = client_of(world, replace(OPERATOR, sensitive=True))
    pages = {address: client.get(address) for address in addresses(world, held)}
    assert len(pages) > 15
    assert {page.status_code for page in pages.values()} == {200}
    for value in (*PLANTED.values(), "CONTOH", LATITUDE, LONGITUDE, PHOTO):
        assert not [address for address, page in pages.items() if value in page.text]
    kept = str(world.rows("SELECT * FROM restricted.quarantined"))
    assert all(value in kept for value in PLANTED.values()), "what is sought was delivered"


def test_pages_and_decisions_need_no_more_of_the_store_than_the_key_of_pages_may(
    world: FieldWorld, held: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # As a rule no rule has changed since the night: what it was judged by lies in the archive.
    monkeypatch.setattr("regsosek.portal.pages.deciding_routes.load_suites", lambda _: world.suites)
    settings, client = world.resources.settings, client_of(world)
    buckets = Buckets(settings.landing_bucket, settings.archive_bucket, settings.release_bucket)
    docs = f"/nights/{NIGHT}/{PROVINCE}/keluarga"
    with refused_by(dict(policies(buckets))["pages"]) as refused:
        pages = [client.get(address).status_code for address in (*addresses(world, held), docs)]
        assert set(pages) == {200}
        assert decide(client, held).status_code == 303
    assert refused == []
    with refused_by(dict(policies(buckets))["watchdog"]) as refused:
        client.get(docs)
    assert refused, "what is refused is found"


def test_an_office_sees_its_own_province_and_learns_of_no_other(world: FieldWorld, held: str) -> None:
    alert_provinces(world.resources.alerter, world.resources.settings, NIGHT, provinces=[PROVINCE])
    [(message,)] = world.rows("SELECT id FROM alert.outbox")
    own, stranger = client_of(world, office(PROVINCE)), client_of(world, office(OTHER))
    of_own = (
        f"provinces/{PROVINCE}",
        f"regions/{PROVINCE}",
        f"regions/{DESA}",
        f"quarantine/{PROVINCE}/keluarga",
        f"deliveries/{PROVINCE}/{held}",
    )
    seen = [f"/{each}" for each in (*of_own, f"alerts/{message}")]
    unknown = {client.get(f"/provinces/{code}").text for client in (stranger,) for code in ("99", "xx")}
    for address in seen:
        assert own.get(address).status_code == 200
        answer = stranger.get(address)
        assert answer.status_code == 404
        assert {re.sub(r"\d\d:\d\d WIB", "", page) for page in unknown} == {re.sub(r"\d\d:\d\d WIB", "", answer.text)}
    for address in ("/", "/held", "/quarantine", "/alerts", "/corrections", f"/nights/{NIGHT}"):
        page = stranger.get(address)
        assert page.status_code == 200
        assert held not in page.text
        assert "Kalimantan Timur" not in page.text
    assert stranger.get(f"/nights/{NIGHT}/{PROVINCE}/keluarga").status_code == 404


@pytest.mark.parametrize("verb", ["", "/free"])
def test_an_id_of_another_province_is_not_even_looked_up(world: FieldWorld, held: str, verb: str) -> None:
    """Neither the answer nor the time that it takes tells an id that exists from one that does not."""
    asked: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        asked.append(statement)

    event.listen(Engine, "before_cursor_execute", note)
    try:
        answer = client_of(world, office(OTHER)).get(f"/deliveries/{PROVINCE}/{held}{verb}")
    finally:
        event.remove(Engine, "before_cursor_execute", note)
    assert answer.status_code == (403 if verb else 404)
    assert not [each for each in asked if "ledger.delivery" in each]


def test_what_operators_do_is_refused_to_an_office(world: FieldWorld, held: str) -> None:
    client = client_of(world, office(PROVINCE))
    form = f"/deliveries/{PROVINCE}/{held}/free"
    for address in ("/steps", "/releases", f"/run/{PROVINCE}/{NIGHT}", form):
        assert client.get(address).status_code == 403
    sent = {"token": "x", "reason": REASON}
    assert client.post(form, data=sent, headers={"origin": "http://airflow.example:8080"}).status_code == 403
    assert delivery_state(world, held) == ("held", None)


def test_a_decision_is_recorded_as_the_command_line_records_it_and_the_next_run_carries_it_out(
    world: FieldWorld, held: str
) -> None:
    client = client_of(world)
    answer = decide(client, held)
    assert answer.status_code == 303
    assert answer.headers["location"].endswith(f"/deliveries/{PROVINCE}/{held}")
    [decision] = list_decisions(world.resources.store, world.resources.settings.archive_bucket, PROVINCE)
    assert (decision.decision, decision.by, decision.reason, decision.night) == ("freed", "sari", REASON, NIGHT)
    assert delivery_state(world, held) == ("registered", NIGHT)
    assert world.rows("SELECT kind, detail FROM ledger.event") == [("freed", {"by": "sari", "reason": REASON})]
    page = client.get(answer.headers["location"]).text
    assert "The next run of the province carries it out" in page
    assert f"/run/{PROVINCE}/{NIGHT}" in page
    assert "not yet" in client.get("/held").text
    world.run(NIGHT)
    assert delivery_state(world, held) == ("accepted", NIGHT)
    assert "not yet" not in client.get("/held").text
    assert REASON in client.get("/corrections").text


def test_a_decision_that_nobody_ran_is_carried_out_by_the_night_after(world: FieldWorld, held: str) -> None:
    assert decide(client_of(world), held).status_code == 303
    world.deliver(NEXT, [family("E", number=5)], produced_at=AT + timedelta(days=1))
    world.run(NEXT)
    assert delivery_state(world, held) == ("accepted", NIGHT)
    assert world.rows("SELECT count(*) FROM mart.refreshed WHERE province = :p", p=PROVINCE) == [(2,)]


def test_a_rejection_is_told_to_the_province_once_by_the_run_that_follows(world: FieldWorld, held: str) -> None:
    world.resources = replace(world.resources, settings=world.resources.settings.model_copy(update={"smtp_port": 1}))
    assert decide(client_of(world), held, "reject", "a column is shifted").status_code == 303
    assert delivery_state(world, held) == ("rejected", NIGHT)
    world.run(NIGHT)
    for _ in range(2):
        with pytest.raises(Exception, match="reached no server"):  # no mail server listens
            notify(world.resources, Outcome(NIGHT, (PROVINCE,), failed={}, publication=None))
    # The night's own digest was not sent yet, so it says it; had it gone out, one of its own would follow the decision.
    [(message, body)] = world.rows(
        "SELECT id, body FROM alert.outbox WHERE recipient_group = :to", to=f"prov{PROVINCE}"
    )
    assert held in body
    assert "ditolak" in body
    page = client_of(world).get(f"/alerts/{message}").text
    assert "As it will be sent" in page


def test_the_second_operator_is_told_who_decided(world: FieldWorld, held: str) -> None:
    second = client_of(world, OTHER_OPERATOR)
    address = f"/deliveries/{PROVINCE}/{held}/reject"
    [token] = re.findall(r'name="token" value="([^"]+)"', second.get(address).text)
    assert decide(client_of(world), held).status_code == 303
    answer = second.post(
        address, data={"token": token, "reason": "no"}, headers={"origin": "http://airflow.example:8080"}
    )
    assert answer.status_code == 409
    assert "was freed by sari" in answer.text
    assert "It was freed by <b>sari</b>" in second.get(address).text
    assert len(list_decisions(world.resources.store, world.resources.settings.archive_bucket, PROVINCE)) == 1


@pytest.mark.parametrize("reason", ["", "   ", "x" * 501])
def test_a_decision_without_a_reason_or_with_a_treatise_is_none(world: FieldWorld, held: str, reason: str) -> None:
    assert decide(client_of(world), held, reason=reason).status_code in {404, 409}
    assert delivery_state(world, held) == ("held", None)


def test_a_reason_that_may_be_somebodys_number_is_refused(world: FieldWorld, held: str) -> None:
    answer = decide(client_of(world), held, reason=f"family {PLANTED['r114_no_kk']} says so")
    assert answer.status_code == 409
    assert PLANTED["r114_no_kk"] not in answer.text
    assert delivery_state(world, held) == ("held", None)


@pytest.mark.parametrize(
    "headers",
    [{"origin": "https://elsewhere.example"}, {"origin": "null"}, {"sec-fetch-site": "cross-site"}],
)
def test_a_form_from_elsewhere_decides_nothing(world: FieldWorld, held: str, headers: dict[str, str]) -> None:
    assert decide(client_of(world), held, **headers).status_code == 403
    client, address = client_of(world), f"/deliveries/{PROVINCE}/{held}/free"
    client.get(address)
    without = client.post(address, data={"reason": REASON}, headers={"origin": "http://airflow.example:8080"})
    assert without.status_code == 404
    assert delivery_state(world, held) == ("held", None)
    assert not list_decisions(world.resources.store, world.resources.settings.archive_bucket, PROVINCE)


def test_a_province_that_is_being_worked_on_is_not_waited_for(world: FieldWorld, held: str) -> None:
    with province_lock(world.resources.engine, PROVINCE):
        answer = decide(client_of(world), held)
    assert answer.status_code == 409
    assert "is being worked on" in answer.text
    assert delivery_state(world, held) == ("held", None)
    assert decide(client_of(world), held).status_code == 303


def test_the_cookie_of_forms_is_out_of_reach_of_scripts_and_other_sites(world: FieldWorld, held: str) -> None:
    cookie = client_of(world).get(f"/deliveries/{PROVINCE}/{held}/free").headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie


def test_quarantine_is_told_by_age_rule_and_key_of_families_and_of_messages(world: FieldWorld, held: str) -> None:
    client = client_of(world)
    overview = client.get("/quarantine").text
    assert "1 family waits in quarantine" in overview
    assert f"/quarantine/{PROVINCE}/progres" in overview
    families = client.get(f"/quarantine/{PROVINCE}/keluarga?rule=C-303").text
    assert "1 family of Kalimantan Timur waits" in families
    assert ">C-303</a>" in families
    progres = client.get(f"/quarantine/{PROVINCE}/progres").text
    assert "2 messages of progres of Kalimantan Timur wait" in progres
    assert "1 message of geotag of Kalimantan Timur waits" in client.get(f"/quarantine/{PROVINCE}/geotag").text
    assert client.get(f"/quarantine/{PROVINCE}/anggota").status_code == 404


def test_steps_name_time_memory_and_the_log(world: FieldWorld, held: str, monkeypatch: pytest.MonkeyPatch) -> None:
    peaks = world.rows("SELECT step, seconds, peak_rss_bytes FROM ledger.step_timing")
    assert {step for step, _, _ in peaks} >= {"fetch", "stage", "judge", "recognise", "load", "flip"}
    assert all(seconds >= 0 and 50 << 20 < peak <= peak_rss_bytes() for _, seconds, peak in peaks)
    for name, value in {"DAG_ID": "regsosek_nightly", "DAG_RUN_ID": "run of 22", "TASK_ID": "receive"}.items():
        monkeypatch.setenv(f"AIRFLOW_CTX_{name}", value)
    with noted(world.resources, NIGHT, PROVINCE):
        during = client_of(world).get("/steps").text
        world.run(NIGHT)
    assert "has not ended" in during
    page = client_of(world).get(f"/steps?night={NIGHT}").text
    assert "has not ended" not in page
    assert "/dags/regsosek_nightly/runs/run%20of%2022/tasks/receive/mapped/22" in page
    assert "MiB" in page
    assert client_of(world).get("/steps?night=2022-01-01").status_code == 404


def failing(context: AbstractContextManager[None]) -> None:
    with context:
        raise ValueError("broken")


def test_a_task_that_failed_is_noted_too_and_a_second_try_takes_its_place(
    world: FieldWorld, held: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {"DAG_ID": "regsosek_nightly", "DAG_RUN_ID": "r", "TASK_ID": "publish"}.items():
        monkeypatch.setenv(f"AIRFLOW_CTX_{name}", value)
    for attempt in ("1", "2"):
        monkeypatch.setenv("AIRFLOW_CTX_TRY_NUMBER", attempt)
        with pytest.raises(ValueError, match="broken"):
            failing(noted(world.resources, NIGHT))
    runs = world.rows("SELECT province, try_number, seconds >= 0, peak_rss_bytes > 0 FROM ledger.task_run")
    assert runs == [("00", 2, True, True)]


def test_releases_tell_revision_signature_and_what_readers_see(world: FieldWorld, held: str) -> None:
    client = client_of(world)
    assert "Nothing is published yet" in client.get("/releases").text
    published = release(world.resources, NIGHT)
    for address in ("/releases", "/"):
        page = client.get(address).text
        assert published.release_id in page
        assert "revision 1" in page
        assert f"signed by {published.signed_by}" in re.sub("</?code>", "", page)
        assert "cannot be forecast" in page


def test_a_digest_names_officers_to_who_may_see_their_codes(world: FieldWorld, held: str) -> None:
    alert_provinces(world.resources.alerter, world.resources.settings, NIGHT, provinces=[PROVINCE])
    with world.resources.engine.begin() as connection:
        connection.execute(text(OF_AN_OFFICER))
        named = "UPDATE alert.outbox SET body = body || 'Tanyakan petugas\n  0008; 0008 keluarga' RETURNING id"
        message = connection.execute(text(named)).scalar_one()
    pages = [
        client_of(world, replace(office(PROVINCE), sensitive=may)).get(f"/alerts/{message}") for may in (False, True)
    ]
    assert [re.findall("Tanyakan petugas\\s+(.*)", page.text)[0].partition("<")[0] for page in pages] == [
        "•••; 0008 keluarga",
        "0008; 0008 keluarga",
    ]


OF_AN_OFFICER = """
INSERT INTO alert.condition
SELECT (jsonb_populate_record(c, '{"level": "petugas", "region_code": "0008", "kabkota": "6403"}')).*
FROM alert.condition c LIMIT 1
"""


def test_the_digest_is_shown_as_it_lies_in_the_outbox(world: FieldWorld, held: str) -> None:
    alert_provinces(world.resources.alerter, world.resources.settings, NIGHT, provinces=[PROVINCE])
    [(message, subject, body)] = world.rows("SELECT id, subject, body FROM alert.outbox")
    client = client_of(world)
    assert f'href="/alerts/{message}"' in client.get(f"/provinces/{PROVINCE}").text
    page = client.get(f"/alerts/{message}").text
    assert subject in page
    assert "Conditions behind it" in page
    for line in filter(str.isalnum, body.split()):
        assert line in page


def test_an_office_goes_down_to_the_sub_sls_and_finds_what_is_not_public(world: FieldWorld) -> None:
    refused = family("R", number=3, r205_hasil="4")
    world.deliver(NIGHT, [family("A", number=1), faulty("B", number=2), refused], produced_at=AT)
    world.run(NIGHT)
    own = client_of(world, office(PROVINCE))
    code, found = PROVINCE, {}
    for level in ("kabkota", "kecamatan", "desa", "subsls"):
        page = own.get(f"/regions/{code}").text
        assert f"figures by {state_words.level(level)}" in page
        for name, count in re.findall(r'<td class="n" data-name="([^"]+)">(\d+)</td>', page):
            found[level, name] = found.get((level, name), 0) + int(count)
        below = re.search(r'href="[^"]*/regions/(\d+)">\d+ ', page)
        code = below[1] if below and level != "subsls" else code
    assert (code, SUBSLS in page) == (DESA, True)
    for measure, families in (("visited", 3), ("complete", 1), ("refused", 1), ("quarantined", 1)):
        name = definitions()[measure].name.en
        assert {found[level, name] for level in ("kabkota", "kecamatan", "desa", "subsls")} == {families}, measure


def test_a_region_that_nobody_has_and_one_of_another_province_are_alike(world: FieldWorld) -> None:
    own = client_of(world, office(OTHER))
    assert {own.get(f"/regions/{code}").status_code for code in (DESA, PROVINCE, "00", "9999", "x")} == {404}
    assert own.get(f"/regions/{OTHER}").status_code == 200


def test_operators_acknowledge_a_condition_from_its_page_as_on_the_command_line(world: FieldWorld, held: str) -> None:
    alert_provinces(world.resources.alerter, world.resources.settings, NIGHT, provinces=[PROVINCE])
    operator, own, stranger = (client_of(world, each) for each in (OPERATOR, office(PROVINCE), office(OTHER)))
    address = f"/alerts/conditions/{PROVINCE}/HELD/{PROVINCE}"
    assert f'href="{address}"' in operator.get("/alerts").text
    assert stranger.get(address).status_code == 404
    assert own.get("/alerts/conditions/00/PIPELINE_FAULT/00-silence").status_code == 403
    assert "<form" not in own.get(address).text
    [token] = re.findall(r'name="token" value="([^"]+)"', operator.get(address).text)
    sent = {"token": token, "verb": "snooze", "until": str(NEXT), "reason": REASON}
    here = {"origin": "http://airflow.example:8080"}
    assert operator.post(address, data=sent, headers={"origin": "http://elsewhere.example"}).status_code == 403
    assert operator.post(address, data=sent | {"token": "1.x"}, headers=here).status_code == 403
    assert own.post(address, data=sent, headers=here).status_code == 403
    assert not world.rows("SELECT 1 FROM alert.act")
    for wrong, told in (
        ({"until": ""}, "needs an end"),
        ({"reason": "6403015202840099"}, "NIK"),
        ({"until": "x"}, "YYYY"),
    ):
        refused = operator.post(address, data=sent | wrong, headers=here)
        assert (refused.status_code, told in refused.text) == (409, True)
    assert operator.post(address, data=sent, headers=here).status_code == 303
    assert world.rows("SELECT verb, by, reason, until, night FROM alert.act") == [
        ("snooze", OPERATOR.name, REASON, NEXT, NIGHT)
    ]
    assert f"snoozed</b> to {NEXT}" in operator.get(address).text
    assert REASON in operator.get("/alerts").text
