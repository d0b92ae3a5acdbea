# SPDX-License-Identifier: Apache-2.0
# What one does with this project; meson does the building (meson.build). `make help` lists the targets.

PREFIX ?= /usr/local
DESTDIR ?=
# Arguments for pytest: make check TESTS='-k sysvipc --env host'
TESTS ?=

# Debian's own tools first: a python3 of pyenv or in /usr/local has neither meson nor pytest.
export PATH := /usr/sbin:/usr/bin:/sbin:/bin:$(PATH)
# Environments with refusals are made by root only. Through sudo the variables that tests read are kept.
AS_ROOT := $(if $(filter 0,$(shell id -u)),,sudo --preserve-env=PATH,LICHEN,DIFFTEST_BIN,DEMO_SECONDS)

.PHONY: bench-pii all build help deps demo check unit e2e sanitize lint fuzz bench install clean
.NOTPARALLEL:

all: build

help: ## print this
	@sed -n 's/^\([a-z0-9-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 12

build: build/build.ninja ## build/lichen, one static executable
	@ninja -C build

build/build.ninja:
	@command -v meson >/dev/null || { echo "meson is missing: run 'make deps'" >&2; exit 1; }
	@meson setup build --prefix=$(PREFIX)

deps: ## install the Debian packages that building and testing need and that are missing
	@tools/install-packages packages tests/packages tests/envs/packages

demo: ## install what is missing, build, run PostgreSQL without shared memory, Docker inside gVisor, a caged command
	@tools/install-packages packages tests/envs/packages tools/demo.packages
	@$(MAKE) --no-print-directory build
	@$(AS_ROOT) tools/demo.sh

check: deps build unit sanitize e2e ## install what is missing, build, run all tests in all environments

unit: build ## the unit tests alone
	@meson test -C build --print-errorlogs

e2e: build ## the tests of whole programs alone (see tests/e2e, tests/gaps)
	@$(AS_ROOT) tests/envs/gvisor24 --prepare
	@$(AS_ROOT) tests/run $(TESTS)

sanitize: build ## the unit tests with AddressSanitizer and UndefinedBehaviorSanitizer
	@test -e build/sanitize/build.ninja || meson setup build/sanitize -Db_sanitize=address,undefined >/dev/null
	@meson test -C build/sanitize --print-errorlogs

lint: ## style, static analysis, rings, both compilers with -Werror
	@tools/install-packages packages tools/lint/packages
	@tools/lint/all

fuzz: ## libFuzzer on every parser, 30 s each (tests/fuzz)
	@tools/install-packages packages tools/lint/packages
	@tests/fuzz/run

bench: build ## measure lichen against native and against its peers
	@bench/run
	@bench/run --audit
	@bench/run --cage
	@bench/run --flow

bench-pii: build ## recall and precision of lichen pii by entity, on a corpus that is made here, and its speed
	@tools/install-packages bench/pii.packages
	@/usr/bin/python3 bench/pii.py $(PII)

install: build ## install to PREFIX (default /usr/local), below DESTDIR
	@meson configure build -Dprefix=$(PREFIX)
	@ninja -C build
	@DESTDIR=$(DESTDIR) meson install -C build --no-rebuild

clean: ## remove everything that was built
	@rm -rf build 2>/dev/null || $(AS_ROOT) rm -rf build
