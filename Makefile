# Everything that a person or the CI asks of this project; `make` alone lists it.
SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

# The caller's own Python settings must not bend the environment that the locks describe.
unexport PYTHONPATH PYTHONHOME PYTHONDONTWRITEBYTECODE VIRTUAL_ENV

bin := .venv/bin
cores := $(shell getconf _NPROCESSORS_ONLN)
shell_scripts := .ci/run tools/install.sh tools/install-chromium.sh docker/init.sh docker/object-store.sh docker/create-databases.sh docker/pin-images.sh docker/backup.sh docker/objects.sh docker/restore-drill.sh docker/try.sh docker/standins/build.sh docker/standins/postgres-entrypoint.sh

.PHONY: help
help:  ## this list
	@sed -nE 's/^([a-z-]+):[^#]*## (.*)/\1\t\2/p' $(MAKEFILE_LIST) | expand -t 14

.PHONY: install
install:  ## make .venv from the committed locks (PYTHON= names an interpreter)
	@PYTHON='$(PYTHON)' tools/install.sh

##### the pipeline on this machine

.PHONY: demo
demo: install  ## three nights of all provinces through real Airflow (SCALE= grows them)
	$(bin)/regsosek demo $(if $(SCALE),--scale $(SCALE))

.PHONY: up
up: install  ## start Airflow and everything it needs; prints address and login
	$(bin)/regsosek up

# State lies under var/: where it is missing nothing was ever started, and nothing needs to be installed to stop it.
.PHONY: down
down:  ## stop all of it, keep the data
	$(if $(wildcard var),$(MAKE) install && $(bin)/regsosek down,@echo "nothing was started here")

.PHONY: clean
clean:  ## stop all of it and forget the data
	$(if $(wildcard var),$(MAKE) install && $(bin)/regsosek clean,@echo "nothing was started here")

##### measures

.PHONY: bench
bench: install  ## what a bad day costs more than a clean one, and day 30 more than day 3 (SCALE=0.1, ROUNDS=3)
	$(bin)/python bench/badness.py $(if $(SCALE),--scale $(SCALE)) $(if $(ROUNDS),--rounds $(ROUNDS))
	$(bin)/python bench/growth.py $(if $(SCALE),--scale $(SCALE)) $(if $(ROUNDS),--rounds $(ROUNDS))

##### tests and checks

# Each worker has servers of its own, and a file stays on one of them: what its tests share is made once. Files go out in
# this order, those that take long first: at the end a worker would wait for another one's last file.
tests := $(bin)/pytest -n $(or $(WORKERS),auto) --maxprocesses 4 --dist loadfile --no-loadscope-reorder tests/e2e tests/integration tests/dags tests/laws tests/unit

# Which lines and branches of our code a run takes, workers together; only once, so that a long run pays nothing for it.
covered := $(bin)/python -m slipcover --branch --source include --skip-covered -m pytest

# Units and short laws wait for nothing: one worker to each core.
.PHONY: test-unit
test-unit: install  ## what one runs all day: units, and laws with few examples; prints coverage (WORKERS=)
	$(covered) -n $(or $(WORKERS),$(cores)) --dist loadfile -q -m "not exhaustive and not full" --hypothesis-profile=short tests/laws tests/unit

.PHONY: test
test: install  ## what every change must pass, of parts that pip can supply (WORKERS= files at a time)
	$(tests) -m "not exhaustive"

.PHONY: test-all
test-all: install  ## the same with every cell of the large matrices, and ten times the examples of each law
	$(tests) --hypothesis-profile=long

.PHONY: coverage
coverage: install  ## make test, and which lines and branches of the code it takes
	$(subst $(bin)/pytest,$(covered),$(tests)) -m "not exhaustive"

.PHONY: test-system
test-system: install  ## tests that need system packages, such as a browser
	tools/install-chromium.sh
	$(bin)/pytest --timeout 1200 tests/system

.PHONY: screenshots
screenshots: install  ## the pictures of docs/images, anew from what runs here (make demo first)
	tools/install-chromium.sh
	$(bin)/python tools/screenshots.py

.PHONY: fuzz
fuzz: install  ## hurt manifests, files and cells for some minutes each (MINUTES=2, TARGET=parquet, SEED=)
	PYTHONPATH=include $(bin)/python tests/fuzz/long.py $(if $(MINUTES),--minutes $(MINUTES)) $(if $(TARGET),--target $(TARGET)) $(if $(SEED),--seed $(SEED))

.PHONY: soak
soak: install  ## nights of two provinces under kills, cut networks and a lying store, beside a twin (NIGHTS=20, SEED=)
	PYTHONPATH=include:tests $(bin)/python -m soak $(if $(NIGHTS),--nights $(NIGHTS)) $(if $(SEED),--seed $(SEED))

.PHONY: check
check: check-style check-types check-rooms check-compose check-generated check-locks check-sbom  ## everything but the tests; changes nothing

.PHONY: check-style
check-style: install
	$(bin)/ruff check .
	$(bin)/ruff format --check .
	for script in $(shell_scripts); do bash -n $$script; done

.PHONY: check-types
check-types: install
	$(bin)/mypy

# The order of the rooms, pyproject.toml [tool.importlinter].
.PHONY: check-rooms
check-rooms: install
	$(bin)/lint-imports

.PHONY: check-compose
check-compose: install
	$(bin)/check-jsonschema --builtin-schema vendor.compose-spec docker-compose.yaml

# Files that are written from the codebook and the rules.
.PHONY: check-generated
check-generated: install
	$(bin)/regsosek generate --check

.PHONY: check-locks
check-locks: install
	$(bin)/python tools/lock.py --uv .uv/uv --check

# The bill of materials against the lock; no network.
.PHONY: check-sbom
check-sbom: install
	$(bin)/python tools/sbom.py --check

.PHONY: fix
fix: install  ## what a machine can repair: style, format, generated files
	$(bin)/ruff check --fix .
	$(bin)/ruff format .
	$(bin)/regsosek generate

##### dependencies and deployment

.PHONY: lock
lock: install  ## bring the locks in step with requirements*.in (UPGRADE=1 takes newer versions)
	$(bin)/python tools/lock.py --uv .uv/uv $(if $(UPGRADE),--upgrade)

.PHONY: sbom
sbom: install  ## write docs/sbom: what a server runs, as CycloneDX, with licences
	$(bin)/python tools/sbom.py

.PHONY: audit
audit: install  ## known vulnerabilities of the locks, from a file of advisories, without a network (ADVISORIES=)
	$(bin)/python tools/audit.py $(ADVISORIES)

.PHONY: dist
dist: install  ## sources of a tag with bill of materials, lock and signature (TAG=v0.1.0 KEY=FILE INTO=DIR)
	$(bin)/python tools/release.py $(TAG) --key $(KEY) --into $(INTO)

.PHONY: env
env:  ## write .env with fresh secrets for docker-compose.yaml; never overwrites
	python3 docker/make_env.py
