# Everything runs in .venv, made from requirements.txt (pinned, with hashes). Only Python 3.11+ and make are assumed.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
READY  := $(VENV)/.ready
AZURITE := tests/azurite/node_modules/.ready

.PHONY: help setup azurite demo test check schemas golden screenshots bench bench-emulator conformance chaos ninety-days lock clean

help:            ## Show the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 16

setup: $(READY)  ## Make the virtual environment with the locked dependencies

$(READY): requirements.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "reconciler needs Python 3.11 or newer; $(PYTHON) is older or missing. Try: make PYTHON=python3.12 $(MAKECMDGOALS)" >&2; exit 1; }
	@echo "Setting up $(VENV) (once) ..."
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

demo: $(READY)   ## The main job on the emulator: plan, apply, drift, heal, snapshots, restore, failover, pull requests
	@PATH="$(abspath $(BIN)):$$PATH" sh demo/main-job.sh

azurite: $(AZURITE)  ## Install Azurite, which the lock between machines is tested against (npm; once)

$(AZURITE): tests/azurite/package-lock.json
	@if command -v node >/dev/null && command -v npm >/dev/null; then \
	  echo "Installing Azurite below tests/azurite (once) ..."; \
	  cd tests/azurite && npm ci --silent && touch node_modules/.ready || echo "Azurite could not be installed." >&2; \
	else echo "There is no node or npm: Azurite is not installed." >&2; fi

test: $(READY) check azurite  ## All tests, and `make check`
	@$(BIN)/python -m pytest -n auto

check: $(READY)  ## Lint, types, the floors, stale schemas
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check --quiet .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/reconciler schema --check schemas

schemas: $(READY) ## Write the JSON Schemas again from the kinds
	@$(BIN)/reconciler schema --write schemas

golden: $(READY) ## Write the golden files again; read the diff before you commit it
	@UPDATE_GOLDEN=1 $(BIN)/python -m pytest tests/render tests/restore tests/stories tests/emulator/recorded tests/emulator/test_client_settings.py

screenshots: $(READY)  ## Make docs/images again, from a branch of the sample estate; takes Chromium
	@$(BIN)/python -m tests.browser.screenshots

bench: $(READY)  ## Measure plans of 100, 1,000 and 10,000 VMs against the floor of fetching the same pages
	@$(BIN)/python tests/bench

chaos: $(READY)  ## 500 runs of faults and kills; CHAOS_SEED=N draws others
	@CHAOS_RUNS=$${CHAOS_RUNS:-500} $(BIN)/python -m pytest tests/chaos

ninety-days: $(READY)  ## 90 days of hourly runs over 50 disks, with faults and kills; LONG_SEED=N draws others (minutes)
	@LONG_DAYS=$${LONG_DAYS:-90} LONG_DISKS=$${LONG_DISKS:-50} $(BIN)/python -m pytest tests/stories/test_ninety_days.py

conformance: $(READY)  ## Drive the emulator with az and Cloud Custodian, installed below .conformance/ (minutes)
	@$(BIN)/python tests/conformance

bench-emulator: $(READY)  ## What it takes the emulator to serve 100,000 VMs: start, memory, requests a second
	@$(BIN)/python tests/bench/emulator.py

lock: $(READY)   ## Pin the dependencies again, with hashes
	@$(BIN)/python -m pip install --quiet uv
	@$(BIN)/uv pip compile pyproject.toml --extra dev --generate-hashes --universal --python-version 3.11 \
	  --quiet --upgrade --output-file requirements.txt
	@echo hatchling | $(BIN)/uv pip compile pyproject.toml - -c requirements.txt --generate-hashes --universal \
	  --python-version 3.11 --quiet --output-file requirements-run.txt
	@$(BIN)/python tests/azurite/pin.py
	@for client in az c7n; do cd $(CURDIR)/tests/conformance && $(abspath $(BIN))/uv pip compile requirements-$$client.in \
	  --generate-hashes --universal --python-version 3.11 --quiet --upgrade --output-file requirements-$$client.txt || exit 1; done

clean:           ## Remove the virtual environment and caches
	rm -rf $(VENV) tests/azurite/node_modules .conformance .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
