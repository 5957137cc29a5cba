"""Every loss: value against a plain formula, gradient against central differences, weights against repetition."""

import numpy as np
import pytest
from numerical import assert_gradient, central_differences

from skrnn.losses import LOSSES

pytestmark = pytest.mark.usefixtures("simd")


def example(name, rows=7, seed=0):
    rng = np.random.default_rng(seed)
    n_outputs = 1 if name == "binary_log_loss" else 3
    scores = 3 * rng.normal(size=(rows, n_outputs))
    if name == "binary_log_loss":
        return scores, rng.integers(2, size=rows)
    if name == "log_loss":
        return scores, rng.integers(3, size=rows)
    return scores, rng.normal(size=(rows, n_outputs))


VALUES = {
    "squared_error": lambda z, y: 0.5 * np.mean((z - y) ** 2, axis=1),
    "binary_log_loss": lambda z, y: -np.log(np.where(y == 1, 1 / (1 + np.exp(-z[:, 0])), 1 / (1 + np.exp(z[:, 0])))),
    "log_loss": lambda z, y: -np.log((np.exp(z) / np.exp(z).sum(axis=1, keepdims=True))[np.arange(len(y)), y]),
}


@pytest.fixture(params=LOSSES)
def name(request):
    return request.param


@pytest.mark.parametrize("weights", [None, np.array([1.0, 2, 0, 0.5, 3, 1, 1])], ids=["plain", "weighted"])
def test_value_and_gradient(name, weights):
    scores, targets = example(name)
    loss = LOSSES[name]
    value, gradient = loss.value_and_gradient(scores, targets, weights)
    assert value == pytest.approx(np.average(VALUES[name](scores, targets), weights=weights), rel=1e-13)
    assert_gradient(
        gradient, central_differences(lambda: loss.value_and_gradient(scores, targets, weights)[0], scores)
    )


def test_integer_weights_are_repetition(name):
    scores, targets = example(name)
    repeats = np.array([1, 2, 0, 3, 1, 1, 2])
    weighted, _ = LOSSES[name].value_and_gradient(scores, targets, repeats.astype(float))
    repeated, _ = LOSSES[name].value_and_gradient(scores.repeat(repeats, axis=0), targets.repeat(repeats, axis=0), None)
    assert weighted == pytest.approx(repeated, rel=1e-14)


@pytest.mark.parametrize("weights", [None, np.ones(7)], ids=["plain", "weighted"])
def test_float32_stays_float32(name, weights):
    scores, targets = example(name)
    scores = scores.astype(np.float32)
    if targets.ndim > 1:
        targets = targets.astype(np.float32)
    value, gradient = LOSSES[name].value_and_gradient(scores, targets, weights)
    assert isinstance(value, float)
    assert gradient.dtype == LOSSES[name].predict(scores).dtype == np.float32


@pytest.mark.parametrize("name", ["binary_log_loss", "log_loss"])
def test_huge_scores_neither_overflow_nor_lose_the_loss(name):
    scores, targets = example(name)
    scores *= 1e4
    value, gradient = LOSSES[name].value_and_gradient(scores, targets, None)
    assert np.isfinite(value)
    assert value > 100
    assert np.isfinite(gradient).all()
    p = LOSSES[name].predict(scores)
    np.testing.assert_allclose(p.sum(axis=1), 1)
    np.testing.assert_array_equal(p.argmax(axis=1), scores.argmax(axis=1) if name == "log_loss" else scores[:, 0] > 0)


@pytest.mark.parametrize("name", ["binary_log_loss", "log_loss"])
def test_probabilities(name):
    scores, _ = example(name)
    p = LOSSES[name].predict(scores)
    np.testing.assert_allclose(p.sum(axis=1), 1, rtol=1e-14)
    if name == "binary_log_loss":
        scores = np.column_stack([np.zeros(len(scores)), scores])
    expected = np.exp(scores[:, 1]) / np.exp(scores).sum(axis=1)
    np.testing.assert_allclose(p[:, 1], expected, rtol=1e-13)
