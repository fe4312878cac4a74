"""Who saw a case and what became of it: every way by which cases are shown, through the real pages and commands."""

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from fastapi import Depends
from fastapi.testclient import TestClient
from sqlalchemy import text
from typer.testing import CliRunner

from regsosek.cli.main import app
from regsosek.doctor.check_result import Verdict
from regsosek.doctor.examination import CHECKS, examine
from regsosek.errors import AccessTrailError, ConfigurationError, DecisionError
from regsosek.portal.application import application
from regsosek.portal.login.viewer import Viewer
from regsosek.portal.sources import Sources
from regsosek.privacy.records.incident import incident_template
from regsosek.privacy.trail.access_trail import Access, AccessTrail, case_key, end_before
from regsosek.privacy.trail.person_trail import CaseTrail, trail_of_case
from regsosek.settings import Settings
from support.checks.command_line import environment
from support.deliveries.families import PROVINCE
from support.worlds.field_world import CompiledJudge, Family, FieldWorld, family, faulty, few_rules, prepared_world
from support.worlds.portal_viewers import OPERATOR, office, seen_as

NIGHT = date(2022, 10, 21)
AT = datetime(2022, 10, 20, 12, tzinfo=UTC)
LIMITS = "province,dataset,limit_percent,least_rows,source\n*,keluarga,100,3,test\n*,anggota,100,1,test\n"
WHY = "asked by the family, letter 12"
KK, NIK = "6403015202840099", "6403014302840001"
QUARANTINE, API = f"/quarantine/{PROVINCE}/keluarga", f"/api/v1/quarantine?provinsi={PROVINCE}"


HELD_NEXT_DOOR = (
    "INSERT INTO ledger.delivery (province, delivery_id, delivered_on, night, position, prefix, state, versions, "
    "registered_at) VALUES ('65', 'HELD', '2022-10-21', '2022-10-21', 1, 'landing/prov=65/tanggal=2022-10-21/HELD/', "
    "'held', '{}', now())",
    "INSERT INTO ledger.delivery_count (province, delivery_id, delivered_on, dataset, received, held) "
    "VALUES ('65', 'HELD', '2022-10-21', 'keluarga', 7, 7)",
)


FREED_AND_PUBLISHED = (
    "INSERT INTO ledger.event (province, night, delivery_id, kind, detail) "
    """VALUES ('64', '2022-10-21', :delivery, 'freed', '{"by": "budi", "reason": "called the office"}')""",
    "INSERT INTO release.release (release_id, night, content_hash, prefix, manifest, built_at, published_at, revision) "
    "VALUES ('r1', '2022-10-21', 'x', 'r1/', '{}', now(), now(), 1)",
)


def of_person(given: Family) -> Family:
    """With its second member's NIK, who is a child."""
    return given[0], [given[1][0], given[1][1] | {"r403_nik": NIK, "r407_umur": "017"}]


@pytest.fixture(scope="module")
def world(services_env: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[FieldWorld]:
    """One night: A is loaded, B and C wait in quarantine; then B is corrected, and A is withdrawn by a replacement."""
    with (
        pytest.MonkeyPatch.context() as patch,
        prepared_world(services_env, tmp_path_factory, few_rules(), LIMITS) as world,
    ):
        patch.setattr("regsosek.night.discovery.applicable_rules.Judge", CompiledJudge)
        first = [family("A", number=1, r114_no_kk=KK), faulty("B", number=2), of_person(faulty("C", number=3))]
        sent = world.deliver(NIGHT, first, produced_at=AT)
        world.run(NIGHT)
        later = NIGHT + timedelta(days=1)
        corrected = [of_person(family("B", 2, number=2, r114_no_kk=KK)), of_person(faulty("C", 2, number=3))]
        world.deliver(later, corrected, produced_at=AT + timedelta(days=1), supersedes=[sent])
        world.run(later)
        with world.resources.engine.begin() as connection:
            for statement in (*HELD_NEXT_DOOR, *FREED_AND_PUBLISHED):
                connection.execute(text(statement), {"delivery": sent})
        yield world


@pytest.fixture
def command(world: FieldWorld, monkeypatch: pytest.MonkeyPatch) -> Any:
    for name, value in environment(world.resources.settings).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("REGSOSEK_ENV_FILE", "/nonexistent")
    monkeypatch.setattr("regsosek.cli.common._account", lambda: ("sari", True))

    def run(*words: str, typed: str = "") -> Result:
        return CliRunner().invoke(app, list(words), input=typed)

    return run


def client_of(world: FieldWorld, viewer: Viewer, **settings: Any) -> TestClient:
    own = world.resources.settings.model_copy(update=settings)
    portal = application(Sources(lambda: own), Depends(seen_as(viewer)))
    return TestClient(portal, raise_server_exceptions=False)


def trail(world: FieldWorld, case: str) -> CaseTrail:
    with world.resources.account("owner").connect() as connection:
        return trail_of_case(connection, world.resources.settings.trail_secrets, PROVINCE, case)


def ways(world: FieldWorld, case: str) -> list[tuple[str, str, str]]:
    return [(each.account, each.way, each.told) for each in trail(world, case).accesses]


def test_every_page_that_shows_a_case_says_so_of_that_case_and_no_other(world: FieldWorld) -> None:
    before = {case: len(ways(world, case)) for case in "ABC"}
    bps, operator = client_of(world, office(PROVINCE)), client_of(world, OPERATOR)
    [replacement] = world.rows(
        "SELECT delivery_id FROM ledger.delivery WHERE supersedes IS NOT NULL AND supersedes <> '[]'"
    )
    for client, address in ((bps, QUARANTINE), (operator, API), (bps, f"/deliveries/{PROVINCE}/{replacement[0]}")):
        assert client.get(address).status_code == 200
    own = f"bps{PROVINCE}"
    assert ways(world, "C")[before["C"] :] == [(own, "portal_quarantine", "keluarga"), ("sari", "api_quarantine", "")]
    assert ways(world, "A")[before["A"] :] == [(own, "portal_delivery", replacement[0])]
    assert len(ways(world, "B")) == before["B"], "B was corrected: no list shows it"
    [first, *_] = trail(world, "A").accesses[before["A"] :]
    assert (first.provinces, first.role, first.act) == ((PROVINCE,), "province", "read")


@pytest.mark.parametrize("address", [QUARANTINE, API])
def test_without_its_entry_no_case_is_shown(world: FieldWorld, monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    """The portal's account may read cases and add no entry."""
    with world.resources.account("owner").begin() as connection:
        connection.execute(text("REVOKE INSERT ON ledger.access_case FROM regsosek_portal"))
    try:
        refused = client_of(world, office(PROVINCE)).get(address)
    finally:
        with world.resources.account("owner").begin() as connection:
            connection.execute(text("GRANT INSERT ON ledger.access_case TO regsosek_portal"))
    assert refused.status_code == 503
    assert "no case is shown without one" in refused.text
    assert ">C<" not in refused.text
    assert '"C"' not in refused.text


def test_whoever_has_the_answer_already_is_handed_nothing(world: FieldWorld) -> None:
    client = client_of(world, office(PROVINCE))
    tag = client.get(API).headers["etag"]
    before = len(ways(world, "C"))
    assert client.get(API, headers={"If-None-Match": tag}).status_code == 304
    assert len(ways(world, "C")) == before


def test_a_page_does_not_wait_for_a_trail_that_somebody_holds(
    world: FieldWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("regsosek.privacy.trail.access_trail.LONGEST_WAIT", "SET LOCAL lock_timeout = '50ms'")
    with world.resources.account("owner").begin() as connection:
        connection.execute(text("LOCK TABLE ledger.access"))
        assert client_of(world, office(PROVINCE)).get(API).status_code == 503


def test_commands_enter_what_they_show_and_a_file_is_handed_on(world: FieldWorld, command: Any, tmp_path: Path) -> None:
    before = len(ways(world, "C"))
    listed = command("quarantine", "-p", PROVINCE)
    assert "C" in listed.stdout
    assert command("quarantine", "-p", PROVINCE, "--by", "budi", "--output", str(tmp_path / "q.csv")).exit_code == 0
    assert ways(world, "C")[before:] == [
        ("sari", "command_quarantine", "keluarga"),
        ("budi as sari", "command_quarantine_file", "keluarga"),
    ]
    assert trail(world, "C").accesses[-1].act == "handed on"


def test_a_command_without_its_entry_writes_no_file(
    world: FieldWorld, command: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise AccessTrailError("the disk is full")

    monkeypatch.setattr(AccessTrail, "enter", full)
    done = command("quarantine", "-p", PROVINCE, "--output", str(tmp_path / "q.csv"))
    assert isinstance(done.exception, AccessTrailError)
    assert not (tmp_path / "q.csv").exists()


def test_the_trail_tells_what_became_of_a_case_and_that_it_was_asked_for(
    world: FieldWorld, command: Any, tmp_path: Path
) -> None:
    words = ("privacy", "trail", "-p", PROVINCE, "--case", "B", "--reason", WHY)
    done = command(*words, "--json")
    assert done.exit_code == 0, done.output + repr(done.exception)
    [told] = json.loads(done.stdout)
    steps = [(step["step"], step["told"]) for step in told["processing"]]
    assert ("quarantined", "rules C-303") in steps
    assert ("loaded", "") in steps
    assert steps[-1] == ("stands now", "loaded")
    assert ("freed", "budi; called the office") in steps
    assert [told.partition(" to ")[0] for step, told in steps if step == "published"] == ["1 release"]
    assert (told["accesses"][-1]["way"], told["accesses"][-1]["why"]) == ("command_trail", WHY)
    assert told["kept_rows"]["answers of the family"] == 1
    assert told["kept_rows"]["rows in quarantine, as delivered"] > 0
    assert "letter 12" in command(*words).stdout
    file = tmp_path / "trail.json"
    assert command(*words, "--output", str(file)).exit_code == 0
    assert file.stat().st_mode & 0o777 == 0o600


def test_a_number_is_typed_and_finds_the_cases_that_it_stands_in(world: FieldWorld, command: Any) -> None:
    """Loaded ones by the keyed hash, those in quarantine as they were delivered."""
    asked = ("privacy", "trail", "-p", PROVINCE, "--reason", WHY, "--json")
    for option, number, cases in (("--kk", KK, ["A", "B"]), ("--nik", NIK, ["B", "C"])):
        found = json.loads(command(*asked, option, typed=f"{number}\n").stdout)
        assert [each["case"] for each in found] == cases, option
    unknown = command(*asked, "--nik", typed="9999999999999999\n")
    assert isinstance(unknown.exception, DecisionError)
    assert "9999999999999999" not in unknown.output + str(unknown.exception)


def test_who_reads_is_named_where_an_account_is_a_service_s(
    world: FieldWorld, command: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("regsosek.cli.common._account", lambda: ("regsosek", False))
    assert isinstance(command("quarantine", "-p", PROVINCE).exception, DecisionError)
    assert command("quarantine", "-p", PROVINCE, "--by", "budi").exit_code == 0


def test_only_the_owner_reads_the_trail(world: FieldWorld, command: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("REGSOSEK_WAREHOUSE_OWNER_URL", raising=False)
    settings = world.resources.settings
    assert settings.warehouse_loader_url is not None
    monkeypatch.setenv("REGSOSEK_WAREHOUSE_URL", settings.warehouse_loader_url.get_secret_value())
    done = command("privacy", "trail", "-p", PROVINCE, "--case", "B", "--reason", WHY)
    assert isinstance(done.exception, ConfigurationError)
    assert "only the warehouse's owner reads the trail" in str(done.exception)


def test_an_entry_by_another_key_is_found_with_it_and_missed_aloud_without(world: FieldWorld) -> None:
    old, new = b"o" * 32, b"n" * 32
    AccessTrail(world.resources.loader, old).enter(Access("sari", "", ("*",), "command_trail"), PROVINCE, ["C"])
    with world.resources.account("owner").connect() as connection:
        without = trail_of_case(connection, [new], PROVINCE, "C")
        with_it = trail_of_case(connection, [new, old], PROVINCE, "C")
    assert (len(without.accesses), len(with_it.accesses)) == (0, 1)
    assert without.unknown_keys == with_it.unknown_keys + 1
    assert case_key(old, PROVINCE, "C") != case_key(new, PROVINCE, "C")


def test_retention_ends_entries_and_nothing_else_does(world: FieldWorld) -> None:
    assert ways(world, "C")
    with world.resources.account("owner").begin() as connection:
        assert end_before(connection, datetime(2020, 1, 1, tzinfo=UTC)) == 0
        assert end_before(connection, datetime.now(UTC) + timedelta(hours=1)) > 0
        assert connection.execute(text("SELECT count(*) FROM ledger.access_case")).scalar_one() == 0
        connection.rollback()
    assert ways(world, "C")


def incident(tmp_path: Path, **scope: list[str]) -> str:
    """The template, filled in; known for half an hour."""
    now = datetime.now(UTC).replace(microsecond=0)
    text, _, _ = incident_template().partition("[scope]")
    moments = {"known_at": now - timedelta(minutes=30), "began_at": AT, "ended_at": now + timedelta(hours=1)}
    for field, at in moments.items():
        text = re.sub(rf"(?m)^{field} = .*$", f"{field} = {at.isoformat()}", text)
    file = tmp_path / "incident.toml"
    file.write_text(text + "[scope]\n" + "".join(f"{name} = {value}\n" for name, value in scope.items()))
    return str(file)


def test_a_breach_by_an_account_is_what_it_was_shown(world: FieldWorld, command: Any, tmp_path: Path) -> None:
    """Not the family that was corrected since, and none of its names."""
    stolen = client_of(world, replace(office(PROVINCE), name="stolen"))
    assert [stolen.get(address).status_code for address in (QUARANTINE, API)] == [200, 200]
    file = incident(tmp_path, accounts=["stolen"], ways=["portal_quarantine"])
    listed, told = tmp_path / "cases.csv", tmp_path / "report.md"
    words = ("breach", "report", "--incident", file, "--lang", "en", "--output", str(told), "--cases", str(listed))
    before = len(ways(world, "C"))
    done = command(*words)
    assert done.exit_code == 0, done.output + repr(done.exception)
    report = told.read_text(encoding="utf-8")
    assert "| 64 Kalimantan Timur | 1 | 2 | 0 | 1 |" in report
    assert "| portal_quarantine | 1 |" in report
    assert "api_quarantine" not in report
    assert "71 hours left" in report
    assert "health" not in report
    assert "stolen" not in report
    rows = listed.read_text(encoding="utf-8").splitlines()
    assert [row.split(",")[:2] for row in rows[1:]] == [["64", "C"]]
    assert {path.stat().st_mode & 0o777 for path in (listed, told)} == {0o600}
    assert ways(world, "C")[before:] == [("sari", "command_breach_file", "2026-01")]
    again = command("breach", "report", "--incident", file)
    assert again.stdout.count("laporan ini, atau daftar kasusnya, dibuat") == 2, "who knew when"


@pytest.mark.parametrize(
    ("scope", "cases", "specific"),
    [
        ({"prefixes": [f"landing/prov={PROVINCE}/tanggal={NIGHT}/"]}, 3, True),
        ({"prefixes": ["landing/prov=65/"]}, 0, True),
        ({"provinces": [PROVINCE]}, 3, True),
        ({"provinces": [PROVINCE], "categories": ["keys"]}, 3, False),
        ({"ways": ["sql"], "provinces": [PROVINCE]}, 3, True),
    ],
)
def test_a_breach_by_folder_province_or_login_counts_what_lay_there(
    world: FieldWorld, command: Any, tmp_path: Path, scope: dict[str, list[str]], cases: int, specific: bool
) -> None:
    if "sql" in scope.get("ways", []):
        with world.resources.account("owner").begin() as connection:
            connection.execute(text(OPENED_SESSION))
    done = command("breach", "report", "--incident", incident(tmp_path, **scope), "--lang", "en")
    assert done.exit_code == 0, done.output + repr(done.exception)
    assert f"| All | {cases} | {2 * cases} | {1 if cases else 0} |" in done.stdout
    assert ("(specific data)" in done.stdout) is specific
    assert ("7 families of 1 deliveries that were not taken in" in done.stdout) is (cases == 0)


OPENED_SESSION = """
INSERT INTO ledger.access (id, account, role, provinces, way, told, reason, transaction)
VALUES (gen_random_uuid(), 'statistik', 'regsosek_analyst regsosek_health', '{64,65}', 'sql', '', 'tables', 1)
"""


def test_the_trail_of_a_case_names_logins_that_may_have_read_it(world: FieldWorld) -> None:
    with world.resources.account("owner").begin() as connection:
        connection.execute(text(OPENED_SESSION))
    [*_, opened] = [each for each in trail(world, "B").accesses if each.way == "sql"]
    assert (opened.account, opened.named, opened.why) == ("statistik", False, "tables")
    assert opened.until == opened.at + timedelta(hours=12)
    with world.resources.account("owner").connect() as connection:
        other = trail_of_case(connection, world.resources.settings.trail_secrets, PROVINCE, "nobody")
    assert not other.accesses


def test_the_doctor_sees_a_trail_that_forgets_and_a_login_past_it(world: FieldWorld) -> None:
    named = {"settings", "warehouse", "migration", "trail of access", "readers past the trail"}
    asked = [check for check in CHECKS if check.name in named]
    environ = {**environment(world.resources.settings), "REGSOSEK_ENV_FILE": "/nonexistent"}
    sound = examine(environ, asked)
    assert {sound[name].verdict for name in ("trail of access", "readers past the trail")} == {Verdict.OK}
    with world.resources.engine.begin() as connection:
        connection.execute(text("ALTER TABLE ledger.access DISABLE TRIGGER keep_access"))
        connection.execute(text("CREATE ROLE curious LOGIN"))
        connection.execute(text("GRANT regsosek_loader TO curious"))
    try:
        found = examine(environ, asked)
    finally:
        with world.resources.engine.begin() as connection:
            connection.execute(text("ALTER TABLE ledger.access ENABLE TRIGGER keep_access"))
            connection.execute(text("DROP ROLE curious"))
    assert found["trail of access"].verdict is Verdict.FAIL
    assert "entries of ledger.access can be changed" in found["trail of access"].found
    assert "curious" in found["readers past the trail"].found
