# The verbs of this project. A fresh clone needs Python 3.11 or newer, nothing else.
PYTHON ?= python3
BIN = .venv/bin

.PHONY: help setup demo kafka test faults faults-long check bench lock format schemas

help: ## Show these lines
	@sed -n 's/^\([a-z-]*\):.*## /  make \1\t/p' $(MAKEFILE_LIST) | expand -t 16

setup: .venv/stamp ## Make .venv with all dependencies and the command yizhan

.venv/stamp: requirements.lock
	@$(PYTHON) -c 'import sys, ensurepip, venv; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || \
	  { echo "This needs Python 3.11 or newer with its venv module (on Debian: python3-venv)," \
	         "and $(PYTHON) is not that; name another with: make PYTHON=/path/to/python3" >&2; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation -e .
	@touch $@

demo: setup ## Run everything with a sample province and live traffic (YIZHAN_PORT moves it from 8000)
	@exec $(BIN)/yizhan demo --port $${YIZHAN_PORT:-8000}

kafka: .kafka/stamp ## Fetch the jars of a real Apache Kafka into .kafka/lib

.kafka/stamp: deploy/kafka/pom.xml
	@command -v java >/dev/null && command -v mvn >/dev/null || \
	  { echo "A real Kafka needs java and mvn, and one of them is missing; all else works without." >&2; exit 1; }
	mvn --quiet --batch-mode -Dstyle.color=never --file $< dependency:copy-dependencies \
	  -DincludeScope=runtime -DoutputDirectory=$(CURDIR)/.kafka/lib >&2
	@touch $@

test: setup ## Run the tests; those that need Kafka or Chromium are skipped where it is missing
	@$(MAKE) --silent kafka || true
	@$(BIN)/pytest

# ONLY names one test, as a failing one prints it with its seed.
ONLY ?= tests/faults tests/simulation
# What else must be there: without it, what cannot be shown here is named at the end.
ALSO ?=
faults: setup kafka ## Break things on purpose, under load, for 40 minutes; and 8,000 simulated runs
	@YIZHAN_REQUIRE="kafka browser faults $(ALSO)" YIZHAN_SEEDS=$${YIZHAN_SEEDS:-8000} $(BIN)/pytest $(ONLY)

faults-long: setup ## The same with every figure in full, as root, and 30,000 simulated runs
	@YIZHAN_FAULTS=long YIZHAN_SEEDS=$${YIZHAN_SEEDS:-30000} $(MAKE) --silent faults ALSO=disks

check: setup ## Check format, lint, types and imports, then run the tests
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/mypy --strict
	$(BIN)/lint-imports
	@$(MAKE) --silent test

bench: setup ## Measure
	@$(BIN)/python -m bench

lock: setup ## Pin the dependencies anew in requirements.lock (UPGRADE=--upgrade takes the newest)
	$(BIN)/uv pip compile pyproject.toml --extra dev --universal --python-version 3.11 \
	  --generate-hashes --no-annotate --no-header --quiet $(UPGRADE) --output-file requirements.lock

format: setup ## Format the code and mend what ruff can mend by itself
	$(BIN)/ruff format
	$(BIN)/ruff check --fix

schemas: setup ## Write schemas/json anew from the models (RELEASE=--release: also as the baseline)
	$(BIN)/python -m deploy.contract $(RELEASE)
