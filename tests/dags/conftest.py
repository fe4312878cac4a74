"""A throw-away Airflow home: nothing here may touch the one that `make up` runs."""

import os
import tempfile
from pathlib import Path

HOME = Path(tempfile.mkdtemp(prefix="regsosek-dags-"))
# Airflow reads its configuration when it is first imported, so this stands before every import of it.
os.environ.update(
    AIRFLOW_HOME=str(HOME),
    AIRFLOW__CORE__LOAD_EXAMPLES="False",
    AIRFLOW__CORE__UNIT_TEST_MODE="False",
    AIRFLOW__DATABASE__SQL_ALCHEMY_CONN=f"sqlite:///{HOME / 'airflow.db'}",
)
