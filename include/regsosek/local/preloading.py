"""The heavy libraries of a night, for whoever forks the processes that tasks run in: imported once, shared by all."""

# What a night's tasks import, and what Airflow itself imports in every task.
PRELOADED = (
    "airflow.sdk.execution_time.task_runner",
    "airflow.providers.standard.decorators.python",
    "great_expectations",
    "great_expectations.execution_engine",
    "pandas",
    "duckdb",
    "duckdb_engine",
    "pyarrow",
    "pyarrow.parquet",
    "sqlalchemy.dialects.postgresql.psycopg",
    "psycopg",
    "boto3",
    "regsosek.night.nightly",
)
