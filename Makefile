# Every target first brings .venv and node_modules up to date, which takes a tenth of a second when they are.

PYTHON ?= python3
BIN = .venv/bin
READY = $(PYTHON) scripts/bootstrap.py --quiet
# Set-up puts a Node into .venv where the machine has none.
RUN = PATH="$(CURDIR)/$(BIN):$$PATH"
JOBS ?= auto
ARGS ?=

.DEFAULT_GOAL := help
.PHONY: help setup demo test check fmt contracts lock bench screenshots wheel clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' Makefile

setup: ## install everything into .venv and node_modules
	@$(PYTHON) scripts/bootstrap.py

demo: ## play the whole story on a local chain and open both apps (HEADLESS=1: without a browser)
	@$(READY)
	@$(RUN) $(BIN)/chain demo $(if $(filter-out 0 no false,$(HEADLESS)),--headless) $(ARGS)

test: ## run the tests (ARGS="-k round -x", JOBS=0 for one process)
	@$(READY)
	@$(RUN) $(BIN)/pytest --numprocesses $(JOBS) --dist loadgroup $(ARGS)

check: ## format, lint, types, import rules, templates, contracts, in under 30 s
	@$(READY)
	@$(RUN) $(BIN)/python scripts/check.py

fmt: ## format the code and mend what the linter can
	@$(READY)
	@$(BIN)/ruff check --quiet --fix-only .
	@$(BIN)/ruff format .
	@if ls contracts/*.sol >/dev/null 2>&1; then $(RUN) $(BIN)/python scripts/check.py --format-contracts; fi

contracts: ## compile the contracts into chain_common/artifacts
	@$(READY)
	@$(RUN) $(BIN)/python scripts/build_contracts.py

lock: ## pin the newest versions that requirements/*.in and package.json allow
	@$(READY)
	@$(RUN) $(BIN)/python scripts/lock.py $(ARGS)

bench: ## measure, and write the figures that the README quotes
	@$(READY)
	@$(RUN) $(BIN)/python -m tests.bench $(ARGS)

screenshots: ## photograph every page at three widths in both themes
	@$(READY)
	@$(RUN) $(BIN)/python scripts/screenshots.py $(ARGS)

wheel: ## build dist/*.whl
	@$(READY)
	@$(BIN)/python -m build --wheel --no-isolation --outdir dist

clean: ## remove what can be made again (ALL=1: .venv and node_modules too)
	rm -rf build dist .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis screenshots
	$(if $(ALL),rm -rf .venv .tools node_modules chain_common/web/static/vendor)
