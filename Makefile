# Every target with a "##" comment is listed by `make`.
SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: help run build test pages needs lint fmt fuzz bench release

GO       ?= go
# SQLite is C made into Go: watching its every access finds no race of ours and takes twice the time. No other package may be left out:
# generic code that two packages share would be linked unwatched, and races be told of that are none.
RACE     := -race -gcflags=modernc.org/sqlite/lib=-race=false
DATA     ?= ./data
LISTEN   ?= 127.0.0.1:8080
FUZZTIME ?= 20s
LINT_VERSION := v2.15.0
GOBIN    := $(shell $(GO) env GOPATH)/bin
LINT     := $(GOBIN)/golangci-lint

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## /{printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: build ## Build the binary and start the hub (LISTEN=, DATA=)
	./dragoman serve --listen $(LISTEN) --data $(DATA)

build: pages ## Build ./dragoman, one static binary with the pages in it
	CGO_ENABLED=0 $(GO) build -trimpath -o dragoman ./cmd/dragoman

release: ## Build the archives of a release, with the pages in them (VERSION=v1.2.3)
	@.ci/release "$(VERSION)"

pages: ## Build the pages, when Node is there and they are stale
	@web/build

test: needs pages ## Run all tests with the race detector
	@rm -f web/test-unsteady.log
	$(GO) test $(RACE) -timeout 20m ./...; status=$$?; cat web/test-unsteady.log 2>/dev/null; exit $$status

needs: ## Install what the tests need: PostgreSQL, curl, Node, Chromium, a C compiler (Debian, only when missing)
	@.ci/needs

lint: ## Run golangci-lint (installed when missing)
	@$(LINT) version 2>/dev/null | grep -qF ' $(LINT_VERSION:v%=%) ' || \
		$(GO) install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(LINT_VERSION)
	$(LINT) run ./...

fmt: ## Format the code (gofumpt, import groups)
	$(LINT) fmt ./...

fuzz: ## Run every fuzz target for FUZZTIME (20s)
	@set -e; grep -roHE '^func Fuzz[A-Za-z0-9_]+' --include='*_test.go' . | while IFS=: read -r file func; do \
		target=$${func#func }; \
		echo "$$(dirname $$file) $$target"; \
		$(GO) test -run '^$$' -fuzz "^$$target\$$" -fuzztime $(FUZZTIME) "$$(dirname $$file)"; \
	done

bench: ## Run the benchmarks of bench/
	$(GO) test -run '^$$' -bench . -benchmem -timeout 60m ./bench/...
