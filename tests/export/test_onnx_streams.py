"""Streams in ONNX models, run by ONNX Runtime, against the states that the predict methods return."""

import numpy as np
import pandas as pd
import pytest
from onnx_models import padded, run, session_of
from pairwise import pairwise

from skrnn import RNNClassifier, RNNRegressor, WithStatic
from skrnn.exceptions import ExportError
from skrnn.export._onnx.graph import DEFAULT_OPSET, NEWEST_OPSET, OLDEST_OPSET, Graph
from skrnn.export._onnx.reading import declare_inputs
from skrnn.export._onnx.streams import check_streams, continue_from, declare_state
from skrnn.export._onnx.targets import write_outputs

OPSETS = (OLDEST_OPSET, DEFAULT_OPSET, NEWEST_OPSET)
N, T, D = 6, 12, 3
# Steps of each sequence that come in each part
PARTS = np.array([[1, 3, 2, 5, 4, 1], [4, 1, 6, 5, 1, 1], [1, 1, 2, 1, 7, 6]])


def session(net, opset=DEFAULT_OPSET):
    """A session of a model that continues sequences."""
    fitted, g = net._fitted, Graph(opset)
    inputs = declare_inputs(g, fitted.reading)
    scores, steps, after = continue_from(g, fitted, inputs, declare_state(g, fitted))
    write_outputs(g, fitted, scores, steps)
    g.output("state_out", after, np.float32, ("n", "width"))
    return session_of(g.model())


def assert_continues(net, opset, parts, inputs_of, static=None):
    """The same predictions and states as by the net after each part; before the last one two streams begin anew."""
    of_static, model = {} if static is None else {"static": static}, session(net, opset)
    first = expected = net.initial_state(N, **of_static)
    state = np.full_like(first, np.nan)
    for i, part in enumerate(parts):
        if i == len(parts) - 1:
            state[2:4], expected[2:4] = np.nan, first[2:4]
        out = run(model, state=state, **inputs_of(part))
        predicted, expected = net.predict(part, initial_state=expected, return_state=True)
        for actual, row in zip(out.get("prediction", out.get("label")), predicted, strict=True):
            assert_close(actual[: len(row)] if net.return_sequences else actual, row)
        state = out["state_out"]
        assert_close(state, expected)


def assert_close(actual, expected):
    actual, expected = np.asarray(actual), np.asarray(expected)
    if expected.dtype.kind in "US":
        np.testing.assert_array_equal(actual, expected)
        return
    assert actual.shape == expected.shape
    np.testing.assert_allclose(actual, expected, rtol=2e-6, atol=2e-6)


def parts_of(X):
    """Parts of sequences (n, T, D), each a list of arrays."""
    begins = np.cumsum(PARTS, axis=0) - PARTS
    return [[x[b : b + n] for x, b, n in zip(X, *each, strict=True)] for each in zip(begins, PARTS, strict=True)]


def lengths_of(part):
    return np.array(list(map(len, part)))


@pytest.mark.parametrize(("missing", "times", "patch", "static", "per_step", "opset"), pairwise(
    ("error", "ffill", "indicator", "decay"), (None, 0), (None, (3, 2), (4, 4), (20, 7)), (False, True), (False, True),
    OPSETS,
))
def test_numbers(missing, times, patch, static, per_step, opset):
    if patch and (missing == "decay" or per_step):
        patch = None
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(N, T + 2, D)), rng.normal(size=(N, T + 2))
    if missing != "error":
        X[rng.random(X.shape) < 0.4] = np.nan
    if times is not None:
        X[:, :, times] = np.cumsum(rng.exponential(size=X.shape[:2]), axis=1)
    values = rng.normal(50, 10, size=(N, 2)) if static else None
    size, stride = patch or (None, None)
    net = RNNRegressor(
        (3, 2), missing=missing, times=times, patch_size=size, patch_stride=stride, return_sequences=per_step,
        random_state=0,
    )
    net.partial_fit(WithStatic(X, values) if static else X, y if per_step else y[:, 0])

    def inputs_of(part):
        sequences = part.sequences if static else part
        lengths = lengths_of(sequences)
        beside = {"static": values} if static else {}
        return {"X": padded(np.concatenate(sequences), lengths), "lengths": lengths} | beside

    parts = parts_of(X)
    assert_continues(net, opset, [WithStatic(part, values) for part in parts] if static else parts, inputs_of, values)


def test_categories_of_steps_beside_numbers():
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({
        "pulse": list(np.where(rng.random((N, T + 2)) < 0.3, np.nan, rng.normal(size=(N, T + 2)))),
        "drug": rng.choice(list("abc"), size=(N, T + 2)).tolist(), "sex": ["f", "m"] * 3,
    })
    net = RNNClassifier(3, missing="indicator", patch_size=3, random_state=0)
    net.partial_fit(frame, ["up", "down"] * 3, classes=["down", "up"])
    columns = [parts_of(np.array(frame[name].tolist())) for name in ("pulse", "drug")]
    parts = [pd.DataFrame({"pulse": p, "drug": d, "sex": frame["sex"]}) for p, d in zip(*columns, strict=True)]

    def inputs_of(part):
        lengths = lengths_of(part["pulse"])
        return {
            "X": padded(np.concatenate(list(part["pulse"]))[:, np.newaxis], lengths), "lengths": lengths,
            "drug": padded(np.concatenate(list(part["drug"])).astype(object), lengths, fill=""), "sex": part["sex"],
        }

    assert_continues(net, DEFAULT_OPSET, parts, inputs_of, frame[["sex"]])


@pytest.mark.parametrize("missing", ["error", "ffill"])
def test_steps_that_are_categories(missing):
    rng = np.random.default_rng(0)
    X = rng.integers(0, 5, size=(N, T + 2, 1)).astype(float)
    if missing == "ffill":
        X[rng.random(X.shape) < 0.3] = np.nan
    net = RNNRegressor(3, missing=missing, embedding_dim=2, random_state=0).partial_fit(X, rng.normal(size=N))

    def inputs_of(part):
        lengths = lengths_of(part)
        return {"X": np.nan_to_num(padded(np.concatenate(part)[:, 0], lengths), nan=-1), "lengths": lengths}

    assert_continues(net, DEFAULT_OPSET, parts_of(X), inputs_of)


@pytest.mark.parametrize(("parameters", "message"), [
    ({"bidirectional": True}, "states=True needs a net that reads forwards"),
    ({"standardize": "sequence"}, "states=True needs a net that reads step by step"),
])
def test_nets_that_do_not_read_step_by_step(parameters, message):
    X = np.random.default_rng(0).normal(size=(N, T, D))
    net = RNNRegressor(2, random_state=0, **parameters).partial_fit(X, X[:, 0, 0])
    with pytest.raises(ExportError, match=message):
        check_streams(net._fitted)
