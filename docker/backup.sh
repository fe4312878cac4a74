#!/usr/bin/env bash
# Backs up what can't be made again, while everything runs: docker/backup.sh DIRECTORY [docker compose options]
#   DIRECTORY/<time>/warehouse.dump, airflow.dump, roles.sql   a consistent picture of each database
#   DIRECTORY/objects/<bucket>/                                archive, release, reference files of landing; grows by what is new
# The files hold personal data: DIRECTORY is made readable by its owner alone, and belongs on another machine, encrypted.
# Without .env (its keys) they are worth nothing: keep that too, elsewhere.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
: "${1:?name the directory that the backups go to}"

umask 077
mkdir -p "$1"
directory=$(cd "$1" && pwd)
compose=(docker compose "${@:2}")
now=$directory/$(date -u +%Y%m%dT%H%M%SZ)
mkdir "$now.part"

for database in regsosek airflow; do
  [[ $database == regsosek ]] && name=warehouse || name=$database
  "${compose[@]}" exec -T postgres pg_dump --username postgres --format custom --dbname "$database" >"$now.part/$name.dump"
done
"${compose[@]}" exec -T postgres pg_dumpall --username postgres --roles-only --no-role-passwords >"$now.part/roles.sql"

# After the database: whatever a dump refers to is in the copy of the objects. Nothing is deleted there.
mkdir -p "$directory/objects"
"${compose[@]}" run --rm --no-deps -T --user "$(id -u):$(id -g)" --volume "$directory/objects:/backup" \
  command docker/objects.sh save /backup
mv "$now.part" "$now"
echo "$now"
