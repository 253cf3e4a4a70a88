# What can be done here. `make` lists it.

WITH_SERVICES = cargo run --quiet --package testkit --bin with-services --

# What the book is made with: built once, then kept in target/. The checksum is that of the file in the package.
DOCS = cargo run --quiet --package testkit --bin docs --
MDBOOK_VERSION = 0.5.4
MDBOOK = target/tools/mdbook-$(MDBOOK_VERSION)/bin/mdbook
MERMAID_VERSION = 12.3.0
MERMAID_SHA256 = 336df803d87a38b70a01e736e666c8f7601d2ce42f5e47c8fafe5d721074b9a3
MERMAID = target/tools/mermaid-$(MERMAID_VERSION).min.js

# What looks at the dependencies: built once, then kept in target/, and not optimised, since it is soon done.
DENY_VERSION = 0.20.2
DENY = target/tools/cargo-deny-$(DENY_VERSION)/bin/cargo-deny
# Advisories as well, where github.com can be reached: CHECKS='advisories bans licenses sources'.
CHECKS = bans licenses sources

# What tries the API out against its document, and what changes the code to see whether a test notices.
SCHEMATHESIS = target/tools/schemathesis-4.32.5/bin/schemathesis
MUTANTS_VERSION = 27.1.0
MUTANTS = target/tools/cargo-mutants-$(MUTANTS_VERSION)/bin/cargo-mutants

# How long a load test takes: quick or full.
BENCH = full
# How far the tables grow, such as GROWTH='--orders 1000,100000,10000000'.
GROWTH =
LOADTEST = target/release/loadtest
# How long the drill takes: short or full; and PROVE_ARGS='--seed 7 --only Redis'.
PROVE = full
PROVE_ARGS =
# Which crates `make mutants` changes.
PACKAGES = kernel webhooks order product point coupon payment refund cart ranking user

.DEFAULT_GOAL := help
.PHONY: help run up down test bench bench-embedded bench-growth bench-ranking bench-locks bench-tools prove guards guards-page audit openapi postman clients client browser client-tools \
        schemathesis mutants adr erd dependencies docs lint deny ci

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: ## build and serve on http://127.0.0.1:8080 with nothing else installed
	cargo run --package jumun -- serve

up: ## build the image and start everything in containers: API on :8080, Grafana on :3000
	docker compose up --build --detach

down: ## stop the containers; their data stays (docker compose down --volumes takes it along)
	docker compose down

test: ## every test that can run on this machine; REQUIRE_SERVICES=1 insists on MySQL and Redis
	$(WITH_SERVICES) cargo test --workspace --no-fail-fast

bench: bench-tools ## load the service on MySQL and Redis in containers: target/bench/report.html; BENCH=quick
	REQUIRE_SERVICES=1 $(WITH_SERVICES) --measured $(LOADTEST) bench --pace $(BENCH)

bench-growth: bench-tools ## the same load with more orders, instances and connections: target/bench/growth.html
	REQUIRE_SERVICES=1 $(WITH_SERVICES) --measured $(LOADTEST) growth $(GROWTH)

bench-embedded: bench-tools ## load the service on SQLite: target/bench-embedded/report.html; BENCH=quick
	$(LOADTEST) bench --embedded --pace $(BENCH) --out target/bench-embedded

# Built apart, so that the service is the one that is deployed. The generator has no need of the slowest link.
bench-tools:
	cargo build --quiet --release --package jumun
	CARGO_PROFILE_RELEASE_LTO=off CARGO_PROFILE_RELEASE_CODEGEN_UNITS=16 \
		cargo build --quiet --release --package loadtest

bench-ranking: ## the live ranking over 300,000 order lines; fails above 50 ms on MySQL
	REQUIRE_SERVICES=1 $(WITH_SERVICES) cargo bench --package jumun --bench ranking

bench-locks: ## four ways to take from one stock, side by side on MySQL: locks, versions, a condition, sets
	REQUIRE_SERVICES=1 $(WITH_SERVICES) cargo bench --package storage --bench locks

prove: ## break everything under load and check what clients were told: target/prove/report.html; PROVE=short
	$(if $(JUMUN_BINARY),,cargo build --quiet --release --package jumun)
	cargo run --quiet --package prove -- --jumun $(or $(JUMUN_BINARY),target/release/jumun) --pace $(PROVE) $(PROVE_ARGS)

guards: ## take out each guard, one at a time, and see that its test fails
	cargo build --quiet --package testkit --bin guards
	REQUIRE_SERVICES=1 $(WITH_SERVICES) target/debug/guards

audit: ## check on the database of the settings all that always holds
	cargo run --quiet --package jumun -- audit

openapi: ## write docs/api/openapi.json from the code
	cargo run --quiet --package jumun -- openapi > docs/api/openapi.json.new
	mv docs/api/openapi.json.new docs/api/openapi.json

postman: ## write docs/api/postman.json from docs/api/openapi.json
	node clients/postman/generate.mjs

clients: client-tools ## the Postman collection, the TypeScript client and Swagger UI in Chromium against a server
	node clients/with-server.mjs 'npm run --silent postman' 'npm run --silent client' 'npm run --silent browser'

client: client-tools ## the generated TypeScript client against a server
	node clients/with-server.mjs 'npm run --silent client'

browser: client-tools ## Swagger UI in a headless Chromium against a server
	node clients/with-server.mjs 'npm run --silent browser'

schemathesis: $(SCHEMATHESIS) ## thousands of requests, valid and not, made from the OpenAPI document, as a user and as an administrator
	$(if $(JUMUN_BINARY),,cargo build --quiet --package jumun)
	node clients/with-server.mjs JUMUN_AUTH=header JUMUN_RATE_LIMIT=off JUMUN_WORKER=false JUMUN_LOG=warn \
		$(foreach user,2 1,'cd schemathesis && JUMUN_CALLER=00000000-0000-7000-8000-00000000000$(user) \
			$(CURDIR)/$(SCHEMATHESIS) --no-color run $$JUMUN_ORIGIN/openapi.json')

$(SCHEMATHESIS): clients/schemathesis/requirements.txt
	python3 -m venv $(dir $@)..
	$(dir $@)pip install --quiet --no-deps --requirement clients/schemathesis/requirements.txt
	touch $@

# What the clients need: a binary (JUMUN_BINARY names one that is built), their packages, and the types that
# come from the document.
client-tools: clients/node_modules/.package-lock.json
	$(if $(JUMUN_BINARY),,cargo build --quiet --package jumun)
	cd clients && npm run --silent build

clients/node_modules/.package-lock.json: clients/package-lock.json
	cd clients && npm ci --no-fund --no-audit

mutants: $(MUTANTS) ## change the domain crates in a thousand places, one at a time; a test has to fail for each: PACKAGES='point coupon'
	$(MUTANTS) mutants --jobs 2 $(foreach package,$(PACKAGES),--package $(package)) --output target

$(MUTANTS):
	cargo install --quiet --locked --version $(MUTANTS_VERSION) --root target/tools/cargo-mutants-$(MUTANTS_VERSION) cargo-mutants

adr: ## print the decisions: code, enforcing test, and what the check finds
	@bash -o pipefail -c "cargo test --quiet --package testkit --test adr -- --ignored --nocapture print_the_table | grep '^|'"

erd: ## write docs/erd.md from the migrations
	$(DOCS) erd

guards-page: ## write docs/guards.md from the list of guards
	$(DOCS) guards

dependencies: ## write docs/dependencies.md from the manifests of the crates
	$(DOCS) dependencies

docs: $(MDBOOK) $(MERMAID) ## documentation and decisions as one site: target/book/index.html
	$(DOCS) site target/docs
	cp docs/book/book.toml target/docs/
	cp docs/book/diagrams.js docs/book/diagrams.css $(MERMAID) target/docs/
	mv target/docs/$(notdir $(MERMAID)) target/docs/mermaid.min.js
	$(MDBOOK) build target/docs --dest-dir "$(CURDIR)/target/book"

$(MDBOOK):
	cargo install --quiet --locked --no-default-features --features search --version $(MDBOOK_VERSION) \
		--root target/tools/mdbook-$(MDBOOK_VERSION) mdbook

# Only the package of mermaid itself, which brings everything in one file, and none of its dependencies.
$(MERMAID):
	mkdir -p target/tools/npm
	npm pack --silent --pack-destination target/tools/npm mermaid@$(MERMAID_VERSION)
	tar --extract --gzip --file target/tools/npm/mermaid-$(MERMAID_VERSION).tgz --directory target/tools/npm \
		package/dist/mermaid.min.js
	echo '$(MERMAID_SHA256)  target/tools/npm/package/dist/mermaid.min.js' | sha256sum --check --quiet
	mv target/tools/npm/package/dist/mermaid.min.js $@
	rm -r target/tools/npm

lint: ## formatting and lints, warnings as errors
	cargo fmt --all --check
	cargo clippy --workspace --all-targets --all-features -- --deny warnings

deny: $(DENY) ## licences, bans and sources of the dependencies; advisories where their database can be had
	$(DENY) --locked check --hide-inclusion-graph $(CHECKS)

$(DENY):
	CARGO_PROFILE_RELEASE_LTO=off CARGO_PROFILE_RELEASE_CODEGEN_UNITS=16 CARGO_PROFILE_RELEASE_OPT_LEVEL=1 \
		cargo install --quiet --locked --version $(DENY_VERSION) --root target/tools/cargo-deny-$(DENY_VERSION) cargo-deny

ci: ## everything that must hold before a change lands; CI makes the book as well
	bash .ci/run
