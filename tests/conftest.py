import os

import pytest

# Two workers with two threads each on two processors: a thread that waits for the others of its region has to sleep.
# The runtime reads this when it is loaded, which skrnn does.
if "PYTEST_XDIST_WORKER" in os.environ:
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")

from skrnn import kernels


def pytest_addoption(parser):
    parser.addoption(
        "--quick", action="store_true",
        help="leave out tests marked slow, and all instruction sets but the widest",
    )


def pytest_collection_modifyitems(config, items):
    """Choose the instruction sets of each test, and let the longest tests begin first."""
    quick, widest = config.getoption("--quick"), kernels.available()[-1]

    def is_wanted(item):
        simd = getattr(item, "callspec", None) and item.callspec.params.get("simd")
        if simd not in (None, widest) and (quick or not item.get_closest_marker("every_simd")):
            return False
        return not (quick and item.get_closest_marker("slow"))

    items[:] = filter(is_wanted, items)
    items.sort(key=lambda item: item.get_closest_marker("slow") is None)


@pytest.fixture(params=kernels.available())
def simd(request, monkeypatch):
    """The kernels for an instruction set, here and in child processes; tests of the kernels ask for it.

    It is the widest of this processor, and with the mark `every_simd` each of them in turn.
    """
    monkeypatch.setenv("SKRNN_SIMD", request.param)
    monkeypatch.setattr(kernels, "instruction_set", request.param)
    monkeypatch.setattr(kernels, "_kernels", kernels.load(request.param))
    return request.param
