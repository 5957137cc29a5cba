"""Uneven times and decays: every form of X, streams, units of time, other parameters beside them."""

import pickle

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from forms import OnDisk
from pairwise import pairwise
from sklearn.base import clone
from sklearn.model_selection import cross_val_score

from skrnn import RaggedArray, RNNClassifier, RNNRegressor
from skrnn._data import lazy
from skrnn.exceptions import PrecisionWarning
from skrnn.preprocessing import SlidingWindow, sequences_from_long

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
SMALL = {"hidden_size": 4, "max_iter": 3, "random_state": 0, "patch_size": None}
NAMES = ["a", "hour", "b", "c"]
WAYS = [("error", "hour"), ("ffill", "hour"), ("indicator", "hour"), ("decay", "hour"), ("decay", None)]


def uneven(n=30, missing=True, dtype=np.float64, seed=0, longest=9):
    """Sequences of three features, half of the values missing, and a time, the second of four columns."""
    rng = np.random.default_rng(seed)
    X = []
    for _ in range(n):
        T = int(rng.integers(1, longest))
        x = rng.normal(size=(T, 3))
        if missing:
            x[rng.random((T, 3)) < 0.4] = np.nan
        times = rng.integers(100) + np.cumsum(rng.integers(0, 9, size=T)) / 4
        X.append(np.insert(x, 1, times, axis=1).astype(dtype))
    return X


X, y = uneven(), np.random.default_rng(1).normal(size=30)


def as_ragged(X):
    values = np.concatenate(X)
    return RaggedArray(values, [len(x) for x in X], feature_names=NAMES)


def make(way, estimator=RNNRegressor, **parameters):
    missing, times = way
    return estimator(**SMALL | {"missing": missing, "times": times} | parameters)


def data_for(way, **options):
    return uneven(missing=way[0] != "error", **options)


def lists(X, j):
    return [x[:, j].tolist() for x in X]


FORMS = {
    "frames": lambda X: [pd.DataFrame(x, columns=NAMES) for x in X],
    "pandas columns": lambda X: pd.DataFrame({name: lists(X, j) for j, name in enumerate(NAMES)}),
    "polars columns": lambda X: pl.DataFrame({name: lists(X, j) for j, name in enumerate(NAMES)}),
    "Arrow columns": lambda X: pa.table({name: lists(X, j) for j, name in enumerate(NAMES)}),
    "long table": lambda X: sequences_from_long(
        pd.concat([pd.DataFrame(x, columns=NAMES).assign(who=i, row=range(len(x))) for i, x in enumerate(X)]),
        "who", "row", features=NAMES,
    )[0],
}


@pytest.mark.parametrize("way", WAYS, ids=str)
class TestForms:
    @pytest.mark.parametrize("form", FORMS)
    def test_the_same_predictions_as_of_a_ragged_array(self, way, form):
        X = data_for(way)
        expected = make(way).fit(as_ragged(X), y).predict(as_ragged(X))
        net = make(way).fit(FORMS[form](X), y)
        np.testing.assert_array_equal(net.predict(FORMS[form](X)), expected)
        assert net.n_features_in_ == 4
        assert net.feature_names_in_.tolist() == NAMES

    def test_by_index_of_lists_and_of_what_is_read_in_parts(self, way, monkeypatch):
        X, by_index = data_for(way), (way[0], None if way[1] is None else 1)
        expected = make(way).fit(as_ragged(X), y).predict(as_ragged(X))
        net = make(by_index)
        np.testing.assert_array_equal(net.fit(X, y).predict(X), expected)
        monkeypatch.setattr(lazy, "MAX_BYTES_PER_READ", 300)
        np.testing.assert_array_equal(net.fit(OnDisk(X), y).predict(OnDisk(X)), expected)
        assert cross_val_score(net, X, y, cv=3).shape == (3,)


@pytest.mark.parametrize("way", [("ffill", 1), ("indicator", 1), ("decay", 1), ("decay", None)], ids=str)
def test_padding_is_left_out(way):
    """Steps at the end that are missing in every feature and have no time; those with a time alone are steps."""
    padded = np.full((30, 9, 4), np.nan)
    for i, x in enumerate(X):
        padded[i, : len(x)] = x
    net = make(way)
    np.testing.assert_array_equal(net.fit(padded, y).predict(padded), net.fit(X, y).predict(X))


@pytest.mark.parametrize(
    ("way", "dtype", "changed"),
    pairwise(
        WAYS, [np.float32, np.float64],
        [
            {}, {"return_sequences": True}, {"cell": "lstm", "hidden_size": (3, 2)}, {"patch_size": 3},
            {"truncated_bptt_steps": 3}, {"standardize": False}, {"pooling": "last", "cell": "rnn"},
        ],
    ),
    ids=str,
)
def test_streams_have_the_bits_of_predict(way, dtype, changed):
    if way[0] == "decay":
        changed = changed | {"patch_size": None}
    X = data_for(way, dtype=dtype)
    per_step = changed.get("return_sequences", False)
    net = make(way, **changed).fit(as_ragged(X), [np.arange(len(x)) for x in X] if per_step else y)
    predicted = net.predict(as_ragged(X))
    long = [i for i, x in enumerate(X) if len(x) > 4]
    begin, rest = ([X[i][part] for i in long] for part in (slice(3), slice(3, None)))
    _, state = net.predict(begin, return_state=True)
    assert state.dtype == dtype
    continued = net.predict(rest, initial_state=state)
    for i, ahead in zip(long, continued, strict=True):
        state = None
        for x in X[i]:
            stepped, state = net.predict_step(x, state)
        if per_step:
            np.testing.assert_array_equal(ahead, predicted[i][3:])
            assert stepped == predicted[i][-1]
        else:
            assert ahead == stepped == predicted[i]
    together, states = net.predict_step(np.stack([X[i][0] for i in long]), net.initial_state(len(long)))
    assert together.shape == (len(long),)
    with pytest.raises(ValueError, match=r"state\[0, 0\] is nan"):
        net.predict_step(X[0][0], np.full((1, states.shape[1]), np.nan))


@pytest.mark.parametrize("standardize", [True, False, "sequence"])
@pytest.mark.parametrize("way", WAYS[:4], ids=str)
def test_units_of_time_make_no_difference(way, standardize):
    X = data_for(way)

    def predicted(factor, shift):
        changed = [x.copy() for x in X]
        for x in changed:
            x[:, 1] = factor * (x[:, 1] + shift)
        net = make(way, standardize=standardize).fit(as_ragged(changed), y)
        return net.predict(as_ragged(changed))

    expected = predicted(1, 0)
    np.testing.assert_array_equal(predicted(4096, 16), expected)
    np.testing.assert_allclose(predicted(3600, -7), expected, rtol=1e-9, atol=1e-12)
    # but times do
    X[0][:, 1] = np.arange(len(X[0])) ** 3
    assert (predicted(1, 0) != expected).any()


@pytest.mark.parametrize(
    ("cell", "changed"),
    pairwise(
        ["rnn", "gru", "lstm", "mgu", "skip_lstm"],
        [
            {}, {"bidirectional": True}, {"return_sequences": True}, {"standardize": "sequence"},
            {"dropout": 0.3, "recurrent_dropout": 0.3}, {"truncated_bptt_steps": 2}, {"solver": "lbfgs"},
            {"early_stopping": True}, {"hidden_size": (3, 2), "standardize": False},
        ],
    ),
    ids=str,
)
def test_decay_with_other_parameters(cell, changed):
    """Fits, keeps through pickles and clones, and predicts subsets with the same bits; all rates are trained."""
    per_step = changed.get("return_sequences", False)
    targets = [np.arange(len(x)) for x in X] if per_step else y
    net = make(("decay", 1), cell=cell, **changed).fit(X, targets)
    predicted = net.predict(X)
    for again in (pickle.loads(pickle.dumps(net)), clone(net).fit(X, targets)):
        for one, other in zip(again.predict(X), predicted, strict=True):
            np.testing.assert_array_equal(one, other)
    for one, other in zip(net.predict(X[5:9]), predicted[5:9], strict=True):
        np.testing.assert_array_equal(one, other)
    n_units = net.parameters_["layer0.U"].shape[0]
    shapes = {"decay.W": (3,), "decay.b": (3,), "layer0.decay.W": (3, n_units), "layer0.decay.b": (n_units,)}
    if changed.get("bidirectional"):
        shapes |= {"layer0.reverse.decay.W": (3, n_units), "layer0.reverse.decay.b": (n_units,)}
    assert {name: p.shape for name, p in net.parameters_.items() if "decay" in name} == shapes
    if not changed.get("early_stopping"):       # whose best epoch may be the first, before any gradient of the layers
        assert all(net.parameters_[name].any() for name in shapes)


@pytest.mark.parametrize("way", WAYS, ids=str)
class TestGoingOn:
    def test_partial_fit_keeps_the_units_of_the_first_call(self, way):
        X = data_for(way)
        net = make(way).partial_fit(as_ragged(X), y)
        means = net._fitted.reading.times.means
        slower = [np.where(np.arange(4) == 1, 5 * x, x) for x in X]
        assert (net.partial_fit(as_ragged(slower), y)._fitted.reading.times.means == means).all()

    def test_warm_start(self, way):
        X = as_ragged(data_for(way))
        net = make(way, warm_start=True).fit(X, y)
        assert net.fit(X, y).n_iter_ == 6

    @pytest.mark.parametrize("changed", [{"times": "b"}, {"missing": "ffill"}])
    def test_refuses_other_parameters(self, way, changed):
        X = as_ragged(data_for(way))
        net = make(way, warm_start=True).fit(X, y)
        if changed == {"missing": way[0]}:
            changed = {"missing": "indicator"}
        with pytest.raises(ValueError, match=f"cannot continue with {next(iter(changed))}="):
            net.set_params(**changed).fit(X, y)
        net.predict(X)

    def test_validation_data(self, way):
        X = data_for(way)
        net = make(way, early_stopping=True).fit(as_ragged(X), y, X_val=as_ragged(X[:9]), y_val=y[:9])
        assert len(net.validation_scores_) == net.n_iter_


def test_weights_of_zero_tell_nothing_of_times():
    """Neither their means nor anything else."""
    weights = np.where(np.arange(30) < 20, 1.0, 0)
    other = [*X[:20], *(np.where(np.arange(4) == 1, 9 * x, x) for x in X[20:])]
    one, two = (make(("decay", 1)).fit(data, y, weights) for data in (X, other))
    np.testing.assert_array_equal(one._fitted.model.theta, two._fitted.model.theta)


def test_times_are_learned_from():
    """What is left of impulses that fade depends on the times between them alone."""
    rng = np.random.default_rng(0)
    X = [np.column_stack([np.cumsum(rng.exponential(size=6)), np.ones(6)]) for _ in range(200)]
    y = np.array([np.exp(x[:, 0] - x[-1, 0]).sum() for x in X])
    scores = {}
    with pytest.warns(UserWarning, match="feature 0 of X is constant"):
        scores[None] = RNNRegressor(8, max_iter=60, random_state=0).fit([x[:, 1:] for x in X], y).score(
            [x[:, 1:] for x in X], y
        )
    with pytest.warns(UserWarning, match="feature 1 of X is constant"):
        scores["times"] = RNNRegressor(8, max_iter=60, times=0, random_state=0).fit(X, y).score(X, y)
    assert scores[None] < 0.01 < 0.9 < scores["times"]


def test_what_is_missing_decays_to_the_mean():
    """After long, a value that was not seen again makes no difference to the input, and no state is left."""
    net = make(("decay", 1), hidden_size=3).fit(X, y)
    for name in ("decay.W", "layer0.decay.W"):
        net.parameters_[name] = np.ones_like(net.parameters_[name])
    one, other = np.full((2, 2, 4), np.nan)
    one[0], other[0] = [1, 0, 2, 3], [5, 0, -6, 7]
    one[1, 1] = other[1, 1] = 1e9
    net.set_params(pooling="last")
    last = net.transform([one, other])
    np.testing.assert_array_equal(last[0], last[1])


class TestRefuses:
    @pytest.mark.parametrize("method", ["fit", "partial_fit", "predict"])
    @pytest.mark.parametrize("data", [list, OnDisk])
    def test_times_that_decrease(self, method, data):
        bad = [x.copy() for x in X]
        i = next(i for i, x in enumerate(X) if len(x) > 3)
        bad[i][2, 1] = -1
        net = make(("ffill", 1)).fit(X, y)
        expected = net.predict(X)
        with pytest.raises(ValueError, match=rf"times=1: X\[{i}\], step 2, has the time -1, less than"):
            getattr(net, method)(data(bad), *([] if method == "predict" else [y]))
        np.testing.assert_array_equal(net.predict(X), expected)

    @pytest.mark.parametrize("method", ["fit", "predict"])
    @pytest.mark.parametrize(("dtype", "limit"), [(np.float32, 1.8e38), (np.float64, 9e307)])
    def test_times_whose_differences_overflow(self, method, dtype, limit):
        bad = [x.astype(dtype) for x in X]
        bad[0][-1, 1] = limit
        net = make(("decay", 1)).fit([x.astype(dtype) for x in X], y)
        message = rf"times=1: X\[0\], step {len(bad[0]) - 1}, .* too large for differences in"
        with pytest.raises(ValueError, match=message):
            getattr(net, method)(bad, *([] if method == "predict" else [y]))

    def test_steps_of_streams_that_go_back(self):
        net = make(("ffill", 1)).fit(X, y)
        _, state = net.predict_step([1, 5, 2, 3], None)
        with pytest.raises(ValueError, match=r"times=1: x\[0\], step 0, has the time 4.5, less than 5"):
            net.predict_step([1, 4.5, 2, 3], state)
        with pytest.raises(ValueError, match=r"times=1: x\[0\], step 0, has no time"):
            net.predict_step([1, np.nan, 2, 3], state)

    @pytest.mark.parametrize(("parameters", "message"), [
        ({"times": "hour"}, "times='hour' is a name, but the features of a step of X have none"),
        ({"times": 4}, "times=4 is no feature of X, whose steps have 4"),
        ({"missing": "decay", "patch_size": 4}, "patch_size=4 does not go with missing='decay'"),
        ({"missing": "decay", "embedding_dim": 3}, "missing='decay' is for numbers, to which it adds an input"),
        ({"missing": "ffill", "times": 1, "embedding_dim": 3}, "times=1 is a feature beside others"),
        ({"times": 1.5}, "The 'times' parameter of RNNRegressor must be"),
    ], ids=str)
    def test_parameters(self, parameters, message):
        with pytest.raises(ValueError, match=message):
            RNNRegressor(**SMALL | {"missing": "ffill"} | parameters).fit(X, y)

    def test_times_that_are_categories(self):
        frame = pd.DataFrame({"a": lists(X, 0), "day": [["mon"] * len(x) for x in X]})
        with pytest.raises(ValueError, match="times='day' is one of the categorical features, expected a number"):
            make(("ffill", "day")).fit(frame, y)
        with pytest.raises(ValueError, match=r"missing='decay' is for numbers.*categories alone"):
            make(("decay", None)).fit(frame[["day"]], y)

    def test_names_of_other_frames(self):
        with pytest.raises(ValueError, match=r"times='day' is no feature of X: expected one of \['a', 'hour'"):
            make(("ffill", "day")).fit(as_ragged(X), y)


def test_digits_that_are_lost_in_float32():
    late = [np.where(np.arange(4) == 1, x + 1.6e9, x).astype(np.float32) for x in X]
    with pytest.warns(PrecisionWarning, match=r"times=1 are about 16000.* and .* apart, but numbers of that size"):
        make(("ffill", 1)).fit(late, y)
    make(("ffill", 1)).fit([x.astype(float) for x in late], y)


def test_steps_that_windows_share():
    """Windows of a series with a time: the first step of each is its beginning."""
    rng = np.random.default_rng(0)
    series = np.column_stack([rng.normal(size=60), np.cumsum(rng.exponential(size=60))])
    windows = SlidingWindow(8).fit_transform(series)
    targets = rng.normal(size=len(windows))
    for missing in ("error", "decay"):
        net = make((missing, 1)).fit(windows, targets)
        np.testing.assert_array_equal(net.predict(windows), net.predict([np.array(w) for w in windows]))


@pytest.mark.parametrize("way", WAYS, ids=str)
def test_beside_categories_and_static_features(way):
    """In frames: the same bits in streams, and categories and static features make a difference."""
    rng, X = np.random.default_rng(2), data_for(way)
    frame = pd.DataFrame({name: lists(X, j) for j, name in enumerate(NAMES)})
    frame.insert(1, "drug", [rng.choice(["x", "y", "z"], len(x)).tolist() for x in X])
    frame["age"], frame["ward"] = rng.normal(60, 9, 30), rng.choice(["north", "south"], 30)
    net = make(way).fit(frame, y)
    predicted = net.predict(frame)
    state = net.initial_state(static=frame[["age", "ward"]])
    for i in (3, 8):
        own = state[[i]]
        for t in range(len(X[i])):
            stepped, own = net.predict_step({name: frame[name][i][t] for name in [*NAMES, "drug"]}, own)
        assert stepped == predicted[i]
    other = frame.assign(drug=[["x"] * len(x) for x in X])
    assert (net.predict(other) != predicted).any()
    by_index = make((way[0], None if way[1] is None else 2)).fit(frame, y)
    np.testing.assert_array_equal(by_index.predict(frame), predicted)


def test_automatic_patches_are_off_with_decay():
    long = uneven(4, longest=400, seed=3)
    long = [x for x in long if len(x) > 100]
    targets = np.arange(float(len(long)))
    assert make(("decay", 1), patch_size="auto").fit(long, targets)._fitted.model.network.patch is None
    assert make(("indicator", 1), patch_size="auto").fit(long, targets)._fitted.model.network.patch is not None


def test_classes_and_probabilities_per_step():
    """A classifier with times and decays, per sequence and per step."""
    labels = (y > 0).astype(int)
    net = make(("decay", 1), RNNClassifier).fit(X, labels)
    assert net.predict_proba(X).shape == (30, 2)
    net = make(("decay", 1), RNNClassifier, return_sequences=True).fit(X, [np.arange(len(x)) % 3 for x in X])
    one, _ = net.predict_proba_step(X[0][0], None)
    np.testing.assert_array_equal(one, net.predict_proba(X)[0][0])
