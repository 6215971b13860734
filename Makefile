# Each target sets up what it needs: a virtual environment in .venv with the package, built from source, and its tools.
# Needs Python 3.11 or newer (PYTHON=...), a C compiler and Rust (cargo).

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
SOURCES := Cargo.toml Cargo.lock pyproject.toml $(shell find rust -name '*.rs')

.PHONY: demo test lint bench quality wheel clean

## demo: select from the default pool, the functions of Python's standard library
demo: $(VENV)/built
	$(BIN)/python -m entropylaw.demo

## test: all tests of both languages
test: $(VENV)/built
	cargo test --quiet
	$(BIN)/python -m pytest

## lint: formatting, lints and types
lint: $(VENV)/built
	cargo fmt --check
	cargo clippy --quiet --all-targets -- -D warnings
	PYO3_BUILD_EXTENSION_MODULE=1 cargo clippy --quiet --features python -- -D warnings
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python -m mypy.stubtest entropylaw._core

## bench: speed against recompression and compressobj.copy(), in one run
bench: $(VENV)/built
	$(BIN)/python -m pytest benches --benchmark-only --benchmark-disable-gc --benchmark-columns=min,median,rounds

## quality: how well the methods' subsets of the demo pool predict held-out text, and how much junk they hold
quality: $(VENV)/built
	VIRTUAL_ENV=$(CURDIR)/$(VENV) $(BIN)/python -m pip install --quiet 'pyppmd>=1.1'
	$(BIN)/python benches/quality --budgets 500KB

## wheel: the wheel for PyPI, checked, installed where there is no cargo, and tried there
wheel: $(VENV)/tools
	BIN=$(BIN) PYTHON=$(PYTHON) .ci/wheel

clean:
	rm -rf $(VENV) target dist demo

$(VENV)/tools: pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet 'maturin>=1.9.4,<2'
	touch $@

$(VENV)/built: $(VENV)/tools $(SOURCES)
	VIRTUAL_ENV=$(CURDIR)/$(VENV) $(BIN)/maturin develop --release --quiet --extras dev
	touch $@
