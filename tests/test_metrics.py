"""Targets of steps end to end and back, and metrics of flat targets for them."""

import pickle
from functools import partial

import awkward as ak
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from forms import as_object_array
from problems import walks
from sklearn import config_context
from sklearn.base import clone
from sklearn.metrics import (
    accuracy_score,
    average_precision_score,
    brier_score_loss,
    confusion_matrix,
    f1_score,
    log_loss,
    make_scorer,
    r2_score,
    roc_auc_score,
)
from sklearn.model_selection import GridSearchCV, cross_val_score, cross_validate
from sklearn.pipeline import make_pipeline

from skrnn import RaggedArray, RNNClassifier, RNNRegressor, concatenate_steps, make_sequence_scorer, split_steps
from skrnn.preprocessing import SequenceScaler

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
nan = np.nan


RAGGED = {
    "lists": [[0, 1], [1, -1, 0], [1]],
    "arrays": [np.array([0, 1]), np.array([1, -1, 0]), np.array([1])],
    "object array": as_object_array([np.array([0, 1]), np.array([1, -1, 0]), np.array([1])]),
    "series": pd.Series([[0, 1], [1, -1, 0], [1]]),
    "polars": pl.Series([[0, 1], [1, -1, 0], [1]]),
    "column of a frame": pd.DataFrame({"y": [[0, 1], [1, -1, 0], [1]]}),
    "Arrow": pa.array([[0, 1], [1, -1, 0], [1]]),
    "awkward": ak.Array([[0, 1], [1, -1, 0], [1]]),
    "RaggedArray": RaggedArray(np.array([0, 1, 1, -1, 0, 1]), lengths=[2, 3, 1]),
    "None": [[0, 1], [1, None, 0], [1]],
    "NaN": [[0.0, 1.0], [1.0, nan, 0.0], [1.0]],
}


class TestConcatenateSteps:
    @pytest.mark.parametrize("y", RAGGED.values(), ids=RAGGED)
    def test_ragged(self, y):
        X = [np.ones((2, 1)), np.zeros((3, 1)), np.ones((1, 1))]
        net = RNNClassifier(2, return_sequences=True, max_iter=1, random_state=0).fit(X, y)
        flat, predicted, p, w, of_steps = concatenate_steps(
            y, net.predict(X), net.predict_proba(X), [1.0, 2.0, 3.0], [[1, 2], [3, 4, 5], [6]]
        )
        assert flat.tolist() == [0, 1, 1, 0, 1]
        assert w.tolist() == [1, 1, 2, 2, 3]
        assert of_steps.tolist() == [1, 2, 3, 5, 6]
        assert p.shape == (5, 2)
        np.testing.assert_array_equal(p, np.concatenate(list(net.predict_proba(X)))[[0, 1, 2, 4, 5]])
        assert confusion_matrix(flat, predicted).sum() == 5
        assert accuracy_score(flat, predicted) == net.score(X, y)

    @pytest.mark.parametrize("form", [np.asarray, pd.DataFrame, lambda y: y.tolist(), pl.DataFrame])
    @pytest.mark.parametrize("labels", [[0, 1], ["a", "b"], [False, True], [0.0, 1.0]], ids=str)
    def test_arrays_and_frames(self, form, labels):
        y = np.array(labels)[np.arange(8).reshape(2, 4) % 2]
        flat, = concatenate_steps(form(y))
        assert flat.tolist() == y.ravel().tolist()
        assert flat.dtype.kind == y.dtype.kind or flat.dtype.kind == "O"

    def test_several_outputs(self):
        y = np.arange(24.0).reshape(2, 4, 3)
        y[0, 1] = nan
        flat, others = concatenate_steps(y, y + 1)
        assert flat.shape == (7, 3)
        np.testing.assert_array_equal(others, flat + 1)
        assert concatenate_steps(np.arange(24).reshape(2, 4, 3) - 1)[0].shape == (8, 3)     # numbers, not labels

    @pytest.mark.parametrize(
        ("arguments", "error", "message"),
        [
            (([1, 0],), ValueError, r"y\[0\] is 1, expected a target for each step"),
            (([],), ValueError, "y is empty, expected a target for each step"),
            (("ab",), TypeError, "y is 'ab', expected an array or a list"),
            ((None,), TypeError, "y is None, expected"),
            (([[-1, -1]],), ValueError, "y has no label for any step"),
            (([[1, 0]], [[1]]), ValueError, r"y\[0\] has 2 targets of steps, expected 1 as in others\[0\]\[0\]"),
            (([[1, 0]], [[1, 1], [2]]), ValueError, r"others\[0\] has 2 sequences, expected 1 as in y"),
            (([[1, 0]], [[1, 1]], 5), TypeError, r"others\[1\] is 5, expected"),
        ],
    )
    def test_what_does_not_go_together(self, arguments, error, message):
        with pytest.raises(error, match=message):
            concatenate_steps(*arguments)


class TestSplitSteps:
    @pytest.mark.parametrize("y", RAGGED.values(), ids=RAGGED)
    def test_is_the_way_back(self, y):
        rows, = concatenate_steps(y)
        back = split_steps(rows, like=y)
        assert [len(row) for row in back] == [2, 3, 1]
        assert concatenate_steps(back)[0].tolist() == rows.tolist()
        assert split_steps(np.arange(6), like=y)[1].tolist() == [2, 3, 4]
        p = split_steps(np.ones((5, 3)), like=y)
        assert [row.shape for row in p] == [(2, 3), (3, 3), (1, 3)]
        assert np.isnan(p[1][1]).all()

    @pytest.mark.parametrize("form", [np.asarray, pd.DataFrame])
    def test_of_an_array(self, form):
        y = np.array([[0, 1, -1], [1, 1, 0]])
        np.testing.assert_array_equal(split_steps(concatenate_steps(form(y))[0], like=form(y)), y)
        assert split_steps(np.zeros((6, 4)), like=form(y)).shape == (2, 3, 4)
        assert split_steps(list("abcde"), like=form(y)).tolist() == [["a", "b", None], ["c", "d", "e"]]

    def test_another_number_of_rows(self):
        message = r"rows has shape \(4,\), expected \(3, ...\) for the steps of like, or \(2, ...\) for those that have"
        with pytest.raises(ValueError, match=message):
            split_steps([1, 2, 3, 4], like=[[0, -1], [1]])


class TestSequenceScorer:
    """Metrics of flat labels for targets of steps."""

    @pytest.mark.parametrize("ragged", [False, True])
    def test_any_metric_over_all_steps(self, ragged):
        X, _ = walks()
        y = (X.sum(axis=2) > 1).astype(int)
        if ragged:
            X, y = (as_object_array([row[: 2 + i % 7] for i, row in enumerate(part)]) for part in (X, y))
        net = RNNClassifier(4, return_sequences=True, max_iter=5, random_state=0).fit(X, y)
        scorer = make_sequence_scorer(f1_score, average="macro")
        flat = np.concatenate(list(y)), np.concatenate(list(net.predict(X)))
        assert scorer(net, X, y) == f1_score(*flat, average="macro")
        scores = cross_val_score(net, X, y, cv=3, scoring=scorer, error_score="raise")
        assert np.isfinite(scores).all()

    def test_steps_without_a_target_and_weights(self):
        X, _ = walks()
        y = X.sum(axis=2)
        y[::3, 2] = nan
        net = RNNRegressor(4, return_sequences=True, max_iter=5, random_state=0).fit(X, y)
        kept = ~np.isnan(y)
        w = np.random.default_rng(0).uniform(size=80)
        scorer = make_sequence_scorer(r2_score)
        assert scorer(net, X, y) == pytest.approx(r2_score(y[kept], net.predict(X)[kept]))
        weights = np.repeat(w[:, np.newaxis], 8, axis=1)
        assert scorer(net, X, y, sample_weight=w) == pytest.approx(
            r2_score(y[kept], net.predict(X)[kept], sample_weight=weights[kept])
        )

    @pytest.mark.parametrize("T", [2, 5])
    def test_probabilities_of_two_classes(self, T):
        X, _ = walks(T=T)
        y = (X.sum(axis=2) > 0).astype(int)
        net = RNNClassifier(4, return_sequences=True, max_iter=5, random_state=0).fit(X, y)
        scorer = make_sequence_scorer(roc_auc_score, response_method="predict_proba")
        assert scorer(net, X, y) == roc_auc_score(y.ravel(), net.predict_proba(X)[:, :, 1].ravel())
        assert scorer(net, X, pd.DataFrame(y)) == scorer(net, X, y)

    def test_what_does_not_go_together(self):
        X, _ = walks()
        y = [[int(v > 0) for v in x[:, 0]] for x in X]
        net = RNNClassifier(4, return_sequences=True, max_iter=2, random_state=0).fit(X, y)
        scorer = make_sequence_scorer(accuracy_score)
        with pytest.raises(ValueError, match=r"y\[0\] has 2 targets of steps, expected 5 as in predict\(X\)\[0\]"):
            scorer(net, [X[0, :5], X[1, :2]], [y[0][:2], y[1][:5]])
        with pytest.raises(ValueError, match="Negative values in data passed to `sample_weight`"):
            scorer(net, X, y, -np.ones(80))
        y[0][1], y[1][2] = nan, -1
        assert scorer(net, X, y) == net.score(X, y)

    def test_smaller_is_better(self):
        X, _ = walks()
        net = RNNRegressor(4, return_sequences=True, max_iter=5, random_state=0).fit(X, X.sum(axis=2))
        scorer = make_sequence_scorer(lambda y, p: np.abs(y - p).max(), greater_is_better=False)
        assert scorer(net, X, X.sum(axis=2)) < 0

    @pytest.mark.parametrize("labels", [[0, 1, 2], ["a", "b", "c"]], ids=str)
    @pytest.mark.parametrize("ragged", [False, True])
    def test_probabilities_of_more_classes(self, labels, ragged):
        """A fold that lacks a class has its probabilities all the same."""
        X, _ = walks(30)
        y = np.array(labels)[np.digitize(X[..., 0], [-0.5, 0.5])]
        if ragged:
            X, y = ([row[: 2 + i % 7] for i, row in enumerate(part)] for part in (X, y))
        net = RNNClassifier(3, return_sequences=True, max_iter=2, random_state=0).fit(X, y)
        flat, p = concatenate_steps(y, net.predict_proba(X))
        loss = make_sequence_scorer(log_loss, response_method="predict_proba", greater_is_better=False)
        assert loss(net, X, y) == -log_loss(flat, p)
        auc = make_sequence_scorer(roc_auc_score, response_method="predict_proba", multi_class="ovr")
        assert auc(net, X, y) == roc_auc_score(flat, p, multi_class="ovr")
        two = [np.where(np.asarray(row) == labels[2], labels[1], row) for row in y]
        assert loss(net, X, two) == -log_loss(concatenate_steps(two)[0], p, labels=labels)
        assert np.isfinite(cross_val_score(net, X, y, cv=3, scoring=loss, error_score="raise")).all()

    def test_probabilities_of_the_positive_label(self):
        X, _ = walks(30)
        y = np.where(X[..., 0] > 0, "a", "b")
        net = RNNClassifier(3, return_sequences=True, max_iter=2, random_state=0).fit(X, y)
        scorer = make_sequence_scorer(average_precision_score, response_method="predict_proba", pos_label="a")
        assert scorer(net, X, y) == average_precision_score(
            y.ravel(), net.predict_proba(X)[..., 0].ravel(), pos_label="a"
        )
        wrong = make_sequence_scorer(average_precision_score, response_method="predict_proba", pos_label="c")
        with pytest.raises(ValueError, match=r"pos_label='c': expected one of the classes \['a', 'b'\]"):
            wrong(net, X, y)
        f1 = make_sequence_scorer(f1_score, pos_label="a")
        assert f1(net, X, y) == f1_score(y.ravel(), net.predict(X).ravel(), pos_label="a")

    @pytest.mark.parametrize("labels", [(1, 2), ("a", "b"), (False, True), (0, 1)], ids=str)
    @pytest.mark.parametrize("metric", [average_precision_score, brier_score_loss])
    def test_the_positive_label_is_that_of_the_probabilities(self, labels, metric):
        """Metrics have defaults of their own, 1 or none."""
        X, _ = walks(30)
        y = (X[..., 0] > 0).astype(int)
        net = RNNClassifier(3, return_sequences=True, max_iter=2, random_state=0).fit(X, np.array(labels)[y])
        p = net.predict_proba(X)
        for given, code in ({}, 1), ({"pos_label": None}, 1), ({"pos_label": labels[0]}, 0):
            expected = metric((y == code).ravel(), p[..., code].ravel())
            scorer = make_sequence_scorer(metric, response_method="predict_proba", **given)
            assert scorer(net, X, np.array(labels)[y]) == expected
        scorer = make_sequence_scorer(partial(metric, pos_label=labels[0]), response_method="predict_proba")
        assert scorer(net, X, np.array(labels)[y]) == expected

    @pytest.mark.parametrize("metric", ["accuracy", make_scorer(accuracy_score), None], ids=str)
    def test_of_what_is_no_metric(self, metric):
        with pytest.raises(TypeError, match=r"metric is .*, expected a function of y_true and y_pred"):
            make_sequence_scorer(metric)

    def test_several_labels_per_step(self):
        X, _ = walks(30)
        y = (np.cumsum(X, axis=1) > 0).astype(int)
        net = RNNClassifier(3, return_sequences=True, max_iter=2, random_state=0).fit(X, y)
        scorer = make_sequence_scorer(f1_score, average="macro")
        assert scorer(net, X, y) == f1_score(y.reshape(-1, 2), net.predict(X).reshape(-1, 2), average="macro")
        auc = make_sequence_scorer(roc_auc_score, response_method="predict_proba")
        assert auc(net, X, y) == roc_auc_score(y.reshape(-1, 2), net.predict_proba(X).reshape(-1, 2))

    def test_minus_one_is_a_number_of_a_regressor(self):
        X, _ = walks(30)
        y = np.round(2 * X[..., 0]).astype(int)
        net = RNNRegressor(3, return_sequences=True, max_iter=2, random_state=0).fit(X, y)
        assert make_sequence_scorer(r2_score)(net, X, y) == pytest.approx(r2_score(y.ravel(), net.predict(X).ravel()))

    def test_in_searches_with_several_scores_and_routed_weights(self):
        X, _ = walks(30)
        y = [(row[: 3 + i % 5, 0] > 0).astype(int).tolist() for i, row in enumerate(X)]
        X = [row[: 3 + i % 5] for i, row in enumerate(X)]
        net = RNNClassifier(3, return_sequences=True, max_iter=10, learning_rate_init=0.1, random_state=0)
        scoring = {
            "f1": make_sequence_scorer(f1_score),
            "loss": make_sequence_scorer(log_loss, response_method="predict_proba", greater_is_better=False),
        }
        search = GridSearchCV(make_pipeline(SequenceScaler(), net), {"rnnclassifier__cell": ["rnn", "gru"]}, cv=2,
                              scoring=scoring, refit="loss", error_score="raise").fit(X, y)
        assert search.score(X, y) == scoring["loss"](search, X, y) < 0
        weights = np.arange(1.0, 31)
        with config_context(enable_metadata_routing=True):
            routed = {name: clone_of(s).set_score_request(sample_weight=True) for name, s in scoring.items()}
            asked = clone(net).set_fit_request(sample_weight=False)
            done = cross_validate(
                asked, X, y, cv=[(range(15), range(15, 30))], scoring=routed, params={"sample_weight": weights},
                return_estimator=True, error_score="raise",
            )
        for name, scorer in scoring.items():
            expected = scorer(done["estimator"][0], X[15:], y[15:], sample_weight=weights[15:])
            assert done[f"test_{name}"].tolist() == [expected]
            assert expected != scorer(done["estimator"][0], X[15:], y[15:])

    def test_of_a_net_that_has_one_label_per_sequence(self):
        X, y = walks()
        net = RNNClassifier(2, max_iter=1).fit(X, y[:, 0])
        with pytest.raises(ValueError, match="make_sequence_scorer is for a net with return_sequences=True"):
            make_sequence_scorer(f1_score)(net, X, (X[..., 0] > 0).astype(int))
        with pytest.raises(ValueError, match=r"y\[0\] is \d, expected a target for each step"):
            make_sequence_scorer(f1_score)(net, X, y[:, 0])

    def test_says_what_it_is(self):
        scorer = make_sequence_scorer(f1_score, average="macro")
        assert repr(scorer) == "make_sequence_scorer(f1_score, response_method='predict', average='macro')"
        loss = make_sequence_scorer(log_loss, response_method="predict_proba", greater_is_better=False)
        assert repr(loss) == "make_sequence_scorer(log_loss, response_method='predict_proba', greater_is_better=False)"


def clone_of(scorer):
    return pickle.loads(pickle.dumps(scorer))
