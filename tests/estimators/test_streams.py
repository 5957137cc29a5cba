"""States that are handed on: streams, pieces of sequences, features."""

import numpy as np
import pandas as pd
import pytest
from forms import OnDisk
from pairwise import pairwise
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from skrnn import RNNClassifier, RNNRegressor
from skrnn._data import lazy
from skrnn.kernels import CELLS

pytestmark = [
    pytest.mark.usefixtures("simd"), pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
]

VARIANTS = {
    "last": {}, "mean": {"pooling": "mean"}, "max": {"pooling": "max"}, "steps": {"return_sequences": True},
    "ffill": {"missing": "ffill"}, "indicator of steps": {"missing": "indicator", "return_sequences": True},
    "stacked": {"hidden_size": (5, 3), "pooling": "max", "missing": "ffill"},
}


@pytest.fixture
def parameters(variant):
    return {"hidden_size": 5, "max_iter": 2, "random_state": 0} | VARIANTS[variant]


def data(parameters, dtype=np.float64):
    rng = np.random.default_rng(0)
    X = [rng.normal(size=(T, 3)).astype(dtype) for T in (6, 1, 9, 4)]
    if "missing" in parameters:
        for x in X:
            x[rng.random(x.shape) < 0.3] = np.nan
    y = [np.arange(len(x)) % 2 for x in X] if parameters.get("return_sequences") else [0, 1, 1, 0]
    return X, y


@pytest.mark.parametrize(
    ("variant", "cell", "dtype", "estimator"),
    pairwise(VARIANTS, CELLS, [np.float32, np.float64], [RNNClassifier, RNNRegressor]), ids=str,
)
class TestStreams:
    def test_a_stream_has_the_bits_of_the_whole(self, parameters, cell, dtype, estimator):
        X, y = data(parameters, dtype)
        net = estimator(cell=cell, **parameters).fit(X, y)
        per_step = net.return_sequences
        whole = net.predict(X)
        for i, x in enumerate(X):
            state, steps = net.initial_state(), []
            for x_t in x:
                y_t, state = net.predict_step(x_t, state)
                steps.append(y_t)
            expected = whole[i] if per_step else whole[i : i + 1]
            assert np.array(steps if per_step else steps[-1:], expected.dtype).tobytes() == expected.tobytes()

    def test_pieces_have_the_bits_of_the_whole(self, parameters, cell, dtype, estimator):
        X, y = data(parameters, dtype)
        X, y = [X[0], X[2], X[3]], [y[0], y[2], y[3]]
        net = estimator(cell=cell, **parameters).fit(X, y)
        predict = net.predict_proba if estimator is RNNClassifier else net.predict
        whole, final = predict(X, return_state=True)
        first, state = predict([x[:3] for x in X], return_state=True)
        second, after = predict([x[3:] for x in X], initial_state=state, return_state=True)
        assert after.tobytes() == final.tobytes()
        for i in range(3):
            expected = np.concatenate([first[i], second[i]]) if net.return_sequences else second[i]
            assert expected.tobytes() == whole[i].tobytes()
        assert all(a.tobytes() == b.tobytes() for a, b in zip(predict(X), whole, strict=True))

    def test_many_streams_at_once(self, parameters, cell, dtype, estimator):
        X, y = data(parameters, dtype)
        net = estimator(cell=cell, **parameters).fit(X, y)
        state = net.initial_state(4)
        steps = np.stack([x[0] for x in X])
        predicted, after = net.predict_step(steps, state)
        for i in range(4):
            one, one_state = net.predict_step(steps[i], state[i : i + 1])
            assert np.asarray(one, predicted.dtype).tobytes() == predicted[i].tobytes()
            assert one_state.tobytes() == after[i].tobytes()


def fitted(**parameters):
    rng = np.random.default_rng(0)
    return RNNClassifier(5, max_iter=1, random_state=0, **parameters).fit(rng.normal(size=(9, 4, 3)), np.arange(9) % 3)


@pytest.mark.parametrize("missing", ["ffill", "indicator"])
def test_steps_that_are_missing_at_the_end_of_a_piece_count(missing):
    X = np.random.default_rng(0).normal(size=(6, 8, 2))
    X[:, 3:5] = np.nan
    net = RNNRegressor(4, missing=missing, max_iter=2, random_state=0).fit(X, np.arange(6.0))
    whole = net.predict(X)
    _, state = net.predict(X[:, :5], return_state=True)
    assert net.predict(X[:, 5:], initial_state=state).tobytes() == whole.tobytes()


def test_names_of_features_of_a_step():
    rng = np.random.default_rng(0)
    X = [pd.DataFrame(rng.normal(size=(4, 2)), columns=["a", "b"]) for _ in range(6)]
    net = RNNRegressor(4, max_iter=2, random_state=0).fit(X, np.arange(6.0))
    state = net.initial_state()
    y, _ = net.predict_step(X[0].iloc[0], state)
    assert y == net.predict_step(X[0].iloc[0].to_numpy(), state)[0] == net.predict_step(X[0].iloc[:1], state)[0][0]
    for x in (X[0].iloc[0][["b", "a"]], X[0].iloc[:1][["b", "a"]]):
        with pytest.raises(ValueError, match=r"x has the features \['b', 'a'\], expected \['a', 'b'\] as in fit"):
            net.predict_step(x, state)


class TestNamesInErrors:
    def test_sequences_that_are_read_in_parts_keep_their_numbers(self, monkeypatch):
        X = list(np.random.default_rng(0).normal(size=(40, 4, 2)))
        net = RNNRegressor(3, cell="rnn", activation="identity", max_iter=1, random_state=0).fit(X, np.arange(40.0))
        X[37] = np.full((40, 2), 1.7e308)
        monkeypatch.setattr(lazy, "MAX_BYTES_PER_READ", 300)
        for parameters in ({}, {"return_state": True}):
            with pytest.raises(ValueError, match=r"output for X\[37\] is not finite"):
                net.predict(OnDisk(X), **parameters)

    @pytest.mark.parametrize("missing", ["error", "ffill"])
    def test_a_step_is_called_x(self, missing):
        X = np.random.default_rng(0).normal(size=(9, 4, 2)).astype(np.float32)
        net = RNNRegressor(3, missing=missing, max_iter=1, random_state=0).fit(X, X[:, 0, 0])
        with pytest.raises(ValueError, match=r"^x is too large for float32"):
            net.predict_step(np.array([1e300, 0]), net.initial_state())


class TestErrors:
    def test_states_that_do_not_fit(self):
        net = fitted()
        X = np.zeros((2, 4, 3))
        for state in (np.zeros((2, 9)), np.zeros((3, 10)), np.zeros((2, 10), np.float32), np.zeros(10)):
            with pytest.raises(ValueError, match=r"the state has shape .* expected \(2, 10\) and float64"):
                net.predict(X, initial_state=state)

    def test_steps_that_do_not_fit(self):
        net = fitted()
        state = net.initial_state()
        for x in (np.zeros(4), np.zeros((1, 1, 3)), np.zeros((1, 2)), 3.0):
            with pytest.raises(ValueError, match=r"x has shape .*, expected \(3,\), the features of a step"):
                net.predict_step(x, state)
        with pytest.raises(ValueError, match="Input x contains NaN"):
            net.predict_step([1, np.nan, 2], state)
        with pytest.raises(ValueError, match=r"x\[1\] is 'a', expected a number"):
            net.predict_step([1, "a", 2], state)
        with pytest.raises(ValueError, match=r"the state has shape \(1, 10\).* expected \(2, 10\)"):
            net.predict_step(np.zeros((2, 3)), state)

    def test_a_net_that_reads_backwards_has_no_streams(self):
        net = fitted(bidirectional=True)
        for call in (
            net.initial_state, lambda: net.predict_step(np.zeros(3), None),
            lambda: net.predict(np.zeros((1, 4, 3)), return_state=True),
        ):
            with pytest.raises(ValueError, match="needs a net that reads forwards"):
                call()

    @pytest.mark.parametrize("n", [0, -1, 1.5, True])
    def test_numbers_of_sequences(self, n):
        with pytest.raises(ValueError, match=r"n_sequences=.*: expected a positive int"):
            fitted().initial_state(n)


class TestTransform:
    @pytest.mark.parametrize("pooling", ["last", "mean", "max"])
    def test_last_hidden_states_of_all_layers(self, pooling):
        rng = np.random.default_rng(0)
        X = rng.normal(size=(9, 4, 3))
        net = RNNClassifier((5, 4), bidirectional=True, pooling=pooling, max_iter=1, random_state=0)
        features = net.fit(X, np.arange(9) % 3).transform(X)
        assert features.shape == (9, 18)
        top = net.parameters_
        if pooling == "last":
            scores = features[:, 10:] @ top["head.V"] + top["head.c"]
            p = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
            np.testing.assert_allclose(p, net.predict_proba(X), rtol=1e-12)

    def test_names_and_containers(self):
        rng = np.random.default_rng(0)
        X, y = pd.DataFrame(rng.normal(size=(9, 4)), index=list("abcdefghi"), columns=list("wxyz")), np.arange(9) % 3
        net = RNNClassifier(2, max_iter=1, random_state=0).set_output(transform="pandas").fit(X, y)
        frame = net.transform(X)
        assert frame.columns.tolist() == net.get_feature_names_out().tolist() == ["rnnclassifier0", "rnnclassifier1"]
        assert frame.index.tolist() == list("abcdefghi")

    def test_as_a_step_of_a_pipeline(self):
        rng = np.random.default_rng(0)
        X = [rng.normal(size=(T, 1)) for T in rng.integers(3, 9, size=60)]
        y = [x.sum() > 0 for x in X]
        net = RNNRegressor(8, max_iter=20, learning_rate_init=0.02, random_state=0)
        pipeline = make_pipeline(net, LogisticRegression())
        assert pipeline.fit(X, y).score(X, y) > 0.8
        assert pipeline[:-1].transform(X).shape == (60, 8)
