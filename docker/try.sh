#!/usr/bin/env bash
# Brings docker-compose.yaml up for real, in a project, volumes and ports of its own, and proves what docs/server.md says:
# everything becomes healthy, a night runs and its mails arrive, a killed service comes back, `down` and `up` keep everything,
# a backup restores to the same release, CeleryExecutor makes the same release as LocalExecutor, and a worker that dies in the
# middle of its task costs no province. Needs root (it kills
# processes of its containers), 6 GB of memory, and Docker; about a quarter of an hour. STANDINS=1 takes the images of
# docker/standins/build.sh in place of those of the registries. What it made is gone afterwards (KEEP=1 keeps it).
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

night=2022-10-21
next_night=2022-10-22
place=$(mktemp -d)
env=$place/env
python3 -c 'import sys; sys.path.insert(0, "docker"); import make_env; from pathlib import Path
make_env.write_env(Path(sys.argv[1]))' "$env"
cat >>"$env" <<SETTINGS
REGSOSEK_IMAGE_TAG=try
AIRFLOW_PORT=18080
OBJECT_STORE_PORT=19000
MAIL_PORT=18025
REGSOSEK_MEMORY_LIMIT=500MB
REGSOSEK_THREADS=1
SETTINGS
if [[ ${STANDINS:-} ]]; then
  docker/standins/build.sh
  for image in POSTGRES:postgres MAIL:mail REDIS:redis PYTHON:debian; do
    echo "${image%:*}_IMAGE=regsosek-standin-${image#*:}:latest" >>"$env"
  done
fi
options=(--project-name regsosek-try --env-file "$env" --file docker-compose.yaml --file docker/try.yaml)
compose() { docker compose "${options[@]}" "$@"; }
inside() { compose exec -T airflow-scheduler "$@"; }
ask() { compose exec -T postgres psql --username postgres --no-psqlrc -qAt --dbname "$1" --command "$2"; }
release() { ask regsosek "SELECT content_hash FROM release.release WHERE night = '$night' ORDER BY revision DESC LIMIT 1"; }
# Those of the outbox, by their Message-ID; the watchdog writes to us by itself.
mails() {
  curl --silent --fail 'http://127.0.0.1:18025/api/v1/messages?limit=1000' |
    python3 -c 'import json, re, sys; print(sum(bool(re.match(r"\d{8}\.(?!watchdog\.)", each["MessageID"])) for each in json.load(sys.stdin)["messages"]))'
}
say() { printf '%4d s  %s\n' "$SECONDS" "$*"; }
die() { say "$*" >&2 && exit 1; }
up() { compose up --no-build --detach --wait --wait-timeout 600; }
finish() { [[ ${KEEP:-} ]] || { compose --profile '*' down --volumes --timeout 30 && rm -rf "$place"; }; }
trap finish EXIT

trigger() { inside airflow dags trigger regsosek_nightly --run-id "$1" --conf "{\"date\": \"$2\"}" >/dev/null; }

# Waits for the end of a run, and demands that it is a good one.
await() {
  local state=""
  for _ in {1..450}; do
    state=$(ask airflow "SELECT state FROM dag_run WHERE run_id = '$1'")
    [[ $state != success && $state != failed ]] || break
    sleep 2
  done
  [[ $state == success ]] || die "the run $1 ended as ${state:-nothing}"
}

run_night() {
  inside regsosek simulate --from "$night" --nights 2
  inside regsosek reference
  inside airflow dags unpause --yes regsosek_nightly
  trigger try "$night"
  await try
}

# Kills the first process of a service as a crash would: Docker itself must start it again.
kill_one() {
  local container before
  container=$(compose ps --quiet "$1" | head -n 1)
  before=$(docker inspect --format '{{.RestartCount}}' "$container")
  kill -9 "$(docker inspect --format '{{.State.Pid}}' "$container")"
  for _ in {1..90}; do
    [[ $(docker inspect --format '{{.State.Health.Status}} {{.RestartCount}}' "$container") != "healthy $((before + 1))" ]] || return 0
    sleep 2
  done
  die "$1 did not come back"
}

compose build airflow-init
up
say "all services are healthy"
run_night
local_hash=$(release)
say "night $night with LocalExecutor: release $local_hash, $(mails) mails"
sent=$(ask regsosek "SELECT count(*) FROM alert.delivery WHERE state = 'sent'")
[[ $(mails) == "$sent" && $sent != 0 ]] || die "of $sent mails that were sent $(mails) arrived"

for service in postgres object-store airflow-apiserver airflow-scheduler airflow-dag-processor airflow-triggerer; do
  kill_one "$service" && say "$service was killed and came back"
done
inside regsosek doctor || die "the doctor found faults"

docker/backup.sh "$place/backup" "${options[@]}"
docker/restore-drill.sh "$place/backup" "${options[@]}"
say "the backup restores to the same release"

compose down --timeout 30
up
[[ $(release) == "$local_hash" ]] || die "down and up lost the release"
say "down and up kept everything"

compose down --volumes --timeout 30
printf 'COMPOSE_PROFILES=development,celery\nAIRFLOW_EXECUTOR=CeleryExecutor\n' >>"$env"
up
run_night
say "night $night with CeleryExecutor: release $(release), $(mails) mails"
[[ $(release) == "$local_hash" ]] || die "CeleryExecutor made another release"
kill_one airflow-worker && say "a worker was killed and came back"

# The tasks of the dead worker are tried again once their heartbeat is missed.
trigger killed "$next_night"
for _ in {1..150}; do
  working=$(ask airflow "SELECT count(*) FROM task_instance WHERE run_id = 'killed' AND task_id = 'receive' AND state = 'running'")
  ((working < 4)) || break
  sleep 0.5
done
((working >= 4)) || die "the workers took no province of $next_night"
kill_one airflow-worker
await killed
again=$(ask airflow "SELECT count(*) FROM task_instance WHERE run_id = 'killed' AND task_id = 'receive' AND try_number > 1")
((again > 0)) || die "the worker that was killed had no province"
inside regsosek status --date "$next_night" >/dev/null || die "a worker's death cost night $next_night a province"
say "a worker was killed with $again provinces in hand: they were tried again, and night $next_night is whole"
