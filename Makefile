# Development of Headwater. `make demo` and `make test` are all one needs to begin with.
# Everything is installed into .venv/ once, at the versions and hashes of requirements.lock; from
# then on nothing here needs the network.

PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check
MAX_LINES := 350
export DBT_SEND_ANONYMOUS_USAGE_STATS := false

.PHONY: setup sdks emulator demo test check format bench docs lock clean

setup: .venv/.installed

# uv, itself pinned in the lock, installs in seconds what takes pip minutes. Where uv can't be had, or
# can't reach an index that only pip's own config names, pip installs the same.
.venv/.installed: requirements.lock pyproject.toml hatch_build.py $(wildcard kernel/*)
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Headwater needs Python 3.11 or newer")'
	$(PYTHON) -m venv .venv
	sed -n '/^uv==/,/[^\\]$$/p' requirements.lock > .venv/uv.lock
	$(PIP) --no-deps --require-hashes -r .venv/uv.lock \
	  && $(BIN)/uv pip sync --quiet --python $(BIN)/python --require-hashes requirements.lock \
	  || $(PIP) --no-deps --require-hashes -r requirements.lock
	$(PIP) --no-build-isolation --no-deps --editable .
	$(BIN)/headwater status > /dev/null # makes .headwater/, so that plain `dbt build` works too
	touch $@

demo: setup
	$(BIN)/headwater demo

# The SDKs that the collector is tested with, their browser and interpreters; at once when all is there.
sdks:
	tests/sdks/install

# The stand-in for BigQuery, in an environment of its own; likewise.
emulator: setup
	tests/bigquery/emulator/install

test: setup sdks emulator
	$(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder

check: setup
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports
	@find loader tests benchmarks dbt_project -name .venv -prune -o \( -name '*.py' -o -name '*.sql' \) -exec wc -l {} + \
	| awk '$$1 > $(MAX_LINES) && $$2 != "total" { print $$2 ": " $$1 " lines, at most $(MAX_LINES)"; bad = 1 } END { exit bad }'

format: setup
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

bench: setup
	$(BIN)/python -m benchmarks

# The models' documentation, as one page: dist/docs/static_index.html. From a copy, since dbt wants
# to write where the published file is read-only.
docs: setup
	$(BIN)/headwater transform
	mkdir -p dist/docs
	install -m 644 .headwater/warehouse.duckdb dist/docs/warehouse.duckdb
	HEADWATER_WAREHOUSE=dist/docs/warehouse.duckdb $(BIN)/dbt docs generate --static --target-path dist/docs

# Pins what the ranges of pyproject.toml allow today. Needs uv and the network.
lock:
	uv pip compile pyproject.toml --group pyproject.toml:dev --universal --python-version 3.11 --upgrade \
	  --generate-hashes --no-emit-index-url --no-annotate --no-header --quiet --output-file requirements.lock

clean:
	rm -rf .venv headwater-demo target logs dist .*_cache .hypothesis
	find . -name __pycache__ -prune -exec rm -rf {} +
