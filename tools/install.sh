#!/usr/bin/env bash
# Makes .venv exactly what the committed locks say, with the project itself installed editable.
# Needs Python 3.11 to 3.13 with pip or venv, and a package registry (or a warm uv cache); no root.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

# Whatever of these changes, the environment is brought in step again.
readonly inputs=(requirements.txt requirements-dev.txt requirements.in pyproject.toml tools/uv.txt tools/install.sh)
readonly stamp=.venv/installed
readonly private=.uv
readonly uv=$private/uv

# The caller's own Python settings must not bend this environment.
unset PYTHONPATH PYTHONHOME PYTHONDONTWRITEBYTECODE VIRTUAL_ENV CONDA_PREFIX
export UV_PYTHON_DOWNLOADS=never
# The certificates of the system, as pip and git use them: an office may have an authority of its own.
export UV_SYSTEM_CERTS=true
export PIP_REQUIRE_VIRTUALENV=0 PIP_DISABLE_PIP_VERSION_CHECK=1

say() { printf 'environment: %s\n' "$*" >&2; }
die() { say "$*"; exit 1; }

suitable() { "$1" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 14))' 2>/dev/null; }

# A name on PATH may be a shim that answers with an error: only a version that it tells itself counts.
find_python() {
  local candidate
  for candidate in ${PYTHON:-python3 python3.13 python3.12 python3.11}; do
    if suitable "$candidate"; then
      "$candidate" -c 'import sys; print(sys.executable)'
      return
    fi
  done
  die "found no Python >=3.11,<3.14 (looked for: ${PYTHON:-python3 python3.13 python3.12 python3.11})." \
    "Install one, or name it: make install PYTHON=/path/to/python3.12"
}

wanted_uv() { sed -n 's/^uv==\([^ ]*\).*/\1/p' tools/uv.txt; }
is_wanted_uv() { [[ "$("$1" --version 2>/dev/null)" == "uv $(wanted_uv)"* ]]; }

install_uv() {
  local python=$1 package=$private/package
  say "installing uv $(wanted_uv) into $package"
  rm -rf "$package"
  if "$python" -m pip --version >/dev/null 2>&1; then
    "$python" -m pip install --quiet --root-user-action ignore --require-hashes --target "$package" --requirement tools/uv.txt
  elif "$python" -m venv "$package" >/dev/null 2>&1; then
    "$package/bin/python" -m pip install --quiet --require-hashes --requirement tools/uv.txt
  else
    die "$python has neither pip nor venv, so uv can't be installed." \
      "Install one of them (Debian: python3-venv), or put uv $(wanted_uv) on PATH"
  fi
  ln -sfn package/bin/uv "$uv"
}

# Another version may write the locks in another way, hence exactly this one.
provide_uv() {
  if is_wanted_uv "$uv"; then
    return
  elif is_wanted_uv uv; then
    ln -sfn "$(command -v uv)" "$uv"
  else
    install_uv "$1"
  fi
}

# The clone's own path counts too: the editable install names it.
state() { { pwd; cat "${inputs[@]}"; } | sha256sum; }
up_to_date() { [[ -x .venv/bin/python && "$(cat "$stamp" 2>/dev/null)" == "$(state)" ]] && is_wanted_uv "$uv"; }

home_of() { "$1" -c 'import sys; print(sys.base_prefix, sys.version)'; }
# With PYTHON= the environment must be that interpreter's; else any suitable one will do.
usable() { suitable .venv/bin/python && [[ -z ${PYTHON:-} || "$(home_of .venv/bin/python)" == "$(home_of "$PYTHON")" ]]; }

install() {
  local python
  python=$(find_python)
  provide_uv "$python"
  rm -f "$stamp"
  if usable; then
    say "bringing .venv in step with the locks"
  else
    say "making .venv with $("$python" --version) ($python)"
    # Relocatable: a long path or a blank in it would break the first line of the commands.
    "$uv" venv --quiet --clear --relocatable --python "$python" .venv
  fi
  # django-indonesia-regions comes as source only. The lock constrains its build too, and the project is built with the
  # lock's setuptools: nothing unlocked is downloaded.
  "$uv" pip sync --python .venv/bin/python --require-hashes --build-constraints requirements.txt --compile-bytecode \
    requirements.txt requirements-dev.txt
  "$uv" pip install --quiet --python .venv/bin/python --no-deps --no-build-isolation --editable .
  state >"$stamp"
  say "ready after $SECONDS s"
}

mkdir -p "$private"
# Two makes at once must not write into the same environment.
if command -v flock >/dev/null; then
  exec 9>"$private/lock"
  flock 9
fi
{ up_to_date && usable; } || install
