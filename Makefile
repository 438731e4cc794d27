# The one entry point: each job is a line that you could type yourself. `make` lists them.
.DEFAULT_GOAL := help
.PHONY: help install build run test unit golden sim check format e2e crash bench docs clean
SHELL := /bin/bash
PYTHON := .build/python/bin/python
CYCLES ?= 20

install: ## install what is missing: Debian packages; llhttp into /usr/local
	Scripts/install

build: install ## the release binary, .build/release/holdfast
	swift build --configuration release --static-swift-stdlib --product holdfast

run: build ## the sign-up example, driven through kill -9; then everything stays up (ONCE=1: ends by itself)
	Scripts/python-env
	$(PYTHON) Scripts/run-example

test: install check unit build e2e crash ## everything that CI runs
	@echo "All tests passed."

unit: install ## the Swift tests of all layers (FILTER=name for some)
	Scripts/python-env
	swift build --build-tests -Xswiftc -warnings-as-errors
	Scripts/unit $(FILTER)

golden: ## rewrite what the engine's scripts expect; review the difference like code
	GOLDEN=1 swift test --filter ConversationTests

sim: ## simulated runs: SEED=n (1), COUNT=n (100), STEPS=n (1500), FROM=step prints from there on
	swift run --configuration release Simulator --seed $(or $(SEED),1) --count $(or $(COUNT),100) \
	    --steps $(or $(STEPS),1500) $(if $(FROM),--print-from $(FROM))

check: install ## formatting
	swift format lint --strict --recursive Package.swift Sources Tests Benchmarks

format: ## put all Swift files into the house format
	swift format format --in-place --recursive Package.swift Sources Tests Benchmarks

e2e: build ## the real Python SDK, and recorded SDKs, against the real binary (FILTER=name for some)
	Scripts/python-env
	$(PYTHON) Tests/Recorded/run.py $(if $(FILTER),--filter $(FILTER))
	$(PYTHON) Tests/EndToEnd/run.py $(if $(FILTER),--filter $(FILTER))

crash: build ## kill -9 of the server under load, CYCLES times (20); SEED=n repeats a run
	Scripts/python-env
	$(PYTHON) Tests/Crash/run.py --cycles $(CYCLES) $(if $(SEED),--seed $(SEED))

bench: build ## measures speed; prints JSON, then a table
	Scripts/bench

docs: build ## rewrite the generated part of docs/configuration.md
	Scripts/docs

clean: ## remove everything that was built
	rm -rf .build

help: ## (default) this list
	@sed -n 's/^\([a-z0-9]*\):.*## /  make \1\t/p' Makefile | expand --tabs=18
