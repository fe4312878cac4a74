"""Tries the policies on the store that ``docker/try-policies.sh`` has started: users, rights, and ways around them."""

import json
import os
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any, Literal

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

PLACE = Path(os.environ["PLACE"])
TLS, PLAIN = "https://127.0.0.1:33443", "http://127.0.0.1:33080"
LANDING, ARCHIVE, RELEASE = "regsosek-landing", "regsosek-archive", "regsosek-release"
SECRET, OPENED = "landing/prov=63/x/_started_secret", "landing/prov=64/x/_started_opened"
# Ceph knows no checksum trailers.
CONFIG = Config(request_checksum_calculation="when_required", response_checksum_validation="when_required")


def user(name: str, *more: str) -> tuple[str, str]:
    command = ["radosgw-admin", "--keyring", str(PLACE / "keyring"), "user", "create", f"--uid={name}"]
    said = subprocess.run([*command, f"--display-name={name}", *more], check=True, capture_output=True, text=True)
    [key] = json.loads(said.stdout)["keys"]
    return key["access_key"], key["secret_key"]


def client(service: Literal["s3", "iam"], keys: tuple[str, str]) -> Any:
    at: dict[str, Any] = {"endpoint_url": TLS, "region_name": "default", "verify": str(PLACE / "ca.pem")}
    return boto3.client(service, aws_access_key_id=keys[0], aws_secret_access_key=keys[1], config=CONFIG, **at)


def refused(request: Any, **named: Any) -> bool:
    try:
        request(**named)
    except ClientError as error:
        return error.response["Error"]["Code"] in {"AccessDenied", "403"}
    return False


def rights(keys: tuple[str, str], province: str, endpoint: str = TLS) -> tuple[int, str]:
    environment = os.environ | {
        "REGSOSEK_S3_ENDPOINT_URL": endpoint, "REGSOSEK_S3_REGION": "default", "REGSOSEK_ENV_FILE": "/nonexistent",
        "REGSOSEK_S3_ACCESS_KEY_ID": keys[0], "REGSOSEK_S3_SECRET_ACCESS_KEY": keys[1],
        "REGSOSEK_S3_CA_FILE": str(PLACE / "ca.pem"), "REGSOSEK_PLAIN_HOSTS": "127.0.0.1",
    }  # fmt: skip
    command = [os.environ["REGSOSEK"], "store", "rights", "-p", province]
    done = subprocess.run(command, env=environment, check=False, capture_output=True, text=True)
    return done.returncode, done.stdout + done.stderr


def anonymous(key: str) -> int:
    try:
        with urllib.request.urlopen(f"{PLAIN}/{LANDING}/{key}") as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code


def hold(what: str, holds: bool, told: str = "") -> None:
    print(f"{'holds' if holds else 'DOES NOT HOLD'}: {what}\n{told}".rstrip())
    if not holds:
        sys.exit(1)


owner = client("s3", user("owner"))
for bucket in (LANDING, ARCHIVE, RELEASE):
    owner.create_bucket(Bucket=bucket)
    blocked = {"IgnorePublicAcls": True, "BlockPublicAcls": False}
    owner.put_public_access_block(Bucket=bucket, PublicAccessBlockConfiguration=blocked)
owner.put_object(Bucket=LANDING, Key=SECRET, Body=b"x")
iam, keys = client("iam", user("iam", "--caps=user-policy=*")), {}
for name in ("prov63", "prov64", "pipeline", "pages", "watchdog", "reference"):
    keys[name] = user(name)
    document = (PLACE / "policies" / f"{name}.json").read_text()
    iam.put_user_policy(UserName=name, PolicyName="regsosek", PolicyDocument=document)

for province in ("63", "64"):
    code, table = rights(keys[f"prov{province}"], province)
    hold(f"the key of {province} has its rights and no others", code == 0, table)
hold("the key of 63 is not one of 64", rights(keys["prov63"], "64")[0] == 1)
code, table = rights(keys["prov64"], "64", PLAIN)
hold("without TLS everything is refused", code == 1 and "allowed" not in table)
own, pipeline, reference = (client("s3", keys[name]) for name in ("prov64", "pipeline", "reference"))
own.put_object(Bucket=LANDING, Key=OPENED, Body=b"x", ACL="public-read")
hold("an object that its owner opens to everybody stays closed", anonymous(OPENED) == 403)
source = f"{LANDING}/{SECRET}"
hold("nothing of another's is copied", refused(own.copy_object, Bucket=LANDING, Key=OPENED, CopySource=source))
parts = {"Bucket": LANDING, "Key": "landing/prov=64/x/_started_large"}
parts["UploadId"] = own.create_multipart_upload(**parts)["UploadId"]
part = own.upload_part(PartNumber=1, Body=b"x", **parts)["ETag"]
own.complete_multipart_upload(MultipartUpload={"Parts": [{"PartNumber": 1, "ETag": part}]}, **parts)
hold("large files arrive in parts", pipeline.head_object(Bucket=LANDING, Key=parts["Key"])["ContentLength"] == 1)
may = {bucket: [not refused(pipeline.put_object, Bucket=bucket, Key="probe", Body=b"x"),
                not refused(pipeline.delete_object, Bucket=bucket, Key="probe")]
       for bucket in (LANDING, ARCHIVE, RELEASE)}  # fmt: skip
hold(
    "the pipeline writes no landing and deletes no archive",
    may == {LANDING: [False, False], ARCHIVE: [True, False], RELEASE: [True, True]},
)
reference.put_object(Bucket=LANDING, Key="reference/sls/x", Body=b"x")
hold("who supplies reference files delivers nothing", refused(reference.put_object, Bucket=LANDING, Key=OPENED))
owner.put_object(Bucket=ARCHIVE, Key="keys/x", Body=b"x")
for name in ("pages", "watchdog"):
    asked = client("s3", keys[name])
    may_not = (
        (asked.get_object, {"Bucket": LANDING, "Key": SECRET}),
        (asked.get_object, {"Bucket": ARCHIVE, "Key": "keys/x"}),
        (asked.put_object, {"Bucket": ARCHIVE, "Key": "objects/x", "Body": b"x"}),
        (asked.put_object, {"Bucket": RELEASE, "Key": "rilis/x", "Body": b"x"}),
    )
    hold(f"the key of {name} reads no delivery and writes no release", all(refused(r, **named) for r, named in may_not))
