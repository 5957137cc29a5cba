"""Predictions of X that is already what the kernels read: the same results, errors and warnings as on the long way."""

import warnings
from functools import cache

import numpy as np
import pandas as pd
import pytest
from sklearn.exceptions import ConvergenceWarning

from skrnn import RaggedArray, RNNClassifier, RNNRegressor, WithStatic
from skrnn._data.reading import Reading
from skrnn._training.model import Model
from skrnn.exceptions import NothingLearnedWarning

pytestmark = [
    pytest.mark.filterwarnings(f"ignore::{kind.__module__}.{kind.__name__}")
    for kind in (ConvergenceWarning, NothingLearnedWarning)
]

N, T, D = 6, 5, 2
SMALL = {"hidden_size": 3, "max_iter": 1, "random_state": 0}
X = np.random.default_rng(0).normal(size=(N, T, D))
y = X[:, 0, 0]


def frames(X):
    return [pd.DataFrame(x, columns=["a", "b"]) for x in X]


# A net for each way in which X is read
NETS = {
    "float64": lambda: RNNRegressor(**SMALL).fit(X, y),
    "float32": lambda: RNNRegressor(**SMALL).fit(X.astype(np.float32), y),
    "classes": lambda: RNNClassifier(**SMALL).fit(X.astype(np.float32), np.arange(N) % 3),
    "last, no units": lambda: RNNRegressor(pooling="last", standardize=False, **SMALL).fit(X, y),
    "own units": lambda: RNNRegressor(standardize="sequence", **SMALL).fit(X, y),
    "names": lambda: RNNRegressor(**SMALL).fit(frames(X), y),
    "ffill": lambda: RNNRegressor(missing="ffill", **SMALL).fit(X, y),
    "indicator": lambda: RNNRegressor(missing="indicator", **SMALL).fit(X, y),
    "decay": lambda: RNNRegressor(missing="decay", **SMALL).fit(X, y),
    "times": lambda: RNNRegressor(times=1, **SMALL).fit(np.cumsum(np.abs(X), axis=1), y),
    "table": lambda: RNNRegressor(**SMALL).fit(X[:, :, 0], y),
    "named table": lambda: RNNRegressor(n_steps=T, **SMALL).fit(
        pd.DataFrame(X.reshape(N, -1), columns=list("abcdefghij")), y
    ),
    "steps": lambda: RNNRegressor(return_sequences=True, **SMALL).fit(X, X[:, :, 0]),
    "both directions": lambda: RNNRegressor(bidirectional=True, **SMALL).fit(X, y),
    "patches": lambda: RNNRegressor(patch_size=2, **SMALL).fit(X, y),
    "static": lambda: RNNRegressor(**SMALL).fit(WithStatic(X, X[:, 0]), y),
    "categories": lambda: RNNRegressor(embedding_dim=2, **SMALL).fit((X[:, :, :1] > 0).astype(float), y),
    "exponential": lambda: RNNRegressor(loss="poisson", **SMALL).fit(X, np.abs(y)),
    "grows": lambda: RNNRegressor(cell="rnn", activation="identity", **SMALL).fit(X, y).set_parameters(
        {"layer0.U": 1e200 * np.eye(3)}
    ),
}


class Subclass(np.ndarray):
    """An array of another class."""


def with_value(value, place=(0, 1, 0)):
    changed = X.copy()
    changed[place] = value
    return changed


def read_only():
    array = X.copy()
    array.flags.writeable = False
    return array


def unaligned():
    raw = np.zeros(X.nbytes + 1, np.uint8)[1:]
    array = raw.view(np.float64).reshape(X.shape)
    array[:] = X
    return array


ODD = {
    "array": lambda: X,
    "of one": lambda: X[:1],
    "float32": lambda: X[:1].astype(np.float32),
    "float32, all": lambda: X.astype(np.float32),
    "float16": lambda: X[:1].astype(np.float16),
    "longdouble": lambda: X[:1].astype(np.longdouble),
    "integers": lambda: X[:1].astype(int),
    "categories": lambda: (X[:, :, :1] > 0).astype(float),
    "bools": lambda: X[:1] > 0,
    "complex": lambda: X[:1].astype(complex),
    "strings": lambda: X[:1].astype(str),
    "objects": lambda: X[:1].astype(object),
    "other byte order": lambda: X[:1].astype(X.dtype.newbyteorder()),
    "read only": read_only,
    "unaligned": unaligned,
    "Fortran": lambda: np.asfortranarray(X),
    "every other": lambda: np.repeat(X, 2, axis=1)[:, ::2],
    "backwards": lambda: X[:, ::-1],
    "transposed": lambda: X.transpose(0, 2, 1),
    "broadcast": lambda: np.broadcast_to(X[:1], X.shape),
    "subclass": lambda: X.view(Subclass),
    "masked": lambda: np.ma.masked_array(X, X > 1),
    "masked, none": lambda: np.ma.masked_array(X),
    "one dimension": lambda: X[0, :, 0],
    "one sequence": lambda: X[0],
    "table": lambda: X[:, :, 0],
    "wide table": lambda: X.reshape(N, -1),
    "four dimensions": lambda: X[np.newaxis],
    "a number": lambda: np.array(1.0),
    "no sequence": lambda: X[:0],
    "no step": lambda: X[:, :0],
    "no feature": lambda: X[:, :, :0],
    "a feature too few": lambda: X[:, :, :1],
    "a feature too many": lambda: np.concatenate([X, X[:, :, :1]], axis=2),
    "other number of steps": lambda: X[:, :3],
    "one step": lambda: X[:1, :1],
    "NaN": lambda: with_value(np.nan),
    "NaN at the end": lambda: with_value(np.nan, (0, slice(3, None))),
    "NaN everywhere": lambda: np.full_like(X, np.nan),
    "infinity": lambda: with_value(-np.inf),
    "large": lambda: with_value(1e200),
    "largest": lambda: np.full_like(X, np.finfo(float).max),
    "larger than float32": lambda: with_value(1e39),
    "denormal": lambda: with_value(1e-310),
    "list of one": lambda: [X[0]],
    "list of one, float32": lambda: [X[0].astype(np.float32)],
    "list of one, Fortran": lambda: [np.asfortranarray(X[0])],
    "list of one, NaN": lambda: [with_value(np.nan)[0]],
    "list of one, subclass": lambda: [X[0].view(Subclass)],
    "list of one, matrix": lambda: [np.asmatrix(X[0])],
    "list of one, one dimension": lambda: [X[0, :, 0]],
    "list of one, three dimensions": lambda: [X[:1]],
    "list of one, no step": lambda: [X[0, :0]],
    "list of one, a feature too few": lambda: [X[0, :, :1]],
    "list of one, frame": lambda: frames(X[:1]),
    "list of one, frame of other names": lambda: [frames(X[:1])[0].rename(columns={"a": "c"})],
    "list of one, lists": lambda: [X[0].tolist()],
    "list of one, None": lambda: [None],
    "tuple of one": lambda: (X[0],),
    "list of two": lambda: [X[0], X[1, :3]],
    "empty list": list,
    "lists": X.tolist,
    "object array": lambda: np.array([X[0], X[1, :2]], dtype=object),
    "RaggedArray": lambda: RaggedArray(X[0], [T]),
    "frame of a table": lambda: pd.DataFrame(X[:, :, 0]),
    "frame of a named table": lambda: pd.DataFrame(X.reshape(N, -1), columns=list("abcdefghij")),
    "WithStatic": lambda: WithStatic(X, X[:, 0]),
    "WithStatic of one": lambda: WithStatic([X[0]], X[:1, 0]),
    "None": lambda: None,
    "text": lambda: "X",
}

CALLS = {
    "predict": lambda net, X: net.predict(X),
    "transform": lambda net, X: net.transform(X),
    "return_state": lambda net, X: net.predict(X, return_state=True),
    "probabilities": lambda net, X: net.predict_proba(X),
}


@cache
def net_of(name):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return NETS[name]()


def outcome(call, net, make):
    """What a call returns, to the bit, or its error; and its warnings."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            found = content(call(net, make()))
        except Exception as error:
            found = type(error), str(error)
    return found, [(warning.category, str(warning.message), warning.filename) for warning in caught]


def content(value):
    """A value as something that is equal to the bit."""
    if isinstance(value, tuple):
        return tuple(map(content, value))
    if isinstance(value, np.ndarray) and value.dtype == object:
        return "objects", tuple(map(content, value))
    return value.dtype, value.shape, value.tobytes()


@pytest.mark.parametrize(
    ("name", "call"),
    [
        *((name, "predict") for name in NETS), ("classes", "probabilities"),
        *((name, call) for name in ("float64", "patches", "ffill") for call in ("transform", "return_state")),
    ],
)
def test_both_ways_are_equal(name, call, monkeypatch):
    net = net_of(name)
    short = {name: outcome(CALLS[call], net, make) for name, make in ODD.items()}
    assert {isinstance(found[0], type) for found, _ in short.values()} == {False, True}     # results, and errors
    monkeypatch.setattr(Reading, "_as_it_is", lambda self, X, dtype: None)
    monkeypatch.setattr(Model, "is_frozen", False)      # so that engines pack the weights anew
    monkeypatch.setattr(Model, "_take_engine", lambda self, packed: self.network.engine(self.dtype))
    for name, make in ODD.items():
        assert outcome(CALLS[call], net, make) == short[name], name


@pytest.mark.parametrize(
    ("name", "of", "taken"),
    [
        ("array", "float64", True), ("of one", "float64", True), ("read only", "float64", True),
        ("list of one", "float64", True), ("float32", "float32", True), ("array", "ffill", True),
        ("array", "patches", True), ("array", "names", True), ("one step", "float64", True),
        ("float32", "float64", True), ("of one", "float32", True), ("float16", "float32", False),
        ("Fortran", "float64", False),
        ("other number of steps", "float64", False),
        ("unaligned", "float64", False), ("NaN", "ffill", False), ("list of two", "float64", False),
        ("subclass", "float64", False), ("WithStatic", "static", False), ("other byte order", "float64", False),
    ],
)
def test_which_way_is_taken(name, of, taken, monkeypatch):
    net, values = net_of(of), ODD[name]()
    expected = net.predict(values)
    monkeypatch.setattr("skrnn._data.reading.as_sequences", lambda *args, **keywords: 1 / 0)
    if taken:
        assert net.predict(values).tobytes() == expected.tobytes()
    else:
        with pytest.raises(ZeroDivisionError):
            net.predict(values)


def test_arrays_of_the_caller_stay_as_they_are():
    values, one = X.copy(), X[0].copy()
    for name in ("float64", "own units", "ffill", "decay"):
        net_of(name).predict(values), net_of(name).predict([one])
    assert values.tobytes() == X.tobytes()
    assert one.tobytes() == X[0].tobytes()
