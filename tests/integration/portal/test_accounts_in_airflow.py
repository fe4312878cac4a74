"""Who sees what behind Airflow's own logins: the simple auth manager and FAB, each in a real API server.

Nothing runs but the API server: a minute for both on a quiet machine, most of it Airflow's imports.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from local_services.environment_file import read_environment
from local_services.loopback import HOST, claim_port, wait_until
from local_services.private_files import private_directory
from local_services.processes import BackgroundProcess
from regsosek.doctor.check_result import Verdict
from regsosek.doctor.examination import CHECKS, examine
from regsosek.local import stack
from regsosek.local.airflow import AIRFLOW, API_SERVER
from regsosek.local.airflow_environment import AirflowPlan, airflow_environment
from regsosek.settings import PROJECT_ROOT
from support.checks.airflow_routes import asked, committed, routes, served, write

PASSWORD = "a-password-of-this-test"
FAB = "airflow.providers.fab.auth_manager.fab_auth_manager.FabAuthManager"
# Airflow's own commands, all in one process: each alone takes fifteen seconds to be imported.
COMMANDS = """
import json, sys
from airflow.cli.cli_parser import get_parser
for arguments in json.loads(sys.argv[1]):
    parsed = get_parser().parse_args(arguments)
    parsed.func(parsed)
"""
REGIONS = "/regsosek/api/v1/regions"
RUN = "/api/v2/dags/regsosek_nightly/dagRuns"
ONCE_OPEN = [
    ("GET", RUN),
    ("GET", f"{RUN}/x/taskInstances/receive/logs/1?map_index=21"),
    ("GET", f"{RUN}/x/taskInstances/receive/xcomEntries/return_value?map_index=21"),
    ("GET", "/api/v2/eventLogs"),
    ("POST", "/api/v2/dags/regsosek_replay/dagRuns"),
]
BROWSER = {"Accept": "text/html, application/json"}


def user(name: str, role: str) -> list[str]:
    person = ["--firstname", "A", "--lastname", "B", "--email", f"{name}@bps.example", "--password", PASSWORD]
    return ["users", "create", "--username", name, "--role", role, *person]


@dataclass(frozen=True)
class Manager:
    """An auth manager: how Airflow is told of it and its accounts, and our table of them."""

    variables: dict[str, str]
    commands: list[list[str]]
    accounts: str


# The account of the province is told by its own name here, by its role there.
MANAGERS = {
    "simple": Manager(
        {"AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS": "admin:admin,op:op,kanwil:viewer,stranger:viewer"},
        [],
        "admin,role,*,operator sensitive\nop,role,*,operator\nkanwil,user,64,\n",
    ),
    "fab": Manager(
        {"AIRFLOW__CORE__AUTH_MANAGER": FAB},
        [
            ["roles", "create", "Kanwil64"],
            user("admin", "Admin"),
            user("op", "Op"),
            user("kanwil", "Kanwil64"),
            user("stranger", "Viewer"),
            # What no operator should do, and some will.
            user("more", "Viewer"),
            ["users", "add-role", "--username", "more", "--role", "Kanwil64"],
        ],
        "Admin,role,*,operator\nOp,role,*,operator\nKanwil64,role,64,\n",
    ),
}


@dataclass(frozen=True)
class Server:
    """A running API server and the table of accounts that it goes by."""

    client: httpx.Client
    accounts: Path
    manager: str
    environment: dict[str, str]

    def get(self, path: str, account: str | None = None, *, cookie: bool = False) -> httpx.Response:
        """What an account, or nobody, gets."""
        return self.client.get(path, headers=self.login(account, cookie=cookie))

    def login(self, account: str | None, *, cookie: bool = False) -> dict[str, str]:
        """The header of an account that logs in now."""
        if not account:
            return {}
        token = self.enters(account, PASSWORD).json()["access_token"]
        return {"Cookie": f"_token={token}"} if cookie else {"Authorization": f"Bearer {token}"}

    def enters(self, account: str, password: str) -> httpx.Response:
        """The answer to a login."""
        return self.client.post("/auth/token", json={"username": account, "password": password})


@pytest.fixture(scope="module", params=sorted(MANAGERS))
def server(
    request: pytest.FixtureRequest, services: stack.Stack, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    manager, home = MANAGERS[request.param], tmp_path_factory.mktemp(request.param) / "airflow"
    private_directory(home)
    (home / "dags").mkdir()
    (home / "passwords.json").write_text(json.dumps(dict.fromkeys(("admin", "op", "kanwil", "stranger"), PASSWORD)))
    accounts = home / "accounts.csv"
    accounts.write_text("account,kind,provinces,rights\n" + manager.accounts)
    port = claim_port(home / "port.json")
    database = f"airflow_{request.param}"
    services.postgres.ensure_database(database)
    regsosek = {"REGSOSEK_ENV_FILE": str(services.environment_file), "REGSOSEK_ACCOUNTS_FILE": str(accounts)}
    plan = AirflowPlan(
        database_url=services.postgres.url(database),
        dags_folder=home / "dags",
        plugins_folder=PROJECT_ROOT / "plugins",
        variables=regsosek | manager.variables,
        inherited=os.environ,
    )
    environment = airflow_environment(home, port, plan)
    commands = json.dumps([["db", "migrate"], *manager.commands])
    subprocess.run([sys.executable, "-c", COMMANDS, commands], env=environment, check=True, capture_output=True)
    process = BackgroundProcess(API_SERVER, home / "processes")
    url = f"http://{HOST}:{port}"
    try:
        process.start([*AIRFLOW, API_SERVER, "--host", HOST], environment)
        assert wait_until(lambda: not process.running or _answers(url), seconds=240, interval=0.5)
        assert process.running
        with httpx.Client(base_url=url, trust_env=False, timeout=60) as client:
            yield Server(client, accounts, request.param, environment | read_environment(services.environment_file))
    finally:
        process.stop()


def _answers(url: str) -> bool:
    try:
        return httpx.get(f"{url}/api/v2/monitor/health", timeout=5, trust_env=False).status_code == httpx.codes.OK
    except httpx.TransportError:
        return False


def seen(answer: httpx.Response) -> set[str]:
    assert answer.status_code == 200, answer.text
    return {row["kode"] for row in answer.json()["rows"]}


def test_nobody_is_let_in_without_a_login(server: Server) -> None:
    for path in ("/regsosek/", REGIONS, "/regsosek/api/v1/openapi.json", "/regsosek/api/v1/quarantine?provinsi=64"):
        assert server.get(path).status_code == 401, path
    for path in ("/regsosek/docs", "/regsosek/openapi.json", "/regsosek/api/v1/docs", "/regsosek/api/v1/redoc"):
        assert server.get(path).status_code in {401, 404}, path


def test_who_runs_airflow_sees_the_nation(server: Server) -> None:
    assert len(seen(server.get(f"{REGIONS}?tingkat=provinsi", "admin"))) == 34
    document = server.get("/regsosek/api/v1/openapi.json", "admin").json()
    assert document["servers"] == [{"url": "/regsosek/api/v1"}]
    assert document["components"]["securitySchemes"]


@pytest.mark.parametrize("cookie", [False, True])
def test_the_account_of_a_province_sees_its_own(server: Server, cookie: bool) -> None:
    assert seen(server.get(f"{REGIONS}?tingkat=provinsi", "kanwil", cookie=cookie)) == {"64"}
    foreign, unknown = (server.get(f"{REGIONS}?provinsi={code}", "kanwil", cookie=cookie) for code in ("65", "99"))
    assert (foreign.status_code, foreign.content) == (404, unknown.content)


def test_an_account_that_is_not_entered_gets_words_and_no_data(server: Server) -> None:
    for path in ("/regsosek/", REGIONS, "/regsosek/api/v1/openapi.json"):
        answer = server.get(path, "stranger")
        assert answer.status_code == 403
        assert "REGSOSEK_ACCOUNTS_FILE" in answer.text
        assert "Kalimantan" not in answer.text


def test_the_table_is_read_again_when_it_changed(server: Server) -> None:
    before = server.accounts.read_text()
    try:
        server.accounts.write_text(f"{before}stranger,user,65,\n")
        assert seen(server.get(f"{REGIONS}?tingkat=provinsi", "stranger")) == {"65"}
        server.accounts.write_text(f"{before}stranger,user,66,\n")
        faulty = server.get(REGIONS, "admin")
        assert faulty.status_code == 503
        assert "no such province: 66" in faulty.json()["detail"]
        # Our pages let nobody in; Airflow's own go by Airflow's roles, so that somebody can look what is wrong.
        assert server.get("/api/v2/dags", "admin").status_code == 200
        assert server.get("/api/v2/dags", "kanwil").status_code == 403
    finally:
        server.accounts.write_text(before)


@pytest.mark.parametrize("server", ["fab"], indirect=True)
def test_every_route_of_airflow_is_closed_to_all_but_operators(server: Server, tmp_path: Path) -> None:
    logins = {"nobody": None, "stranger": "stranger", "province": "more", "operator": "op"}
    headers = {account: server.login(name) | BROWSER for account, name in logins.items()}
    tried = [
        {"path": route.path, "verb": route.verb}
        | {account: asked(server.client, route, headers[account]) for account in logins}
        for route in routes(served(server.client, headers["operator"]))
    ]
    write(tmp_path / "airflow_routes.csv", tried)
    assert tried == committed(), f"look at each difference; what was tried lies in {tmp_path}"


def test_what_a_province_once_read_of_others_is_closed(server: Server) -> None:
    headers = server.login("kanwil")
    answers = [server.client.request(verb, path, headers=headers).status_code for verb, path in ONCE_OPEN]
    assert answers == [403] * len(ONCE_OPEN)
    assert server.client.get("/api/v2/dags", headers=server.login("op")).status_code == 200


def test_the_doctor_names_who_can_open_airflow_and_should_not(server: Server) -> None:
    checks = [check for check in CHECKS if check.name in {"accounts file", "logins of Airflow"}]
    found = examine(server.environment, checks)["logins of Airflow"]
    assert found.verdict is Verdict.FAIL
    named = "them: more (Viewer), stranger (Viewer)" if server.manager == "fab" else "kanwil, stranger"
    assert found.found.endswith(f" to {named}")


def test_passwords_are_not_guessed(server: Server) -> None:
    answers = [server.enters("guessed", "wrong").status_code for _ in range(11)]
    assert answers == [401] * 10 + [429]
