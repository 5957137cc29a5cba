import pytest

from skrnn import kernels as cells


@pytest.fixture(params=cells.available())
def simd(request, monkeypatch):
    """Every instruction set of this processor in turn, here and in child processes; tests of the kernels ask for it."""
    monkeypatch.setenv("SKRNN_SIMD", request.param)
    monkeypatch.setattr(cells, "_kernels", cells.load(request.param))
    return request.param
