"""The thin edge to object storage: boto3 against any S3 endpoint, patient with every fault that passes by itself."""

import hashlib
import logging
import mimetypes
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Self, TypeVar

import boto3
from boto3.exceptions import S3UploadFailedError
from boto3.s3.transfer import TransferConfig
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError, IncompleteReadError
from botocore.exceptions import ConnectionError as NoConnectionError
from botocore.parsers import ResponseParserError
from tenacity import RetryCallState, Retrying, retry_if_exception, stop_after_attempt, wait_random_exponential
from urllib3.exceptions import HTTPError

from regsosek.errors import LostRaceError, ObjectStoreError
from regsosek.landing.response_check import (
    WrongAnswerError,
    normalise_listing,
    plain_etag,
    require_listing,
    require_object,
    require_size,
)
from regsosek.landing.store import ABSENT, Downloaded, StoredObject
from regsosek.settings import Settings
from regsosek.transport import store_authority

if TYPE_CHECKING:
    from botocore.response import StreamingBody
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import ListObjectsV2OutputTypeDef

T = TypeVar("T")
logger = logging.getLogger(__name__)

CHUNK_BYTES = 1024 * 1024
MULTIPART_BYTES = 64 * 1024 * 1024
# What a store or the way to it can raise; the last one slips through botocore's own wrapping when TLS breaks off.
_FAULTS = (BotoCoreError, ClientError, S3UploadFailedError, HTTPError, ResponseParserError)
_PASSING = (NoConnectionError, HTTPClientError, IncompleteReadError, HTTPError, ResponseParserError, WrongAnswerError)
_PASSING_STATUS = {HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_MANY_REQUESTS}
_PASSING_CODES = {
    "RequestTimeout",
    "SlowDown",
    "Throttling",
    "ThrottlingException",
    "RequestLimitExceeded",
    "ConditionalRequestConflict",
}
_MISSING_CODES = {"NoSuchKey", "NotFound", "404"}
_UNMET_CODES = {"PreconditionFailed", "412"}
_NO_CONDITION_CODES = {"NotImplemented", "InvalidArgument", "InvalidRequest", "501"}


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How long one operation tries before it gives up; times in seconds.

    botocore repeats one request quickly (its waits start at 50 ms except for throttling, and it stops when its retry
    quota is spent). The operation around it, reading the body included, is repeated with waits that outlast the
    restart of a store: up to ``first_wait``, doubled each time, at most ``longest_wait``, at random below that.
    """

    connect_timeout: float = 10
    read_timeout: float = 60
    request_attempts: int = 3
    operation_attempts: int = 5
    first_wait: float = 2
    longest_wait: float = 30


class ObjectStore:
    """Object storage behind an S3 API. Threads may share one; processes may not."""

    def __init__(self, client: "S3Client", policy: RetryPolicy) -> None:
        self._client = client
        self._policy = policy
        self.takes_conditions = True  # until it refuses one

    @classmethod
    def connect(cls, settings: Settings, policy: RetryPolicy | None = None) -> Self:
        """A store at the endpoint of ``settings``; nothing is sent yet.

        Raises:
            ConfigurationError: the endpoint is in clear, outside this machine.
        """
        policy = policy or RetryPolicy()
        session = boto3.session.Session(
            aws_access_key_id=settings.s3_access_key_id.get_secret_value(),
            aws_secret_access_key=settings.s3_secret_access_key.get_secret_value(),
            region_name=settings.s3_region,
        )
        client = session.client(
            "s3",
            endpoint_url=settings.s3_endpoint_url,
            verify=store_authority(settings),
            config=_client_config(settings, policy),
        )
        client.meta.events.register_last("before-parse.s3.ListObjectsV2", normalise_listing)
        return cls(client, policy)

    def list_objects(self, bucket: str, prefix: str) -> Iterator[StoredObject]:
        """Every object below ``prefix``, 1,000 at a time: the listing is never held whole."""
        for page in self._pages(bucket, prefix, delimiter=""):
            for entry in page.get("Contents", ()):
                yield StoredObject(entry["Key"], entry["Size"], entry.get("ETag", "").strip('"'))

    def list_level(self, bucket: str, prefix: str) -> Iterator[str]:
        """What stands directly below ``prefix``: folders (ending in ``/``) and keys, whole names."""
        for page in self._pages(bucket, prefix, delimiter="/"):
            yield from (folder["Prefix"] for folder in page.get("CommonPrefixes", ()))
            yield from (entry["Key"] for entry in page.get("Contents", ()))

    def get_bytes(self, bucket: str, key: str, *, max_bytes: int, listed: StoredObject | None = None) -> bytes | None:
        """The first ``max_bytes`` bytes of an object; ``None`` when there is no such object.

        An answer that differs from ``listed``, what a listing said of the object, is asked for again.
        """

        def read() -> bytes:
            with closing(self._open(bucket, key, listed)) as body:
                content = b"".join(_chunks(body, max_bytes))
            require_size(len(content), max_bytes, listed)
            return content

        return self._unless_missing("get", bucket, key, read)

    def download(
        self, bucket: str, key: str, path: Path, *, expected_bytes: int, listed: StoredObject | None = None
    ) -> Downloaded | None:
        """Streams an object to ``path`` and hashes it on the way; ``None`` when there is no such object.

        Stops one byte beyond ``expected_bytes``, so that an object that is too large shows without being read whole.
        On error nothing is left at ``path``. An answer that differs from ``listed`` is asked for again.
        """

        def read() -> Downloaded:
            with closing(self._open(bucket, key, listed)) as body:
                downloaded = _save(_chunks(body, expected_bytes + 1), path)
            require_size(downloaded.size, expected_bytes + 1, listed)
            return downloaded

        with ExitStack() as undo:
            undo.callback(path.unlink, missing_ok=True)
            downloaded = self._unless_missing("get", bucket, key, read)
            if downloaded is not None:
                undo.pop_all()
        return downloaded

    def put_bytes(self, bucket: str, key: str, content: bytes, *, over: str | None = None) -> None:
        """Writes an object from memory; what its name says of its kind is kept, so that a browser shows a page.

        Args:
            over: ETag of what it may replace, ``ABSENT`` for nothing at all; by default whatever is there. A store that
                ignores or refuses conditions writes it all the same.

        Raises:
            LostRaceError: something else is there.
        """
        if over is None or not self.takes_conditions:
            self._put(bucket, key, content, None)
        else:
            self._put_over(bucket, key, content, over)

    def put_file(self, bucket: str, key: str, path: Path) -> None:
        """Writes an object from a local file, in parts when it is large; readers never see half of it."""
        parts = TransferConfig(multipart_threshold=MULTIPART_BYTES, multipart_chunksize=MULTIPART_BYTES)

        def upload() -> None:
            self._client.upload_file(Filename=str(path), Bucket=bucket, Key=key, Config=parts)

        self._patiently("put", bucket, key, upload)

    def delete(self, bucket: str, key: str) -> None:
        """Removes an object; nothing happens when there is none."""
        self._patiently("delete", bucket, key, lambda: self._client.delete_object(Bucket=bucket, Key=key))

    def size(self, bucket: str, key: str) -> int | None:
        """The size of an object in bytes; ``None`` when there is no such object."""

        def head() -> int:
            answer = self._client.head_object(Bucket=bucket, Key=key)
            require_object(answer)
            return answer["ContentLength"]

        return self._unless_missing("head", bucket, key, head)

    def etag(self, bucket: str, key: str) -> str:
        """The ETag of an object, without quotes; ``ABSENT`` when there is no such object."""

        def head() -> str:
            answer = self._client.head_object(Bucket=bucket, Key=key)
            require_object(answer)
            return plain_etag(answer["ETag"])

        return self._unless_missing("head", bucket, key, head) or ABSENT

    def _put_over(self, bucket: str, key: str, content: bytes, over: str) -> None:
        """A conditional write; a store that refuses conditions is asked without them from then on."""
        try:
            self._put(bucket, key, content, over)
        except ObjectStoreError as error:
            code = _code(error.__cause__) if isinstance(error.__cause__, ClientError) else ""
            if code in _NO_CONDITION_CODES:
                logger.warning("put %s/%s: the store refuses conditions (%s); written without", bucket, key, code)
                self.takes_conditions = False
                self._put(bucket, key, content, None)
            elif code in _UNMET_CODES | _MISSING_CODES:
                self._require_own(bucket, key, content)
            else:
                raise

    def _require_own(self, bucket: str, key: str, content: bytes) -> None:
        # A write whose answer got lost is made again, and then finds itself there.
        if self.get_bytes(bucket, key, max_bytes=len(content) + 1) != content:
            raise LostRaceError(
                f"put {bucket}/{key}: somebody else wrote it meanwhile, nothing was overwritten; find out which "
                "process that was (two runs of the same thing, or two warehouses on one bucket), then run again"
            )

    def _put(self, bucket: str, key: str, content: bytes, over: str | None) -> None:
        put = partial(self._client.put_object, Bucket=bucket, Key=key, Body=content, ContentType=content_type(key))
        conditionally = partial(put, IfNoneMatch="*") if over == ABSENT else partial(put, IfMatch=f'"{over}"')
        if over is None:
            conditionally = put

        def attempt() -> None:
            require_object(conditionally())

        self._patiently("put", bucket, key, attempt)

    def _open(self, bucket: str, key: str, listed: StoredObject | None) -> "StreamingBody":
        answer = self._client.get_object(Bucket=bucket, Key=key)
        try:
            require_object(answer, listed)
        except WrongAnswerError:
            answer["Body"].close()
            raise
        return answer["Body"]

    def _pages(self, bucket: str, prefix: str, delimiter: str) -> Iterator["ListObjectsV2OutputTypeDef"]:
        token, passed = "", {""}
        while True:
            page = self._page(bucket, prefix, delimiter, token)
            yield page
            if not page.get("IsTruncated"):
                return
            following = page.get("NextContinuationToken", "")
            if following in passed:
                # Stopping here in silence would pass half a listing off as the whole; going round would never end.
                raise ObjectStoreError(f"list {bucket}/{prefix}: truncated without a new continuation token")
            passed.add(following)
            token = following

    def _page(self, bucket: str, prefix: str, delimiter: str, token: str) -> "ListObjectsV2OutputTypeDef":
        return self._patiently("list", bucket, prefix, lambda: self._listing(bucket, prefix, delimiter, token))

    def _listing(self, bucket: str, prefix: str, delimiter: str, token: str) -> "ListObjectsV2OutputTypeDef":
        ask = partial(self._client.list_objects_v2, Bucket=bucket, Prefix=prefix, Delimiter=delimiter)
        try:
            page = ask(ContinuationToken=token) if token else ask()
        except ValueError as error:  # botocore reads a number that is none without a word of its own
            raise WrongAnswerError(said="a number in the listing is none") from error
        require_listing(page, bucket, prefix)
        return page

    def _unless_missing(self, operation: str, bucket: str, key: str, attempt: Callable[[], T]) -> T | None:
        """What ``attempt`` finds; ``None`` only where the listing, too, says that there is no such object."""

        def confirmed() -> T:
            try:
                return attempt()
            except ClientError as error:
                # The exact key sorts first among those that begin with it: one page tells.
                if _code(error) in _MISSING_CODES and any(
                    entry["Key"] == key for entry in self._listing(bucket, key, "", "").get("Contents", ())
                ):
                    raise WrongAnswerError(said="the object is listed and said to be missing") from error
                raise

        try:
            return self._patiently(operation, bucket, key, confirmed)
        except ObjectStoreError as error:
            if isinstance(error.__cause__, ClientError) and _code(error.__cause__) in _MISSING_CODES:
                return None
            raise

    def _patiently(self, operation: str, bucket: str, key: str, attempt: Callable[[], T]) -> T:
        """Runs ``attempt`` until it succeeds, fails for good, or the policy gives up."""
        place = f"{operation} {bucket}/{key}"
        policy = self._policy
        retrying = Retrying(
            stop=stop_after_attempt(policy.operation_attempts),
            wait=wait_random_exponential(multiplier=policy.first_wait, max=policy.longest_wait),
            retry=retry_if_exception(_passes),
            before_sleep=lambda state: _log_retry(place, state),
            reraise=True,
        )
        try:
            return retrying(attempt)
        except _FAULTS as error:
            raise ObjectStoreError(f"{place}: {error} (check REGSOSEK_S3_* and the store, then run again)") from error


def _client_config(settings: Settings, policy: RetryPolicy) -> Config:
    return Config(
        connect_timeout=policy.connect_timeout,
        read_timeout=policy.read_timeout,
        retries={"mode": "standard", "total_max_attempts": policy.request_attempts},
        max_pool_connections=16,
        # Stores that are not AWS seldom know the newer checksum trailers, nor buckets as host names.
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
        s3={"addressing_style": "path" if settings.s3_endpoint_url else "auto"},
    )


def _chunks(body: "StreamingBody", limit: int) -> Iterator[bytes]:
    """The body up to ``limit`` bytes; a body that ends before its stated length raises."""
    while limit > 0 and (chunk := body.read(min(CHUNK_BYTES, limit))):
        limit -= len(chunk)
        yield chunk


def _save(chunks: Iterator[bytes], path: Path) -> Downloaded:
    digest, size = hashlib.sha256(), 0
    with path.open("wb") as file:
        for chunk in chunks:
            file.write(chunk)
            digest.update(chunk)
            size += len(chunk)
    return Downloaded(size, digest.hexdigest())


def _passes(error: BaseException) -> bool:
    """Whether a fault may be gone at the next attempt."""
    if isinstance(error, S3UploadFailedError) and error.__context__ is not None:
        return _passes(error.__context__)
    if isinstance(error, ClientError):
        status = error.response["ResponseMetadata"]["HTTPStatusCode"]
        failed = status >= HTTPStatus.INTERNAL_SERVER_ERROR and status != HTTPStatus.NOT_IMPLEMENTED
        return failed or status in _PASSING_STATUS or _code(error) in _PASSING_CODES
    return isinstance(error, _PASSING)


def _code(error: ClientError) -> str:
    return error.response["Error"].get("Code", "")


def _log_retry(place: str, state: RetryCallState) -> None:
    cause = state.outcome.exception() if state.outcome else None
    logger.warning("%s: attempt %d failed (%s), trying again", place, state.attempt_number, type(cause).__name__)


def content_type(key: str) -> str:
    """The media type that a name tells; what is packed, or unknown, is bytes."""
    kind, packed = mimetypes.guess_type(key)
    return kind if kind and not packed else "application/octet-stream"
