"""Clean messages of the streams, to be changed one value at a time; deliveries and a delivery's path made of them."""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from functools import partial
from pathlib import Path
from typing import Any

import duckdb
from ulid import ULID

from regsosek.contract.codebook import STREAMS, variables
from regsosek.contract.instruments import first_version, instrument_of
from regsosek.geography.calendar import PossibleDays, field_windows
from regsosek.geography.provinces import clock_offset
from regsosek.settings import PROJECT_ROOT
from regsosek.staging.reading.files import read_part
from regsosek.staging.stream_parts import stage_stream
from support.checks.rule_cases import scenarios
from support.deliveries.families import DELIVERED_ON, PROVINCE, WRITERS, Row, delivered_file
from support.worlds.field_world import FieldWorld

SCENARIOS = PROJECT_ROOT / "tests" / "unit" / "quality" / "scenarios"
PRODUCED = datetime.fromisoformat("2022-10-21T12:00:00+00:00")
# Where the tags lie: a position that no other column of a test holds, to be looked for everywhere.
LATITUDE, LONGITUDE = "-1.2654321", "116.8312345"
PHOTO = "foto/64/secret-house-0001.jpg"


def clean_message(dataset: str, **changes: str) -> Row:
    """The message of a stream that breaks no rule, as the ``clean`` line of its scenarios has it."""
    [change] = [case.change for case in scenarios(SCENARIOS, (dataset,)) if case.case == "clean"]
    given = dict(step.strip().split("=", 1) for step in change.split(";"))
    asked = variables(dataset, first_version(instrument_of(dataset)))
    return {variable.name: given.get(variable.name, "") for variable in asked} | changes


CLEAN = {dataset: partial(clean_message, dataset) for dataset in STREAMS}
report, recap = CLEAN["progres"], CLEAN["rekap_vk"]


def tag(id_tag: str = "TAG-1", **changes: str) -> Row:
    """A clean tag of the house of a poor family, with its photo."""
    return clean_message("geotag", id_tag=id_tag, **changes)


def deliver_stream(
    world: FieldWorld,
    day: date,
    dataset: str,
    messages: Sequence[Row] | Sequence[list[Row]],
    *,
    produced_at: datetime,
    province: str = PROVINCE,
    supersedes: Iterable[str] = (),
    spoil: Mapping[str, Any] | None = None,
    format_: str = "csv.gz",
    body: bytes | None = None,
) -> str:
    """Puts a delivery of one stream into landing: one part, or several if ``messages`` is a list of lists.

    Args:
        spoil: what the manifest says otherwise.
        body: the bytes of the (one) file, if it is not made of the messages.
    """
    parts = messages if messages and isinstance(messages[0], list) else [messages]
    delivery_id = str(ULID.from_datetime(produced_at))
    folder = f"landing/prov={province}/tanggal={day}/{delivery_id}/"
    bucket, files = world.resources.settings.landing_bucket, []
    for number, rows in enumerate(parts, start=1):
        content = WRITERS[format_](dataset, rows) if body is None else body
        name = f"{dataset}-{number:05d}.{format_}"
        world.resources.store.put_bytes(bucket, folder + name, content)
        files.append(
            {"name": name, "dataset": dataset, "part": number, "format": format_, "rows": len(rows),
             "bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
        )  # fmt: skip
    manifest = {
        "contract_version": "1", "instrument": instrument_of(dataset), "instrument_version": "1", "province": province,
        "delivery_id": delivery_id, "produced_at": produced_at.isoformat(), "producer": "test",
        "enumerated_from": "2022-10-15", "enumerated_to": str(day), "files": files,
        "totals": {dataset: sum(len(rows) for rows in parts)}, "supersedes": list(supersedes),
    }  # fmt: skip
    world.resources.store.put_bytes(bucket, folder + "manifest.json", json.dumps(manifest | dict(spoil or {})).encode())
    return delivery_id


def stage_messages(connection: duckdb.DuckDBPyConnection, directory: Path, dataset: str, messages: list[Row]) -> None:
    """Reads and stages messages as the one part of a delivery of the province and day of ``delivered``."""
    version = first_version(instrument_of(dataset))
    read_part(connection, *delivered_file(dataset, messages, directory), version=version)
    stage_stream(
        connection,
        dataset,
        province=PROVINCE,
        on=DELIVERED_ON,
        version=version,
        days=PossibleDays.of(field_windows()[PROVINCE], latest=DELIVERED_ON),
        produced_at=PRODUCED,
        offset=clock_offset(PROVINCE, PRODUCED),
    )
