# Two commands on a fresh machine with Python 3.11 or 3.12 and make: `make demo` and `make test`.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
ROBOSUITE := $(shell grep -o 'robosuite==[0-9.]*' pyproject.toml | head -n 1)
WORKERS ?= 2
export OMP_NUM_THREADS ?= 1

# The folders as they are installed, in one place, for those that read code without importing it.
SOURCES := build/mypy
.PHONY: setup demo test test-all results results-quick sources lint docs clean

setup: $(STAMP)

# robosuite goes in without its own requirements: they name pynput, which compiles evdev against kernel headers and is
# only used by keyboard teleoperation. What hiermap uses of robosuite is pinned in constraints.txt.
$(STAMP): pyproject.toml constraints.txt
	$(PYTHON) -c "import sys; sys.exit(0 if (3, 11) <= sys.version_info < (3, 13) else 'hiermap needs Python 3.11 or 3.12, got ' + sys.version.split()[0] + '; try: make PYTHON=python3.11')"
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r constraints.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps $(ROBOSUITE)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	touch $(STAMP)

demo: setup
	$(BIN)/python -m hiermap.evaluation.demo demo overwrite=true

sources:
	rm -rf $(SOURCES) && mkdir -p $(SOURCES)/hiermap
	ln -s $(addprefix $(CURDIR)/,$(wildcard hiermap/*) worlds primitives planners configs) $(SOURCES)/hiermap

lint: setup sources
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

# The documentation as a site, in build/site.
docs: setup sources
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict

test: lint
	$(BIN)/python -m pytest -n $(WORKERS) -m "not slow"

test-all: lint
	$(BIN)/python -m pytest -n $(WORKERS)

# Test seeds, for hours: prints how many beforehand, goes on where it stopped, keeps what is finished.
results: setup
	$(BIN)/python benchmarks/results.py workers=$(WORKERS) data=$(DATA)

# Validation seeds, at most half an hour on two cores.
results-quick: setup
	$(BIN)/python benchmarks/results.py quick=true workers=$(WORKERS)

clean:
	rm -rf $(VENV) build dist *.egg-info
