"""What ONNX models make of scores, run by ONNX Runtime, against the predict methods."""

from functools import partial

import numpy as np
import pytest
from onnx_models import padded, run
from pairwise import pairwise

from skrnn import RNNClassifier, RNNRegressor, RNNSurvival
from skrnn._training.losses import LOSSES
from skrnn.export._onnx.graph import DEFAULT_OPSET, NEWEST_OPSET, OLDEST_OPSET, Graph
from skrnn.export._onnx.network import scores
from skrnn.export._onnx.reading import declare_inputs, read
from skrnn.export._onnx.targets import ACTIVATIONS, MEAN_AND_STD, write_outputs

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

OPSETS = (OLDEST_OPSET, DEFAULT_OPSET, NEWEST_OPSET)
QUANTILES = {
    "several": {"loss": "quantile", "quantile": [0.1, 0.5, 0.9]}, "one": {"loss": "quantile", "quantile": [0.5]}
}
LOSS_PARAMETERS = QUANTILES | {name: {"loss": name} for name, loss in LOSSES.items() if loss.is_regression}
LOSS_PARAMETERS["fractions"] = {"loss": "squared_error", "out_activation": "logistic"}
LENGTHS = np.array([3, 1, 5, 5, 2, 4, 5, 1, 3, 2, 5, 4])
STEPS = np.split(np.random.default_rng(0).normal(100, 3, size=(LENGTHS.sum(), 2)), np.cumsum(LENGTHS)[:-1])
CENTERED = [x - 100 for x in STEPS]


def predicted(net, opset=DEFAULT_OPSET, X=STEPS):
    """The outputs of a model of a net for sequences of `LENGTHS`, by name."""
    fitted, g = net._fitted, Graph(opset)
    steps = read(g, fitted.reading, declare_inputs(g, fitted.reading))
    write_outputs(g, fitted, scores(g, fitted.model.network, fitted.model.parameters, steps)[0], steps)
    return run(g.model(), X=padded(np.concatenate(X), LENGTHS, fill=7), lengths=LENGTHS)


def as_rows(net, rows):
    """What a predict method returns of each sequence, or of steps with the last one repeated after the end."""
    if not net.return_sequences:
        return rows
    return np.stack([row[np.minimum(np.arange(max(LENGTHS)), len(row) - 1)] for row in rows])


def assert_close(net, actual, expected):
    expected = as_rows(net, expected)
    assert actual.shape == expected.shape
    np.testing.assert_allclose(actual, expected, rtol=2e-6, atol=2e-6 * np.abs(expected).max())


def numbers_for(loss, several, per_step):
    """Targets that a loss takes, of sequences or steps, one or two of each."""
    counts = LOSSES[loss.get("loss")].out_activation == "exp"

    def of_row(x):
        y = np.round(np.abs(x)) if counts else 1 / (1 + np.exp(-x)) if "out_activation" in loss else 1e4 + 30 * x
        return y if several else y[..., 0]

    return [of_row(x if per_step else x.mean(axis=0)) for x in CENTERED]


@pytest.mark.parametrize(("loss", "standardize", "several", "per_step", "opset"), [
    *pairwise(LOSS_PARAMETERS, (True, False, "sequence"), (False, True), (False, True), OPSETS),
    ("several", True, True, False, DEFAULT_OPSET), ("several", "sequence", True, True, DEFAULT_OPSET),
])
def test_numbers(loss, standardize, several, per_step, opset):
    parameters = LOSS_PARAMETERS[loss]
    net = RNNRegressor(3, standardize=standardize, return_sequences=per_step, random_state=0, **parameters)
    net.partial_fit(STEPS, numbers_for(parameters, several, per_step))
    out = predicted(net, opset)
    assert_close(net, out.pop("prediction"), net.predict(STEPS))
    if net._fitted.model.loss.is_likelihood:
        assert_close(net, out.pop("std"), net.predict(STEPS, return_std=True)[1])
    assert not out


def test_one_feature_of_own_units_for_several_outputs():
    X = [x[:, :1] for x in STEPS]
    y = np.array([[x.mean(), x.mean() + 5] for x in X])
    net = RNNRegressor(3, standardize="sequence", random_state=0).partial_fit(X, y)
    assert_close(net, predicted(net, X=X)["prediction"], net.predict(X))


def test_every_loss_has_outputs():
    losses = LOSSES.values()
    assert {loss.name for loss in losses if loss.is_likelihood} == set(MEAN_AND_STD)
    assert {loss.out_activation for loss in losses if loss.is_regression} | {"logistic"} == set(ACTIVATIONS)


def which(x, n):
    """The number of a class, of so many."""
    return np.digitize(x, [-1.5, 0, 1.5][:: 1 if n == 4 else 2][: n - 1] if n > 2 else [0])


def label(names, x):
    return np.array(names)[which(x[..., 0], len(names))]


CLASSES = {
    "two": partial(label, ["down", "up"]), "three": partial(label, ["a", "bc", "d"]), "ints": partial(label, [7, 3, 5]),
    "bools": partial(label, [False, True]), "fractions": partial(label, [0.0, 1.0, 2.0]),
    "small ints": partial(label, np.array([1, 2, 3], np.int8)), "objects": partial(label, np.array(["a", "b"], object)),
    "several labels": lambda x: (x > 0).astype(int),
    "several columns": lambda x: np.stack([label(["a", "b", "c"], x), label(["x", "y"], x[..., ::-1])], axis=-1),
    "columns of types": lambda x: np.stack([label(["a", "b"], x).astype(object), label([3, 4, 5], x)], axis=-1),
}


@pytest.mark.parametrize(("kind", "per_step", "opset"), pairwise(CLASSES, (False, True), OPSETS))
def test_classes(kind, per_step, opset):
    y = [CLASSES[kind](x if per_step else x.mean(axis=0)) for x in CENTERED]
    net = RNNClassifier(3, max_iter=2, return_sequences=per_step, random_state=0)
    out = predicted(net.fit(STEPS, y), opset)
    labels, p = as_rows(net, net.predict(STEPS)), net.predict_proba(STEPS)
    if not isinstance(p, list):
        assert_label(out["label"], labels)
        assert_close(net, out["probabilities"], p)
        return
    for q, of_column in enumerate(p):
        assert_label(out[f"label_{q}"], labels[..., q])
        assert_close(net, out[f"probabilities_{q}"], of_column)


def assert_label(actual, expected):
    np.testing.assert_array_equal(actual, expected)
    kinds = {"U": "O", "O": "O"}
    assert expected.dtype == object or actual.dtype.kind == kinds.get(expected.dtype.kind, expected.dtype.kind)


def test_survival():
    y = [(x.mean() > -1, np.exp(x.mean())) for x in CENTERED]
    net = RNNSurvival(3, intervals=4, random_state=0).partial_fit(STEPS, y)
    out = predicted(net)
    assert_close(net, out["prediction"], net.predict(STEPS))
    assert_close(net, out["survival"], net.predict_survival_function(STEPS, return_array=True))
    assert_close(net, out["cumulative_hazard"], net.predict_cumulative_hazard_function(STEPS, return_array=True))
    assert out["times"].tolist() == net.unique_times_.tolist()
