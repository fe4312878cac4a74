#!/usr/bin/env bash
# Brings both databases to the version of this image and makes the first login. May run again at every start.
set -euo pipefail

airflow db migrate
regsosek migrate
# Leaves a user who is there already as it is: a changed password in .env changes nothing.
airflow users create --role Admin --username "$AIRFLOW_ADMIN_USERNAME" --password "$AIRFLOW_ADMIN_PASSWORD" \
  --email "$AIRFLOW_ADMIN_EMAIL" --firstname Platform --lastname Regsosek
# The roles of the table of accounts. Those that are new have no permission of Airflow's, and need none: it is for operators.
mapfile -t roles < <(awk -F, '$2 == "role" { print $1 }' "$REGSOSEK_ACCOUNTS_FILE")
airflow roles create "${roles[@]}"
