# Development of Headwater. `make demo` and `make test` are all one needs to begin with.
# Everything is installed into .venv/ once, at the versions and hashes of requirements.lock; from
# then on nothing here needs the network.

PYTHON ?= python3
BIN := .venv/bin
MAX_LINES := 350
export DBT_SEND_ANONYMOUS_USAGE_STATS := false

.PHONY: setup demo test check format bench docs lock clean

setup: .venv/.installed

.venv/.installed: requirements.lock pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Headwater needs Python 3.11 or newer")'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-build-isolation --no-deps --editable .
	touch $@

demo: setup
	$(BIN)/headwater demo

test: setup
	$(BIN)/python -m pytest -n 2

check: setup
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports
	@find loader tests benchmarks dbt_project \( -name '*.py' -o -name '*.sql' \) -exec wc -l {} + \
	| awk '$$1 > $(MAX_LINES) && $$2 != "total" { print $$2 ": " $$1 " lines, at most $(MAX_LINES)"; bad = 1 } END { exit bad }'

format: setup
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

bench: setup
	$(BIN)/python -m benchmarks

docs: setup
	$(BIN)/headwater transform
	$(BIN)/dbt docs generate

# Pins what the ranges of pyproject.toml allow today. Needs uv and the network.
lock:
	uv pip compile pyproject.toml --group pyproject.toml:dev --universal --python-version 3.11 --upgrade \
	  --generate-hashes --no-emit-index-url --no-annotate --no-header --quiet --output-file requirements.lock

clean:
	rm -rf .venv headwater-demo target logs dist .*_cache .hypothesis
	find . -name __pycache__ -prune -exec rm -rf {} +
