"""Missing values in X."""

import numpy as np
import pytest
from forms import as_object_array

from skrnn import RaggedArray, RNNClassifier, RNNRegressor
from skrnn._data.containers import as_sequences
from skrnn._data.missing import fill_forward, filled
from skrnn.preprocessing import SequenceImputer

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
nan = np.nan


def gappy(n=40, T=7, D=2, fraction=0.3, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, T, D))
    X[rng.random(X.shape) < fraction] = nan
    X[:, -1, 0] = 1.0       # no step at an end is padding
    return X


class TestFilling:
    def test_the_last_value_seen_in_the_sequence_else_zero(self):
        X = [np.array([[nan, 1], [2, nan], [nan, nan]]), np.array([[nan, 5], [nan, 6]])]
        values, missing = fill_forward(as_sequences(X, allow_missing=True))
        np.testing.assert_array_equal(values, [[0, 1], [2, 1], [2, 1], [0, 5], [0, 6]])
        np.testing.assert_array_equal(missing, np.isnan(np.concatenate(X)))

    def test_what_was_seen_before(self):
        X = [np.array([[nan, 1.0], [2, nan]]), np.array([[nan, nan]])]
        sequences, seen = filled(as_sequences(X, allow_missing=True), "ffill", np.array([[7.0, 8], [9, 10]]))
        np.testing.assert_array_equal(sequences.values, [[7, 1], [2, 1], [9, 10]])
        np.testing.assert_array_equal(seen, [[2, 1], [9, 10]])

    def test_against_a_loop(self):
        X = gappy()
        values, _ = fill_forward(as_sequences(X, allow_missing=True))
        for x, result in zip(X, values.reshape(X.shape), strict=True):
            last = np.zeros(2)
            for t in range(len(x)):
                last = np.where(np.isnan(x[t]), last, x[t])
                np.testing.assert_array_equal(result[t], last)

    @pytest.mark.parametrize("dtype", [np.float32, np.float64])
    def test_indicators_are_further_inputs(self, dtype):
        sequences, _ = filled(as_sequences(gappy().astype(dtype), allow_missing=True), "indicator")
        assert sequences.values.shape[1] == 4
        assert sequences.values.dtype == dtype
        np.testing.assert_array_equal(sequences.values[:, 2:], np.isnan(gappy()).reshape(-1, 2))

    def test_nothing_missing_changes_nothing(self):
        X = np.random.default_rng(0).normal(size=(20, 5, 2))
        y = X.sum(axis=(1, 2))
        a, b = (RNNRegressor(3, missing=m, max_iter=3, random_state=0).fit(X, y).predict(X) for m in ("error", "ffill"))
        assert a.tobytes() == b.tobytes()


@pytest.mark.parametrize("missing", ["ffill", "indicator"])
@pytest.mark.parametrize("form", ["array", "table", "ragged"])
class TestEstimators:
    def data(self, form):
        X = gappy(D=1)
        y = np.nansum(X, axis=(1, 2))
        return {"array": X, "table": X[:, :, 0], "ragged": as_object_array(list(X))}[form], y

    def test_the_same_as_filled_by_hand(self, missing, form):
        X, y = self.data(form)
        raw = {"standardize": False, "max_iter": 5, "random_state": 0}
        net = RNNRegressor(4, missing=missing, **raw).fit(X, y)
        by_hand, _ = filled(as_sequences(X, allow_missing=True), missing)
        by_hand = by_hand.values.reshape(40, 7, -1)
        expected = RNNRegressor(4, **raw).fit(by_hand, y).predict(by_hand)
        assert net.predict(X).tobytes() == expected.tobytes()
        assert net.n_features_in_ == (7 if form == "table" else 1)

    def test_in_units_of_its_own_the_same_as_standardized_and_filled_by_hand(self, missing, form):
        """Before the first value it is the mean, which is 0 in these units; indicators stay 0 and 1."""
        X, y = self.data(form)
        net = RNNRegressor(4, missing=missing, max_iter=5, random_state=0).fit(X, y)
        values = np.stack(list(X)).reshape(40, 7, 1)
        np.testing.assert_allclose(net.X_mean_, np.nanmean(values))
        np.testing.assert_allclose(net.X_scale_, np.nanstd(values))
        by_hand, _ = filled(as_sequences((values - net.X_mean_) * (1 / net.X_scale_), allow_missing=True), missing)
        by_hand = by_hand.values.reshape(40, 7, -1)
        raw = RNNRegressor(4, standardize=False, max_iter=1, random_state=0).fit(by_hand, y)
        raw.set_parameters(net.parameters_)
        np.testing.assert_allclose(net.predict(X), raw.predict(by_hand) * net.y_scale_ + net.y_mean_, rtol=1e-14)

    def test_infinity_is_still_an_error(self, missing, form):
        X, y = self.data(form)
        if form == "ragged":
            X[2] = X[2].copy()
            X[2][1] = np.inf
        else:
            X[2, 1] = np.inf
        with pytest.raises(ValueError, match="Input X contains infinity: sequence 2, step 1, feature 0"):
            RNNRegressor(4, missing=missing).fit(X, y)


def test_nan_is_an_error_without_it():
    with pytest.raises(ValueError, match="Input X contains NaN: sequence 0, step"):
        RNNRegressor(4).fit(gappy(), np.zeros(40))


class TestPadding:
    """Steps at the end of a 3-D X that are NaN in every feature."""

    def padded(self):
        X = gappy(n=12, T=6, fraction=0.1)
        X[:, 0] = 1.0
        lengths = np.random.default_rng(1).integers(1, 7, size=12)
        lengths[0] = 6
        for x, length in zip(X, lengths, strict=True):
            x[length:] = nan
            x[length - 1, 0] = 0.5
        return X, lengths

    @pytest.mark.parametrize("missing", ["ffill", "indicator"])
    @pytest.mark.parametrize("bidirectional", [False, True])
    def test_is_left_out(self, missing, bidirectional):
        X, lengths = self.padded()
        cut = [x[:length] for x, length in zip(X, lengths, strict=True)]
        y = np.arange(12.0)
        parameters = {"missing": missing, "bidirectional": bidirectional, "max_iter": 3, "random_state": 0}
        a = RNNRegressor(4, **parameters).fit(X, y)
        b = RNNRegressor(4, **parameters).fit(cut, y)
        assert a.predict(X).tobytes() == b.predict(cut).tobytes() == a.predict(cut).tobytes()

    @pytest.mark.parametrize("estimator", [RNNRegressor, RNNClassifier])
    def test_with_targets_of_steps(self, estimator):
        X, lengths = self.padded()
        y = np.arange(72.0).reshape(12, 6) % 3
        cut = [x[:length] for x, length in zip(X, lengths, strict=True)]
        y_cut = [t[:length] for t, length in zip(y, lengths, strict=True)]
        parameters = {"missing": "ffill", "return_sequences": True, "max_iter": 3, "random_state": 0}
        a, b = estimator(4, **parameters).fit(X, y), estimator(4, **parameters).fit(cut, y_cut)
        predicted = a.predict(X)
        assert predicted.shape == (12, 6)
        for row, expected, length in zip(predicted, b.predict(cut), lengths, strict=True):
            np.testing.assert_array_equal(row[:length], expected)
            np.testing.assert_array_equal(row[length:], expected[-1])
        assert a.score(X, y) == b.score(cut, y_cut)

    def test_of_everything_leaves_one_step(self):
        X = np.arange(24.0).reshape(4, 3, 2)
        X[1] = nan
        assert as_sequences(X, allow_missing=True).lengths.tolist() == [3, 1, 3, 3]
        net = RNNRegressor(2, missing="indicator", max_iter=2, random_state=0).fit(X, np.arange(4.0))
        assert np.isfinite(net.predict(X)).all()


class TestAdvice:
    """What messages advise can be followed: it names the estimator's own parameter, or what padding is."""

    PADDED = np.array([[[1.0, 2], [3, 4], [np.nan, np.nan]], [[5.0, 6], [7, 8], [9, 10]]])
    GAP = np.array([[[1.0, 2], [3, np.nan], [4, 5]], [[5.0, 6], [7, 8], [9, 10]]])

    @pytest.mark.parametrize(("X", "message"), [
        (PADDED, 'NaN: sequence 0, step 2, feature 0; this is padding.*missing="ffill" or missing="indicator"'),
        (SequenceImputer().fit_transform(PADDED), 'this is padding.*missing="ffill"'),
        (PADDED[:, :, 0], r"this is padding.*RaggedArray.from_padded\(X, padding_value=np.nan\)"),
        (list(PADDED), "this is padding.*cut it off"),
        (GAP, 'NaN: sequence 0, step 1, feature 1; expected finite numbers: missing="ffill".*SequenceImputer'),
        (list(GAP), 'expected finite numbers: missing="ffill"'),
        (np.concatenate([PADDED, GAP]), 'expected finite numbers: missing="ffill"'),
        (np.full((2, 3, 1), np.nan), 'expected finite numbers: missing="ffill"'),
    ])
    def test_of_nets(self, X, message):
        with pytest.raises(ValueError, match=f"Input X contains {message}" if message.startswith("NaN") else message):
            RNNRegressor(2, max_iter=1).fit(X, np.arange(len(X)))

    @pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
    def test_followed(self):
        y, parameters = np.arange(2.0), {"hidden_size": 2, "max_iter": 1, "random_state": 0}
        cut = RNNRegressor(**parameters).fit([self.PADDED[0, :2], self.PADDED[1]], y)
        for net, X in (
            (RNNRegressor(missing="ffill", **parameters), self.PADDED),
            (RNNRegressor(**parameters), RaggedArray.from_padded(self.PADDED, padding_value=np.nan)),
        ):
            np.testing.assert_array_equal(net.fit(X, y)._fitted.model.theta, cut._fitted.model.theta)

    def test_of_categories(self):
        with pytest.raises(ValueError, match=r'expected categories: missing="ffill" takes the category before'):
            RNNRegressor(2, embedding_dim=2).fit(self.GAP[:, :, 1], np.arange(2.0))

    def test_infinity_is_not_missing(self):
        with pytest.raises(ValueError, match=r"infinity: sequence 0, step 2, feature 0; expected finite numbers$"):
            RNNRegressor(2).fit(np.where(np.isnan(self.PADDED), np.inf, self.PADDED), np.arange(2.0))
