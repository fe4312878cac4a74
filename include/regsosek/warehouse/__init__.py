"""PostgreSQL: tables, migrations, loading, ledger."""
