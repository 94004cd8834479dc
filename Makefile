SHELL := /bin/sh
.DEFAULT_GOAL := help
VENV := .venv
PYTHON ?= python3
BIN := $(VENV)/bin
# modules come from here and from the environment, whatever lies where this is called
OURS = PYTHONPATH="$(CURDIR)" $(BIN)/python -P
READY := $(VENV)/.ready
TOOLS := $(VENV)/.tools
PORT ?= 8080
VAR ?= var
WORKERS ?= 3
RESOLVE = $(BIN)/uv pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes \
  --no-emit-index-url --no-emit-find-links --custom-compile-command "make lock" --quiet $(if $(UPGRADE),--upgrade)
CODE := chassis contracts semantics rulebook people_kernel services gateway deployment embedded backup cli demo bench tests

# a variable that is nearly one of ours would be taken in silence
GIVEN := $(foreach word,$(MAKEOVERRIDES),$(if $(findstring =,$(word)),'$(firstword $(subst =, ,$(word)))'))
SLIPS := $(if $(GIVEN),$(shell $(PYTHON) deployment/make_variables.py $(GIVEN)))
$(if $(SLIPS),$(error $(SLIPS)))

help: ## Say what can be made
	@awk 'BEGIN {FS = ":.*## "} /^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

# what it takes to run the suite here; what it takes to work on it comes on top
$(READY): requirements-embedded.lock
	@$(PYTHON) -I -c 'import sys; sys.exit("Rapport needs Python 3.11 or newer; set PYTHON=python3.12, for instance" if sys.version_info < (3, 11) else 0)'
	$(PYTHON) -P -m venv $(VENV)
	$(BIN)/python -P -m pip install --quiet --require-hashes --requirement requirements-embedded.lock
	@touch $(READY)

$(TOOLS): $(READY) requirements-dev.lock
	$(BIN)/python -P -m pip install --quiet --require-hashes --requirement requirements-dev.lock
	@touch $(TOOLS)

setup: $(READY) ## Make the virtual environment from the lock file

up: $(READY) ## Run the whole suite here (PORT=8080, NATS_PORT=, BASE_PORT=, DATABASE=postgresql://..., LANES=; DETACH=1 returns when it is ready; FORK=0 starts an interpreter for each process)
	@$(OURS) -m embedded.up --port $(PORT) --var $(VAR) $(if $(LANES),--lanes $(LANES)) $(if $(DETACH),--detach) $(if $(filter 0,$(FORK)),--exec)

demo: $(READY) ## Send an invented market through the suite and show what came of it (PEOPLE=300, SEED=kestrel)
	@$(OURS) -m demo --port $(PORT) --var $(VAR) $(if $(PEOPLE),--people $(PEOPLE)) $(if $(SEED),--seed $(SEED))

down: $(READY) ## Stop the suite, however it was started
	@$(OURS) -m embedded.down --var $(VAR)

test: check ## Set up and run everything CI runs

check: $(TOOLS) lint types walls contracts-check advisories tests ## The same, step by step: style, types, walls, contracts, known holes, tests

lint: $(TOOLS) ## Style
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(TOOLS) ## Types
	$(BIN)/mypy $(CODE)

walls: $(TOOLS) ## Who may import whom
	$(BIN)/lint-imports

advisories: $(TOOLS) ## Is a hole known in what we depend on? Says NOT LOOKED UP where nobody can be asked (STRICT=1 fails then)
	@$(OURS) -m tests.support.advisories $(if $(STRICT),--strict)

contracts-check: $(TOOLS) ## Are the committed contracts those of the code?
	$(OURS) -m contracts.export --check
	$(OURS) -m chassis.problem_catalogue --check
	$(OURS) -m chassis.openapi --check
	$(OURS) -m gateway.access.page --check
	$(OURS) -m deployment.settings_page --check
	$(OURS) -m deployment.dashboard --check
	$(OURS) -m deployment.kubernetes --check

tests: $(TOOLS) ## The tests alone, three at a time because many wait (quick loop: ARGS="-m 'not slow'")
	$(BIN)/python -P -m pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder -m "not platform" $(ARGS)

test-platform: $(TOOLS) ## What takes minutes each: shards, upgrades, compose, Kubernetes, PostgreSQL restored (after make tools; RAPPORT_CONTAINERS for compose)
	$(BIN)/python -P -m pytest -n 2 --dist loadfile --no-loadscope-reorder -m platform $(ARGS)

contracts: $(TOOLS) ## Write what follows from the code: OpenAPI, AsyncAPI, JSON Schema, golden examples, settings, dashboard, manifests
	$(OURS) -m contracts.export
	$(OURS) -m chassis.problem_catalogue
	$(OURS) -m chassis.openapi
	$(OURS) -m gateway.access.page
	$(OURS) -m deployment.settings_page
	$(OURS) -m deployment.dashboard
	$(OURS) -m deployment.kubernetes
	$(OURS) -m deployment.compose_files

bench: $(TOOLS) ## Measure in pairs, beside ceilings and another commit (AGAINST=commit, SCENES="web new", FAIL=1)
	$(OURS) -m bench $(if $(AGAINST),--against $(AGAINST)) $(if $(SCENES),--scenes $(SCENES)) $(if $(FAIL),--fail-on-regression)

tools: $(TOOLS) ## Fetch what the checks of k8s/ need: kustomize, an API server, schemas (Go 1.26; some minutes)
	$(OURS) -m tests.support.kubernetes_tools

format: $(TOOLS) ## Put the code into shape
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

lock: $(TOOLS) ## Resolve the dependencies anew: of the images, of `make up`, of development
	$(RESOLVE) --output-file requirements.lock
	$(RESOLVE) --constraint requirements.lock --extra embedded --output-file requirements-embedded.lock
	$(RESOLVE) --constraint requirements-embedded.lock --extra embedded --extra dev --output-file requirements-dev.lock

clean: ## Forget the virtual environment and caches (var/ stays)
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

.PHONY: help setup up demo down tools test-platform test check lint types walls contracts-check advisories tests contracts bench format lock clean
