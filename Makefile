# Two commands do everything on a fresh machine with CPython 3.11 or newer:
#
#     make demo    install databroker and fill a demonstration catalog
#     make test    install what the tests need, and run them

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: demo test lint coverage bench bench-peers clients side-by-side versions clean

demo: $(VENV)/demo
	$(BIN)/databroker demo

# Of modules that are compiled once, the processes that tests start have the most.
test: export PYTHONDONTWRITEBYTECODE =
test: $(VENV)/test
	$(BIN)/python -m pytest -n auto --dist loadfile

lint: $(VENV)/test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

coverage: $(VENV)/test
	$(BIN)/python -m pytest -n auto --dist loadfile --cov=databroker --cov-report=term:skip-covered

bench: $(VENV)/test
	$(BIN)/python benchmarks/run.py

bench-peers: $(VENV)/test
	$(BIN)/python benchmarks/peers.py

clients: $(VENV)/test
	$(BIN)/python tests/clients/run.py --write

side-by-side: $(VENV)/test
	$(BIN)/python tests/side_by_side/files.py --write
	$(BIN)/python tests/side_by_side/run.py --write
	$(BIN)/python tests/side_by_side/mongo_adapter.py --write

versions: $(VENV)/python
	$(BIN)/python tests/versions/run.py

clean:
	rm -rf $(VENV)

$(VENV)/python:
	@echo "Making $(VENV) with $$($(PYTHON) --version) ..."
	@$(PYTHON) -m venv $(VENV)
	@touch $@

$(VENV)/demo: EXTRAS := demo
$(VENV)/demo: $(VENV)/python pyproject.toml
	$(install)
	@touch $@

$(VENV)/test: EXTRAS := test,test-tiled,lint
$(VENV)/test: $(VENV)/python pyproject.toml
	$(install)
	@touch $@

# Left alone, pip says either nothing for a minute or several hundred lines: so
# the names of the packages as they come, and whatever it has to say if it fails.
define install
@echo "Installing databroker, which takes a minute or two. Packages:"
@{ $(BIN)/python -m pip install --progress-bar off --editable '.[$(EXTRAS)]' || echo FAILED; } | \
	while read -r first second rest; do case "$$first $$second" in \
		Collecting*) printf ' %s' "$${second%%[][<>=!~;]*}" ;; \
		"Installing collected") printf '\nUnpacking them ...\n' ;; \
		FAILED*) exit 1 ;; \
	esac; done
endef
