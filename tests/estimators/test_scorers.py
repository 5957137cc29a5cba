"""scoring: what early stopping goes by, and the curves of loss, penalty and validation."""

import numpy as np
import pandas as pd
import pytest
from forms import OnDisk
from sklearn.base import clone
from sklearn.metrics import (
    accuracy_score,
    f1_score,
    get_scorer,
    log_loss,
    make_scorer,
    mean_squared_error,
    roc_auc_score,
)

from skrnn import RaggedArray, RNNClassifier, RNNLanguageModel, RNNRegressor, make_sequence_scorer
from skrnn._estimators import validation

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

RNG = np.random.default_rng(0)
X, X_VAL = RNG.normal(size=(60, 5, 2)), RNG.normal(size=(30, 5, 2))
Y, Y_VAL = X[:, :, 0].sum(axis=1), X_VAL[:, :, 0].sum(axis=1)
STEPS, STEPS_VAL = (X[:, :, 0] > 0).astype(int), (X_VAL[:, :, 0] > 0).astype(int)
WEIGHTS = RNG.uniform(0.5, 2, size=60)
NET = {
    "hidden_size": 4, "cell": "gru", "max_iter": 3, "early_stopping": True, "validation_fraction": 0.3,
    "random_state": 0, "learning_rate": "constant", "learning_rate_init": 0.03,
}
OWN = {"X_val": X_VAL, "y_val": Y_VAL}


def absolute(estimator, X, y):
    return -float(np.abs(estimator.predict(X) - y).mean())


def first_absolute(estimator, X, y):
    """Looks at a part of X."""
    return absolute(estimator, X[:3], y[:3])


class TestWhatIsValidated:
    """After the best epoch, from which predictions come, the score is what the metric says of them."""

    @pytest.mark.parametrize(("scoring", "value"), [
        (None, lambda y, p: accuracy_score(y, p > 0.5)), ("roc_auc", roc_auc_score),
        ("neg_log_loss", lambda y, p: -log_loss(y, p)), ("f1", lambda y, p: f1_score(y, p > 0.5)),
        ("loss", lambda y, p: -log_loss(y, p)), (get_scorer("roc_auc"), roc_auc_score),
    ])
    def test_of_a_classifier(self, scoring, value):
        net = RNNClassifier(**NET, scoring=scoring).fit(X, Y > 0, X_val=X_VAL, y_val=Y_VAL > 0)
        p = net.predict_proba(X_VAL)[:, 1]
        assert net.best_validation_score_ == pytest.approx(value(Y_VAL > 0, p))
        assert net.validation_loss_curve_[net.best_iter_ - 1] == pytest.approx(log_loss(Y_VAL > 0, p))
        assert len(net.validation_scores_) == len(net.validation_loss_curve_) == net.n_iter_

    @pytest.mark.parametrize("scoring", ["neg_mean_absolute_error", absolute])
    @pytest.mark.parametrize("dtype", [np.float32, np.float64])
    def test_of_a_regressor(self, scoring, dtype):
        net = RNNRegressor(**NET, scoring=scoring).fit(X.astype(dtype), Y, X_val=X_VAL.astype(dtype), y_val=Y_VAL)
        predicted = net.predict(X_VAL.astype(dtype))
        assert net.best_validation_score_ == pytest.approx(-np.abs(predicted - Y_VAL).mean())
        expected = 0.5 * mean_squared_error(Y_VAL, predicted) / net.y_scale_**2
        assert net.validation_loss_curve_[net.best_iter_ - 1] == pytest.approx(expected, rel=1e-6)

    @pytest.mark.parametrize("scoring", ["f1", make_sequence_scorer(f1_score), "roc_auc", make_sequence_scorer(
        roc_auc_score, response_method="predict_proba"), "loss", None])
    @pytest.mark.parametrize("form", ["array", "ragged", "padded"])
    def test_of_steps(self, scoring, form):
        """Names and sequence scorers take the steps that have a target."""
        x, y, missing = X_VAL.copy(), STEPS_VAL.astype(float), "error"
        y[::2, 1] = np.nan
        used = ~np.isnan(y)
        if form != "array":
            used[::3, 3:] = False
        if form == "ragged":
            lengths = np.where(np.arange(30) % 3, 5, 3)
            x, y = ([s[:k] for s, k in zip(steps, lengths, strict=True)] for steps in (x, y))
        if form == "padded":
            x[::3, 3:], missing = np.nan, "ffill"
        net = RNNClassifier(**NET, return_sequences=True, missing=missing, scoring=scoring)
        net.fit(X, STEPS, X_val=x, y_val=y)
        p, true = net.predict_proba(X_VAL)[used][:, 1], STEPS_VAL[used]
        f1, auc = f1_score(true, p > 0.5), roc_auc_score(true, p)
        name = scoring if isinstance(scoring, str | None) else "f1" if "f1" in repr(scoring) else "roc_auc"
        expected = {"f1": f1, "roc_auc": auc, "loss": -log_loss(true, p), None: accuracy_score(true, p > 0.5)}[name]
        assert net.best_validation_score_ == pytest.approx(expected)

    @pytest.mark.parametrize("scoring", ["f1", make_sequence_scorer(f1_score), "accuracy"])
    @pytest.mark.parametrize("per_step", [False, True])
    def test_weights_of_what_is_held_out(self, scoring, per_step):
        """With those of steps, too; the held-out part is what a clone holds out."""
        net = RNNClassifier(**NET | {"max_iter": 5}, return_sequences=True, scoring=scoring)
        weights = RNG.uniform(0.5, 2, size=STEPS.shape) if per_step else WEIGHTS
        net.fit(X, STEPS, weights)
        index = self.held_out()
        metric = accuracy_score if scoring == "accuracy" else f1_score
        of_steps = np.broadcast_to(weights if per_step else weights[:, np.newaxis], STEPS.shape)[index]
        expected = metric(STEPS[index].ravel(), net.predict(X[index]).ravel(), sample_weight=of_steps.ravel())
        assert 0 < net.best_validation_score_ == pytest.approx(expected)

    @staticmethod
    def held_out():
        """Which sequences a net of `NET` holds out of X without strata."""
        held = []

        def noted(estimator, X, y):
            held.append(np.asarray(X))
            return 0.0

        RNNRegressor(**NET | {"max_iter": 1}, pooling="last", scoring=noted).fit(X, Y)
        return [i for i, x in enumerate(X) if (x == held[0]).all(axis=(1, 2)).any()]

    def test_the_loss_is_weighted_as_in_training(self):
        """By the classes' weights of y, also where y_val has other shares of them."""
        y, y_val = Y > 1.5, Y_VAL > 0
        net = RNNClassifier(**NET, class_weight="balanced").fit(X, y, X_val=X_VAL, y_val=y_val)
        weights = np.where(y_val, 60 / (2 * y.sum()), 60 / (2 * (60 - y.sum())))
        expected = log_loss(y_val, net.predict_proba(X_VAL), sample_weight=weights)
        assert net.validation_loss_curve_[net.best_iter_ - 1] == pytest.approx(expected)
        several = np.stack([Y > 0, Y > 1], axis=1).astype(float)
        several[::4, 1] = np.nan
        net = RNNClassifier(**NET, class_weight=[{0: 1, 1: 3}, None]).fit(X, several, X_val=X, y_val=several)
        p, weights = net.predict_proba(X), np.where(several[:, 0] == 1, 3.0, 1.0)
        known = ~np.isnan(several)
        of_cells = -np.where(known, np.log(np.where(several == 1, p, 1 - p)), 0) * weights[:, np.newaxis]
        # a row with m of Q labels known counts m / Q
        expected = of_cells.sum() / (weights * known.mean(axis=1)).sum()
        assert net.validation_loss_curve_[net.best_iter_ - 1] == pytest.approx(expected)

    @pytest.mark.parametrize("scoring", ["r2", absolute, first_absolute])
    @pytest.mark.parametrize("form", [
        list, OnDisk, lambda x: RaggedArray.from_padded(x, lengths=np.full(len(x), 5)), np.ndarray.tolist,
        lambda x: pd.DataFrame({"a": list(x[:, :, 0]), "b": list(x[:, :, 1])}),
    ])
    def test_forms_of_x(self, scoring, form):
        net = RNNRegressor(**NET, scoring=scoring)
        assert net.fit(form(X), Y).validation_scores_ == clone(net).fit(X, Y).validation_scores_

    def test_predictions_are_computed_once_per_epoch(self, monkeypatch):
        """However often a scorer asks for them; of anything else it gets what the net of the epoch predicts."""
        reads, calls, scores_of = [], [], validation.scores_of
        monkeypatch.setattr(validation, "scores_of", lambda *arguments: reads.append(1) or scores_of(*arguments))

        def scoring(estimator, X, y):
            p, score = estimator.predict_proba(X), estimator.score(X, y)
            calls.append((estimator, len(reads), X, p, estimator.predict_proba(X.copy()), score))
            return score

        net = RNNClassifier(**NET, scoring=scoring).fit(X, Y > 0)
        assert len(calls) == 1 + 3      # the first one is a trial, of random scores, before training
        for epoch, (estimator, n_reads, _, p, again, score) in enumerate(calls[1:], 1):
            assert estimator is not net
            assert n_reads == len(reads[:n_reads]) == epoch
            assert p.tobytes() == again.tobytes()
            assert score == net.validation_scores_[epoch - 1]
        assert len(reads) == 3
        assert not np.allclose(calls[0][3], calls[0][4])


class TestWhatCannotBe:
    @pytest.mark.parametrize(("net", "y", "scoring", "message"), [
        (RNNRegressor, Y, "roc_auc", r"scoring='roc_auc' does not work for the 18 .*RNNRegressor has none of"),
        (RNNClassifier, np.arange(60) % 3, "roc_auc", "multi_class must be in"),
        (RNNClassifier, np.where(Y > 0, "a", "b"), "f1", "pos_label=1 is not a valid label"),
        (RNNRegressor, Y, mean_squared_error, "looks like it is a metric function"),
        (RNNRegressor, Y, lambda net, X, y: "good", "returned 'good', expected a number"),
        (RNNRegressor, Y, lambda net, X, y: np.nan, "the score is nan"),
        (RNNRegressor, Y, lambda net, X: 1.0, "takes 2 positional arguments"),
        (RNNRegressor, np.stack([Y, np.where(Y > 0, Y, np.nan)], axis=1), "r2", "contains NaN"),
        (RNNClassifier, Y > 0, "auc", r"Did you mean scoring='roc_auc'\?"),
        (RNNClassifier, Y > 0, "log loss", r"Did you mean scoring='neg_log_loss'\?"),
        (RNNClassifier, Y > 0, ["f1"], "scorer"),
    ])
    def test_is_an_error_before_training(self, net, y, scoring, message, monkeypatch):
        monkeypatch.setattr("skrnn._training.run.train_model", None)
        net = net(**NET, scoring=scoring)
        with pytest.raises(ValueError, match=message):
            net.fit(X, y)
        assert not hasattr(net, "n_iter_")

    def test_scorers_of_samples_for_targets_of_steps(self):
        net = RNNClassifier(**NET, return_sequences=True, scoring=make_scorer(f1_score))
        with pytest.raises(ValueError, match="pass the name of a scorer, or one of make_sequence_scorer"):
            net.fit(X, np.where(np.arange(5) == 2, -1, STEPS))

    def test_a_metric_without_weights(self):
        net = RNNRegressor(**NET, scoring="neg_max_error")
        assert len(net.fit(X, Y).validation_scores_) == 3
        with pytest.raises(ValueError, match="sample_weight"):
            net.fit(X, Y, WEIGHTS)
        assert len(net.fit(X, Y, WEIGHTS, **OWN).validation_scores_) == 3


class TestCurves:
    @pytest.mark.parametrize("solver", ["adam", "lbfgs", "adamw"])
    def test_loss_and_penalty(self, solver):
        """Of one batch: the loss of the parameters before, and ½ alpha ‖weights‖² / n, whose sum is minimized."""
        settings = {"solver": solver, "max_iter": 1, "alpha": 3.0, "batch_size": 60, "random_state": 0}
        after = RNNRegressor(4, learning_rate_init=1e-9, **settings).fit(X, Y)
        parameters = after.parameters_
        squares = sum(np.square(parameters[name]).sum() for name in ("layer0.W", "layer0.U", "head.V"))
        penalty = 0 if solver == "adamw" else 0.5 * 3.0 * squares / 60
        loss = 0.5 * mean_squared_error(Y, after.predict(X)) / after.y_scale_**2
        assert after.loss_curve_ == [pytest.approx(loss, rel=1e-6)]
        assert after.penalty_curve_ == [pytest.approx(penalty, rel=1e-6)]
        assert (after.loss_, after.best_loss_, after.best_iter_) == (after.loss_curve_[0], after.loss_curve_[0], 1)

    @pytest.mark.filterwarnings("ignore::skrnn.exceptions.ConstantTargetWarning")
    def test_what_training_minimizes_decides_when_it_ends(self):
        """The penalty still falls when the loss does not any more."""
        settings = {"tol": 1e-3, "n_iter_no_change": 2, "max_iter": 30, "learning_rate_init": 0.01, "random_state": 0}
        settings |= {"standardize": False, "learning_rate": "constant", "epsilon": 1e-8, "batch_size": 20}
        net = RNNRegressor(4, cell="lstm", alpha=30.0, **settings).fit(X, np.zeros(60))
        assert net.n_iter_ == 30
        assert max(net.loss_curve_) - min(net.loss_curve_) < 0.1 * (net.penalty_curve_[0] - net.penalty_curve_[-1])
        assert np.ptp(net.loss_curve_[12:]) < 1e-3
        assert net.best_loss_ == min(net.loss_curve_)

    def test_the_best_epoch(self):
        settings = {"max_iter": 40, "learning_rate_init": 0.2, "tol": 1e-2, "n_iter_no_change": 10}
        net = RNNRegressor(**NET | settings).fit(X, Y, **OWN)
        assert net.best_iter_ == np.argmin(net.validation_loss_curve_) + 1 < net.n_iter_
        assert net.validation_scores_ == [-loss for loss in net.validation_loss_curve_]
        assert net.best_validation_score_ == max(net.validation_scores_)
        assert net.best_loss_ is None
        short = clone(net).set_params(max_iter=net.best_iter_).fit(X, Y, **OWN)
        assert short.predict(X).tobytes() == net.predict(X).tobytes()
        first, before = net.best_iter_, net.n_iter_
        net.set_params(warm_start=True, learning_rate_init=50.0, max_iter=2).fit(X, Y, **OWN)
        assert (net.best_iter_, net.n_iter_) == (first, before + 2)
        net.set_params(early_stopping=False).fit(X, Y)
        assert net.best_iter_ == net.n_iter_ == before + 4
        assert net.validation_loss_curve_ is None
        assert net.validation_scores_ is None

    def test_of_a_language_model(self):
        model = RNNLanguageModel(
            8, embedding_dim=4, n_streams=2, max_iter=4, early_stopping=True, learning_rate_init=0.05, random_state=0
        ).fit(["abcabc", "cab", "bca"] * 5, X_val=["abc", "ca"])
        assert model.validation_scores_ == [-loss for loss in model.validation_loss_curve_]
        assert model.score(["abc", "ca"]) == model.validation_scores_[model.best_iter_ - 1]
        assert len(model.penalty_curve_) == len(model.loss_curve_) == 4
        assert model.penalty_curve_[0] > 0


def test_few_positives_are_learned_by_the_loss():
    """The accuracy is that of the larger class in each epoch, which brings training to its end."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(900, 6, 2))
    risk = x[:, :, 0].sum(axis=1) + rng.logistic(size=900)
    y = risk > np.quantile(risk, 0.92)
    areas = {}
    for scoring in ("loss", None):
        net = RNNClassifier(
            6, cell="gru", pooling="last", learning_rate="constant", learning_rate_init=0.01, early_stopping=True,
            n_iter_no_change=5, max_iter=40, scoring=scoring, random_state=0,
        ).fit(x[:500], y[:500])
        areas[scoring] = roc_auc_score(y[500:], net.predict_proba(x[500:])[:, 1])
    assert net.best_iter_ < 5
    assert areas["loss"] > areas[None] + 0.05
    assert areas["loss"] > 0.85
