"""Great Expectations on the task's own DuckDB: one small engine subclass, and our one kind of hand-written rule.

Great Expectations closes its connection before it reads the result, which DuckDB answers by throwing the result away;
the engine here keeps one connection open instead. It overrides a method that is not a documented extension point,
so requirements.in pins great-expectations exactly and ``tests/unit/quality/test_engine.py`` holds it to its word.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, ClassVar, Literal

import duckdb
import great_expectations as gx
from duckdb_engine import ConnectionWrapper
from great_expectations.compatibility import pydantic
from great_expectations.data_context.types.base import (
    DataContextConfig,
    InMemoryStoreBackendDefaults,
    ProgressBarsConfig,
)
from great_expectations.datasource.fluent import SQLDatasource
from great_expectations.execution_engine import SqlAlchemyExecutionEngine
from great_expectations.expectations import UnexpectedRowsExpectation
from great_expectations.render import LegacyRendererType, RenderedStringTemplateContent
from great_expectations.render.renderer.renderer import renderer
from sqlalchemy import Connection

from regsosek.quality.rules import Rule

# No value ever leaves the engine: the results hold counts, and no list of what was unexpected.
RESULT_FORMAT = {"result_format": "BASIC", "partial_unexpected_count": 0}


class DuckExecutionEngine(SqlAlchemyExecutionEngine):
    """An SQLAlchemy engine that keeps its one connection open between queries."""

    _kept: Connection | None = None

    @contextmanager
    def get_connection(self) -> Iterator[Connection]:
        """Yields the kept connection, opening it at first use."""
        if self._kept is None:
            self._kept = self.engine.connect()
        yield self._kept


# In the class below ``type`` names the datasource, so its own annotation has to be built out here.
_EngineClass = type[SqlAlchemyExecutionEngine]


class DuckDatasource(SQLDatasource):
    """A datasource on a DuckDB of our own process; registers itself as ``data_sources.add_duck``."""

    type: Literal["duck"] = "duck"

    @property
    def execution_engine_type(self) -> _EngineClass:
        """The engine that evaluates this datasource's assets."""
        return DuckExecutionEngine


class ExpectNoRowsWhere(UnexpectedRowsExpectation):
    """Expects that ``condition``, an SQL predicate over one row, is true for no row of the batch.

    The compiler of row-level reasons reads the same ``condition``, so that a rule stands once.
    """

    condition: str
    metric_dependencies: ClassVar[tuple[str, ...]] = ("unexpected_rows_query.row_count",)

    @pydantic.root_validator(pre=True)
    def _query_from_condition(cls, values: dict[str, Any]) -> dict[str, Any]:  # noqa: N805 - pydantic validators take the class
        condition = str(values.get("condition", "")).replace("{", "{{").replace("}", "}}")
        return {**values, "unexpected_rows_query": f"SELECT 1 FROM {{batch}} WHERE {condition}"}

    @classmethod
    @renderer(renderer_type=LegacyRendererType.PRESCRIPTIVE)
    def _prescriptive_renderer(
        cls,
        configuration: Any = None,
        result: Any = None,
        runtime_configuration: Mapping[str, Any] | None = None,  # noqa: ARG003 - signature of the base class
    ) -> list[RenderedStringTemplateContent]:
        """How Data Docs state the expectation: without it they would show the query as "None"."""
        stated = configuration or result.expectation_config
        template = {
            "template": "No row where $condition",
            "params": {"condition": stated.kwargs["condition"]},
            "styling": {"params": {"condition": {"tag": "code"}}},
        }
        return [RenderedStringTemplateContent(content_block_type="string_template", string_template=template)]

    def _validate(
        self,
        metrics: Mapping[str, Any],
        runtime_configuration: Mapping[str, Any] | None = None,  # noqa: ARG002 - signature of the base class
        execution_engine: object | None = None,  # noqa: ARG002 - signature of the base class
    ) -> dict[str, Any]:
        count = metrics["unexpected_rows_query.row_count"]
        return {"success": count == 0, "result": {"observed_value": count, "unexpected_count": count}}


def quiet_context() -> Any:
    """A context in memory that shows no progress bars and leaves no directory for documents behind."""
    stores = InMemoryStoreBackendDefaults(init_temp_docs_sites=False)
    context = gx.get_context(mode="ephemeral", project_config=DataContextConfig(store_backend_defaults=stores))
    context.variables.progress_bars = ProgressBarsConfig(globally=False, metric_calculations=False)
    return context


class Validator:
    """Evaluates the rules of one dataset on its relation, as often as the relation is filled anew."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, dataset: str, rules: Sequence[Rule]) -> None:
        context = quiet_context()
        datasource = context.data_sources.add_duck(
            name="staging",
            connection_string="duckdb:///:memory:",
            # Nothing is reset when a connection is let go: the database may be closed by then.
            kwargs={"creator": lambda: ConnectionWrapper(connection.cursor()), "pool_reset_on_return": None},
        )
        batch = datasource.add_table_asset(dataset, table_name=dataset).add_batch_definition_whole_table(dataset)
        suite = gx.ExpectationSuite(name=dataset, expectations=[rule.expectation() for rule in rules])
        self._definition = context.validation_definitions.add(
            gx.ValidationDefinition(name=dataset, data=batch, suite=context.suites.add(suite))
        )

    def counts(self) -> dict[str, int | None]:
        """Violating rows by rule id; ``None`` where Great Expectations could not evaluate the rule."""
        results = self._definition.run(result_format=RESULT_FORMAT).results
        return {r.expectation_config.meta["id"]: _unexpected(r) for r in results}


def _unexpected(result: Any) -> int | None:
    if result.exception_info.get("raised_exception", True):
        return None
    count = result.result.get("unexpected_count")
    return None if count is None else int(count)
