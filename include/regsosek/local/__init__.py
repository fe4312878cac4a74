"""The embedded services of the demo and the tests: PostgreSQL, S3, mail sink and Airflow, on loopback, without root."""
