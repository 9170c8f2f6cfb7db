# `make run` serves Sheetbend, `make test` runs every test; each sets up what it lacks. `make` lists the rest.

TOOLS := $(abspath $(or $(SHEETBEND_TOOLS),.tools))
TARGET := $(abspath $(or $(CARGO_TARGET_DIR),target))
LISTEN ?= 127.0.0.1:3000
DATA ?= data
CHANGES ?= 1000000
SECONDS ?= 120
STEPS ?= 1500
MINUTES ?= 60
SHARD ?= 0/1

export SHEETBEND_TOOLS := $(TOOLS)
export SHEETBEND_BIN := $(TARGET)/release/sheetbend
export PATH := $(TOOLS)/bin:$(TOOLS)/node_modules/.bin:$(PATH)

# The release build is done again when a file it is made of has changed or gone, when the site is missing, or when the
# build in this target folder is another clone's.
STAMP := $(TARGET)/release/.sheetbend-site
SOURCES := Cargo.toml Cargo.lock rust-toolchain.toml $(shell find src style public '(' -type d -o -type f ')' 2>/dev/null)
STALE := $(if $(and $(wildcard target/site/pkg),$(wildcard $(SHEETBEND_BIN)),$(filter $(CURDIR),$(shell cat $(STAMP) 2>/dev/null))),,FORCE)

.NOTPARALLEL:
.PHONY: help run build watch test test-rust test-browser test-browsers monkey monkeys tally soak simulate fuzz load bench bench-peers bench-nodes mutants measure pictures size lint fmt tools clean FORCE

help: ## say what there is
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-13s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: build ## build if needed, and serve on http://127.0.0.1:3000 (LISTEN=address:port, DATA=folder)
	@exec "$(SHEETBEND_BIN)" serve --listen "$(LISTEN)" --data "$(DATA)"

build: tools $(STAMP) ## the release build: server and site

$(STAMP): $(SOURCES) $(STALE)
	@echo "Building the server and the site (about 4 minutes the first time)…"
	cargo leptos build --release -P
	@echo "$(CURDIR)" > "$@"

watch: tools ## build for development, serve, and build again at every change
	cargo leptos watch

test: test-rust monkey test-browsers test-browser ## every test: the engine, the server, the browsers

test-rust: tools ## the Rust tests alone
	@echo "Testing the engine and the document (about 2 minutes the first time)…"
	cargo test
	@echo "Simulating whole systems, 2,000 of them, and with bugs planted (about a minute)…"
	cargo test --profile simulation --features planted --test simulation -- --nocapture
	@echo "Testing the server and the native client (about 4 minutes the first time)…"
	cargo test --features ssr
	@echo "Putting the server under load (about a minute)…"
	cargo test --features ssr --test it -- --ignored --test-threads 1 --nocapture
	@echo "Testing components in a browser (about 2 minutes the first time)…"
	scripts/component-tests

tally: tools ## build examples/tally, for its test
	@echo "Building examples/tally (about 2 minutes the first time)…"
	cd examples/tally && cargo leptos build

test-browser: build tally ## the browser tests alone (ARGS='-g "a title"' for some of them)
	@echo "Testing in a browser (some minutes)…"
	@scripts/browser-tests $(ARGS)

test-browsers: build ## the core suite in Firefox and WebKit, where they are installed (ARGS='--project webkit' for one)
	@scripts/other-browsers $(ARGS)

monkey: build ## let a random person use the board in a browser (SEED=n STEPS=1500; SEED='1 2 3' for several)
	@echo "Letting a random person use the board, for $(STEPS) steps (about a minute for each 1,000)…"
	@MONKEY_SEED="$(or $(SEED),1)" MONKEY_STEPS=$(STEPS) scripts/browser-tests --config monkey.config.ts $(ARGS)

monkeys: build ## let random people use the board, one after the other, for MINUTES=60
	@scripts/monkeys $(MINUTES)

soak: simulate fuzz monkeys ## simulate on and on, then fuzz, then an hour of random people in a browser

simulate: ## simulate whole systems on and on (CHANGES=1000000: until so many changes were made; SEED=n: from this seed on)
	SHEETBEND_SOAK=$(CHANGES) $(if $(SEED),SHEETBEND_SEED=$(SEED)) cargo test --profile simulation --test simulation soak -- --nocapture

fuzz: ## feed what reads messages and files whatever comes (SECONDS=120 for each of four targets)
	@scripts/tools fuzz
	@FUZZ_SECONDS=$(SECONDS) scripts/fuzz

load: build ## put the release build under load, and say how people fare meanwhile (two minutes)
	SHEETBEND_UNDER_LOAD="$(SHEETBEND_BIN)" cargo test --features ssr --test it -- --ignored --test-threads 1 --nocapture

bench: ## measure what the engine costs, by the size of things (two minutes)
	cargo bench --bench engine --bench outbox --bench worst

bench-peers: ## put the same load on Sheetbend and on its peers, and write docs/peers.md (a quarter of an hour, and some minutes to build the first time; ARGS='storm "bare axum" Sheetbend' for a part)
	@scripts/tools rust
	@scripts/bench-peers $(ARGS)

bench-nodes: build ## put the same load on one server and on three, over one PostgreSQL (five minutes)
	@scripts/bench-nodes

mutants: ## break the engine in every way, and see whether its tests notice (an hour or two; SHARD=k/n for a part)
	@scripts/tools mutants
	SHARD=$(SHARD) scripts/mutants

measure: build ## measure in a browser what docs/performance.md says of waiting, and Lighthouse's scores (some minutes)
	@scripts/tools measure
	@scripts/browser-tests --config measure.config.ts $(ARGS)

pictures: build ## take the pictures in docs/states anew (some minutes)
	@scripts/browser-tests --config pictures.config.ts $(ARGS)

size: build ## the page's bytes, as they go over the line (a test holds them to end2end/budget.json)
	@cd target/site/pkg && wc -c *.wasm.br *.js.br *.css.br

lint: ## formatting, Clippy, licences, types
	@scripts/tools lint
	@echo "Checking (about 5 minutes the first time)…"
	@scripts/lint

fmt: ## format the Rust code
	cargo fmt

tools: ## install the pinned tools that are missing (about 10 minutes, once)
	@scripts/tools build

clean: ## remove what was built; tools and data stay
	cargo clean
	rm -rf target end2end/test-results end2end/playwright-report
