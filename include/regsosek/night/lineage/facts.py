"""What a night of a province and a release read and wrote, as OpenLineage's datasets: counts, rule ids, no values."""

from collections.abc import Sequence

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
from sqlalchemy import URL

from regsosek.night.lineage.events import Facts
from regsosek.release.publish import Published
from regsosek.warehouse.nights.delivery_outcome import DeliveryOutcome
from regsosek.warehouse.tables import metadata

Assertion = data_quality_assertions_dataset.Assertion

MOST_INPUTS = 200  # of an event; a province sends a few a night, and whoever sends thousands must not fill the disk
# What of a dataset goes where, by its table; quarantine and reasons come besides.
_FAMILIES = {"keluarga": ("core.kasus", "core.keluarga"), "anggota": ("core.anggota",)}
_RELEASED_FROM = ("mart.total", "mart.province_day", "mart.change", "mart.arrivals")
_SEVERITY = {"critical": "error", "warning": "warn"}


def province_facts(warehouse: URL, landing: str, outcomes: Sequence[DeliveryOutcome]) -> Facts:
    """The deliveries that the night decided, by dataset, and the tables that took what was accepted of them."""
    delivered = [(outcome, dataset) for outcome in outcomes for dataset in sorted(outcome.rows)]
    inputs = [_delivered(landing, outcome, dataset) for outcome, dataset in delivered[:MOST_INPUTS]]
    loaded: dict[str, int] = {}
    quarantined = 0
    for outcome, dataset in delivered:
        if outcome.state == "accepted":
            rows = outcome.rows[dataset]
            for table in _FAMILIES.get(dataset, (f"stream.{dataset}",)):
                loaded[table] = loaded.get(table, 0) + rows["loaded"]
            quarantined += rows["quarantined"]
    if loaded:
        loaded |= {"restricted.quarantined": quarantined}
    outputs = [_written(warehouse, table, rows) for table, rows in loaded.items()]
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


def _delivered(landing: str, outcome: DeliveryOutcome, dataset: str) -> InputDataset:
    received = outcome.rows[dataset]["received"]
    facets: dict[str, InputDatasetFacet] = {
        "inputStatistics": input_statistics_input_dataset.InputStatisticsInputDatasetFacet(received),
        "dataQualityAssertions": data_quality_assertions_dataset.DataQualityAssertionsDatasetFacet(
            [_state_assertion(outcome), *_rule_assertions(outcome, dataset)]
        ),
    }
    judged = sum(share.judged for share in outcome.shares if share.dataset == dataset)
    if judged:
        facets["dataQualityMetrics"] = data_quality_metrics_input_dataset.DataQualityMetricsInputDatasetFacet(
            columnMetrics={}, rowCount=judged
        )
    return InputDataset(f"s3://{landing}", f"{outcome.entry.prefix.rstrip('/')}/{dataset}", inputFacets=facets)


def _state_assertion(outcome: DeliveryOutcome) -> Assertion:
    """Whether the delivery was accepted; if not, its state and the id of the reason."""
    actual = f"{outcome.state}: {outcome.reason}" if outcome.reason else outcome.state
    return Assertion(
        "delivery_accepted", success=outcome.state == "accepted", severity="error", expected="accepted", actual=actual
    )


def _rule_assertions(outcome: DeliveryOutcome, dataset: str) -> list[Assertion]:
    """One for each rule that rows violate, and one for all rules together."""
    found = [(rule, severity, n) for (of, rule, severity), n in outcome.violations.items() if of == dataset]
    if not found:
        return []
    violated = sorted(each for each in found if each[2])
    each = [
        Assertion(rule, success=False, severity=_SEVERITY[severity], expected="0", actual=str(n))
        for rule, severity, n in violated
    ]
    counts = {"rules": len(found), "violated": len(violated)}
    everything = sum(n for _, _, n in violated)
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
