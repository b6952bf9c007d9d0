# Partita: `make run` installs what is missing, builds and solves an example;
# `make test` tests. docs/installation.md explains the rest.

GO ?= go
SHELL := /bin/bash
BIN := bin/partita
EXAMPLE ?= examples/llama-3.1-70b-2x8-h100.yaml
OUT ?= partita-out
# Published placement instances: helix.json, tandemn.json, dnn-partitioning/.
INSTANCES ?= ../shared/instances
# Published measurements of deployments.
MEASURED ?= ../shared/measured/measured.csv
MANDIR ?= $(HOME)/.local/share/man
TESTFLAGS ?=
FUZZTIME ?= 10m
# How many random instances `make agree` draws: of stage graphs, on which all solvers
# must agree, and of whole conditions, of which every plan is priced.
AGREE ?= 100000
ORACLE ?= 5000
# How many random problems `make proofs` has other solvers refute below their optimum.
PROOFS ?= 2000
# Property tests draw from this seed, so that the same tree is judged alike
# everywhere; RAPID_SEED=0 draws a new one.
export RAPID_SEED ?= 1
# Pinned so that the same tree is judged alike everywhere.
STATICCHECK := honnef.co/go/tools/cmd/staticcheck@v0.8.2

# lp_solve is compiled in where its header and its shared library are installed
# and cgo works. Debian puts the library into /usr/lib/lp_solve (package
# lp-solve) and the header into /usr/include/lpsolve (package liblpsolve55-dev).
LPSOLVE_INCLUDE := $(patsubst %/lp_lib.h,%,$(firstword $(wildcard /usr/include/lpsolve/lp_lib.h /usr/local/include/lpsolve/lp_lib.h)))
LPSOLVE_LIB := $(patsubst %/liblpsolve55.so,%,$(firstword $(wildcard /usr/lib/lp_solve/liblpsolve55.so /usr/local/lib/liblpsolve55.so)))
CGO := $(shell $(GO) env CGO_ENABLED)
ifneq ($(and $(LPSOLVE_INCLUDE),$(LPSOLVE_LIB),$(filter 1,$(CGO))),)
TAGS := -tags=lpsolve
export CGO_CFLAGS := -I$(LPSOLVE_INCLUDE)
export CGO_LDFLAGS := -L$(LPSOLVE_LIB) -Wl,-rpath,$(LPSOLVE_LIB) -llpsolve55 -lm -ldl -lcolamd
endif

.PHONY: help run deps build test man docs-long lint race agree proofs frontier kill slurm fuzz bench instances intervals fresh clean lpsolve-note

help: ## list the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | expand -t 11

run: deps ## install what is missing, build, solve a real example, print where the results are
	@$(MAKE) --no-print-directory build
	@echo "solving $(EXAMPLE)"
	@$(BIN) solve $(EXAMPLE) -o $(OUT)/$(basename $(notdir $(EXAMPLE)))

deps: ## install lp_solve and a C compiler through apt where they are absent
	@scripts/install-deps.sh

build: lpsolve-note ## build bin/partita, with lp_solve where it is installed
	@mkdir -p bin
	$(GO) build $(TAGS) -trimpath -o $(BIN) ./cmd/partita

test: lpsolve-note ## run all tests; solvers and shells that some of them try are installed where they are missing
	@scripts/install-deps.sh test
	$(GO) test $(TAGS) -timeout 14m $(TESTFLAGS) ./...

man: build ## install the manual pages into MANDIR (~/.local/share/man)
	@mkdir -p $(MANDIR)/man1 $(MANDIR)/man7
	@pages=$$(mktemp -d) && $(BIN) manual -o $$pages && cp $$pages/*.1 $(MANDIR)/man1 && cp $$pages/*.7 $(MANDIR)/man7 && rm -r $$pages
	@echo "try: man -M $(MANDIR) partita-solve"

docs-long: ## run every command of README and docs/, those that take long too
	PARTITA_DOCS_LONG=1 $(GO) test $(TAGS) -run '^TestPages$$' -count=1 -v -timeout 120m ./cmd/internal/cli

lint: ## gofmt, vet and staticcheck
	@unformatted=$$(gofmt -l $$(git ls-files '*.go' 2>/dev/null || find . -name '*.go')); \
	  if [ -n "$$unformatted" ]; then echo "not formatted (run gofmt -w):"; echo "$$unformatted"; exit 1; fi
	$(GO) vet $(TAGS) ./...
	$(GO) run $(STATICCHECK) $(TAGS) ./...

# The goroutines are in the backends; what drives them from above is told apart by
# name, for a search under the race detector takes ten times as long.
race: ## the race detector on what runs goroutines
	PARTITA_AGREE=100 $(GO) test $(TAGS) -race -short ./solver/... ./formulation/encode ./results/journal ./cmd/internal/batch
	$(GO) test $(TAGS) -race -short -run 'Signals|Cancel|OutOfTime|Limit|Backends|Confirms|BatchInterrupted|Progress' ./cmd/... ./formulation

agree: ## every solver on 100,000 random instances, and the search against every plan of 5,000 conditions (make test: 500, 300)
	PARTITA_AGREE=$(AGREE) PARTITA_FAMILIES=all $(GO) test $(TAGS) -run '^Test(Families)?Agree(ment)?$$' -count=1 -v -timeout 120m ./formulation/encode
	PARTITA_ORACLE=$(ORACLE) $(GO) test $(TAGS) -run '^TestOptimumOfEveryPlan$$' -count=1 -v -timeout 120m ./formulation
	$(GO) test $(TAGS) -run 'AgainstBruteForce' -count=1 -v -timeout 120m ./formulation/published -rapid.checks=$(AGREE)

# CaDiCaL writes proofs and a checker of ours checks them; GLPK and CBC repeat what
# lp_solve refutes. docs/solvers.md says what is checked by what.
proofs: ## refutations of SAT and ILP proved again by other solvers: 2,000 random problems, random conditions, examples (make test: 40)
	PARTITA_PROOFS=$(PROOFS) $(GO) test $(TAGS) -run '^Test(Refut.*|OtherSolversAgree|RealConditionsInOtherSolvers|.*Proof.*)$$' -count=1 -v -timeout 60m ./solver/solvertest ./formulation/encode ./formulation ./cmd/internal/cli

kill: lpsolve-note ## a batch of 200 scenarios, killed (SIGKILL) at 100 random moments, against an undisturbed one
	PARTITA_KILLS=100 PARTITA_KILL_SCENARIOS=200 $(GO) test $(TAGS) -run '^TestBatchKilled$$' -count=1 -v -timeout 60m ./cmd/internal/cli

slurm: build ## a batch on a real Slurm of one node, which it sets up and takes down (needs root and Debian's slurm-wlm)
	scripts/slurm.sh

frontier: ## every outer choice of frontiers refuted between their points by another solver; every plan of 5,000 conditions held against theirs (make test: samples)
	PARTITA_FRONTIER=all $(GO) test $(TAGS) -run '^TestFrontierHasNoGap$$' -count=1 -v -timeout 120m ./formulation
	PARTITA_ORACLE=$(ORACLE) $(GO) test $(TAGS) -run '^TestFrontierOfEveryPlan$$' -count=1 -v -timeout 120m ./formulation

fuzz: ## every fuzz target for FUZZTIME (10m)
	@GO="$(GO)" TAGS="$(TAGS)" scripts/fuzz.sh $(FUZZTIME)

bench: instances ## every benchmark, as tables: published instances first, then Go's
	@GO="$(GO)" TAGS="$(TAGS)" scripts/bench.sh

instances: build ## published instances beside what is recorded of them (INSTANCES is their folder)
	@$(GO) run ./cmd/internal/instancebench -bin $(BIN) $(INSTANCES)

fit: lpsolve-note ## fit constants of the cost model to MEASURED, a table of measurements, into inputs/profile/fitted.yaml
	$(GO) run $(TAGS) ./cmd/internal/fit $(MEASURED)

intervals: ## how far the cost model is off on the published measurements (MEASURED): what the intervals of plans are made from
	$(GO) run ./cmd/internal/intervals -o inputs/evidence/regimes.yaml $(MEASURED)

fresh: ## run both README commands in a fresh Debian root (needs root and debootstrap)
	scripts/fresh.sh

clean: ## remove what was built
	rm -rf bin

lpsolve-note:
ifeq ($(TAGS),)
	@echo "lp_solve is not installed (or cgo is off): building without the ilp backend; 'make deps' installs it" >&2
endif
