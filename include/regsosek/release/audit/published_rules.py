"""``expectations/release.json`` run by Great Expectations on the very bytes that are to be published."""

import hashlib
import io
import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import great_expectations as gx
import pandas as pd

from regsosek.errors import ConfigurationError
from regsosek.geography.provinces import provinces
from regsosek.quality.engine import quiet_context
from regsosek.statistics.definitions.definitions import definitions

logging.getLogger("great_expectations").setLevel(logging.WARNING)

SUITE = "release.json"
_RESULT_FORMAT = {"result_format": "BASIC", "partial_unexpected_count": 0}
# A column without any value has no type of its own: dates must be text there too, or nothing compares with them.
_TEXT_UNITS = ("teks", "tanggal")


@dataclass(frozen=True)
class PublishedRules:
    """The suite of the release; every expectation names in its meta the tables that it holds for."""

    expectations: tuple[Mapping[str, Any], ...]
    version: str

    def of(self, table: str) -> list[dict[str, Any]]:
        """The expectations of ``table``, as Great Expectations takes them."""
        return [dict(each) for each in self.expectations if table in each["meta"]["tables"]]


def load_rules(directory: Path) -> PublishedRules:
    """Loads the suite.

    Raises:
        ConfigurationError: it is missing, not JSON, or an expectation lacks its id, tables or texts.
    """
    try:
        document = (directory / SUITE).read_bytes()
        expectations = json.loads(document)["expectations"]
        lacking = [each for each in expectations if not {"id", "tables", "text_id", "text_en"} <= set(each["meta"])]
    except (OSError, ValueError, KeyError) as error:
        raise ConfigurationError(f"suite {SUITE} cannot be read: {type(error).__name__} {error}") from None
    if lacking:
        raise ConfigurationError(f"suite {SUITE}: {len(lacking)} expectations lack id, tables, text_id or text_en")
    return PublishedRules(tuple(expectations), hashlib.sha256(document).hexdigest())


def rule_faults(rules: PublishedRules, files: Mapping[str, bytes]) -> list[str]:
    """The rules that a published table breaks, or that could not be evaluated."""
    named = {table for each in rules.expectations for table in each["meta"]["tables"]}
    faults = [f"{table}: not in the release" for table in sorted(named - set(files))]
    tables = quiet_context().data_sources.add_pandas("release")
    for name in sorted(named & set(files)):
        batch = tables.add_dataframe_asset(name).add_batch_definition_whole_dataframe("whole")
        suite = gx.ExpectationSuite(name=name, expectations=rules.of(name))
        whole = batch.get_batch({"dataframe": read_table(files[name])})
        result = whole.validate(suite, result_format=_RESULT_FORMAT, expectation_parameters=_parameters())
        faults += _told(name, result.results)
    return faults


def _parameters() -> dict[str, int]:
    """What a rule may name as ``{"$PARAMETER": ...}`` instead of a number: how many provinces the frame has."""
    return {"provinces": len(provinces())}


def read_table(content: bytes) -> pd.DataFrame:
    """A published table as its readers are told to read it: codes as text."""
    text_columns = {each.column: str for each in definitions().values() if each.unit in _TEXT_UNITS}
    return pd.read_csv(io.BytesIO(content), dtype=text_columns, keep_default_na=False, na_values=[""])


def _told(table: str, results: Sequence[Any]) -> list[str]:
    faults = []
    for result in results:
        config = result.expectation_config
        label = f"{table}: rule {config.meta['id']} ({config.meta['text_en']})"
        if result.exception_info.get("raised_exception", True):
            faults.append(f"{label} could not be evaluated")
        elif not result.success:
            faults.append(label)
    return faults
