"""What a night of a province and a release read and wrote, as OpenLineage's datasets: counts, rule ids, no values."""

from collections.abc import Sequence
from datetime import date
from typing import Any

from openlineage.client.event_v2 import InputDataset, OutputDataset
from openlineage.client.facet_v2 import (
    DatasetFacet,
    InputDatasetFacet,
    data_quality_assertions_dataset,
    data_quality_metrics_input_dataset,
    dataset_version_dataset,
    input_statistics_input_dataset,
    output_statistics_output_dataset,
    schema_dataset,
)
from sqlalchemy import URL, Connection, Row, or_, select

from regsosek.night.lineage.events import Facts
from regsosek.release.publish import Published
from regsosek.warehouse.nights.ledger import ID_REUSED
from regsosek.warehouse.tables import (
    delivery,
    delivery_count,
    error_share,
    metadata,
    rule_result,
)

Assertion = data_quality_assertions_dataset.Assertion

MOST_INPUTS = 200  # of an event; a province sends a few a night, and whoever sends thousands must not fill the disk
# What of a dataset goes where, by its table; quarantine and reasons come besides.
_FAMILIES = {"keluarga": ("core.kasus", "core.keluarga"), "anggota": ("core.anggota",)}
_RELEASED_FROM = ("mart.total", "mart.province_day", "mart.change", "mart.arrivals")
_SEVERITY = {"critical": "error", "warning": "warn"}


def province_facts(connection: Connection, landing: str, province: str, night: date) -> Facts:
    """The deliveries that the night decided, by dataset, and the tables that took what was accepted of them."""
    lines = _decided(connection, province, night)
    inputs = [_delivered(connection, landing, line) for line in lines[:MOST_INPUTS]]
    loaded: dict[str, int] = {}
    quarantined = 0
    for line in lines:
        if line.state == "accepted":
            for table in _FAMILIES.get(line.dataset, (f"stream.{line.dataset}",)):
                loaded[table] = loaded.get(table, 0) + line.loaded
            quarantined += line.quarantined
    if loaded:
        loaded |= {"restricted.quarantined": quarantined}
    outputs = [_written(connection.engine.url, table, rows) for table, rows in loaded.items()]
    return Facts(inputs, outputs)


def release_facts(warehouse: URL, bucket: str, published: Published) -> Facts:
    """The tables that a release is made of, the provinces that its audit held back, and the folder that readers see."""
    held_back = [
        Assertion(f"province_{code}_conserved_and_confirmed", success=False, severity="error")
        for code in published.held_back
    ]
    passed = Assertion("release_audit", success=True, severity="error")
    audit = data_quality_assertions_dataset.DataQualityAssertionsDatasetFacet([passed, *held_back])
    inputs = [_table(warehouse, name) for name in _RELEASED_FROM]
    inputs[0].inputFacets = {"dataQualityAssertions": audit}
    version = dataset_version_dataset.DatasetVersionDatasetFacet(published.content_hash)
    return Facts(inputs, [OutputDataset(f"s3://{bucket}", published.prefix.rstrip("/"), facets={"version": version})])


def _decided(connection: Connection, province: str, night: date) -> Sequence[Row[*tuple[Any, ...]]]:
    """A row for each delivery and dataset that the night decided."""
    line, count, share = delivery.c, delivery_count.c, error_share.c
    same_count = (count.province == line.province) & (count.delivery_id == line.delivery_id)
    # What stands under an id that was used again is about the delivery that had it first.
    same_share = (
        line.reason.is_distinct_from(ID_REUSED)
        & (share.province == line.province)
        & (share.delivery_id == line.delivery_id)
    )
    query = (
        select(
            line.province, line.delivery_id, line.prefix, line.state, line.reason,
            count.dataset, count.received, count.loaded, count.quarantined, share.judged,
        )
        .join(delivery_count, same_count & (count.delivered_on == line.delivered_on))
        .outerjoin(error_share, same_share & (share.dataset == count.dataset))
        .where(line.province == province, or_(line.night == night, line.decided_night == night))
        .order_by(line.position, line.delivery_id, count.dataset)
    )  # fmt: skip
    return connection.execute(query).all()


def _delivered(connection: Connection, landing: str, line: Row[*tuple[Any, ...]]) -> InputDataset:
    facets: dict[str, InputDatasetFacet] = {
        "inputStatistics": input_statistics_input_dataset.InputStatisticsInputDatasetFacet(line.received),
        "dataQualityAssertions": data_quality_assertions_dataset.DataQualityAssertionsDatasetFacet(
            [_state_assertion(line), *_rule_assertions(connection, line)]
        ),
    }
    if line.judged:
        facets["dataQualityMetrics"] = data_quality_metrics_input_dataset.DataQualityMetricsInputDatasetFacet(
            columnMetrics={}, rowCount=line.judged
        )
    return InputDataset(f"s3://{landing}", f"{line.prefix.rstrip('/')}/{line.dataset}", inputFacets=facets)


def _state_assertion(line: Row[*tuple[Any, ...]]) -> Assertion:
    """Whether the delivery was accepted; if not, its state and the id of the reason."""
    actual = f"{line.state}: {line.reason}" if line.reason else line.state
    return Assertion(
        "delivery_accepted", success=line.state == "accepted", severity="error", expected="accepted", actual=actual
    )


def _rule_assertions(connection: Connection, line: Row[*tuple[Any, ...]]) -> list[Assertion]:
    """One for each rule that rows violate, and one for all rules together."""
    if line.reason == ID_REUSED:
        return []
    result = rule_result.c
    own = (result.province == line.province, result.delivery_id == line.delivery_id, result.dataset == line.dataset)
    found = connection.execute(select(result.rule_id, result.severity, result.violations).where(*own)).all()
    violated = sorted(row for row in found if row.violations)
    each = [
        Assertion(
            row.rule_id, success=False, severity=_SEVERITY[row.severity], expected="0", actual=str(row.violations)
        )
        for row in violated
    ]
    if not found:
        return []
    counts = {"rules": len(found), "violated": len(violated)}
    everything = sum(row.violations for row in violated)
    return [Assertion("all_rules", success=not violated, expected="0", actual=str(everything), params=counts), *each]


def _written(warehouse: URL, name: str, rows: int) -> OutputDataset:
    table = _table(warehouse, name)
    statistics = output_statistics_output_dataset.OutputStatisticsOutputDatasetFacet(rows)
    return OutputDataset(table.namespace, table.name, {"outputStatistics": statistics}, facets=table.facets)


def _table(warehouse: URL, name: str) -> InputDataset:
    facets: dict[str, DatasetFacet] = {}
    if not name.startswith("restricted."):
        fields = [
            schema_dataset.SchemaDatasetFacetFields(column.name, str(column.type))
            for column in metadata.tables[name].columns
        ]
        facets["schema"] = schema_dataset.SchemaDatasetFacet(fields)
    namespace = f"postgres://{warehouse.host or 'localhost'}:{warehouse.port or 5432}"
    return InputDataset(namespace, f"{warehouse.database}.{name}", facets=facets)
