import pytest

from skrnn import kernels


@pytest.fixture(params=kernels.available())
def simd(request, monkeypatch):
    """Every instruction set of this processor in turn, here and in child processes; tests of the kernels ask for it."""
    monkeypatch.setenv("SKRNN_SIMD", request.param)
    monkeypatch.setattr(kernels, "_kernels", kernels.load(request.param))
    return request.param
