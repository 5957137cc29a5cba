"""Static features in estimators: what reads them, their units, and streams that begin with them."""

import pickle

import numpy as np
import pandas as pd
import pytest
from pairwise import pairwise
from sklearn.base import clone

from skrnn import RNNClassifier, RNNRegressor, WithStatic
from skrnn._data import lazy
from skrnn._network.static import STATIC_TO

pytestmark = [
    pytest.mark.usefixtures("simd"), pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
]

VARIANTS = {
    "defaults": {}, "mean, stacked": {"pooling": "mean", "hidden_size": (5, 3)},
    "steps": {"return_sequences": True}, "ffill": {"missing": "ffill"},
    "indicator of steps": {"missing": "indicator", "return_sequences": True},
    "patches": {"patch_size": 4, "patch_stride": 2}, "patches, indicator": {"patch_size": 3, "missing": "indicator"},
    "raw": {"standardize": False},
}
LENGTHS = (6, 1, 9, 4)


def data(variant="defaults", dtype=np.float64):
    """Sequences with two static numbers and a category, as a frame; and targets."""
    parameters, rng = VARIANTS[variant], np.random.default_rng(0)
    X = [rng.normal(size=(T, 3)).astype(dtype) for T in LENGTHS]
    age, dose = rng.normal(50, 20, size=4), rng.normal(size=4)
    if "missing" in parameters:
        for x in X:
            x[rng.random(x.shape) < 0.3] = np.nan
        dose[2] = np.nan
    frame = pd.DataFrame({
        "age": age, **{name: [x[:, j] for x in X] for j, name in enumerate("abc")}, "dose": dose,
        "ward": pd.Categorical(["x", "y", "x", "z"]),
    })
    y = [np.arange(T) % 2 for T in LENGTHS] if parameters.get("return_sequences") else [0, 1, 1, 0]
    return frame, y, X


def fitted(estimator=RNNRegressor, variant="defaults", dtype=np.float64, **parameters):
    X, y, _ = data(variant, dtype)
    parameters = {"hidden_size": 5, "max_iter": 3, "random_state": 0} | VARIANTS[variant] | parameters
    return estimator(**parameters).fit(X, y)


def static_of(X):
    return X[["age", "dose", "ward"]]


@pytest.mark.parametrize(
    ("variant", "to", "dtype", "estimator"),
    pairwise(VARIANTS, STATIC_TO, [np.float32, np.float64], [RNNClassifier, RNNRegressor]), ids=str,
)
class TestStreams:
    def test_a_stream_has_the_bits_of_the_whole(self, variant, to, dtype, estimator):
        X, _, steps = data(variant, dtype)
        net = fitted(estimator, variant, dtype, static_to=to)
        whole = net.predict(X)
        for i, x in enumerate(steps):
            state, predicted = net.initial_state(static=static_of(X.iloc[[i]])), []
            for x_t in x:
                y_t, state = net.predict_step(x_t, state)
                predicted.append(y_t)
            expected = whole[i] if net.return_sequences else whole[i : i + 1]
            predicted = predicted if net.return_sequences else predicted[-1:]
            assert np.array(predicted, expected.dtype).tobytes() == expected.tobytes()

    def test_pieces_have_the_bits_of_the_whole(self, variant, to, dtype, estimator):
        """Of the static features of the second piece nothing is read: its states have them."""
        X, _, steps = data(variant, dtype)
        X, steps = X.iloc[[0, 2, 3]], [steps[i] for i in (0, 2, 3)]
        net = fitted(estimator, variant, dtype, static_to=to)
        whole, final = net.predict(X, return_state=True)
        plain = net.predict(X)
        first, state = net.predict(cut(X, steps, slice(None, 3)), return_state=True)
        second, after = net.predict(
            cut(X, steps, slice(3, None)).assign(age=0.0), initial_state=state, return_state=True
        )
        assert after.tobytes() == final.tobytes()
        for i in range(3):
            expected = np.concatenate([first[i], second[i]]) if net.return_sequences else second[i]
            assert expected.tobytes() == whole[i].tobytes() == plain[i].tobytes()

    def test_many_streams_at_once(self, variant, to, dtype, estimator):
        X, _, steps = data(variant, dtype)
        net = fitted(estimator, variant, dtype, static_to=to)
        state = net.initial_state(4, static_of(X))
        predicted, after = net.predict_step(np.stack([x[0] for x in steps]), state)
        for i in range(4):
            assert net.initial_state(static=static_of(X.iloc[[i]])).tobytes() == state[i : i + 1].tobytes()
            one, one_state = net.predict_step(steps[i][0], state[i])
            assert np.asarray(one, predicted.dtype).tobytes() == predicted[i].tobytes()
            assert one_state.tobytes() == after[i].tobytes()


def cut(X, steps, part):
    """A frame with a part of the steps of each sequence."""
    return X.assign(**{name: [x[part, j] for x in steps] for j, name in enumerate("abc")})


class TestStates:
    """What `initial_state` and predictions from states refuse."""

    @pytest.mark.parametrize("call", ["predict_step", "initial_state"])
    @pytest.mark.parametrize("variant", VARIANTS)
    def test_without_static_features(self, call, variant):
        net, x = fitted(variant=variant), np.zeros(3)
        with pytest.raises(ValueError, match=r"fitted with 3 static features"):
            net.predict_step(x, None) if call == "predict_step" else net.initial_state(2)

    def test_of_a_net_without(self):
        net = RNNRegressor(3, max_iter=2).fit(np.random.default_rng(0).normal(size=(5, 4, 2)), np.arange(5))
        with pytest.raises(ValueError, match=r"static must be None: .* without static features"):
            net.initial_state(static=[[1.0]])

    @pytest.mark.parametrize("rows", [1, 3])
    def test_another_number_of_rows(self, rows):
        X = data()[0]
        with pytest.raises(ValueError, match=f"static has {rows} rows, expected 2"):
            fitted().initial_state(2, static_of(X.iloc[:rows]))

    @pytest.mark.parametrize(("static", "message"), [
        ([[50.0, 1.0, "x", 2.0]], "static has 4 features, expected 3 as in fit"),
        ([[50.0, 1.0]], "static has 2 features, expected 3 as in fit"),
        ([[50.0, 1e39, "x"]], r"static\['dose'\]\[0\] is 1e\+39, too large for float32"),
    ])
    def test_other_features(self, static, message):
        with pytest.raises(ValueError, match=message):
            fitted(dtype=np.float32).initial_state(static=static)

    @pytest.mark.parametrize("static", [pd.Series([50.0]), pd.Series([50.0], name=3), pd.DataFrame([[50.0]])])
    def test_names_that_are_no_strings_are_not_compared(self, static):
        frame, y, _ = data()
        net = RNNRegressor(3, max_iter=2, random_state=0).fit(frame[["age", "a"]], y)
        assert net.initial_state(1, static).tobytes() == net.initial_state(static=[[50.0]]).tobytes()

    def test_of_one_sequence_by_name(self):
        """As a dict or a series, in the order of the names in fit."""
        net, row = fitted(), static_of(data()[0]).iloc[0]
        expected = net.initial_state(static=[row.tolist()]).tobytes()
        for static in (row, row.to_dict(), dict(reversed(row.to_dict().items()))):
            assert net.initial_state(static=static).tobytes() == expected
        with pytest.raises(ValueError, match=r"static has no \['age'\]"):
            net.initial_state(static={name: value for name, value in row.items() if name != "age"})

    def test_another_number_of_rows_than_asked_for(self):
        X = data()[0]
        with pytest.raises(ValueError, match="static has 4 rows, expected 1"):
            fitted().initial_state(1, static_of(X))

    @pytest.mark.parametrize("columns", [1, 4])
    @pytest.mark.parametrize("form", [np.array, pd.DataFrame])
    def test_another_number_of_columns(self, columns, form):
        with pytest.raises(ValueError, match=f"static has {columns} features, expected 3 as in fit"):
            fitted().initial_state(2, form(np.ones((2, columns))))

    def test_numbers_of_sequences_are_those_of_rows(self):
        X = data()[0]
        assert len(fitted().initial_state(static=static_of(X))) == 4
        numbers = WithStatic(data()[2], X[["age", "dose"]].to_numpy())
        net = RNNRegressor(3, max_iter=2, random_state=0).fit(numbers, np.arange(4))
        assert len(net.initial_state(static=[50.0, 1.0])) == 1
        assert net.initial_state(static=[50.0, 1.0]).tobytes() == net.initial_state(1, [[50.0, 1.0]]).tobytes()

    def test_a_state_of_a_net_without_them_has_another_width(self):
        net, (X, y, steps) = fitted(), data()
        other = RNNRegressor(5, max_iter=2).fit(steps, y)
        with pytest.raises(ValueError, match=r"initial_state has shape \(4, \d+\), expected \(4, \d+\)"):
            net.predict(X, initial_state=other.initial_state(4))


class TestUnits:
    def numbers(self, n=30):
        rng = np.random.default_rng(1)
        return rng.normal(size=(n, 5, 1)), rng.normal(size=(n, 2)) * [3.0, 0.1] + [70, -1], rng.normal(size=n)

    @pytest.mark.parametrize("to", STATIC_TO)
    def test_make_no_difference(self, to):
        """Powers of two change no bit."""
        X, static, y = self.numbers()
        net = RNNRegressor(4, static_to=to, max_iter=5, random_state=0)
        first = clone(net).fit(WithStatic(X, static), y).predict(WithStatic(X, static))
        other = static * [1024, 2**-7]
        assert clone(net).fit(WithStatic(X, other), y).predict(WithStatic(X, other)).tobytes() == first.tobytes()

    @pytest.mark.parametrize("weighted", [False, True])
    def test_are_mean_and_deviation_over_sequences(self, weighted):
        """Of those with weight, each with its own, however long it is."""
        X, static, y = self.numbers()
        X = [x[: 1 + i % 4] for i, x in enumerate(X)]
        weight = np.arange(30) % 3
        net = RNNRegressor(4, max_iter=2).fit(WithStatic(X, static), y, sample_weight=weight if weighted else None)
        rows = np.repeat(static, weight, axis=0) if weighted else static
        np.testing.assert_allclose(net.static_mean_, rows.mean(axis=0), rtol=1e-12)
        np.testing.assert_allclose(net.static_scale_, rows.std(axis=0), rtol=1e-12)

    def test_are_those_of_the_first_fit(self):
        X, static, y = self.numbers()
        net = RNNRegressor(4, random_state=0).partial_fit(WithStatic(X, static), y)
        before = net.static_mean_
        net.partial_fit(WithStatic(X, static + 5), y)
        np.testing.assert_array_equal(net.static_mean_, before)

    def test_without_standardize_there_are_none(self):
        X, static, y = self.numbers()
        net = RNNRegressor(4, standardize=False, max_iter=2).fit(WithStatic(X, static), y)
        assert net.static_mean_ is None
        assert net.static_scale_ is None

    def test_constant_ones_are_centered(self):
        X, static, y = self.numbers()
        static[:, 0] = 7
        with pytest.warns(UserWarning, match="constant"):
            net = RNNRegressor(4, max_iter=2, random_state=0).fit(WithStatic(X, static), y)
        assert (net.static_mean_[0], net.static_scale_[0]) == (7, 1)


class TestFit:
    def test_the_head_reads_an_offset(self):
        rng = np.random.default_rng(0)
        X, static = rng.normal(size=(200, 6, 1)), rng.normal(size=(200, 1))
        net = RNNRegressor(8, static_to="head", random_state=0, max_iter=60)
        y = static[:, 0] + X[:, -1, 0]
        assert net.fit(WithStatic(X, static), y).score(WithStatic(X, static), y) > 0.8
        assert net.fit(X, y).score(X, y) < 0.6

    def test_initial_states_change_how_a_sequence_is_read(self):
        """A product, which no linear head can read beside what it reads of the steps."""
        rng = np.random.default_rng(0)
        X, static = rng.normal(size=(200, 6, 1)), rng.choice([-1.0, 1.0], size=(200, 1))
        X, y = WithStatic(X, static), static[:, 0] * X.sum(axis=(1, 2))
        net = RNNRegressor(8, random_state=0, max_iter=60)
        scores = {to: clone(net).set_params(static_to=to).fit(X, y).score(X, y) for to in STATIC_TO}
        assert scores["head"] < 0.4 < 0.8 < min(scores["initial_state"], scores["both"])

    @pytest.mark.parametrize("to", STATIC_TO)
    @pytest.mark.parametrize(
        "parameters",
        [
            {"solver": "lbfgs"}, {"early_stopping": True, "validation_fraction": 0.5}, {"bidirectional": True},
            {"truncated_bptt_steps": 2}, {"dropout": 0.2},
        ],
        ids=str,
    )
    def test_every_way_of_training(self, to, parameters):
        net, X = fitted(static_to=to, **parameters), data()[0]
        assert np.isfinite(net.predict(X)).all()
        assert net.predict(X.iloc[[2]]).tobytes() == net.predict(X)[2:3].tobytes()
        other = net.predict(X.assign(age=X["age"] + 30, dose=-X["dose"]))
        assert (other != net.predict(X)).all()

    def test_transform_has_the_last_states(self):
        """Which the initial ones change, and the head does not."""
        X = data()[0]
        for to, changed in (("head", False), ("both", True)):
            net = fitted(static_to=to)
            features = [net.transform(X), net.transform(X.assign(age=0.0))]
            assert features[0].shape == (4, 5)
            assert (features[0] != features[1]).any() == changed

    @pytest.mark.parametrize("standardize", [True, False])
    def test_beside_steps_that_are_categories(self, standardize):
        """A missing number is the mean of the others, in fit, in predict and in streams."""
        steps = [np.arange(T) % 3.0 for T in LENGTHS]
        static = np.array([[61.0, 1.0], [np.nan, 2.0], [47.0, 4.0], [72.0, 1.0]])
        net = RNNClassifier(
            4, embedding_dim=2, missing="ffill", standardize=standardize, max_iter=3, random_state=0
        ).fit(WithStatic(steps, static), [0, 1, 1, 0])
        p = net.predict_proba(WithStatic(steps, static))
        filled = np.where(np.isnan(static), np.nanmean(static, axis=0), static)
        np.testing.assert_array_equal(net.predict_proba(WithStatic(steps, filled)), p)
        if not standardize:     # units are those of the numbers that are known
            again = clone(net).fit(WithStatic(steps, filled), [0, 1, 1, 0])
            np.testing.assert_allclose(again.predict_proba(WithStatic(steps, filled)), p, rtol=1e-9)
        state = net.initial_state(static=static[1:2])
        for x in steps[1]:
            last, state = net.predict_proba_step([x], state)
        np.testing.assert_array_equal(last, p[1])

    def test_categories_that_fit_does_not_see_are_zeros(self):
        X, y, _ = data()
        X["ward"] = pd.Categorical(X["ward"], ["w", "x", "y", "z"])
        net = RNNRegressor(5, embedding_dim=2, max_iter=3, random_state=0).fit(X, y)
        rows = net.parameters_["static.ward.E"].any(axis=1)
        np.testing.assert_array_equal(rows, [False, True, True, True, False])

    def test_later_fits(self):
        (X, y, _), net = data(), fitted(warm_start=True, static_to="both")
        before = net.parameters_["static.W"].copy()
        assert (net.fit(X, y).parameters_["static.W"] != before).any()
        with pytest.raises(ValueError, match="cannot continue with parameters of the shapes"):
            net.set_params(static_to="head").fit(X, y)
        with pytest.raises(ValueError, match="static features"):
            net.set_params(static_to="both").partial_fit(data()[2], y)

    def test_pickles(self):
        net, X = fitted(static_to="both"), data()[0]
        assert pickle.loads(pickle.dumps(net)).predict(X).tobytes() == net.predict(X).tobytes()

    @pytest.mark.parametrize("to", STATIC_TO)
    def test_reading_on_demand_changes_no_bit(self, to, monkeypatch):
        rng = np.random.default_rng(0)
        X, static = rng.normal(size=(40, 6, 2)), rng.normal(size=(40, 2))
        y = rng.normal(size=(40, 6))
        net = RNNRegressor(4, return_sequences=True, static_to=to, max_iter=3, random_state=0)
        whole = clone(net).fit(WithStatic(X, static), y)
        monkeypatch.setattr(lazy, "MAX_BYTES_PER_READ", 500)
        on_demand = WithStatic(OnDemand(X), static)
        parts = clone(net).fit(on_demand, list(y))
        assert isinstance(parts._fitted.reading.read(parts, on_demand), lazy.LazySequences)
        assert parts._fitted.model.theta.tobytes() == whole._fitted.model.theta.tobytes()
        expected = whole.predict(WithStatic(X, static))
        predicted = parts.predict(on_demand)
        assert np.stack(list(predicted)).tobytes() == expected.tobytes()


class OnDemand:
    """Sequences that are computed one at a time."""

    def __init__(self, items):
        self._items = items

    def __len__(self):
        return len(self._items)

    def __getitem__(self, i):
        return self._items[i]
