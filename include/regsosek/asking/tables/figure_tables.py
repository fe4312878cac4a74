"""A restated figure, and what a number is made of, as tables for the terminal and as JSON."""

from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Group
from rich.table import Table
from rich.text import Text

from regsosek.asking.figures.origin import NamedSource, Origin
from regsosek.asking.figures.published_figure import AskedFigure
from regsosek.asking.figures.published_number import AskedNumber
from regsosek.asking.figures.restated_figure import DATED_AFTER, DENOMINATOR, NOT_TOLD, RestatedFigure, RestatedShare
from regsosek.asking.figures.traced import Trace, TracedDelivery
from regsosek.release.figures.changes import CAUSE_FIELDS
from regsosek.statistics.definitions.definitions import definitions
from regsosek.wording.nouns import counted

JSON_PLACES = 6
SHOWN_DELIVERIES = 40
_OTHER_CAUSES = {
    DATED_AFTER: "Enumerated after that night",
    DENOMINATOR: "Another denominator",
    NOT_TOLD: "Known and not told, for the sake of single families",
}


def restated_report(figure: RestatedFigure) -> Group:
    """As published, by cause, as known now."""
    asked = figure.asked
    rows = [
        (f"As published on {asked.night}", f"{figure.published:,}"),
        *((_cause(cause), f"{count:+,}") for cause, count in figure.causes.items()),
        (f"As known on {figure.newest_night}", f"{figure.now:,}"),
    ]
    parts: list[Text | Table] = [Text(_head(asked)), _table(definitions()[asked.counted].name.en, ("", "Count"), rows)]
    if figure.share is not None:
        parts.append(_share_table(asked, figure.share))
    return Group(*parts)


def restated_document(figure: RestatedFigure) -> dict[str, Any]:
    """The same as JSON: counts exact, percentages rounded to six places."""
    document = _document(figure.asked) | {
        "published": figure.published,
        "causes": dict(figure.causes),
        "now": figure.now,
        "newest_night": figure.newest_night.isoformat(),
    }
    return document if figure.share is None else document | {"share": _share_document(figure.share)}


def origin_report(found: Origin) -> Group:
    """Of each count one line per delivery, where its files, manifest and receipt lie, and whether they all are it."""
    parts: list[Text | Table] = [Text(_number_head(found.asked))]
    for traced in found.traces:
        parts += _trace_parts(traced)
    if found.named:
        rows = [(each.source.name.en, each.version, _stored(each)) for each in found.named]
        parts.append(_table("It also rests on", ("What", "Version", "Where"), rows))
    return Group(*parts)


def _trace_parts(traced: Trace) -> Iterator[Text | Table]:
    shown = traced.deliveries[:SHOWN_DELIVERIES]
    columns = ("Province", "Delivery", "Night", "Counts from", "Counted as", "Counted")
    rows = (
        (each.province, each.delivery_id, each.night, each.counted_night, _counted_as(each), f"{each.total:,}")
        for each in shown
    )
    more = f" (the first {len(shown)}; --output writes all)" if len(shown) < len(traced.deliveries) else ""
    yield _table(f"Deliveries of {traced.field.name.en} ({traced.field.field}): {len(traced.deliveries)}{more}",
                 columns, rows)  # fmt: skip
    yield from (Text(_place(each)) for each in shown)
    yield Text(_sum(traced))


def _counted_as(each: TracedDelivery) -> str:
    return ", ".join(f"{cause} {count:,}" for cause, count in each.counted.items())


def _place(each: TracedDelivery) -> str:
    return (
        f"{each.delivery_id}\n  files    {each.prefix}\n  manifest sha256 {each.manifest_sha256}\n"
        f"  receipt  {each.receipt}"
    )


def _stored(each: NamedSource) -> str:
    stored = [key or f"another version of {dataset} is loaded" for dataset, key in (each.stored or {}).items()]
    return "; ".join([each.where, *stored])


def origin_document(found: Origin) -> dict[str, Any]:
    """The same as JSON, hashes and receipts in full."""
    asked = found.asked
    return {
        **_region_document(asked),
        "row": dict(asked.row),
        "value": asked.value,
        "counts": [_trace_document(traced) for traced in found.traces],
        "rests_on": [
            {"source": each.source.source, "version": each.version, "where": each.where, "stored": each.stored}
            for each in found.named
        ],
    }


def _trace_document(traced: Trace) -> dict[str, Any]:
    deliveries = [
        {
            "province": each.province,
            "delivery_id": each.delivery_id,
            "night": each.night.isoformat(),
            "counted_night": each.counted_night.isoformat(),
            "prefix": each.prefix,
            "manifest_sha256": each.manifest_sha256,
            "receipt": each.receipt,
            "counted": dict(each.counted),
        }
        for each in traced.deliveries
    ]
    sums = {"published": traced.published, "total": traced.total, "moved_since": traced.moved_since}
    return {"counted": traced.field.field, **sums, "deliveries": deliveries}


def _number_head(asked: AskedNumber) -> str:
    row = "".join(f", {definitions()[field].column} {value}" for field, value in asked.row.items())
    told = "the table does not tell it of this region" if asked.value is None else f"published as {asked.value}"
    return f"{asked.code} {asked.name}, {asked.measure.name.en} ({asked.measure.field}){row}: {told}\n{_release(asked)}"


def _release(asked: AskedFigure | AskedNumber) -> str:
    again = (
        f"; the last of {counted(asked.releases, 'release', 'releases')} of that night" if asked.releases > 1 else ""
    )
    return (
        f"Release {asked.release.release_id}{again}, {asked.release.prefix}{asked.file}\n"
        f"Content hash {asked.release.content_hash}"
    )


def _head(asked: AskedFigure) -> str:
    days = "all days" if asked.day is None else f"enumerated on {asked.day}"
    return f"{asked.code} {asked.name}, {asked.measure.name.en} ({asked.measure.field}), {days}\n{_release(asked)}"


def _sum(traced: Trace) -> str:
    if traced.published is None:
        return f"They add up to {traced.total:,}; the release does not publish it beside this number."
    if not traced.moved_since:
        return f"They add up to {traced.total:,}, as published."
    return (
        f"They add up to {traced.total:,}; published were {traced.published:,}. A new frame, results that are told "
        f"later so as to protect single families (the row's status_kerahasiaan), or a night processed "
        f"again, has moved {traced.moved_since:+,} since: see `regsosek figure`."
    )


def _share_table(asked: AskedFigure, share: RestatedShare) -> Table:
    then = f"of {_number(share.published_denominator)} {share.denominator} ({share.published_version or 'no version'})"
    now = f"of {_number(share.now_denominator)} {share.denominator} ({share.now_version or 'no version'})"
    rows = [
        (f"As published, {then}", _percentage(share.published)),
        *((_cause(cause), f"{float(points):+.4f}") for cause, points in share.points.items()),
        (f"As known now, {now}", _percentage(share.now)),
    ]
    return _table(asked.measure.name.en, ("", "Percent, points"), rows)


def _share_document(share: RestatedShare) -> dict[str, Any]:
    sides = (
        ("published", share.published, share.published_denominator, share.published_version),
        ("now", share.now, share.now_denominator, share.now_version),
    )
    told = {
        side: {"percent": _rounded(percent), "denominator": of, "version": version}
        for side, percent, of, version in sides
    }
    return {"denominator": share.denominator, **told, "points": {c: _rounded(p) for c, p in share.points.items()}}


def _document(asked: AskedFigure) -> dict[str, Any]:
    return {
        **_region_document(asked),
        "counted": asked.counted,
        "day": None if asked.day is None else asked.day.isoformat(),
    }


def _region_document(asked: AskedFigure | AskedNumber) -> dict[str, Any]:
    return {
        "region": asked.code,
        "name": asked.name,
        "level": asked.level,
        "measure": asked.measure.field,
        "night": asked.night.isoformat(),
        "release": {
            "release_id": asked.release.release_id,
            "content_hash": asked.release.content_hash,
            "file": asked.release.prefix + asked.file,
            "releases_of_that_night": asked.releases,
        },
    }


def _cause(cause: str) -> str:
    return _OTHER_CAUSES.get(cause) or definitions()[CAUSE_FIELDS[cause]].name.en


def _number(value: int | None) -> str:
    return "no" if value is None else f"{value:,}"


def _percentage(value: Fraction | None) -> str:
    return "–" if value is None else f"{float(value):.4f}"


def _rounded(value: Fraction | None) -> float | None:
    return None if value is None else round(float(value), JSON_PLACES)


def _table(title: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> Table:
    table = Table(title=title, title_justify="left", box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
    for number, column in enumerate(columns):
        last = number == len(columns) - 1
        table.add_column(column, justify="right" if last else "left", overflow="fold", no_wrap=column == "Delivery")
    for row in rows:
        table.add_row(*("" if cell is None else str(cell) for cell in row))
    return table
