"""Ctrl-C: `fit` raises KeyboardInterrupt, and the estimator is as before or whole, wherever it strikes."""

import os
import pickle
import signal
import subprocess
import sys
from copy import deepcopy
from pathlib import Path

import joblib
import numpy as np
import pytest
from sklearn.base import clone
from sklearn.ensemble import BaggingRegressor
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from threadpoolctl import threadpool_info

import skrnn
from skrnn import RNNClassifier, RNNLanguageModel, RNNRegressor
from skrnn._estimators.targets import NumberTargets
from skrnn._network.objective import Objective
from skrnn.preprocessing import SequenceImputer, SequenceScaler, SequenceVectorizer, SlidingWindow

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

RNG = np.random.default_rng(0)
X, X_VAL = RNG.normal(size=(9, 4, 2)), RNG.normal(size=(5, 4, 2))
Y, Y_VAL = X[:, :, 0].sum(axis=1), X_VAL[:, :, 0].sum(axis=1)
TEXTS = ["abcab", "bca", "", "cabcabcab"]
NET = {"hidden_size": 2, "batch_size": 4, "max_iter": 3, "random_state": 0}


def fit(net, data=X, target=Y):
    return net.fit(data, target)


def partial_fit(net):
    return net.partial_fit(X, Y)


def fit_texts(model):
    return model.fit(TEXTS)


def partial_fit_texts(model):
    return model.partial_fit(TEXTS)


def refitted(net):
    """A net that goes on, with another number of epochs."""
    return net.set_params(max_iter=2).fit(X, Y).set_params(max_iter=3, warm_start=True)


LM = {"hidden_size": 2, "embedding_dim": 2, "n_streams": 2, "truncated_bptt_steps": 4, "random_state": 0, "max_iter": 2}
CASES = {
    "adam": (lambda: RNNRegressor(**NET), fit),
    "labels": (lambda: RNNClassifier(**NET, cell="gru"), lambda net: net.fit(X, Y > 0)),
    "X_val": (lambda: RNNRegressor(**NET, early_stopping=True), lambda net: net.fit(X, Y, X_val=X_VAL, y_val=Y_VAL)),
    "held out": (lambda: RNNRegressor(**NET, early_stopping=True, validation_fraction=0.3, tol=1e9), fit),
    "adaptive": (
        lambda: RNNRegressor(**NET, solver="adamw", learning_rate="adaptive", tol=1e9, n_iter_no_change=1), fit
    ),
    "stretches": (lambda: RNNRegressor(**NET, truncated_bptt_steps=2, return_sequences=True),
                  lambda net: net.fit(X, X[:, :, 0])),
    "warm start": (lambda: refitted(RNNRegressor(**NET, solver="nadam", learning_rate="cosine")), fit),
    "warm start, X_val": (
        lambda: refitted(RNNRegressor(**NET)).set_params(early_stopping=True),
        lambda net: net.fit(X, Y, X_val=X_VAL, y_val=Y_VAL),
    ),
    "refit": (lambda: RNNRegressor(**NET).fit(X[..., :1], Y), fit),
    "lbfgs": (lambda: RNNRegressor(**NET, solver="lbfgs"), fit),
    "lbfgs, warm start": (lambda: refitted(RNNRegressor(**NET, solver="lbfgs")), fit),
    "first partial_fit": (lambda: RNNRegressor(**NET), partial_fit),
    "partial_fit": (lambda: partial_fit(RNNRegressor(**NET, learning_rate="invscaling")), partial_fit),
    "partial_fit, adaptive": (
        lambda: partial_fit(RNNRegressor(**NET, learning_rate="adaptive", tol=1e9, n_iter_no_change=1)), partial_fit
    ),
    "texts": (lambda: RNNLanguageModel(**LM), fit_texts),
    "texts, held out": (lambda: RNNLanguageModel(**LM, early_stopping=True), lambda model: model.fit(
        TEXTS, X_val=["abc"])),
    "partial_fit of texts": (lambda: partial_fit_texts(RNNLanguageModel(**LM)), partial_fit_texts),
}
FILES = tuple(str(Path(skrnn.__file__).parent / folder) for folder in ("_training", "_estimators", "_language"))


class InterruptAtLine:
    """Raises KeyboardInterrupt before line number `at`, counted in some files, and counts these."""

    def __init__(self, at, files=FILES):
        self.at, self.files, self.n_lines = at, files, 0

    def __enter__(self):
        self.before = sys.gettrace()
        sys.settrace(self.of_call)
        return self

    def __exit__(self, *exception):
        sys.settrace(self.before)

    def of_call(self, frame, event, argument):
        return self.of_line if frame.f_code.co_filename.startswith(self.files) else None

    def of_line(self, frame, event, argument):
        if event == "line":
            self.n_lines += 1
            if self.n_lines == self.at:
                raise KeyboardInterrupt
        return self.of_line


def public(estimator):
    """The public attributes that fit sets."""
    return {name: value for name, value in vars(estimator).items() if name.endswith("_")}


def check_whole(net):
    """What is recorded belongs together, predictions and pickles work; and training goes on."""
    assert net.n_iter_ == len(net.loss_curve_) == len(net.grad_norm_curve_) >= 1
    assert np.isfinite(net.loss_curve_).all()
    assert net.loss_ == net.loss_curve_[-1]
    assert net.t_ > 0
    if not net.early_stopping:
        assert net.best_loss_ == min(net.loss_curve_)
    else:
        known = [score for score in net.validation_scores_ if not np.isnan(score)]
        assert len(known) >= len(net.validation_scores_) - 1
        assert net.best_validation_score_ >= max(known, default=-np.inf) or not known
    predict = net.perplexity if isinstance(net, RNNLanguageModel) else net.predict
    data = TEXTS if isinstance(net, RNNLanguageModel) else X
    assert np.isfinite(predict(data)).all()
    again = pickle.loads(pickle.dumps(net))
    assert joblib.hash(again) == joblib.hash(net)
    if net.early_stopping or getattr(net, "solver", None) == "lbfgs":
        again.set_params(early_stopping=False, solver="adam")
    n_iter, t = net.n_iter_, net.t_
    if isinstance(net, RNNLanguageModel):
        again.partial_fit(TEXTS)
    else:
        again.partial_fit(X, X[:, :, 0] if net.return_sequences else Y > 0 if hasattr(net, "classes_") else Y)
    assert (again.n_iter_, again.t_ > t) == (n_iter + 1, True)


def strike(make, train, at):
    """Interrupt a training at a line; return the estimator, or None when it came to its end before."""
    net = make()
    before = joblib.hash(net)
    interrupt = InterruptAtLine(at)
    try:
        with interrupt:
            train(net)
    except KeyboardInterrupt:
        if joblib.hash(net) != before:
            check_whole(net)
        elif "n_iter_" not in vars(net):
            with pytest.raises(NotFittedError):
                net.score(X, Y)
        return net
    assert interrupt.n_lines < at
    return None


@pytest.mark.parametrize("name", CASES)
def test_an_interrupt_before_a_line(name):
    for at in np.unique(np.geomspace(60, 3000, 14).astype(int)):
        if strike(*CASES[name], at) is None:
            break


@pytest.mark.slow
@pytest.mark.parametrize("name", CASES)
def test_an_interrupt_before_every_line(name):
    at = 1
    while strike(*CASES[name], at) is not None:
        at += 1
    assert at > 100
