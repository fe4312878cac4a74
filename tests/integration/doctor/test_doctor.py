"""`regsosek doctor`: a healthy deployment, and the same one broken in many ways, each really broken on real servers."""

import json
import os
import socket
import subprocess
import sysconfig
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult
from psycopg import sql

from local_services.loopback import HOST, claim_port, wait_until
from regsosek.doctor.check_result import CheckResult, Verdict
from regsosek.doctor.examination import examine, healthy
from regsosek.geography.reference_table import DATA
from regsosek.local.stack import Stack
from support.checks.command_line import environment
from support.worlds.field_world import FieldWorld, family
from support.worlds.one_account import one_account_variables

RECIPIENTS = DATA / "recipients.csv"
KEPT_RULES = ("C-303",)
NIGHT = date(2022, 10, 21)
OTHER_KEY = "0123456789abcdef" * 4
Environment = dict[str, str]


@dataclass(frozen=True)
class Deployment:
    """The variables of a deployment without faults, its servers, and a directory for what a test breaks."""

    variables: Environment
    services: Stack
    world: FieldWorld
    place: Path

    def file(self, name: str, content: str) -> str:
        path = self.place / name
        path.write_text(content, encoding="utf-8")
        return str(path)


@pytest.fixture(scope="module")
def sound(prepared: FieldWorld, services: Stack, tmp_path_factory: pytest.TempPathFactory) -> Deployment:
    """One family is loaded, so that there is a hash to compare the key with."""
    household, members = family()
    with_number = [member | {"r403_nik": "1101010101800001"} for member in members]
    prepared.deliver(NIGHT, [(household, with_number)], produced_at=datetime(2022, 10, 21, 12, tzinfo=UTC))
    prepared.run(NIGHT)
    place = tmp_path_factory.mktemp("deployment")
    deployment = Deployment(
        environment(prepared.resources.settings) | {"REGSOSEK_ENV_FILE": "/nonexistent"}, services, prepared, place
    )
    own = {
        "REGSOSEK_RECIPIENTS_FILE": deployment.file("recipients.csv", RECIPIENTS.read_text(encoding="utf-8")),
        "REGSOSEK_MAIL_SENDER": "nightly@bps.test",
        "REGSOSEK_LEAST_FREE_GIB": "0.001",
    }
    return replace(deployment, variables=deployment.variables | own)


@pytest.fixture
def deployment(sound: Deployment, tmp_path: Path) -> Deployment:
    return replace(sound, place=tmp_path)


Break = Callable[[Deployment], AbstractContextManager[Environment]]


def changed(**variables: str) -> Break:
    """Other values of some variables; the names are given without their prefix."""
    return lambda _: nullcontext({f"REGSOSEK_{name}": value for name, value in variables.items()})


def in_url(find: str, put: str) -> Break:
    """Another address of the warehouse."""

    def breaking(deployment: Deployment) -> AbstractContextManager[Environment]:
        known = {
            "{password}": deployment.world.resources.engine.url.password or "",
            "{port}": str(deployment.services.postgres.port),
        }
        known["{database}"] = deployment.world.resources.engine.url.database or ""
        url = deployment.variables["REGSOSEK_WAREHOUSE_URL"]
        assert known[find] in url
        before, _, after = url.rpartition(known[find])
        return nullcontext({"REGSOSEK_WAREHOUSE_URL": before + put + after})

    return breaking


def in_file(variable: str, content: str | Callable[[], str]) -> Break:
    def breaking(deployment: Deployment) -> AbstractContextManager[Environment]:
        text = content if isinstance(content, str) else content()
        return nullcontext({f"REGSOSEK_{variable}": deployment.file("broken.csv", text)})

    return breaking


def recipients_with(line: str, other: str) -> Callable[[], str]:
    """All recipients, one line of them changed."""

    def text() -> str:
        known = RECIPIENTS.read_text(encoding="utf-8")
        assert line in known
        return known.replace(line, other)

    return text


def other_options(deployment: Deployment) -> AbstractContextManager[Environment]:
    """A connection whose sessions have another setting than they ask for."""
    url = f"{deployment.variables['REGSOSEK_WAREHOUSE_URL']}?options=-c%20idle_session_timeout%3D5min"
    return nullcontext({"REGSOSEK_WAREHOUSE_URL": url})


@contextmanager
def empty_database(deployment: Deployment) -> Iterator[Environment]:
    deployment.services.postgres.ensure_database("doctor_empty")
    with in_url("{database}", "doctor_empty")(deployment) as variables:
        yield variables


@contextmanager
def reader_only(deployment: Deployment) -> Iterator[Environment]:
    """An account that may read everything and no more."""
    engine = deployment.world.resources.engine
    with deployment.services.postgres.connect(engine.url.database or "") as connection:
        connection.execute("CREATE ROLE doctor_reader LOGIN PASSWORD 'doctor-reader-password'")
        database = sql.Identifier(engine.url.database or "")
        connection.execute(sql.SQL("GRANT CONNECT ON DATABASE {} TO doctor_reader").format(database))
        for schema in ("ledger", "reference", "core", "restricted"):
            connection.execute(sql.SQL("GRANT USAGE ON SCHEMA {} TO doctor_reader").format(sql.Identifier(schema)))
            connection.execute(
                sql.SQL("GRANT SELECT ON ALL TABLES IN SCHEMA {} TO doctor_reader").format(sql.Identifier(schema))
            )
        url = engine.url.set(username="doctor_reader", password="doctor-reader-password")
        yield one_account_variables(url.render_as_string(hide_password=False))
        connection.execute("DROP OWNED BY doctor_reader")
        connection.execute("DROP ROLE doctor_reader")


@contextmanager
def without_reference(deployment: Deployment) -> Iterator[Environment]:
    with deployment.services.postgres.connect(deployment.world.resources.engine.url.database or "") as connection:
        connection.execute("CREATE TABLE public.kept AS TABLE reference.version")
        connection.execute("DELETE FROM reference.version")
        yield {}
        connection.execute("INSERT INTO reference.version TABLE public.kept")
        connection.execute("DROP TABLE public.kept")


@contextmanager
def read_only_store(deployment: Deployment) -> Iterator[Environment]:
    """The same buckets behind a server that lets nobody write."""
    port = claim_port(deployment.place / "port.json")
    keys = f'"{deployment.services.object_store.access_key_id},{deployment.services.object_store.secret_access_key}"'
    rclone = Path(sysconfig.get_path("scripts")) / "rclone"
    command = [rclone, "serve", "s3", deployment.services.object_store.data, f"--addr={HOST}:{port}", "--read-only"]
    variables = {"RCLONE_AUTH_KEY": keys, "RCLONE_CONFIG": "", "HOME": str(deployment.place)}
    with subprocess.Popen(command, env=variables, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as server:
        try:
            assert wait_until(lambda: _listens(port), seconds=20)
            yield {"REGSOSEK_S3_ENDPOINT_URL": f"http://{HOST}:{port}"}
        finally:
            server.terminate()


def _listens(port: int) -> bool:
    with socket.socket() as asked:
        return asked.connect_ex((HOST, port)) == 0


class Yesterday(BaseHTTPRequestHandler):
    """A store whose clock stands in 2022."""

    def do_HEAD(self) -> None:
        self.send_response(403)
        self.end_headers()

    def date_time_string(self, timestamp: float | None = None) -> str:
        return "Fri, 21 Oct 2022 00:00:00 GMT"

    def log_message(self, *_: Any) -> None:
        pass


@contextmanager
def store_of_yesterday(deployment: Deployment) -> Iterator[Environment]:
    with HTTPServer((HOST, 0), Yesterday) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield {"REGSOSEK_S3_ENDPOINT_URL": f"http://{HOST}:{server.server_port}"}
        server.shutdown()


@contextmanager
def strict_relay(deployment: Deployment) -> Iterator[Environment]:
    """A relay that knows nobody."""
    port = claim_port(deployment.place / "port.json")
    relay = Controller(
        object(), hostname=HOST, port=port, auth_require_tls=False,
        authenticator=lambda *_: AuthResult(success=False, handled=False),
    )  # fmt: skip
    relay.start()
    try:
        login = {"REGSOSEK_SMTP_USERNAME": "nightly", "REGSOSEK_SMTP_PASSWORD": "wrong-relay-password"}
        yield {"REGSOSEK_SMTP_PORT": str(port), **login}
    finally:
        relay.stop()


def open_work_dir(deployment: Deployment) -> AbstractContextManager[Environment]:
    deployment.place.chmod(0o755)
    return nullcontext({"REGSOSEK_WORK_DIR": str(deployment.place)})


def left_by_a_killed_run(deployment: Deployment) -> AbstractContextManager[Environment]:
    """A folder whose lock nobody holds, with a delivered file in it."""
    deployment.place.chmod(0o700)
    folder = deployment.place / "prov64-0123456789abcdef"
    folder.mkdir(mode=0o700)
    (folder / "keluarga-00001.csv.gz").write_bytes(bytes(3 << 20))
    folder.with_name(folder.name + ".lock").touch()
    return nullcontext({"REGSOSEK_WORK_DIR": str(deployment.place)})


def work_dir_in_a_file(deployment: Deployment) -> AbstractContextManager[Environment]:
    return nullcontext({"REGSOSEK_WORK_DIR": deployment.file("file", "") + "/work"})


@dataclass(frozen=True)
class Case:
    """How the deployment is broken; which check must say so, with which words, and what it must advise.

    ``besides``: checks that cannot but fail with it.
    """

    breaking: Break
    check: str
    found: str
    fix: str
    besides: frozenset[str] = frozenset()


BUCKETS = frozenset({"landing bucket", "archive bucket", "release bucket"})
WAREHOUSE = frozenset({"warehouse"})
CASES = {
    "unknown variable": Case(
        changed(SMTP_HSOT="mail"), "settings", "did you mean REGSOSEK_SMTP_HOST", "set them in .env"
    ),
    "missing key": Case(changed(HMAC_KEY=""), "settings", "REGSOSEK_HMAC_KEY: field required", "set them in .env"),
    "wrong password": Case(in_url("{password}", "wrong"), "warehouse", "refuses our password", "correct the password"),
    "closed port": Case(in_url("{port}", "1"), "warehouse", "nothing listens", "start PostgreSQL"),
    "no database": Case(in_url("{database}", "nowhere"), "warehouse", "does not exist", "create-databases.sh"),
    "unmigrated warehouse": Case(empty_database, "migration", "no schema yet", "regsosek migrate"),
    "wrong rights": Case(
        reader_only, "warehouse accounts", "the account of the loader may not do its work", "regsosek_loader",
        frozenset({"release pointer"}),
    ),
    "a pooler that drops settings": Case(
        other_options, "sessions of the warehouse", "idle_session_timeout is 5min", "pass on `options`"
    ),
    "no reference data": Case(without_reference, "reference data", "sls", "regsosek reference"),
    "missing bucket": Case(changed(ARCHIVE_BUCKET="nowhere"), "archive bucket", "no such bucket", "ARCHIVE_BUCKET"),
    "one bucket for two uses": Case(
        lambda deployment: nullcontext({"REGSOSEK_RELEASE_BUCKET": deployment.variables["REGSOSEK_ARCHIVE_BUCKET"]}),
        "buckets", "share a bucket", "a bucket each",
    ),
    "read-only bucket": Case(
        read_only_store, "release bucket", "refuses to write", "the right to write", BUCKETS
    ),
    "wrong secret": Case(
        changed(S3_SECRET_ACCESS_KEY="wrong-secret-of-the-store"), "landing bucket", "secret key is wrong",
        "S3_SECRET_ACCESS_KEY", BUCKETS,
    ),
    "store down": Case(
        changed(S3_ENDPOINT_URL="http://127.0.0.1:1"), "clock of the object store", "does not answer",
        "start the store", BUCKETS,
    ),
    "wrong clock": Case(store_of_yesterday, "clock of the object store", "ahead of", "time server", BUCKETS),
    "wrong zone": Case(
        lambda _: nullcontext({"AIRFLOW__CORE__DEFAULT_TIMEZONE": "UTC"}), "time zones", "is UTC", "Asia/Jakarta"
    ),
    "no relay": Case(changed(SMTP_PORT="1"), "mail relay", "nothing listens", "start the relay"),
    "no STARTTLS": Case(changed(SMTP_STARTTLS="true"), "mail relay", "does not offer STARTTLS", "SMTP_STARTTLS"),
    "no maildir": Case(
        changed(BOUNCE_MAILDIR="/nowhere"), "mailbox of bounces", "is no maildir", "REGSOSEK_BOUNCE_MAILDIR"
    ),
    "no IMAP": Case(
        changed(BOUNCE_IMAP_HOST="127.0.0.1", BOUNCE_IMAP_PORT="1"), "mailbox of bounces",
        "cannot be reached (ConnectionRefusedError 111)", "REGSOSEK_BOUNCE_IMAP_HOST and its login",
    ),
    "refused login": Case(strict_relay, "mail relay", "refuses our login", "SMTP_PASSWORD"),
    "malformed CSV": Case(
        in_file("CALENDAR_FILE", "province;opens\n11;2022"), "calendar file", "the header must be", "do what"
    ),
    "malformed accounts": Case(
        in_file("ACCOUNTS_FILE", "account,kind,provinces,rights\nsiti,user,11,rule"), "accounts file", "no such right",
        "do what",
    ),
    "a province that nobody hears from": Case(
        in_file("RECIPIENTS_FILE", recipients_with("12,operasional", "11,operasional")), "recipients file", "12",
        "do what",
    ),
    "one mailbox of two offices": Case(
        in_file("RECIPIENTS_FILE", recipients_with("prov12@", "prov11@")), "recipients file",
        "provinces 11 and 12 have the same address", "a mailbox of its own",
    ),
    "HMAC key changed": Case(
        changed(HMAC_KEY=OTHER_KEY), "HMAC key in use", "another key", "bring the old REGSOSEK_HMAC_KEY back"
    ),
    "HMAC key by hand": Case(
        changed(HMAC_KEY="rahasia" * 6), "HMAC key", "can be guessed", "openssl",
        frozenset({"HMAC key in use", "trail key"}),
    ),
    "malformed signing key": Case(
        changed(RELEASE_SIGNING_KEY="not-hexadecimal-at-all"), "signing key", "not a secret key", "do what"
    ),
    "work dir cannot be written": Case(work_dir_in_a_file, "work dir", "cannot be written to", "WORK_DIR"),
    "work dir open to others": Case(open_work_dir, "work dir", "others can read it", "chmod 0700"),
    "full disk": Case(changed(LEAST_FREE_GIB="1000000"), "disk space", "wants 1e+06", "free space"),
    "malformed memory": Case(changed(MEMORY_LIMIT="much"), "memory", "is no size: much", "1500MB"),
    "unreadable rules": Case(
        changed(EXPECTATIONS_DIR="/nonexistent"), "expectations", "cannot be read", "do what"
    ),
}  # fmt: skip


def test_what_a_killed_run_left_is_counted_and_left_alone(deployment: Deployment) -> None:
    with left_by_a_killed_run(deployment) as broken:
        found = examine(deployment.variables | broken)["work folders"]
    assert found.verdict is Verdict.WARN
    assert "1 work folder(s) of ended runs (3.0 MiB, the oldest touched last" in found.found
    assert "the next night, replay or audit deletes" in found.fix
    assert (deployment.place / "prov64-0123456789abcdef").is_dir()


def secrets_of(variables: Mapping[str, str], deployment: Deployment) -> set[str]:
    named = ("KEY", "SECRET", "PASSWORD")
    found = {value for name, value in variables.items() if any(word in name for word in named) and len(value) > 1}
    return found | {deployment.world.resources.engine.url.password or "", "doctor-reader-password"}


def failed(findings: Mapping[str, CheckResult]) -> set[str]:
    return {name for name, finding in findings.items() if finding.verdict is Verdict.FAIL}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_a_broken_deployment(deployment: Deployment, case: Case) -> None:
    with case.breaking(deployment) as broken:
        variables = deployment.variables | broken
        findings = examine(variables)
    found = findings[case.check]
    assert found.verdict is Verdict.FAIL
    assert case.found in found.found
    assert case.fix in found.fix
    assert failed(findings) <= {case.check} | case.besides
    told = " ".join(f"{each.found} {each.fix}" for each in findings.values())
    assert not [secret for secret in secrets_of(variables, deployment) if secret in told]


def test_a_sound_deployment(sound: Deployment) -> None:
    findings = examine(sound.variables)
    assert failed(findings) == set()
    assert not [name for name, finding in findings.items() if finding.verdict is Verdict.SKIP]
    assert healthy(findings)
    assert "2022-10-21" in findings["HMAC key in use"].found


def doctor(variables: Environment, *options: str) -> subprocess.CompletedProcess[str]:
    command = [str(Path(sysconfig.get_path("scripts")) / "regsosek"), "doctor", *options]
    return subprocess.run(
        command, env={"PATH": os.environ["PATH"], **variables}, capture_output=True, text=True, check=False
    )


def test_the_command_tells_people(deployment: Deployment) -> None:
    ended = doctor(deployment.variables | {"REGSOSEK_SMTP_PORT": "1"})
    assert ended.returncode == 1
    [line] = [line for line in ended.stdout.splitlines() if line.startswith("FAIL")]
    assert "mail relay" in line
    assert "->" in line


def test_the_command_tells_programs(deployment: Deployment) -> None:
    ended = doctor(deployment.variables, "--json")
    assert ended.returncode == 0, ended.stdout
    document = json.loads(ended.stdout)
    assert {"check", "verdict", "found", "fix"} == set(document[0])
    assert "FAIL" not in {each["verdict"] for each in document}
