"""The language of the buckets' policies, as AWS describes it: a denial wins, what nothing allows is refused."""

import fnmatch
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from botocore.client import BaseClient

from regsosek.landing.policies import Policy

# What each request to a store needs a right to.
RIGHTS = {
    "GetObject": "s3:GetObject", "HeadObject": "s3:GetObject", "ListObjectsV2": "s3:ListBucket",
    "PutObject": "s3:PutObject", "DeleteObject": "s3:DeleteObject", "CreateMultipartUpload": "s3:PutObject",
}  # fmt: skip


def as_list(given: Any) -> list[Any]:
    return given if isinstance(given, list) else [given]


def applies(statement: dict[str, Any], action: str, resource: str, context: dict[str, str]) -> bool:
    conditions = {
        "StringLike": lambda key, pattern: fnmatch.fnmatchcase(context.get(key, ""), pattern),
        "Bool": lambda key, value: context.get(key) == value,
    }
    return (
        any(fnmatch.fnmatchcase(action, each) for each in as_list(statement["Action"]))
        and any(fnmatch.fnmatchcase(resource, f"{each}") for each in as_list(statement["Resource"]))
        and all(conditions[op](*pair) for op, test in statement.get("Condition", {}).items() for pair in test.items())
    )


def allows(policy: Policy, action: str, bucket: str, key: str = "", *, prefix: str = "", tls: bool = True) -> bool:
    resource = f"arn:aws:s3:::{bucket}" + (f"/{key}" if key else "")
    context = {"s3:prefix": prefix, "aws:SecureTransport": "true" if tls else "false"}
    effects = {each["Effect"] for each in policy["Statement"] if applies(each, action, resource, context)}
    return effects == {"Allow"}


@contextmanager
def refused_by(policy: Policy) -> Iterator[list[str]]:
    """The requests that are made meanwhile and that ``policy`` does not allow; they are answered all the same."""
    found: list[str] = []
    ask: Any = BaseClient._make_api_call

    def asked(self: Any, operation: str, given: dict[str, Any]) -> Any:
        bucket, key, prefix = given["Bucket"], given.get("Key", ""), given.get("Prefix", "")
        if not allows(policy, RIGHTS[operation], bucket, key, prefix=prefix):
            found.append(f"{operation} {bucket}/{key or prefix}")
        return ask(self, operation, given)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(BaseClient, "_make_api_call", asked)
        yield found
