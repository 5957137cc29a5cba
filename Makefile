# Two commands for a user: make demo, make test. Each makes .venv on demand and does nothing twice.
# While working on the code: make check, the quick tests, three to four minutes.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# Most of what is installed is never imported. Python compiles the rest to bytecode at the first import, and keeps that.
PIP_INSTALL := -m pip install --quiet --disable-pip-version-check --no-compile
INSTALL := $(BIN)/python $(PIP_INSTALL)
export PYTHONDONTWRITEBYTECODE :=
SOURCES := setup.py pyproject.toml $(shell find skrnn -name '*.pyx' -o -name '*.pxi' -o -name '*.h')
# The oldest versions of all dependencies, and of what the tests use, from the lower bounds of pyproject.toml
FLOORS := .venv-floors
FLOOR_TESTS := $(addprefix tests/, test_architecture.py docs/test_docstrings.py runtime dask data/test_schemas.py \
	estimators/test_callbacks.py estimators/test_diagrams.py estimators/test_ecosystem.py \
	estimators/test_estimators.py export/test_onnx_graph.py forecasting inspection/test_confusion_display.py \
	inspection/test_displays.py inspection/test_permutation.py inspection/test_search_display.py \
	preprocessing/test_long.py preprocessing/test_scaler.py storage/test_model_files.py training/test_report.py \
	training/test_solvers.py)
EXTRAS := $(addprefix $(VENV)/, examples test peers lint bench)
# As many workers as processors; one that has no tests left takes over some of another's.
PARALLEL := -n auto --dist worksteal

.NOTPARALLEL:
.PHONY: demo check test test-floors test-arm64 lint figures bench study clean

demo: $(VENV)/examples
	$(BIN)/python examples/gallery.py plot_quickstart

# PYTEST="-k streams" for some of them
check: $(VENV)/test
	$(BIN)/python -m pytest $(PARALLEL) --quick $(PYTEST)

test: $(VENV)/$(if $(PEERS),peers,test)
	$(if $(PEERS),SKRNN_REQUIRE_PEERS=1) $(BIN)/python -m pytest $(PARALLEL) $(PYTEST)

# The modules that were built serve here, too; what a child process imports is this tree.
test-floors: $(VENV)/installed $(FLOORS)/installed
	PYTHONPATH="$(CURDIR)" $(FLOORS)/bin/python -m pytest $(PARALLEL) --quick $(FLOOR_TESTS) $(PYTEST)

# Cells and bits as 64-bit Arm computes them, under qemu; says what to install where a tool of it is missing
test-arm64: $(BIN)/python
	PYTHON=$(BIN)/python .ci/arm64/run $(PYTEST)

# cython-lint looks for its own helper, pycodestyle, on the path
lint: $(VENV)/lint
	$(BIN)/ruff check .
	PATH="$(CURDIR)/$(BIN):$$PATH" cython-lint skrnn

# All pictures of the documentation: what the examples draw, and the speed that `make bench` has measured
figures: $(VENV)/test
	$(BIN)/python examples/gallery.py --into docs/figures
	$(BIN)/python benchmarks/figures.py docs/measurements/performance.json docs/figures

# Compares with PyTorch, JAX, ONNX Runtime and skorch; an hour. BENCH="--quick --sizes small" for less.
bench: $(VENV)/bench
	$(BIN)/python benchmarks/bench.py --json docs/measurements/performance.json --figures docs/figures $(BENCH) \
		| tee docs/measurements/performance.txt

# The defaults over the open suite, beside published figures and others' defaults, nets together, and forecasts
study: $(VENV)/bench
	$(BIN)/python benchmarks/defaults.py --seeds 5 | tee docs/measurements/study.txt
	$(BIN)/python benchmarks/published.py | tee -a docs/measurements/study.txt
	$(BIN)/python benchmarks/untouched.py && $(BIN)/python benchmarks/untouched.py --print | tee docs/measurements/untouched.txt
	$(BIN)/python benchmarks/ensembles.py | tee docs/measurements/ensembles.txt
	$(BIN)/python benchmarks/forecasts.py

clean:
	rm -rf $(VENV) $(FLOORS) .arm64 build *.egg-info
	find skrnn -name '*.so' -delete

# One editable build serves every target; it is made again when a source of the build changes.
$(VENV)/installed: $(SOURCES) | $(BIN)/python
	$(INSTALL) --editable .
	touch $@

# skrnn itself is there already, so this adds only what the extra of that name lists.
$(EXTRAS): $(VENV)/%: $(VENV)/installed
	$(INSTALL) 'skrnn[$*]'
	touch $@

$(FLOORS)/installed: pyproject.toml .ci/floors.py
	$(PYTHON) -m venv $(FLOORS)
	$(PYTHON) .ci/floors.py > $(FLOORS)/requirements.txt
	$(FLOORS)/bin/python $(PIP_INSTALL) --only-binary :all: --requirement $(FLOORS)/requirements.txt
	touch $@

$(BIN)/python:
	$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); exit 1; }
