# Two commands: `make demo` measures a scaling law on real text here; `make test` runs the suite.
.DEFAULT_GOAL := help
SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
export PIP_DISABLE_PIP_VERSION_CHECK := 1

# A folder left half-made by an interrupted install is made again: the stamp is written last.
define install
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "Python 3.11 or newer is needed; try: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; }
	@echo "installing into $(VENV): scaling[$(1)] ..."
	@$(BIN)/python -m pip install --quiet --editable '.[$(1)]'
	@touch $@
endef

.PHONY: help
help:  ## list these targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1\t\2/' | expand -t 22

$(VENV)/.installed-train: pyproject.toml
	$(call install,train)

$(VENV)/.installed-test: pyproject.toml
	$(call install,test)
	@touch $(VENV)/.installed-train

# The fit, the pictures and the page are made again when the runs or the code changed, and not otherwise.
DEMO := results/demo
CODE := $(shell find scaling conf sweeps -type f -not -name '*.pyc')

.PHONY: demo
demo: $(VENV)/.installed-train  ## a scaling law on real text, on this machine, in minutes: runs, fit, pictures, page
	@$(BIN)/scaling run demo
	@$(BIN)/scaling status demo
	@$(MAKE) --no-print-directory $(DEMO)/report.html
	@echo "the page: $(DEMO)/report.html, the pictures: $(DEMO)/figures"

$(DEMO)/report.html: $(DEMO)/ledger.parquet $(CODE)
	@$(BIN)/scaling fit demo
	@$(BIN)/scaling figures demo
	@$(BIN)/scaling report demo

# Neighbours stay on one worker, which makes a module's fixtures once, until the other has nothing left.
PYTEST := OMP_NUM_THREADS=1 MKL_NUM_THREADS=1 $(BIN)/python -m pytest -n 2 --dist worksteal

.PHONY: test
test: $(VENV)/.installed-test  ## the fast suite, in minutes
	@$(PYTEST) -m "not gpu and not slow" $(ARGS)

.PHONY: test-slow
test-slow: $(VENV)/.installed-test  ## the rest: committed results made again, kills, SLURM, Ray, long fits
	@$(PYTEST) -m "slow and not gpu" $(ARGS)

.PHONY: check
check: $(VENV)/.installed-test  ## lint and types
	@$(BIN)/ruff check .
	@$(BIN)/mypy

.PHONY: test-gpu
test-gpu: $(VENV)/.installed-test  ## what only a CUDA device can show
	@$(BIN)/python -m pytest -m gpu -rs $(ARGS)

.PHONY: bench-gpu
bench-gpu: $(VENV)/.installed-test  ## speed of this machine's GPU by shape, batch and switch, into results/bench/ (DEVICE=h100)
	@$(BIN)/python analysis/benchmarks/gpu_speed.py --device $(or $(DEVICE),cuda) $(ARGS)
	@$(BIN)/scaling bench device=$(or $(DEVICE),cuda)

.PHONY: wheel
wheel: $(VENV)/.installed-test  ## build the wheel into dist/
	@$(BIN)/python -m pip wheel --quiet --no-deps --wheel-dir dist .

.PHONY: clean
clean:  ## remove the environment and caches; results stay
	@rm -rf $(VENV) dist build .pytest_cache .mypy_cache .ruff_cache .hypothesis
