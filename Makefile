# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
#
## make run        open the window; ARGS="..." is handed on to visualizer.py
## make test       ruff, mypy and the tests: what CI runs
## make check      the two-minute part of it, for every commit
## make nightly    all of it, with the tests that take minutes
## make wheel      dist/*.whl with the CPU kernels compiled, for every Python and every torch
## make gpu        on a machine with an NVIDIA GPU: its tests, the memory checker, one table of measurements
##                 with PYTHON=python3 it needs no .venv and no network; ARGS="--quick", ARGS="--help", OPPONENT=...
## make install    only make what the others need: GL libraries, .venv, pinned packages
## make clean      remove .venv, caches and build outputs, nothing else
## PYTHON=...      the interpreter to make .venv with (default: the first one that is 3.11 or newer)

PYTHON =
ARGS =
OPPONENT ?=
PY = .venv/bin/python

help:
	@sed -n 's/^## //p' Makefile

install:
	@PYTHON="$(PYTHON)" sh .ci/install

run: install
	@$(PY) visualizer.py $(ARGS)

lint: install
	$(PY) -m ruff check .
	$(PY) -m mypy .

test: lint
	$(PY) -m pytest

check: lint
	$(PY) -m pytest -m "not slow and not nightly"

nightly: lint
	$(PY) -m pytest -m "slow or not slow"

# The interpreter that is named, with what it has; nothing is installed for it.
GPU_PY = $(or $(PYTHON),$(PY))
gpu: export OPPONENT := $(OPPONENT)
gpu: $(if $(PYTHON),,install)
	@PYTHONPATH="tests:tests/cuda_ops$${PYTHONPATH:+:$$PYTHONPATH}" $(GPU_PY) -m gpu.report $(ARGS)

wheel: install
	PIP_CONSTRAINT=constraints.txt PIP_BUILD_CONSTRAINT=constraints.txt $(PY) -m pip wheel --no-deps -w dist .

clean:
	rm -rf .venv build dist *.egg-info .mypy_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

.PHONY: help install run lint test check nightly gpu wheel clean
