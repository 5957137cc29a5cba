"""Collections of sequences on their way to other processes: few arrays, which say how large they are."""

import copy
import pickle
import sys

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from forms import FORMS, as_object_array, ragged, shuffled

from skrnn import RaggedArray, RNNClassifier, WithStatic
from skrnn._data.transport import joined, n_bytes, separated
from skrnn.inspection._exchangeable import exchangeable
from tests.helpers.same import assert_same

N = 300     # more sequences than there are to measure


def many(n_features=2, dtype=np.float64):
    rng = np.random.default_rng(0)
    return [rng.normal(size=(length, n_features)).astype(dtype) for length in rng.integers(1, 5, N)]


def sent(value):
    """What another process gets, and in how many arrays."""
    buffers = []
    text = pickle.dumps(value, protocol=5, buffer_callback=buffers.append)
    assert len(text) < 5000
    return pickle.loads(text, buffers=buffers), len(buffers)


COLLECTIONS = {
    "list": lambda: many(),
    "tuple": lambda: tuple(many()),
    "array": lambda: as_object_array(many()),
    "flat": lambda: [x[:, 0] for x in many()],
    "single precision": lambda: many(dtype=np.float32),
    "integers": lambda: many(dtype=np.int16),
    "one": lambda: many()[:1],
    "columns first": lambda: [np.asfortranarray(x) for x in many()],
}
OTHERS = {
    "empty": lambda: [],
    "lists": lambda: [x.tolist() for x in many()],
    "several dtypes": lambda: [many()[0], many(dtype=np.float32)[1]],
    "several widths": lambda: [many(1)[0], many(2)[0]],
    "3-D": lambda: [np.zeros((1, 2, 3))],
    "objects": lambda: [x.astype(object) for x in many()[:2]],
    "other byte order": lambda: [x.astype(">f8") for x in many()[:2]],
    "masked": lambda: [np.ma.masked_invalid(x) for x in many()[:2]],
    "numbers": lambda: [1.0, 2.0],
    "2-D array": lambda: np.zeros((2, 3)),
    "3-D array of objects": lambda: np.zeros((2, 3, 1), object),
    "frames": lambda: [pd.DataFrame(x) for x in many()[:2]],
    "None": lambda: None,
}


class InUnits(RaggedArray):
    def __init__(self, unit, X):
        super().__init__(X.values, X.lengths, X.starts, X.feature_names)
        self.unit = unit


class TestRaggedArray:
    @pytest.mark.parametrize(("change", "n_arrays"), [
        (lambda X: X, 2),
        (lambda X: X[10:20], 2),
        (lambda X: X[[3, 200]], 2),
        (lambda X: X[::-1], 3),
        (lambda X: RaggedArray(X.values, np.full(50, 9), np.arange(50)), 3),
        (lambda X: RaggedArray(X.values[:, 0].copy(), X.lengths, feature_names=["a"]), 2),
    ])
    def test_is_few_arrays(self, change, n_arrays):
        X = change(RaggedArray.from_list(many()))
        again, n = sent(X)
        assert n == n_arrays
        assert_same(again, X)

    def test_of_a_part_holds_this_part(self):
        X = RaggedArray.from_list(many())
        assert len(pickle.dumps(X[:10])) < len(pickle.dumps(X)) / 10

    def test_is_copied(self):
        X = shuffled()
        assert_same(copy.deepcopy(X), X)
        assert copy.copy(X).values is X.values

    @pytest.mark.parametrize("way", [sent, copy.copy, copy.deepcopy], ids=lambda way: way.__name__)
    def test_of_a_class_of_its_own_keeps_what_this_knows(self, way):
        X = InUnits("mV", RaggedArray.from_list(many()))
        again = way(X)[0] if way is sent else way(X)
        assert (type(again), again.unit) == (InUnits, "mV")
        assert_same(list(again), list(X))

    def test_pickled_by_attributes(self):
        """As by versions before."""
        X = shuffled()
        again = RaggedArray.__new__(RaggedArray)
        vars(again).update(vars(X))
        assert_same(pickle.loads(pickle.dumps(again)), X)

    def test_says_its_size(self):
        X = RaggedArray.from_list(many())
        assert X.values.nbytes + 16 * N < sys.getsizeof(X) < X.values.nbytes + 16 * N + 200


class TestWithStatic:
    @pytest.mark.parametrize("collection", COLLECTIONS)
    def test_lists_are_few_arrays_and_arrive_as_lists(self, collection):
        sequences = COLLECTIONS[collection]()
        X = WithStatic(sequences, np.zeros(len(sequences)), ["age"])
        again, n = sent(X)
        assert n <= 3
        assert_same(again, X)
        assert X.sequences is sequences

    @pytest.mark.parametrize("form", FORMS)
    def test_any_form_arrives_as_it_was(self, form):
        sequences, _, _ = FORMS[form]()
        again = pickle.loads(pickle.dumps(WithStatic(sequences, np.zeros(len(sequences)))))
        assert type(again.sequences) is type(sequences)
        assert len(again) == len(sequences)

    def test_pickled_by_attributes(self):
        """As by versions before."""
        X, again = WithStatic(ragged(), np.zeros(4)), WithStatic.__new__(WithStatic)
        again.__setstate__(dict(vars(X)))
        assert_same(again, X)

    @pytest.mark.parametrize("sequences", [many, lambda: RaggedArray.from_list(many())])
    def test_says_its_size(self, sequences):
        X = WithStatic(sequences(), np.zeros(N))
        n_bytes = sum(x.nbytes for x in many()) + 8 * N
        assert n_bytes < sys.getsizeof(X) < 1.5 * n_bytes + 120 * N


@pytest.mark.parametrize("collection", COLLECTIONS)
def test_arrays_of_one_kind_are_joined(collection):
    items = COLLECTIONS[collection]()
    together, container = joined(items)
    assert isinstance(together, RaggedArray)
    assert_same(separated(together, container), items)


@pytest.mark.parametrize("others", OTHERS)
def test_anything_else_stays_as_it_is(others):
    items = OTHERS[others]()
    same, container = joined(items)
    assert same is items
    assert separated(same, container) is items


@pytest.mark.parametrize(("values", "low", "high"), [
    (np.zeros((50, 2)), 800, 800),
    ([np.zeros(10)] * 1000, 80_000, 90_000),
    ([np.zeros(10)] * 150, 12_000, 14_000),
    (as_object_array([np.zeros(10)] * 150), 12_000, 14_000),
    ([[0.0] * 10] * 1000, 10 * 8 * 1000, 10 * 50 * 1000),
    ([], 0, 100),
    (pd.DataFrame({"a": np.zeros(1000)}), 8000, 9000),
    (pl.DataFrame({"a": np.zeros(1000)}), 8000, 9000),
    (pl.Series(np.zeros(1000)), 8000, 9000),
    (pa.table({"a": np.zeros(1000)}), 8000, 9000),
    (RaggedArray(np.zeros(1000), [500, 500]), 8000, 8200),
])
def test_size(values, low, high):
    assert low <= n_bytes(values) <= high


@pytest.mark.parametrize("X", [
    many(), as_object_array(many()), np.zeros((N, 3, 2)), RaggedArray.from_list(many()), WithStatic(many(), np.zeros(N))
], ids=["list", "array", "3-D", "ragged", "static"])
def test_values_to_exchange_are_few_arrays_and_say_their_size(X):
    values = exchangeable(X)
    again, n = sent(values)
    assert n < 10
    assert sys.getsizeof(values) > N * 16
    rows = np.arange(5)[::-1]
    np.testing.assert_array_equal(again.take(0, rows), values.take(0, rows))
    assert_same(again.replace({0: values.take(0, np.arange(sum(values.lengths)))}), values.replace({}))


class TestFromList:
    @pytest.mark.parametrize("form", [
        "list", "object array", "flat", "single precision", "several dtypes", "frames", "polars frames"
    ])
    @pytest.mark.filterwarnings("ignore:Training ended after", "ignore:.*has learned")
    def test_a_net_learns_the_same(self, form):
        X = many()
        X = {
            "list": X, "object array": as_object_array(X), "flat": [x[:, 0] for x in X],
            "single precision": many(dtype=np.float32), "frames": [pd.DataFrame(x, columns=["a", "b"]) for x in X],
            "polars frames": [pl.DataFrame(x, schema=["a", "b"]) for x in X],
            "several dtypes": [x.astype((np.float32, np.int8)[i % 2]) for i, x in enumerate(X)],
        }[form]
        nets = [
            RNNClassifier(2, max_iter=1, tol=1e9, random_state=0).fit(of, np.arange(N) % 2)
            for of in (X, RaggedArray.from_list(X))
        ]
        assert_same(nets[1].parameters_, nets[0].parameters_)
        names = [getattr(net, "feature_names_in_", np.empty(0, object)).tolist() for net in nets]
        assert names[0] == names[1] == (["a", "b"] if "frames" in form else [])

    def test_names(self):
        frames = [pd.DataFrame({"a": [1.0], "b": [2.0]})] * 2
        assert RaggedArray.from_list(frames).feature_names == ["a", "b"]
        assert RaggedArray.from_list(frames, ["c", "d"]).feature_names == ["c", "d"]

    def test_strings(self):
        X = RaggedArray.from_list([np.array(["a", "b"]), np.array(["b"])])
        assert [x.tolist() for x in X] == [["a", "b"], ["b"]]

    @pytest.mark.parametrize(("X", "error", "message"), [
        (3, TypeError, r"X is 3, expected a list of arrays \(steps, features\)"),
        (np.zeros((2, 3, 1)), TypeError, "expected a list of arrays"),
        ([], ValueError, "X is empty"),
        ([np.zeros(3), np.zeros((2, 2))], ValueError, r"X\[1\] has shape \(2, 2\), but X\[0\] \(3,\)"),
        ([np.zeros((2, 1)), np.zeros((2, 2))], ValueError, "expected as many features"),
        ([np.zeros(2), np.zeros((1, 1, 1))], ValueError, r"X\[1\] has shape \(1, 1, 1\), expected \(steps, features\)"),
        ([np.zeros(2), np.array(["a"])], TypeError, r"X\[1\] has dtype <U1 and X\[0\] float64: expected one dtype"),
        ([pd.DataFrame({"a": [1]}), pd.DataFrame({"b": [1]})], ValueError, r"X\[1\] has the columns \['b'\]"),
        ([np.zeros((1, 1)), pd.DataFrame({"b": [1]})], ValueError, r"\['b'\], expected None as in X\[0\]"),
    ])
    def test_what_is_no_list_of_sequences_is_refused(self, X, error, message):
        with pytest.raises(error, match=message):
            RaggedArray.from_list(X)
