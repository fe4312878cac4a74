"""Celery as Airflow sets it up, with the heavy libraries imported once in each worker, before it forks its pool.

Named in AIRFLOW__CELERY__CELERY_CONFIG_OPTIONS. Every task would import them for seconds on its own otherwise, as in
``local/executor.py``.
"""

from airflow.providers.celery.executors.default_celery import DEFAULT_CELERY_CONFIG

from regsosek.local.preloading import PRELOADED

CELERY_CONFIG = {**DEFAULT_CELERY_CONFIG, "imports": PRELOADED}
