# cleanhub: one word for each job; "make help" lists them.
#
# The first job makes .venv with the first Python >= 3.11 it finds (choose one with make PYTHON=...).
# Stamp files remember what is installed: pip runs again only after pyproject.toml or
# constraints.txt changed. pip's own settings (PIP_INDEX_URL, PIP_CERT, pip.conf ...) are respected.

.DEFAULT_GOAL := help

PYTHON ?=
HUB ?= california
OUT ?= plans/$(HUB)
PIP_FLAGS ?= -qq
PYTEST_FLAGS ?= -q -n auto --dist loadfile --no-loadscope-reorder
CASES ?=

VENV := .venv
BIN := $(VENV)/bin
CORE := $(VENV)/.installed-core
DEV := $(VENV)/.installed-dev
RUFF := $(BIN)/ruff check src tests tools
PIP_INSTALL := $(BIN)/python -m pip install $(PIP_FLAGS) --disable-pip-version-check --no-compile -c constraints.txt

.PHONY: help setup setup-dev plan test lint format validate docs frontend wheel weigh clean distclean

help:  ## list the jobs
	@grep -hE '^[a-z-]+:.*##' Makefile | sed -E 's/^([a-z-]+):.*## */\1\t/' | awk -F'\t' '{printf "  make %-10s %s\n", $$1, $$2}'

plan: $(CORE)  ## plan the California hub (HUB=, OUT= choose others)
	$(BIN)/cleanhub plan $(HUB) --out $(OUT)

setup: $(CORE)  ## make .venv and install cleanhub with its core dependencies

setup-dev: $(DEV)  ## the same, with the tools for tests and checks

test: $(DEV)  ## ruff, mypy (beside the tests) and all tests; every one of them runs, any fault fails
	@status=0; log=$$(mktemp); \
	$(BIN)/mypy >$$log 2>&1 & mypy=$$!; \
	$(RUFF) || status=1; \
	$(BIN)/python -m pytest $(PYTEST_FLAGS) || status=1; \
	wait $$mypy || { status=1; echo "mypy found faults:" >&2; }; \
	cat $$log; rm -f $$log; exit $$status

lint: $(DEV)  ## ruff and mypy only
	$(RUFF)
	$(BIN)/mypy

format: $(DEV)  ## let ruff lay out the code and mend what it can
	$(BIN)/ruff check --fix src tests tools
	$(BIN)/ruff format src tests tools

validate: $(DEV)  ## what is too long for test: benchmarks, a million draws, long fuzz, cases of others (CASES='one.json folder')
	$(BIN)/python tools/validate.py $(CASES)

docs: $(DEV)  ## build the documentation site
	@test -f tools/build_docs.py || { echo "tools/build_docs.py is not there: nothing to build" >&2; exit 1; }
	$(BIN)/python tools/build_docs.py

frontend:  ## build the scripts of the web pages (needs node 20.19 or newer)
	cd frontend && npm ci --no-audit --no-fund && npm run build

wheel: $(DEV)  ## build dist/cleanhub-*.whl
	$(BIN)/python -m build --wheel --no-isolation

weigh: $(CORE)  ## what the core install consists of: megabytes and licences
	@$(BIN)/python tools/core_install.py

clean:  ## remove builds and caches; .venv and plans/ stay
	rm -rf build dist site .mypy_cache .ruff_cache .pytest_cache .hypothesis htmlcov
	find src tests tools -name __pycache__ -type d -prune -exec rm -rf {} +

distclean: clean  ## the same, and .venv too
	rm -rf $(VENV)

$(CORE): pyproject.toml constraints.txt | $(BIN)/python
	@echo "installing cleanhub and its core dependencies into $(VENV) (about a minute, once)"
	$(PIP_INSTALL) -e .
	@touch $@

$(DEV): pyproject.toml constraints.txt | $(BIN)/python
	@echo "installing cleanhub with the development tools into $(VENV) (about a minute, once)"
	$(PIP_INSTALL) -e '.[dev]'
	@$(BIN)/python -m compileall -q -j 0 -x '/tests?/' $(VENV)/lib src/cleanhub || true  # tests start many processes
	@touch $(CORE) $@

# A link to a Python that is gone counts as no Python: the environment is then made anew.
$(BIN)/python:
	@for python in $(PYTHON) python3.11 python3 python3.13 python3.12 python3.14; do \
		if "$$python" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then \
			echo "making $(VENV) with $$python"; exec "$$python" -m venv --clear $(VENV); \
		elif [ "$$python" = "$(PYTHON)" ]; then \
			echo "$$python is no Python >= 3.11 with the venv module" >&2; exit 1; \
		fi; \
	done; \
	echo "no Python >= 3.11 with the venv module found (on Debian and Ubuntu: install python3-venv)" >&2; exit 1
