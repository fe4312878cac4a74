"""Services of one machine for demonstrations and tests: PostgreSQL, an S3 API, a mail sink, on loopback, without root.

The package knows nothing of Regsosek.
"""
