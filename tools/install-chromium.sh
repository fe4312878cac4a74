#!/usr/bin/env bash
# Sees to a Chromium for the tests in a browser: the one that is there, or Debian's package where root may install it.
set -euo pipefail

if [[ -n "${REGSOSEK_CHROMIUM:-}" ]]; then
  [[ -x "$REGSOSEK_CHROMIUM" ]] || { echo "REGSOSEK_CHROMIUM=$REGSOSEK_CHROMIUM cannot be run" >&2; exit 1; }
  exit 0
fi
if command -v chromium chromium-browser google-chrome >/dev/null; then
  exit 0
fi
if [[ $(id -u) -ne 0 ]] || ! command -v apt-get >/dev/null; then
  echo "the tests in a browser need Chromium: install it (Debian: apt-get install chromium) as root," >&2
  echo "or name one that is there: REGSOSEK_CHROMIUM=/path/to/chromium make test-system" >&2
  exit 1
fi
echo "installing Debian's chromium"
export DEBIAN_FRONTEND=noninteractive
apt-get update -q
apt-get install -q -y --no-install-recommends chromium
