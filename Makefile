# Every target works on a fresh Debian-like machine with Rust, Go and Python, as root (real nodes need namespaces).
SHELL := /bin/bash
PYTHON = $(shell localstack/bootstrap)

.PHONY: help demo test bench lab aws build fmt clean

help: ## List the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-8s %s\n", $$1, $$2}'

demo: ## Show everything on a real cluster and an emulated AWS (stays up on a terminal)
	@$(PYTHON) e2e/demo/demo.py

test: ## Run every test (PART=name runs one part, PART=list names them)
	@python3 .ci/test.py $(PART)

bench: ## Run the benches (BENCH=name picks one) and write target/bench/results.jsonl
	@$(PYTHON) e2e/bench/run.py $(BENCH)

lab: ## Start a real Kubernetes with two nodes and AWS beside it, and say how to use it
	@e2e/lab/lab up --nodes 2 --aws

aws: ## Start the AWS emulator alone, and say how to use it
	@localstack/run --port 4566 --seed localstack/seeds/three-zones.json

build: ## Build the operator and the agent, optimised
	cargo build --locked --release -p fairway -p fairway-agent

fmt: ## Format the Rust code
	cargo fmt --all

clean: ## Remove labs and everything that was built
	-@e2e/lab/lab down --all
	rm -rf target
