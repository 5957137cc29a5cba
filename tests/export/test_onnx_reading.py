"""X in ONNX graphs, run by ONNX Runtime, against `Reading.read`."""

import numpy as np
import pandas as pd
import pytest
from onnx_models import padded, run
from pairwise import pairwise

from skrnn import RNNRegressor
from skrnn.exceptions import ExportError
from skrnn.export._onnx.graph import DEFAULT_OPSET, NEWEST_OPSET, OLDEST_OPSET, Graph
from skrnn.export._onnx.reading import MISSING_NUMBER, MISSING_TEXT, declare_inputs, read

OPSETS = (OLDEST_OPSET, DEFAULT_OPSET, NEWEST_OPSET)
N, T, D = 12, 7, 3


def fitted_to(X, **parameters):
    """A net that has learned how to read an X."""
    net = RNNRegressor(2, random_state=0, **parameters)
    return net.partial_fit(X, np.random.default_rng(1).normal(size=len(X)))


def read_by_onnx(net, opset=DEFAULT_OPSET, **inputs):
    """The parts of `Steps` by name."""
    reading, g = net._fitted.reading, Graph(opset)
    steps = read(g, reading, declare_inputs(g, reading))
    for name, rank in (("values", 3), ("lengths", 1), ("static", 2), ("categories", 2)):
        value = getattr(steps, name)
        if value is not None:
            dtype = np.float32 if name in ("values", "static") else np.int64
            g.output(f"read_{name}", value, dtype, tuple(f"{name}{axis}" for axis in range(rank)))
    for name, value in zip(("level", "ratio"), steps.own or (), strict=False):
        g.output(f"read_{name}", value, np.float32, ("n", "D"))
    return {name.removeprefix("read_"): value for name, value in run(g.model(), **inputs).items()}


def assert_reads(net, data, opset=DEFAULT_OPSET, atol=2e-6, **inputs):
    """The same steps, static features and units of sequences as by the net; returns them by name."""
    out, fitted = read_by_onnx(net, opset, **inputs), net._fitted
    sequences = fitted.reading.read(net, data, dtype=fitted.model.dtype)
    np.testing.assert_array_equal(out["lengths"], sequences.lengths)
    if sequences.categories is not None:
        np.testing.assert_array_equal(flat(out["categories"], out["lengths"]), sequences.categories)
    else:
        np.testing.assert_allclose(flat(out["values"], out["lengths"]), sequences.values, rtol=2e-6, atol=atol)
    assert ("static" in out) == (sequences.static is not None)
    if "static" in out:
        np.testing.assert_allclose(out["static"], sequences.static, rtol=1e-6)
    if "level" in out:
        own = fitted.reading.target_units(fitted.model.loss, sequences, np.arange(len(data)), fitted.reading.n_numbers)
        np.testing.assert_allclose(out["level"], own.level, rtol=2e-6, atol=atol)
        np.testing.assert_allclose(out["ratio"], own.ratio, rtol=2e-6)
    return out


def flat(rows, lengths):
    """Rows (n, T, ...) of steps, (S, ...), without those after the ends."""
    return np.concatenate([row[:length] for row, length in zip(rows, lengths, strict=True)])


def numbers(rng, missing, times):
    """Sequences (n, T, D), some of them padded if values may be missing; feature 1 is a time."""
    X = rng.normal(size=(N, T, D))
    if missing != "error":
        X[rng.random(X.shape) < 0.4] = np.nan
        X[:, 0, 0] = 1.0
    if times is not None:
        X[:, :, 1] = np.cumsum(rng.exponential(size=(N, T)), axis=1)
    if missing != "error":
        X[3, 4:] = X[4, 1:] = np.nan
    return X


@pytest.mark.parametrize(("missing", "times", "standardize", "bidirectional", "opset"), pairwise(
    ("error", "ffill", "indicator", "decay"), (None, 1), (True, False, "sequence"), (False, True), OPSETS
))
def test_numbers(missing, times, standardize, bidirectional, opset):
    X = numbers(np.random.default_rng(0), missing, times)
    net = fitted_to(X, missing=missing, times=times, standardize=standardize, bidirectional=bidirectional)
    lengths = np.full(N, 0 if missing != "error" else T)
    assert_reads(net, X, opset, X=X, lengths=lengths)
    lengths = np.random.default_rng(2).integers(1, T + 1, N)
    lengths[3], lengths[4] = 2, 1
    sequences = [x[:length] for x, length in zip(X, lengths, strict=True)]
    assert_reads(net, sequences, opset, X=padded(np.concatenate(sequences), lengths, T + 2), lengths=lengths)


@pytest.mark.parametrize("missing", ["error", "indicator"])
def test_own_units_of_sequences_that_are_constant_far_or_small(missing):
    """Units that float32 would lose if the mean were one of squares, or of numbers as they are."""
    X = np.random.default_rng(0).normal(size=(N, T, 2)) * [1.0, 1e-30] + [1000.0, 0.0]
    X[0] = X[0, 0]
    X[1, :, 0] += 5000
    X = X.astype(np.float32)
    if missing != "error":
        X[2, 1:3, 0] = X[3, :, 1] = np.nan
    net = fitted_to(X, missing=missing, standardize="sequence")
    out = assert_reads(net, X, X=X, lengths=np.full(N, T))
    assert (out["values"][0, :, :2] == 0).all()


def frame(rng, n, with_missing):
    """Sequences with numbers and categories of steps, and with static ones."""
    def some(cells):
        return [None if with_missing and rng.random() < 0.25 else cell for cell in cells]

    lengths = rng.integers(1, 6, size=n)
    return pd.DataFrame({
        "ward": [rng.integers(0, 4, size=length).tolist() for length in lengths],
        "pulse": [np.array(some(rng.normal(size=length).tolist()), float) for length in lengths],
        "drug": [some(rng.choice(list("abc"), size=length).tolist()) for length in lengths],
        "age": np.array(some(rng.normal(50, 10, size=n).tolist()), float), "sex": some(["f", "m"] * (n // 2)),
        "site": rng.integers(0, 3, size=n),
    })


def inputs_of(X):
    """What a model is given of a frame."""
    lengths = X["pulse"].map(len).to_numpy()

    def steps(name, fill):
        return padded(np.concatenate([np.array(cells) for cells in X[name]]), lengths, fill=fill)

    def text(cells):
        return np.where(pd.isna(cells), MISSING_TEXT, cells)

    return {
        "X": steps("pulse", np.nan)[:, :, np.newaxis], "lengths": lengths, "ward": steps("ward", MISSING_NUMBER),
        "drug": text(steps("drug", "a")), "static": X[["age"]], "sex": text(X["sex"]), "site": X["site"],
    }


CATEGORICAL = {"categorical_features": ["ward", "drug", "sex", "site"], "embedding_dim": 2}


@pytest.mark.parametrize(("missing", "standardize"), [("error", True), ("ffill", "sequence"), ("indicator", True)])
def test_categories_and_static_features(missing, standardize):
    """Also what fit has not seen."""
    rng = np.random.default_rng(0)
    X = frame(rng, 30, missing != "error")
    net = fitted_to(X[:20], missing=missing, standardize=standardize, **CATEGORICAL)
    X = X[20:].reset_index(drop=True)
    X.at[0, "sex"], X.at[1, "site"] = "other", 77
    X.at[2, "drug"], X.at[3, "ward"] = ["z"] * len(X.at[2, "drug"]), [77] * len(X.at[3, "ward"])
    assert_reads(net, X, **inputs_of(X))


def test_padding_is_missing_in_every_feature_also_in_categories():
    X = frame(np.random.default_rng(0), 12, True)
    net = fitted_to(X, missing="ffill", **CATEGORICAL)
    inputs = inputs_of(X)
    inputs["X"][:] = np.nan
    inputs["ward"][:], inputs["drug"][:] = MISSING_NUMBER, MISSING_TEXT
    inputs["X"][0, 1], inputs["ward"][1, 2], inputs["drug"][2, 3], inputs["drug"][3, 0] = 1, 2, "unseen", "a"
    out = read_by_onnx(net, **inputs | {"lengths": np.zeros(12)})
    assert out["lengths"].tolist() == [2, 3, 4, 1] + [1] * 8


def test_categories_alone():
    X = pd.DataFrame({"drug": [list("ab"), list("bca"), list("a")] * 4})
    net = fitted_to(X, embedding_dim=2)
    lengths = X["drug"].map(len)
    assert_reads(net, X, drug=padded(np.concatenate(list(X["drug"])), lengths, 4, fill="a"), lengths=lengths)


@pytest.mark.parametrize("missing", ["error", "indicator"])
def test_times_beside_categories_alone(missing):
    X = pd.DataFrame({"time": [[0.0, 1.5], [0.0, 2.0, 3.0], [4.0]] * 4, "drug": [list("ab"), list("bca"), ["a"]] * 4})
    net = fitted_to(X, embedding_dim=2, times="time", missing=missing)
    lengths = X["drug"].map(len)
    time = padded(np.concatenate(list(X["time"])), lengths)[:, :, np.newaxis]
    assert_reads(net, X, X=time, drug=padded(np.concatenate(list(X["drug"])), lengths, fill="a"), lengths=lengths)


@pytest.mark.parametrize("missing", ["error", "ffill"])
def test_steps_that_are_categories(missing):
    """The last one stands for those that fit did not see."""
    rng = np.random.default_rng(0)
    X = rng.integers(0, 5, size=(N, T, 1)).astype(float)
    if missing == "ffill":
        X[rng.random(X.shape) < 0.3] = np.nan
        X[2, 3:] = X[3, 0] = np.nan
    net = fitted_to(X, missing=missing, embedding_dim=2)
    X[0, 0] = 9
    ids = np.nan_to_num(X[:, :, 0], nan=-1)
    lengths = np.full(N, 0 if missing == "ffill" else T)
    assert_reads(net, X, X=ids, lengths=lengths)
    if missing == "error":
        ids[1, 2] = -3
        assert read_by_onnx(net, X=ids, lengths=lengths)["categories"][1, 2] == 5       # unseen


@pytest.mark.parametrize("category", [0.5, 2.0**63, float("inf")])
def test_category_that_is_neither_text_nor_whole(category):
    X = pd.DataFrame({"x": [[0.0, 1.0]] * 4, "rate": [1.0, category] * 2})
    net = fitted_to(X, categorical_features=["rate"], embedding_dim=2)
    with pytest.raises(ExportError, match=r"'rate' has the category .*strings or whole numbers of 64 bits"):
        declare_inputs(Graph(DEFAULT_OPSET), net._fitted.reading)


@pytest.mark.parametrize("name", ["X", "lengths", ""])
def test_category_with_a_name_that_no_input_can_have(name):
    X = pd.DataFrame({"x": [[0.0, 1.0]] * 4, name: ["a", "b"] * 2})
    net = fitted_to(X, embedding_dim=2)
    with pytest.raises(ExportError, match=rf"called '{name}'.*rename"):
        declare_inputs(Graph(DEFAULT_OPSET), net._fitted.reading)
