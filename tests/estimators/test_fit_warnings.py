"""What a fit warns of: each with its class, its numbers and the user's line, once in a search; silence elsewhere."""

import subprocess
import sys
import warnings

import numpy as np
import pandas as pd
import pytest
from problems import in_domain
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.metrics import r2_score
from sklearn.model_selection import GridSearchCV, HalvingGridSearchCV, cross_validate
from sklearn.pipeline import make_pipeline

from skrnn import RNNClassifier, RNNRegressor
from skrnn._estimators.unit_checks import check_units, warn_of_constant_features, warn_of_units
from skrnn._training.losses import LOSSES
from skrnn.exceptions import ConstantFeatureWarning, ConstantTargetWarning, NothingLearnedWarning, PrecisionWarning
from skrnn.preprocessing import SequenceScaler

RNG = np.random.default_rng(0)
X = RNG.normal(size=(40, 5, 2))
Y = X[:, -1, 0]
LEARNS = {"hidden_size": 8, "learning_rate_init": 0.02, "batch_size": 10, "random_state": 0}
LEARNS_NOTHING = {"hidden_size": 2, "learning_rate_init": 1e-9, "tol": 1.0, "n_iter_no_change": 1, "random_state": 0}
REGRESSION = [name for name, loss in LOSSES.items() if loss.is_regression]


def seen(function, *arguments, **keywords):
    """The warnings of a call, and what it returned."""
    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("always")
        function(*arguments, **keywords)
    return found


def kinds(found):
    return [warning.category for warning in found]


class TestNothingLearned:
    @pytest.mark.parametrize("loss", REGRESSION)
    def test_of_every_loss_with_its_numbers(self, loss):
        y = in_domain(loss, np.exp(Y))
        net = RNNRegressor(loss=loss, max_iter=1, **LEARNS_NOTHING)
        (warning,) = [w for w in seen(net.fit, X, y) if w.category is NothingLearnedWarning]
        expected, standardized = net._fitted.model.loss, (y[:, np.newaxis] - net.y_mean_) / net.y_scale_
        constant = expected.best_constant(standardized)
        of_constant, _ = expected.value_and_gradient(np.tile(constant, (40, 1)), standardized)
        text = str(warning.message)
        assert f"that of the best constant prediction {of_constant:.4g}. Try a greater max_iter" in text
        assert "ended after 1 epochs), another learning_rate_init than 1e-09" in text
        assert warning.filename == __file__
        assert issubclass(warning.category, ConvergenceWarning)

    @pytest.mark.parametrize("n_classes", [2, 3])
    def test_of_classes(self, n_classes):
        y = np.arange(42) % n_classes
        net = RNNClassifier(**LEARNS_NOTHING | {"random_state": 2})
        (warning,) = seen(net.fit, RNG.normal(size=(42, 5, 2)), y)
        assert warning.category is NothingLearnedWarning
        assert f"best constant prediction {np.log(n_classes):.4g}." in str(warning.message)

    def test_the_loss_is_that_of_predictions(self):
        """Neither with the penalty nor with dropout, of the examples with weight, and of known steps alone."""
        weights = np.arange(40) % 3.0
        y = X[:, :, 0].copy()
        y[::4, 1:] = np.nan
        net = RNNRegressor(
            loss="absolute_error", return_sequences=True, dropout=0.5, alpha=10.0, **LEARNS_NOTHING
        )
        (warning,) = seen(net.fit, X, y, weights)
        w = np.repeat(weights, 5).reshape(40, 5)[~np.isnan(y)]
        value = np.average(np.abs(net.predict(X) - y)[~np.isnan(y)], weights=w) / net.y_scale_
        assert f"trained on is {value:.4g}, that" in str(warning.message)
        assert "a smaller alpha than 10.0, less dropout" in str(warning.message)

    def test_of_outputs_that_are_known_in_part(self):
        y = np.column_stack([Y, 2 * Y])
        y[::2, 1] = np.nan
        (warning,) = seen(RNNRegressor(**LEARNS_NOTHING).fit, X, y)
        assert "constant prediction 0.5. " in str(warning.message)      # half of a standard deviation's square
        net = RNNRegressor(standardize=False, **LEARNS_NOTHING)
        (warning,) = seen(net.fit, X, y)
        half = 0.5 * (Y.var() * 40 + 4 * Y[1::2].var() * 20) / 60
        assert f"constant prediction {half:.4g}" in str(warning.message)

    @pytest.mark.parametrize("scoring", [None, "loss"])
    def test_of_what_is_held_out(self, scoring):
        """A net may fit what it is trained on, and be no better than a constant elsewhere."""
        net = RNNRegressor(warm_start=True, scoring=scoring, **LEARNS).fit(X, Y)
        net.set_params(early_stopping=True, max_iter=1, learning_rate_init=1e-6)
        found = seen(net.fit, X, Y, X_val=X, y_val=-Y)
        (text,) = [str(w.message) for w in found if w.category is NothingLearnedWarning]
        constant = np.full(40, Y.mean())
        of_constant = r2_score(-Y, constant) if scoring is None else -0.5 * np.mean((-Y - constant) ** 2) / Y.var()
        assert "nothing that holds for the 40 sequences held out: its best validation score is " in text
        assert f"is {net.best_validation_score_:.4g}, that of the best constant prediction {of_constant:.4g}. " in text
        assert NothingLearnedWarning not in kinds(seen(net.fit, X, Y, X_val=X, y_val=Y))

    def test_not_where_a_constant_is_the_best(self):
        found = seen(RNNRegressor(**LEARNS_NOTHING).fit, X, np.full(40, 7.0))
        assert kinds(found) == [ConstantTargetWarning]
        assert not seen(RNNRegressor(**LEARNS_NOTHING).fit, X[:1], [7.0])

    def test_not_after_partial_fit(self):
        assert not seen(RNNRegressor(**LEARNS_NOTHING).partial_fit, X, Y)

    def test_an_error_of_it_leaves_a_net_as_it_was(self):
        net = RNNRegressor(**LEARNS).set_params(max_iter=3)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            net.fit(X, Y)
        before = net.predict(X)
        with pytest.raises(NothingLearnedWarning):
            net.set_params(**LEARNS_NOTHING).fit(X, Y)
        np.testing.assert_array_equal(net.predict(X), before)


class TestConstantTargets:
    def test_of_numbers(self):
        found = seen(RNNRegressor(**LEARNS_NOTHING).fit, X, np.full(40, 2.5))
        assert kinds(found) == [ConstantTargetWarning]
        assert str(found[0].message).startswith("y is constant, 2.5 for all that the net is trained on")
        assert found[0].filename == __file__

    @pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
    @pytest.mark.parametrize(
        ("columns", "text"),
        [
            ([Y, np.ones(40)], "output 1 of y is constant, 1.0 for"),
            ([np.full(40, 2.0), Y, np.where(np.arange(40) % 2, np.nan, 3)], "outputs 0, 2 of y are constant, 2.0, 3.0"),
            ([Y, *np.ones((7, 40))], "outputs 1, 2, 3, 4, 5 and 2 more of y are constant, 1.0, 1.0, .* and 2 more for"),
        ],
    )
    def test_output_by_output(self, columns, text):
        with pytest.warns(ConstantTargetWarning, match=text) as found:
            RNNRegressor(2, max_iter=1).fit(X, np.column_stack(columns))
        assert kinds(found).count(ConstantTargetWarning) == 1

    def test_of_those_with_weight(self):
        y, weights = np.where(np.arange(40) < 30, 1.0, Y), np.arange(40) < 30
        assert kinds(seen(RNNRegressor(**LEARNS_NOTHING).fit, X, y, weights)) == [ConstantTargetWarning]
        found = seen(RNNClassifier(**LEARNS_NOTHING).fit, X, np.where(weights, "a", "b"), weights)
        assert str(found[0].message).startswith("y is constant, 'a' for all")

    def test_of_labels_and_steps(self):
        labels = np.column_stack([np.arange(40) % 2, np.ones(40, int)])
        found = seen(RNNClassifier(**LEARNS_NOTHING).fit, X, labels)
        assert str(found[0].message).startswith("output 1 of y is constant, 1 for")
        steps = np.full((40, 5), 4.0)
        steps[0, 0] = np.nan
        found = seen(RNNRegressor(return_sequences=True, **LEARNS_NOTHING).fit, X, steps)
        assert kinds(found) == [ConstantTargetWarning]

    @pytest.mark.parametrize("n", [1, 5])
    def test_of_a_first_part_whose_units_are_kept(self, n):
        net = RNNRegressor(**LEARNS_NOTHING)
        found = seen(net.partial_fit, X[:n], np.column_stack([np.full(n, 2.5), np.arange(n)]))
        (said,) = [w for w in found if w.category is ConstantTargetWarning]
        what = "output 0 of y is constant, 2.5" if n > 1 else "outputs 0, 1 of y are constant, 2.5, 0.0"
        assert str(said.message).startswith(f"{what} in the first call of partial_fit, from which its mean")
        assert said.filename == __file__
        np.testing.assert_array_equal(net.y_scale_, [1, 2**0.5 if n > 1 else 1])
        # later ones, and what has no units
        assert not seen(net.partial_fit, X[:1], [[1.0, 2.0]])
        assert not seen(RNNRegressor(standardize=False, **LEARNS_NOTHING).partial_fit, X[:1], [2.5])
        assert not seen(RNNRegressor(loss="poisson", **LEARNS_NOTHING).partial_fit, X[:1], [2.5])
        assert not seen(RNNClassifier(**LEARNS_NOTHING).partial_fit, X[:2], [1, 1], classes=[0, 1])


def units(values):
    return values.mean(axis=0), values.std(axis=0)


class TestConstantFeatures:
    def test_names_and_numbers(self):
        steps = np.column_stack([X.reshape(-1, 2), np.full((200, 2), [1, 3.5])])
        with pytest.warns(ConstantFeatureWarning, match=r"^features 2, 3 of X are constant, 1, 3.5 in every step") as w:
            warn_of_constant_features(*units(steps))
        assert (len(w), w[0].filename) == (1, __file__)
        with pytest.warns(ConstantFeatureWarning, match="^feature 'c' of X is constant, 1 in every .* Leave it out"):
            warn_of_constant_features(*units(steps[:, :3]), ("a", "b", "c"))

    def test_many_are_shortened(self):
        with pytest.warns(ConstantFeatureWarning, match=r"features 0, 1, 2, 3, 4 and 15 more .* 2 and 15 more in"):
            warn_of_constant_features(np.full(21, 2.0), np.where(np.arange(21) < 20, 0, 1.0))

    def test_all(self):
        with pytest.warns(ConstantFeatureWarning, match="features 0, 1 of X .* differ in nothing but their lengths"):
            warn_of_constant_features(np.zeros(2), np.zeros(2))

    def test_categories_that_do_not_occur_are_none(self):
        """Zeros beside features of zeros and ones; but not ones, nor zeros beside other numbers."""
        one_hot = np.eye(4)[RNG.integers(3, size=200)]
        warn_of_constant_features(*units(one_hot))
        for steps in (np.column_stack([one_hot, np.ones(200)]), np.column_stack([X.reshape(-1, 2), np.zeros(200)])):
            with pytest.warns(ConstantFeatureWarning, match=f"^feature {steps.shape[1] - 1} "):
                warn_of_constant_features(*units(steps))

    @pytest.mark.parametrize("missing", ["ffill", "indicator"])
    def test_what_has_no_value(self, missing):
        steps = np.where([False, True], np.nan, X)
        net = RNNRegressor(missing=missing, **LEARNS_NOTHING)
        found = [w for w in seen(net.fit, steps, Y) if w.category is ConstantFeatureWarning]
        assert [str(w.message)[:44] for w in found] == ["feature 1 of X is missing in every step: the"]
        assert (net.X_mean_[1], net.X_scale_[1]) == (0, 1)

    @pytest.mark.parametrize("parameters", [
        {"categorical_features": [0]}, {"times": 0}, {"times": 0, "categorical_features": [1]},
        {"times": 1, "categorical_features": [0]},
    ], ids=str)
    @pytest.mark.parametrize("named", [False, True])
    def test_features_are_called_as_in_X(self, parameters, named):
        """Whatever comes before them is a category or a time, which are no numbers of the network."""
        n, T = len(X), X.shape[1]
        codes = np.broadcast_to(np.arange(T), (n, T))
        steps = np.stack([codes, codes, X[..., 0], np.full((n, T), 7.0)], axis=-1)
        sequences, feature = steps, "3"
        if named:
            names = [f"c{j}" for j in range(steps.shape[-1])]
            sequences, feature = [pd.DataFrame(rows, columns=names) for rows in steps], f"'c{feature}'"
        net = RNNRegressor(**parameters, **LEARNS_NOTHING)
        found = [str(w.message) for w in seen(net.fit, sequences, Y) if w.category is ConstantFeatureWarning]
        assert [message.partition(" of X")[0] for message in found] == [f"feature {feature}"]

    def test_what_differs_between_sequences_is_not_constant(self):
        assert seen(warn_of_constant_features, *units(np.repeat(RNG.normal(size=(40, 3)), 5, axis=0))) == []


class TestUnits:
    SECONDS = 1.7e9 + 300.0 * RNG.normal(size=(200, 1))

    def test_of_features(self):
        center, scale = units(np.column_stack([X.reshape(-1, 2), self.SECONDS]))
        text = rf"feature 'time' of X is {center[2]:.10g} ± {scale[2]:.4g}, but .* 128 apart in float32, .*pass float64"
        with pytest.warns(PrecisionWarning, match=text) as found:
            warn_of_units(center, scale, np.float32, ["a", "b", "time"])
        assert (len(found), found[0].filename) == (1, __file__)
        warn_of_units(center, scale, np.float64)

    @pytest.mark.parametrize(("dtype", "scale"), [(np.float32, 1e-37), (np.float64, 1e-307)])
    def test_numbers_that_the_kernels_read_as_zero_are_lost(self, dtype, scale):
        with pytest.warns(PrecisionWarning, match="e-3.* Scale X up"):
            warn_of_units(np.zeros(1), np.array([scale]), dtype)
        warn_of_units(np.zeros(1), np.array([1000 * scale]), dtype)

    def test_of_targets(self):
        text = r"^y is 1000000 ± 2.5, but numbers of that size are 0.0625 apart in float32, .* pass X as float64"
        with pytest.warns(PrecisionWarning, match=text):
            warn_of_units(np.array([1e6]), np.array([2.5]), np.float32, what="y")
        with pytest.warns(PrecisionWarning, match=r"^output 1 of y is .*and 1 more like it"):
            warn_of_units(np.array([0, 1e6, 1e7]), np.ones(3), np.float32, what="y")

    @pytest.mark.parametrize("dtype", [np.float32, np.float64])
    def test_the_limit_is_a_hundred_steps_of_the_dtype(self, dtype):
        for center in (1.0, 500.0, -3e5):
            step = np.spacing(dtype(abs(center)))
            warn_of_units(np.array([center]), np.array([100.0 * step]), dtype)
            with pytest.warns(PrecisionWarning):
                warn_of_units(np.array([center]), np.array([99.0 * step]), dtype)

    @pytest.mark.parametrize(
        ("center", "scale", "dtype", "text"),
        [
            (0, np.inf, np.float64, "X is too large: the standard deviation of feature 'b' of X overflows float64"),
            (np.nan, 1, np.float32, "X is too large: the standard"),
            (0, 1e38, np.float32, r"X is too large for float32: feature 'b' of X is 0 ± 1e\+38; .* or pass float64"),
            (1e39, 1e30, np.float32, "X is too large for float32"),
            (0, 1e-40, np.float32, r"X is too small for float32: feature 'b' of X is 0 ± 1e-40; scale it, or pass"),
            (0, 1e-310, np.float64, r"X is too small for float64: feature 'b' of X is 0 ± 1e-310; scale it$"),
        ],
    )
    def test_what_cannot_be_scaled(self, center, scale, dtype, text):
        with pytest.raises(ValueError, match=text):
            check_units(np.array([0, center]), np.array([1, scale]), dtype, ["a", "b"])

    def test_what_can(self):
        check_units(np.array([0, -1e30, 5]), np.array([1, 1e30, 0]), np.float32)


class TestSilence:
    @pytest.mark.parametrize(
        "net",
        [
            RNNRegressor(**LEARNS), RNNRegressor(dropout=0.3, max_iter=500, **LEARNS),
            RNNRegressor(loss="huber", **LEARNS), RNNRegressor(early_stopping=True, validation_fraction=0.3, **LEARNS),
            RNNRegressor(4, solver="lbfgs", random_state=0), RNNClassifier(**LEARNS),
            RNNClassifier(early_stopping=True, validation_fraction=0.3, **LEARNS),
        ],
        ids=lambda net: " ".join(str(net).split()),
    )
    def test_of_fits_of_plain_data(self, net):
        y = Y > 0 if isinstance(net, RNNClassifier) else Y
        found = seen(clone(net).fit, X, y)
        assert not [w for w in found if w.category is not ConvergenceWarning]

    def test_of_noise_that_can_be_fitted(self):
        found = seen(RNNRegressor(**LEARNS).fit, X, RNG.normal(size=40))
        assert NothingLearnedWarning not in kinds(found)


def searches():
    """Calls that fit many times, none of which learns anything."""
    net = RNNRegressor(**LEARNS_NOTHING)
    yield "grid", lambda: GridSearchCV(net, {"alpha": [0, 1, 2], "hidden_size": [1, 2]}, cv=3).fit(X, Y)
    ways = {"standardize": [True, "sequence"], "missing": ["error", "indicator"]}
    yield "ways to read", lambda: GridSearchCV(net, ways, cv=3).fit(X, Y)
    yield "halving", lambda: HalvingGridSearchCV(net, {"alpha": [0, 1, 2]}, cv=2, random_state=0).fit(X, Y)
    yield "cross-validation", lambda: cross_validate(net, X, Y)
    pipeline = make_pipeline(SequenceScaler(), net)
    yield "pipeline", lambda: GridSearchCV(pipeline, {"rnnregressor__alpha": [0, 1]}, cv=3).fit(X, Y)
    nested = GridSearchCV(net, {"alpha": [0, 1]}, cv=2)
    yield "nested", lambda: cross_validate(nested, X, Y, cv=2)


class TestOnce:
    @pytest.mark.parametrize(("name", "search"), list(searches()), ids=[name for name, _ in searches()])
    def test_in_a_call_that_fits_many_times(self, name, search):
        for _ in range(2):          # each call by itself
            found = seen(search)
            assert kinds(found) == [NothingLearnedWarning]
            assert found[0].filename == __file__

    def test_not_once_for_all_calls(self):
        net = RNNRegressor(**LEARNS_NOTHING)
        assert len(seen(lambda: [clone(net).fit(X, Y) for _ in range(3)])) == 3

    def test_one_that_was_raised_is_said_again(self):
        def fit_twice():
            with warnings.catch_warnings():
                warnings.simplefilter("error")
                with pytest.raises(NothingLearnedWarning):
                    clone(net).fit(X, Y)
            clone(net).fit(X, Y)

        net = RNNRegressor(**LEARNS_NOTHING)
        assert kinds(seen(fit_twice)) == [NothingLearnedWarning]

    @pytest.mark.slow
    @pytest.mark.parametrize(
        ("backend", "n_jobs", "most", "lines"),
        [("loky", 1, 1, ["user"]), ("loky", 2, 3, ["user", "worker"]), ("threading", 2, 3, ["user", "worker"])],
    )
    def test_in_a_script_with_the_filters_of_python(self, tmp_path, backend, n_jobs, most, lines):
        """Of 13 fits: one warning for the call, and one for each worker, who does not know of the others."""
        script = tmp_path / "script.py"
        script.write_text(SCRIPT.format(backend=backend, n_jobs=n_jobs))
        run = subprocess.run([sys.executable, script], capture_output=True, text=True, timeout=120, check=True)
        said = [line for line in run.stderr.splitlines() if "NothingLearnedWarning" in line]
        assert 1 <= len(said) <= most, run.stderr
        where = {"user" if f"{script}:" in line else "worker" if "_validation.py:" in line else line for line in said}
        assert where <= set(lines)
        assert "user" in where


SCRIPT = """
import joblib, numpy as np
from sklearn.model_selection import GridSearchCV
from skrnn import RNNRegressor
if __name__ == "__main__":
    X = np.random.default_rng(0).normal(size=(30, 4, 1))
    net = RNNRegressor(2, learning_rate_init=1e-9, tol=1.0, random_state=0)
    with joblib.parallel_config("{backend}", n_jobs={n_jobs}):
        GridSearchCV(net, {{"alpha": [0, 1, 2, 3]}}, cv=3).fit(X, X[:, -1, 0])
"""
