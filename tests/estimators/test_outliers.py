"""RNNOutlierDetector: what does not go on as the training data do."""

import inspect
import pickle

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.metrics import roc_auc_score
from sklearn.pipeline import make_pipeline
from sklearn.utils import estimator_checks
from sklearn.utils.estimator_checks import estimator_checks_generator

from skrnn import RaggedArray, RNNClassifier, RNNOutlierDetector, RNNRegressor, RNNSurvival, WithStatic
from skrnn._estimators.outlier_detector import NOT_OF_FORECASTS
from skrnn._training import epochs
from skrnn.datasets import load_japanese_vowels
from skrnn.exceptions import ConstantFeatureWarning, NothingLearnedWarning
from skrnn.preprocessing import SequenceScaler

pytestmark = [
    pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning"),
    pytest.mark.filterwarnings("ignore::skrnn.exceptions.NothingLearnedWarning"),
]
NAN = np.nan


def walks(n=40, T=12, D=2, seed=0):
    return np.random.default_rng(seed).normal(size=(n, T, D)).cumsum(axis=1)


def oscillations(n, T=40, seed=0):
    """(n, T, 2): the sine and the cosine of a phase, with noise."""
    rng = np.random.default_rng(seed)
    phase = rng.uniform(0, 6, size=(n, 1)) + rng.uniform(0.3, 0.6, size=(n, 1)) * np.arange(T)
    return np.stack([np.sin(phase), np.cos(phase)], axis=2) + 0.1 * rng.normal(size=(n, T, 2))


QUICK = {
    "check_dict_unchanged", "check_fit_idempotent", "check_estimators_pickle", "check_outlier_contamination",
    "check_methods_subset_invariance",
}


@pytest.mark.parametrize(("estimator", "check"), [
    pytest.param(
        estimator, check, id=f"{number}-{check.func.__name__}",
        marks=[] if check.func.__name__ in QUICK else pytest.mark.slow,
    )
    for number, (estimator, check) in enumerate(estimator_checks_generator(RNNOutlierDetector()))
])
@pytest.mark.filterwarnings("ignore::skrnn.exceptions.ConstantFeatureWarning")
def test_estimator_checks(estimator, check, monkeypatch):
    if not check.func.__name__.startswith("check_outlier"):
        monkeypatch.setattr(epochs, "UPDATES", 60)
        monkeypatch.setattr(epochs, "MIN_EPOCHS", 3)
    check(clone(estimator))


@pytest.mark.parametrize("name", ["check_param_validation", "check_dataframe_column_names_consistency"])
@pytest.mark.filterwarnings("ignore:X does not have valid feature names", "ignore:X has feature names")
def test_estimator_checks_that_are_only_run_at_home(name):
    getattr(estimator_checks, name)("RNNOutlierDetector", RNNOutlierDetector(max_iter=5))


@pytest.mark.parametrize(("estimator", "without"), [(RNNSurvival, ()), (RNNOutlierDetector, NOT_OF_FORECASTS)])
def test_parameters_are_those_of_the_other_estimators(estimator, without):
    """With their defaults and in their order, whatever is added to them; what the others lack comes after them."""
    signatures = [inspect.signature(cls.__init__).parameters for cls in (RNNClassifier, RNNRegressor, estimator)]
    shared = [name for name in signatures[1] if name in signatures[0] and name not in {*without, "return_sequences"}]
    assert list(signatures[2])[: len(shared)] == shared
    assert all(signatures[2][name] == signatures[1][name] for name in shared)
    assert not set(without) & set(signatures[2])
    with pytest.raises(TypeError, match="unexpected keyword argument 'bidirectonal'"):
        estimator(bidirectonal=True)
    assert estimator(7).hidden_size == 7


class TestFinding:
    def test_what_each_value_by_itself_does_not_show(self):
        """Five of forty steps in which one of the two features has the other sign."""
        X, new = oscillations(150), oscillations(200, seed=1)
        unusual, begins = np.arange(200) < 50, np.random.default_rng(2).integers(8, 33, size=50)
        for x, begin in zip(new[:50], begins, strict=True):
            x[begin : begin + 5, 1] *= -1
        z_scores = np.sqrt((((new - X.mean((0, 1))) / X.std((0, 1))) ** 2).mean(axis=(1, 2)))
        detector = RNNOutlierDetector(16, random_state=0, max_iter=40).fit(X)
        assert roc_auc_score(unusual, z_scores) < 0.6
        assert roc_auc_score(unusual, -detector.score_samples(new)) > 0.98
        assert (detector.predict(new[50:]) == 1).mean() > 0.85
        assert (detector.predict(new[:50]) == -1).mean() > 0.9
        steps = detector.score_steps(new[:50])
        inside = np.arange(40) - begins[:, np.newaxis]
        # the step after is a surprise, too
        assert ((steps.argmin(axis=1) - begins >= 0) & (steps.argmin(axis=1) - begins < 6)).mean() > 0.95
        assert roc_auc_score((inside >= 0).ravel() & (inside < 6).ravel(), -steps.ravel()) > 0.9

    @pytest.mark.slow
    @pytest.mark.parametrize("reduction", ["mean", "max"])
    def test_steps_of_utterances_in_another_order(self, reduction):
        X, new = (load_japanese_vowels(subset=subset).data for subset in ("train", "test"))
        rng = np.random.default_rng(0)
        unusual = rng.random(len(new)) < 0.3
        new = [rng.permutation(x) if mixed else x for x, mixed in zip(new, unusual, strict=True)]
        steps = np.concatenate(X)
        z_scores = [np.mean(((x - steps.mean(0)) / steps.std(0)) ** 2) for x in new]
        detector = RNNOutlierDetector(reduction=reduction, random_state=0, max_iter=50).fit(X)
        assert roc_auc_score(unusual, z_scores) < 0.6
        assert roc_auc_score(unusual, -detector.score_samples(new)) > 0.98

    @pytest.mark.parametrize("loss", ["squared_error", "absolute_error", "log_cosh"])
    def test_in_contaminated_training_data(self, loss):
        X = oscillations(120)
        X[:6, 20:25, 0] *= -1
        detector = RNNOutlierDetector(16, contamination=0.05, loss=loss, random_state=0, max_iter=60)
        np.testing.assert_array_equal(np.flatnonzero(detector.fit_predict(X) == -1), np.arange(6))


class TestScores:
    def test_are_the_errors_of_the_forecasts(self):
        """Recomputed from the forecaster, as docstrings say."""
        X = walks()
        detector = RNNOutlierDetector(4, random_state=0, max_iter=10).fit(X)
        forecasts = detector.forecaster_.predict(X)
        z = np.empty_like(X)
        z[:, 0] = (X[:, 0] - X.mean(axis=(0, 1))) / X.std(axis=(0, 1))
        errors = X[:, 1:] - forecasts[:, :-1]
        np.testing.assert_allclose(detector.error_scale_, np.sqrt((errors**2).mean(axis=(0, 1))))
        z[:, 1:] = errors / detector.error_scale_
        steps = -np.sqrt((z**2).mean(axis=2))
        np.testing.assert_allclose(detector.score_steps(X), steps)
        np.testing.assert_allclose(detector.score_samples(X), -np.sqrt((steps**2).mean(axis=1)))
        worst = clone(detector).set_params(reduction="max").fit(X)
        np.testing.assert_allclose(worst.score_samples(X), steps.min(axis=1))
        np.testing.assert_array_equal(worst.score_steps(X), detector.score_steps(X))

    @pytest.mark.parametrize("contamination", [0.1, 0.25, 0.5])
    def test_contamination_is_the_fraction_below_the_offsets(self, contamination):
        X = walks()
        detector = RNNOutlierDetector(4, contamination=contamination, random_state=0, max_iter=3).fit(X)
        assert (detector.predict(X) == -1).mean() == contamination
        assert (detector.score_steps(X) < detector.step_offset_).mean() == pytest.approx(contamination)
        np.testing.assert_array_equal(
            detector.decision_function(X), detector.score_samples(X) - detector.offset_
        )

    def test_auto_is_a_box_plot_and_spares_what_is_alone(self):
        X = walks(100)
        detector = RNNOutlierDetector(4, random_state=0, max_iter=3).fit(X)
        low, high = np.quantile(detector.score_samples(X), [0.25, 0.75], method="averaged_inverted_cdf")
        assert detector.offset_ == pytest.approx(low - (high - low))
        one = RNNOutlierDetector(4, random_state=0, max_iter=3).fit(X[:1])
        assert one.predict(X[:1]).tolist() == [1]

    def test_units_make_no_difference(self):
        X = walks()
        detector = RNNOutlierDetector(4, random_state=0, max_iter=5)
        scores = detector.fit(X).score_steps(X)
        factor, shift = np.array([1e6, 1e-3]), np.array([5e6, 2.0])
        other = factor * X + shift
        np.testing.assert_allclose(clone(detector).fit(other).score_steps(other), scores, 1e-6)

    def test_forms_of_X(self):
        """The same sequences as an array, a list, a ragged array, a padded one, a frame of lists, a list of frames."""
        X = walks(20, 6)
        detector = RNNOutlierDetector(4, random_state=0, max_iter=5)
        expected = detector.fit(X).score_steps(X)
        frame = pd.DataFrame({name: list(X[:, :, d]) for d, name in enumerate("ab")})
        for form in (list(X), RaggedArray(X.reshape(-1, 2), np.full(20, 6)), frame, [pd.DataFrame(x) for x in X]):
            other = clone(detector).fit(form)
            np.testing.assert_array_equal(np.stack(list(other.score_steps(form))), expected)
            np.testing.assert_array_equal(other.predict(form), detector.predict(X))
        padded = np.concatenate([X, np.full((20, 3, 2), NAN)], axis=1)
        of_padded = clone(detector).set_params(missing="ffill").fit(padded)
        np.testing.assert_array_equal(of_padded.score_steps(padded)[:, :6], expected)
        windows = RaggedArray(X.reshape(-1, 2), np.full(30, 5), np.arange(30) * 3)
        np.testing.assert_array_equal(
            np.stack(list(detector.score_steps(windows))), np.stack([detector.score_steps([x])[0] for x in windows])
        )

    def test_of_sequences_do_not_depend_on_others(self):
        X = [x[: 3 + i % 8] for i, x in enumerate(walks())]
        detector = RNNOutlierDetector(4, random_state=0, max_iter=5).fit(X)
        np.testing.assert_array_equal(detector.score_samples(X)[7:11], detector.score_samples(X[7:11]))
        assert [len(steps) for steps in detector.score_steps(X)] == [len(x) for x in X]

    @pytest.mark.parametrize("missing", ["ffill", "indicator"])
    def test_what_is_missing_has_no_error(self, missing):
        X = walks()
        X[np.random.default_rng(1).random(X.shape) < 0.2] = NAN
        X[3, 5] = NAN
        X[4, :, :] = [[NAN, NAN]] * 11 + [[1.0, NAN]]
        detector = RNNOutlierDetector(4, missing=missing, random_state=0, max_iter=5).fit(X)
        steps = detector.score_steps(X)
        assert steps[3, 5] == 0
        assert (steps[4, :11] == 0).all()
        assert detector.score_samples(X)[4] == steps[4, 11] < 0
        assert np.isfinite(detector.decision_function(X)).all()
        one_known = ~np.isnan(X[:, 1:, 0]) & np.isnan(X[:, 1:, 1])
        errors = np.abs(X[:, 1:, 0] - detector.forecaster_.predict(X)[:, :-1, 0]) / detector.error_scale_[0]
        np.testing.assert_allclose(steps[:, 1:][one_known], -errors[one_known])

    def test_weights_are_repetitions(self):
        X, weights = walks(), np.arange(40) % 3
        detector = RNNOutlierDetector(3, max_iter=5, random_state=0, batch_size=100, shuffle=False)
        with pytest.warns(match="clipped"):
            one, other = clone(detector).fit(X, sample_weight=weights), clone(detector).fit(X.repeat(weights, axis=0))
        np.testing.assert_allclose(one.decision_function(X), other.decision_function(X), rtol=1e-7, atol=1e-12)
        assert one.step_offset_ == pytest.approx(other.step_offset_)

    def test_early_stopping_with_groups_and_with_data(self):
        X = walks(60)
        detector = RNNOutlierDetector(4, early_stopping=True, max_iter=20, random_state=0)
        of_groups = clone(detector).fit(X, groups=np.arange(60) // 3).forecaster_
        assert len(of_groups.validation_scores_) == of_groups.n_iter_
        of_data = clone(detector).fit(X[:40], X_val=X[40:])
        forecasts = of_data.forecaster_.predict(X[40:])[:, :-1]
        scale = of_data.forecaster_.y_scale_
        loss = 0.5 * (((X[40:, 1:] - forecasts) / scale) ** 2).mean()
        assert -of_data.forecaster_.best_validation_score_ == pytest.approx(loss)


class TestStreams:
    @pytest.mark.parametrize("missing", ["error", "ffill", "indicator"])
    @pytest.mark.parametrize("dtype", [np.float32, np.float64])
    def test_have_the_bits_of_sequences(self, missing, dtype):
        X = walks().astype(dtype)
        if missing != "error":
            X[np.random.default_rng(1).random(X.shape) < 0.2] = NAN
            X[:, -1] = 1        # no padding
        detector = RNNOutlierDetector((4, 3), cell="lstm", missing=missing, random_state=0, max_iter=5).fit(X)
        expected = detector.score_steps(X)
        state = detector.initial_state(40)
        for t in range(12):
            scores, state = detector.score_step(X[:, t], state)
            np.testing.assert_array_equal(scores, expected[:, t])
        state = None
        for t in range(12):
            score, state = detector.score_step(X[5, t], state)
            assert score == expected[5, t]
        assert isinstance(score, float)

    def test_states_are_rows(self):
        X = walks()
        detector = RNNOutlierDetector(4, random_state=0, max_iter=5).fit(X)
        _, state = detector.score_step(X[:, 0], None)
        scores, _ = detector.score_step(X[[7, 3], 1], state[[7, 3]])
        np.testing.assert_array_equal(scores, detector.score_steps(X)[[7, 3], 1])
        one, _ = detector.score_step(X[7, 1], state[7].tolist())
        assert one == scores[0]

    @pytest.mark.parametrize(("x", "state", "message"), [
        ([1.0], None, "x has shape .1,., expected .2,."), ([NAN, 1.0], None, "NaN"),
        ([1.0, 2.0], np.zeros(3), "state has shape .1, 3., expected .1, 6."),
        ([1.0, 2.0], np.full(6, np.inf), "state.* is inf"),
    ])
    def test_errors_teach(self, x, state, message):
        detector = RNNOutlierDetector(4, random_state=0, max_iter=2).fit(walks())
        with pytest.raises(ValueError, match=message):
            detector.score_step(x, state)


class TestFrames:
    """Categories among the numbers of a step, and what stands beside the steps."""

    @pytest.fixture(scope="class", name="frame")
    @classmethod
    def _frame(cls):
        """Sixty walks whose next step is what the category says."""
        rng = np.random.default_rng(0)
        directions = rng.integers(0, 3, size=(60, 10))
        walk = np.cumsum(directions - 1.0, axis=1) + 0.05 * rng.normal(size=(60, 10))
        ahead = [[["down", "stay", "up"][d] for d in row] for row in np.roll(directions, -1, axis=1)]
        return pd.DataFrame({"ahead": ahead, "x": list(walk), "age": rng.normal(size=60), "ward": list("abc") * 20})

    def test_numbers_are_predicted_from_all(self, frame):
        detector = RNNOutlierDetector(8, random_state=0, max_iter=100).fit(frame)
        of_numbers = clone(detector).fit(frame[["x"]])
        assert detector.error_scale_.shape == (1,)
        assert detector.error_scale_ < 0.75 * of_numbers.error_scale_
        changed = frame.iloc[:20].copy()
        changed["ahead"] = [["up"] * 10] * 20
        assert (detector.score_samples(changed) < detector.score_samples(frame.iloc[:20])).mean() > 0.8

    def test_streams(self, frame):
        detector = RNNOutlierDetector(4, random_state=0, max_iter=3).fit(frame)
        expected = detector.score_steps(frame)[5]
        state = detector.initial_state(static=frame[["age", "ward"]].iloc[[5]])
        for t in range(10):
            score, state = detector.score_step([frame["ahead"][5][t], frame["x"][5][t]], state)
            assert score == expected[t]
        with pytest.raises(ValueError, match="static"):
            detector.initial_state()

    @pytest.mark.parametrize("static_to", ["head", "initial_state", "both"])
    def test_several_streams(self, frame, static_to):
        """Rows of states are those of the rows of static features, whatever the library of X."""
        detector = RNNOutlierDetector(4, static_to=static_to, random_state=0, max_iter=3).fit(frame)
        expected, static = detector.score_steps(frame), frame[["age", "ward"]]
        assert detector.initial_state(3, static.iloc[:3]).shape == detector.initial_state(static=static.iloc[:3]).shape
        one = detector.initial_state(static=[static["age"][7], "b"])
        np.testing.assert_array_equal(one, detector.initial_state(static=static.iloc[[7]]))
        state = detector.initial_state(static=static.iloc[[5, 7]].to_numpy())
        for t in range(10):
            scores, state = detector.score_step([[frame["ahead"][i][t], frame["x"][i][t]] for i in (5, 7)], state)
            np.testing.assert_array_equal(scores, [expected[5][t], expected[7][t]])
        with pytest.raises(ValueError, match="static"):
            detector.score_step(["up", 0.0], None)
        with pytest.raises(ValueError, match="static has 3 rows, expected 2"):
            detector.initial_state(2, static.iloc[:3])
        steps = [np.array(rows, dtype=object).T for rows in zip(frame["ahead"], frame["x"], strict=True)]
        beside = WithStatic(steps, static)
        same = clone(detector).set_params(categorical_features=[0, 3]).fit(beside)
        np.testing.assert_array_equal(same.score_samples(beside), detector.score_samples(frame))

    @pytest.mark.parametrize("missing", ["error", "ffill", "indicator", "decay"])
    @pytest.mark.parametrize("place", [0, 1, 2])
    def test_times_are_not_predicted(self, missing, place):
        """Nor is their unit of any account; streams have the bits of whole sequences."""
        X = walks()
        times = np.random.default_rng(1).integers(1, 9, size=X.shape[:2]).cumsum(axis=1)
        timed = np.insert(X, place, times, axis=2)
        detector = RNNOutlierDetector(4, times=place, missing=missing, random_state=0, max_iter=5).fit(timed)
        assert detector.error_scale_.shape == (2,)
        np.testing.assert_allclose(detector.error_scale_, X.std(axis=(0, 1)), rtol=0.1)      # barely trained
        expected, state = detector.score_steps(timed), None
        for t in range(12):
            score, state = detector.score_step(timed[5, t], state)
            assert score == expected[5, t]
        other = clone(detector).fit(np.insert(X, place, 1024 * times, axis=2))
        np.testing.assert_array_equal(other.score_samples(np.insert(X, place, 1024 * times, axis=2)),
                                      detector.score_samples(timed))

    def test_messages_count_times_and_categories(self):
        """Features are those of X."""
        X = np.insert(walks(), 0, np.arange(12.0), axis=2)
        X[:, 1:, 2] = NAN
        detector = RNNOutlierDetector(4, missing="ffill")
        with pytest.raises(ValueError, match="X has no value of feature 2 after"):
            detector.set_params(times=0).fit(X)
        X[:, :, 0] = 1
        with pytest.raises(ValueError, match="X has no value of feature 2 after"):
            detector.set_params(times=None, categorical_features=[0]).fit(X)

    def test_without_a_number(self, frame):
        with pytest.raises(ValueError, match="X has no value of any feature that is a number"):
            RNNOutlierDetector().fit(frame[["ahead"]])


class TestFit:
    def test_is_atomic(self):
        X = walks()
        detector = RNNOutlierDetector(4, random_state=0, max_iter=2).fit(X)
        before = pickle.dumps(detector)
        bad = X.copy()
        bad[3, 1, 0] = np.inf
        for arguments in ((bad,), (X, None, np.zeros(40)), (X, None, np.ones((40, 12)))):
            with pytest.raises(ValueError, match=r"X|sample_weight"):
                detector.fit(*arguments)
            assert pickle.dumps(detector) == before
        again = pickle.loads(before)
        np.testing.assert_array_equal(again.decision_function(X), detector.decision_function(X))
        np.testing.assert_array_equal(clone(detector).fit(X).score_samples(X), detector.score_samples(X))

    @pytest.mark.parametrize(("X", "message"), [
        (np.zeros((5, 1)), r"X has one step in every sequence: it is a table of 1 feature\(s\)"),
        ([np.zeros((1, 2))] * 3, "X has one step in every sequence; expected a next step"),
        (np.array([[[1.0, NAN], [2.0, NAN]]] * 3), "X has no value of feature 1 after the first steps"),
    ])
    def test_without_a_next_step(self, X, message):
        with pytest.raises(ValueError, match=message):
            RNNOutlierDetector(missing="ffill").fit(X)

    def test_sequences_of_one_step_among_others(self):
        X = [x[: 1 + i % 3] for i, x in enumerate(walks())]
        detector = RNNOutlierDetector(4, random_state=0, max_iter=5).fit(X)
        z = (X[0][0] - detector.forecaster_.X_mean_) / detector.forecaster_.X_scale_
        assert detector.score_samples(X[:1])[0] == pytest.approx(-np.sqrt((z**2).mean()))

    def test_messages_are_of_X(self):
        X = walks()
        X[:, :, 1] = 3
        with pytest.warns(ConstantFeatureWarning, match="feature 1 of X is constant") as said:
            detector = RNNOutlierDetector(4, random_state=0, max_iter=5).fit(X)
        assert not [str(warning.message) for warning in said if " of y " in str(warning.message)]
        changed = X[:1].copy()
        changed[:, 6:, 1] = 30
        assert detector.score_samples(changed)[0] < detector.score_samples(X[:1])[0]
        with pytest.raises(ValueError, match="X has 3 features, but RNNOutlierDetector is expecting 2"):
            detector.score_samples(walks(D=3))
        with pytest.raises(NotFittedError, match="RNNOutlierDetector"):
            RNNOutlierDetector().offset_  # noqa: B018

    @pytest.mark.filterwarnings("default::skrnn.exceptions.NothingLearnedWarning")
    def test_noise_says_that_there_is_nothing_to_learn(self):
        X = np.random.default_rng(0).normal(size=(200, 10, 1))
        with pytest.warns(NothingLearnedWarning):
            RNNOutlierDetector(2, alpha=100.0, random_state=0, max_iter=5).fit(X)

    def test_pipelines(self):
        X = walks()
        pipeline = make_pipeline(SequenceScaler(), RNNOutlierDetector(4, random_state=0, max_iter=5))
        assert set(pipeline.fit_predict(X).tolist()) <= {-1, 1}
        assert pipeline.score_samples(X).shape == (40,)
