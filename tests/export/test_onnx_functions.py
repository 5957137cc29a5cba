"""Functions that ONNX has no operator for, run by ONNX Runtime."""

import numpy as np
import pytest
from onnx_models import run

from skrnn._training import distributions
from skrnn.export._onnx import functions
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
