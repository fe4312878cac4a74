"""The embedded S3 API: a round trip through boto3, closed to strangers, nothing lost by a restart."""

import stat
from collections.abc import Iterator
from pathlib import Path

import boto3
import psutil
import pytest
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import ClientError

from local_services.object_store import LocalObjectStore
from regsosek.settings import Settings


@pytest.fixture
def store(tmp_path: Path) -> Iterator[LocalObjectStore]:
    store = LocalObjectStore(tmp_path / "state", tmp_path / "s3")
    store.start(["landing"])
    yield store
    store.stop()


def client_of(store: LocalObjectStore, *, secret: str | None = None, config: Config | None = None):
    return boto3.client(
        "s3",
        endpoint_url=store.endpoint_url,
        region_name="ap-southeast-3",
        aws_access_key_id=store.access_key_id,
        aws_secret_access_key=secret or store.secret_access_key,
        config=config,
    )


def test_round_trip_with_paging(object_store: LocalObjectStore, services_env: Settings) -> None:
    client, bucket = client_of(object_store), services_env.landing_bucket
    keys = [f"landing/prov=35/part-{number:05}" for number in range(5)]
    for key in keys:
        client.put_object(Bucket=bucket, Key=key, Body=key.encode())
    pages = client.get_paginator("list_objects_v2").paginate(Bucket=bucket, PaginationConfig={"PageSize": 2})
    assert [item["Key"] for page in pages for item in page["Contents"]] == keys
    assert client.get_object(Bucket=bucket, Key=keys[3])["Body"].read() == keys[3].encode()


def test_refuses_a_wrong_secret(object_store: LocalObjectStore) -> None:
    with pytest.raises(ClientError, match="SignatureDoesNotMatch"):
        client_of(object_store, secret="x" * 40).list_buckets()


def test_refuses_an_unsigned_request(object_store: LocalObjectStore) -> None:
    with pytest.raises(ClientError):
        client_of(object_store, config=Config(signature_version=UNSIGNED)).list_buckets()


def test_secret_stands_in_no_command_line(object_store: LocalObjectStore) -> None:
    command_lines = [" ".join(process.cmdline()) for process in object_store.process.members]
    assert command_lines
    assert not any(object_store.secret_access_key in line for line in command_lines)


def test_listens_on_loopback_only(object_store: LocalObjectStore) -> None:
    (process,) = object_store.process.members
    assert {connection.laddr.ip for connection in process.net_connections("inet")} == {"127.0.0.1"}


def test_objects_are_private_files_and_outlive_a_restart_at_the_same_address(store: LocalObjectStore) -> None:
    client_of(store).put_object(Bucket="landing", Key="a/manifest.json", Body=b"{}")
    file, address = store.data / "landing" / "a" / "manifest.json", store.endpoint_url
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    store.stop()
    assert not store.running
    store.start(["landing"])
    assert store.endpoint_url == address
    assert client_of(store).get_object(Bucket="landing", Key="a/manifest.json")["Body"].read() == b"{}"


def test_second_start_finds_the_first_and_stop_ends_it(store: LocalObjectStore) -> None:
    (first,) = store.process.members
    LocalObjectStore(store.folder, store.data).start(["landing"])
    assert store.process.members == [first]
    store.stop()
    assert not first.is_running() or first.status() == psutil.STATUS_ZOMBIE
