# `make study` and `make test` are all a newcomer needs; `make help` lists the rest.
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
SHELL := /bin/sh
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check -q
export PIP_NO_INPUT := 1
# Tests run in two processes; each keeps to one thread.
PYTEST := OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 2 -q

.PHONY: help study smoke test test-slow lint format clean

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## /\1 - /p' Makefile

study: $(VENV)/.run ## get the data, run experiments/quick.toml, print where the report is
	@$(BIN)/gandetect run experiments/quick.toml

smoke: $(VENV)/.run ## the whole path on real data in under half a minute
	@$(BIN)/gandetect run experiments/smoke.toml

test: lint ## lint and the default test suite
	$(PYTEST)

test-slow: $(VENV)/.dev ## what takes minutes: clean installs, real downloads
	$(PYTEST) -m slow

lint: $(VENV)/.dev ## ruff, mypy strict, import-linter
	$(BIN)/ruff check .
	$(BIN)/ruff format --check -q .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(VENV)/.dev ## let ruff format and mend the code
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean: ## remove .venv and caches; runs and data stay
	rm -rf $(VENV) *.egg-info build dist .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis

# Stamps are made last, so an interrupted installation is done again.
$(VENV)/.run: setup.cfg pyproject.toml | $(VENV)/.python
	@echo "Installing gandetect into $(VENV) (some 5 GB the first time)"
	@$(PIP) install -e .
	@touch $@

$(VENV)/.dev: setup.cfg pyproject.toml | $(VENV)/.python
	@echo "Installing gandetect and its tests' needs into $(VENV) (some 5 GB the first time)"
	@$(PIP) install -e '.[dev]'
	@touch $(VENV)/.run $@

$(VENV)/.python:
	@case "$(CURDIR)" in *" "*) echo "error: make cannot work in a path with spaces; move the folder" >&2; exit 1;; esac
	@python=; for name in $(PYTHON) python3.13 python3.12 python3.11 python3.14 python3 python; do \
	  if command -v $$name >/dev/null 2>&1 && $$name -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; \
	  then python=$$name; break; fi; done; \
	if [ -z "$$python" ]; then \
	  echo "error: Python 3.11 or newer is needed, found $$(python3 --version 2>&1 || echo none); install it, or give make PYTHON=/path/to/python3.11" >&2; exit 1; fi; \
	if ! $$python -c 'import venv, ensurepip' 2>/dev/null; then \
	  echo "error: $$python lacks the venv module; on Debian and Ubuntu: apt install python3-venv" >&2; exit 1; fi; \
	free=$$(df -Pk . | awk 'NR == 2 {print int($$4 / 1048576)}'); \
	if [ "$$free" -lt 8 ]; then \
	  echo "error: the installation needs 8 GB of disk space, $$free GB are free here; free some" >&2; exit 1; fi; \
	rm -rf $(VENV) && $$python -m venv $(VENV)
	@touch $@
