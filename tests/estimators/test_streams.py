"""States that are handed on: streams, pieces of sequences, features."""

import json

import numpy as np
import pandas as pd
import pytest
from forms import OnDisk
from pairwise import pairwise
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from skrnn import RNNClassifier, RNNRegressor
from skrnn._data import lazy
from skrnn.kernels import CELLS, POOLINGS

pytestmark = [
    pytest.mark.usefixtures("simd"), pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
]

VARIANTS = {
    "last": {"pooling": "last"}, "mean": {"pooling": "mean"}, "max": {"pooling": "max"},
    "steps": {"return_sequences": True},
    "ffill": {"missing": "ffill"}, "indicator of steps": {"missing": "indicator", "return_sequences": True},
    "all three": {"hidden_size": (5, 3), "pooling": "last_mean_max", "missing": "ffill"},
    "stacked": {"hidden_size": (5, 3), "pooling": "max", "missing": "ffill"},
    "patches": {"patch_size": 4, "patch_stride": 2}, "patches, mean": {"patch_size": 2, "pooling": "mean"},
    "patches side by side": {"patch_size": 3, "patch_stride": 3, "pooling": "max", "missing": "ffill"},
    "patches, indicator": {"hidden_size": (5, 3), "patch_size": 5, "patch_stride": 2, "missing": "indicator"},
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

    def test_a_state_that_was_written_as_text(self, parameters, cell, dtype, estimator):
        X, y = data(parameters, dtype)
        net = estimator(cell=cell, **parameters).fit(X, y)
        for state in (net.initial_state(4), net.predict(X, return_state=True)[1]):
            read = json.loads(json.dumps(state.tolist()))
            for call in (
                lambda state: net.predict(X, initial_state=state, return_state=True),
                lambda state: net.predict_step(X[0][:1], state[:1]),
            ):
                (y_read, after_read), (y_whole, after_whole) = call(read), call(state)
                assert np.hstack(y_read).tobytes() == np.hstack(y_whole).tobytes()
                assert after_read.dtype == state.dtype
                assert after_read.tobytes() == after_whole.tobytes()


Y_OF_STEPS = {
    "binary": np.arange(36).reshape(4, 9).T % 2, "classes": np.arange(36).reshape(4, 9).T % 3,
    "labels": np.arange(72).reshape(9, 4, 2) % 5 > 1,
}


class TestProbabilities:
    @pytest.mark.parametrize("y", Y_OF_STEPS)
    @pytest.mark.parametrize("per_step", [False, True])
    @pytest.mark.parametrize("dtype", [np.float32, np.float64])
    def test_of_steps_have_the_bits_of_those_of_the_whole(self, y, per_step, dtype):
        X, Y = np.random.default_rng(0).normal(size=(9, 4, 3)).astype(dtype), Y_OF_STEPS[y].astype(int)
        net = RNNClassifier(5, return_sequences=per_step, max_iter=2, random_state=0)
        net.fit(X, Y if per_step else Y[:, -1])
        many, state = net.initial_state(9), net.initial_state()
        for t in range(4):
            labels = net.predict_step(X[:, t], many)[0]
            p, many = net.predict_proba_step(X[:, t], many)
            one, state = net.predict_proba_step(X[0, t], state)
            whole = net.predict_proba(X[:, : t + 1])
            expected = whole[:, -1] if per_step else whole
            assert p.tobytes() == np.ascontiguousarray(expected).tobytes()
            assert one.tobytes() == p[0].tobytes()
            assert np.array_equal(labels, p > 0.5 if y == "labels" else net.classes_[p.argmax(axis=1)])
        assert many[0].tobytes() == state[0].tobytes()

    def test_logarithms_continue_from_states(self):
        X = np.random.default_rng(0).normal(size=(9, 4, 3))
        net = fitted()
        _, state = net.predict_log_proba(X[:, :1], return_state=True)
        assert net.predict_log_proba(X[:, 1:], initial_state=state).tobytes() == net.predict_log_proba(X).tobytes()

    def test_only_classifiers_have_them(self):
        assert not hasattr(RNNRegressor(), "predict_proba_step")


def fitted(dtype=np.float64, **parameters):
    X = np.random.default_rng(0).normal(size=(9, 4, 3)).astype(dtype)
    parameters = {"cell": "lstm", "pooling": "last", "max_iter": 1, "random_state": 0} | parameters
    return RNNClassifier(5, **parameters).fit(X, np.arange(9) % 3)


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
        net = RNNRegressor(
            3, cell="rnn", activation="identity", standardize=False, max_iter=1, random_state=0
        ).fit(X, np.arange(40.0))
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


    def test_a_step_whose_output_is_not_finite(self):
        X = np.random.default_rng(0).normal(size=(9, 4, 2))
        for missing in ("error", "ffill"):
            net = RNNRegressor(3, cell="rnn", activation="identity", missing=missing, max_iter=1, random_state=0)
            net.fit(X, X[:, 0, 0]).set_parameters({"head.V": np.full((9, 1), 1e300)})
            with pytest.raises(ValueError, match=r"^The net's output for x\[1\] is not finite"):
                net.predict_step(np.array([[0, 0], [1e100, 1]]), net.initial_state(2))


def read_only(state):
    state = state.copy()
    state.flags.writeable = False
    return state


# The same states, of any values of float32
FORMS_OF_STATES = {
    "lists": np.ndarray.tolist, "tuples": lambda state: tuple(map(tuple, state.tolist())),
    "arrays in a list": list, "objects": lambda state: state.astype(object), "read-only": read_only,
    "not contiguous": lambda state: np.repeat(state, 2, axis=1)[:, ::2], "Fortran": np.asfortranarray,
    "float32": lambda state: state.astype(np.float32), "float64": lambda state: state.astype(np.float64),
    "the other byte order": lambda state: state.astype(state.dtype.newbyteorder()), "frame": pd.DataFrame,
    "nullable frame": lambda state: pd.DataFrame(state).astype("Float64"),
    "longdouble": lambda state: state.astype(np.longdouble),
}
WRONG_STATES = {
    "columns": (np.zeros((2, 9)), r"{name} has shape \(2, 9\), expected \(2, 10\)"),
    "rows": (np.zeros((3, 10)), r"{name} has shape \(3, 10\), expected \(2, 10\)"),
    "one dimension": (np.zeros(10), r"{name} has shape \(10,\), expected \(2, 10\)"),
    "three dimensions": (np.zeros((2, 10, 1)), r"{name} has shape \(2, 10, 1\), expected"),
    "a number": (0.0, r"{name} has shape \(\), expected"),
    "ragged lists": ([[0.0] * 10, [0.0] * 9], r"{name} is not an array"),
    "text": ([["0"] * 9 + ["a"], ["0"] * 10], r"{name}\[0, 9\] is 'a', expected a number"),
    "objects": (np.full((2, 10), {}, dtype=object), r"{name}\[0, 0\] is dict"),
    "complex": (np.zeros((2, 10), complex), r"Complex data not supported: {name}"),
    "masked": (np.ma.masked_less(np.zeros((2, 10)), 1), r"{name} has masked values"),
    "None in it": ([[0.0] * 10, [None] * 10], r"{name}\[1, 0\] is nan, expected a finite number"),
    **{
        f"{value} in {np.dtype(dtype)}": (np.array([[0] * 10, [0] * 6 + [value] + [0] * 3], dtype),
                                          rf"{{name}}\[1, 6\] is {value}, expected a finite number")
        for value in (np.nan, np.inf, -np.inf) for dtype in (np.float32, np.float64)
    },
}
CONTINUATIONS = {
    "predict": ("initial_state", lambda net, state: net.predict(np.zeros((2, 4, 3)), initial_state=state)),
    "predict_proba": ("initial_state", lambda net, state: net.predict_proba(np.zeros((2, 4, 3)), initial_state=state)),
    "predict_log_proba": (
        "initial_state", lambda net, state: net.predict_log_proba(np.zeros((2, 4, 3)), initial_state=state)
    ),
    "predict_step": ("state", lambda net, state: net.predict_step(np.zeros((2, 3)), state)),
    "predict_proba_step": ("state", lambda net, state: net.predict_proba_step(np.zeros((2, 3)), state)),
}


class TestStates:
    @pytest.mark.parametrize("form", FORMS_OF_STATES)
    @pytest.mark.parametrize("dtype", [np.float32, np.float64])
    def test_forms(self, form, dtype):
        X = np.random.default_rng(0).normal(size=(4, 4, 3)).astype(dtype)
        for net in (fitted(dtype), fitted(dtype, missing="ffill")):
            state = np.float32(net.predict(X, return_state=True)[1]).astype(dtype)
            other = FORMS_OF_STATES[form](state)
            assert net.predict_proba(X, initial_state=other).tobytes() == net.predict_proba(
                X, initial_state=state
            ).tobytes()
            p, after = net.predict_proba_step(X[:, 0], other)
            expected, expected_after = net.predict_proba_step(X[:, 0], state)
            assert p.tobytes() == expected.tobytes()
            assert after.tobytes() == expected_after.tobytes()
            assert after.dtype == dtype

    @pytest.mark.parametrize("row", [np.array, list, pd.Series, lambda row: pd.DataFrame([row]).iloc[0]])
    def test_the_state_of_one_stream_may_be_a_row(self, row):
        net, x = fitted(), np.ones(3)
        state = np.linspace(-1, 1, 10)
        expected, after = net.predict_proba_step(x, state[np.newaxis])
        p, also_after = net.predict_proba_step(x, row(state))
        assert p.tobytes() == expected.tobytes()
        assert after.tobytes() == also_after.tobytes()
        assert after.shape == (1, 10)
        assert net.predict_proba(x[np.newaxis, np.newaxis], initial_state=row(state)).tobytes() == p.tobytes()

    @pytest.mark.parametrize("method", CONTINUATIONS)
    @pytest.mark.parametrize("wrong", WRONG_STATES)
    def test_what_no_state_is(self, wrong, method):
        name, call = CONTINUATIONS[method]
        state, message = WRONG_STATES[wrong]
        with pytest.raises((TypeError, ValueError), match="^" + message.format(name=name)):
            call(fitted(), state)

    @pytest.mark.parametrize("method", CONTINUATIONS)
    def test_what_was_seen_last_is_finite(self, method):
        name, call = CONTINUATIONS[method]
        net = fitted(missing="ffill")
        state = net.initial_state(2)
        state[1, 12] = np.nan
        with pytest.raises(ValueError, match=rf"^{name}\[1, 12\] is nan"):
            call(net, state)

    @pytest.mark.parametrize("method", CONTINUATIONS)
    def test_numbers_beyond_float32(self, method):
        name, call = CONTINUATIONS[method]
        state = np.zeros((2, 10))
        state[1, 3] = 1e300
        with pytest.raises(ValueError, match=rf"^{name}\[1, 3\] is 1e\+300, too large for float32"):
            call(fitted(np.float32), state)

    def test_a_state_that_is_not_finite_is_not_blamed_on_x(self):
        """Also where gates would hide it."""
        net, X = fitted(), np.ones((1, 4, 3))
        state = net.initial_state()
        for value in (np.nan, np.inf, -np.inf):
            for column in range(10):
                wrong = state.copy()
                wrong[0, column] = value
                with pytest.raises(ValueError, match=rf"^initial_state\[0, {column}\] is {value}"):
                    net.predict(X, initial_state=wrong)
                with pytest.raises(ValueError, match=rf"^state\[0, {column}\] is {value}"):
                    net.predict_step(X[0, 0], wrong)

    @pytest.mark.parametrize("pooling", ["max", "last_mean_max"])
    def test_the_maximum_of_no_steps_is_a_state(self, pooling):
        net = fitted(pooling=pooling)
        state = net.initial_state(2)
        column = np.flatnonzero(np.isinf(state[1]))[-1]
        expected = net.predict_proba(np.ones((2, 4, 3)))
        assert net.predict_proba(np.ones((2, 4, 3)), initial_state=state).tobytes() == expected.tobytes()
        for value in (np.inf, np.nan):
            state[1, column] = value
            for name, call in CONTINUATIONS.values():
                with pytest.raises(ValueError, match=rf"^{name}\[1, {column}\] is {value}"):
                    call(net, state)

    def test_x_comes_first(self):
        with pytest.raises(ValueError, match=r"^Input x contains NaN"):
            fitted().predict_step(np.full(3, np.nan), np.full((1, 10), np.nan))

    def test_none_is_the_initial_state(self):
        net = fitted()
        p, after = net.predict_proba_step(np.ones(3), None)
        expected, expected_after = net.predict_proba_step(np.ones(3), net.initial_state())
        assert p.tobytes() == expected.tobytes()
        assert after.tobytes() == expected_after.tobytes()


class TestErrors:
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
        with pytest.raises(ValueError, match=r"^state has shape \(1, 10\), expected \(2, 10\)"):
            net.predict_step(np.zeros((2, 3)), state)

    def test_a_net_that_reads_backwards_has_no_streams(self):
        net = fitted(bidirectional=True)
        for call in (
            net.initial_state, lambda: net.predict_step(np.zeros(3), None),
            lambda: net.predict_proba_step(np.zeros(3), None),
            lambda: net.predict(np.zeros((1, 4, 3)), return_state=True),
        ):
            with pytest.raises(ValueError, match="needs a net that reads forwards"):
                call()

    @pytest.mark.parametrize("n", [0, -1, 1.5, 2.0, True, "3", [2], np.array([2, 3]), np.float64(2), np.bool_(1)])
    def test_numbers_of_sequences(self, n):
        with pytest.raises(ValueError, match=r"^n_sequences=.*: expected a positive int"):
            fitted().initial_state(n)

    @pytest.mark.parametrize("n", [10**12, 2**62, 2**63, 2**70, np.uint64(2**63)])
    def test_numbers_of_sequences_beyond_the_memory(self, n):
        with pytest.raises(ValueError, match=rf"^n_sequences={n}: states of 10 numbers for each take .* GB"):
            fitted().initial_state(n)

    @pytest.mark.parametrize("n", [2, np.int8(2), np.uint64(2), np.array(2)[()]])
    def test_numbers_of_any_integer_type(self, n):
        assert fitted().initial_state(n).shape == (2, 10)


class TestTransform:
    @pytest.mark.parametrize("pooling", POOLINGS)
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


def test_a_step_of_numbers_by_name():
    """A dict, as it comes from JSON, in any order, as nets with categories take it."""
    rng = np.random.default_rng(0)
    X = pd.DataFrame({"heat": list(rng.normal(size=(6, 4))), "load": list(rng.normal(size=(6, 4)))})
    net = RNNRegressor(2, max_iter=1, random_state=0).fit(X, np.arange(6.0))
    state = net.initial_state()
    expected, after = net.predict_step([0.5, -1.0], state)
    predicted, of_dict = net.predict_step({"load": -1.0, "at": "10:15", "heat": 0.5}, state)
    assert predicted == expected
    np.testing.assert_array_equal(of_dict, after)
    with pytest.raises(ValueError, match=r"x has no \['load'\], expected a value of each of \['heat', 'load'\]"):
        net.predict_step({"heat": 0.5}, state)
    net.fit(rng.normal(size=(6, 4, 2)), np.arange(6.0))
    with pytest.raises(ValueError, match="x is a dict, but the features have no names: pass a list"):
        net.predict_step({"heat": 0.5, "load": -1.0}, state)
