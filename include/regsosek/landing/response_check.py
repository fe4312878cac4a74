"""Whether what came back is an answer to what was asked: a gateway's page has status 200, too."""

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote_plus

from botocore.exceptions import BotoCoreError

from regsosek.landing.store import StoredObject

_TRUNCATED = re.compile(rb"<(\w+:)?IsTruncated>\s*([^<]*?)\s*</(\w+:)?IsTruncated>")
# XML Schema's spellings, in any case: readers that know `true` alone take `True` for the end of the listing.
_BOOLEANS = {b"true": b"true", b"1": b"true", b"false": b"false", b"0": b"false"}


class WrongAnswerError(BotoCoreError):  # a fault of the way to the store, as the client's own are
    """Something answered that is not the store, or the store contradicts itself; it may be gone at the next try."""

    fmt = "{said}"


def normalise_listing(response_dict: dict[str, Any], **_: object) -> None:
    """Spells the answer to a listing as botocore reads it; a handler of its event ``before-parse``."""
    body: bytes = response_dict["body"]
    found = _TRUNCATED.search(body)
    if found is None:
        return
    word = _BOOLEANS.get(found[2].lower())
    if word is None:
        raise WrongAnswerError(said="the listing does not say whether it goes on")
    response_dict["body"] = body[: found.start(2)] + word + body[found.end(2) :]


def require_listing(page: Mapping[str, Any], bucket: str, prefix: str) -> None:
    """A page of a listing says whether it goes on, is of the place asked for, and bears the entries it counts."""
    if "IsTruncated" not in page:
        raise WrongAnswerError(said="the answer is no listing")
    keys = [entry["Key"] for entry in page.get("Contents", ())]
    folders = [entry["Prefix"] for entry in page.get("CommonPrefixes", ())]
    if not all(key.startswith(prefix) for key in keys + folders):
        raise WrongAnswerError(said="the answer lists another place than was asked for")
    # An empty page shows no key that belongs elsewhere: only its head tells. Stores may leave parts of it out.
    if page.get("Name", bucket) != bucket or not _same(page.get("Prefix", prefix), prefix):
        raise WrongAnswerError(said="the answer is a listing of another place than was asked for")
    # Some stores count folders, some do not.
    if page.get("KeyCount", len(keys)) not in {len(keys), len(keys) + len(folders)}:
        raise WrongAnswerError(said="the listing has another number of entries than it says")


def _same(told: str, asked: str) -> bool:
    """Whether a prefix is the one asked for; stores encode it, or not, without saying so."""
    return asked in {told, unquote_plus(told)} or told == unquote_plus(asked)


def require_object(answer: Mapping[str, Any], listed: StoredObject | None = None) -> None:
    """Every answer about an object bears its ETag; one that was listed is still what the listing said."""
    if not answer.get("ETag"):
        raise WrongAnswerError(said="the answer is of no object: it has no ETag")
    if listed is None:
        return
    size = answer.get("ContentLength")
    if size is not None and size != listed.size:
        raise WrongAnswerError(said=f"the answer has {size} bytes, the listing says {listed.size}")
    if listed.etag and plain_etag(answer["ETag"]) != plain_etag(listed.etag):
        raise WrongAnswerError(said="the answer has another ETag than the listing says")


def require_size(read: int, limit: int, listed: StoredObject | None) -> None:
    """What was read, up to ``limit`` bytes, is as long as was listed: not every answer states its length."""
    if listed is not None and read != min(limit, listed.size):
        raise WrongAnswerError(said=f"the answer ended after {read} bytes, the listing says {listed.size}")


def plain_etag(etag: str) -> str:
    """An ETag without its quotes and without what proxies that compress add to it."""
    return re.sub(r"[-;](gzip|br|df)$", "", etag.strip().removeprefix("W/").strip('"'))
