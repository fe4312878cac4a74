"""Servers of the soak's own, which it may kill, and warehouses made from one that holds reference data alone."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from psycopg import sql
from sqlalchemy import make_url

from local_services.loopback import HOST
from regsosek.contract.codebook import STREAMS
from regsosek.geography.regions import region_master
from regsosek.local import stack
from regsosek.local.stack import Stack
from regsosek.quality.rules import load_suites
from regsosek.resources import open_resources
from regsosek.settings import PROJECT_ROOT, Settings, load_settings
from regsosek.warehouse.reference import load_frame, load_regions
from support.deliveries.families import PROVINCE, SUBSLS
from support.worlds.field_world import FEW_RULES, FRAME_COLUMNS, FieldWorld, near_master
from support.worlds.one_account import one_account_variables

EMPTY = "soak_empty"
NEIGHBOUR = "65"
PROVINCES = (PROVINCE, NEIGHBOUR)
LIMITS = "province,dataset,limit_percent,least_rows,source\n*,keluarga,60,4,test\n*,anggota,100,4,test\n"
KEPT = {*FEW_RULES, "G01"}


@cache
def subsls_of(province: str) -> str:
    """The first sub-SLS of the frame in ``province``."""
    if province == PROVINCE:
        return SUBSLS
    desa = (code for code, each in region_master().regions.items() if each.level == "desa" and code[:2] == province)
    return f"{min(desa)}000100"


@dataclass(frozen=True)
class Stage:
    """The servers, and the place for files of the soak."""

    services: Stack
    place: Path

    @contextmanager
    def world(self, name: str, *, landing: str | None = None) -> Iterator[FieldWorld]:
        """A warehouse of reference data alone and empty buckets; ``landing``: reads another's deliveries."""
        self.copy_database(EMPTY, f"soak_{name}")
        settings = self.settings(name, landing)
        with open_resources(settings) as resources:
            yield FieldWorld(resources, load_suites(settings.expectations_dir))

    def settings(self, name: str, landing: str | None = None) -> Settings:
        """Settings of a world of that name; its buckets are made."""
        buckets = {use: f"{name}-{use}" for use in ("landing", "archive", "release")}
        self.services.object_store.start(buckets.values())
        own = {f"REGSOSEK_{use.upper()}_BUCKET": bucket for use, bucket in buckets.items()}
        if landing:
            own["REGSOSEK_LANDING_BUCKET"] = landing
        files = {
            "REGSOSEK_EXPECTATIONS_DIR": str(self.place / "expectations"),
            "REGSOSEK_HOLD_LIMITS_FILE": str(self.place / "limits.csv"),
            "REGSOSEK_WORK_DIR": str(self.place / f"work-{name}"),
            "REGSOSEK_MAIL_SENDER": f"nightly@{name}.test",  # whose message it is: all worlds share the relay
            "REGSOSEK_ENV_FILE": "/nonexistent",
        }
        database = f"soak_{name}"
        warehouse = one_account_variables(self.services.postgres.url(database))
        return load_settings({**self.services.environment(database), **warehouse, **own, **files})

    def copy_database(self, source: str, target: str) -> None:
        """Replaces database ``target`` by a copy of ``source``, whose connections are ended."""
        names = sql.Identifier(target), sql.Identifier(source)
        with self.services.postgres.connect() as connection:
            connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(names[0]))
            connection.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [source])
            connection.execute(sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(*names))


def through(settings: Settings, *, warehouse_port: int, store_port: int) -> Settings:
    """The same world reached through other ports."""
    url = make_url(settings.warehouse_url.get_secret_value()).set(port=warehouse_port)
    own = {
        "warehouse_url": url.render_as_string(hide_password=False),
        "s3_endpoint_url": f"http://{HOST}:{store_port}",
    }
    return Settings.model_validate(settings.model_dump() | own)


@contextmanager
def staged(place: Path) -> Iterator[Stage]:
    """Starts the servers and fills the warehouse that others are copies of."""
    _write_files(place)
    services = stack.services_up(place / "services")
    try:
        _without_waiting_for_the_disk(services)
        stage = Stage(services, place)
        services.postgres.ensure_database(EMPTY)
        with open_resources(stage.settings("empty")) as resources:
            _fill(FieldWorld(resources, {}), place)
        yield stage
    finally:
        stack.clean(place / "services")


def _write_files(place: Path) -> None:
    place.mkdir(parents=True, exist_ok=True)
    (place / "limits.csv").write_text(LIMITS, encoding="utf-8")
    rules = place / "expectations"
    rules.mkdir()
    for path in (PROJECT_ROOT / "expectations").glob("*.json"):
        suite = json.loads(path.read_text(encoding="utf-8"))
        if path.stem not in STREAMS:
            suite["expectations"] = [each for each in suite["expectations"] if each["meta"]["id"] in KEPT]
        (rules / path.name).write_text(json.dumps(suite), encoding="utf-8")


def _fill(world: FieldWorld, place: Path) -> None:
    world.prepare(place)
    codes = {province: subsls_of(province) for province in PROVINCES}
    frame = [(p, code, "2022-01-01", None, code[:10], "RT", 1, 60, "BPS", "2022-10-01") for p, code in codes.items()]
    with world.resources.engine.begin() as connection:
        load_regions(connection, near_master(PROVINCES), place)
        load_frame(connection, frame, FRAME_COLUMNS, place)


def _without_waiting_for_the_disk(services: Stack) -> None:
    """A killed server loses nothing: what it wrote is safe in the kernel's memory."""
    with services.postgres.connect() as connection:
        for setting in ("fsync", "synchronous_commit", "full_page_writes"):
            connection.execute(sql.SQL("ALTER SYSTEM SET {} = off").format(sql.Identifier(setting)))
        connection.execute("SELECT pg_reload_conf()")
