"""Policies of the buckets' keys: what each may do, by the rules of the policy language, and the trial that looks.

The same files were tried on a Ceph object gateway (docs/server.md).
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError
from typer.testing import CliRunner

from regsosek.cli.main import app
from regsosek.errors import ObjectStoreError
from regsosek.geography.provinces import provinces
from regsosek.landing.policies import Buckets, Policy, policies, province_policy
from regsosek.landing.rights import try_rights
from regsosek.landing.store import StoredObject
from support.checks.store_policies import allows

BUCKETS = Buckets("l", "a", "r")
OWN = "landing/prov=64/tanggal=2022-10-21/x/manifest.json"
REFERENCE, ARCHIVED, PAGE = "reference/sls/manifest.json", "objects/sha256/ab/abc", "rilis/index.html"
OPENS, MEMORY, DECISION = "keys/sha256/ab/abc", "watchdog/memory.json", "decisions/prov=64/x.json"


@pytest.mark.parametrize("province", [each.code for each in provinces()])
def test_a_province_puts_and_lists_below_its_own_prefix_and_nothing_else(province: str) -> None:
    policy = province_policy(BUCKETS, province)
    actions = ("s3:PutObject", "s3:GetObject", "s3:DeleteObject", "s3:PutObjectAcl", "s3:PutBucketPolicy")
    for other in provinces():
        key = f"landing/prov={other.code}/x/manifest.json"
        allowed = {action for action in actions if allows(policy, action, "l", key)}
        assert allowed == ({"s3:PutObject"} if other.code == province else set())
        assert allows(policy, "s3:ListBucket", "l", prefix=f"landing/prov={other.code}/") == (other.code == province)
    for prefix in ("", "landing/", "reference/", f"landing/prov={province}", f"landing/prov={province}0/"):
        assert not allows(policy, "s3:ListBucket", "l", prefix=prefix)
        assert not allows(policy, "s3:PutObject", "l", f"{prefix}x")
    for bucket in ("a", "r"):
        assert not any(allows(policy, action, bucket, ARCHIVED) for action in actions)
        assert not allows(policy, "s3:ListBucket", bucket)


def test_the_pipeline_writes_nothing_to_landing_and_deletes_nothing_from_the_archive() -> None:
    policy = dict(policies(BUCKETS))["pipeline"]
    rights = {
        (bucket, action)
        for bucket, key in (("l", OWN), ("a", ARCHIVED), ("r", PAGE))
        for action in ("s3:GetObject", "s3:PutObject", "s3:DeleteObject")
        if allows(policy, action, bucket, key)
    }
    assert rights == {
        ("l", "s3:GetObject"), ("a", "s3:GetObject"), ("a", "s3:PutObject"),
        ("r", "s3:GetObject"), ("r", "s3:PutObject"), ("r", "s3:DeleteObject"),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("name", "may"),
    [
        ("pages", {("s3:GetObject", "a", ARCHIVED), ("s3:GetObject", "r", PAGE), ("s3:PutObject", "a", DECISION)}),
        ("watchdog", {("s3:GetObject", "r", PAGE), ("s3:GetObject", "a", MEMORY), ("s3:PutObject", "a", MEMORY)}),
    ],
)
def test_pages_and_watchdog_read_no_delivery_and_write_what_is_theirs(name: str, may: set[tuple[str, ...]]) -> None:
    policy = dict(policies(BUCKETS))[name]
    objects = [("l", OWN), ("l", REFERENCE), *(("a", key) for key in (ARCHIVED, OPENS, MEMORY, DECISION)), ("r", PAGE)]
    actions = ("s3:GetObject", "s3:PutObject", "s3:DeleteObject")
    allowed = {(action, *each) for each in objects for action in actions if allows(policy, action, *each)}
    assert allowed - {("s3:GetObject", "a", DECISION)} == may
    assert allows(policy, "s3:ListBucket", "l", prefix="landing/prov=64/") == (name == "watchdog")


def test_reference_files_come_from_a_key_that_delivers_for_nobody() -> None:
    policy = dict(policies(BUCKETS))["reference"]
    assert allows(policy, "s3:PutObject", "l", REFERENCE)
    assert not allows(policy, "s3:PutObject", "l", OWN)
    assert not allows(policy, "s3:GetObject", "l", REFERENCE)


def test_nothing_goes_without_tls() -> None:
    for name, policy in policies(BUCKETS):
        for bucket, key in (("l", OWN), ("l", REFERENCE), ("a", ARCHIVED), ("r", PAGE)):
            assert not allows(policy, "s3:PutObject", bucket, key, tls=False), name
            assert not allows(policy, "s3:ListBucket", bucket, prefix="landing/prov=64/", tls=False), name


class Enforcing:
    """A store in memory that asks a policy before it answers."""

    def __init__(self, policy: Policy, objects: dict[str, bytes]) -> None:
        self._policy, self.objects = policy, objects

    def _require(self, action: str, bucket: str, key: str = "", prefix: str = "") -> None:
        if not allows(self._policy, action, bucket, key, prefix=prefix):
            refused = ClientError({"Error": {"Code": "AccessDenied"}}, action)
            raise ObjectStoreError(f"{action} {bucket}/{key}") from refused

    def put_bytes(self, bucket: str, key: str, content: bytes) -> None:
        self._require("s3:PutObject", bucket, key)
        self.objects[key] = content

    def get_bytes(self, bucket: str, key: str, *, max_bytes: int) -> bytes | None:
        self._require("s3:GetObject", bucket, key)
        return self.objects.get(key, b"")[:max_bytes] or None

    def delete(self, bucket: str, key: str) -> None:
        self._require("s3:DeleteObject", bucket, key)
        self.objects.pop(key, None)

    def list_objects(self, bucket: str, prefix: str) -> Iterator[StoredObject]:
        self._require("s3:ListBucket", bucket, prefix=prefix)
        return iter([StoredObject(key, 1, "") for key in self.objects if key.startswith(prefix)])


def wrong(policy: Policy) -> list[str]:
    store: Any = Enforcing(policy, {})
    return [each.what for each in try_rights(store, BUCKETS, "64", "63") if not each.sound]


def test_a_trial_finds_every_right_too_many_and_too_few() -> None:
    assert wrong(province_policy(BUCKETS, "64")) == []
    of_another = wrong(province_policy(BUCKETS, "63"))
    assert {"put below landing/prov=64/", "put below landing/prov=63/", "list landing/prov=63/"} <= set(of_another)
    everything = {"Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}
    assert len(wrong(everything)) == len([*try_rights(Enforcing(everything, {}), BUCKETS, "64", "63")]) - 2  # type: ignore[arg-type]


def test_policies_are_written_for_the_buckets_of_the_deployment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REGSOSEK_ENV_FILE", str(tmp_path / "none.env"))
    monkeypatch.setenv("REGSOSEK_LANDING_BUCKET", "kiriman")
    assert CliRunner().invoke(app, ["store", "policies", str(tmp_path)]).exit_code == 0
    assert len(list(tmp_path.glob("*.json"))) == len(provinces()) + 4
    written = json.loads((tmp_path / "prov64.json").read_text())
    assert written == province_policy(Buckets("kiriman", "", ""), "64")
