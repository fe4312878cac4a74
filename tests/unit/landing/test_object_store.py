"""The S3 edge, as far as no server is needed: a listing is whole or an error, an object is as it was listed."""

import hashlib
from io import BytesIO

import pytest

from regsosek.errors import ObjectStoreError
from regsosek.landing.object_store import ObjectStore, RetryPolicy
from regsosek.landing.store import Downloaded, StoredObject

HASTE = RetryPolicy(operation_attempts=2, first_wait=0.001, longest_wait=0.001)
PREFIX = "landing/prov=35/"
ENTRY = {"Key": PREFIX + "k", "Size": 1, "ETag": '"e"'}
CONTENT = bytes(range(100))
LISTED = StoredObject("k", len(CONTENT), "e")


class ForgetfulClient:
    """Says that a listing goes on, and hands out the tokens given."""

    def __init__(self, *tokens):
        self.tokens = list(tokens)

    def list_objects_v2(self, **_):
        token = self.tokens.pop(0)
        page = {"Contents": [{"Key": "prov=35/k", "Size": 1, "ETag": '"e"'}], "IsTruncated": True}
        return page | ({"NextContinuationToken": token} if token else {})


@pytest.mark.parametrize(
    "tokens", [(None,), ("a", "a"), ("a", "b", "a", "b")], ids=["no token", "the same token", "tokens in turn"]
)
def test_a_listing_that_cannot_go_on_is_an_error(tokens):
    store = ObjectStore(ForgetfulClient(*tokens), RetryPolicy())
    with pytest.raises(ObjectStoreError, match="list landing/prov=35/: truncated"):
        list(store.list_objects("landing", "prov=35/"))


class Client:
    """Gives the answers given, one after the other."""

    def __init__(self, *answers):
        self.answers = list(answers)

    def list_objects_v2(self, **_):
        return {"IsTruncated": False} | self.answers.pop(0)

    def get_object(self, **_):
        return {"ETag": 'W/"e"', "Body": BytesIO(self.answers.pop(0))}


WRONG = {
    "nothing in another place": {"Prefix": "landing/prov=53/"},
    "nothing in the whole bucket": {"Prefix": ""},
    "nothing in another bucket": {"Name": "other"},
    "entries counted and not there": {"KeyCount": 2},
    "fewer than counted": {"KeyCount": 2, "Contents": [ENTRY]},
    "more than counted": {"KeyCount": 0, "Contents": [ENTRY]},
}


@pytest.mark.parametrize("answer", WRONG.values(), ids=WRONG)
def test_a_listing_meant_for_somebody_else_is_asked_for_again(answer):
    right = {"Prefix": PREFIX, "Name": "bucket", "KeyCount": 1, "Contents": [ENTRY]}
    store = ObjectStore(Client(answer, right), HASTE)
    assert [each.key for each in store.list_objects("bucket", PREFIX)] == [ENTRY["Key"]]
    with pytest.raises(ObjectStoreError, match="list bucket/landing/prov=35/"):
        list(ObjectStore(Client(answer, answer), HASTE).list_objects("bucket", PREFIX))


RIGHT = {
    "says nothing": {},
    "encoded prefix": {"Prefix": "landing%2Fprov%3D35%2F", "KeyCount": 0},
    "folders count": {"KeyCount": 2, "CommonPrefixes": [{"Prefix": PREFIX + "a/"}], "Contents": [ENTRY]},
    "folders do not count": {"KeyCount": 1, "CommonPrefixes": [{"Prefix": PREFIX + "a/"}], "Contents": [ENTRY]},
}


@pytest.mark.parametrize("answer", RIGHT.values(), ids=RIGHT)
def test_stores_may_say_less_and_count_as_they_do(answer):
    found = list(ObjectStore(Client(answer), HASTE).list_level("bucket", PREFIX))
    assert len(found) == len(answer.get("CommonPrefixes", ())) + len(answer.get("Contents", ()))


BODIES = {"half": CONTENT[:50], "empty": b"", "unpacked": 2 * CONTENT}


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
def test_a_body_without_its_length_is_measured_against_the_listing(body, tmp_path):
    path = tmp_path / "k"
    whole = Downloaded(len(CONTENT), hashlib.sha256(CONTENT).hexdigest())
    ask = {"expected_bytes": len(CONTENT), "listed": LISTED}
    assert ObjectStore(Client(body, CONTENT), HASTE).download("bucket", "k", path, **ask) == whole
    assert path.read_bytes() == CONTENT
    path.unlink()
    with pytest.raises(ObjectStoreError, match=r"get bucket/k: .* bytes, the listing says 100"):
        ObjectStore(Client(body, body), HASTE).download("bucket", "k", path, **ask)
    assert not path.exists()
    assert ObjectStore(Client(body, CONTENT), HASTE).get_bytes("bucket", "k", max_bytes=200, listed=LISTED) == CONTENT


@pytest.mark.parametrize("limit", [0, 1, 99, 100, 101])
def test_what_is_read_in_part_is_no_contradiction(limit, tmp_path):
    read = ObjectStore(Client(CONTENT), HASTE).get_bytes("bucket", "k", max_bytes=limit, listed=LISTED)
    assert read == CONTENT[:limit]
    downloaded = ObjectStore(Client(CONTENT), HASTE).download(
        "bucket", "k", tmp_path / "k", expected_bytes=limit, listed=LISTED
    )
    assert downloaded is not None and downloaded.size == min(100, limit + 1)
