#!/usr/bin/env bash
# Makes the account of each part of the pipeline (docs/warehouse-roles.md), or gives it the password of .env anew; what each
# may do, `regsosek migrate` grants. Runs when PostgreSQL's volume is empty, and by hand on one that is older, or after a
# change of passwords:
#   docker compose up --detach --wait postgres
#   docker compose exec postgres bash /docker-entrypoint-initdb.d/warehouse-accounts.sh
set -euo pipefail

psql --username "${POSTGRES_USER:-postgres}" --dbname postgres --quiet --set ON_ERROR_STOP=1 \
  --set loader="$WAREHOUSE_LOADER_PASSWORD" --set publisher="$WAREHOUSE_PUBLISHER_PASSWORD" \
  --set alerter="$WAREHOUSE_ALERTER_PASSWORD" --set portal="$WAREHOUSE_PORTAL_PASSWORD" \
  --set watchdog="$WAREHOUSE_WATCHDOG_PASSWORD" <<'SQL'
SELECT format('CREATE ROLE regsosek_%s', part)
FROM unnest(ARRAY['loader', 'publisher', 'alerter', 'portal', 'watchdog']) AS part
WHERE NOT EXISTS (SELECT 1 FROM pg_roles WHERE rolname = 'regsosek_' || part) \gexec
ALTER ROLE regsosek_loader LOGIN PASSWORD :'loader';
ALTER ROLE regsosek_publisher LOGIN PASSWORD :'publisher';
ALTER ROLE regsosek_alerter LOGIN PASSWORD :'alerter';
ALTER ROLE regsosek_portal LOGIN PASSWORD :'portal';
ALTER ROLE regsosek_watchdog LOGIN PASSWORD :'watchdog';
SQL

# What PostgreSQL lets every login do, and what could stop a night or fill the disk.
psql --username "${POSTGRES_USER:-postgres}" --dbname postgres --quiet --set ON_ERROR_STOP=1 \
  --command "REVOKE CONNECT, TEMPORARY ON DATABASE postgres, template1 FROM PUBLIC"
psql --username "${POSTGRES_USER:-postgres}" --dbname regsosek --quiet --set ON_ERROR_STOP=1 \
  --file /opt/regsosek/closed_functions.sql
