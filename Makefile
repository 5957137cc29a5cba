# Two commands for a user: make demo, make test. Each makes .venv on demand and does nothing twice.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check
EXTRAS := test$(if $(PEERS),$(comma)peers)
comma := ,
SOURCES := setup.py pyproject.toml $(shell find skrnn -name '*.pyx' -o -name '*.pxi')

.PHONY: demo test lint clean

demo: $(VENV)/installed
	$(BIN)/python examples/plot_quickstart.py

test: $(VENV)/installed $(if $(PEERS),$(VENV)/peers)
	$(if $(PEERS),SKRNN_REQUIRE_PEERS=1) $(BIN)/python -m pytest

lint: $(VENV)/lint
	$(BIN)/ruff check .
	$(BIN)/cython-lint skrnn

clean:
	rm -rf $(VENV) build *.egg-info
	find skrnn -name '*.so' -delete

# One editable build serves demo and test; it is made again when a source of the build changes.
$(VENV)/installed: $(SOURCES) | $(BIN)/python
	$(INSTALL) --editable '.[test]'
	touch $@

$(VENV)/peers: pyproject.toml | $(VENV)/installed
	$(INSTALL) torch==2.13.0
	touch $@

$(VENV)/lint: pyproject.toml | $(BIN)/python
	$(INSTALL) 'ruff>=0.12' 'cython-lint>=0.16'
	touch $@

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)
