# Every target works from a fresh clone: each begins with `setup`, which does nothing when it is up to date.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
WEB := services/metrics/web
DEMO_DIR ?= .warroom/demo
DEMO_PORT ?= 8080
DEMO_KAFKA_PORT ?= 19092
# Options of `make bench`, e.g. BENCH="--broker embedded --runs 1"; docs/benchmarks.md has them.
BENCH ?=

.PHONY: setup demo test test-system bench lint format lock generate screenshot clean

setup: $(VENV)/.setup-stamp

$(VENV)/.packages-stamp: requirements.lock pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	touch $@

# What ingest would compile at its first start.
$(VENV)/.compiled-stamp: $(VENV)/.packages-stamp $(wildcard services/ingest/scan/*.py) services/ingest/bloom.py
	$(BIN)/python -m services.ingest.scan
	touch $@

# The page is built by the npm on the path or, where there is none, by the Node.js that PyPI ships.
$(VENV)/.setup-stamp: $(VENV)/.compiled-stamp scripts/build_page.py $(shell find $(WEB) -type f -not -path '*/node_modules/*' -not -path '*/dist/*' 2>/dev/null)
	$(BIN)/python scripts/build_page.py
	touch $@

lint: setup
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

format: setup
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

test: setup
	$(BIN)/pytest

test-system: setup
	$(BIN)/pytest -m system

bench: setup
	$(BIN)/python -m tests.bench $(BENCH)

# Writes the JSON Schemas, the AsyncAPI and OpenAPI documents and the metric reference from the models, Grafana's
# dashboards, and the page's types from the OpenAPI document.
generate: $(VENV)/.packages-stamp
	$(BIN)/warroom schemas generate
	$(BIN)/python -m scripts.grafana
	$(BIN)/python -m scripts.cluster_rights
	$(BIN)/python scripts/build_page.py --run types

# What images hold, at the versions that are tested: docs/compose.md.
lock: IMAGE_LOCK = $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	--no-header --constraint requirements.lock
lock:
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header \
		--extra embedded --extra replay --extra dev --extra tracing pyproject.toml -o requirements.lock
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header \
		tests/bench/peers/requirements.in -o tests/bench/peers/requirements.lock
	$(IMAGE_LOCK) --extra tracing pyproject.toml -o deploy/image/runtime.lock
	$(IMAGE_LOCK) --extra tracing --extra replay pyproject.toml -o deploy/image/demo.lock
	$(IMAGE_LOCK) deploy/image/build.in -o deploy/image/build.lock

demo: setup
	$(BIN)/warroom demo --data-dir $(DEMO_DIR) --http-port $(DEMO_PORT) --kafka-port $(DEMO_KAFKA_PORT)

# Pictures for docs/images, of a festival of its own; scripts/screenshot.py takes one of a system that runs.
screenshot: setup
	$(BIN)/python -m tests.page.pictures

clean:
	rm -rf $(VENV) .venv-bench .warroom $(WEB)/node_modules $(WEB)/dist
