"""Every loss: value against a plain formula, gradient against central differences, weights against repetition."""

import numpy as np
import pytest
from networks import make_loss, outputs_of, targets_for
from numerical import assert_gradient, central_differences
from scipy.special import xlogy

from skrnn._training.losses import LOSSES

pytestmark = [pytest.mark.usefixtures("simd"), pytest.mark.every_simd]


def example(name, rows=7, seed=0):
    rng = np.random.default_rng(seed)
    return 3 * rng.normal(size=(rows, outputs_of(name))), targets_for(name, rows, rng)


def logistic(z):
    return 1 / (1 + np.exp(-z))


VALUES = {
    "squared_error": lambda z, y: 0.5 * np.mean((z - y) ** 2, axis=1),
    "absolute_error": lambda z, y: np.mean(np.abs(z - y), axis=1),
    "huber": lambda z, y: np.mean(
        np.where(np.abs(z - y) <= 0.7, 0.5 * (z - y) ** 2, 0.7 * (np.abs(z - y) - 0.35)), axis=1
    ),
    "quantile": lambda z, y: np.mean(np.where(y >= z, 0.3 * (y - z), 0.7 * (z - y)), axis=1),
    "poisson": lambda z, y: np.sum(xlogy(y, y) - y * z - y + np.exp(z), axis=1),
    "binary_log_loss": lambda z, y: -np.log(np.where(y == 1, logistic(z[:, 0]), logistic(-z[:, 0]))),
    "log_loss": lambda z, y: -np.log((np.exp(z) / np.exp(z).sum(axis=1, keepdims=True))[np.arange(len(y)), y]),
    "multilabel_log_loss": lambda z, y: -np.log(np.where(y == 1, logistic(z), logistic(-z))).sum(axis=1),
}
OF_LOGISTIC = ("squared_error", "absolute_error", "huber", "quantile")


@pytest.fixture(params=LOSSES)
def name(request):
    return request.param


@pytest.mark.parametrize("weights", [None, np.array([1.0, 2, 0, 0.5, 3, 1, 1])], ids=["plain", "weighted"])
@pytest.mark.parametrize("of_logistic", [False, True])
def test_value_and_gradient(name, weights, of_logistic):
    if of_logistic and name not in OF_LOGISTIC:
        pytest.skip("has an activation of its own")
    scores, targets = example(name)
    loss = make_loss(name, of_logistic)
    value, gradient = loss.value_and_gradient(scores, targets, weights)
    z = logistic(scores) if of_logistic else scores
    np.testing.assert_allclose(value, np.average(VALUES[name](z, targets), weights=weights), rtol=1e-13)
    assert_gradient(
        gradient, central_differences(lambda: loss.value_and_gradient(scores, targets, weights)[0], scores)
    )


def test_the_gradient_at_the_kinks_is_none():
    for name in ("absolute_error", "quantile", "huber", "squared_error"):
        _, gradient = make_loss(name).value_and_gradient(np.ones((2, 3)), np.ones((2, 3)), None)
        np.testing.assert_array_equal(gradient, 0)


@pytest.mark.parametrize(("name", "parameter"), [("squared_error", 0), ("absolute_error", 0), ("quantile", 0.8)])
def test_constants_that_minimise_are_the_mean_the_median_and_the_quantile(name, parameter):
    y = np.random.default_rng(0).exponential(size=(1001, 1))
    expected = {"squared_error": y.mean(), "absolute_error": np.median(y), "quantile": np.quantile(y, 0.8)}[name]
    loss = LOSSES[name](parameter)
    constants = expected + np.array([-0.02, 0, 0.02])
    values = [loss.value_and_gradient(np.full_like(y, c), y, None)[0] for c in constants]
    assert values[1] < min(values[0], values[2])


def test_integer_weights_are_repetition(name):
    scores, targets = example(name)
    repeats = np.array([1, 2, 0, 3, 1, 1, 2])
    loss = make_loss(name)
    weighted, _ = loss.value_and_gradient(scores, targets, repeats.astype(float))
    repeated, _ = loss.value_and_gradient(scores.repeat(repeats, axis=0), targets.repeat(repeats, axis=0), None)
    assert weighted == pytest.approx(repeated, rel=1e-14)


@pytest.mark.parametrize("weights", [None, np.ones(7)], ids=["plain", "weighted"])
@pytest.mark.parametrize("of_logistic", [False, True])
def test_float32_stays_float32(name, weights, of_logistic):
    scores, targets = example(name)
    scores = scores.astype(np.float32)
    if targets.ndim > 1:
        targets = targets.astype(np.float32)
    loss = make_loss(name, of_logistic and name in OF_LOGISTIC)
    value, gradient = loss.value_and_gradient(scores, targets, weights)
    assert isinstance(value, float)
    assert gradient.dtype == loss.predict(scores).dtype == np.float32


@pytest.mark.parametrize("name", ["binary_log_loss", "log_loss"])
def test_huge_scores_neither_overflow_nor_lose_the_loss(name):
    scores, targets = example(name)
    scores *= 1e4
    value, gradient = make_loss(name).value_and_gradient(scores, targets, None)
    assert np.isfinite(value)
    assert value > 100
    assert np.isfinite(gradient).all()
    p = make_loss(name).predict(scores)
    np.testing.assert_allclose(p.sum(axis=1), 1)
    log_p = make_loss(name).predict_log(scores)
    assert np.isfinite(log_p).all()
    assert log_p.min() < -1000
    np.testing.assert_array_equal(p.argmax(axis=1), scores.argmax(axis=1) if name == "log_loss" else scores[:, 0] > 0)


@pytest.mark.parametrize("name", ["binary_log_loss", "log_loss"])
def test_probabilities(name):
    scores, _ = example(name)
    p = make_loss(name).predict(scores)
    np.testing.assert_allclose(p.sum(axis=1), 1, rtol=1e-14)
    if name == "binary_log_loss":
        scores = np.column_stack([np.zeros(len(scores)), scores])
    expected = np.exp(scores[:, 1]) / np.exp(scores).sum(axis=1)
    np.testing.assert_allclose(p[:, 1], expected, rtol=1e-13)
    np.testing.assert_allclose(np.exp(make_loss(name).predict_log(example(name)[0])), p, rtol=1e-12)
