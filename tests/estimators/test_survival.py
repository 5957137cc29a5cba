"""RNNSurvival: times to an event, right-censored."""

import pickle

import numpy as np
import pandas as pd
import polars as pl
import pytest
from sklearn.base import clone
from sklearn.exceptions import UndefinedMetricWarning
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.utils.estimator_checks import estimator_checks_generator

from skrnn import RNNSurvival
from skrnn._data.sequences import SequenceIndex
from skrnn._estimators.concordance import concordance_index
from skrnn._estimators.survival_targets import SurvivalTargets
from skrnn.datasets import make_survival

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
NAN = np.nan


def targets(pairs):
    """(event, time) pairs as scikit-survival has them."""
    return np.array([tuple(pair) for pair in pairs], dtype=[("event", bool), ("time", float)])


def problem(n=60, seed=0):
    """Sequences whose last value is the logarithm of the time to the event; a third of them censored."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, 6, 2))
    seen = np.arange(n) % 3 > 0
    return X, targets(zip(seen, np.where(seen, 1.0, 0.5) * np.exp(X[:, -1, 0]), strict=True))


class Checked(RNNSurvival):
    """RNNSurvival for checks that pass one number or label a sample: a third of them are censored."""

    def fit(self, X, y, sample_weight=None):
        return super().fit(X, as_times(y), sample_weight)

    def partial_fit(self, X, y, sample_weight=None):
        return super().partial_fit(X, as_times(y), sample_weight)

    def score(self, X, y, sample_weight=None):
        return super().score(X, as_times(y), sample_weight)


def as_times(y):
    values = None if y is None else np.asarray(y)
    if values is None or values.ndim != 1:
        return y
    values = values if values.dtype.kind in "biuf" else np.unique(values, return_inverse=True)[1]
    if not np.isfinite(values).all():
        return np.column_stack([np.ones(len(values)), values])
    return np.column_stack([np.floor(values) % 3 != 1, np.abs(values) + 1.0])


QUICK = {"check_dict_unchanged", "check_fit_idempotent", "check_estimators_pickle", "check_requires_y_none"}


@pytest.mark.parametrize(("estimator", "check"), [
    pytest.param(
        estimator, check, id=f"{number}-{check.func.__name__}",
        marks=[] if check.func.__name__ in QUICK else pytest.mark.slow,
    )
    for number, (estimator, check) in enumerate(estimator_checks_generator(Checked()))
])
def test_estimator_checks(estimator, check):
    check(clone(estimator))


class TestTargets:
    def encoded(self, edges, pairs, dtype=np.float64):
        rows = SurvivalTargets.read(targets(pairs), SequenceIndex(np.ones(len(pairs), int), "array"), False)
        known = SurvivalTargets(np.array(edges, float), 3)
        values = known.encode(rows, type("S", (), {"dtype": np.dtype(dtype)}), False, None)
        return values, known.weights(rows, None)

    def test_what_is_known_of_each_interval(self):
        """Events at, before and after the ends; censored in the first and the second half of an interval."""
        values, weights = self.encoded([0, 2, 4, 8], [
            (True, 1), (True, 2), (True, 2.1), (True, 8), (True, 9), (True, 0),
            (False, 0.9), (False, 1), (False, 2), (False, 3), (False, 5.9), (False, 6), (False, 99),
        ])
        np.testing.assert_array_equal(values, [
            [1, NAN, NAN], [1, NAN, NAN], [0, 1, NAN], [0, 0, 1], [0, 0, 0], [1, NAN, NAN],
            [NAN, NAN, NAN], [0, NAN, NAN], [0, NAN, NAN], [0, 0, NAN], [0, 0, NAN], [0, 0, 0], [0, 0, 0],
        ])
        np.testing.assert_array_equal(weights, [1] * 6 + [0] + [1] * 6)

    @pytest.mark.parametrize(("weights", "intervals", "edges"), [
        (None, 2, [0, 2.5, 4]), (None, 4, [0, 1.5, 2.5, 3.5, 4]), (None, 1, [0, 4]),
        ([1, 1, 1, 0, 9], 1, [0, 3]), (None, [1, 2.5], [0, 1, 2.5]), (None, (0, 3), [0, 3]),
    ])
    def test_intervals_have_as_many_events(self, weights, intervals, edges):
        X = np.random.default_rng(0).normal(size=(5, 3, 1))
        y = targets([(True, 1), (True, 2), (True, 3), (True, 4), (False, 9)])
        net = RNNSurvival(2, intervals=intervals, max_iter=1).fit(X, y, weights)
        assert net.unique_times_.tolist() == edges
        assert net.n_outputs_ == len(edges) - 1

    def test_who_says_nothing_is_left_out(self):
        X, y = problem()
        y[:10] = (False, 1e-3)
        net = RNNSurvival(3, intervals=4, max_iter=5, random_state=0).fit(X, y)
        others = clone(net).fit(X[10:], y[10:])
        np.testing.assert_allclose(net.predict(X), others.predict(X), rtol=1e-9)

    @pytest.mark.parametrize("form", [
        lambda y: np.column_stack([y["event"], y["time"]]), lambda y: [tuple(row) for row in y],
        lambda y: pd.DataFrame({"event": y["event"], "time": y["time"]}), pd.DataFrame,
        lambda y: pl.DataFrame({"status": y["event"], "days": y["time"]}),
        lambda y: y.astype([("cens", bool), ("days", np.float32)]).astype([("cens", bool), ("days", float)]),
    ])
    def test_forms_of_y(self, form):
        X, y = problem()
        y["time"] = y["time"].astype(np.float32)
        net = RNNSurvival(3, intervals=4, max_iter=2, random_state=0)
        np.testing.assert_array_equal(net.fit(X, form(y)).predict(X), clone(net).fit(X, y).predict(X))
        assert net.score(X, form(y)) == net.score(X, y)

    @pytest.mark.parametrize(("y", "message"), [
        (targets([(True, 1), (True, -2)]), r"y\[1\] has the time -2, expected a number that is not negative"),
        (targets([(True, NAN), (True, 2)]), r"y contains NaN: y\[0\]"),
        ([[3.0, 1], [5, 0]], r"y\[0\] has the event 3, expected True.*other order: the event first"),
        ([[2.0, 7], [1, 9]], r"y\[0\] has the event 2, expected True, where the event was seen, or False$"),
        ([1.0, 2.0], r"y has shape \(2,\), expected a structured array of an event"),
        (np.zeros(2, [("a", bool), ("b", float), ("c", int)]), "the fields .*, expected .n,. and two of them"),
        (targets([(False, 1), (False, 2)]), "no event to learn from: of 2 samples with weight all are censored"),
        (targets([(True, 0), (False, 2)]), "no event .* up to 0: the events are at 0 to 0"),
        (None, "y to be passed"),
    ])
    def test_errors_teach(self, y, message):
        net = RNNSurvival(2, max_iter=1).fit(*problem())
        before = pickle.dumps(net)
        with pytest.raises((ValueError, TypeError), match=message):
            net.fit(np.zeros((2, 3, 1)), y)
        assert pickle.dumps(net) == before

    @pytest.mark.parametrize("intervals", [[], [2, 1], [1, 1], [-1, 2], [NAN], [[1, 2]], [0]])
    def test_edges_that_are_none(self, intervals):
        with pytest.raises(ValueError, match=r"intervals=.*: expected a number of intervals, or their ends"):
            RNNSurvival(intervals=intervals).fit(*problem())

    def test_events_after_the_last_interval(self):
        with pytest.raises(ValueError, match="intervals of time up to 1e-06: the events are at"):
            RNNSurvival(intervals=[1e-6]).fit(*problem())


class TestConcordance:
    def naive(self, y, risk, weights):
        over = total = 0.0
        for i, (event, time) in enumerate(y.tolist()):
            for j, (other, later) in enumerate(y.tolist()):
                if event and (time < later or (time == later and not other)):
                    total += weights[i] * weights[j]
                    over += weights[i] * weights[j] * ((risk[i] > risk[j]) + 0.5 * (risk[i] == risk[j]))
        return over / total

    @pytest.mark.parametrize("seed", range(6))
    @pytest.mark.parametrize("ties", [3, 1000])
    def test_is_that_of_all_pairs(self, seed, ties):
        rng = np.random.default_rng(seed)
        n = rng.integers(2, 60)
        y = targets(zip(rng.random(n) < 0.6, rng.integers(0, ties, n), strict=True))
        y[0], y[1] = (True, 0), (False, ties)
        risk, weights = rng.integers(0, ties, n).astype(float), rng.integers(0, 3, n).astype(float)
        weights[:2] = 1
        assert concordance_index(y, risk) == pytest.approx(self.naive(y, risk, np.ones(n)), abs=1e-12)
        weighted = concordance_index(y, risk, weights)
        assert weighted == pytest.approx(self.naive(y, risk, weights), abs=1e-12)
        repeats = weights.astype(int)
        assert concordance_index(y.repeat(repeats), risk.repeat(repeats)) == pytest.approx(weighted, abs=1e-12)

    def test_without_pairs(self):
        with pytest.warns(UndefinedMetricWarning, match="no two samples can be compared"):
            assert np.isnan(concordance_index(targets([(False, 1), (True, 2)]), np.arange(2.0)))


def kaplan_meier(y, time):
    """The fraction without an event up to a time."""
    at_risk = (y["time"] >= np.unique(y["time"][y["event"]])[:, np.newaxis]).sum(axis=1)
    times, events = np.unique(y["time"][y["event"]], return_counts=True)
    return float(np.prod((1 - events / at_risk)[times <= time]))


def cox(features, y, penalty=1e-3):
    """The coefficients of Cox's proportional hazards for standardized features (n, p), by Newton's method."""
    order = np.argsort(-y["time"], kind="stable")
    Z, event, beta = features[order], y["event"][order], np.zeros(features.shape[1])
    for _ in range(20):
        w = np.exp(Z @ beta)
        s0, s1 = np.cumsum(w)[:, None], np.cumsum(w[:, None] * Z, axis=0)
        s2 = np.cumsum(w[:, None, None] * Z[:, :, None] * Z[:, None, :], axis=0)
        mean = s1 / s0
        hessian = (s2 / s0[:, :, None] - mean[:, :, None] * mean[:, None, :])[event].sum(axis=0)
        gradient = (Z - mean)[event].sum(axis=0) - penalty * beta
        beta = beta + np.linalg.solve(hessian + penalty * np.eye(len(beta)), gradient)
    return beta


@pytest.fixture(scope="module")
def fitted():
    """A net, what it was trained on, and what it was not."""
    X, y = make_survival(1200, random_state=0)
    net = RNNSurvival(16, random_state=0, max_iter=30)
    return net.fit(X[:600], y[:600]), X[:600], y[:600], X[600:], y[600:]


@pytest.fixture(scope="module")
def net():
    return RNNSurvival(4, intervals=5, random_state=0, max_iter=10).fit(*problem())


class TestLearning:
    def test_order_beyond_what_a_linear_model_of_summaries_sees(self, fitted):
        net, X, y, X_new, y_new = fitted
        train, new = (
            np.array([[x.mean(), x.std(), x[-1, 0], x.min(), x.max()] for x in part]) for part in (X, X_new)
        )
        mean, deviation = train.mean(axis=0), train.std(axis=0)
        beta = cox((train - mean) / deviation, y)
        linear = concordance_index(y_new, (new - mean) / deviation @ beta)
        assert net.score(X_new, y_new) > max(0.77, linear + 0.05)

    def test_survival_is_calibrated(self, fitted):
        """In thirds of the predicted survival what Kaplan and Meier observe is what was predicted, at three times."""
        net, *_, X_new, y_new = fitted
        survival = net.predict_survival_function(X_new, return_array=True)
        for k in (5, 10, 15):
            predicted = survival[:, k]
            for part in np.array_split(np.argsort(predicted), 3):
                observed = kaplan_meier(y_new[part], net.unique_times_[k])
                assert predicted[part].mean() == pytest.approx(observed, abs=0.1), k
            assert predicted.mean() == pytest.approx(kaplan_meier(y_new, net.unique_times_[k]), abs=0.05)

    def test_where_sequences_say_nothing_it_is_kaplan_and_meier_s(self):
        _, y = make_survival(500, random_state=1)
        X = np.random.default_rng(0).normal(size=(500, 4, 1))
        net = RNNSurvival(4, random_state=0, alpha=100.0, solver="lbfgs", intervals=12)
        with pytest.warns(match="learned"):
            net.fit(X, y)
        predicted = net.predict_survival_function(X[:1], return_array=True)[0]
        observed = [kaplan_meier(y, time) for time in net.unique_times_]
        np.testing.assert_allclose(predicted[:-1], observed[:-1], atol=0.03)

    @pytest.mark.parametrize("factor", [2.0**20, 365.25, 1e-9])
    def test_the_unit_of_time_makes_no_difference(self, factor):
        X, y = problem()
        in_other = y.copy()
        in_other["time"] *= factor
        net = RNNSurvival(4, intervals=5, max_iter=5, random_state=0)
        risk = net.fit(X, y).predict(X)
        np.testing.assert_array_equal(clone(net).fit(X, in_other).predict(X), risk)
        np.testing.assert_allclose(clone(net).fit(1000 + 1e4 * X, in_other).predict(X * 1e4 + 1000), risk, rtol=1e-6)

    @pytest.mark.parametrize("scoring", ["loss", None])
    def test_early_stopping(self, scoring):
        X, y = problem(120)
        net = RNNSurvival(8, early_stopping=True, scoring=scoring, random_state=0).fit(X, y, groups=np.arange(120) // 2)
        assert net.best_validation_score_ == max(net.validation_scores_) == net.validation_scores_[net.best_iter_ - 1]
        again = clone(net).fit(X, y, X_val=X[:40], y_val=y[:40])
        if scoring is None:
            assert again.best_validation_score_ == again.score(X[:40], y[:40])
        assert net.score(X, y) > 0.75

    def test_weights_are_repetitions(self):
        X, y = problem(40)
        weights = np.arange(40) % 3
        net = RNNSurvival(3, intervals=3, max_iter=10, random_state=0, batch_size=500, shuffle=False)
        with pytest.warns(match="clipped"):
            one, other = clone(net).fit(X, y, weights), clone(net).fit(X.repeat(weights, 0), y.repeat(weights))
        np.testing.assert_array_equal(one.unique_times_, other.unique_times_)
        np.testing.assert_allclose(one.predict(X), other.predict(X), rtol=1e-9)
        assert one.score(X, y, weights) == pytest.approx(other.score(X.repeat(weights, 0), y.repeat(weights)))


class TestPredictions:
    def test_functions(self, net):
        X, _ = problem()
        table = net.predict_survival_function(X, return_array=True)
        functions = net.predict_survival_function(X)
        assert table.shape == (60, 6)
        assert (table[:, 0] == 1).all()
        assert (np.diff(table, axis=1) < 0).all()
        np.testing.assert_array_equal([f.y for f in functions], table)
        np.testing.assert_array_equal(functions[0](net.unique_times_), table[0])
        between = 0.5 * (net.unique_times_[2] + net.unique_times_[3])
        assert functions[0](between) == table[0, 2]
        assert isinstance(functions[0](between), float)
        for outside in (-1.0, net.unique_times_[-1] * 1.01, NAN):
            with pytest.raises(ValueError, match=r"time is .*, expected 0 to"):
                functions[0](outside)
        hazard = net.predict_cumulative_hazard_function(X, return_array=True)
        np.testing.assert_allclose(np.exp(-hazard), table)
        np.testing.assert_allclose(net.predict(X), hazard.sum(axis=1))

    def test_streams_have_the_risk_of_the_steps_so_far(self, net):
        X, _ = problem()
        state = net.initial_state()
        for t, x in enumerate(X[0]):
            risk, state = net.predict_step(x, state)
            assert risk == net.predict(X[:1, : t + 1])[0]

    def test_hazards_of_one_are_no_infinity(self, net):
        X, y = problem()
        certain = RNNSurvival(4, intervals=2, alpha=0.0, max_iter=200, learning_rate_init=0.3, random_state=0).fit(X, y)
        assert np.isfinite(certain.predict(X)).all()
        assert np.isfinite(certain.predict_cumulative_hazard_function(X, return_array=True)).all()

    def test_ragged_missing_and_float32(self):
        X, y = problem()
        ragged = [x[: 3 + i % 4].astype(np.float32) for i, x in enumerate(X)]
        ragged[0] = ragged[0].copy()
        ragged[0][1, 1] = NAN
        net = RNNSurvival(4, missing="indicator", intervals=5, random_state=0, max_iter=5).fit(ragged, y)
        assert net.predict_survival_function(ragged, return_array=True).dtype == np.float32
        np.testing.assert_array_equal(net.predict(ragged[5:9]), net.predict(ragged)[5:9])


def test_what_stands_beside_the_steps():
    """A number and a category, of which the time depends on both."""
    rng = np.random.default_rng(0)
    age, ward = rng.normal(size=200), rng.integers(0, 2, size=200)
    frame = pd.DataFrame({"x": list(rng.normal(size=(200, 5))), "age": age, "ward": np.array(["a", "b"])[ward]})
    y = targets(zip(rng.random(200) < 0.8, np.exp(age + 2 * ward) * rng.uniform(0.8, 1.2, 200), strict=True))
    net = RNNSurvival(8, random_state=0, max_iter=60).fit(frame[:150], y[:150])
    assert net.score(frame[150:], y[150:]) > 0.85
    assert net.score(frame[150:].assign(ward="a"), y[150:]) < net.score(frame[150:], y[150:])


@pytest.mark.parametrize("static_to", ["head", "initial_state", "both"])
def test_streams_of_frames(static_to):
    """Categories among the numbers of a step, and what stands beside the steps."""
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({
        "x": list(rng.normal(size=(40, 5))), "drug": [rng.choice(["a", "b"], 5).tolist() for _ in range(40)],
        "age": rng.normal(size=40), "ward": rng.choice(["x", "y"], 40),
    })
    y = targets(zip(rng.random(40) < 0.8, rng.exponential(size=40), strict=True))
    net = RNNSurvival(4, intervals=5, static_to=static_to, random_state=0, max_iter=3).fit(frame, y)
    assert {name: len(table) for name, table in net.embeddings_.items()} == {"drug": 3, "ward": 3}
    state = net.initial_state(static=frame[["age", "ward"]].iloc[[3, 7]])
    for t in range(5):
        risks, state = net.predict_step([[frame["x"][i][t], frame["drug"][i][t]] for i in (3, 7)], state)
    np.testing.assert_array_equal(risks, net.predict(frame)[[3, 7]])
    for wrong in (lambda: net.initial_state(), lambda: net.predict_step([0.0, "a"], None)):
        with pytest.raises(ValueError, match="static"):
            wrong()


class TestGoingOn:
    def test_partial_fit_keeps_its_intervals(self):
        X, y = problem()
        net = RNNSurvival(4, intervals=3, random_state=0).partial_fit(X[:30], y[:30])
        edges = net.unique_times_
        net.partial_fit(X[30:], y[30:])
        np.testing.assert_array_equal(net.unique_times_, edges)
        assert net.n_iter_ == 2

    @pytest.mark.parametrize(("before", "after"), [(3, 4), (3, [1.0, 2.0]), ([1.0, 2.0], [1.0, 3.0])])
    def test_other_intervals_are_another_net(self, before, after):
        X, y = problem()
        net = RNNSurvival(4, intervals=before, warm_start=True, random_state=0, max_iter=2).fit(X, y)
        net.fit(X, y)
        assert net.n_iter_ == 4
        with pytest.raises(ValueError, match="cannot continue with other intervals"):
            net.set_params(intervals=after).fit(X, y)

    def test_searches_and_pickles(self):
        X, y = problem(120)
        search = GridSearchCV(RNNSurvival(4, max_iter=30, random_state=0), {"intervals": [3, [1, 2, 5]]}, cv=3)
        search.fit(X, y)
        assert search.best_score_ > 0.75
        assert cross_val_score(search.best_estimator_, X, y, cv=3).max() == pytest.approx(
            max(search.cv_results_[f"split{i}_test_score"][search.best_index_] for i in range(3))
        )
        best = search.best_estimator_
        np.testing.assert_array_equal(pickle.loads(pickle.dumps(best)).predict(X), best.predict(X))
