"""The example of SHAP values, which needs shap."""

import os
import runpy
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]       # of what shap imports
EXAMPLE = Path(__file__).parents[2] / "examples" / "shap_values.py"


def test_values_are_exact_and_add_up():
    if not os.environ.get("SKRNN_REQUIRE_PEERS"):
        pytest.importorskip("shap")
    names = runpy.run_path(str(EXAMPLE))
    difference = names["everyone"] - names["nobody"]
    assert difference > 0.9
    assert_allclose(names["estimates"][4096], names["exact"], atol=1e-6)
    assert np.abs(names["estimates"][300] - names["exact"]).max() < 0.05
    for parts in (names["exact"], names["estimates"][300], names["in_time"]):
        assert parts.sum() == pytest.approx(difference, abs=1e-6)
    assert names["along_the_way"].sum() == pytest.approx(difference, rel=2e-3)
    assert names["in_time"].argmax() == 3       # who speaks was heard late
