# make demo: the report of a recorded incident. make test: everything. See CONTRIBUTING.md for the rest.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
# an editable install leaves it to the first start, and where Python may write no bytecode to every one: 0.2 s each
COMPILE := $(BIN)/python -m compileall -q rca topology
SHELL  := bash
.SHELLFLAGS := -eu -o pipefail -c
.DELETE_ON_ERROR:
.PHONY: demo test check fix live bench testbed clean

demo: $(VENV)/.installed
	@$(BIN)/rca demo

# the servers are fetched first, so that a machine that can't have them says why before the tests begin
test: $(VENV)/.dev
	@$(BIN)/python tests/servers/fetch.py
	$(BIN)/pytest -n auto --dist loadgroup --cov --cov-report=term $(PYTEST_ARGS)

live: $(VENV)/.dev
	@$(BIN)/python tests/servers/fetch.py
	$(BIN)/pytest -n auto --dist loadgroup -m live $(PYTEST_ARGS)

check: $(VENV)/.dev
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/mypy
	$(BIN)/lint-imports

fix: $(VENV)/.dev
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

bench: $(VENV)/.dev
	status=0; for name in startup replay analysis elasticsearch_scale; do \
	  echo "== benchmarks/$$name.py"; $(BIN)/python -m benchmarks.$$name || status=1; done; exit $$status

# make testbed FAULT=redis-slow [SEED=1]: break the shop of tests/testbed, and have rca look at it while it fails
testbed: $(VENV)/.dev
	@$(BIN)/python tests/servers/fetch.py
	@$(BIN)/python -m tests.testbed $(if $(FAULT),run $(FAULT) --seed $(or $(SEED),1),list)

clean:
	rm -rf $(VENV) build dist *.egg-info .coverage .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "rca needs Python 3.11 or later; '$(PYTHON)' is older: make PYTHON=python3.12 …" >&2; exit 2; }
	@echo "making a virtual environment in $(VENV) …"
	@$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: $(VENV)/bin/python pyproject.toml
	@echo "installing rca …"
	@$(BIN)/python -m pip install --quiet -e .
	@$(COMPILE)
	@touch $@

$(VENV)/.dev: $(VENV)/bin/python pyproject.toml
	@echo "installing rca and what its tests need …"
	@$(BIN)/python -m pip install --quiet -e '.[dev,testbed]'
	@$(COMPILE)
	@touch $@ $(VENV)/.installed
