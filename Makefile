# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
#
## make run        open the window; ARGS="..." is handed on to visualizer.py
## make test       ruff, mypy and the tests: what CI runs
## make check      the two-minute part of it, for every commit
## make nightly    all of it, with the tests that take minutes
## make matrix     for the night, too: every Python and torch that docs/install.md names, each in an environment that is removed
##                 again (a network, 7 GB of disk, an hour or two); ARGS="--list", ARGS="--only newest", ARGS="--help"
## make wheel      dist/*.whl with the CPU kernels compiled, for every Python and every torch
## make sdist      dist/*.tar.gz: the sources, which pip makes that wheel of
## make gpu        on a machine with an NVIDIA GPU: its tests, the memory checker, one table of measurements
##                 with PYTHON=python3 it needs no .venv and no network; ARGS="--quick", ARGS="--help", OPPONENT=...
## make install    only make what the others need: GL libraries, .venv, pinned packages
## make clean      remove .venv, caches and build outputs, nothing else
## JOBS=...       how many processes run tests (default: 2; each takes one thread, and up to 4 GB)
## PYTHON=...      the interpreter to make .venv with (default: the first one that is 3.11 or newer)

PYTHON =
ARGS =
JOBS = 2
OPPONENT ?=
PY = .venv/bin/python
# A file's tests stay in one process, for they share what they train and draw.
PYTEST = $(PY) -m pytest -n $(JOBS) --dist loadfile
DIST = dist

help:
	@sed -n 's/^## //p' Makefile

install:
	@PYTHON="$(PYTHON)" sh .ci/install

run: install
	@$(PY) visualizer.py $(ARGS)

lint: install
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	$(PY) -m mypy .

test: lint
	$(PYTEST)

check: lint
	$(PYTEST) -m "not slow and not nightly"

nightly: lint
	$(PYTEST) -m "slow or not slow"

# Environments of its own, and nothing of this one: any Python that is new enough runs it.
matrix: install
	@$(PY) tests/tools/matrix.py $(ARGS)

# The interpreter that is named, with what it has; nothing is installed for it.
GPU_PY = $(or $(PYTHON),$(PY))
gpu: export OPPONENT := $(OPPONENT)
gpu: $(if $(PYTHON),,install)
	@PYTHONPATH="tests:tests/cuda_ops$${PYTHONPATH:+:$$PYTHONPATH}" $(GPU_PY) -m gpu.report $(ARGS)

wheel: install
	PIP_CONSTRAINT=constraints.txt PIP_BUILD_CONSTRAINT=constraints.txt $(PY) -m pip wheel --no-deps -w $(DIST) .

sdist: install
	mkdir -p $(DIST)
	$(PY) -c 'from scikit_build_core.build import build_sdist; print(build_sdist("$(DIST)"))'

clean:
	rm -rf .venv build dist *.egg-info .mypy_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

.PHONY: help install run lint test check nightly matrix gpu wheel sdist clean
