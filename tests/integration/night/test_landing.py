"""Landing against a real S3 API (rclone), also through a proxy that misbehaves on demand."""

import hashlib
import http.client
import json
import logging
import os
import re
import subprocess
import sysconfig
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from regsosek.errors import ContractBreachError, ObjectStoreError
from regsosek.landing.archive import (
    Receipt,
    Seal,
    archive_bytes,
    archive_file,
    fetch_archived,
    list_receipts,
    list_seals,
    write_receipt,
    write_seal,
)
from regsosek.landing.discovery import DeliveryFolder, discover, misplaced
from regsosek.landing.encrypted import object_key
from regsosek.landing.intake import fetch, read_manifest
from regsosek.landing.object_store import ObjectStore, RetryPolicy
from regsosek.settings import Settings

ACCESS, SECRET = "landing-test", "landing-test-secret"
LANDING, ARCHIVE, CROWDED = "landing-test", "archive-test", "crowded-test"
NIGHT = date(2022, 10, 21)
FILES = {"keluarga-00001.csv.gz": os.urandom(70_000), "anggota-00001.csv.gz": os.urandom(200_000)}
# The same rules as in production, in a hurry.
HASTE = RetryPolicy(
    connect_timeout=2, read_timeout=0.5, request_attempts=2, operation_attempts=3, first_wait=0.05, longest_wait=0.1
)
STALL_SECONDS = 10
pytestmark = pytest.mark.timeout(60)


@contextmanager
def rclone(directory: Path) -> Iterator[int]:
    """Serves ``directory`` as S3 on a port of the system's choice."""
    binary = Path(sysconfig.get_path("scripts"), "rclone")
    command = [binary, "serve", "s3", directory, "--config", "", "--addr", "127.0.0.1:0", "--dir-cache-time", "1s"]
    server = subprocess.Popen(
        [*command, "--auth-key", f"{ACCESS},{SECRET}"], stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True
    )
    assert server.stderr is not None
    try:
        said = ""
        while not (port := re.search(r"http://127\.0\.0\.1:(\d+)/", said)):
            line = server.stderr.readline()
            assert line, f"rclone ended: {said}"
            said += line
        threading.Thread(target=server.stderr.read, daemon=True).start()
        yield int(port[1])
    finally:
        server.terminate()
        server.wait(10)


@pytest.fixture(scope="module")
def s3_port(tmp_path_factory):
    directory = tmp_path_factory.mktemp("s3")
    for bucket in (LANDING, ARCHIVE):
        (directory / bucket).mkdir()
    crowd = directory / CROWDED / "landing/prov=35/tanggal=2022-10-21"
    crowd.mkdir(parents=True)
    for number in range(1_050):
        (crowd / f"{number:05d}").touch()
    with rclone(directory) as port:
        yield port


def settings(port, secret=SECRET):
    unused = {"warehouse_url": "postgresql+psycopg://unused", "hmac_key": "0" * 32}
    return Settings(
        **unused,
        s3_endpoint_url=f"http://127.0.0.1:{port}",
        s3_access_key_id=ACCESS,
        s3_secret_access_key=secret,
    )


@pytest.fixture(scope="module")
def store(s3_port):
    return ObjectStore.connect(settings(s3_port), HASTE)


@dataclass
class Faults:
    """What the proxy does to the requests to come: one fault each, then it behaves; ``asked`` counts them all."""

    port: int
    coming: list[str] = field(default_factory=list)
    asked: int = 0
    body_bytes: int = 0
    over: threading.Event = field(default_factory=threading.Event)


class Proxy(BaseHTTPRequestHandler):
    """Passes requests on to the real server, unless a fault is due."""

    protocol_version = "HTTP/1.1"
    upstream: int
    faults: Faults

    def pass_on(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.faults.asked += 1
        fault = self.faults.coming.pop(0) if self.faults.coming else ""
        if fault == "hang up":
            self.close_connection = True
        elif fault in {"500 InternalError", "503 SlowDown", "429 TooManyRequests"}:
            self.refuse(fault)
        else:
            self.answer(self.ask(body), fault)

    def ask(self, body: bytes) -> http.client.HTTPResponse:
        connection = http.client.HTTPConnection("127.0.0.1", self.upstream)
        headers = {name: value for name, value in self.headers.items() if name.lower() != "expect"}
        connection.request(self.command, self.path, body, headers)
        return connection.getresponse()

    def refuse(self, fault: str) -> None:
        status, code = fault.split()
        body = b"" if self.command == "HEAD" else f"<Error><Code>{code}</Code><Message>m</Message></Error>".encode()
        self.send_response(int(status))
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def answer(self, response: http.client.HTTPResponse, fault: str) -> None:
        body = response.read()
        if fault == "capitals":
            body, fault = body.replace(b"<IsTruncated>true<", b"<IsTruncated>True<"), ""
        self.send_response(response.status)
        for name, value in response.getheaders():
            if name.lower() not in {"content-length", "transfer-encoding", "connection", "date", "server"}:
                self.send_header(name, value)
        length = response.headers["Content-Length"] if self.command == "HEAD" else str(len(body))
        self.send_header("Content-Length", length)
        self.end_headers()
        self.send_body(body[: len(body) // 2] if fault else body)
        if fault == "stall":
            self.faults.over.wait(STALL_SECONDS)
        self.close_connection = bool(fault)

    def send_body(self, body: bytes) -> None:
        try:
            for start in range(0, len(body), 65_536):
                self.wfile.write(body[start : start + 65_536])
                self.faults.body_bytes += len(body[start : start + 65_536])
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True  # the client has read enough

    def log_message(self, *_: object) -> None:
        """Keeps the test's output readable."""


for method in ("GET", "PUT", "HEAD", "POST"):
    setattr(Proxy, f"do_{method}", Proxy.pass_on)


@pytest.fixture(scope="module")
def proxy(s3_port):
    handler = type("ProxyToS3", (Proxy,), {"upstream": s3_port})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        yield server
        server.shutdown()


@pytest.fixture
def faults(proxy):
    proxy.RequestHandlerClass.faults = faults = Faults(proxy.server_port)
    yield faults
    faults.over.set()


@pytest.fixture
def shaky(proxy):
    # one for each test: botocore's retry quota belongs to the client, and these tests spend it
    return ObjectStore.connect(settings(proxy.server_port), HASTE)


def operations(store, path):
    """Each operation, with what it must answer when ``shaky/object`` holds ``content``."""
    content = b"content" * 1_000
    return {
        "list": lambda: [found.size for found in store.list_objects(LANDING, "shaky/object")] == [7_000],
        "get": lambda: store.get_bytes(LANDING, "shaky/object", max_bytes=10_000) == content,
        "download": lambda: store.download(LANDING, "shaky/object", path / "d", expected_bytes=7_000).size == 7_000,
        "put bytes": lambda: store.put_bytes(LANDING, "shaky/object", content) is None,
        "put file": lambda: store.put_file(LANDING, "shaky/object", path / "content") is None,
        "head": lambda: store.size(LANDING, "shaky/object") == 7_000,
    }


@pytest.fixture
def shaky_operations(store, shaky, tmp_path):
    store.put_bytes(LANDING, "shaky/object", b"content" * 1_000)
    (tmp_path / "content").write_bytes(b"content" * 1_000)
    return operations(shaky, tmp_path)


OPERATIONS = ["list", "get", "download", "put bytes", "put file", "head"]
STREAMED = ["list", "get", "download"]


@pytest.mark.parametrize(
    ("operation", "fault"),
    [(o, f) for o in OPERATIONS for f in ("500 InternalError", "503 SlowDown", "hang up")]
    + [(o, f) for o in STREAMED for f in ("cut", "stall")]
    + [("get", "429 TooManyRequests")],
)
def test_a_passing_fault_is_outlived(shaky_operations, faults, operation, fault):
    faults.coming = [fault]
    began = time.monotonic()
    assert shaky_operations[operation]()
    assert faults.asked == 2
    assert time.monotonic() - began < STALL_SECONDS


@pytest.mark.parametrize("operation", OPERATIONS)
def test_patience_outlasts_the_retries_of_one_request(shaky_operations, faults, operation):
    faults.coming = ["500 InternalError"] * (HASTE.request_attempts * HASTE.operation_attempts - 1)
    assert shaky_operations[operation]()


def test_a_body_that_breaks_off_twice_still_arrives_whole(store, shaky, faults, tmp_path):
    content = os.urandom(3_000_000)
    store.put_bytes(LANDING, "shaky/large", content)
    faults.coming = ["cut", "stall"]
    downloaded = shaky.download(LANDING, "shaky/large", tmp_path / "large", expected_bytes=len(content))
    assert (tmp_path / "large").read_bytes() == content
    assert downloaded.sha256 == hashlib.sha256(content).hexdigest()


@pytest.mark.parametrize("operation", OPERATIONS)
def test_patience_ends_and_the_error_names_operation_bucket_and_key(shaky_operations, faults, operation):
    faults.coming = ["500 InternalError"] * 100
    with pytest.raises(ObjectStoreError, match=f"{operation.replace('download', 'get').split()[0]} {LANDING}/shaky/"):
        shaky_operations[operation]()
    assert faults.asked == HASTE.request_attempts * HASTE.operation_attempts


def test_a_download_that_fails_for_good_leaves_nothing(shaky_operations, faults, tmp_path):
    faults.coming = ["cut"] * 100
    with pytest.raises(ObjectStoreError):
        shaky_operations["download"]()
    assert faults.asked == HASTE.operation_attempts
    assert not (tmp_path / "d").exists()


def test_every_retry_is_logged_without_the_secret(shaky_operations, faults, caplog):
    faults.coming = ["cut"]
    with caplog.at_level(logging.WARNING):
        shaky_operations["get"]()
    assert f"get {LANDING}/shaky/object: attempt 1 failed" in caplog.text
    assert SECRET not in caplog.text


def test_a_wrong_secret_is_refused_at_once(store, faults):
    stranger = ObjectStore.connect(settings(faults.port, secret="not the secret"), HASTE)
    with pytest.raises(ObjectStoreError, match="REGSOSEK_S3_"):
        stranger.get_bytes(LANDING, "shaky/object", max_bytes=1)
    assert faults.asked == 1


def test_nobody_listening_is_an_error_of_the_store(tmp_path):
    nobody = ObjectStore.connect(settings(1), HASTE)
    with pytest.raises(ObjectStoreError, match=f"list {LANDING}/landing/"):
        list(nobody.list_objects(LANDING, "landing/"))


def test_what_is_missing_is_none_and_a_missing_bucket_is_an_error(store, tmp_path):
    assert store.get_bytes(LANDING, "nothing", max_bytes=1) is None
    assert store.download(LANDING, "nothing", tmp_path / "nothing", expected_bytes=1) is None
    assert store.size(LANDING, "nothing") is None
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(ObjectStoreError, match="NoSuchBucket"):
        store.get_bytes("no-such-bucket", "nothing", max_bytes=1)


def test_an_object_that_is_too_large_is_not_read_whole(store, shaky, faults, tmp_path):
    store.put_bytes(LANDING, "shaky/huge", bytes(48_000_000))
    assert shaky.download(LANDING, "shaky/huge", tmp_path / "huge", expected_bytes=1_000).size == 1_001
    assert len(shaky.get_bytes(LANDING, "shaky/huge", max_bytes=10)) == 10
    assert faults.body_bytes < 2 * 48_000_000  # what the kernel's buffers take in of each is not read by us


def test_more_keys_than_a_page_holds_are_all_seen(shaky, faults):
    found = discover(shaky, CROWDED, "35", NIGHT)
    assert found.stray_count == 1_050
    assert faults.asked == 2


def test_a_listing_that_goes_on_in_capitals_goes_on(shaky, faults):
    faults.coming = ["capitals"]
    assert len(list(shaky.list_objects(CROWDED, "landing/"))) == 1_050


def test_a_fault_between_two_pages_loses_no_key(shaky, faults):
    listing = shaky.list_objects(CROWDED, "landing/")
    keys = [next(listing).key]
    faults.coming = ["cut", "503 SlowDown"]
    keys += [found.key for found in listing]
    assert len(set(keys)) == len(keys) == 1_050


def test_listing_is_lazy(shaky, faults):
    next(shaky.list_objects(CROWDED, "landing/"))
    assert faults.asked == 1


def deliver(store, delivery_id, files, day=NIGHT):
    folder = DeliveryFolder(province="35", delivered_on=day, delivery_id=delivery_id)
    for name, content in files.items():
        store.put_bytes(LANDING, folder.prefix + name, content)
    store.put_bytes(LANDING, folder.prefix + "manifest.json", manifest(files, delivery_id))
    return folder


INSTRUMENT = {"contract_version": "1", "instrument": "REGSOSEK22.K", "instrument_version": "1", "producer": "test"}
TIMES = {"produced_at": "2022-10-21T20:00:00+07:00", "enumerated_from": "2022-10-20", "enumerated_to": "2022-10-21"}


def manifest(files, delivery_id):
    listed = [
        {"name": name, "dataset": name.partition("-")[0], "part": 1, "format": "csv.gz", "rows": 1}
        | {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
        for name, content in files.items()
    ]
    own = {"province": "35", "delivery_id": delivery_id, "files": listed, "totals": {"keluarga": 1, "anggota": 1}}
    return json.dumps(INSTRUMENT | TIMES | own).encode()


WHOLE, BROKEN, OPEN = (f"01GFYYYYYYYYYYYYYYYYYYYYY{n}" for n in "123")


def test_a_night_of_one_province_from_listing_to_archive_and_back(store, tmp_path):
    folder = deliver(store, WHOLE, FILES)
    open_folder = DeliveryFolder(province="35", delivered_on=NIGHT, delivery_id=OPEN)
    store.put_bytes(LANDING, open_folder.prefix + "keluarga-00001.csv.gz", b"still uploading")
    store.put_bytes(LANDING, "landing/prov=35/catatan.txt", b"?")
    found = discover(store, LANDING, "35", NIGHT)
    assert folder in found.deliveries
    assert found.unfinished == (open_folder,)
    assert found.strays == ("landing/prov=35/catatan.txt",)
    assert "landing/prov=35/" not in misplaced(store, LANDING, ["35"])

    read = read_manifest(store, LANDING, folder)
    fetched = fetch(store, LANDING, folder, read.manifest, tmp_path)
    for _ in range(2):
        hashes = [archive_file(store, ARCHIVE, file.path) for file in fetched]
        manifest_sha256 = archive_bytes(store, ARCHIVE, read.document)
    assert hashes == [file.delivered.sha256 for file in fetched]
    kept = {found.key: found.size for found in store.list_objects(ARCHIVE, "objects/")}
    assert kept == {
        object_key(hashlib.sha256(content).hexdigest()): len(content) for content in (*FILES.values(), read.document)
    }
    back = fetch_archived(store, ARCHIVE, manifest_sha256, tmp_path / "manifest.json")
    assert back.read_bytes() == read.document


def test_a_broken_delivery_is_rejected_and_stays_where_it_is(store, tmp_path):
    folder = deliver(store, BROKEN, FILES)
    store.put_bytes(LANDING, folder.prefix + "anggota-00001.csv.gz", FILES["anggota-00001.csv.gz"][:-1])
    before = list(store.list_objects(LANDING, folder.prefix))
    with pytest.raises(ContractBreachError) as breach:
        fetch(store, LANDING, folder, read_manifest(store, LANDING, folder).manifest, tmp_path)
    assert breach.value.reason == "file_size"
    assert list(tmp_path.iterdir()) == []
    assert list(store.list_objects(LANDING, folder.prefix)) == before


def test_receipts_and_seals_survive_the_way_through_s3(store):
    at = datetime(2022, 10, 21, 18, 0, tzinfo=UTC)
    receipt = Receipt(
        province="35",
        night=NIGHT,
        delivery_id=WHOLE,
        folder="landing/prov=35/…",
        delivered_on=NIGHT,
        manifest_sha256=None,
        registered_at=at,
        versions={"suite": "ab" * 32},
    )
    seal = Seal(province="35", night=NIGHT, sealed_at=at, delivery_ids=(WHOLE,))
    for _ in range(2):
        write_receipt(store, ARCHIVE, receipt)
        write_seal(store, ARCHIVE, seal)
    assert list_receipts(store, ARCHIVE, night=NIGHT) == (receipt,)
    assert list_seals(store, ARCHIVE) == (seal,)
