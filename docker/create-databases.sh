#!/usr/bin/env bash
# Runs once, when PostgreSQL's volume is empty: one database and one owner each for Airflow and for the warehouse, so
# that neither can read the other. The warehouse's owner may create the roles that its migrations define; the accounts of
# the parts follow in warehouse-accounts.sh.
set -euo pipefail

psql --username "$POSTGRES_USER" --dbname postgres --set ON_ERROR_STOP=1 \
  --set airflow_password="$AIRFLOW_DB_PASSWORD" --set warehouse_password="$WAREHOUSE_DB_PASSWORD" <<'SQL'
CREATE ROLE airflow LOGIN PASSWORD :'airflow_password';
CREATE DATABASE airflow OWNER airflow;
REVOKE ALL ON DATABASE airflow FROM PUBLIC;
CREATE ROLE regsosek LOGIN CREATEROLE PASSWORD :'warehouse_password';
CREATE DATABASE regsosek OWNER regsosek;
REVOKE ALL ON DATABASE regsosek FROM PUBLIC;
SQL
