# The only way in: every task is a target here, and each works on a machine where nothing is installed yet.
# Variables: ONCE=1 (demo stops after its report)  DATA=folder (of the demo)  TESTS=regex (only these tests)
#            JOB=name PEERS=1 (of bench)  ALL=1 (lint all files)  FUZZ_SECONDS=n (for each fuzzer)  VOLAN_CACHE=folder (downloads, llama-server)
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.ONESHELL:
.DELETE_ON_ERROR:
MAKEFLAGS += --no-print-directory
.DEFAULT_GOAL := help

export VOLAN_CACHE ?= $(HOME)/.cache/volan
export PATH := $(VOLAN_CACHE)/node/bin:$(PATH)

DATA ?= examples/llm_twin/.volan
FUZZ_SECONDS ?= 60
JOBS := $(shell nproc)
WEB_SOURCES := $(shell [ -f web/package.json ] && find web -name node_modules -prune -o -type f -print)
WEB_BUILT := $(if $(WEB_SOURCES),build/web/index.html)

.PHONY: help setup build demo test bench lint fmt fuzz clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-7s %s\n", $$1, $$2}' Makefile

setup: ## install and fetch what is missing (idempotent, under a second when nothing is)
	@tools/setup/setup

build: setup $(WEB_BUILT) build/build.ninja ## build the program: build/volan
	@tools/setup/compile build volan

demo: build ## run the LLM Twin loop on real documents, print the report, go on serving (ONCE=1: stop)
	@build/volan demo --project examples/llm_twin --data "$(DATA)" $(if $(ONCE),--once)

test: build ## build everything and run every test (TESTS=regex: only these)
	@tools/setup/compile build
	ctest --test-dir build --output-on-failure --no-tests=error -j $(JOBS) $(if $(TESTS),-R '$(TESTS)')

bench: build ## measure (JOB=name: only this; PEERS=1: other gateways beside it)
	@tools/setup/setup bench
	tools/bench/run $(if $(JOB),--job "$(JOB)") $(if $(PEERS),--peers)

lint: build ## check format, clang-tidy (changed files; ALL=1: all), the project's own rules, the web UI
	@tools/setup/setup lint
	tools/lint/run check $(if $(ALL),all)

fmt: ## repair the format of all C++ and web files
	@tools/setup/setup fmt
	tools/lint/run fix

fuzz: setup ## run every fuzzer for FUZZ_SECONDS (default 60)
	@tools/setup/setup fuzz
	cmake -S . -B build-fuzz -G Ninja -DVOLAN_FUZZ=ON -DVOLAN_TESTS=OFF -DVOLAN_CACHE="$(VOLAN_CACHE)" \
	  -DCMAKE_C_COMPILER=clang-19 -DCMAKE_CXX_COMPILER=clang++-19 >build-fuzz.log 2>&1 || { cat build-fuzz.log; exit 1; }
	rm -f build-fuzz.log
	mapfile -t fuzzers < <(ninja -C build-fuzz -t targets all | sed -nE 's/^(volan_[a-z0-9_]+_fuzz): CXX_EXECUTABLE.*/\1/p')
	[ $${#fuzzers[@]} -gt 0 ] || { echo 'no module has a fuzzer'; exit 1; }
	tools/setup/compile build-fuzz "$${fuzzers[@]}"
	for name in "$${fuzzers[@]}"; do
	  fuzzer=build-fuzz/$$name
	  echo "== $$name, $(FUZZ_SECONDS) s"
	  mkdir -p "build-fuzz/corpus/$$name"
	  "$$fuzzer" -max_total_time=$(FUZZ_SECONDS) -print_final_stats=1 -artifact_prefix="build-fuzz/$$name." "build-fuzz/corpus/$$name"
	done

clean: ## delete what was built here; the cache folder stays
	@rm -rf build build-*

# Only the first configuration is ours: afterwards ninja itself runs CMake when one of its inputs changed.
build/build.ninja: | setup $(WEB_BUILT)
	@mkdir -p build
	echo 'configuring build/'
	cmake -S . -B build -G Ninja -DCMAKE_BUILD_TYPE=RelWithDebInfo -DVOLAN_CACHE="$(VOLAN_CACHE)" >build/configure.log 2>&1 || { tail -n 40 build/configure.log; exit 1; }

build/web/index.html: $(WEB_SOURCES) | setup
	@echo 'building the web UI'
	(cd web && npm run --silent build)
	[ -f $@ ] || { echo 'the web build left no build/web/index.html'; exit 1; }
	touch $@
