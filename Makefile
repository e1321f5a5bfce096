# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
#
## make run        open the window; ARGS="..." is handed on to visualizer.py
## make test       ruff, mypy and the tests: what CI runs
## make check      the two-minute part of it, for every commit
## make nightly    all of it, with the tests that take minutes
## make wheel      dist/*.whl with the CPU kernels compiled, for every Python and every torch
## make install    only make what the others need: GL libraries, .venv, pinned packages
## make clean      remove .venv, caches and build outputs, nothing else
## PYTHON=...      the interpreter to make .venv with (default: the first one that is 3.11 or newer)

PYTHON =
ARGS =
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

wheel: install
	PIP_CONSTRAINT=constraints.txt PIP_BUILD_CONSTRAINT=constraints.txt $(PY) -m pip wheel --no-deps -w dist .

clean:
	rm -rf .venv build dist *.egg-info .mypy_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

.PHONY: help install run lint test check nightly wheel clean
