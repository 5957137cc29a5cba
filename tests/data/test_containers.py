"""What X, y and sample_weight may be."""


from collections import UserDict

import awkward
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from forms import FORMS, TABLES, OnDisk, array, as_object_array, cells, frames, ragged
from sklearn.model_selection import KFold, cross_val_predict

from skrnn import RaggedArray, RNNClassifier, RNNRegressor
from skrnn._data.columns import sequences_in
from skrnn._data.containers import as_sequences
from skrnn._data.lazy import unshared
from skrnn._training import run

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
SMALL = {"hidden_size": 3, "max_iter": 2, "random_state": 0}
Y = np.arange(4) % 2
STEPS = [np.arange(len(x)) % 2 for x in ragged()]


@pytest.mark.parametrize("form", FORMS)
def test_every_form_of_X_becomes_the_same_steps(form):
    X, n_steps, steps = FORMS[form]()
    sequences = as_sequences(X, n_steps)
    assert len(sequences) == len(X)
    assert sequences.lengths.sum() == len(steps)
    sequences = unshared(sequences).load(np.arange(len(X)))[0]
    np.testing.assert_array_equal(sequences.values, steps)
    assert sequences.values.dtype == np.float64
    assert (sequences.kind == "table") == (form in TABLES)


@pytest.mark.parametrize("form", FORMS)
def test_every_form_of_X_gives_the_same_net(form):
    """As a list of arrays."""
    X, n_steps, _ = FORMS[form]()
    sequences = unshared(as_sequences(X, n_steps)).load(np.arange(len(X)))[0]
    plain = list(sequences.split(sequences.values))
    y = np.arange(len(X)) % 2
    net = RNNClassifier(n_steps=n_steps, **SMALL).fit(X, y)
    expected = RNNClassifier(**SMALL).fit(plain, y).predict_proba(plain)
    np.testing.assert_array_equal(net.predict_proba(X), expected)
    assert net.n_features_in_ == (np.shape(X)[1] if form in TABLES else plain[0].shape[1])


@pytest.mark.parametrize(
    "X",
    [
        array().astype(np.float32),
        [x.astype(np.float32) for x in ragged()],
        pd.DataFrame(array(1)[:, :, 0], dtype=np.float32),
        pd.Series([x.astype(np.float32) for x in ragged()]),
        pl.Series(cells(ragged()), dtype=pl.List(pl.List(pl.Float32))),
        pl.DataFrame(array(1)[:, :, 0].astype(np.float32)),
        pd.DataFrame(array(1)[:, :, 0], dtype="Float32"),
        pd.DataFrame(array(1)[:, :, 0], dtype="float32[pyarrow]"),
        pl.DataFrame({"a": [[1.0], [2.0, 3.0]]}, schema={"a": pl.List(pl.Float32)}),
        pa.table({"a": pa.array([[1.0], [2.0, 3.0]], pa.list_(pa.float32()))}),
        pa.table({"a": pa.array([1.0, 2.0], pa.float32())}),
        RaggedArray(np.arange(6, dtype=np.float32).reshape(3, 2), [1, 2]),
        awkward.values_astype(awkward.Array(cells(ragged())), np.float32),
        OnDisk([x.astype(np.float32) for x in ragged()]),
    ],
    ids=lambda X: f"{type(X).__module__.partition('.')[0]}-{type(X).__name__}",
)
def test_float32_stays_float32(X):
    net = RNNRegressor(**SMALL).fit(X, np.arange(len(X), dtype=float))
    assert net.predict(X).dtype == np.float32
    assert {value.dtype for value in net.parameters_.values()} == {np.dtype(np.float32)}


@pytest.mark.parametrize("dtype", [np.float16, np.int8, bool, ">f8"])
def test_every_other_dtype_is_computed_in_float64(dtype):
    X = np.random.default_rng(0).integers(2, size=(6, 4, 2)).astype(dtype)
    net = RNNRegressor(**SMALL).fit(X, np.arange(6.0))
    assert net.predict(X).dtype == np.float64
    np.testing.assert_array_equal(net.predict(X), net.predict(X.astype(np.float64)))


def test_layout_in_memory_does_not_matter(tmp_path):
    X, y = array(), np.arange(6.0)
    expected = RNNRegressor(**SMALL).fit(X, y).predict(X)
    frozen = X.copy()
    frozen.setflags(write=False)
    np.save(tmp_path / "X.npy", X)
    mapped = np.load(tmp_path / "X.npy", mmap_mode="r")
    for same in (np.asfortranarray(X), np.repeat(X, 2, axis=0)[::2], frozen, mapped):
        np.testing.assert_array_equal(RNNRegressor(**SMALL).fit(same, y).predict(same), expected)


class TestNames:
    """Names of features, as everywhere in scikit-learn."""

    FRAME = pd.DataFrame({"heat": [[1.0, 2.0], [3.0], [4.0]], "load": [[10.0, 20.0], [30.0], [5.0]]})

    @pytest.mark.parametrize(
        "X", [FRAME, pl.from_pandas(FRAME), pa.Table.from_pandas(FRAME)], ids=["pandas", "polars", "Arrow"]
    )
    def test_of_columns_of_lists(self, X):
        net = RNNRegressor(**SMALL).fit(X, [0.0, 1.0, 2.0])
        assert net.n_features_in_ == 2
        if not isinstance(X, pa.Table):     # in which scikit-learn sees no names
            assert net.feature_names_in_.tolist() == ["heat", "load"]
            with pytest.raises(ValueError, match="feature names should match"):
                net.predict(X[["load", "heat"]])
        np.testing.assert_array_equal(net.predict([[[1.0, 10.0], [2.0, 20.0]]]), net.predict(X[:1]))

    def test_of_a_list_of_Arrow_tables(self):
        X = [pa.Table.from_pandas(frame) for frame in frames("ab", "ab", "ba")]
        RNNRegressor(**SMALL).fit(X[:2], [0.0, 1.0])
        with pytest.raises(ValueError, match=r"X\[2\] has the columns \['b', 'a'\]"):
            RNNRegressor(**SMALL).fit(X, [0.0, 1.0, 2.0])

    def test_of_a_list_of_frames(self):
        X = frames("ab", "ab")
        net = RNNRegressor(**SMALL).fit(X, [0.0, 1.0])
        assert net.feature_names_in_.tolist() == ["a", "b"]
        with pytest.raises(ValueError, match="feature names should match"):
            net.predict(frames("ba"))
        net.predict([x.to_numpy() for x in X])

    def test_a_refit_without_names_forgets_them(self):
        net = RNNRegressor(**SMALL).fit(frames("ab", "ab"), [0.0, 1.0]).fit(ragged(), Y)
        assert not hasattr(net, "feature_names_in_")


def test_predictions_during_a_refit_are_those_of_the_fitted_net(monkeypatch):
    net = RNNClassifier(**SMALL).fit(array(), np.arange(6) % 2)
    expected, seen = net.predict_proba(array()), []
    train = run.train
    monkeypatch.setattr(run, "train", lambda *a, **k: (seen.append(net.predict_proba(array())), train(*a, **k))[1])
    net.set_params(hidden_size=7, cell="gru").fit(array(), np.arange(6) % 3)
    np.testing.assert_array_equal(seen, [expected])
    assert net.predict_proba(array()).shape == (6, 3)


def test_what_X_is_does_not_depend_on_how_it_is_cut():
    """Folds of equal lengths are sequences all the same."""
    X = [np.arange(2.0 * T).reshape(T, 2).tolist() for T in (3, 3, 3, 4, 4, 4)]
    y = [np.arange(len(x)) % 2 for x in X]
    net = RNNClassifier(return_sequences=True, **SMALL).fit(X, y)
    assert net.predict(X).dtype == net.predict(X[:3]).dtype == object
    predicted = cross_val_predict(RNNRegressor(**SMALL), X, np.arange(6.0), cv=KFold(2))
    assert predicted.shape == (6,)


def test_numpy_integers_as_parameters():
    X, y = array().reshape(6, 12), np.arange(6.0)
    sizes = {"n_steps": 4, "hidden_size": 3, "batch_size": 5, "max_iter": 255, "n_iter_no_change": 100}
    small = {name: np.uint8(value) for name, value in sizes.items()}
    expected, actual = (RNNRegressor(random_state=0, **p).fit(X, y).predict(X) for p in (sizes, small))
    np.testing.assert_array_equal(actual, expected)


def test_X_and_y_are_not_changed():
    X, y = ragged(), np.arange(4.0)
    before = [x.copy() for x in X]
    RNNRegressor(**SMALL).fit(X, y).predict(X)
    for x, copy in zip(X, before, strict=True):
        np.testing.assert_array_equal(x, copy)
    np.testing.assert_array_equal(y, np.arange(4.0))


class TestTargets:
    @pytest.mark.parametrize(
        "y",
        [
            np.arange(6.0), list(range(6)), pd.Series(np.arange(6)), pl.Series(np.arange(6)),
            pd.DataFrame({"y": np.arange(6)})["y"],
        ],
        ids=lambda y: f"{type(y).__module__.partition('.')[0]}-{type(y).__name__}",
    )
    def test_a_number_a_sequence(self, y):
        net = RNNRegressor(**SMALL).fit(array(), y)
        expected = RNNRegressor(**SMALL).fit(array(), np.arange(6.0)).predict(array())
        assert net.predict(array()).shape == (6,)
        np.testing.assert_array_equal(net.predict(array()), expected)

    @pytest.mark.parametrize("k", [1, 2])
    def test_several_numbers_a_sequence(self, k):
        y = np.random.default_rng(0).normal(size=(6, k))
        for form in (y, y.tolist(), pd.DataFrame(y), pl.DataFrame(y)):
            assert RNNRegressor(**SMALL).fit(array(), form).predict(array()).shape == (6, k)

    @pytest.mark.parametrize("tail", [(), (1,), (2,)])
    def test_numbers_a_step(self, tail):
        rng = np.random.default_rng(0)
        net = RNNRegressor(return_sequences=True, **SMALL)
        y = rng.normal(size=(6, 4, *tail))
        assert net.fit(array(), y).predict(array()).shape == y.shape
        table = array().reshape(6, 12)
        of_table = RNNRegressor(return_sequences=True, n_steps=4, **SMALL).fit(table, y.tolist())
        np.testing.assert_array_equal(of_table.predict(table), net.fit(array(), y).predict(array()))
        y = [rng.normal(size=(len(x), *tail)) for x in ragged()]
        for form in (y, as_object_array(y), tuple(y)):
            out = net.fit(ragged(), form).predict(ragged())
            assert out.dtype == object
            assert [p.shape for p in out] == [t.shape for t in y]

    def test_labels_and_weights_of_steps_in_one_column(self):
        y, weights = np.arange(24).reshape(6, 4, 1) % 2, np.arange(24.0).reshape(6, 4, 1)
        net = RNNClassifier(return_sequences=True, **SMALL)
        expected = net.fit(array(), y[:, :, 0], weights[:, :, 0]).predict_proba(array())
        np.testing.assert_array_equal(net.fit(array(), y, weights).predict_proba(array()), expected)

    @pytest.mark.parametrize("column", [pd.Series, pl.Series, pa.array], ids=["pandas", "polars", "Arrow"])
    def test_a_column_of_lists_holds_targets_of_steps(self, column):
        y = [np.arange(len(x)) % 2 for x in ragged()]
        net = RNNClassifier(return_sequences=True, **SMALL)
        expected = net.fit(ragged(), y).predict_proba(ragged())
        actual = net.fit(ragged(), column([t.tolist() for t in y])).predict_proba(ragged())
        for a, e in zip(actual, expected, strict=True):
            np.testing.assert_array_equal(a, e)

    @pytest.mark.parametrize("labels", [["a", "b"], ["x", "y", "z"], [-1, 1], [2.0, 5.0, 7.0], [False, True]])
    def test_labels_come_back_as_they_were(self, labels):
        y = np.array(labels)[np.arange(6) % len(labels)]
        net = RNNClassifier(**SMALL).fit(array(), y)
        np.testing.assert_array_equal(net.classes_, np.unique(y))
        assert net.classes_.dtype == net.predict(array()).dtype == y.dtype
        assert set(net.predict(array())) <= set(labels)

    def test_labels_of_steps(self):
        y = [np.array(["rest", "move"])[(x[:, 0] > -5).astype(int)] for x in ragged()]
        net = RNNClassifier(8, return_sequences=True, learning_rate_init=0.1, random_state=0).fit(ragged(), y)
        probabilities, predicted = net.predict_proba(ragged()), net.predict(ragged())
        assert [p.shape for p in probabilities] == [(len(x), 2) for x in ragged()]
        for p, labels in zip(probabilities, predicted, strict=True):
            np.testing.assert_array_equal(labels, net.classes_[p.argmax(axis=1)])
        assert net.score(ragged(), y) == np.mean(np.concatenate(list(predicted)) == np.concatenate(y)) > 0.8
        flat = RNNClassifier(return_sequences=True, **SMALL).fit(array(), np.arange(24).reshape(6, 4) % 3)
        assert flat.predict(array()).shape == (6, 4)
        assert flat.predict_proba(array()).shape == (6, 4, 3)


class TestWeights:
    def test_an_integer_weight_is_repetition(self):
        X, y = ragged(), np.arange(4.0)
        weights = np.array([1, 3, 2, 1])
        order = np.repeat(np.arange(4), weights)
        net = RNNRegressor(**SMALL)
        weighted = net.fit(X, y, weights).predict(X)
        repeated = net.fit([X[i] for i in order], y[order]).predict(X)
        np.testing.assert_allclose(weighted, repeated, rtol=1e-10)

    def test_a_weight_a_sequence_is_that_of_each_of_its_steps(self):
        X = ragged()
        y = [x[:, 0] for x in X]
        net = RNNRegressor(return_sequences=True, **SMALL)
        a_sequence = net.fit(X, y, [1, 2, 3, 4]).predict(X)
        a_step = net.fit(X, y, [np.full(len(x), w) for w, x in enumerate(X, 1)]).predict(X)
        for a, b in zip(a_sequence, a_step, strict=True):
            np.testing.assert_array_equal(a, b)

    def test_a_step_without_weight_has_no_target(self):
        X, y = array(), array()[:, :, 0]
        weights = np.ones((6, 4))
        weights[:, :2] = 0
        other = y.copy()
        other[:, :2] = 1e3
        net = RNNRegressor(return_sequences=True, **SMALL)
        np.testing.assert_array_equal(net.fit(X, y, weights).predict(X), net.fit(X, other, weights).predict(X))
        assert net.score(X, y, weights) == net.score(X, other, weights) != net.score(X, other)

    def test_scores_are_weighted(self):
        X, y = array(), np.arange(6) % 2
        net = RNNClassifier(**SMALL).fit(X, y)
        right = net.predict(X) == y
        weights = np.arange(1.0, 7)
        assert net.score(X, y, weights) == pytest.approx(weights[right].sum() / weights.sum())


@pytest.mark.parametrize(
    ("X", "message"),
    [
        (awkward.Array([1.0, 2.0]), r"awkward array of type 2 \* float64, expected n \* var \* number"),
        (awkward.Array([[{"a": 1.0}], [{"a": 2.0}]]), r"of type 2 \* var \* \{a: float64\}, expected"),
        (awkward.Array([[[1.0, 2.0], [1.0]], [[1.0, 2.0]]]), "whose steps have different numbers of features"),
        (awkward.Array([[1.0], None, [2.0]]), r"X\[1\] is missing, expected a sequence"),
        (awkward.Array([[1.0], [], [2.0]]), r"X\[1\] has shape \(0,\)"),
        (awkward.Array([[1.0], [None, 2.0]]), "X contains NaN: sequence 1, step 0, feature 0"),
        (awkward.Array([["a"], ["b"]]), "X.* is 'a', expected a number"),
        (pa.array([[1.0], None]), r"X\[1\] is missing, expected a sequence"),
        (pa.array([[[], []], [[]]]), r"X\[0\] has shape \(2, 0\)"),
        (pa.Table.from_arrays([pa.array([[1.0]]), pa.array([[2.0]])], names=["a", "a"]), "has two columns 'a'"),
        (pa.array([[1.0], []]), r"X\[1\] has shape \(0,\)"),
        (pa.array([[[1.0], [2.0, 3.0]]]), r"X\[0\] is not an array"),
        (pa.array([[1.0, None]]), "X contains NaN: sequence 0, step 1, feature 0"),
        (pa.array([[[1.0], None]]), r"X\[0\] is not an array"),
    ],
)
def test_bad_awkward_and_arrow_arrays(X, message):
    with pytest.raises(ValueError, match=message):
        RNNRegressor(**SMALL).fit(X, np.arange(len(X)))


@pytest.mark.parametrize("cut", [lambda X: X, lambda X: X[1:], lambda X: X[::2]], ids=["whole", "rest", "every other"])
@pytest.mark.parametrize("make", [
    awkward.Array, pa.array, lambda rows: pa.chunked_array([rows[:1], rows[1:]]),
    lambda rows: pa.array(rows, pa.large_list(pa.large_list(pa.float64()))),
], ids=["awkward", "Arrow", "chunked", "large"])
def test_cut_arrays_of_lists(make, cut):
    """Slices look into the values of the whole."""
    plain, X = cells(ragged()), make(cells(ragged()))
    index = np.arange(4)[:: 2] if cut(np.arange(4)).tolist() == [0, 2] else cut(np.arange(4))
    X = X.take(index) if hasattr(X, "take") else cut(X)
    sequences = as_sequences(X)
    np.testing.assert_array_equal(sequences.values, np.concatenate([plain[i] for i in index]))


@pytest.mark.parametrize("make", [awkward.Array, pa.array], ids=["awkward", "Arrow"])
def test_model_selection_of_arrays_of_lists(make):
    X, y = make(cells(ragged() * 3)), np.arange(12.0)
    expected = cross_val_predict(RNNRegressor(**SMALL), ragged() * 3, y, cv=KFold(3))
    np.testing.assert_array_equal(cross_val_predict(RNNRegressor(**SMALL), X, y, cv=KFold(3)), expected)


def test_targets_of_steps_in_arrays_of_lists():
    y = [x[:, 0] for x in ragged()]
    expected = RNNRegressor(return_sequences=True, **SMALL).fit(ragged(), y)
    for make in (awkward.Array, pa.array):
        net = RNNRegressor(return_sequences=True, **SMALL).fit(ragged(), make([x.tolist() for x in y]))
        np.testing.assert_array_equal(net._fitted.model.theta, expected._fitted.model.theta)


def test_dictionaries_of_arrow():
    """A value that is missing is so, also where Arrow keeps numbers of values."""
    column = pa.chunked_array([pa.array([5, None, 7]).dictionary_encode()])
    table = pa.table({"a": [1.0, 2.0, 3.0], "b": column})
    with pytest.raises(ValueError, match="NaN: sequence 1, step 1, feature 0"):
        RNNRegressor(**SMALL).fit(table, [1.0, 2.0, 3.0])
    with pytest.raises(ValueError, match="y contains NaN"):
        RNNRegressor(**SMALL).fit(np.ones((3, 2)), column)
    net = RNNRegressor(missing="ffill", **SMALL).fit(table, [1.0, 2.0, 3.0])
    expected = net.predict(pd.DataFrame({"a": [1.0, 2, 3], "b": [5, np.nan, 7]}))
    np.testing.assert_array_equal(net.predict(table), expected)


def test_one_rule_for_dtypes_of_columns():
    """float32 when all are; not what NumPy makes of float32 beside int8."""
    data = {"a": [[1.0], [2.0, 3.0]], "b": [[1], [2, 3]]}
    schema = pa.schema({"a": pa.list_(pa.float32()), "b": pa.list_(pa.int8())})
    frames = [pl.DataFrame(data, schema={"a": pl.List(pl.Float32), "b": pl.List(pl.Int8)}), pa.table(data, schema)]
    frames.append(pd.DataFrame({
        "a": [np.array(x, np.float32) for x in data["a"]], "b": [np.array(x, np.int8) for x in data["b"]],
    }))
    for frame in frames:
        assert as_sequences(frame).dtype == np.float64


def test_awkward_targets_and_weights():
    X = awkward.Array([[1.0, 2.0], [3.0]])
    net = RNNRegressor(**SMALL).fit(X, awkward.Array([1.0, 2.0]), awkward.Array([1.0, 3.0]))
    expected = RNNRegressor(**SMALL).fit([np.array([1.0, 2.0]), np.array([3.0])], [1.0, 2.0], [1.0, 3.0])
    np.testing.assert_array_equal(net._fitted.model.theta, expected._fitted.model.theta)


def test_sequence_objects_may_have_attributes_of_frames():
    class Recordings(OnDisk):
        columns = column_names = ("a", "b")

        def to_list(self):
            raise AssertionError("all was read")

    net = RNNRegressor(**SMALL).fit(Recordings(ragged()), np.arange(4.0))
    np.testing.assert_array_equal(
        net._fitted.model.theta, RNNRegressor(**SMALL).fit(ragged(), np.arange(4.0))._fitted.model.theta
    )


@pytest.mark.parametrize("X", [pl.DataFrame({"a": [1.0]}).lazy(), UserDict({"a": 1})], ids=["LazyFrame", "UserDict"])
def test_no_tables(X):
    with pytest.raises(TypeError, match=f"X is a {type(X).__name__}"):
        RNNRegressor(**SMALL).fit(X, [1.0])


@pytest.mark.parametrize("values", [
    np.arange(7.0), np.arange(7.0, dtype=np.float32), np.arange(7), np.array([1.5, np.nan] * 3 + [2]),
    np.array([True, False] * 3 + [True]),
], ids=["float64", "float32", "ints", "missing", "bools"])
@pytest.mark.parametrize("several", [False, True])
def test_lists_of_arrow_in_pandas_are_those_of_arrow_tables(values, several):
    lists = pa.ListArray.from_arrays([0, 2, 3, 7], pa.array(values, from_pandas=True))
    table = pa.table({"a": lists, "b": lists} if several else {"a": lists})
    frame = table.to_pandas(types_mapper=pd.ArrowDtype)
    found, expected = (as_sequences(X, allow_missing=True) for X in (frame if several else frame["a"], table))
    assert found.values.dtype == expected.values.dtype
    assert np.array_equal(found.values, expected.values, equal_nan=True)
    assert found.lengths.tolist() == [2, 1, 4]
    # without an object for each number
    assert isinstance(sequences_in([("a", frame["a"])], "X"), RaggedArray)
