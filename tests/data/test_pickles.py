"""What pickles hold: public paths, and the version of skrnn that wrote them."""

import copy
import importlib
import pickle
import warnings

import numpy as np
import pytest
from same import assert_same
from sklearn.base import clone
from sklearn.exceptions import InconsistentVersionWarning

import skrnn
from skrnn import RaggedArray, RNNClassifier, RNNLanguageModel, RNNOutlierDetector, RNNRegressor, _pickling
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
    "RNNOutlierDetector": lambda: RNNOutlierDetector(2, max_iter=1).fit(X),
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
            read.__setstate__(vars(fitted))     # with the objects themselves, as pickles had them once
        assert vars(read) == vars(fitted)

    def test_holds_plain_data(self, name):
        """Of the package nothing but the class of the estimator."""
        fitted = FITTED[name]()
        pickled = pickle.dumps(fitted, protocol=0)
        assert b"skrnn._" not in pickled
        assert pickled.count(b"cskrnn\n") + pickled.count(b"cskrnn.preprocessing\n") == 1
        assert_same(pickle.loads(pickled), fitted)

    def test_copies_and_fits_do_not_go_through_it(self, name, monkeypatch):
        fitted = FITTED[name]()
        monkeypatch.delattr(_pickling, "to_plain")
        for made in (copy.copy(fitted), copy.deepcopy(fitted)):
            assert_same(made, fitted)
        clone(fitted)
        FITTED[name]()
        with pytest.raises(NameError):
            pickle.dumps(fitted)


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


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("factor", [1e-200, 1e200])
def test_of_a_net_with_units_beyond_float32(factor, tmp_path):
    table = X * factor
    net = RNNRegressor(2, max_iter=1).fit(table, X[:, 0])
    skrnn.save(net, tmp_path / "net.skrnn")
    for read in (pickle.loads(pickle.dumps(net)), skrnn.load(tmp_path / "net.skrnn")):
        np.testing.assert_array_equal(read.predict(table), net.predict(table))


class Own(RNNRegressor):
    """A subclass with an attribute and a parameter of its own."""

    def __init__(self, hidden_size=2, *, note=None, scoring=None, max_iter=1):
        super().__init__(hidden_size, scoring=scoring, max_iter=max_iter)
        self.note = note


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_of_a_subclass_with_parameters_that_are_no_plain_data():
    net = Own(note=[str.split, {"a": RaggedArray(np.arange(3.0), [1, 2])}]).fit(X, X[:, 0])
    net.own = {1: (2, 3)}
    read = pickle.loads(pickle.dumps(net))
    assert read.note[0] is str.split
    assert read.note[1]["a"].lengths.tolist() == [1, 2]
    assert read.own == {1: (2, 3)}
    np.testing.assert_array_equal(read.predict(X), net.predict(X))


def of_a_pickle(estimator, X, y):
    """A scorer that sends the net elsewhere."""
    read, X_read = pickle.loads(pickle.dumps((estimator, X)))
    np.testing.assert_array_equal(read.predict(X_read), estimator.predict(X))
    np.testing.assert_array_equal(read.predict(X[:1]), estimator.predict(X[:1]))
    return 0.0


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_while_training_goes_on():
    net = RNNRegressor(2, max_iter=2, early_stopping=True, validation_fraction=0.5, scoring=of_a_pickle, random_state=0)
    assert net.fit(X, X[:, 0]).validation_scores_ == [0.0, 0.0]


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_skops_has_one_type_to_trust():
    skops = pytest.importorskip("skops.io")
    for name, fit in FITTED.items():
        fitted = fit()
        dumped = skops.dumps(fitted)
        trusted = skops.get_untrusted_types(data=dumped)
        assert trusted == [f"{type(fitted).__module__}.{name}"]
        assert_same(skops.loads(dumped, trusted=trusted), fitted)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_a_shared_generator_stays_shared():
    net = RNNRegressor(2, max_iter=1, random_state=np.random.RandomState(3)).fit(X, X[:, 0])
    read = pickle.loads(pickle.dumps(net))
    assert read.random_state is read._fitted.model.random_state


def test_one_that_is_damaged_says_so():
    state = RNNRegressor(2).__getstate__() | {"_fitted": {"class": "Fitted", "model": 1}}
    with pytest.raises(ValueError, match=r"_fitted lacks \['reading'\]"):
        RNNRegressor().__setstate__(state)
