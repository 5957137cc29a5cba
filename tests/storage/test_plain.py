"""The registry of what can be stored: all that a fitted estimator may hold, and no more."""

import importlib
import inspect
import pickle
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pytest
from same import assert_same
from sklearn.base import BaseEstimator

import skrnn
from skrnn import _plain
from skrnn._data.units import Units
from skrnn._estimators.scorers import ScoredFitted
from skrnn._plain import NAMES, REGISTRY, PlainDataError, from_plain, plain, to_plain
from skrnn._training.losses import LOSSES
from skrnn._training.optimizers import OPTIMIZERS
from skrnn._training.schedules import SCHEDULES
from skrnn.preprocessing import SequenceVectorizer
from skrnn.preprocessing._statistics import STATISTICS


@pytest.fixture
def registry(monkeypatch):
    """A registry that forgets what a test registers."""
    monkeypatch.setattr(_plain, "REGISTRY", dict(REGISTRY))
    monkeypatch.setattr(_plain, "NAMES", dict(NAMES))


ESTIMATORS = [
    value
    for module in ("skrnn", "skrnn.preprocessing", "skrnn.forecasting")
    for value in vars(importlib.import_module(module)).values()
    if inspect.isclass(value) and issubclass(value, BaseEstimator) and value.__module__.startswith("skrnn")
]


@pytest.mark.parametrize(
    "cls", [*LOSSES.values(), *OPTIMIZERS.values(), *SCHEDULES.values(), *STATISTICS.values(), *ESTIMATORS],
    ids=lambda cls: cls.__name__,
)
def test_everything_in_a_table_can_be_stored(cls):
    assert cls in NAMES, f"register {cls.__name__} with @plain, or an estimator with @stored_estimator"


def test_estimators_are_found():
    assert {skrnn.RNNClassifier, skrnn.RNNLanguageModel, skrnn.preprocessing.SlidingWindow} <= set(ESTIMATORS)


def test_a_class_that_was_forgotten_is_named():
    forgotten = type("Forgotten", (), {"__module__": "skrnn._training.model"})
    with pytest.raises(TypeError, match=r"_fitted.a\[1\] is a Forgotten, .* register it with @plain"):
        to_plain({"a": [1, forgotten()]}["a"], "_fitted.a")


def test_a_name_is_registered_once(registry):
    with pytest.raises(ValueError, match="have the same name"):
        plain(type("Units", (), {}), center=int)


class TestOneLineIsEnough:
    def test_for_a_dataclass(self, registry):
        @plain
        @dataclass(frozen=True)
        class New:
            a: int
            b: tuple[str, ...] = ()

        data = to_plain(New(1, ("x",)))
        assert data == {"class": "New", "a": 1, "b": ("x",)}
        assert from_plain(data) == New(1, ("x",))
        assert from_plain({"class": "New", "a": 1}) == New(1)       # as an earlier version has written it

    def test_for_a_named_tuple(self, registry):
        @plain
        class New(NamedTuple):
            a: float | None
            b: int = 3

        assert from_plain(to_plain(New(None))) == New(None)

    def test_for_another_class(self, registry):
        @plain(n=int)
        class New:
            def __init__(self, n):
                self.n, self.cache = n, object()

        assert from_plain(to_plain(New(4))).n == 4

    def test_for_one_that_stands_for_another(self):
        assert NAMES[ScoredFitted] == "Fitted"


@pytest.mark.parametrize("value", [
    None, True, 3, 2**70, 1.5, "é", [1, [2.0, None]], (1, ("a",)), {"a": {"b": 1}}, {}, {1: "a", (2, "b"): None},
    {"class": "Units"}, {"class": 3, "keys": []}, np.arange(3), np.array([["a", None], [1, (2.5,)]], dtype=object),
    np.array(["a", "bc"]), np.float32(0.1), np.int64(3), np.str_("x"), np.array([], dtype=object),
    Units(np.zeros(2), np.ones(2)), [Units(np.zeros(1), np.ones(1))],
], ids=repr)
def test_there_and_back(value):
    assert_same(from_plain(to_plain(value)), value)


def test_what_is_in_two_places_is_pickled_once():
    """Vocabularies and histories are long, and public attributes have them beside what `fit` has learned."""
    vectorizer = SequenceVectorizer().fit([" ".join(f"word{i}" for i in range(100))])
    read = pickle.loads(pickle.dumps(vectorizer))
    assert read.vocabulary_ == vectorizer.vocabulary_
    assert read.vocabulary_ is read._fitted.vocabulary_


def test_what_is_of_other_packages_stays_as_it_is():
    assert from_plain(to_plain([str.split, skrnn.RaggedArray]))[:1] == [str.split]


UNITS = {"class": "Units", "center": np.zeros(1), "scale": np.ones(1)}


@pytest.mark.parametrize(("data", "message"), [
    ({"class": "os.system"}, "it is of the class 'os.system', which this version of skrnn does not know"),
    ({"class": ["Units"]}, "class that has no name"),
    ([{"class": "Units"}], r"it\[0\] lacks \['center', 'scale'\]"),
    (UNITS | {"more": 1}, r"it has \['more'\], which nothing is known of"),
    ({"a": UNITS | {"scale": [1.0]}}, "it.a.scale is a list, expected ndarray"),
    ({"class": "Constant", "initial": "fast"}, "it.initial is a str, expected float"),
    ({"class": "Constant", "initial": True}, "it.initial is a bool, expected float"),
    ({"class": "Embedding", "name": "a", "n_categories": 2.5, "dim": 1}, "n_categories is a float, expected int"),
    ({"class": "Vocabulary", "symbols": [[]]}, "it cannot be made: "),
    ({"class": "dict", "keys": [1, 1], "values": [2, 3]}, "it cannot be made: a key repeats"),
    ({"class": "dict", "keys": [1], "values": []}, "it cannot be made"),
    ({"class": "objects", "shape": [2], "items": [1]}, r"1 objects are no array of shape \[2\]"),
    ({"class": "objects", "shape": [-1], "items": []}, "are no array"),
])
def test_what_cannot_be_made(data, message):
    with pytest.raises(PlainDataError, match=message):
        from_plain(data, "it")


def test_what_goes_too_deep():
    data = []
    for _ in range(100):
        data = [data]
    with pytest.raises(PlainDataError, match="lies in more than 64 others"):
        from_plain(data, "it")
