"""One fitted object: methods read it once, no fit in another thread comes between, and looking changes nothing."""

import pickle
import sys
import threading
from copy import deepcopy

import joblib
import numpy as np
import pytest
from sklearn.base import clone
from sklearn.utils import estimator_html_repr

from skrnn import RNNClassifier, RNNLanguageModel, RNNRegressor
from skrnn.preprocessing import SequenceImputer, SequenceScaler, SequenceVectorizer, SlidingWindow

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

RNG = np.random.default_rng(0)
X = RNG.normal(size=(8, 3, 2))
Y = np.arange(8) % 3
GAPS = np.where(RNG.random(X.shape) < 0.2, np.nan, X)
IDS = RNG.integers(4, size=(8, 3, 1)).astype(float)
TEXTS = ["abcab", "bca", "cab"]
INDICATORS = np.array([[0, 1], [1, 1], [1, 0], [0, 0]] * 2)
NET = {"hidden_size": 2, "max_iter": 1, "random_state": 0}


def labels_of_steps(net):
    return net.fit(X, Y[:, None].repeat(3, axis=1))


FITTED = {
    "classifier": lambda: RNNClassifier(**NET).fit(X, Y),
    "table": lambda: RNNClassifier(**NET, n_steps=3).fit(X.reshape(8, 6), Y),
    "steps": lambda: labels_of_steps(RNNClassifier(**NET, return_sequences=True)),
    "two classes": lambda: RNNClassifier(**NET, cell="gru", pooling="mean").fit(X, Y > 0),
    "multilabel": lambda: RNNClassifier(**NET, pooling="max").fit(X, INDICATORS),
    "partial_fit": lambda: RNNClassifier(**NET).partial_fit(X, Y, classes=[0, 1, 2]),
    "regressor": lambda: RNNRegressor(**NET, early_stopping=True, validation_fraction=0.4).fit(X, Y),
    "outputs": lambda: RNNRegressor(**NET, bidirectional=True).fit(X, np.stack([Y, Y], axis=1)),
    "lbfgs": lambda: RNNRegressor(**NET, solver="lbfgs", cell="rnn").fit(X, Y),
    "missing": lambda: RNNRegressor(**NET, missing="indicator").fit(GAPS, Y),
    "categories": lambda: RNNRegressor(**NET, embedding_dim=2).fit(IDS, Y),
    "texts": lambda: RNNLanguageModel(2, max_iter=1, n_streams=2, random_state=0).fit(TEXTS),
    "texts, partial_fit": lambda: RNNLanguageModel(2, n_streams=2, random_state=0).partial_fit(TEXTS, symbols="abcd"),
    "scaler": lambda: SequenceScaler().fit(X),
    "scaler, partial_fit": lambda: SequenceScaler("minmax").partial_fit(X).partial_fit(X),
    "scaler of a table": lambda: SequenceScaler(n_steps=3).set_output(transform="pandas").fit(X.reshape(8, 6)),
    "imputer": lambda: SequenceImputer(add_indicator=True).fit(GAPS),
    "windows": lambda: SlidingWindow(2).fit(X[0]),
    "windows with context": lambda: SlidingWindow(2, context=True).fit(X[0]),
    "vectorizer": lambda: SequenceVectorizer().fit(["a b", "b c"]),
}


def data_of(name):
    """X of some fitted estimator, and y."""
    if "texts" in name:
        return TEXTS, None
    if name == "vectorizer":
        return ["b a", "d"], None
    if "windows" in name:
        return X[0], None
    X_of = {"missing": GAPS, "imputer": GAPS, "categories": IDS, "table": X.reshape(8, 6)}.get(name, X)
    if "table" in name:
        X_of = X.reshape(8, 6)
    y = {"steps": Y[:, None].repeat(3, axis=1), "two classes": Y > 0, "outputs": np.stack([Y, Y], axis=1),
         "multilabel": INDICATORS}.get(name, Y)
    return X_of, y


def methods_of(estimator, name):
    """Every public method that does not fit, with its arguments."""
    X_of, y = data_of(name)
    one_direction = not getattr(estimator, "bidirectional", False)
    calls = {
        "get_feature_names_out": (), "transform": (X_of,), "predict": (X_of,), "predict_proba": (X_of,),
        "predict_log_proba": (X_of,), "score": (X_of, y), "score_samples": (X_of,), "perplexity": (X_of,),
        "bits_per_token": (X_of,), "symbol_log_likelihoods": ("abd",), "generate": (5, "ab"),
        "__sklearn_is_fitted__": (), "__repr__": (), "get_params": (), "__sklearn_tags__": (),
    }
    if hasattr(estimator, "predict_step") and one_direction:
        state = estimator.initial_state()
        step = np.asarray(X_of)[0].reshape(3, -1)[0]
        calls |= {"initial_state": (2,), "predict_step": (step, state), "predict_proba_step": (step, state)}
    if "scaler" in name:
        calls["inverse_transform"] = (estimator.transform(X_of),)
    if name == "vectorizer":
        calls["inverse_transform"] = (estimator.transform(X_of),)
    return {method: arguments for method, arguments in calls.items() if hasattr(estimator, method)}


HISTORIES = {
    "fitted": lambda fitted: fitted, "unpickled": lambda fitted: pickle.loads(pickle.dumps(fitted)),
    "copied": deepcopy,
}


@pytest.mark.parametrize("history", HISTORIES)
@pytest.mark.parametrize("name", FITTED)
def test_looking_changes_nothing(name, history):
    estimator = HISTORIES[history](FITTED[name]())
    state = {attribute: joblib.hash(value) for attribute, value in vars(estimator).items()}
    before, hashed = pickle.dumps(estimator), joblib.hash(estimator)
    for method, arguments in methods_of(estimator, name).items():
        getattr(estimator, method)(*arguments)
        assert pickle.dumps(estimator) == before, method
        assert joblib.hash(estimator) == hashed, method
    estimator_html_repr(estimator)
    clone(estimator)
    if hasattr(estimator, "predict") and not getattr(estimator, "bidirectional", False):
        estimator.predict(data_of(name)[0], return_state=True)
    if hasattr(estimator, "parameters_"):
        estimator.parameters_["head.V"].sum()
    assert pickle.dumps(estimator) == before
    assert {attribute: joblib.hash(value) for attribute, value in vars(estimator).items()} == state


@pytest.mark.parametrize("name", FITTED)
def test_methods_read_what_is_fitted_once(name):
    """And no public attribute: all that they use is of one fit."""
    fitted, reads = FITTED[name](), []

    class Watched(type(fitted)):
        def __getattribute__(self, attribute):
            if self is watched and (attribute == "_fitted" or (attribute[:1] != "_" and attribute.endswith("_"))):
                reads.append(attribute)
            return super().__getattribute__(attribute)

    watched = Watched.__new__(Watched)
    calls = methods_of(fitted, name)
    if hasattr(fitted, "predict"):
        del calls["get_feature_names_out"]          # scikit-learn's own: it reads one number, after a check
    vars(watched).update(vars(fitted))
    for method, arguments in calls.items():
        reads.clear()
        getattr(watched, method)(*arguments)
        if not method.startswith("__") and method != "get_params":
            assert reads == ["_fitted"] or "names_out" in method, (method, reads)


@pytest.mark.parametrize("context", [False, True])
def test_a_transformer_reads_its_parameters_once(context):
    """And once more to check them: another thread may set others at any time."""
    fitted, reads = SlidingWindow(2, context=context).fit(X[0]), []

    class Watched(SlidingWindow):
        def __getattribute__(self, attribute):
            reads.append(attribute)
            return super().__getattribute__(attribute)

    watched = Watched.__new__(Watched)
    vars(watched).update(vars(fitted))
    for method, arguments in {"transform": (X[1],), "fit": (X[0],), "get_feature_names_out": ()}.items():
        reads.clear()
        getattr(watched, method)(*arguments)
        assert all(reads.count(name) <= 2 for name in ("window", "group", "context")), method


def check_readers(read, fit, expected, n_fits=40):
    """What two threads read while a third one fits, now one thing, now the other, is one of the expected results."""
    errors, stop = [], threading.Event()

    def reader():
        try:
            while not stop.is_set():
                assert pickle.dumps(read()) in expected
        except BaseException as error:
            errors.append(error)

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    threads = [threading.Thread(target=reader) for _ in range(2)]
    for thread in threads:
        thread.start()
    try:
        for k in range(n_fits):
            fit(k % 2)
            if errors:
                break
    finally:
        stop.set()
        for thread in threads:
            thread.join()
        sys.setswitchinterval(interval)
    if errors:
        raise errors[0]


LABELS = [np.array(["a", "b", "c"])[Y], np.array(["x", "y"])[Y % 2]]
SCALES = [X, 100 * X + 3]
READERS = {
    "predict": (lambda: RNNClassifier(**NET), lambda net, k: net.fit(X, LABELS[k]), lambda net: net.predict(X)),
    "predict_proba": (
        lambda: RNNClassifier(**NET), lambda net, k: net.fit(X, LABELS[k]), lambda net: net.predict_proba(X)
    ),
    "score": (
        lambda: RNNRegressor(**NET), lambda net, k: net.fit(SCALES[k], 100 * Y + k), lambda net: net.score(X, Y)
    ),
    "n_steps": (
        lambda: RNNRegressor(**NET), lambda net, k: net.set_params(n_steps=k + 2).fit(X.reshape(8, 6), Y),
        lambda net: net.predict(X.reshape(8, 6)),
    ),
    "steps": (
        lambda: RNNRegressor(**NET),
        lambda net, k: net.set_params(return_sequences=bool(k)).fit(X, X[..., 0] if k else Y),
        lambda net: net.predict(X),
    ),
    "predict_step": (
        lambda: RNNClassifier(**NET, cell="lstm", pooling="last"), lambda net, k: net.fit(X, LABELS[k]),
        lambda net: net.predict_step(X[:, 0], np.ones((8, 4))),
    ),
    "partial_fit": (
        lambda: RNNRegressor(**NET | {"max_iter": 3}, batch_size=2, learning_rate_init=1.0),
        lambda net, k: net.partial_fit(X, Y) if k else net.fit(X, Y), lambda net: net.predict(X),
    ),
    "texts": (
        lambda: RNNLanguageModel(2, max_iter=1, random_state=0),
        lambda model, k: model.fit(["abab", "bcab"] if k else ["xyz"]), lambda model: model.score_samples(["ab"]),
    ),
    "scaler": (SequenceScaler, lambda scaler, k: scaler.fit(SCALES[k]), lambda scaler: scaler.transform(X)),
    "imputer": (
        SequenceImputer,
        lambda imputer, k: imputer.set_params(add_indicator=bool(k)).fit(GAPS), lambda imputer: imputer.transform(GAPS),
    ),
    "vectorizer": (
        SequenceVectorizer, lambda vectorizer, k: vectorizer.fit(["a b", "b c d"][: k + 1]),
        lambda vectorizer: vectorizer.inverse_transform([[0, 1]]),
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", READERS)
def test_a_fit_under_the_feet_of_a_reader(name):
    make, fit, read = READERS[name]
    estimator, expected = make(), []
    for k in (0, 1):
        fit(estimator, k)
        expected.append(pickle.dumps(read(estimator)))
    check_readers(lambda: read(estimator), lambda k: fit(estimator, k), expected)
