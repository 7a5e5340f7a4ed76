# `make study` and `make test` are all a newcomer needs; `make help` lists the rest.
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
SHELL := /bin/sh
VENV := .venv
BIN := $(VENV)/bin
# Paths are relative throughout, so that a folder with spaces in its name does no harm.
HERE := $(CURDIR)
# What is unpacked (6 GB), and what pip keeps of the downloads until it has ended.
NEEDED_GB := 10
# pip unpacks beside the environment: /tmp is often small, and its free space is not checked here.
PIP = TMPDIR="$(HERE)/$(VENV)/tmp" $(BIN)/python -m pip --disable-pip-version-check
export PIP_NO_INPUT := 1
# Tests run in two processes; each keeps to one thread. Files stay in their order: long ones first.
# Bytecode is kept, whatever the environment says, as many tests start processes.
PYTEST := PYTHONDONTWRITEBYTECODE= OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder -q

.PHONY: help study smoke test test-slow test-browser docs figures screenshots bench same-science gpu-check fuzz mutants lint format clean

help: ## list the targets
	@awk -F ':.*## ' '/^##@ /{print "\n" substr($$0, 5)} /^[a-z-]+:.*## /{print "  " $$1 " - " $$2}' Makefile

##@ Run a study
study: $(VENV)/.run ## get the data, run experiments/quick.toml, print where the report is
	@$(BIN)/gandetect run experiments/quick.toml

smoke: $(VENV)/.run ## the whole path on real data in about half a minute
	@$(BIN)/gandetect run experiments/smoke.toml

##@ Check a change
lint: $(VENV)/.dev ## ruff, mypy strict, import-linter
	$(BIN)/python -m ruff check .
	$(BIN)/python -m ruff format --check -q .
	$(BIN)/python -m mypy
	@# Scripts are handed to Python, as their first line names the folder they were installed in.
	@# Its cache goes stale when modules become packages, and then tells of breaks that are none.
	$(BIN)/python $(BIN)/lint-imports --no-cache

format: $(VENV)/.dev ## let ruff format and mend the code
	$(BIN)/python -m ruff check --fix .
	$(BIN)/python -m ruff format .

test: lint ## lint and the default test suite
	$(PYTEST)

test-browser: $(VENV)/.dev ## what reports do and show in Debian's Chromium: two minutes
	$(PYTEST) -m browser

test-slow: $(VENV)/.dev ## what takes minutes: clean installs, real downloads
	$(PYTEST) -m slow

docs: $(VENV)/.docs ## the documentation as a site, in build/docs; warnings and dead links are errors
	$(BIN)/python -m sphinx -W --keep-going -q -c docs/site . build/docs
	@echo build/docs/index.html

figures: $(VENV)/.dev ## the figures of README and docs, from finished runs: make figures RUNS=runs
	@PYTHONPATH=tests $(BIN)/python -m browser.figures $(if $(RUNS),"$(RUNS)")

screenshots: $(VENV)/.dev ## a report at three widths, light and dark: make screenshots RUN=runs/... (default: the newest)
	@PYTHONPATH=tests $(BIN)/python -m browser.screenshots $(if $(RUN),"$(RUN)")

##@ Measure
bench: $(VENV)/.run ## how fast, beside a plain PyTorch port: some ten minutes, on an idle machine; also beside Keras: KERAS=PATH/TO/python
	@PYTHONPATH=tests $(BIN)/python -m benchmarks $(if $(KERAS),--keras "$(KERAS)")

same-science: $(VENV)/.run ## do speed and bf16 change the answers? Five seeds, three ways: hours
	@PYTHONPATH=tests $(BIN)/python -m benchmarks.same_science

fuzz: $(VENV)/.dev ## broken images, tables and experiment files, drawn from a seed: up to an hour
	@PYTHONPATH=tests OMP_NUM_THREADS=1 $(BIN)/python -m fuzz

mutants: $(VENV)/.dev ## do the default tests notice small faults? make mutants ROOM=training N=30 SEED=0 JOBS=1
	@PYTHONPATH=tests OMP_NUM_THREADS=1 nice $(BIN)/python -m mutants \
	  $(if $(ROOM),--room $(ROOM)) --draw $(or $(N),30) --seed $(or $(SEED),0) --jobs $(or $(JOBS),1)

gpu-check: $(VENV)/.run ## make build/gpu ready for a machine with a GPU, and check it where there is one (docs/gpu.md)
	@PYTHONPATH=tests $(BIN)/python -m gpu.ready

##@ Tidy
clean: ## remove .venv and caches; runs and data stay
	rm -rf $(VENV) *.egg-info build dist .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis

# Stamps are made last, so an interrupted installation is done again.
$(VENV)/.run: setup.cfg pyproject.toml $(VENV)/.python
	@echo "Installing gandetect into $(VENV) (some 6 GB the first time, mostly PyTorch: minutes)" >&2
	@$(call install,.)
	@touch $@

$(VENV)/.dev: setup.cfg pyproject.toml $(VENV)/.python
	@echo "Installing gandetect and its tests' needs into $(VENV) (some 6 GB the first time, mostly PyTorch: minutes)" >&2
	@$(call install,.[dev])
	@touch $(VENV)/.run $@

$(VENV)/.docs: setup.cfg pyproject.toml $(VENV)/.python
	@echo "Installing gandetect and its documentation's needs into $(VENV)" >&2
	@$(call install,.[docs])
	@touch $(VENV)/.run $@

# Of pip's many lines the names of packages as it comes to them, and all from an error on. (A loop of
# the shell, as awk may keep what it prints until the end.)
NAMES = while read -r what which rest; do case "$$failed$$what $$which" in \
    "Collecting "*) printf ' %s' "$${which%%[!A-Za-z0-9._-]*}" ;; \
    "Processing "*) which="$${which\#\#*/}"; printf ' %s' "$${which%%-*}" ;; \
    "Installing collected") printf '\nUnpacking them\n' ;; \
    "ERROR: "* | "error: "* | yes*) test -n "$$failed" || echo; failed=yes; echo "$$what $$which $$rest" ;; \
  esac; done >&2

# Where space is scarce, pip keeps no second copy of what it downloads. A pipe has the status of its
# last command, so a file says that pip has done it.
define install
rm -rf $(VENV)/tmp; mkdir $(VENV)/tmp; \
free=$$($(BIN)/python -c 'import shutil; print(shutil.disk_usage(".").free >> 30)'); \
test "$$free" -ge 14 || export PIP_NO_CACHE_DIR=1; \
{ $(PIP) install --progress-bar off -e '$(1)' 2>&1 && touch $(VENV)/tmp/done; } | { $(NAMES); }; \
done=$$(ls $(VENV)/tmp | grep -x done); rm -rf $(VENV)/tmp; test -n "$$done" || { \
  echo "error: the installation failed, pip says why above (are the network and the package registry there?); give the same command again to go on" >&2; exit 1; }
endef

# The stamp holds the folder's path: after a move, or when the Python it was made with has gone,
# the environment is looked at again. One that works is kept and one that does not is replaced.
WORKS := $(BIN)/python -c 'import sys, pip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null
ifneq "$(shell $(WORKS) && cat $(VENV)/.python)" "$(HERE)"
.PHONY: $(VENV)/.python
endif

$(VENV)/.python:
	@if ! $(WORKS); then \
	  found= lacks= python=; \
	  if [ -n "$(PYTHON)" ]; then set -- "$(PYTHON)"; \
	  else set -- python3.13 python3.12 python3.11 python3.14 python3 python; fi; \
	  for name; do \
	    version=$$("$$name" -c 'import platform; print(platform.python_version())' 2>/dev/null) || continue; \
	    if ! "$$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; \
	    then found="$${found:+$$found, }$$name is $$version"; \
	    elif "$$name" -c 'import venv, ensurepip' 2>/dev/null; then python=$$name; break; \
	    else lacks="$$name ($$version)"; fi; \
	  done; \
	  if [ -z "$$python" ] && [ -n "$$lacks" ]; then \
	    echo "error: $$lacks cannot make virtual environments; on Debian and Ubuntu: apt install python3-venv" >&2; exit 1; fi; \
	  if [ -z "$$python" ]; then \
	    echo "error: Python 3.11 or newer is needed ($${found:-none found}); install one, or name one: make PYTHON=/path/to/python3.11 $(MAKECMDGOALS)" >&2; exit 1; fi; \
	  free=$$("$$python" -c 'import shutil; print(shutil.disk_usage(".").free >> 30)'); \
	  if [ "$$free" -lt $(NEEDED_GB) ]; then \
	    echo "error: the installation needs $(NEEDED_GB) GB of disk space, $$free GB are free here; free some, or move the folder" >&2; exit 1; fi; \
	  rm -rf $(VENV) && "$$python" -m venv $(VENV) || { \
	    echo "error: $$python could not make $(VENV); what it said stands above" >&2; exit 1; }; \
	fi; \
	printf '%s\n' "$(HERE)" > $@
