import gc
import os
import sys

import pytest

# Two workers with two threads each on two processors: a thread that waits for the others of its region has to sleep.
# The runtime reads this when it is loaded, which skrnn does.
if "PYTEST_XDIST_WORKER" in os.environ:
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
# Figures are drawn without a screen
os.environ.setdefault("MPLBACKEND", "Agg")

from skrnn import kernels

# Files with tests that take up to a minute
LONGEST = {"test_build.py", "test_docs.py", "test_examples.py", "test_interrupted_training.py"}


def pytest_addoption(parser):
    parser.addoption(
        "--quick", action="store_true",
        help="leave out tests marked slow, and all instruction sets but the widest",
    )


def pytest_generate_tests(metafunc):
    """Choose the instruction sets of a test of the kernels."""
    if "simd" in metafunc.fixturenames:
        there, mark = kernels.available(), metafunc.definition.get_closest_marker("every_simd")
        chosen = there if mark and not metafunc.config.getoption("--quick") else there[-1:]
        among = mark.kwargs.get("among", there) if mark else there
        metafunc.parametrize("simd", [name for name in chosen if name in among], indirect=True)


def pytest_collection_modifyitems(config, items):
    """Leave out slow tests where they are not wanted, and let them begin first where they are, the longest before all.

    So that at the end no worker waits for a long test of another one.
    """
    if config.getoption("--quick"):
        items[:] = (item for item in items if not item.get_closest_marker("slow"))
    items.sort(key=lambda item: (item.get_closest_marker("slow") is None, item.path.name not in LONGEST))


def pytest_collection_finish(session):
    """Leave what is there now out of the garbage collections of the tests, which would visit it hundreds of times."""
    gc.collect()
    gc.freeze()


@pytest.fixture
def simd(request, monkeypatch):
    """The kernels for an instruction set, here and in child processes; tests of the kernels ask for it.

    It is the widest of this processor, and with the mark `every_simd` each of them in turn, or each of those `among`.
    """
    monkeypatch.setenv("SKRNN_SIMD", request.param)
    monkeypatch.setattr(kernels, "instruction_set", request.param)
    monkeypatch.setattr(kernels, "_kernels", kernels.load(request.param))
    return request.param


@pytest.fixture(autouse=True)
def close_figures():
    """pyplot warns of more than twenty open figures."""
    yield
    if "matplotlib.pyplot" in sys.modules:
        sys.modules["matplotlib.pyplot"].close("all")
