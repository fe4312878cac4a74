#!/usr/bin/env bash
# Proves a backup beside the running services: docker/restore-drill.sh DIRECTORY [docker compose options]
# Restores the newest one of DIRECTORY into a database and buckets of its own, and builds its newest release again there,
# twice: from the restored warehouse, and from an empty warehouse that is replayed from the restored archive. Both must have
# the content hash that was published. What the drill made is gone afterwards; the real databases and buckets are only read.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
: "${1:?name the directory of the backups}"

directory=$(cd "$1" && pwd)
newest=$(find "$directory" -maxdepth 1 -type d -name '20*Z' | sort | tail -n 1)
: "${newest:?"there is no backup in $directory"}"
compose=(docker compose "${@:2}")
drill=regsosek_drill

ask() { "${compose[@]}" exec -T postgres psql --username postgres --no-psqlrc -v ON_ERROR_STOP=1 -qAt "$@"; }
image() { "${compose[@]}" run --rm --no-deps -T --env PREFIX=drill- "$@"; }
# The command line on the drill's database and buckets.
regsosek() {
  image command bash -c '
    for url in ${!REGSOSEK_WAREHOUSE_*}; do [[ $url != *URL ]] || export "$url=${!url%/*}/$0"; done
    for bucket in REGSOSEK_{LANDING,ARCHIVE,RELEASE}_BUCKET; do export $bucket=$PREFIX${!bucket}; done
    exec regsosek "$@"' "$drill" "$@"
}
drop() { ask --dbname postgres --command "DROP DATABASE IF EXISTS $drill WITH (FORCE)"; }
create() { drop && ask --dbname postgres --command "CREATE DATABASE $drill OWNER regsosek"; }
forget() { drop; image command docker/objects.sh forget; }
newest_release() {
  ask --dbname "$drill" --command "SELECT night || ' ' || content_hash FROM release.release
    WHERE rolled_back_at IS NULL ORDER BY night DESC, revision DESC LIMIT 1"
}
compare() {
  local made
  made=$(newest_release)
  [[ $made == "$published" ]] || { echo "$1: $made, but published was $published" >&2 && exit 1; }
  echo "$1: $made, as published"
}

trap forget EXIT
image --user "$(id -u):$(id -g)" --volume "$directory/objects:/backup:ro" command docker/objects.sh restore /backup
create
"${compose[@]}" exec -T postgres pg_restore --username postgres --dbname "$drill" --exit-on-error <"$newest/warehouse.dump"
# The dump is older than the copy of the archive: what went out in between must not go again.
regsosek migrate
regsosek alerts restored
published=$(newest_release)
: "${published:?"nothing was published when the backup was made"}"
first=$(ask --dbname "$drill" --command "SELECT min(night) FROM ledger.seal")
nights=$(ask --dbname "$drill" --command "SELECT DISTINCT night FROM release.release ORDER BY night")

ask --dbname "$drill" --command "DELETE FROM release.release WHERE night = '${published%% *}'"
regsosek release --date "${published%% *}"
compare "from the restored warehouse"

create
regsosek migrate
regsosek reference
regsosek replay --from "$first"
for night in $nights; do
  regsosek release --date "$night"
done
compare "from the archive alone"
