"""Regsosek nightly: the domain, importable and testable without Airflow."""

import logging

# Set before anything imports it: at INFO the import alone writes hundreds of lines into the log of a command or task.
logging.getLogger("great_expectations").setLevel(logging.WARNING)
