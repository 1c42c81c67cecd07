# Every target works in a fresh clone: it makes .venv and installs into it first.

PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/pip install -q -c constraints.txt
BENCH := $(BIN)/python -m shoplake_assets_tests.benchmarks
MEASURED := docs/measurements

.DEFAULT_GOAL := help
.PHONY: help install up test unit lint format docs screenshots bench bench-capacity bench-checks bench-drain \
  bench-planning bench-profile bench-rate bench-reading bench-refresh bench-start bench-verify faults soak constraints jars-lock audit sbom scan clean

help: ## Show the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

# Installed once; again when what is to be installed has changed.
.venv/installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(PIP) -e '.[dev]'
	@touch $@

install: .venv/installed ## Make .venv with the project and all tools for its developers

up: .venv/installed ## Start the lake; Ctrl-C stops it
	$(BIN)/shoplake up

test: .venv/installed ## Run all tests, with a real broker and a real Spark
	$(BIN)/pytest

unit: .venv/installed ## Run the tests that need neither broker nor Spark; they take seconds
	$(BIN)/pytest -m 'not spark and not product'

lint: .venv/installed ## Check style, types and that the generated pages are current
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/mypy docs/generate.py docs/scaling.py docs/scaling_page.py docs/benchmarks_page.py
	$(BIN)/mypy .ci/audit.py .ci/sbom.py
	$(BIN)/python docs/generate.py --check

format: .venv/installed ## Bring the code into its form
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

docs: .venv/installed ## Write settings.md and tables.md from the code, SCALING.md and BENCHMARKS.md from what was measured
	$(BIN)/python docs/generate.py

screenshots: .venv/installed ## Take the README's pictures from the lake that is up; needs Chromium
	$(BIN)/python -m shoplake_assets_tests.screenshots

bench-checks: .venv/installed ## Measure what the checks of a refresh cost, by turns with and without them
	$(BENCH).validation_cost --events 100000 --rounds 5

faults: .venv/installed ## Kill every part of a lake of its own under traffic, 100 times, and account for each event
	$(BIN)/python -m shoplake_assets_tests.faults --kills 100 --report docs/faults.md

soak: .venv/installed ## Watch for an hour what a lake with maintenance piles up, and whether it stays fast
	$(BENCH).soak --minutes 60 --rate 200

bench-verify: .venv/installed ## Measure the quick verification of a lake of 1,000 files
	$(BENCH).quick_verify

bench-capacity: .venv/installed ## Measure what an event costs from Kafka to Gold; docs/SCALING.md is made from it
	$(BENCH).capacity --json $(MEASURED)/capacity.json
	$(BIN)/python docs/generate.py

bench-planning: .venv/installed ## Measure planning on lakes of up to a million files, in metadata alone
	$(BENCH).planning --files 1000 --files 10000 --files 100000 \
	  --files 1000000 --commits 4000 --commits 40000 --json $(MEASURED)/planning.json
	$(BIN)/python docs/generate.py

bench: .venv/installed ## Measure from the producer to Gold at 200 and 5,000 events a second, and where the seconds go
	$(BENCH).latency --rate 200 --rate 5000 --commits 40 --json $(MEASURED)/latency.json

bench-drain: .venv/installed ## Measure from Kafka into Iceberg, by turns with Flink, Kafka Connect and Python
	$(BENCH).drain --events 5000000 --rounds 3 --json $(MEASURED)/drain.json

bench-refresh: .venv/installed ## Measure a refresh in lakes of 1, 5 and 20 million events, beside classic batch jobs
	$(BENCH).refresh_cost --rounds 5 --classic 1 --json $(MEASURED)/refresh_cost.json

bench-rate: .venv/installed ## Find the events a second for which the stream keeps its interval for ten minutes
	$(BENCH).sustained --minutes 10 --start 30000 --json $(MEASURED)/sustained.json

bench-start: .venv/installed ## Measure from `shoplake up` to ready and to Gold, and the memory of every process
	$(BENCH).start --rounds 3 --minutes 3 --json $(MEASURED)/start.json

bench-reading: .venv/installed ## Measure the dashboard on a lake of 20 million events
	$(BENCH).reading --events 20000000 --json $(MEASURED)/reading.json

bench-profile: .venv/installed ## Show what the processors do in the ingest and in refreshes; needs a JDK
	$(BENCH).profiling --json $(MEASURED)/profile.json

# With nothing but uv: new bounds need not fit the old pins.
.venv/bin/uv:
	$(PYTHON) -m venv .venv
	$(PIP) uv

constraints: .venv/bin/uv ## Write constraints.txt for pyproject.toml; pins that still fit stay (UPGRADE=1: newest)
	$(BIN)/uv pip compile pyproject.toml --extra dev --extra kubernetes --universal --python-version 3.11 --system-certs \
	  --annotation-style line --custom-compile-command 'make constraints' $(if $(UPGRADE),--upgrade) -q \
	  -o constraints.txt

jars-lock: .venv/installed ## Resolve the jars anew and write their lock
	$(BIN)/python -m shoplake_assets.runtime.jars lock

audit: .venv/installed ## Ask whether a pinned package has a known vulnerability, where the service can be asked
	$(BIN)/python .ci/audit.py

sbom: .venv/installed ## Write dist/sbom.cdx.json: every package and jar that is shipped, as CycloneDX
	$(BIN)/python .ci/sbom.py

scan: sbom ## Scan what is shipped, or IMAGE=name, with grype or trivy if one is installed
	.ci/scan.sh

clean: ## Remove what tools have left in the checkout; no lake is touched
	rm -rf build dist .mypy_cache .pytest_cache .ruff_cache .hypothesis
	find shoplake_assets shoplake_assets_tests docs -name __pycache__ -prune -exec rm -r {} +
