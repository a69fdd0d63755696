# The commands of the project, for a bare machine with Python ≥ 3.11 and make.
.DEFAULT_GOAL := help
PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
OUT    ?= report

LESSON ?= 1

# How many tests run at the same time; WORKERS=0 runs them in one process.
WORKERS ?= auto

# Tests start hundreds of processes: each would compile all modules anew where the machine forbids to keep them.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help reproduce test fast browser coq formal bench docs tables lesson record-sample clean

## help: say what each target does
help:
	@sed -n 's/^## \([a-z-]*\): /\1\t/p' $(MAKEFILE_LIST) | expand -t 16

## reproduce: install into .venv and write the report to report/
reproduce: $(VENV)/installed
	$(BIN)/paging reproduce -o $(OUT)

## test: install with the test extra (and the peers that some tests compare with), then ruff, mypy and pytest
test: $(VENV)/installed-test browser coq
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python -m pytest -n $(WORKERS) --dist loadgroup

## fast: the tests that are not marked slow, for between two edits
fast: $(VENV)/installed-test
	$(BIN)/python -m pytest -n $(WORKERS) --dist loadgroup -m "not slow"

## browser: what the browser tests need beside Python, where it can be had; without it they are skipped
browser:
	@for name in chromium chromium-browser google-chrome; do command -v $$name >/dev/null && exit 0; done; false \
	|| { [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null \
	     && apt-get update -qq && apt-get install -y -qq --no-install-recommends chromium >/dev/null; } \
	|| echo "browser tests will be skipped: no chromium, and no way to install it here"
	@[ -d tests/browser/node_modules/axe-core ] \
	|| npm ci --silent --no-audit --no-fund --prefix tests/browser \
	|| echo "accessibility tests will be skipped: npm could not install axe-core"
	@[ -d docs/node_modules/katex ] || npm ci --silent --no-audit --no-fund --prefix docs \
	|| echo "formulas of the site will not be tested: npm could not install KaTeX"

## coq: what the machine-checked theorems need, where it can be had; without it they are skipped
coq:
	@command -v coqc >/dev/null && command -v ocamlopt >/dev/null \
	|| { [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null && apt-get update -qq \
	     && apt-get install -y -qq --no-install-recommends coq libcoq-mathcomp-ssreflect ocaml-nox >/dev/null; } \
	|| echo "machine-checked theorems will be skipped: no coqc, and no way to install it here"

## formal: check the theorems of proofs/formal with Coq, and build the verified checker, build/formal/certify
formal: coq
	@rm -rf build/formal && mkdir -p build
	@sh proofs/formal/check.sh build/formal

## bench: compare the kernels with a peer package in one run
bench: $(VENV)/installed-test
	$(BIN)/python -m pytest tests/bench --benchmark-only -s

## docs: build the documentation site in build/docs, with warnings as errors
docs: $(VENV)/installed-test
	@[ -d docs/node_modules/katex ] || npm ci --silent --no-audit --no-fund --prefix docs \
	|| echo "formulas will stay as they are written: npm could not install KaTeX"
	$(BIN)/sphinx-build -W --keep-going -q docs build/docs

## tables: write the tables of docs that come from registries anew
tables: $(VENV)/installed-test
	$(BIN)/python -m paging.cli.docs docs/cli.md
	$(BIN)/python -m proofs.bounds.docs docs/bounds.md
	$(BIN)/python -m proofs.play.docs docs/play.md
	$(BIN)/python -m adversary.docs
	$(BIN)/python -m tests.helpers.trusted

## lesson: open a lesson in the browser, make lesson LESSON=2 the second one
lesson: $(VENV)/installed-lessons
	$(BIN)/paging lesson $(LESSON)

## record-sample: train the tiny models for some minutes and record the sample traces anew (needs torch)
record-sample: $(VENV)/installed-record
	$(BIN)/python -m tests.helpers.tiny_models

## clean: remove the virtual environment and what tools left behind
clean:
	rm -rf $(VENV) tests/browser/node_modules docs/node_modules build docs/generated *.egg-info
	rm -rf .pytest_cache .mypy_cache .ruff_cache .hypothesis .benchmarks

$(VENV)/bin/python:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed")'
	$(PYTHON) -m venv $(VENV)

$(VENV)/installed: pyproject.toml constraints.txt | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable .
	touch $@

$(VENV)/installed-test: pyproject.toml constraints.txt | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[test,docs,lessons,bench,ortools,highs]'
	touch $@

$(VENV)/installed-lessons: pyproject.toml constraints.txt | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[lessons]'
	touch $@

$(VENV)/installed-record: pyproject.toml constraints.txt | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[record]'
	touch $@
