# Bellwether. `make` lists the targets. Each sets up what it needs in .venv; nothing else has to be installed.

SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
DEMO_HOME ?= var/demo
export UV_PYTHON_DOWNLOADS := never
export UV_COMPILE_BYTECODE := 1
export UV_PROJECT_ENVIRONMENT := $(VENV)
# Whatever the machine says: hundreds of processes are started here, and each would compile the source anew.
export PYTHONDONTWRITEBYTECODE :=
UV := $(shell command -v uv || echo $(BIN)/uv)

.DEFAULT_GOAL := help
.PHONY: help demo test check bench openapi setup setup-dev browser java lint types contracts migrations tests-sqlite tests-postgres clean

help:  ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

demo: setup  ## make a demo portfolio in var/demo and serve it on http://127.0.0.1:8000
	BELLWETHER_HOME=$(DEMO_HOME) $(BIN)/bellwether demo $(DEMO)

test: setup-dev browser java  ## all checks and tests: SQLite, PostgreSQL, Chromium, Spark
	@$(MAKE) --no-print-directory lint types contracts migrations
	@$(MAKE) --no-print-directory --keep-going tests-postgres tests-sqlite

check: setup-dev  ## the quick part of the tests, a few minutes
	@$(MAKE) --no-print-directory lint types contracts migrations
	$(BIN)/pytest -q -n 2 -m "not slow and not browser"

bench: setup-dev  ## the benches: a table of ratios
	$(BIN)/python -m benches

openapi: setup-dev  ## write docs/reference/openapi.json
	$(BIN)/bellwether openapi

lint:
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types:
	$(BIN)/mypy

contracts:
	$(BIN)/lint-imports

migrations:
	BELLWETHER_HOME=$$(mktemp -d) $(BIN)/bellwether django makemigrations --check --dry-run

tests-sqlite:
	$(BIN)/pytest -q -n 3 --dist worksteal --durations 15

tests-postgres:
	$(BIN)/python -m tests.postgres $(BIN)/pytest -q -n 3 --dist worksteal --durations 15 -m "not browser and not one_database"

setup: $(VENV)/.ready

setup-dev: $(VENV)/.ready-dev

# uv comes from the machine, or from PyPI into .venv.
$(VENV)/.ready: pyproject.toml uv.lock tools/bootstrap.sh
	@PYTHON="$(PYTHON)" VENV="$(VENV)" bash tools/bootstrap.sh
	@$(UV) sync --quiet --locked --inexact --no-dev
	@touch $@

$(VENV)/.ready-dev: $(VENV)/.ready
	@$(UV) sync --quiet --locked --inexact
	@touch $@

browser:
	@bash tools/browser.sh

java:
	@bash tools/java.sh

clean:  ## remove the environment and everything made by it (not var/)
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
