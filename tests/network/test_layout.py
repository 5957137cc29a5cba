"""The flat parameter vector, its names and its initial values."""

import numpy as np
import pytest
from networks import FORMS
from sklearn.utils import check_random_state

from skrnn._network.initial_values import glorot_uniform, orthogonal
from skrnn._network.layout import ParameterLayout
from skrnn._network.network import RecurrentNetwork
from skrnn.kernels import CELLS


def test_views_share_the_vector_without_gaps():
    layout = ParameterLayout({"a.W": (2, 3), "a.b": (1, 3), "head.c": (2,)})
    theta = np.arange(11.0)
    views = layout.views(theta)
    np.testing.assert_array_equal(views["a.W"], [[0, 1, 2], [3, 4, 5]])
    np.testing.assert_array_equal(views["a.b"], [[6, 7, 8]])
    views["head.c"][:] = -1
    assert layout.size == 11
    np.testing.assert_array_equal(theta[9:], -1)


@pytest.mark.parametrize("extent", [2**31, 2**62, 10**30])
def test_a_size_that_no_memory_holds_is_an_error(extent):
    with pytest.raises(ValueError, match="does not fit into memory; expected a smaller hidden_size"):
        ParameterLayout({"U": (extent, extent)})


def test_glorot_uniform():
    bound = np.sqrt(6 / (30 + 50))
    values = glorot_uniform(30, 50, (300, 500), check_random_state(0))
    assert bound * 0.999 < np.abs(values).max() <= bound
    assert values.mean() == pytest.approx(0, abs=bound / 100)
    assert values.std() == pytest.approx(bound / np.sqrt(3), rel=0.01)


@pytest.mark.parametrize("n", [1, 2, 3, 40])
def test_orthogonal(n):
    Q = orthogonal(n, check_random_state(0))
    np.testing.assert_allclose(Q.T @ Q, np.eye(n), atol=1e-13)


def test_orthogonal_has_no_preferred_direction():
    """Haar measure: the entries have mean 0 and variance 1/n, and both determinants occur."""
    random_state = check_random_state(0)
    draws = np.array([orthogonal(4, random_state) for _ in range(2000)])
    np.testing.assert_allclose(draws.mean(axis=0), 0, atol=0.06)
    np.testing.assert_allclose(draws.var(axis=0), 1 / 4, atol=0.03)
    assert -0.1 < np.linalg.det(draws).mean() < 0.1


@pytest.mark.parametrize("form", FORMS, ids=str)
def test_initial_values(form):
    """Glorot for W, orthogonal U (the identity for relu), biases as the description says."""
    net = RecurrentNetwork(7, (6, 5), 2, *form, True, False)
    parameters = net.layout.views(net.initialize(check_random_state(0), np.float64))
    for layer in net.layers:
        K, gates = layer.n_units, layer.cell.gates
        bound = np.sqrt(6 / (layer.n_inputs + K))
        for name in layer.directions:
            assert 0.8 * bound < np.abs(parameters[f"{name}.W"]).max() <= bound
            for gate, U in zip(gates, np.split(parameters[f"{name}.U"], len(gates), axis=1), strict=True):
                np.testing.assert_allclose(U.T @ U, np.eye(K), atol=1e-13)
                assert (form[1] == "relu") == np.array_equal(U, np.eye(K)), gate
            b = parameters[f"{name}.b"].reshape(-1, len(gates), K)
            for gate, bias in zip(gates, b[0], strict=True):
                np.testing.assert_array_equal(bias, layer.cell.bias.get(gate, 0))
            np.testing.assert_array_equal(b[1:], 0)
    np.testing.assert_array_equal(parameters["head.c"], 0)


def test_only_the_forget_gates_of_an_lstm_begin_open():
    """In the minimal gated unit a forget gate near one takes the candidate, not the last state."""
    assert {name: cell.bias for name, cell in CELLS.items() if cell.bias} == {"lstm": {"f": 1}, "skip_lstm": {"f": 1}}


def test_initial_values_follow_the_random_state_and_the_dtype():
    net = RecurrentNetwork(3, (4,), 1, "lstm", "tanh", True, False, False)
    first, again, other = (net.initialize(check_random_state(seed), np.float64) for seed in (0, 0, 1))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)
    single = net.initialize(check_random_state(0), np.float32)
    assert single.dtype == np.float32
    np.testing.assert_array_equal(single, first.astype(np.float32))
