# The door of this repository. `make` prints what there is.

LOCAL_STACK := Tests/LocalStack
PYTHON := PYTHONPATH=$(LOCAL_STACK) PYTHONDONTWRITEBYTECODE=1 .local/venv/bin/python
STACK := $(PYTHON) -m stack
FAILURES_LAST := $(PYTHON) $(LOCAL_STACK)/failures_last.py
SOURCES := Package.swift Services Shared Tests
# Refuses an import that Package.swift does not declare.
ARROWS := --explicit-target-dependency-import-check error
TEST_SECONDS_MAX := 1800
# Tests at once. All of them together would starve one another of the deadlines they test.
TEST_WIDTH := 3
# The same each time, unless others are given: what `make soak` finds is not to stop a change that has
# nothing to do with it.
SEEDS = FUZZ_SEED=$${FUZZ_SEED:-1} SOAK_SEED=$${SOAK_SEED:-1}
SOAK_TESTS := SoakTests|FuzzTests|DamagedDocumentTests
SOAK_SECONDS_MAX := 4500

# The names given on make's command line, as opposed to those inherited from the shell.
GIVEN := $(strip $(foreach name,$(.VARIABLES),$(if $(findstring command line,$(origin $(name))),$(name))))
export LOCAL_STACK_ARGUMENTS := $(GIVEN)
# The option $(1) with the argument's value $(2), if that was given.
option = $(if $(filter $(2),$(GIVEN)),--$(1) "$$$(2)")

# A pipe fails where one of its commands does.
SHELL := /bin/bash
.SHELLFLAGS := -o pipefail -c

MAKEFLAGS += --no-print-directory
.DEFAULT_GOAL := help
.PHONY: help run test soak eval bench token env stop clean-state lint format

help: ## prints this
	@echo "make …"
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: ## installs, builds and starts everything; the gateway on port PORT (8000); Ctrl-C stops it
	@echo "make run: starting takes seconds; before that it will"
	@$(LOCAL_STACK)/install plan run | grep . || echo "  install, download and build nothing"
	@$(LOCAL_STACK)/install run
	@$(STACK) run

test: ## installs what is missing and runs all tests beside a running stack, on free ports
	@echo "make test: 20 to 40 minutes the first time, 10 to 15 later; before that it will"
	@$(LOCAL_STACK)/install plan test | grep . || echo "  install and download nothing"
	@$(LOCAL_STACK)/install test
	swift build --build-tests $(ARROWS)
	@failed=0; \
	echo "== local stack"; \
	(cd $(LOCAL_STACK) && PYTHONDONTWRITEBYTECODE=1 timeout 300 \
	    ../../.local/venv/bin/python -W ignore -m unittest discover -t . -s tests) || failed=1; \
	echo "== lint"; $(MAKE) lint-sources || failed=1; \
	echo "== swift test"; \
	$(STACK) test -- timeout $(TEST_SECONDS_MAX) \
	    env SWT_EXPERIMENTAL_MAXIMUM_PARALLELIZATION_WIDTH=$(TEST_WIDTH) $(SEEDS) \
	    stdbuf -oL swift test --skip-build --disable-xctest 2>&1 | $(FAILURES_LAST) || failed=1; \
	exit $$failed

soak: ## breaks parts at random and feeds damaged input, up to 75 minutes; SOAK_DOCUMENTS=200 FUZZ_RUNS=3000
	@echo "make soak: about 45 minutes once all is built; SOAK=ReindexSoakTests runs one of them; SOAK_SEED, FUZZ_SEED repeat a run"
	@$(LOCAL_STACK)/install test
	swift build --build-tests $(ARROWS)
	@HOSTILE_MB=$${HOSTILE_MB:-100} SOAK_DOCUMENTS=$${SOAK_DOCUMENTS:-200} SOAK_QUESTIONS=$${SOAK_QUESTIONS:-60} \
	SOAK_CUTS=$${SOAK_CUTS:-2000} SOAK_CHUNKS=$${SOAK_CHUNKS:-20000} SOAK_KILLS=$${SOAK_KILLS:-60} \
	SOAK_SYNC_KILLS=$${SOAK_SYNC_KILLS:-100} SOAK_POINTS=$${SOAK_POINTS:-1000000} SOAK_FILES=$${SOAK_FILES:-20000} \
	SOAK_SECONDS=$${SOAK_SECONDS:-480} FUZZ_RUNS=$${FUZZ_RUNS:-3000} \
	$(STACK) test -- timeout $(SOAK_SECONDS_MAX) \
	    env SWT_EXPERIMENTAL_MAXIMUM_PARALLELIZATION_WIDTH=1 \
	    stdbuf -oL swift test --skip-build --disable-xctest --filter '$(or $(SOAK),$(SOAK_TESTS))' 2>&1 \
	    | $(FAILURES_LAST)

bench: ## measures beside peers on the release build, 10 minutes; ONLY=gateway,queue for some sections
	@echo "make bench: up to 10 minutes of measuring; before that it will"
	@$(LOCAL_STACK)/install plan bench | grep . || echo "  install and download nothing, build what has changed"
	@$(LOCAL_STACK)/install bench
	@$(PYTHON) -m bench $(call option,only,ONLY) $(call option,binaries,BINARIES)

eval: ## measures what retrieval finds in the sample pages; CRANFIELD=folder adds that; TUNE=1, MISSES=1
	@echo "make eval: 2 minutes once all is built; CRANFIELD embeds for 15 the first time" >&2
	@$(LOCAL_STACK)/install run
	swift build $(ARROWS)
	@$(PYTHON) -m evaluation $(call option,cranfield,CRANFIELD) $(if $(TUNE),--tune) $(if $(MISSES),--misses)

token: ## prints a token of the running stack: SUB=alice EMAIL= NAME= GROUP=admins CLAIMS='{"exp": 1}'
	@$(STACK) token $(call option,subject,SUB) $(call option,email,EMAIL) \
	    $(call option,name,NAME) $(call option,group,GROUP) $(call option,claims,CLAIMS)

env: ## prints the running stack's settings as export lines
	@$(STACK) env

stop: ## stops the running stack, or what a killed one has left
	@$(STACK) stop

clean-state: ## forgets all that the local stack has stored
	@$(STACK) clean-state

lint: lint-sources ## checks format, house rules and which module may import which
	swift build --build-tests $(ARROWS)

.PHONY: lint-sources
lint-sources:
	@swift format lint --strict --parallel --recursive $(SOURCES)
	@python3 $(LOCAL_STACK)/house_rules.py

format: ## formats all sources
	@swift format --in-place --parallel --recursive $(SOURCES)
