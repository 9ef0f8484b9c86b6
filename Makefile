# make build    builds the binary, in bin/
# make demo     starts a service with example users, and prints their credential
#               report; with ARGS=--once it ends after the report
# make test     installs what the tests need, checks the sources and runs the tests
# make lint     runs the linters and looks for known vulnerabilities; CI runs this
#               after 'make test'
# make fmt      formats the code
# make race     runs the tests under the race detector
# make fuzz     runs every fuzz target, each for FUZZTIME
# make mutants  removes each defence that scripts/mutants.txt names, and expects
#               red tests; ARGS='-only NAME'; each defence takes about 6 seconds
#               of processor time, the whole list 15 minutes
# make recipe-check  adds an example of each recipe (an action, a column of the
#               report, a control of the audit) to a copy of the tree, and expects
#               the tests to need each of its files; ARGS='-only NAME'
# make soak     runs crash loops for SOAK, and until each store has had CRASHES
#               crashes; runs races between processes for SOAK, and every kind of
#               misbehaviour beside ordinary load for SOAK; sends calls at 80 % of
#               the top rate for SOAK, at five times of it, and beyond the limits that
#               a service has by default; looks for an
#               order of the calls in ROUNDS histories of two nodes with faults;
#               rehearses the loss of a host; lets the disk fail at every write; then
#               fetches the reports of an organisation of 1,000 accounts, and facts of
#               their 500,000 users
# make failover installs Patroni and etcd, and takes the primary of three
#               PostgreSQL servers away under load, FAILOVERS times in each of
#               several ways; needs root
# make interop  installs clients that Debian lacks, or has in another release, into
#               INTEROP, tests with them, and lists those that it could not install
# make release  builds the files of a release into DIST: archives, packages, an OCI
#               image, bills of materials, checksums; 'ARGS=-only linux/amd64'
# make release-check  builds the same commit in two more clones, in folders of
#               different names, and compares every byte
# make package-test  installs, upgrades and removes the packages of DIST in clean
#               Debian trees, and unpacks the image; runs the service of the deb and
#               of the image, and fetches a report from each by aws
# make deploy-check  checks the manifests of deploy/ with helm and the schemas of Kubernetes
# make consumer tests a module outside of the tree that imports the public packages
# make bench    measures, also moto if it is installed, and the HTML page;
#               ARGS='-only NAME' measures only that, and no page
# make generate regenerates everything that is generated: AWS's model, policies and
#               services, the pages' templates, the empty database, documents, and
#               golden files

FUZZTIME ?= 30s
SOAK ?= 10m
ROUNDS ?= 1000
CRASHES ?= 1000
FAILOVERS ?= 5
GENERATE ?= $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/rollcall-generate
INTEROP ?= $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/rollcall-interop

.PHONY: release release-check package-test deploy-check consumer
.PHONY: check-format check-vet check-mutants check-prose
.PHONY: build demo bench test packages check race fuzz mutants recipe-check soak failover interop generate fmt lint
.DEFAULT_GOAL := build

BUILD_FLAGS := $(shell grep -v '^\#' scripts/build-flags.txt)

build:
	CGO_ENABLED=0 go build -trimpath $(BUILD_FLAGS) -o bin/rollcall ./cmd/rollcall

# Compilation takes most of the time of a first demo. Without optimisation it is
# a third shorter.
demo:
	@CGO_ENABLED=0 go build -trimpath -gcflags='all=-N -l' -o bin/rollcall-demo ./cmd/rollcall
	@./bin/rollcall-demo demo $(ARGS)

WITH_POSTGRES = go run ./internal/storetest/withpostgres

# With -trimpath the go command also finds what it has compiled and vetted for
# another clone. Without cgo and with the same flags it finds what 'make build' has
# compiled, and the tests run the code that a release has.
FROM_CACHE = test check fuzz mutants recipe-check soak
$(FROM_CACHE) race: export GOFLAGS := $(shell go env GOFLAGS) -trimpath $(BUILD_FLAGS)
$(FROM_CACHE): export CGO_ENABLED := 0

# The collector takes an eighth of the time of compilers. Tests have it as users do.
TOOLS = GOGC=400
AS_USUAL = -exec 'env -u GOGC'

# The time limit ends what hangs, and nothing that is only slow: no package takes
# a minute on an idle machine with two processors. Test programs are linked
# without the tables of debuggers, and 'check' has vetted them. Many tests wait for
# browsers, databases and other processes. Packages with many of them run several
# at the same time, so it suffices to test half as many packages again as there are
# processors. More would only make each take longer.
AT_ONCE ?= $(shell echo $$(((3 * $$(nproc) + 1) / 2)))
test: packages check
	$(TOOLS) $(WITH_POSTGRES) go test -p $(AT_ONCE) $(AS_USUAL) -timeout 30m -ldflags=-w -vet=off ./...

packages:
	@scripts/install-test-packages

check:
	@$(MAKE) --no-print-directory --output-sync -j4 check-format check-vet check-mutants check-prose

check-format:
	@unformatted=$$(gofmt -l .) && if [ -n "$$unformatted" ]; then echo "not formatted, run make fmt:" $$unformatted >&2; exit 1; fi

check-vet:
	$(TOOLS) go vet ./...

check-mutants:
	go run ./internal/mutants -check scripts/mutants.txt

check-prose:
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
	$(WITH_POSTGRES) go test -timeout 0 -count 1 -v -run Crash ./internal/e2e/faults -soak $(SOAK) -crashes $(CRASHES)
	$(WITH_POSTGRES) go test -timeout 0 -count 1 -v -run Nodes ./internal/e2e/nodes -soak $(SOAK)
	$(WITH_POSTGRES) go test -timeout 0 -count 1 -v -run 'SteadyLoad|Overload|FloodByDefault|Misbehaviour' ./internal/e2e -soak $(SOAK)
	go test -timeout 0 -count 1 -v -run TestSmallContainer ./internal/e2e -container 200 -container-users 1000000
	$(WITH_POSTGRES) go test -timeout 0 -count 1 -v -run Linearizable ./internal/e2e/nodes -linear-rounds $(ROUNDS)
	$(WITH_POSTGRES) go test -timeout 20m -count 1 -v -run TestLostHost ./internal/e2e/faults -disaster-users 100000
	go test -timeout 0 -count 1 -run TestDiskFaults ./internal/store -disk-faults 6000
	go test -timeout 60m -count 1 -v -run 'TestRunOfAnOrganization|TestFactsOfAnOrganization' ./internal/fleet -accounts 1000

# The test has networks, mounts and processes of its own, which end with it. It is
# built before, because it reaches no module proxy from there.
failover: packages
	scripts/install-failover-packages
	go vet -tags failover ./internal/e2e/failover
	scripts/isolated go test -tags failover -timeout 0 -count 1 -v ./internal/e2e/failover -failover-rounds $(FAILOVERS)

# 'make test' runs these sessions with one release of the AWS CLI, and this target
# with both.
interop: packages
	scripts/install-interop $(INTEROP)
	go vet -tags interop ./internal/e2e/interop
	go test -tags interop -timeout 60m -count 1 -v ./internal/e2e/interop -clients $(INTEROP)
	ROLLCALL_TEST_AWS=$(INTEROP)/awscli1/bin/aws go test -timeout 60m -count 1 -run AWSCLI ./internal/e2e/clients
	ROLLCALL_TEST_AWS=/usr/bin/aws go test -timeout 60m -count 1 -run AWSCLI ./internal/e2e/clients

DIST ?= dist

release:
	cd packaging && go vet ./... && go test ./... && go run . -root .. -out $(abspath $(DIST)) $(ARGS)

release-check:
	scripts/release-check $(ARGS)

package-test: packages
	scripts/package-test $(DIST)

deploy-check:
	scripts/deploy-check $(INTEROP)

consumer:
	scripts/consumer

bench: build packages
	go run ./internal/bench $(ARGS) bin/rollcall
	$(if $(ARGS),,go test ./internal/html -count 1 -v -run 'HundredThousand|TooMany' -thousands 1000)

generate:
	scripts/generate $(GENERATE)

fmt:
	gofmt -w .

# VULNDB names an archive of the vulnerability database, for machines that are
# offline. The tools are pinned in tools/go.mod: the binary does not depend on them.
VULNDB ?= $(wildcard ../shared/data/govulncheck-db.tgz)

lint:
	@scripts/lint
	VULNDB=$(VULNDB) scripts/vulnerabilities
