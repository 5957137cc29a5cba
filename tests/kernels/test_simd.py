"""The vector functions of every instruction set, over their whole range, and the choice of an instruction set."""

import subprocess
import sys

import numpy as np
import pytest

from skrnn import kernels
from skrnn.kernels import kernels_for

pytestmark = [pytest.mark.usefixtures("simd"), pytest.mark.every_simd]

# Bounds of the relative error, in multiples of the dtype's eps, as stated in docs/performance.md
BOUNDS = {"exp": 1, "exp2": 1, "logistic": 1.5, "tanh": 3}
EXACT = {
    "exp": np.exp, "exp2": np.exp2, "tanh": np.tanh,
    "logistic": lambda x: np.where(x < 0, np.exp(np.minimum(x, 0)), 1) / (1 + np.exp(-np.abs(x))),
}


@pytest.fixture(params=[np.float32, np.float64], ids=["single", "double"])
def dtype(request):
    return request.param


@pytest.fixture(params=BOUNDS)
def name(request):
    return request.param


def evaluate(name, x):
    y = np.empty_like(x)
    kernels_for(x.dtype).evaluate(name, x, y)
    return y


def everything(dtype):
    """Numbers of every magnitude and both signs, with what surrounds the limits of exp."""
    rng = np.random.default_rng(0)
    info = np.finfo(dtype)
    magnitudes = 2.0 ** rng.uniform(info.minexp - info.nmant, info.maxexp - 1e-6, size=20_000)
    around = np.concatenate([rng.uniform(-1.2, 1.2, 20_000) * limit for limit in (1, 10, 90, 130, 720, 1080)])
    return np.concatenate([magnitudes, -magnitudes, around]).astype(dtype)


def test_error_over_the_whole_range(name, dtype):
    """Relative to the exact value; results within 8 powers of two of the denormal numbers may be 0 or inexact."""
    x = everything(dtype)
    with np.errstate(over="ignore", under="ignore"):
        exact = EXACT[name](x.astype(np.longdouble))
        expected = exact.astype(dtype)
    y, info = evaluate(name, x), np.finfo(dtype)
    small = np.abs(exact) < info.tiny * 2**8
    assert (np.abs(y[small] - exact[small]) <= info.tiny * 2**8).all() or name == "tanh"
    if name == "tanh":
        small[:] = False
    rest = ~small & np.isfinite(expected)
    errors = np.abs(y[rest] - exact[rest]) / np.maximum(np.abs(exact[rest]), info.smallest_subnormal) / info.eps
    denormal = np.abs(exact[rest]) < info.tiny
    assert errors[~denormal].max() <= BOUNDS[name]
    np.testing.assert_allclose(y[rest][denormal], expected[rest][denormal], rtol=0, atol=2 * info.smallest_subnormal)
    np.testing.assert_array_equal(y[~small & ~np.isfinite(expected)], np.inf)


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("exp", [1, 1, 1, 1, np.inf, 0]), ("exp2", [1, 1, 1, 1, np.inf, 0]), ("logistic", [0.5, 0.5, 0.5, 0.5, 1, 0]),
        ("tanh", [0.0, -0.0, "x", "x", 1, -1]),
    ],
)
def test_special_values(name, values, dtype):
    tiny = np.finfo(dtype).smallest_subnormal
    x = np.array([0.0, -0.0, tiny, -tiny, np.inf, -np.inf], dtype)
    expected = np.array([x[i] if value == "x" else value for i, value in enumerate(values)], dtype)
    y = evaluate(name, x)
    np.testing.assert_array_equal(y, expected)
    np.testing.assert_array_equal(np.signbit(y), np.signbit(expected))
    assert np.isnan(evaluate(name, np.array([np.nan, -np.nan], dtype))).all()


def test_bounded_and_odd(dtype):
    x = everything(dtype)
    assert (np.abs(evaluate("tanh", x)) <= 1).all()
    np.testing.assert_array_equal(evaluate("tanh", -x), -evaluate("tanh", x))
    assert ((evaluate("logistic", x) >= 0) & (evaluate("logistic", x) <= 1)).all()


def test_a_value_does_not_depend_on_its_lane(name, dtype):
    x = np.random.default_rng(0).normal(size=40).astype(dtype)
    whole = evaluate(name, x)
    for i in range(len(x)):
        assert evaluate(name, x[i : i + 1]).tobytes() == whole[i : i + 1].tobytes()


def imported(setting):
    code = "from skrnn import kernels; print(kernels.instruction_set, kernels.kernels_for('float32').__name__)"
    return subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code], env={"SKRNN_SIMD": setting}, capture_output=True, text=True
    )


@pytest.mark.slow
def test_the_environment_chooses(simd):
    done = imported(simd)
    assert done.stdout.split() == [simd, f"skrnn.kernels._{simd}_float32"], done.stderr


@pytest.mark.slow
def test_the_widest_by_default():
    assert imported("").stdout.split()[0] == kernels.available()[-1]


@pytest.mark.slow
def test_an_unknown_choice_is_an_error():
    done = imported("mmx")
    assert done.returncode == 1
    assert "ImportError: SKRNN_SIMD=mmx: expected one of baseline, avx2, avx512" in done.stderr


def test_an_impossible_choice_is_an_error(monkeypatch):
    monkeypatch.setattr(kernels, "instruction_sets", lambda: ["baseline"])
    with pytest.raises(ImportError, match=r"SKRNN_SIMD=avx512: this processor or this build .* but baseline"):
        kernels.choose("avx512")
    assert kernels.choose("") == "baseline"
