# Everything here sets itself up: `make test` and `make all-figures` need only make and a Python that numba supports.
PYTHON ?= python3
SCALE ?= paper
JOBS ?=
VENV := .venv
BIN := $(VENV)/bin
RUN := $(BIN)/rflo-repro
OPTIONS := --scale $(SCALE) $(if $(JOBS),--jobs $(JOBS))

.PHONY: help setup all-figures confirm texts docs tutorials dist test test-long test-hours test-arm64 test-lowest test-newest check format lock clean

help:
	@echo "make all-figures [SCALE=smoke|quick|paper]   compute and draw every figure"
	@echo "make FIGURE      [SCALE=...]                 one figure, such as make fig2"
	@echo "make confirm     [SCALE=...]                 the networks that answer the claims, and the report"
	@echo "make texts                                   README and docs, their numbers from the tables"
	@echo "make docs                                    the documentation site, into build/docs"
	@echo "make tutorials                               their outputs, saved in docs/tutorials"
	@echo "make dist                                    what is published, into dist"
	@echo "make test                                    the tests: each kind of case once"
	@echo "make test-long | test-hours                  further cases of each kind, and those that take hours"
	@echo "make test-arm64                              the numbers on an emulated arm64, byte by byte"
	@echo "make test-lowest | test-newest               the tests with other versions of what is needed"
	@echo "make check                                   ruff and mypy"
	@echo "make setup | format | lock | clean"

setup: $(VENV)/.ready

$(VENV)/.ready: requirements.lock pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	touch $@

all-figures: setup
	$(RUN) all $(OPTIONS)

# hours at the paper's scale; each figure ends in its table, and what was stopped goes on
confirm: setup
	$(RUN) confirm $(OPTIONS)
	$(RUN) confirm --variant clipped $(OPTIONS)
	$(RUN) confirm --variant batches $(OPTIONS)
	$(RUN) report --scale $(SCALE)

texts: setup
	$(BIN)/python -m tools.write

# the tutorials are run, and a warning is an error
docs: $(VENV)/.docs
	rm -rf build/docs
	$(BIN)/python -m sphinx -q -W --keep-going -b html -c docs . build/docs

$(VENV)/.docs: docs/requirements.lock $(VENV)/.ready
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r docs/requirements.lock
	touch $@

# what the tutorials print and draw, for those who read them elsewhere than on the site
tutorials: $(VENV)/.docs
	$(BIN)/python -m tools.tutorials

dist: setup
	$(BIN)/hatchling build

# `make fig2`, `make fig3`, `make fig-gradient`, ...
fig%: setup
	$(RUN) $@ $(OPTIONS)

# A file's tests share what is costly to set up, so a worker takes whole files
TESTS := -m pytest --numprocesses auto --dist loadfile

# tests of a full disk need a small one: `.ci/run` mounts it and names it
DISK := $(if $(RFLO_REPRO_SMALL_DISK),,and not disk)

test: setup
	$(BIN)/python $(TESTS) -m "not long and not hours $(DISK)"

test-long: setup
	$(BIN)/python $(TESTS) -m "long and not hours $(DISK)"

test-hours: setup
	$(BIN)/python $(TESTS) -m "hours $(DISK)"

# qemu-user, debootstrap and root are needed; by hand, once a generation of the numbers
test-arm64: setup
	$(BIN)/python -m pip install --quiet uv
	$(BIN)/python -m pytest -m hours tests/robustness/test_arm64.py

# The tests with the lowest versions that pyproject.toml declares, and with the newest there are
test-lowest test-newest: setup
	$(BIN)/python -m pip install --quiet uv
	$(BIN)/uv venv --quiet --clear --python $(BIN)/python $(VENV)-$(@:test-%=%)
	$(BIN)/uv pip install --quiet --python $(VENV)-$(@:test-%=%) --resolution $(if $(@:test-newest=),lowest-direct,highest) \
	    --requirements pyproject.toml --extra dev --extra cluster --extra explore
	$(BIN)/uv pip install --quiet --python $(VENV)-$(@:test-%=%) --no-deps --no-build-isolation --editable .
	$(VENV)-$(@:test-%=%)/bin/python $(TESTS) -m "not long and not hours $(DISK)"

check: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	for platform in linux darwin win32; do $(BIN)/mypy --platform $$platform || exit 1; done
	$(BIN)/check-jsonschema --builtin-schema vendor.github-workflows .github/workflows/*.yml

format: setup
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# One lock for every Python that numba supports, what builds the package included; each file by its hash. The site's is
# of its own, so that tests need not wait for it, and has the same versions of what both need
LOCK := pip compile pyproject.toml --universal --no-header --no-strip-extras --generate-hashes
lock: setup
	$(BIN)/python -m pip install --quiet uv
	$(BIN)/uv $(LOCK) --python-version 3.10 --extra dev --extra cluster --extra explore --output-file requirements.lock
	$(BIN)/uv $(LOCK) --python-version 3.11 --extra docs --constraints requirements.lock --output-file docs/requirements.lock

clean:
	rm -rf $(VENV) $(VENV)-* .pytest_cache .mypy_cache .ruff_cache .hypothesis build dist *.egg-info
	rm -rf results/smoke results/quick results/custom figures/smoke figures/quick figures/custom
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
