#!/usr/bin/env bash
# Names every image that comes from a registry by its content, not by a tag that its owner may move: writes the digest of
# what each tag stands for now into .env (ENV_FILE= names another file). Again for an upgrade: it takes what the tags stand
# for then. The images of docker-compose.yaml, or those that .env names in their place; digests of earlier are left out.
#   docker/pin-images.sh           looks up and writes
#   docker/pin-images.sh --check   ends with 1 while an image is named by a tag alone
set -euo pipefail
shopt -s inherit_errexit
cd "$(dirname "${BASH_SOURCE[0]}")/.."
env=${ENV_FILE:-.env}

# "POSTGRES_IMAGE postgres:18", one a line.
images() { grep -ohE '[A-Z]+_IMAGE:-[^}]+' docker-compose.yaml | sort -u | sed 's/:-/ /'; }
named() { sed -n "s/^$1=//p" "$env" | tail -n 1; }

check() {
  local variable standard open=0
  while read -r variable standard; do
    [[ "$(named "$variable")" =~ @sha256:[0-9a-f]{64}$ ]] && continue
    echo "$variable is named by a tag alone ($(named "$variable" | grep . || echo "$standard")): run docker/pin-images.sh" >&2
    open=1
  done < <(images)
  return "$open"
}

# repository:tag@digest of what the registry gives for repository:tag.
pinned() {
  local digest
  docker pull --quiet "$1" >/dev/null
  digest=$(docker image inspect --format '{{range .RepoDigests}}{{println .}}{{end}}' "$1" | sed -n 's/.*@\(sha256:[0-9a-f]*\)$/\1/p' | head -n 1)
  [[ $digest ]] || { echo "$1 has no digest: it was made on this machine" >&2 && return 1; }
  echo "$1@$digest"
}

pin() {
  local variable standard current reference
  umask 077
  written=$(mktemp "$env.XXXXXX")
  trap 'rm -f "$written"' EXIT
  cp "$env" "$written"
  while read -r variable standard; do
    current=$(named "$variable")
    current=${current:-$standard}
    reference=$(pinned "${current%@*}")
    sed -i "/^$variable=/d" "$written"
    echo "$variable=$reference" >>"$written"
    echo "$variable=$reference"
  done < <(images)
  mv "$written" "$env"
}

[[ -f $env ]] || { echo "there is no $env: make env writes it" >&2 && exit 2; }
case ${1:-} in
  --check) check ;;
  "") pin ;;
  *) echo "pin-images.sh: no such option: $1" >&2 && exit 2 ;;
esac
