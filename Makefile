# make help prints what there is.
.DEFAULT_GOAL := help
GO ?= go
BIN := bin/pivotspec
ARCH ?= all
SCENARIO ?= all
PREFIX ?= /usr/local
SHARE = $(DESTDIR)$(PREFIX)/share

.PHONY: help setup build guest run test lint bench baseline findings man install clean

help: ## print this list
	@awk -F ':.*## ' '/^[a-z]+:.*## /{printf "make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: ## install the Debian packages that are missing (QEMU, mandoc)
	@harness/ci/setup

build: ## build bin/pivotspec
	@mkdir -p bin
	$(GO) build -o $(BIN) ./harness/cmd/pivotspec

guest: build ## build bin/pivotspec-guest, which runs alone on any machine (of ARCH, if given)
	$(BIN) guest $(if $(filter-out all,$(ARCH)),--arch $(ARCH)) --out bin/pivotspec-guest

run: setup build ## fetch the kernels of the default matrix, boot each, print the matrix
	$(BIN) run

test: build lint ## run every check and test, with real boots on both sides of 7.0 and of other architectures
	@harness/ci/setup test
	$(BIN) kernels fetch 6.19 7.0 --scenario tools
	$(BIN) kernels fetch 6.1/s390x 6.1/arm64
	$(BIN) page fetch
	$(GO) test -timeout 30m ./...
	$(GO) -C harness/ci/validate test ./...

lint: ## check formatting, vet the code, check that go.mod is tidy
	@test -z "$$(gofmt -l . | tee /dev/stderr)" || { echo 'lint: gofmt -w the files above' >&2; exit 1; }
	$(GO) vet ./...
	$(GO) mod tidy -diff

bench: setup ## print what the suite costs over the bare boot of the same kernels (BENCH="-arch all")
	$(GO) run ./harness/cmd/bench $(BENCH)

# A cell whose kernel is not to be had (3) keeps what is recorded of it.
baseline: setup build ## record the cells of ARCH and SCENARIO (all) anew in results/baseline
	$(BIN) run --arch $(ARCH) --scenario $(SCENARIO) || [ $$? -eq 3 ]
	$(BIN) report --update-baseline results/baseline >/dev/null || [ $$? -eq 3 ]

findings: build ## write results/FINDINGS.md anew from the baselines
	$(BIN) report results/baseline --format findings >results/FINDINGS.md

man: build ## write pivotspec(1) anew from what the commands say of themselves
	$(BIN) man >harness/cmd/pivotspec/pivotspec.1

install: build ## install pivotspec, its manual page and completions below PREFIX (/usr/local)
	install -D $(BIN) $(DESTDIR)$(PREFIX)/bin/pivotspec
	mkdir -p $(SHARE)/man/man1 $(SHARE)/bash-completion/completions $(SHARE)/zsh/site-functions $(SHARE)/fish/vendor_completions.d
	$(BIN) man >$(SHARE)/man/man1/pivotspec.1
	$(BIN) completion bash >$(SHARE)/bash-completion/completions/pivotspec
	$(BIN) completion zsh >$(SHARE)/zsh/site-functions/_pivotspec
	$(BIN) completion fish >$(SHARE)/fish/vendor_completions.d/pivotspec.fish

clean: ## remove what was built here (kernels and images stay in the user's cache)
	rm -rf bin
