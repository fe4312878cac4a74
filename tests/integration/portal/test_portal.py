"""The portal over a real warehouse and archive: what was received is what it shows, and no personal value with it."""

import csv
import io
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pandas as pd
import pytest
from fastapi import Depends, FastAPI, HTTPException, Request
from fastapi.routing import APIRoute
from fastapi.testclient import TestClient
from sqlalchemy import Connection, text
from starlette.routing import Mount

from regsosek.landing.encrypted import object_key
from regsosek.night.nightly import release
from regsosek.portal.application import application
from regsosek.portal.login.viewer import Viewer
from regsosek.portal.sources import Sources
from regsosek.quality.rules import load_suites
from regsosek.resources import open_resources
from regsosek.settings import PROJECT_ROOT, Settings
from regsosek.warehouse.nights.ledger import deliveries_of, forget, note_repairs
from support.deliveries.families import PROVINCE
from support.worlds.field_world import FieldWorld, family, faulty
from support.worlds.one_account import one_account
from support.worlds.served_portal import NATIONAL, viewer

NIGHT = date(2022, 10, 21)
AT = datetime(2022, 10, 20, 12, tzinfo=UTC)
PLANTED = {
    "r108_nama_kepala": "SITI PLANTED NAME", "r107_alamat": "JALAN PLANTED 17", "r114_no_kk": "6403015202840099",
}  # fmt: skip


@pytest.fixture(scope="module")
def world(services_env: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[FieldWorld]:
    work = services_env.model_copy(update={"work_dir": tmp_path_factory.mktemp("work"), "operator_nights": 2})
    with open_resources(work) as resources:
        suites = {
            dataset: replace(suite, rules=tuple(r for n, r in enumerate(suite.rules) if n < 5 or r.id == "C-303"))
            for dataset, suite in load_suites(PROJECT_ROOT / "expectations").items()
        }
        world = FieldWorld(resources, suites)
        world.prepare(Path(tmp_path_factory.mktemp("reference")))
        world = world.fresh()
        families = [faulty(f"D{n}", number=n, **PLANTED) for n in (1, 2)] + [family("D3", number=3, **PLANTED)]
        for day in range(3):
            world.deliver(NIGHT + timedelta(days=day), families, produced_at=AT + timedelta(days=day))
            world.run(NIGHT + timedelta(days=day))
        yield world


@pytest.fixture(scope="module")
def client(world: FieldWorld) -> TestClient:
    return client_of(world.resources.settings)


def client_of(settings: Settings, account: Viewer = NATIONAL) -> TestClient:
    def login(request: Request) -> None:
        request.state.viewer = account

    return TestClient(application(Sources(lambda: settings), Depends(login)), raise_server_exceptions=False)


def test_the_board_shows_the_last_nights_and_no_older(client: TestClient) -> None:
    page = client.get("/")
    assert page.status_code == 200
    assert f"/nights/{NIGHT + timedelta(days=2)}" in page.text
    assert f"/nights/{NIGHT + timedelta(days=1)}" in page.text
    assert str(NIGHT) not in page.text
    assert "was not published since" not in page.text, "its tasks may still come"
    assert "was not published since" in client.get(f"/nights/{NIGHT + timedelta(days=1)}").text
    assert "1 of 34 provinces are whole" in page.text


def test_pages_are_neither_kept_nor_framed_elsewhere_nor_run_anything(client: TestClient) -> None:
    headers = client.get("/").headers
    assert headers["cache-control"] == "no-store"
    assert "default-src 'none'" in headers["content-security-policy"]
    assert "frame-ancestors 'self'" in headers["content-security-policy"]


def test_a_night_shows_its_deliveries(world: FieldWorld, client: TestClient) -> None:
    night = NIGHT + timedelta(days=1)
    [(delivery_id,)] = world.rows("SELECT delivery_id FROM ledger.delivery WHERE night = :night", night=night)
    page = client.get(f"/nights/{night}").text
    assert delivery_id in page
    assert f"/nights/{night}/{PROVINCE}/keluarga" in page


def test_repairs_of_a_delivery_are_told_and_what_the_contract_allows_is_not(
    world: FieldWorld, client: TestClient
) -> None:
    night = NIGHT + timedelta(days=1)
    repairs = [
        {"dataset": "anggota", "kind": kind, "variable": "r402_nama", "amount": 5} for kind in ("apostrophe", "crlf")
    ]
    with world.resources.engine.begin() as connection:
        [entry] = deliveries_of(connection, PROVINCE, night)
        note_repairs(connection, entry, 1, repairs)
        note_repairs(connection, entry, 2, repairs)
    page = client.get(f"/nights/{night}").text
    assert page.count("Mended in anggota, 10 values") == page.count("Mended") == 1


def test_data_docs_count_what_reception_counted(world: FieldWorld, client: TestClient) -> None:
    page = client.get(f"/nights/{NIGHT + timedelta(days=1)}/{PROVINCE}/keluarga")
    assert page.status_code == 200
    violated = world.rows(
        "SELECT DISTINCT rule_id, violations FROM quality.rule_result WHERE dataset = 'keluarga' AND violations > 0"
    )
    assert ("C-303", 2) in violated
    assert f"Violated ({len(violated)})" in page.text
    assert all(f">{rule_id}</b>" in page.text for rule_id, _ in violated)


def test_no_page_holds_a_personal_value(world: FieldWorld, client: TestClient) -> None:
    night = NIGHT + timedelta(days=2)
    docs = [f"/nights/{night}/{PROVINCE}/{dataset}" for dataset in ("keluarga", "anggota")]
    pages = [client.get(address).text for address in ("/", f"/nights/{night}", *docs)]
    assert all(len(page) > 2000 for page in pages)
    for value in (*PLANTED.values(), "CONTOH"):
        assert not [page for page in pages if value in page]
    kept = str(world.rows("SELECT * FROM restricted.quarantined"))
    assert all(value in kept for value in PLANTED.values()), "what is sought was delivered"


@pytest.fixture
def held(world: FieldWorld, tmp_path: Path) -> Iterator[str]:
    """A delivery of the last night held at a limit that two of three cases exceed; forgotten afterwards."""
    limits = tmp_path / "hold_limits.csv"
    limits.write_text("province,dataset,limit_percent,least_rows,source\n*,keluarga,40,1,test\n*,anggota,100,1,test\n")
    settings = world.resources.settings.model_copy(update={"hold_limits_file": limits})
    strict = replace(world, resources=replace(world.resources, settings=settings))
    families = [faulty("D7", number=7), faulty("D8", number=8), family("D9", number=9)]
    night = NIGHT + timedelta(days=3)
    delivery_id = strict.deliver(night, families, produced_at=AT + timedelta(days=3))
    strict.run(night)
    yield delivery_id
    with world.resources.engine.begin() as connection:
        forget(connection, PROVINCE, night)


def test_a_held_delivery_waits_on_top_with_its_shares_and_data_docs(
    world: FieldWorld, held: str, client: TestClient
) -> None:
    board = client.get("/").text
    assert "Waiting for a decision: 1 held" in board
    assert held in board
    assert "66.7% of 3, limit 40%" in board
    docs = f"/nights/{NIGHT + timedelta(days=3)}/{PROVINCE}/keluarga"
    assert docs in board
    assert ">C-303</b>" in client.get(docs).text
    assert "66.7% of 3, limit 40%" in client.get(f"/nights/{NIGHT + timedelta(days=3)}").text
    settings = world.resources.settings
    assert "Waiting for a decision: 1 held" in client_of(settings, viewer(PROVINCE)).get("/").text
    assert "Waiting for a decision" not in client_of(settings, viewer("65")).get("/").text


@pytest.mark.parametrize(
    "address",
    [
        f"/nights/{NIGHT}", f"/nights/{NIGHT}/{PROVINCE}/keluarga", "/nights/2022-10-23/65/keluarga",
        "/nights/yesterday", "/nights/2022-10-23/64/secrets", "/releases/x/index.html", "/openapi.json", "/docs",
    ],
)  # fmt: skip
def test_what_is_not_there_is_told_as_a_page(client: TestClient, address: str) -> None:
    page = client.get(address)
    assert page.status_code == 404
    assert "<h1>Not found</h1>" in page.text


def test_the_release_is_served_as_published_and_nothing_beside_it(world: FieldWorld, client: TestClient) -> None:
    published = release(world.resources, NIGHT + timedelta(days=2))
    page = client.get(f"/releases/{published.release_id}/index.html")
    assert page.status_code == 200
    assert page.headers["content-type"].startswith("text/html")
    stored = world.resources.store.get_bytes(
        world.resources.settings.release_bucket, published.prefix + "index.html", max_bytes=1 << 24
    )
    assert page.content == stored
    assert client.get(f"/releases/{published.release_id}/provinsi.csv").headers["content-type"].startswith("text/csv")
    assert client.get(f"/releases/{published.release_id}/..%2f..%2fterkini.json").status_code == 404
    assert client.get(f"/releases/{published.release_id}/kabkota/../../../terkini.json").status_code == 404
    assert published.release_id in client.get("/").text


def test_the_site_of_a_release_finds_in_the_portal_what_it_loads(world: FieldWorld, client: TestClient) -> None:
    published = release(world.resources, NIGHT + timedelta(days=2))
    root = f"/releases/{published.release_id}"
    kabkota = client.get(f"{root}/en/provinsi/{PROVINCE}.html")
    policy = kabkota.headers["content-security-policy"]
    assert "script-src 'self'" in policy
    assert "frame-ancestors 'self'" in policy
    assert "unsafe" not in policy
    loaded = re.findall(r'(?:src|href)="((?:\.\./)+(?:aset|grafik)/[^"]+)"', kabkota.text)
    addresses = [f"{root}/en/provinsi/{name}" for name in dict.fromkeys(loaded)]  # a drawing is shown and offered
    kinds = [client.get(each).headers["content-type"].split(";")[0] for each in addresses]
    assert [kind.split("/")[1].removeprefix("x-") for kind in kinds] == ["css", "javascript", "svg+xml", "svg+xml"]
    assert client.get(f"{root}/manifest.json").status_code == 200


def test_a_lost_suite_and_a_silent_warehouse_are_told(world: FieldWorld) -> None:
    settings = world.resources.settings
    address = f"/nights/{NIGHT + timedelta(days=2)}/{PROVINCE}/keluarga"
    lost = client_of(settings.model_copy(update={"archive_bucket": settings.release_bucket})).get(address)
    assert lost.status_code == 503
    assert object_key("")[:6] in lost.text
    url = settings.warehouse_url.get_secret_value().rsplit(":", 1)[0] + ":1/nowhere"
    silent = client_of(one_account(settings, url)).get("/")
    assert silent.status_code == 503
    assert "nowhere" not in silent.text


@pytest.mark.parametrize("path", ["/", "/api/v1/nights"])
def test_a_query_that_pandas_could_not_run_is_told_without_its_words(
    world: FieldWorld, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, path: str
) -> None:
    monkeypatch.setattr("regsosek.portal.sources.LONGEST_QUERY", "SET LOCAL statement_timeout = '1ms'")
    slow = "SELECT count(*) AS secret_value FROM generate_series(1, 100000000) WHERE 'SITI CONTOH' <> ''"

    def read(connection: Connection, *_: object) -> None:
        pd.read_sql_query(text(slow), connection)

    for module in ("application", "api.ledger_paths"):
        monkeypatch.setattr(f"regsosek.portal.{module}.last_nights", read)
    answer = client_of(world.resources.settings).get(path)
    assert answer.status_code == 503
    assert "DatabaseError" in caplog.text
    assert not [each for each in ("secret_value", "SITI CONTOH") if each in caplog.text + answer.text]


def test_the_portal_cannot_change_the_warehouse(world: FieldWorld) -> None:
    with Sources(lambda: world.resources.settings).reading() as connection, pytest.raises(Exception, match="read-only"):
        connection.execute(text("DELETE FROM ledger.delivery"))


def routes(app: FastAPI, prefix: str = "") -> Iterator[tuple[str, str]]:
    """The methods and addresses of an application and of all that is mounted in it."""
    for route in app.routes:
        if isinstance(route, Mount) and isinstance(route.app, FastAPI):
            yield from routes(route.app, prefix + route.path)
        else:
            assert isinstance(route, APIRoute), f"{route} has no login before it"
            yield from ((method, prefix + route.path) for method in route.methods)


def test_no_route_answers_without_the_login(world: FieldWorld) -> None:
    def nobody() -> None:
        raise HTTPException(401)

    closed = application(Sources(lambda: world.resources.settings), Depends(nobody))
    values = {"code": PROVINCE, "region": PROVINCE, "kind": "HELD", "place": PROVINCE,
              "night": NIGHT, "province": PROVINCE, "dataset": "keluarga", "release_id": "x", "name": "index.html",
              "verb": "free", "message_id": 1, "delivery_id": "01GFWC1W80A0B1C2D3E4F5G6H7"}  # fmt: skip
    asked = [(method, path.replace("{name:path}", "{name}").format(**values)) for method, path in routes(closed)]
    assert ("POST", "/deliveries/64/01GFWC1W80A0B1C2D3E4F5G6H7/free") in asked
    assert len(asked) > 30
    for method, path in asked:
        answer = TestClient(closed).request(method, path)
        assert answer.status_code == 401, path
        assert "Sign in to Airflow" in answer.text or answer.json()["status"] == 401
        assert not any(mark in answer.text for mark in ("<nav", "<script"))
    for path in ("/docs", "/redoc", "/openapi.json", "/api/v1/docs", "/api/v1/redoc"):
        assert TestClient(closed).get(path).status_code == 404


def test_a_login_that_names_nobody_lets_nobody_in(world: FieldWorld) -> None:
    forgetful = TestClient(application(Sources(lambda: world.resources.settings), Depends(lambda: None)))
    assert {forgetful.get(path).status_code for path in ("/", "/api/v1/regions")} == {401}


def test_the_account_of_another_province_sees_nothing_of_this_one(world: FieldWorld) -> None:
    other, own = (
        client_of(world.resources.settings, viewer("65")),
        client_of(world.resources.settings, viewer(PROVINCE)),
    )
    last = NIGHT + timedelta(days=2)
    [(delivery_id,)] = world.rows("SELECT delivery_id FROM ledger.delivery WHERE night = :night", night=last)
    for path in ("/", f"/nights/{last}"):
        page = other.get(path)
        assert page.status_code == 200
        assert "Kalimantan Utara" in page.text
        assert delivery_id not in page.text and "Kalimantan Timur" not in page.text
        assert "Kalimantan Timur" in own.get(path).text
    assert delivery_id in own.get(f"/nights/{last}").text
    assert "1 of 1 province is whole" in own.get("/").text
    docs = [other.get(f"/nights/{last}/{code}/keluarga") for code in (PROVINCE, "99")]
    assert [page.status_code for page in docs] == [404, 404]
    assert own.get(f"/nights/{last}/{PROVINCE}/keluarga").status_code == 200


def test_who_reads_only_what_is_public_sees_no_nights(world: FieldWorld) -> None:
    client = client_of(world.resources.settings, viewer())
    for path in ("/", f"/nights/{NIGHT + timedelta(days=2)}"):
        page = client.get(path)
        assert page.status_code == 403 and "REGSOSEK_ACCOUNTS_FILE" in page.text
    for path in (f"/nights/{NIGHT + timedelta(days=2)}/{PROVINCE}/keluarga", f"/provinces/{PROVINCE}", "/held"):
        assert client.get(path).status_code == 403


def test_of_a_release_a_province_gets_its_own_rows(world: FieldWorld) -> None:
    release_id = release(world.resources, NIGHT + timedelta(days=2)).release_id
    national, own = client_of(world.resources.settings), client_of(world.resources.settings, viewer(PROVINCE))

    def codes(client: TestClient, name: str) -> set[str]:
        lines = csv.DictReader(io.StringIO(client.get(f"/releases/{release_id}/{name}").text))
        return {line["kode"] for line in lines}

    assert len(codes(national, "provinsi.csv")) == 34
    assert codes(own, "provinsi.csv") == {PROVINCE}
    assert codes(own, "nasional.csv") == set()
    assert codes(own, "kabkota.csv") == {code for code in codes(national, "kabkota.csv") if code.startswith(PROVINCE)}
    for name in ("kabkota.parquet", "rilis.xlsx", "progres.json", "harian.sdmx.csv", "manifest.json", "changes.md"):
        assert national.get(f"/releases/{release_id}/{name}").status_code == 200, name
        assert own.get(f"/releases/{release_id}/{name}").status_code == 404, name
    for name in ("index.html", "definisi.csv"):
        assert (
            own.get(f"/releases/{release_id}/{name}").content == national.get(f"/releases/{release_id}/{name}").content
        )
    # Whoever reads only what is public gets what everybody gets.
    public = client_of(world.resources.settings, viewer())
    assert codes(public, "desa.csv") == codes(national, "desa.csv")
