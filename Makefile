# `make` lists the targets. Newcomers need two: run and test.

SHELL       := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := list

GO        ?= go
TIMEOUT   ?= 15m
BENCHTIME ?= 1s
FUZZTIME  ?= 2m
LINT      := bin/golangci-lint
VULN      := bin/govulncheck
# The race detector needs a C compiler; the program itself does not.
RACE      := $(if $(shell command -v gcc || command -v clang),-race)
# SQLite is C translated to Go, on a C library and an allocator that are too: the detector would follow every byte of its
# pages, for half of the tests' time, and it keeps to one goroutine a connection. Its driver, and all that is ours, are watched.
UNWATCHED := -gcflags=modernc.org/sqlite/lib=-race=false -gcflags=modernc.org/libc/...=-race=false -gcflags=modernc.org/memory=-race=false
# Tests mostly wait: for a commit, a timer, an answer. So more of them run at once than there are processors, and nobody
# needs the tables of a debugger, which take half of the time of linking thirty programs.
ATONCE    := -p 3 -parallel 4 -ldflags='-s -w'
# One PostgreSQL serves all test programs. At its end a watched program would wait a second for goroutines that are left:
# the tests look for those themselves.
TOGETHER  := GORACE=atexit_sleep_ms=20 $(GO) run ./internal/db/dbtest/withpostgres
# What `make generate` writes and CI compares.
GENERATED := api docs/config.md docs/protocol/groups.md docs/compat.md

# One after the other, also with -j: two test runs at once only slow each other down.
.NOTPARALLEL:
.PHONY: list run aibot liveroom build test test-go test-sdk prepare check drift lint vuln fmt generate bench fuzz clean

list:
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 18

run: build ## build and start a server on 127.0.0.1:8080
	./bin/magpie serve

aibot: build ## try the chatbot of examples/aibot, with a model that only pretends
	$(GO) run ./examples/aibot --fake

# The page is on the official SDK, which the tests have too.
SDK := test/sdk/node_modules/@tencentcloud/chat/index.js
liveroom: build $(SDK) ## try the live room of examples/liveroom
	$(GO) run ./examples/liveroom --try

$(SDK):
	cd test/sdk && npm ci --no-audit --no-fund

build: ## build bin/magpie, one static binary
	CGO_ENABLED=0 $(GO) build -trimpath -o bin/magpie ./cmd/magpie

test: prepare test-go test-sdk ## install what the tests need, then run them all

test-go: ## run the Go tests only
	$(TOGETHER) $(GO) test $(RACE) $(if $(RACE),$(UNWATCHED)) $(ATONCE) -shuffle=on -timeout $(TIMEOUT) ./...

test-sdk: ## run the official SDK's tests only
	tools/test-sdk.sh

# Programs that tests start: PostgreSQL, Chromium, the SDK's packages.
prepare:
	tools/prepare.sh

check: prepare drift lint vuln test build ## everything that CI checks

# Generated files are committed; a difference means that somebody forgot `make generate`.
drift: generate
	@! git grep -nE '^(<{7}|>{7})( |$$)' || { echo "a conflict was left in a file"; exit 1; }
	git diff --exit-code -- $(GENERATED)
	@new=$$(git ls-files --others --exclude-standard -- $(GENERATED)); \
	  [[ -z $$new ]] || { echo "generated but not committed: $$new"; exit 1; }

lint: $(LINT) ## look for mistakes and broken rules of the house
	$(LINT) run ./...

fmt: $(LINT) ## format the code
	$(LINT) fmt ./...

vuln: $(VULN) ## look for known vulnerabilities in what the program calls
	tools/vuln.sh

# Both are built from the versions that tools/go.mod pins: about a minute, the first time.
$(LINT): tools/go.mod tools/go.sum
	$(GO) -C tools build -o ../$@ github.com/golangci/golangci-lint/v2/cmd/golangci-lint
	@touch $@

$(VULN): tools/go.mod tools/go.sum
	$(GO) -C tools build -o ../$@ golang.org/x/vuln/cmd/govulncheck
	@touch $@

generate: ## rewrite the files made from code (api/, docs/config.md, docs/compat.md)
	$(GO) generate ./...
	tools/compat.sh

bench: ## run the benchmarks
	$(GO) test -run '^$$' -bench . -benchmem -benchtime $(BENCHTIME) ./...

fuzz: ## give random bytes to what reads bytes from outside, FUZZTIME for each test
	tools/fuzz.sh $(FUZZTIME)

clean: ## remove what make built
	rm -rf bin coverage*
