"""What pickles hold: public paths, and the version of skrnn that wrote them."""

import copy
import importlib
import pickle
import warnings

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.exceptions import InconsistentVersionWarning

import skrnn
from skrnn import RaggedArray, RNNClassifier, RNNLanguageModel, RNNRegressor, _pickling
from skrnn.preprocessing import SequenceImputer, SequenceScaler, SequenceVectorizer, SlidingWindow

PUBLIC = [
    (package, name)
    for package in ("skrnn", "skrnn.preprocessing", "skrnn.datasets")
    for name in importlib.import_module(package).__all__ if name != "__version__"
]
X = np.random.default_rng(0).normal(size=(6, 4))
TEXTS = ["a b", "b c", "a"]
FITTED = {
    "SequenceScaler": lambda: SequenceScaler().fit(X),
    "SequenceImputer": lambda: SequenceImputer().fit(X),
    "SequenceVectorizer": lambda: SequenceVectorizer().fit(TEXTS),
    "SlidingWindow": lambda: SlidingWindow(2, context=True).fit(X),
    "RNNClassifier": lambda: RNNClassifier(2, tol=1e9).fit(X, np.arange(6) % 2),
    "RNNRegressor": lambda: RNNRegressor(2, max_iter=1).fit(X, X[:, 0]),
    "RNNLanguageModel": lambda: RNNLanguageModel(2, max_iter=1).fit(TEXTS),
}


@pytest.mark.parametrize(("package", "name"), PUBLIC)
def test_public_objects_name_their_public_home(package, name):
    public = getattr(importlib.import_module(package), name)
    assert (public.__module__, public.__qualname__) == (package, name)
    pickled = pickle.dumps(public)
    assert b"skrnn._" not in pickled
    assert pickle.loads(pickled) is public


def test_instances_name_the_public_home_of_their_class():
    ragged = RaggedArray(np.arange(3.0), [1, 2])
    pickled = pickle.dumps(ragged)
    assert b"skrnn._" not in pickled
    np.testing.assert_array_equal(pickle.loads(pickled).values, ragged.values)
    for estimator in (SequenceScaler(), SlidingWindow(3), RNNClassifier(4)):
        assert b"skrnn._" not in pickle.dumps(estimator)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("name", FITTED)
class TestVersions:
    def test_of_this_version(self, name):
        fitted = FITTED[name]()
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            for read in (pickle.loads(pickle.dumps(fitted)), copy.copy(fitted), copy.deepcopy(fitted)):
                assert vars(read).keys() == vars(fitted).keys()
                assert read.get_params() == fitted.get_params()
            clone(fitted)
        assert skrnn.__version__.encode() in pickle.dumps(fitted)

    def test_of_another_version(self, name, monkeypatch):
        fitted = FITTED[name]()
        monkeypatch.setattr(_pickling, "__version__", "0.0.7")
        pickled = pickle.dumps(fitted)
        monkeypatch.undo()
        with pytest.warns(InconsistentVersionWarning, match=f"{name} was pickled by skrnn 0.0.7") as record:
            read = pickle.loads(pickled)
        assert vars(read).keys() == vars(fitted).keys()
        assert record[0].message.estimator_name == name
        assert record[0].message.original_version == "0.0.7"
        assert record[0].message.current_version == skrnn.__version__

    def test_without_a_version(self, name):
        fitted = FITTED[name]()
        read = type(fitted)()
        with pytest.warns(InconsistentVersionWarning, match=f"{name} was pickled by an unknown version of skrnn"):
            read.__setstate__(vars(fitted))
        assert vars(read) == vars(fitted)


def test_a_pipeline_warns_of_each_of_its_estimators(monkeypatch):
    from sklearn.pipeline import make_pipeline

    pipeline = make_pipeline(SequenceScaler(), RNNRegressor(2))
    monkeypatch.setattr(_pickling, "__version__", "9")
    pickled = pickle.dumps(pipeline)
    monkeypatch.undo()
    with pytest.warns(InconsistentVersionWarning) as record:
        pickle.loads(pickled)
    assert [warning.message.estimator_name for warning in record] == ["SequenceScaler", "RNNRegressor"]


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_calls_of_a_net_do_not_change_its_pickle():
    X = np.random.default_rng(0).normal(size=(9, 4, 2))
    net = RNNRegressor(3, max_iter=1, random_state=0).fit(X, X[:, 0, 0])
    before = pickle.dumps(net)
    net.predict_step(X[0, 0], net.initial_state())
    net.predict(X, return_state=True)
    assert pickle.dumps(net) == before
    assert vars(pickle.loads(before)).keys() == vars(net).keys()
    assert {name for name in vars(net) if name.startswith("_")} == {"_fitted"}
