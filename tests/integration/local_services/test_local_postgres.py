"""The embedded PostgreSQL: made once, adopted, restarted, closed to strangers, silent about values."""

import os
import pwd
import signal
import socket
import stat
import subprocess
import sys
import sysconfig
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import psycopg
import pytest

from local_services.postgres import PostgresServer
from local_services.postgres_files import remembered_place, settle
from local_services.processes import LocalServiceError

# The environment's own may lie below somebody's home; the system's serves as well if it is the same version.
INTERPRETERS = (sys.executable, f"/usr/bin/python3.{sys.version_info.minor}")
INCLUDE = Path(__file__).parents[3] / "include"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[PostgresServer]:
    """A server of the test's own, in a path with a space, not started."""
    server = PostgresServer(tmp_path / "with space")
    yield server
    server.forget()


def postmaster_pid(server: PostgresServer) -> int:
    place = remembered_place(server.folder)
    assert place is not None
    return int((place.data / "postmaster.pid").read_text().split()[0])


def processes_of(server: PostgresServer) -> list[int]:
    """Every process that works on the server's data, also children that a dead postmaster left."""
    place = remembered_place(server.folder)
    assert place is not None
    alive = (p for p in psutil.process_iter(["cwd", "status"]) if p.info["status"] != psutil.STATUS_ZOMBIE)
    return [process.pid for process in alive if (process.info["cwd"] or "").startswith(str(place.home))]


def run_python(
    code: str, *arguments: str, interpreter: str = sys.executable, **options: Any
) -> subprocess.CompletedProcess[str]:
    environ = {"PATH": os.environ["PATH"], "PYTHONPATH": os.pathsep.join([str(INCLUDE), sysconfig.get_path("purelib")])}
    command = [interpreter, "-c", textwrap.dedent(code), *arguments]
    return subprocess.run(command, env=environ, capture_output=True, text=True, timeout=120, check=False, **options)


def reachable(interpreter: str, **identity: Any) -> bool:
    try:
        return run_python("import psycopg, psutil, regsosek", interpreter=interpreter, **identity).returncode == 0
    except (PermissionError, FileNotFoundError):
        return False


def test_data_of_a_folder_that_was_deleted_are_not_in_the_way(server: PostgresServer) -> None:
    server.start()
    server.ensure_database("left_behind")
    (server.folder / "password").unlink()
    server.start()
    with server.connect() as connection:
        assert connection.execute("SELECT 1 FROM pg_database WHERE datname = 'left_behind'").fetchone() is None


def test_is_postgresql_18_with_utf8_in_c_order(postgres_server: PostgresServer) -> None:
    with postgres_server.connect() as connection:
        assert connection.info.server_version // 10000 == 18
        database = "SELECT pg_encoding_to_char(encoding), datcollate FROM pg_database WHERE datname = 'postgres'"
        assert connection.execute(database).fetchone() == ("UTF8", "C")
        assert connection.execute("SHOW synchronous_commit").fetchone() == ("on",)


def test_refuses_a_wrong_password(postgres_server: PostgresServer) -> None:
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(host="127.0.0.1", port=postgres_server.port, user="regsosek", password="x", dbname="postgres")


def test_password_is_readable_by_its_owner_only(postgres_server: PostgresServer) -> None:
    assert stat.S_IMODE((postgres_server.folder / "password").stat().st_mode) == 0o600


def test_listens_on_loopback_only(postgres_server: PostgresServer) -> None:
    listening = [c.laddr.ip for c in psutil.Process(postmaster_pid(postgres_server)).net_connections("inet")]
    assert set(listening) == {"127.0.0.1"}


def test_ensure_database_says_whether_it_was_made(postgres_server: PostgresServer) -> None:
    assert postgres_server.ensure_database("made once")
    assert not postgres_server.ensure_database("made once")


def test_log_keeps_no_values_of_failed_statements(postgres_server: PostgresServer) -> None:
    with postgres_server.connect() as connection:
        connection.execute("CREATE TEMPORARY TABLE kasus (id_dokumen text PRIMARY KEY)")
        connection.execute("INSERT INTO kasus VALUES ('3509014107800001')")
        with pytest.raises(psycopg.errors.UniqueViolation):
            connection.execute("INSERT INTO kasus VALUES ('3509014107800001')")
        with pytest.raises(psycopg.errors.InvalidTextRepresentation):
            connection.execute("SELECT '3509014107800001 '::uuid")
    assert "3509014107800001" not in postgres_server.log_file.read_text()


def test_restart_keeps_data_and_address_and_stop_leaves_no_process(server: PostgresServer) -> None:
    server.start()
    server.ensure_database("warehouse")
    address = server.url("warehouse")
    server.stop()
    assert not server.running
    assert processes_of(server) == []
    server.start()
    assert server.url("warehouse") == address
    assert not server.ensure_database("warehouse")


def test_takes_another_port_when_its_own_was_taken(server: PostgresServer) -> None:
    server.start()
    taken = server.port
    server.stop()
    with socket.create_server(("127.0.0.1", taken or 0)):
        server.start()
        assert server.port != taken


def test_adopts_the_server_of_a_killed_launcher(server: PostgresServer) -> None:
    code = """
        import os, pathlib, signal, sys
        from local_services.postgres import PostgresServer
        PostgresServer(pathlib.Path(sys.argv[1])).start()
        os.kill(os.getpid(), signal.SIGKILL)
    """
    assert run_python(code, str(server.folder)).returncode == -signal.SIGKILL
    assert server.running
    adopted = postmaster_pid(server)
    server.start()
    assert postmaster_pid(server) == adopted
    server.stop()
    assert processes_of(server) == []


def test_recovers_from_a_killed_server_without_losing_a_commit(server: PostgresServer) -> None:
    server.start()
    with server.connect() as connection:
        connection.execute("CREATE TABLE kasus AS SELECT generate_series(1, 1000) AS versi")
    os.kill(postmaster_pid(server), signal.SIGKILL)
    server.start()
    with server.connect() as connection:
        assert connection.execute("SELECT count(*) FROM kasus").fetchone() == (1000,)


def test_starts_over_a_lock_whose_process_id_is_somebody_elses(server: PostgresServer) -> None:
    server.start()
    server.stop()
    place = remembered_place(server.folder)
    assert place is not None
    account = place.data.stat().st_uid if os.geteuid() == 0 else None
    with subprocess.Popen(["sleep", "600"], user=account) as somebody:
        try:
            (place.data / "postmaster.pid").write_text(f"{somebody.pid}\n{place.data}\n")
            assert not server.running
            server.start()
            assert postmaster_pid(server) != somebody.pid
        finally:
            somebody.kill()


def test_half_made_cluster_is_made_again(server: PostgresServer) -> None:
    place = settle(server.folder)
    place.data.mkdir(parents=True)
    (place.data / "PG_VERSION").write_text("18\n")
    server.start()
    assert server.running


def test_changes_no_permission_above_its_folder(server: PostgresServer) -> None:
    above = [*server.folder.parents, Path("/var/tmp")]
    before = [(path, path.stat().st_mode, path.stat().st_uid) for path in above]
    server.start()
    assert before == [(path, path.stat().st_mode, path.stat().st_uid) for path in above]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root needs a place outside of the tree")
def test_root_keeps_the_server_where_an_unprivileged_account_reaches_it(server: PostgresServer) -> None:
    server.folder.mkdir(mode=0o700)
    server.start()
    place = remembered_place(server.folder)
    assert place is not None
    assert psutil.Process(postmaster_pid(server)).uids().real != 0
    assert place.home.is_relative_to("/var/tmp")
    assert stat.S_IMODE(place.data.stat().st_mode) == 0o700
    server.forget()
    assert not place.home.exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root could be tricked into a directory of somebody else")
def test_root_refuses_a_place_that_somebody_else_made(server: PostgresServer) -> None:
    home = settle(server.folder).home
    os.chown(home, pwd.getpwnam("nobody").pw_uid, -1)
    with pytest.raises(LocalServiceError, match="belongs to somebody else"):
        server.start()


@pytest.mark.skipif(os.geteuid() != 0, reason="all other tests show it already")
def test_works_for_an_ordinary_user() -> None:
    code = """
        import pathlib, tempfile
        from local_services.postgres import PostgresServer
        with tempfile.TemporaryDirectory() as folder:
            server = PostgresServer(pathlib.Path(folder, "postgres"))
            server.start()
            server.ensure_database("warehouse")
            server.stop()
            server.start()
            print(server.ensure_database("warehouse"), server.port)
            server.forget()
    """
    nobody = pwd.getpwnam("nobody")
    as_nobody = {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": [], "cwd": "/"}
    interpreter = next(filter(lambda python: reachable(python, **as_nobody), INTERPRETERS), None)
    if interpreter is None:
        pytest.skip("no interpreter of this version lies where an ordinary user can reach it")
    done = run_python(code, interpreter=interpreter, **as_nobody)
    assert done.stdout.startswith("False "), done.stderr
