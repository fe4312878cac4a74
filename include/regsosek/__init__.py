"""Regsosek nightly: the domain, importable and testable without Airflow."""
