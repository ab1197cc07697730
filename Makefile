# weir: the verbs. Each installs what it misses (tools/deps), then builds with Meson under build/.
#
#   make run         build and serve on 127.0.0.1:4000 with examples/config.yaml
#   make build       the release binary, build/weir
#   make test        everything but the long suites, with sanitizers; at most 10 minutes
#   make test-long   fuzzing, soak and the other long suites; at most 30 minutes
#                    (WEIR_FUZZ_SECONDS=600 SUITES=fuzz: random seeds, so long a target)
#   make bench       the benchmarks
#   make soak        one long load run (SOAK_SECONDS=600)
#   make format      rewrite the C files with clang-format
#   make lint        format, clang-tidy, cppcheck, and the checks of tools/
#   make deps        install everything that the verbs above need
#   make clean       remove the build folders (build/deps, build/venv, build/tools stay)

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:

HOST ?= 127.0.0.1
PORT ?= 4000
CONFIG ?= examples/config.yaml
DATA ?= build/data
SOAK_SECONDS ?= 600
SUITES ?=

.PHONY: help deps run build test test-long bench soak format lint clean

help:
	@sed -n 's/^# \{0,1\}//p' Makefile | sed -n '1,/^$$/!p' | sed '/^$$/q'

deps:
	@tools/deps

build:
	@tools/deps build
	@tools/build release

run: build
	@mkdir -p $(DATA)
	@exec build/weir --config $(CONFIG) --host $(HOST) --port $(PORT) --data $(DATA)

test:
	@tools/deps build test
	@tests/run --kind short $(if $(SUITES),--suites $(SUITES))

test-long:
	@tools/deps build test long clients
	@tests/run --kind long $(if $(SUITES),--suites $(SUITES))

bench:
	@tools/deps build test bench
	@tools/build bench
	@tests/bench/run

soak:
	@tools/deps build test
	@tools/build bench
	@tests/bench/soak --seconds $(SOAK_SECONDS)

format:
	@tools/deps lint
	@tools/lint format --fix

lint:
	@tools/deps build test long lint
	@tools/lint

clean:
	@rm -rf build/release build/asan build/tsan build/fuzz build/clang build/bench build/weir build/test-report.txt
