"""Ctrl-C: `fit` raises KeyboardInterrupt, and the estimator is as before or whole, wherever it strikes."""

import linecache
import pickle
import signal
import subprocess
import sys
from collections import Counter
from functools import cache
from itertools import takewhile
from pathlib import Path

import joblib
import numpy as np
import pytest
import sklearn
import threadpoolctl
from sklearn.base import clone
from sklearn.compose import TransformedTargetRegressor
from sklearn.ensemble import BaggingRegressor
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.multioutput import MultiOutputRegressor
from sklearn.pipeline import make_pipeline
from threadpoolctl import threadpool_info

import skrnn
from skrnn import RNNClassifier, RNNLanguageModel, RNNRegressor
from skrnn._estimators.number_targets import NumberTargets
from skrnn._network.objective import Objective
from skrnn._training import loop
from skrnn._training.optimizers import OPTIMIZERS
from skrnn.preprocessing import SequenceImputer, SequenceScaler, SequenceVectorizer, SlidingWindow

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

RNG = np.random.default_rng(0)
X, X_VAL = RNG.normal(size=(9, 4, 2)), RNG.normal(size=(5, 4, 2))
Y, Y_VAL = X[:, :, 0].sum(axis=1), X_VAL[:, :, 0].sum(axis=1)
CONFIG = sklearn.get_config()
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


class LookingOn:
    """A callback that keeps nothing, but looks at the estimator of each task."""

    def setup(self, estimator, context):
        pass

    def on_fit_task_begin(self, estimator, context):
        pass

    def on_fit_task_end(self, estimator, context, *, fitted_estimator):
        assert fitted_estimator is not estimator

    def teardown(self, estimator, context):
        pass


def looked_at(estimator):
    """An estimator with a callback, where scikit-learn has them."""
    return estimator.set_callbacks(LookingOn()) if hasattr(estimator, "set_callbacks") else estimator


LM = {"hidden_size": 2, "embedding_dim": 2, "n_streams": 2, "truncated_bptt_steps": 4, "random_state": 0, "max_iter": 2}
CASES = {
    "adam": (lambda: RNNRegressor(**NET), fit),
    "labels": (lambda: RNNClassifier(**NET, cell="gru"), lambda net: net.fit(X, Y > 0)),
    "X_val": (lambda: RNNRegressor(**NET, early_stopping=True), lambda net: net.fit(X, Y, X_val=X_VAL, y_val=Y_VAL)),
    "scorer": (
        lambda: RNNClassifier(**NET, early_stopping=True, scoring="roc_auc"),
        lambda net: net.fit(X, Y > 0, X_val=X_VAL, y_val=Y_VAL > 0, groups=range(9)),
    ),
    "held out": (lambda: RNNRegressor(**NET, early_stopping=True, validation_fraction=0.3, tol=1e9), fit),
    "adaptive": (
        lambda: RNNRegressor(**NET, solver="adamw", learning_rate="adaptive", tol=1e9, n_iter_no_change=1), fit
    ),
    "stretches": (lambda: RNNRegressor(**NET, truncated_bptt_steps=2, return_sequences=True),
                  lambda net: net.fit(X, X[:, :, 0])),
    "warm start": (lambda: refitted(RNNRegressor(**NET, solver="nadam", learning_rate="cosine")), fit),
    "one cycle, averaged": (lambda: RNNRegressor(**NET, learning_rate="one_cycle", average=0.7), fit),
    "averaged, X_val": (
        lambda: RNNRegressor(**NET, learning_rate="warmup_cosine", early_stopping=True, average=0.7),
        lambda net: net.fit(X, Y, X_val=X_VAL, y_val=Y_VAL),
    ),
    "warm start, auto, averaged": (
        lambda: refitted(RNNRegressor(**NET, learning_rate="auto", n_iter_no_change="auto", average=1.0)), fit
    ),
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
    "callbacks": (lambda: looked_at(RNNRegressor(**NET)), fit),
    "callbacks, X_val": (
        lambda: looked_at(RNNRegressor(**NET, early_stopping=True)),
        lambda net: net.fit(X, Y, X_val=X_VAL, y_val=Y_VAL),
    ),
    "callbacks, lbfgs": (lambda: looked_at(RNNRegressor(**NET, solver="lbfgs")), fit),
    "texts": (lambda: RNNLanguageModel(**LM), fit_texts),
    "partial_fit, auto, after fit": (
        lambda: fit(RNNRegressor(**NET, learning_rate="auto", n_iter_no_change="auto")).set_params(max_iter="auto"),
        partial_fit,
    ),
    "texts, averaged": (lambda: RNNLanguageModel(**LM, learning_rate="one_cycle", average=0.5), fit_texts),
    "texts, held out": (lambda: RNNLanguageModel(**LM, early_stopping=True), lambda model: model.fit(
        TEXTS, X_val=["abc"])),
    "partial_fit of texts": (lambda: partial_fit_texts(RNNLanguageModel(**LM)), partial_fit_texts),
}
FOLDERS = tuple(str(Path(skrnn.__file__).parent / folder) for folder in ("_training", "_estimators", "_language"))


class InterruptAtLine:
    """Raises KeyboardInterrupt before line number `at` run in some folders, where each counts twice at most.

    Only lines that hold `word` count.
    """

    def __init__(self, at, folders=FOLDERS, word=""):
        self.at, self.folders, self.word, self.n_lines, self.times = at, folders, word, 0, Counter()

    def __enter__(self):
        self.before = sys.gettrace()
        sys.settrace(self.of_call)
        return self

    def __exit__(self, *exception):
        sys.settrace(self.before)

    def of_call(self, frame, event, argument):
        return self.of_line if frame.f_code.co_filename.startswith(self.folders) else None

    def of_line(self, frame, event, argument):
        line = frame.f_code.co_filename, frame.f_lineno
        if event == "line" and self.times[line] < 2 and self.word in linecache.getline(*line):
            self.times[line] += 1
            self.n_lines += 1
            if self.n_lines == self.at:
                raise KeyboardInterrupt
        return self.of_line


def public(estimator):
    """The public attributes that fit sets."""
    return {name: value for name, value in vars(estimator).items() if name.endswith("_")}


def check_whole(net):
    """What is recorded belongs together, predictions and pickles work; and training goes on."""
    assert net.n_iter_ == len(net.loss_curve_) == len(net.penalty_curve_) == len(net.grad_norm_curve_) >= 1
    assert np.isfinite(net.loss_curve_ + net.penalty_curve_).all()
    assert 1 <= net.best_iter_ <= net.n_iter_
    assert net.loss_ == net.loss_curve_[-1]
    assert net.t_ > 0
    if not net.early_stopping:
        assert net.best_loss_ == min(net.loss_curve_)
        assert net.best_iter_ == net.n_iter_
    else:
        known = [score for score in net.validation_scores_ if not np.isnan(score)]
        assert len(known) >= len(net.validation_scores_) - 1
        assert net.best_validation_score_ >= max(known, default=-np.inf) or not known
        np.testing.assert_array_equal(np.isnan(net.validation_loss_curve_), np.isnan(net.validation_scores_))
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


@cache
def made(name):
    """The pickled estimator of a case, which may be fitted, and its hash."""
    net = CASES[name][0]()
    return pickle.dumps(net), joblib.hash(net)


def strike(name, at):
    """Interrupt the training of a case at a line; return the estimator, or None when it came to its end before."""
    pickled, before = made(name)
    net, train = pickle.loads(pickled), CASES[name][1]
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
    lines = np.unique(np.geomspace(60, 3000, 14).astype(int))
    assert list(takewhile(lambda at: strike(name, at) is not None, lines))


@pytest.mark.slow
@pytest.mark.parametrize(("name", "first", "step"), [
    ("adam", 1, 1), ("texts", 1, 2), ("lbfgs", 2, 2), ("X_val", 1, 4), ("scorer", 2, 4), ("averaged, X_val", 3, 4),
    ("warm start, X_val", 4, 4), ("stretches", 1, 4), ("refit", 2, 4), ("partial_fit, adaptive", 3, 4),
    ("partial_fit, auto, after fit", 4, 4),
])
def test_an_interrupt_before_every_line(name, first, step):
    """Every line of one; every second or fourth of those that run much the same, each another one."""
    at = first
    while strike(name, at) is not None:
        at += step
    assert at > 100


def training_state(model):
    """Parameters, and what the optimizer keeps, as bytes."""
    kept = {name: value for name, value in vars(model.optimizer).items() if isinstance(value, np.ndarray)}
    return model.theta.tobytes(), *(kept[name].tobytes() for name in sorted(kept))


@pytest.mark.slow
@pytest.mark.parametrize("solver", OPTIMIZERS)
def test_an_update_is_whole_or_not_at_all(solver, monkeypatch):
    net = RNNRegressor(**NET | {"max_iter": 1}, solver=solver, alpha=0.5, learning_rate_init=0.1)
    update, states, models = loop._update, [], []

    def noted(model, *arguments):
        models[:] = [model]
        states.append(training_state(model))
        return update(model, *arguments)

    monkeypatch.setattr(loop, "_update", noted)
    states.append(training_state(clone(net).fit(X, Y)._fitted.model))
    assert len(set(states)) == 4
    n_lines = InterruptAtLine(0)
    with n_lines:
        clone(net).fit(X, Y)
    for at in range(n_lines.n_lines - 240, n_lines.n_lines, 3):
        try:
            with InterruptAtLine(at):
                clone(net).fit(X, Y)
        except KeyboardInterrupt:
            pass
        assert not models or training_state(models[0]) in states[:4]


class InterruptAtCall:
    """A method that raises KeyboardInterrupt at one of its calls."""

    def __init__(self, monkeypatch, cls, name, at):
        method = getattr(cls, name)
        self.n_calls = 0

        def interrupted(*arguments):
            self.n_calls += 1
            if self.n_calls == at:
                raise KeyboardInterrupt
            return method(*arguments)

        monkeypatch.setattr(cls, name, interrupted)


@pytest.mark.parametrize("at", [1, 3, 4, 7])
def test_as_far_as_it_got(monkeypatch, at):
    """Three batches of 4, 4 and 1 samples are an epoch."""
    net = RNNRegressor(**NET | {"max_iter": 10}, learning_rate="constant")
    InterruptAtCall(monkeypatch, Objective, "gradients", at)
    with pytest.raises(KeyboardInterrupt):
        net.fit(X, Y)
    if at == 1:
        assert not public(net)
        return
    assert (net.n_iter_, net.t_) == {3: (1, 8), 4: (1, 9), 7: (2, 18)}[at]
    check_whole(net)
    if at > 3:
        monkeypatch.undo()
        whole = clone(net).set_params(max_iter=net.n_iter_).fit(X, Y)
        np.testing.assert_array_equal(net._fitted.model.theta, whole._fitted.model.theta)


def test_before_the_first_update_of_a_refit_nothing_changes(monkeypatch):
    net = RNNRegressor(**NET, warm_start=True).fit(X, Y)
    before = pickle.dumps(net)
    for train in (fit, partial_fit):
        InterruptAtCall(monkeypatch, Objective, "gradients", 1)
        with pytest.raises(KeyboardInterrupt):
            train(net)
        assert pickle.dumps(net) == before


@pytest.mark.parametrize("at", [1, 2, 4])
def test_in_the_validation(monkeypatch, at):
    """The epoch before it counts, without a score; the parameters are the best so far."""
    net = RNNRegressor(**NET | {"max_iter": 10}, learning_rate="constant", early_stopping=True, scoring=None)
    InterruptAtCall(monkeypatch, NumberTargets, "score", at)
    with pytest.raises(KeyboardInterrupt):
        net.fit(X, Y, X_val=X_VAL, y_val=Y_VAL)
    assert net.n_iter_ == len(net.validation_scores_) == at
    *scores, last = net.validation_scores_
    assert np.isfinite(scores).all()
    assert np.isnan(last)
    assert (net.best_validation_score_ == max(scores)) if scores else np.isnan(net.best_validation_score_)
    if scores:
        monkeypatch.undo()
        best = clone(net).set_params(max_iter=at - 1).fit(X, Y, X_val=X_VAL, y_val=Y_VAL)
        np.testing.assert_array_equal(net._fitted.model.theta, best._fitted.model.theta)
    check_whole(net)


def test_parameters_that_diverged_are_not_kept(monkeypatch):
    net = RNNRegressor(**NET)
    gradients = Objective.gradients

    def diverging(objective, theta, batch):
        yield from gradients(objective, theta, batch)
        theta[:] = np.nan
        raise KeyboardInterrupt

    monkeypatch.setattr(Objective, "gradients", diverging)
    with pytest.raises(KeyboardInterrupt):
        net.fit(X, Y)
    assert not public(net)


NESTED = {
    "search": lambda net: GridSearchCV(net, {"cell": ["gru", "rnn"]}, cv=2).fit(X, Y),
    "cross-validation": lambda net: cross_val_score(net, X, Y, cv=3),
    "bagging": lambda net: BaggingRegressor(net, 3, random_state=0).fit(X[:, :, 0], Y),
    "pipeline": lambda net: make_pipeline(SequenceScaler(), net).fit(X, Y),
    "scaled targets": lambda net: TransformedTargetRegressor(net).fit(X, Y),
    "several outputs": lambda net: MultiOutputRegressor(net).fit(X[:, :, 0], np.stack([Y, Y], axis=1)),
}


@pytest.mark.parametrize("name", NESTED)
@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
def test_goes_through_what_is_around(monkeypatch, name, solver):
    method = ("__call__", 5) if solver == "lbfgs" else ("gradients", 5)
    interrupt = InterruptAtCall(monkeypatch, Objective, *method)
    with pytest.raises(KeyboardInterrupt):
        NESTED[name](RNNRegressor(**NET | {"max_iter": 10}, solver=solver))
    assert interrupt.n_calls == 5


@pytest.mark.parametrize("where", ["skrnn", "threadpoolctl"])
def test_the_threads_of_the_blas_are_restored(where):
    folders = {"skrnn": FOLDERS, "threadpoolctl": (threadpoolctl.__file__,)}[where]
    before = threadpool_info()
    for at in range(5, 800, 67):
        net = RNNRegressor(**NET, solver="lbfgs")
        try:
            with InterruptAtLine(at, folders):
                net.fit(X, Y)
        except KeyboardInterrupt:
            pass
        assert threadpool_info() == before
        assert sklearn.get_config() == CONFIG


def settings():
    """What calls change of the process for a while."""
    return sklearn.get_config(), np.geterr(), threadpool_info()


LOOKS = {
    "predict": lambda net: net.predict(X.astype(np.float32)),
    "score": lambda net: net.score(X.astype(np.float32), Y, np.ones(9)),
    "stream": lambda net: net.predict_step(X[0, 0], net.initial_state().tolist()),
    "counts": lambda net: net.set_params(loss="poisson").fit(X, Y**2).predict(X),
    "categories": lambda net: net.set_params(embedding_dim=2).fit(X[..., :1] > 0, Y).predict(X[..., :1] > 0),
    "scaler": lambda net: SequenceScaler().fit_transform(X),
    "quartiles": lambda net: SequenceScaler("robust").fit_transform(X),
    "imputer": lambda net: SequenceImputer("mean").fit_transform(np.where(X > 1, np.nan, X)),
    "windows": lambda net: SlidingWindow(2, context=True).fit(X[0]).transform(X[1]),
    "refit": lambda net: net.fit(X, Y),
}


@pytest.mark.parametrize("name", LOOKS)
@pytest.mark.parametrize("word", ["with ", "set_config(", "yield", "finally"])
def test_settings_are_restored(name, word):
    """Also where the end of a with statement is interrupted, which then restores nothing."""
    folders, before, at, interrupted = (str(Path(skrnn.__file__).parent),), settings(), 1, True
    if name != "score":     # whose metric is scikit-learn's
        folders = (*folders, str(Path(sklearn.__file__).parent / "_config"))
    while interrupted:
        net = RNNRegressor(2, max_iter=1, early_stopping=True, validation_fraction=0.3, random_state=0)
        interrupted = False
        if name in ("predict", "score", "stream"):
            net.fit(X, Y)
        try:
            with InterruptAtLine(at, folders, word):
                LOOKS[name](net)
        except KeyboardInterrupt:
            interrupted = True
        assert settings() == before, at
        at += 1


SIGNALLED = """
import os, signal, sys, threading, time
import numpy as np
from skrnn import RNNRegressor
X = np.random.default_rng(0).normal(size=(400, 60, 4))
y = X[:, :, 0].sum(axis=1)
net = RNNRegressor(32, solver=sys.argv[1], max_iter=100_000, tol=0, n_iter_no_change=10**6, random_state=0)
signal.signal(signal.SIGINT, signal.default_int_handler)      # which jobs in the background ignore
threading.Timer(1.0, os.kill, (os.getpid(), signal.SIGINT)).start()
try:
    net.fit(X, y)
    sys.exit("it came to an end")
except KeyboardInterrupt:
    pass
assert np.isfinite(net.predict(X)).all() and np.isfinite(net.loss_)
assert len(net.loss_curve_) == len(net.grad_norm_curve_) == net.n_iter_ >= 1
net.set_params(max_iter=1).fit(X, y)
"""


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(signal, "SIGINT") or sys.platform == "win32", reason="sends signals")
@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
def test_a_signal(solver):
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", SIGNALLED, solver], capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr


TRANSFORMERS = {
    "scaler": (SequenceScaler, lambda scaler, k: scaler.fit(X * k)),
    "scaler, more": (SequenceScaler, lambda scaler, k: scaler.partial_fit(X * k)),
    "scaler, callbacks": (lambda: looked_at(SequenceScaler()), lambda scaler, k: scaler.fit(X * k)),
    "imputer": (SequenceImputer, lambda imputer, k: imputer.fit(X * k)),
    "vectorizer": (SequenceVectorizer, lambda vectorizer, k: vectorizer.fit(["a b", "c d e"][:k])),
    "windows": (lambda: SlidingWindow(2, context=True), lambda window, k: window.fit(k * X[0])),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", TRANSFORMERS)
def test_a_transformer_is_as_before_or_fitted(name):
    make, train = TRANSFORMERS[name]
    before = make()
    train(before, 1)
    after = pickle.loads(pickle.dumps(before))
    train(after, 2)
    whole, at = {joblib.hash(before), joblib.hash(after)}, 1
    folders, interrupted = (str(Path(skrnn.__file__).parent),), True
    while interrupted:
        transformer = pickle.loads(pickle.dumps(before))
        interrupted = False
        try:
            with InterruptAtLine(at, folders):
                train(transformer, 2)
        except KeyboardInterrupt:
            interrupted = True
        assert joblib.hash(transformer) in whole
        at += 1
