"""The work list of a province: a row for each place, by code and name, that a spreadsheet opens without running it."""

import csv
import io
from collections.abc import Sequence
from dataclasses import replace

from regsosek.alerts.conditions.condition import Condition, Kind, Notification, Place, Severity, Why, kabkota_of
from regsosek.alerts.conditions.notification_policy import urgency
from regsosek.alerts.conditions.province_figures import ProvinceFigures
from regsosek.alerts.conditions.thresholds import Thresholds
from regsosek.alerts.messages.rendering import Attachment, harmless
from regsosek.alerts.sentences.also_listed import also_listed
from regsosek.alerts.sentences.condition_line import codes_of, deadline, in_hand, name_of, standing, who
from regsosek.alerts.sentences.context import Context
from regsosek.alerts.sentences.details import beside_of
from regsosek.alerts.sentences.grouping import Line, in_mail_order, province_lines, still_open, worst
from regsosek.alerts.sentences.observation import finding
from regsosek.alerts.sentences.texts import Words
from regsosek.wording.spreadsheet import as_text

# kab/kota, kecamatan, desa, SLS, sub-SLS: a spreadsheet would make a number of 16 digits and lose the last.
_WIDTHS = (4, 3, 3, 4, 2)


def work_list(
    told: Sequence[Notification], figures: ProvinceFigures, limits: Thresholds, context: Context
) -> Attachment:
    """One row for each place that the mail tells of or counts, at least one: in the order of the mail."""
    words = context.words
    counted = sorted((_counted(each, told) for each in also_listed(told, figures)), key=urgency)
    only_counted = {each.condition.key for each in counted}
    rows = [
        _part(each, told, figures, limits, context)
        if each.condition.key in only_counted
        else _row(each, figures, limits, context)
        for each in in_mail_order([*told, *counted])
    ]
    header = [words.say(f"column.{name}") for name in rows[0]]
    name = words.say("list_name", province=figures.province, night=figures.night)
    return spreadsheet(name, header, [list(row.values()) for row in rows], words)


def spreadsheet(name: str, header: Sequence[str], rows: Sequence[Sequence[str | int]], words: Words) -> Attachment:
    """CSV as a spreadsheet of the reader's language opens it: with a BOM, and semicolons where commas mark decimals."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=";" if words.language == "id" else ",", quoting=csv.QUOTE_ALL)
    writer.writerow(header)
    writer.writerows([[cell(value) for value in row] for row in rows])
    return Attachment(name, "text/csv", text.getvalue().encode("utf-8-sig"))


def cell(value: str | int) -> str:
    """``value`` on one line, and never a formula; a count stays one, below zero too."""
    return str(value) if isinstance(value, int) else as_text(" ".join(value.split()))


def grouped(code: str) -> str:
    """``6403 010 001 0001 00``: a code that stays text in every spreadsheet."""
    if not code.isdecimal():
        return code
    parts, rest = [], code
    for width in _WIDTHS:
        parts.append(rest[:width])
        rest = rest[width:]
    return " ".join(part for part in [*parts, rest] if part)


def _counted(part: Condition, told: Sequence[Notification]) -> Notification:
    """A place that is only counted, with the deadline of its kind, if one was told."""
    same = (each.first for each in told if each.condition.kind is part.kind and each.first is not None)
    return Notification(part, Why.STANDING, min(same, default=None))


def _part(
    part: Notification, told: Sequence[Notification], figures: ProvinceFigures, limits: Thresholds, context: Context
) -> dict[str, str]:
    """A part is no more urgent than its mail, and asks for nothing unless its kind is told of and open.

    Since when it is so was never told.
    """
    condition, opened = part.condition, still_open(told)
    severity = min(condition.severity, worst(opened), key=list(Severity)[::-1].index)
    row = _row(replace(part, condition=replace(condition, severity=severity)), figures, limits, context)
    row |= {"standing": _counted_state(condition, told, figures, context), "since": ""}
    asked = condition.kind in {each.condition.kind for each in opened}
    return row if asked else row | {"severity": "", "action": "", "deadline": ""}


def _counted_state(part: Condition, told: Sequence[Notification], figures: ProvinceFigures, context: Context) -> str:
    """The page's word where there is a plan, else that it waits; and in whose hands its province's problem is."""
    whole = (line for line in province_lines(told) if line.kind is part.kind)
    pace = figures.pace_at(part.place) if part.kind is Kind.BEHIND else None
    own = context.words.status(pace.status) if pace else context.words.say("counted_alone")
    return "; ".join([own, *(each for line in whole for each in in_hand(line, context))])


def _row(told: Notification, figures: ProvinceFigures, limits: Thresholds, context: Context) -> dict[str, str]:
    words, condition = context.words, told.condition
    line = Line(condition.kind, kabkota_of(condition.place), (told,))
    values = {
        "kabkota": line.kabkota,
        "kabkota_name": name_of(Place("kabkota", line.kabkota), figures),
        "level": words.say(f"level.{condition.place.level}"),
        "code": "",
        "name": name_of(condition.place, figures),
        "kind": words.kind(condition.kind).title,
        "severity": words.say(f"headline.{condition.severity}"),
        "standing": "; ".join(standing(line, figures.night, context)),
        "families": str(condition.families) if condition.families else "",
        "since": condition.since.isoformat(),
        "finding": " ".join([finding(line, figures, words), *beside_of(line, figures, words)]),
        "who": who(line, figures, context),
        "action": words.kind(condition.kind).step,
        "deadline": deadline(condition.kind, told.first, figures, limits, context),
    }
    code, codes = condition.place.code, codes_of([told], context)
    return {name: harmless(value, codes) for name, value in values.items()} | {"code": grouped(harmless(code, codes))}
