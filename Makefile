# make build    the binary, in bin/
# make demo     a running service, people in it, and their credential report;
#               ARGS=--once ends by itself
# make test     everything that decides whether a change is good; installs
#               what the tests need; what CI runs
# make race     the same tests under the race detector
# make fuzz     every fuzz target, each for FUZZTIME
# make mutants  removes the defences that scripts/mutants.txt names and expects
#               red tests; ARGS='-only NAME'; about 15 minutes of processor
#               time for the whole list, 6 seconds for each defence
# make recipe-check  adds an example of what has a recipe (an action, a column of
#               the report, a control of the audit) to a copy of the tree, and expects the
#               tests to need each of its files; ARGS='-only NAME'
# make soak     crash loops and races between processes, for SOAK; every kind
#               of misbehaviour beside ordinary load, for SOAK; an organisation
#               of 1,000 accounts
# make interop  clients that Debian does not have, or has in another release:
#               installs them into INTEROP and says what it could not install
# make bench    the figures, beside moto where it is installed; ARGS='-only NAME'
# make generate regenerates what is generated: AWS's model, policies and services,
#               the empty database, documents, and the tests' golden files
# make fmt      format the code
# make lint     linters and known vulnerabilities

FUZZTIME ?= 30s
SOAK ?= 10m
GENERATE ?= $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/rollcall-generate
INTEROP ?= $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/rollcall-interop

.PHONY: build demo bench test packages check race fuzz mutants recipe-check soak interop generate fmt lint
.DEFAULT_GOAL := build

build:
	CGO_ENABLED=0 go build -trimpath -o bin/rollcall ./cmd/rollcall

# Unoptimised, it compiles in two thirds of the time, which is nearly all of
# the time a first demo takes.
demo:
	@CGO_ENABLED=0 go build -trimpath -gcflags='all=-N -l' -o bin/rollcall-demo ./cmd/rollcall
	@./bin/rollcall-demo demo $(ARGS)

WITH_POSTGRES = go run ./internal/storetest/withpostgres

# The time limits end what hangs, and nothing that is only slow: on an idle
# machine of two processors no package takes a minute.
test: packages check
	$(WITH_POSTGRES) go test -timeout 30m ./...

packages:
	@scripts/install-test-packages

check:
	@unformatted=$$(gofmt -l .) && if [ -n "$$unformatted" ]; then echo "not formatted, run make fmt:" $$unformatted >&2; exit 1; fi
	go vet ./...
	go run ./internal/mutants -check scripts/mutants.txt
	go run ./internal/prose

race: packages
	$(WITH_POSTGRES) go test -race -timeout 60m ./...

fuzz:
	$(WITH_POSTGRES) scripts/fuzz $(FUZZTIME)

mutants: packages
	$(WITH_POSTGRES) go run ./internal/mutants $(ARGS) scripts/mutants.txt

recipe-check:
	go run ./internal/recipe $(ARGS)

soak: packages
	$(WITH_POSTGRES) go test -timeout 0 -count 1 -v -run 'Crash|Nodes' ./internal/e2e/faults ./internal/e2e/nodes -soak $(SOAK)
	$(WITH_POSTGRES) go test -timeout 0 -count 1 -v -run Misbehaviour ./internal/e2e -soak $(SOAK)
	go test -timeout 20m -count 1 -v -run TestRunOfAnOrganization ./internal/fleet -accounts 1000

# Both releases of the AWS CLI run the sessions that 'make test' runs with one.
interop: packages
	scripts/install-interop $(INTEROP)
	go vet -tags interop ./internal/e2e/interop
	go test -tags interop -timeout 60m -count 1 -v ./internal/e2e/interop -clients $(INTEROP)
	ROLLCALL_TEST_AWS=$(INTEROP)/awscli1/bin/aws go test -timeout 60m -count 1 -run AWSCLI ./internal/e2e/clients
	ROLLCALL_TEST_AWS=/usr/bin/aws go test -timeout 60m -count 1 -run AWSCLI ./internal/e2e/clients

bench: build packages
	go run ./internal/bench $(ARGS) bin/rollcall

generate:
	scripts/generate $(GENERATE)

fmt:
	gofmt -w .

# The tools are pinned in tools/go.mod, so that the binary does not depend on them.
# An archive of the vulnerability database, for machines that are offline.
VULNDB ?= $(wildcard ../shared/data/govulncheck-db.tgz)

lint:
	@scripts/lint
	VULNDB=$(VULNDB) scripts/vulnerabilities
