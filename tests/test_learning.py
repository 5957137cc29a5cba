"""It learns: tasks that need memory, on sequences that were not trained on."""

import numpy as np
import pytest

from skrnn import RNNClassifier, RNNRegressor

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
TRAINING = {"learning_rate_init": 1e-2, "max_grad_norm": 1.0, "random_state": 0}


def adding_problem(n, T, rng):
    """Values in [0, 1] and two marked steps, one in each half; the target is the sum of the marked values.

    The variance of the target is 1/6, the mean squared error of the constant answer. Hochreiter & Schmidhuber (1997).
    """
    values, marks = rng.random((n, T)), np.zeros((n, T))
    marks[np.arange(n), rng.integers(T // 2, size=n)] = 1
    marks[np.arange(n), rng.integers(T // 2, T, size=n)] = 1
    X = np.stack([values, marks], axis=2)
    return X.astype(np.float32), (values * marks).sum(axis=1).astype(np.float32)


@pytest.mark.parametrize("cell", ["gru", "lstm"])
def test_adding_two_of_fifty_numbers(cell):
    rng = np.random.default_rng(0)
    X, y = adding_problem(2000, 50, rng)
    X_test, y_test = adding_problem(500, 50, rng)
    net = RNNRegressor(32, cell=cell, batch_size=50, max_iter=30, alpha=0, **TRAINING).fit(X, y)
    assert np.var(y_test) > 0.14
    assert np.mean((net.predict(X_test) - y_test) ** 2) < 0.01


@pytest.mark.parametrize("cell", ["rnn", "gru", "lstm", "skip_lstm"])
def test_parity_of_one_to_eight_bits(cell):
    """No share of the bits tells anything about their parity: every step has to be remembered."""
    rng = np.random.default_rng(0)
    X = [rng.integers(2, size=T).astype(np.float32) for T in rng.integers(1, 9, size=1000)]
    y = np.array([x.sum() % 2 for x in X])
    net = RNNClassifier(16, cell=cell, batch_size=20, max_iter=60, tol=0, n_iter_no_change=60, **TRAINING)
    assert net.fit(X[:700], y[:700]).score(X[700:], y[700:]) > 0.95


@pytest.mark.parametrize("cell", ["rnn", "gru", "lstm", "skip_lstm"])
def test_echo_of_the_input_five_steps_later(cell):
    rng = np.random.default_rng(0)
    X = [rng.normal(size=T).astype(np.float32) for T in rng.integers(20, 40, size=200)]
    y = [np.concatenate([np.zeros(5, np.float32), x[:-5]]) for x in X]
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
