"""Several outputs of which some are not known: missing cells of y, in training, scores and messages."""

import re

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from forms import as_object_array
from problems import in_domain
from sklearn.exceptions import UndefinedMetricWarning
from sklearn.metrics import accuracy_score, d2_absolute_error_score, f1_score, r2_score
from sklearn.model_selection import KFold, cross_val_score
from threadpoolctl import threadpool_limits

from skrnn import RNNClassifier, RNNRegressor, make_sequence_scorer
from skrnn._estimators.shared_parameters import REGRESSION_LOSSES

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
nan = np.nan
SHORT = {"cell": "gru", "max_iter": 3, "learning_rate_init": 0.02, "random_state": 0}
LOGISTIC = [name for name, loss in REGRESSION_LOSSES.items() if loss.why_not_logistic is None]


def data(per_step=False, n=40, T=6, seed=0):
    """Sequences (n, T, 2), and for each or each step of it two numbers that are not negative."""
    X = np.random.default_rng(seed).normal(size=(n, T, 2))
    return X, np.abs(X) if per_step else np.abs(X.sum(axis=1))


def with_unknown(Y, seed=1):
    """Y with a third of its cells missing, of the first row all, of the second and third one each."""
    gone = np.random.default_rng(seed).uniform(size=Y.shape) < 0.3
    gone[0], gone[1], gone[2] = True, [True, False], [False, True]
    return np.where(gone, nan, Y)


def estimators(per_step):
    """One of each kind of targets, by name, with what makes its Y of two numbers."""
    return {
        "regressor": (RNNRegressor(4, return_sequences=per_step, **SHORT), lambda Y: Y),
        "labels": (RNNClassifier(4, return_sequences=per_step, **SHORT), lambda Y: np.where(np.isnan(Y), nan, Y > 1)),
        "classes": (
            RNNClassifier(4, return_sequences=per_step, **SHORT),
            lambda Y: np.where(np.isnan(Y), nan, np.digitize(Y, [0.5, 1.5]) + 1),
        ),
    }


# What partial_fit is told of them in its first call
FIRST = {"regressor": {}, "labels": {"classes": [0, 1]}, "classes": {"classes": [[1, 2, 3], [1, 2, 3]]}}
# The scores of the second output of two
SECOND = {"regressor": slice(1, 2), "labels": slice(1, 2), "classes": slice(3, 6)}


def predicted(net, X):
    """Predictions, of a classifier probabilities, those of several columns side by side."""
    p = (net.predict_proba if hasattr(net, "predict_proba") else net.predict)(X)
    if not isinstance(p, list):
        return p
    if p[0].dtype != object:
        return np.concatenate(p, axis=-1)
    return as_object_array([np.concatenate(row, axis=-1) for row in zip(*p, strict=True)])


@pytest.fixture(params=[False, True], ids=["sequences", "steps"])
def per_step(request):
    return request.param


@pytest.fixture(params=["regressor", "labels", "classes"])
def kind(request):
    return request.param


class TestTraining:
    def test_a_row_is_the_rows_that_know_one_of_its_outputs(self, kind, per_step):
        """Every cell has the weight of its row, to rounding: L-BFGS sees one function.

        Not the features, of which a row that knows two outputs counts twice when it is two.
        """
        net, of = estimators(per_step)[kind]
        net.set_params(solver="lbfgs", max_iter=8, standardize=False)
        X, Y = data(per_step)
        Y, weights = of(with_unknown(Y)), np.random.default_rng(2).uniform(0.5, 2, size=len(X))
        twice = np.concatenate([np.where([True, False], Y, nan), np.where([False, True], Y, nan)])
        a = predicted(net.fit(X, Y, weights), X)
        loss = net.loss_
        b = predicted(net.fit(np.concatenate([X, X]), twice, np.tile(weights, 2)), X)
        np.testing.assert_allclose(a, b, rtol=1e-6)
        assert loss == pytest.approx(net.loss_, rel=1e-9)

    def test_a_row_without_any_is_absent(self, kind, per_step):
        net, of = estimators(per_step)[kind]
        X, Y = data(per_step)
        first_alone = of(Y)
        first_alone[0] = nan
        for targets in (of(with_unknown(Y)), first_alone):
            a = predicted(net.fit(X, targets), X).tobytes()
            assert net.t_ == 3 * np.sum(~np.isnan(targets).all(axis=tuple(range(1, Y.ndim))))
            assert predicted(net.fit(X[1:], targets[1:], np.ones(len(X) - 1)), X).tobytes() == a

    def test_an_unknown_output_does_not_move(self, kind, per_step):
        """Where all of a batch lacks an output, its column of the head has no gradient."""
        net, of = estimators(per_step)[kind]
        X, Y = data(per_step)
        net.set_params(solver="sgd", alpha=0.0, momentum=0.0)
        net.partial_fit(X, of(Y), **FIRST[kind])
        before = {name: value.copy() for name, value in net.parameters_.items()}
        net.partial_fit(X, np.where([True, False], of(Y), nan))
        for name in ("head.V", "head.c"):
            second = SECOND[kind]
            np.testing.assert_array_equal(net.parameters_[name][..., second], before[name][..., second])
            assert (net.parameters_[name][..., 0] != before[name][..., 0]).all()

    @pytest.mark.parametrize("loss", REGRESSION_LOSSES)
    def test_every_loss(self, loss, per_step):
        X, Y = data(per_step)
        X, Y = X.astype(np.float32 if per_step else np.float64), in_domain(loss, with_unknown(Y))
        net = RNNRegressor(4, loss=loss, return_sequences=per_step, **SHORT | {"max_iter": 30}).fit(X, Y)
        assert net.loss_ < net.loss_curve_[0]
        assert np.isfinite(net.score(X, Y))
        if loss in LOGISTIC:
            net.set_params(out_activation="logistic", max_iter=3).fit(X, Y / 10)
            assert np.isfinite(net.loss_)

    def test_learns_what_is_known(self):
        X, Y = data(n=300)
        net = RNNRegressor(8, cell="gru", solver="lbfgs", max_iter=200, random_state=0).fit(X, with_unknown(Y))
        assert r2_score(Y, net.predict(X)) > 0.8
        labels = np.where(np.isnan(with_unknown(Y)), nan, Y > 1)
        many = RNNClassifier(8, cell="gru", solver="lbfgs", max_iter=200, random_state=0).fit(X, labels)
        assert accuracy_score(Y > 1, many.predict(X)) > 0.7

    def test_the_same_bits_on_any_number_of_threads_and_in_parts(self, kind, per_step):
        net, of = estimators(per_step)[kind]
        X, Y = data(per_step, n=70, T=40)
        Y = of(with_unknown(Y))
        net.set_params(hidden_size=40, max_iter=1, batch_size=60)
        found = []
        for n_threads in (1, 2):
            with threadpool_limits(n_threads, user_api="openmp"):
                found.append(predicted(net.fit(X, Y), X).tobytes())
        ragged, rows = as_object_array(list(X)), as_object_array(list(Y)) if per_step else Y
        found.append(np.array(list(predicted(net.fit(ragged, rows), ragged))).tobytes())
        assert len(set(found)) == 1

    def test_in_stretches_of_steps(self, kind, per_step):
        net, of = estimators(per_step)[kind]
        X, Y = data(per_step)
        Y = of(with_unknown(Y))
        if per_step:
            Y[:, :2] = nan          # a stretch without targets
        net.set_params(truncated_bptt_steps=2).fit(X, Y)
        assert np.isfinite(net.loss_)
        if not per_step:
            long = predicted(net.set_params(truncated_bptt_steps=6).fit(X, Y), X).tobytes()
            assert predicted(net.set_params(truncated_bptt_steps=None).fit(X, Y), X).tobytes() == long

    def test_warm_start_and_parts_that_lack_an_output(self, kind, per_step):
        net, of = estimators(per_step)[kind]
        X, Y = data(per_step)
        net.set_params(warm_start=True).fit(X, of(Y))
        net.fit(X, np.where([True, False], of(Y), nan))
        assert net.n_iter_ == 6

    @pytest.mark.parametrize("standardize", [True, False])
    def test_a_first_part_that_lacks_an_output(self, kind, standardize, per_step):
        """Of numbers it has no units to tell; a label begins with the odds of 1."""
        net, of = estimators(per_step)[kind]
        X, Y = data(per_step)
        net.set_params(standardize=standardize, solver="sgd", alpha=0.0)
        if kind == "regressor" and standardize:
            with pytest.raises(ValueError, match="y has no target for output 1"):
                net.partial_fit(X, np.where([True, False], of(Y), nan))
            return
        net.partial_fit(X, np.where([True, False], of(Y), nan), **FIRST[kind])
        np.testing.assert_array_equal(net.parameters_["head.c"][SECOND[kind]], 0)
        assert np.isfinite(predicted(net.partial_fit(X, of(Y)), X)).all()

    def test_class_weights_count_what_is_known(self, per_step):
        """A label that is not known has the weight 1 among those that are multiplied."""
        net, of = estimators(per_step)["labels"]
        X, Y = data(per_step)
        Y = of(with_unknown(Y))
        weights = [{0: 1.0, 1: 3.0}, {0: 0.5, 1: 1.0}]
        of_cells = [np.select([Y[..., q] == 0, Y[..., q] == 1], [w[0], w[1]], 1.0) for q, w in enumerate(weights)]
        of_rows = of_cells[0] * of_cells[1]
        expected = predicted(net.fit(X, Y, of_rows), X).tobytes()
        assert predicted(net.set_params(class_weight=weights).fit(X, Y), X).tobytes() == expected
        balanced = np.ones(Y.shape[:-1])
        for q in range(2):
            known = ~np.isnan(Y[..., q])
            share = Y[..., q][known].mean()
            balanced[known] *= np.where(Y[..., q][known] == 1, 0.5 / share, 0.5 / (1 - share))
        expected = predicted(net.set_params(class_weight=None).fit(X, Y, balanced), X)
        np.testing.assert_allclose(predicted(net.set_params(class_weight="balanced").fit(X, Y), X), expected, rtol=1e-9)
        with pytest.raises(ValueError, match="class_weight"):
            net.set_params(class_weight={0: 1, 1: 2}).fit(X, Y)


class TestScores:
    def test_of_numbers_are_means_over_outputs(self, per_step):
        net, _ = estimators(per_step)["regressor"]
        X, Y = data(per_step)
        Y = with_unknown(Y)
        weights = np.random.default_rng(3).uniform(size=Y.shape[:-1])
        p = net.fit(X, Y).predict(X)

        def expected(metric, weights=None):
            known = [~np.isnan(Y[..., q]) for q in range(2)]
            return np.mean([
                metric(Y[..., q][k], p[..., q][k], sample_weight=None if weights is None else weights[k])
                for q, k in enumerate(known)
            ])

        assert net.score(X, Y) == expected(r2_score)
        assert net.score(X, Y, weights) == pytest.approx(expected(r2_score, weights))
        if per_step:
            assert make_sequence_scorer(d2_absolute_error_score)(net, X, Y) == expected(d2_absolute_error_score)
            one = np.repeat(weights[:, :1], 6, axis=1)
            assert make_sequence_scorer(r2_score)(net, X, Y, weights[:, 0]) == pytest.approx(expected(r2_score, one))

    def test_of_labels_all_that_are_known_have_to_be_right(self, per_step):
        net, of = estimators(per_step)["labels"]
        X, Y = data(per_step)
        Y = of(with_unknown(Y))
        p = net.fit(X, Y).predict(X)
        labelled = ~np.isnan(Y).all(axis=-1)
        right = ((p == Y) | np.isnan(Y)).all(axis=-1)[labelled]
        assert net.score(X, Y) == right.mean()
        if per_step:
            known = ~np.isnan(Y)
            expected = np.mean([f1_score(Y[..., q][known[..., q]], p[..., q][known[..., q]]) for q in range(2)])
            assert make_sequence_scorer(f1_score)(net, X, Y) == expected

    def test_early_stopping_looks_at_what_is_known(self, kind, per_step):
        net, of = estimators(per_step)[kind]
        X, Y = data(per_step)
        Y = of(with_unknown(Y))
        net.set_params(early_stopping=True, scoring=None).fit(X, Y, X_val=X, y_val=Y)
        assert net.score(X, Y) == pytest.approx(net.best_validation_score_)
        net.fit(X, Y)
        assert np.isfinite(net.validation_scores_).all()

    def test_an_output_that_the_part_hardly_knows_is_left_out(self, per_step):
        net, _ = estimators(per_step)["regressor"]
        X, Y = data(per_step)
        net.fit(X, Y)
        gone = np.where([True, False], Y, nan)
        expected = r2_score(Y[..., 0].ravel(), net.predict(X)[..., 0].ravel())
        assert net.score(X, gone) == pytest.approx(expected)
        gone.reshape(-1, 2)[0, 1] = 0
        assert net.score(X, gone) == pytest.approx(expected)
        gone.reshape(-1, 2)[0, 0] = gone.reshape(-1, 2)[2:, 0] = nan
        with pytest.warns(UndefinedMetricWarning, match="less than two targets are known of every output"):
            assert np.isnan(net.score(X, gone))

    def test_in_cross_validation(self, kind, per_step):
        net, of = estimators(per_step)[kind]
        X, Y = data(per_step)
        assert np.isfinite(cross_val_score(net, X, of(with_unknown(Y)), cv=KFold(3), error_score="raise")).all()


FORMS = {
    "None": lambda Y: [[None if v != v else v for v in row] for row in Y.tolist()],
    "objects": lambda Y: np.where(np.isnan(Y), None, Y.astype(object)),
    "frame": lambda Y: pd.DataFrame(Y, columns=["a", "b"]),
    "nullable": lambda Y: pd.DataFrame(Y, columns=["a", "b"]).convert_dtypes(),
    "pyarrow dtypes": lambda Y: pd.DataFrame(Y).convert_dtypes(dtype_backend="pyarrow"),
    "polars": lambda Y: pl.DataFrame(Y, schema=["a", "b"]).fill_nan(None),
    "Arrow": lambda Y: pa.table([pa.array(column, from_pandas=True) for column in Y.T], names=["a", "b"]),
}


@pytest.mark.parametrize("form", FORMS)
def test_in_every_container(form, kind):
    net, of = estimators(False)[kind]
    X, Y = data()
    Y = of(with_unknown(Y))
    expected = predicted(net.fit(X, Y), X).tobytes(), net.score(X, Y)
    given = FORMS[form](Y)
    assert (predicted(net.fit(X, given), X).tobytes(), net.score(X, given)) == expected


@pytest.mark.parametrize("gone", [nan, None, -1, pd.NA], ids=str)
def test_labels_of_steps_in_rows_of_lists(gone):
    net, of = estimators(True)["labels"]
    X, Y = data(True)
    Y = of(with_unknown(Y))
    expected = predicted(net.fit(X, Y), X).tobytes(), net.score(X, Y)
    rows = [[[gone if v != v else int(v) for v in step] for step in steps] for steps in Y.tolist()]
    assert (predicted(net.fit(X, rows), X).tobytes(), net.score(X, rows)) == expected


class TestMessages:
    @pytest.mark.parametrize("bad", [0.5, np.inf, "a"])
    def test_name_the_label(self, bad, per_step):
        """Of several columns that are not all 0 or 1, which have classes of their own."""
        net, of = estimators(per_step)["labels"]
        X, Y = data(per_step)
        Y = of(Y).astype(object)
        Y[(2, 5, 1) if per_step else (2, 1)] = bad
        where = r"y\[2\]\[5, 1\]" if per_step else r"y\[2, 1\]"
        message = f"In column 1 of y: .*; {where} is {bad!r}: of several labels each is 0 or 1, or NaN where it is not"
        if bad == np.inf:
            message = r"In column 1 of y: Input y contains infinity: y\[2\]"
        with pytest.raises((ValueError, TypeError), match=message):
            net.fit(X, Y)

    @pytest.mark.parametrize("bad", [7, 0.5, -2, "a"])
    def test_name_the_label_after_the_first_fit(self, bad, per_step):
        net, of = estimators(per_step)["labels"]
        X, Y = data(per_step)
        Y = of(Y).astype(int).astype(object)
        net.set_params(warm_start=True).fit(X, Y)
        Y[(2, 5, 1) if per_step else (2, 1)] = bad
        where = r"y\[2\]\[5, 1\]" if per_step else r"y\[2, 1\]"
        message = f"{where} is {bad!r}, expected as in the first fit 0 or 1 for each of several labels"
        for call in (net.fit, net.score):
            with pytest.raises(ValueError, match=message):
                call(X, Y)

    def test_of_a_sequence_minus_one_is_a_class_of_its_own(self):
        net, of = estimators(False)["labels"]
        X, Y = data()
        Y = of(Y).astype(int)
        Y[3, 0] = -1
        with pytest.warns(UserWarning, match=r"y\[3, 0\] is -1: it is read as 2 .* NaN where they are not known"):
            net.fit(X, Y)

    @pytest.mark.parametrize(
        ("bad", "parameters", "text"),
        [
            (np.inf, {}, "Input y contains infinity: {}; expected finite numbers"),
            (-2.0, {"loss": "poisson"}, "{} is -2.0, expected numbers that are not negative"),
            (1.5, {"out_activation": "logistic"}, "{} is 1.5, expected numbers from 0 to 1"),
            (1e300, {}, "{} is too large for float32"),
        ],
    )
    @pytest.mark.parametrize("outputs", [1, 2])
    def test_name_the_number(self, bad, parameters, text, outputs, per_step):
        X, Y = data(per_step)
        Y = Y / 10
        Y[(3, 5, 1) if per_step else (3, 1)] = bad
        where = {(2, True): "y[3][5, 1]", (2, False): "y[3, 1]", (1, True): "y[3][5]", (1, False): "y[3]"}
        Y = with_unknown(Y, 8) if outputs == 2 else Y[..., 1]
        Y[(3, 5, 1)[: Y.ndim] if per_step else (3, 1)[: Y.ndim]] = bad
        net = RNNRegressor(3, return_sequences=per_step, **SHORT, **parameters)
        with pytest.raises(ValueError, match=re.escape(text.format(where[outputs, per_step]))):
            net.fit(X.astype(np.float32), Y)

    def test_an_output_without_any(self, kind, per_step):
        net, of = estimators(per_step)[kind]
        X, Y = data(per_step)
        with pytest.raises(ValueError, match="y has no target for output 1: every value of its column is missing"):
            net.fit(X, np.where([True, False], of(Y), nan))
        weights = np.ones(len(X))
        weights[5:] = 0
        Y[:5, ..., 0] = nan
        with pytest.raises(ValueError, match=r"y has no target for output 0: .* is missing or has weight 0"):
            net.fit(X, of(Y), weights)
        with pytest.raises(ValueError, match=r"y has no (target|label) for any .*: every value is missing"):
            net.fit(X, np.full(Y.shape, nan))

    @pytest.mark.parametrize("shape", [(40,), (40, 1)])
    def test_of_one_output_a_sequence_needs_a_target(self, shape):
        X, Y = data()
        y = with_unknown(Y)[:, 0].reshape(shape)
        where = r"y\[0\]" if len(shape) == 1 else r"y\[0, 0\]"
        with pytest.raises(ValueError, match=f"Input y contains NaN: {where}"):
            RNNRegressor(3, **SHORT).fit(X, y)

    def test_a_prediction_that_overflows_names_the_sequence(self, per_step):
        X, Y = data(per_step)
        relu = SHORT | {"cell": "rnn", "activation": "relu", "loss": "poisson"}
        net = RNNRegressor(4, return_sequences=per_step, **relu).fit(X, Y)
        net.set_parameters({name: np.ones_like(net.parameters_[name]) for name in ("layer0.W", "head.V")})
        X[2] = 1e4
        where = r"X\[2\]\[\d\]" if per_step else r"X\[2\]"
        with pytest.raises(ValueError, match=rf"The prediction for {where} is not finite: the exponential"):
            net.predict(X)
        with pytest.raises(ValueError, match=r"The prediction for x\[1\].* is not finite: the exponential"):
            net.predict_step(X[1:3, 0], net.initial_state(2))
        assert np.isfinite(net.transform(X)).all()
