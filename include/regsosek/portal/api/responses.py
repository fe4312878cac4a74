"""How the API answers: rows in pages, each with as-of time and gaps, as JSON or CSV, not sent again if unchanged.

By hand: a cursor names the release whose rows it pages through; fastapi-pagination knows tables and queries alone.
"""

import base64
import binascii
import hashlib
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from http import HTTPStatus
from typing import Annotated, Any, Generic, Literal, TypeVar
from urllib.parse import urlencode

from fastapi import Request, Response
from pydantic import BaseModel, ConfigDict, Field
from pydantic.json_schema import SkipJsonSchema

from regsosek.portal.api.problems import PRIVATE, documented, not_there
from regsosek.portal.login.viewer import Viewer
from regsosek.portal.readable import is_readable
from regsosek.wording.spreadsheet import Spreadsheet

LIMIT, HIGHEST_LIMIT = 100, 1000
Row = Mapping[str, Any]
# A parameter that may be left out; nobody can send null in a query.
Unset = SkipJsonSchema[None]

ProvinceCode = Annotated[str, Field(pattern=r"^[0-9]{2}$", examples=["64"], description="BPS code of a province")]
RegionCode = Annotated[
    str, Field(pattern=r"^[0-9]{2,10}$", examples=["6403"], description="BPS code of a region; 00 is the nation")
]


Cursor = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,400}$", description="from `next` of the page before")]
Form = Annotated[
    Literal["json", "csv"], Field(description="csv leaves the envelope out; Accept: text/csv does the same")
]


class Shape(BaseModel):
    """An object of the API: it has the fields that it names and no others."""

    model_config = ConfigDict(extra="forbid")


class Paging(Shape):
    """What every list can be asked for."""

    limit: Annotated[int, Field(ge=1, le=HIGHEST_LIMIT, description="rows of a page")] = LIMIT
    cursor: Cursor | Unset = None
    format: Form | Unset = None


class AsOf(Shape):
    """What an answer is as of."""

    malam: date | None = Field(description="night of processing")
    rilis: str | None = Field(None, description="release that the figures are published in")
    versi: str = Field(description="what identifies the contents: their hash, or the version of a reference")


class Missing(Shape):
    """A province whose figures have a gap on that night."""

    kode: str
    nama: str
    keadaan_malam_ini: str
    keluarga_ditahan: int


RowModel = TypeVar("RowModel")


class Envelope(Shape, Generic[RowModel]):
    """A page of rows."""

    as_of: AsOf
    missing: list[Missing] = Field(description="provinces whose figures of the night are missing or incomplete")
    rows: list[RowModel]
    next: str | None = Field(description="address of the next page; null on the last one")


@dataclass(frozen=True)
class Answer:
    """Rows of one page with what they are as of; ``next_mark`` says where the next page begins, if there is one."""

    as_of: Mapping[str, Any]
    missing: Sequence[Mapping[str, Any]]
    columns: Sequence[str]
    rows: Sequence[Row]
    next_mark: Sequence[Any] | None = None


CSV_TOO: dict[str, Any] = {"text/csv": {"schema": {"type": "string"}}}


def answers(description: str) -> dict[int | str, dict[str, Any]]:
    """For the OpenAPI document: what a list answers with besides its model."""
    text = {"schema": {"type": "string"}}
    headers = dict.fromkeys(("ETag", "Cache-Control", "Vary"), text)
    return {
        200: {"description": description, "content": CSV_TOO, "headers": headers},
        304: {"description": "Not changed since the answer whose ETag was sent in If-None-Match"},
        **documented(),
    }


def etag(request: Request, viewer: Viewer, *contents: str) -> str:
    """The tag of an answer: contents by their hash, what was asked of them, and what of it the account is shown."""
    scope = ("*",) if not viewer.of_provinces else (*sorted(viewer.provinces), str(viewer.sensitive))
    asked = sorted(request.query_params.multi_items())
    whole = json.dumps([contents, request.url.path, asked, wants_csv(request), scope])
    return f'"{hashlib.sha256(whole.encode()).hexdigest()[:32]}"'


def unchanged(request: Request, tag: str) -> Response | None:
    """The answer to who has the contents already."""
    known = [each.strip().removeprefix("W/") for each in request.headers.get("if-none-match", "").split(",")]
    if tag in known or "*" in known:
        return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=_headers(tag))
    return None


def written(request: Request, viewer: Viewer, answer: Answer) -> Response:
    """The answer whose contents are known only now; its tag is their hash."""
    content = json.dumps([answer.as_of, list(answer.missing), list(answer.rows)], default=plain, sort_keys=True)
    tag = etag(request, viewer, hashlib.sha256(content.encode()).hexdigest())
    return unchanged(request, tag) or send(request, answer, tag)


def send(request: Request, answer: Answer, tag: str) -> Response:
    """The page in the form that was asked for; where the next one lies stands in ``Link`` too."""
    following = None if answer.next_mark is None else _following(request, answer.next_mark)
    headers = _headers(tag) | ({"Link": f'<{following}>; rel="next"'} if following else {})
    if wants_csv(request):
        return Response(_csv(answer.columns, answer.rows), media_type="text/csv", headers=headers)
    content = {"as_of": answer.as_of, "missing": answer.missing, "rows": answer.rows, "next": following}
    return json_response(content, headers)


def json_response(content: Mapping[str, Any], headers: Mapping[str, str]) -> Response:
    """``content`` as JSON, days as ISO 8601."""
    body = json.dumps(content, ensure_ascii=False, separators=(",", ":"), default=plain)
    return Response(body.encode(), media_type="application/json", headers=dict(headers))


def plain(value: Any) -> Any:
    """A day or moment as JSON has it."""
    if isinstance(value, (date, datetime)):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} has no form in JSON")


def wants_csv(request: Request) -> bool:
    """Whether CSV was asked for, by parameter before header."""
    asked = request.query_params.get("format")
    accepts = request.headers.get("accept", "").split(",")[0].split(";")[0].strip()
    return asked == "csv" if asked else accepts == "text/csv"


def marked(cursor: str | None) -> list[Any] | None:
    """Where a cursor of ours leads; none on the first page.

    Raises:
        ProblemError: it is none of ours.
    """
    if cursor is None:
        return None
    try:
        found = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except (ValueError, binascii.Error, RecursionError):
        found = None
    if not isinstance(found, list) or not all(is_readable(part) for part in found if isinstance(part, str)):
        raise no_such_page()
    return found


def no_such_page() -> Exception:
    """What a cursor that leads nowhere is answered with."""
    return not_there("cursor", "take it from `next` of the page before, unchanged, with the same release")


def page_of(rows: Iterable[tuple[tuple[str, ...], Row]], paging: Paging) -> tuple[list[Row], tuple[str, ...] | None]:
    """One page of a list that may change while it is read: rows beyond the key that the page before ended with.

    Args:
        rows: each with its key, in any order; no two have the same.
    """
    mark = marked(paging.cursor)
    if mark is not None and not all(isinstance(part, str) for part in mark):
        raise no_such_page()
    after = tuple(mark or ())
    remaining = sorted((each for each in rows if each[0] > after), key=lambda each: each[0])
    page = remaining[: paging.limit]
    more = len(remaining) > len(page)
    return [row for _, row in page], page[-1][0] if more else None


def _following(request: Request, mark: Sequence[Any]) -> str:
    cursor = base64.urlsafe_b64encode(json.dumps(list(mark), separators=(",", ":")).encode()).decode().rstrip("=")
    kept = [(name, value) for name, value in request.query_params.multi_items() if name != "cursor"]
    return f"{request.url.path}?{urlencode([*kept, ('cursor', cursor)])}"


def _headers(tag: str) -> dict[str, str]:
    return {**PRIVATE, "ETag": tag, "Vary": "Accept, Authorization, Cookie"}


def _csv(columns: Sequence[str], rows: Sequence[Row]) -> bytes:
    text = io.StringIO(newline="")
    writer = Spreadsheet(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows([_cell(row.get(name, "")) for name in columns] for row in rows)
    return text.getvalue().encode()


def _cell(value: Any) -> Any:
    return " ".join(value) if isinstance(value, list) else value
