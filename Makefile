# Two commands do everything on a fresh machine with CPython 3.11 or newer:
#
#     make demo    install databroker and fill a demonstration catalog
#     make test    install what the tests need, and run them

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: demo test lint bench bench-peers clean

demo: $(VENV)/demo
	$(BIN)/databroker demo

test: $(VENV)/test
	$(BIN)/python -m pytest -n auto --dist loadfile

lint: $(VENV)/test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: $(VENV)/test
	$(BIN)/python benchmarks/run.py

bench-peers: $(VENV)/test
	$(BIN)/python benchmarks/peers.py

clean:
	rm -rf $(VENV)

$(VENV)/python:
	$(PYTHON) -m venv $(VENV)
	touch $@

$(VENV)/demo: $(VENV)/python pyproject.toml
	$(BIN)/python -m pip install --quiet --editable '.[demo]'
	touch $@

$(VENV)/test: $(VENV)/python pyproject.toml
	$(BIN)/python -m pip install --quiet --editable '.[test,lint]'
	touch $@
