# Every target sets up what it needs; nothing has to be installed by hand but Python 3.11 or later, make and git.
SHELL := /bin/bash
unexport PYTHONDONTWRITEBYTECODE
.DEFAULT_GOAL := help
PYTHON ?= $(shell for p in python3.13 python3.12 python3.11 python3; do $$p -c 'import sys, venv; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
BIN := .venv/bin
READY := .venv/.ready

.PHONY: help run test check format cover bench faults fuzz docs clean extension

help: ## Shows this list
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## (.*)/  make \1\t\2/' | expand -t 16

# What runs programs; tests and checks need more, which takes a while.
.venv/.installed: pyproject.toml
	@test -n "$(PYTHON)" || { echo "Python 3.11 or later is needed (with the venv module)"; exit 1; }
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --upgrade pip
	$(BIN)/pip install --quiet --editable .
	@touch $@

$(READY): .venv/.installed
	$(BIN)/pip install --quiet --editable . --group dev
	@touch $@

run: .venv/.installed ## Serves examples/bookshop on 127.0.0.1:8080
	$(BIN)/codeai server examples/bookshop

.venv/.services: scripts/install-services
	scripts/install-services
	@mkdir -p .venv && touch $@

test: $(READY) .venv/.services ## Runs all tests, with real servers
	$(BIN)/pytest -n 4 --dist loadgroup

check: $(READY) ## Checks style, types and import directions
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(READY) ## Formats the code
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

cover: $(READY) .venv/.services ## Runs the tests and says what they do not reach
	@mkdir -p .coverage
	$(BIN)/coverage run -m pytest -n 4 --dist loadgroup
	$(BIN)/coverage combine --quiet
	$(BIN)/coverage report

.venv/.bench: $(READY) .venv/.services
	scripts/install-services wrk
	$(BIN)/pip install --quiet --group bench
	@touch $@

faults: $(READY) .venv/.services ## Tries all faults at length: a thousand kills, five minutes of each fault that comes and goes
	FAULTS=all FAULTS_KILLS=$${FAULTS_KILLS:-1000} FAULTS_SECONDS=$${FAULTS_SECONDS:-300} $(BIN)/pytest -s -v tests/faults tests/durable/test_backlog.py tests/durable/test_waiting_costs.py

fuzz: $(READY) ## Fuzzes programs, queries, requests, connections, tokens and signatures, a minute each, and what the formatter has to leave as it is
	@$(BIN)/python -c "import atheris" 2>/dev/null || { echo "skipped: atheris has no wheel for this Python"; exit 0; }; \
	for target in program query http connection token signature format; do \
	  $(BIN)/python tests/fuzz/target.py $$target .venv/fuzz/$$target -max_total_time=$${FUZZ_SECONDS:-60} -max_len=1500 -timeout=20 || exit 1; \
	done

bench: .venv/.bench ## Measures ours beside the floor and the peers (QUIETLY=COMMAND runs each part by it)
	@for part in $$($(BIN)/python benchmarks/run.py --parts); do $(QUIETLY) $(BIN)/python benchmarks/run.py --part $$part || exit 1; done
	@$(BIN)/python benchmarks/run.py --write

docs: $(READY) ## Checks the samples of the manual
	$(BIN)/pytest tests/docs

extension: ## Builds the extension of Visual Studio Code (needs Node.js 20)
	cd editors/vscode && npm ci --no-audit --no-fund && npm run package

clean: ## Removes what the other targets made
	rm -rf .venv build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .coverage htmlcov .codeai examples/*/.codeai
