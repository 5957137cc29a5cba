"""Functions that ONNX has no operator for, run by ONNX Runtime."""

import numpy as np
import pytest
from onnx_models import run

from skrnn._training import distributions
from skrnn.exceptions import ExportError
from skrnn.export._onnx import functions, single_precision
from skrnn.export._onnx.graph import DEFAULT_OPSET, Graph

FUNCTIONS = {
    "log1p": (np.log1p, np.geomspace(1e-38, 1e38, 200)),
    "softplus": (distributions.softplus, np.concatenate([np.linspace(-87, 88, 200), [-1e30, 1e30, 0]])),
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_no_digits_are_lost(name):
    expected, x = FUNCTIONS[name]
    g, x = Graph(DEFAULT_OPSET), np.append(x, 0).astype(np.float32)
    g.output("y", getattr(functions, name)(g, g.input("x", np.float32, ("n",))), np.float32, ("n",))
    np.testing.assert_allclose(run(g.model(), x=x)["y"], expected(x.astype(float)), rtol=5e-7, atol=1e-38)


@pytest.mark.parametrize("center", [1e-3, 2026.123456789, 1.7e9 + 0.4])
def test_centers_have_more_digits_than_float32(center):
    x = (np.float32(center) + np.arange(-512, 513, 256)).astype(np.float32)
    g = Graph(DEFAULT_OPSET)
    y = single_precision.centered(g, g.input("x", np.float32, ("n",)), np.array(center))
    g.output("y", y, np.float32, ("n",))
    np.testing.assert_allclose(run(g.model(), x=x)["y"], x.astype(float) - center, rtol=1e-6)


@pytest.mark.parametrize(("function", "number"), [
    (single_precision.as_float32, -1e39), (single_precision.divisors_as_float32, 1e-39),
    (single_precision.divisors_as_float32, 1e39),
])
def test_what_float32_cannot_hold(function, number):
    with pytest.raises(ExportError, match=r"scale of y\[1\] is .*e[+-]39, beyond float32.*nearer to 1"):
        function("scale of y", np.array([1.0, number]))
