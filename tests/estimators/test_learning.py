"""It learns: tasks that need memory, on sequences that were not trained on."""

import numpy as np
import pytest

from skrnn import RNNClassifier, RNNRegressor
from skrnn.datasets import make_adding, make_delayed_echo
from skrnn.kernels import CELLS

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
TRAINING = {"learning_rate_init": 1e-2, "max_grad_norm": 1.0, "random_state": 0}


@pytest.mark.slow
@pytest.mark.parametrize("cell", ["gru", "lstm"])
def test_adding_two_of_fifty_numbers(cell):
    X, y = make_adding(2500, 50, random_state=0)
    X, y, X_test, y_test = X[:2000].astype(np.float32), y[:2000], X[2000:].astype(np.float32), y[2000:]
    net = RNNRegressor(32, cell=cell, batch_size=50, max_iter=30, alpha=0, **TRAINING).fit(X, y)
    assert np.var(y_test) > 0.14
    assert np.mean((net.predict(X_test) - y_test) ** 2) < 0.01


@pytest.mark.parametrize("cell", CELLS)
def test_parity_of_one_to_eight_bits(cell):
    """No share of the bits tells anything about their parity: every step has to be remembered."""
    rng = np.random.default_rng(0)
    X = [rng.integers(2, size=T).astype(np.float32) for T in rng.integers(1, 9, size=1000)]
    y = np.array([x.sum() % 2 for x in X])
    net = RNNClassifier(16, cell=cell, batch_size=20, max_iter=60, tol=0, n_iter_no_change=60, **TRAINING)
    assert net.fit(X[:700], y[:700]).score(X[700:], y[700:]) > 0.95


@pytest.mark.parametrize("cell", CELLS)
def test_echo_of_the_input_five_steps_later(cell):
    """The first five steps have no target."""
    X, y = make_delayed_echo(200, (20, 39), delay=5, random_state=0)
    X, y = [4 * x.astype(np.float32) for x in X], [4 * t for t in y]
    net = RNNRegressor(24, cell=cell, batch_size=20, max_iter=60, return_sequences=True, **TRAINING)
    assert net.fit(X[:150], y[:150]).score(X[150:], y[150:]) > 0.97


def test_a_bidirectional_net_sees_what_comes_later():
    """The target of each step is the next input: no use to a net that reads forwards only."""
    rng = np.random.default_rng(0)
    X = [rng.normal(size=T).astype(np.float32) for T in rng.integers(5, 15, size=200)]
    y = [np.append(x[1:], np.float32(0)) for x in X]
    both, forwards = (
        RNNRegressor(12, cell="gru", bidirectional=b, batch_size=20, max_iter=60, return_sequences=True, **TRAINING)
        for b in (True, False)
    )
    assert both.fit(X[:150], y[:150]).score(X[150:], y[150:]) > 0.95
    assert forwards.fit(X[:150], y[:150]).score(X[150:], y[150:]) < 0.3
