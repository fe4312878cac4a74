#!/usr/bin/env bash
# Initialises an empty volume as the official image does: a password, then the scripts, on a server without TCP.
set -euo pipefail

if [[ ! -s $PGDATA/PG_VERSION ]]; then
  mkdir -p "$PGDATA"
  initdb --username "$POSTGRES_USER" --pwfile <(printf '%s\n' "$POSTGRES_PASSWORD") \
    --auth-local trust --auth-host scram-sha-256 --encoding UTF8 --locale C.UTF-8
  echo "host all all all scram-sha-256" >>"$PGDATA/pg_hba.conf"
  pg_ctl --wait --options "-c listen_addresses='' -c unix_socket_directories=/tmp" start
  export PGHOST=/tmp
  for script in /docker-entrypoint-initdb.d/*.sh; do
    # shellcheck disable=SC1090
    . "$script"
  done
  pg_ctl --wait --mode fast stop
  unset PGHOST
fi
exec "$@" -c listen_addresses='*' -c unix_socket_directories=/tmp
