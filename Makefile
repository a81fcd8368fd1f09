# Every verb of the project; `make` alone lists them. Details: CONTRIBUTING.md.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.NOTPARALLEL:
MAKEFLAGS += --no-print-directory

PREFIX ?= /usr/local
SYSCONFDIR ?= /etc
DESTDIR ?=

SWIFT := scripts/swift
# The program ships as one file; tests run in debug (docs/decisions/0004-build-modes.md).
PROGRAM_FLAGS := -c release --static-swift-stdlib --explicit-target-dependency-import-check error
TEST_FLAGS := --explicit-target-dependency-import-check error
export PROGRAM_FLAGS TEST_FLAGS
PROGRAM := .build/release/diskless

.PHONY: help build demo test e2e check format bench fuzz install uninstall clean \
        deps-build deps-run deps-lab deps-test deps toolchain node

help: ## list these verbs
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

build: toolchain deps-build node ## compile the program (release, Swift's libraries linked in) and the programs for nodes
	$(SWIFT) build $(PROGRAM_FLAGS) --product diskless

demo: toolchain deps-build deps-run deps-lab build ## boot a virtual computer without a disk, up to its login prompt
	@scripts/demo $(PROGRAM)

test: toolchain deps ## every test: units, captures, fuzzing for a while, other programs, virtual nodes
	@scripts/test all

e2e: toolchain deps ## only the tests that boot virtual nodes: every firmware with every loader
	@scripts/test end-to-end

check: toolchain deps-build deps-test ## format, lint, layers, file sizes, forbidden words, shell scripts, warnings
	@scripts/check

format: toolchain ## rewrite the Swift sources in the project's format
	$(SWIFT) format -i -r -p Sources Tests Package.swift $(wildcard Fuzz/Sources/Fuzz Fuzz/Package.swift Benchmarks/Sources Benchmarks/Package.swift)

bench: toolchain deps build ## measure the data planes against their peers (as root)
	@scripts/install-packages bench
	@DISKLESS="$(CURDIR)/$(PROGRAM)" Benchmarks/run

SECONDS_PER_TARGET ?= 300
fuzz: toolchain deps-build ## fuzz every decoder, SECONDS_PER_TARGET=300 each; TARGETS="dhcp tftp" chooses
	@scripts/fuzz "$(SECONDS_PER_TARGET)" $(TARGETS)

install: deps-run ## install under DESTDIR/PREFIX: program, systemd unit, configuration, man pages, completions
	@[ -x $(PROGRAM) ] || $(MAKE) build
	@scripts/install install "$(PROGRAM)" "$(DESTDIR)" "$(PREFIX)" "$(SYSCONFDIR)"

uninstall: ## remove what install installed; configuration and state stay
	@scripts/install uninstall "$(PROGRAM)" "$(DESTDIR)" "$(PREFIX)" "$(SYSCONFDIR)"

clean: ## remove what was built, the demo's image too
	rm -rf .build build Fuzz/.build Benchmarks/.build
	@[ ! -f node/Makefile ] || $(MAKE) -C node clean

deps: deps-build deps-run deps-lab deps-test ## install every package that the verbs need

deps-build deps-run deps-lab deps-test: deps-%: ## one set: deps-build, deps-run, deps-lab, deps-test
	@scripts/install-packages $*

toolchain: ## check that Swift is there and new enough
	@scripts/swift

node: deps-build
	@$(MAKE) -C node
