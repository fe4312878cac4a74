"""One PostgreSQL, object store and mail sink for the whole session; a database and buckets of its own per module."""

from collections.abc import Iterator

import boto3
import pytest
from psycopg import sql
from sqlalchemy import Engine

from hostile.searched import Remembered, remembered
from local_services.mail_sink import MailSink
from local_services.object_store import LocalObjectStore
from local_services.postgres import PostgresServer
from regsosek.geography.plan import STEADY_NAME
from regsosek.local import stack
from regsosek.quality.rules import load_suites
from regsosek.release import build
from regsosek.release.audit import audit, published_rules
from regsosek.release.files import workbook
from regsosek.release.site import pages
from regsosek.release.site.addresses import NATION_PAGE
from regsosek.resources import open_resources
from regsosek.settings import PROJECT_ROOT, Settings, load_settings
from regsosek.warehouse.database import connect
from regsosek.warehouse.migration import migrate
from support.worlds.alerted_night import alert_warehouse, emptied
from support.worlds.field_world import FieldWorld, few_rules
from support.worlds.kept_state import copy_database
from support.worlds.prepared_outbox import emptied_outbox

TEST_DATABASE, MIGRATED = "regsosek_test", "regsosek_migrated"
LEFT_OUT = b"left out by a test"
WORKBOOK = workbook.workbook


@pytest.fixture(scope="module", autouse=True)
def tables_alone(request: pytest.FixtureRequest) -> Iterator[None]:
    """In a module with ``TABLES_ALONE = True`` a release has no pages and no workbook, and no Great Expectations' word.

    That is half of a small release's time; every table is built, audited and uploaded as ever.
    """
    with pytest.MonkeyPatch.context() as patch:
        if getattr(request.module, "TABLES_ALONE", False):
            patch.setattr(audit, "rule_faults", lambda _rules, _files: [])
            patch.setattr(build, "site", lambda *_: {NATION_PAGE: LEFT_OUT})
            patch.setattr(workbook, "workbook", lambda _night, _tables: LEFT_OUT)
        yield


@pytest.fixture
def whole_release(monkeypatch: pytest.MonkeyPatch) -> None:
    """A test of such a module for which releases are as whole as ever."""
    monkeypatch.setattr(audit, "rule_faults", published_rules.rule_faults)
    monkeypatch.setattr(build, "site", pages.site)
    monkeypatch.setattr(workbook, "workbook", WORKBOOK)


@pytest.fixture(scope="session")
def services(tmp_path_factory: pytest.TempPathFactory) -> Iterator[stack.Stack]:
    root = tmp_path_factory.mktemp("services")
    try:
        started = stack.services_up(root)
        _without_waiting_for_the_disk(started.postgres)
        yield started
    finally:
        stack.clean(root)


@pytest.fixture(scope="session")
def postgres_server(services: stack.Stack) -> PostgresServer:
    return services.postgres


@pytest.fixture(scope="session")
def object_store(services: stack.Stack) -> LocalObjectStore:
    return services.object_store


@pytest.fixture(scope="session")
def mail_sink(services: stack.Stack) -> MailSink:
    return services.mail


@pytest.fixture(scope="session")
def migrated_database(services: stack.Stack) -> str:
    """The name of a database with the tables of a warehouse and nothing in them, which each module takes a copy of."""
    services.postgres.ensure_database(MIGRATED)
    engine = connect(load_settings({**services.environment(MIGRATED), **_as_the_servers_own(services, MIGRATED)}))
    migrate(engine)
    engine.dispose()
    return MIGRATED


@pytest.fixture(scope="module")
def services_env(services: stack.Stack, migrated_database: str, request: pytest.FixtureRequest) -> Settings:
    """Settings on the running services: a warehouse without data, and empty buckets named after the module."""
    copy_database(services.postgres, migrated_database, TEST_DATABASE)
    module = request.module.__name__.rsplit(".", 1)[-1].replace("_", "-")
    buckets = {f"REGSOSEK_{use}_BUCKET": f"{module}-{use.lower()}" for use in ("LANDING", "ARCHIVE", "RELEASE")}
    settings = load_settings(
        {
            **services.environment(TEST_DATABASE),
            **_as_the_servers_own(services, TEST_DATABASE),
            "REGSOSEK_PLAN_SHAPE": STEADY_NAME,  # the plan that figures of 2022 were published beside
            **buckets,
            "REGSOSEK_SECOND_LOOK_SECONDS": "0",
        }
    )
    client = boto3.client(
        "s3",
        endpoint_url=settings.s3_endpoint_url,
        region_name=settings.s3_region,
        aws_access_key_id=settings.s3_access_key_id.get_secret_value(),
        aws_secret_access_key=settings.s3_secret_access_key.get_secret_value(),
    )
    for bucket in buckets.values():
        client.create_bucket(Bucket=bucket)
    return settings


@pytest.fixture(scope="module")
def log() -> Iterator[Remembered]:
    """Every line that the module's nights log."""
    with remembered() as lines:
        yield lines


@pytest.fixture(scope="module")
def prepared(
    services_env: Settings, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[FieldWorld]:
    """A world ready for deliveries, judged by the rules that the module names in ``KEPT_RULES``, else by all."""
    settings = services_env.model_copy(update={"work_dir": tmp_path_factory.mktemp("work")})
    kept = getattr(request.module, "KEPT_RULES", None)
    with open_resources(settings) as resources:
        world = FieldWorld(resources, load_suites(PROJECT_ROOT / "expectations") if kept is None else few_rules(kept))
        world.prepare(tmp_path_factory.mktemp("reference"))
        yield world


@pytest.fixture
def world(prepared: FieldWorld) -> Iterator[FieldWorld]:
    """The prepared world without deliveries; what a test changes in its settings is gone with it."""
    plain = prepared.resources
    yield prepared.fresh()
    prepared.resources = plain


@pytest.fixture(scope="module")
def alert_tables(services_env: Settings) -> Iterator[Engine]:
    """The warehouse of ``tests/support/worlds/alerted_night.py``."""
    with alert_warehouse(services_env) as engine:
        yield engine


@pytest.fixture
def seeded(alert_tables: Engine, mail_sink: MailSink) -> Engine:
    """The same without deliveries, conditions, messages and mails."""
    return emptied(alert_tables, mail_sink)


@pytest.fixture(scope="module")
def outbox_tables(services_env: Settings) -> Iterator[Engine]:
    """A warehouse of the module's own, for messages alone."""
    engine = connect(services_env)
    migrate(engine)
    yield engine
    engine.dispose()


@pytest.fixture
def engine(outbox_tables: Engine) -> Engine:
    """The same without messages."""
    return emptied_outbox(outbox_tables)


def _without_waiting_for_the_disk(postgres: PostgresServer) -> None:
    """No test pulls the plug of the machine: what the server wrote is safe in the kernel's memory."""
    with postgres.connect() as connection:
        for setting in ("fsync", "synchronous_commit", "full_page_writes"):
            connection.execute(sql.SQL("ALTER SYSTEM SET {} = off").format(sql.Identifier(setting)))
        connection.execute("SELECT pg_reload_conf()")


def _as_the_servers_own(services: stack.Stack, database: str) -> dict[str, str]:
    """What a test itself asks for, migrates or breaks, it does as the server's own; the pipeline's parts do not."""
    return {
        "REGSOSEK_WAREHOUSE_URL": services.postgres.url(database),
        "REGSOSEK_WAREHOUSE_OWNER_URL": "",
        "REGSOSEK_ENV_FILE": "/nonexistent",
    }
