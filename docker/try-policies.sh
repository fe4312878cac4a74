#!/usr/bin/env bash
# Applies the policies of `regsosek store policies` to a real store that enforces them, a Ceph object gateway with one
# monitor and one OSD in memory, and tries with each key what it may do, over TLS and without.
# Needs root and Debian's ceph-mon, ceph-osd, ceph-common, radosgw and openssl; listens on loopback alone and leaves
# nothing behind. Ends with 1 at the first thing that does not hold.
set -euo pipefail
umask 077
python=${PYTHON:-.venv/bin/python} regsosek=${REGSOSEK:-.venv/bin/regsosek}
place=$(mktemp -d)
started=()
trap 'kill "${started[@]}" 2>/dev/null || true; wait; rm -rf "$place"' EXIT
fsid=$(cat /proc/sys/kernel/random/uuid)
osd=$(cat /proc/sys/kernel/random/uuid)
mkdir "$place/mon" "$place/osd"
openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost -addext subjectAltName=IP:127.0.0.1 \
  -keyout "$place/key.pem" -out "$place/ca.pem" 2>/dev/null
cat >"$place/ceph.conf" <<EOF
[global]
fsid = $fsid
mon initial members = a
mon host = [v2:127.0.0.1:33000/0,v1:127.0.0.1:33001/0]
public addr = 127.0.0.1
ms bind ipv6 = false
osd pool default size = 1
osd pool default min size = 1
osd pool default pg num = 4
osd crush chooseleaf type = 0
mon allow pool size one = true
keyring = $place/keyring
run dir = $place
log file = $place/\$name.log
[mon]
mon data = $place/mon
[osd]
osd objectstore = memstore
osd data = $place/osd
[client.admin]
rgw frontends = beast endpoint=127.0.0.1:33080 ssl_endpoint=127.0.0.1:33443 ssl_certificate=$place/ca.pem ssl_private_key=$place/key.pem
EOF
export CEPH_CONF=$place/ceph.conf
run() { "$@" --foreground --setuser root --setgroup root >>"$place/output" 2>&1 & started+=($!); }
{
  ceph-authtool --create-keyring "$place/keyring" --gen-key -n mon. --cap mon 'allow *'
  ceph-authtool "$place/keyring" --gen-key -n client.admin --cap mon 'allow *' --cap osd 'allow *'
  monmaptool --create --fsid "$fsid" --addv a '[v2:127.0.0.1:33000,v1:127.0.0.1:33001]' "$place/monmap"
  ceph-mon --mkfs -i a --monmap "$place/monmap" --keyring "$place/keyring"
} >/dev/null
run ceph-mon -i a
timeout 60 ceph osd new "$osd" >/dev/null
timeout 60 ceph auth get-or-create osd.0 mon 'allow profile osd' osd 'allow *' >>"$place/keyring"
ceph-osd -i 0 --mkfs --osd-uuid "$osd" 2>/dev/null
run ceph-osd -i 0
run radosgw -n client.admin --keyring "$place/keyring"
for _ in $(seq 120); do
  (exec 3<>/dev/tcp/127.0.0.1/33443) 2>/dev/null && break
  sleep 1
done
REGSOSEK_ENV_FILE=/nonexistent "$regsosek" store policies "$place/policies"
PLACE=$place REGSOSEK=$regsosek "$python" docker/try_policies.py
