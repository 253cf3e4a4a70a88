# What can be done here. `make` lists it.

WITH_SERVICES = cargo run --quiet --package testkit --bin with-services --

.DEFAULT_GOAL := help
.PHONY: help run up down test bench-ranking bench-locks audit openapi adr lint ci

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

bench-ranking: ## the live ranking over 300,000 order lines; fails above 50 ms on MySQL
	REQUIRE_SERVICES=1 $(WITH_SERVICES) cargo bench --package jumun --bench ranking

bench-locks: ## four ways to take from one stock, side by side on MySQL: locks, versions, a condition, sets
	REQUIRE_SERVICES=1 $(WITH_SERVICES) cargo bench --package storage --bench locks

audit: ## check on the database of the settings all that always holds
	cargo run --quiet --package jumun -- audit

openapi: ## write docs/api/openapi.json from the code
	cargo run --quiet --package jumun -- openapi > docs/api/openapi.json.new
	mv docs/api/openapi.json.new docs/api/openapi.json

adr: ## print the decisions: code, enforcing test, and what the check finds
	@cargo test --quiet --package testkit --test adr -- --ignored --nocapture print_the_table | grep '^|'

lint: ## formatting and lints, warnings as errors
	cargo fmt --all --check
	cargo clippy --workspace --all-targets --all-features -- --deny warnings

ci: ## everything that CI checks
	bash .ci/run
