"""RaggedArray as a collection, and as X."""

import pickle
import tracemalloc
from datetime import date

import numpy as np
import polars as pl
import pytest
from forms import LENGTHS, ragged, shuffled
from scipy.sparse import csr_array
from sklearn.model_selection import GridSearchCV, KFold, cross_val_predict, train_test_split

from skrnn import RaggedArray, RNNClassifier, RNNRegressor
from skrnn._data import lazy, units
from skrnn._data.containers import as_sequences

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
SMALL = {"hidden_size": 3, "max_iter": 2, "random_state": 0}
DATED = pl.DataFrame({"day": [date(2020, 1, 2)] * 2, "v": [1.0, 2.0]})      # NumPy would read 18263.0


def contiguous():
    return RaggedArray(np.concatenate(ragged()), LENGTHS)


def overlapping(n=30, window=4, n_features=2):
    """All windows of a series, the first ones shorter, and the same as a list."""
    values = np.random.default_rng(0).normal(size=(n, n_features))
    lengths = np.minimum(np.arange(1, n + 1), window)
    windows = RaggedArray(values, lengths, np.arange(1, n + 1) - lengths)
    return windows, [values[max(0, i + 1 - window) : i + 1] for i in range(n)]


@pytest.mark.parametrize("make", [contiguous, shuffled])
@pytest.mark.parametrize(
    "key",
    [slice(None), slice(1, 3), slice(None, None, -1), [2, 0], [1], [3, 3, 1], np.zeros(0, int),
     [True, False, True, False], np.array([0, 2]), np.array([False, True, True, False]),
     (np.array([1, 3]), Ellipsis), -1, np.int64(2)],
    ids=str,
)
def test_selecting(make, key):
    array, sequences = make(), np.empty(4, object)
    sequences[:] = ragged()
    expected = sequences[key[0] if isinstance(key, tuple) else key]
    out = array[key]
    if isinstance(key, int | np.integer):
        np.testing.assert_array_equal(out, expected)
        assert out.base is not None
    else:
        assert out.shape == (len(out),) == expected.shape
        for one, other in zip(out, expected, strict=True):
            np.testing.assert_array_equal(one, other)


def test_selections_share_steps_or_copy_few():
    windows, _ = overlapping(1000, 50)
    assert np.shares_memory(windows[100:].values, windows.values)
    assert np.shares_memory(windows[np.arange(0, 1000, 3)].values, windows.values)
    few = windows[[10, 990]]
    assert len(few.values) == 11 + 50
    assert len(windows[200:210].values) == 59


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ((np.ones(5), [2, 4]), ValueError, "the lengths add up to 6, but values has 5 rows.*RaggedArray.from_padded"),
        ((np.ones(5), [2, 2]), ValueError, "the lengths add up to 4, but values has 5 rows"),
        ((np.ones(5), [2, 4], [0, 2]), ValueError, "sequence 1 has 4 steps from row 2 on, but values has 5 rows"),
        ((np.ones(5), [True]), ValueError, "lengths has shape .* bool, expected integers"),
        ((np.ones(5), [2], [-1]), ValueError, "sequence 0 has 2 steps from row -1"),
        ((np.ones(5), [-1]), ValueError, "sequence 0 has -1 steps"),
        ((np.ones(5), [1, 2], [0]), ValueError, "there are 1 starts and 2 lengths"),
        ((np.ones(5), [1.0]), ValueError, "lengths has shape .* float64, expected integers"),
        ((np.ones((1, 1, 1)), [1]), ValueError, r"values has shape \(1, 1, 1\)"),
        ((np.ma.masked_greater([1, 9], 3), [2]), ValueError, "values has masked values"),
        ((np.ones((3, 2)), [3], None, ["a"]), ValueError, "feature_names has 1 names, expected 2"),
        ((DATED, [2]), TypeError, "values has dtype Date in the column 'day', expected numbers"),
    ],
)
def test_bad_arguments(arguments, error, message):
    with pytest.raises(error, match=message):
        RaggedArray(*arguments)


def test_bad_index():
    with pytest.raises(IndexError, match="has one, its sequences"):
        contiguous()[0, 1]
    with pytest.raises(IndexError):
        contiguous()[4]
    for key in (None, True, 1.5, "a", [[0]], [0.5]):
        with pytest.raises(IndexError, match="selects no sequences"):
            contiguous()[key]
    np.testing.assert_array_equal(contiguous()[np.array(1)], contiguous()[1])


def test_as_an_array():
    out = np.asarray(contiguous())
    assert out.shape == (4, 8, 3)
    for row, x in zip(out, ragged(), strict=True):
        np.testing.assert_array_equal(row[: len(x)], x)
        assert np.isnan(row[len(x) :]).all()
    np.testing.assert_array_equal(np.asarray(RaggedArray(np.arange(3), [1, 2])), [[0, np.nan], [1, 2]])
    np.testing.assert_array_equal(np.asarray(RaggedArray(np.arange(4), [2, 2]), dtype=int), [[0, 1], [2, 3]])
    with pytest.raises(ValueError, match="padded with NaN, which int64 does not have"):
        np.asarray(contiguous(), dtype=int)
    with pytest.raises(ValueError, match="without a copy"):
        np.array(contiguous(), copy=False)


def test_selecting_none():
    assert len(contiguous()[[]]) == 0


def test_repr_and_pickle():
    named = RaggedArray(np.ones((3, 2), np.float32), [1, 2], feature_names=["a", "b"])
    assert repr(named) == "RaggedArray of 2 sequences, 1 to 2 steps of 2 features, float32"
    assert repr(RaggedArray(np.ones(0), [])) == "RaggedArray of 0 sequences, 0 to 0 steps of float64"
    again = pickle.loads(pickle.dumps(named[[1]]))
    assert again.feature_names == ["a", "b"]
    assert again.dtype == np.float32
    np.testing.assert_array_equal(again[0], np.ones((2, 2)))


@pytest.mark.parametrize(
    ("X", "message"),
    [
        (RaggedArray(np.ones((3, 2)), [3, 0]), r"X\[1\] has shape \(0, 2\)"),
        (RaggedArray(np.ones((3, 0)), [3]), r"X\[0\] has shape \(3, 0\)"),
        (RaggedArray(np.ones((0, 2)), []), "X is empty"),
        (RaggedArray(np.array([[1.0], [np.nan], [2]]), [2, 1]), "NaN: sequence 0, step 1, feature 0"),
        (RaggedArray(np.array(["a", "b"]), [2]), r"X\.values\[0\] is 'a', expected a number"),
    ],
)
def test_bad_X(X, message):
    with pytest.raises(ValueError, match=message):
        RNNRegressor(**SMALL).fit(X, np.arange(len(X)))


def test_a_bad_value_outside_the_selection_does_not_matter():
    X = RaggedArray(np.array([[1.0], [np.nan], [2.0], [3.0]]), [2, 1, 1])
    RNNRegressor(**SMALL).fit(X[1:], [0.0, 1.0])
    other = RaggedArray(np.array([1.0, -4.5, 2.0, 3.0]), [1, 1, 1], [0, 2, 3])
    net = RNNRegressor(embedding_dim=2, **SMALL).fit(other, [0.0, 1.0, 2.0])
    assert len(net.parameters_["embedding.E"]) == 5


@pytest.mark.parametrize("parameters", [{}, {"cell": "gru", "bidirectional": True, "pooling": "max"}, {
    "missing": "indicator"}, {"truncated_bptt_steps": 2}, {"solver": "lbfgs"}, {"early_stopping": True}, {
    "dropout": 0.3, "recurrent_dropout": 0.3, "hidden_size": (3, 2)}], ids=str)
@pytest.mark.parametrize("per_step", [False, True])
def test_shared_steps_are_as_steps_of_ones_own(parameters, per_step):
    """Bit for bit, forward and backward."""
    windows, plain = overlapping()
    assert not as_sequences(windows).contiguous
    parameters = SMALL | {"batch_size": 7, "return_sequences": per_step} | parameters
    y = [x[:, 0] + 1 for x in plain] if per_step else np.array([x[0, 0] for x in plain])
    net, expected = RNNRegressor(**parameters).fit(windows, y), RNNRegressor(**parameters).fit(plain, y)
    np.testing.assert_array_equal(net._fitted.model.theta, expected._fitted.model.theta)
    for one, other in zip(net.predict(windows), expected.predict(plain), strict=True):
        np.testing.assert_array_equal(one, other)
    np.testing.assert_array_equal(net.transform(windows), expected.transform(plain))


@pytest.mark.filterwarnings("ignore::skrnn.exceptions.ConstantTargetWarning")
@pytest.mark.parametrize(("parameters", "times"), [({}, 3), ({"missing": "indicator"}, 30)])
def test_windows_are_not_laid_out(parameters, times, monkeypatch):
    """A net on windows of 500 rows takes nowhere near 500 times the memory of the rows; they are read in parts."""
    monkeypatch.setattr(units, "MAX_NUMBERS", 2**13)
    monkeypatch.setattr(lazy, "MAX_BYTES_PER_READ", 2**16)
    values = np.random.default_rng(0).normal(size=(20_000, 2))
    lengths = np.minimum(np.arange(1, 20_001), 500)
    windows = RaggedArray(values, lengths, np.arange(1, 20_001) - lengths)[:2000]
    tracemalloc.start()
    RNNRegressor(1, cell="rnn", max_iter=1, batch_size=20, **parameters).fit(windows, np.zeros(2000))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < times * values.nbytes


def test_shared_categories():
    windows, _ = overlapping()
    categories = RaggedArray((np.abs(windows.values[:, 0]) * 3).astype(int), windows.lengths, windows.starts)
    y = np.arange(30) % 2
    net, expected = (RNNClassifier(embedding_dim=2, **SMALL).fit(X, y) for X in (categories, list(categories)))
    np.testing.assert_array_equal(net._fitted.model.theta, expected._fitted.model.theta)


@pytest.mark.slow
def test_model_selection():
    windows, plain = overlapping(60)
    y = np.array([x.sum() for x in plain])
    expected = cross_val_predict(RNNRegressor(**SMALL), plain, y, cv=KFold(3, shuffle=True, random_state=0))
    out = cross_val_predict(RNNRegressor(**SMALL), windows, y, cv=KFold(3, shuffle=True, random_state=0))
    np.testing.assert_array_equal(out, expected)
    train, _ = train_test_split(windows, random_state=0)
    assert isinstance(train, RaggedArray)
    search = GridSearchCV(RNNRegressor(**SMALL), {"hidden_size": [2, 3]}, cv=2, n_jobs=2).fit(windows, y)
    assert np.isfinite(search.best_score_)


def test_feature_names():
    names = ["heart rate", "pressure"]
    windows, plain = overlapping()
    named = RaggedArray(windows.values, windows.lengths, windows.starts, names)
    net = RNNRegressor(**SMALL).fit(named, np.arange(30.0))
    assert net.feature_names_in_.tolist() == names
    assert net.n_features_in_ == 2
    np.testing.assert_array_equal(net.predict(plain), net.predict(named))
    other = RaggedArray(windows.values, windows.lengths, windows.starts, names[::-1])
    with pytest.raises(ValueError, match=r"names should match.*'pressure', 'heart rate'.*expected"):
        net.predict(other)
    assert not hasattr(net.fit(plain, np.arange(30.0)), "feature_names_in_")
    assert net.predict(other).shape == (30,)


class TestFromPadded:
    PADDED = np.array([[[1.0, 2], [3, 4], [0, 0]], [[5, 0], [0, 0], [6, 7]]])

    @pytest.mark.parametrize("value", [0.0, -1.5, np.nan])
    @pytest.mark.parametrize("side", ["end", "start"])
    @pytest.mark.parametrize("flat", [False, True])
    def test_is_the_inverse_of_padding(self, value, side, flat):
        sequences = [x[:, 0] if flat else x for x in ragged()]
        padded = np.full((4, max(LENGTHS), *sequences[0].shape[1:]), value)
        for row, x in zip(padded, sequences, strict=True):
            row[slice(len(x)) if side == "end" else slice(len(row) - len(x), None)] = x
        for given in ({"lengths": LENGTHS}, {"padding_value": value}):
            out = RaggedArray.from_padded(padded, **given, side=side)
            assert out.lengths.tolist() == LENGTHS
            for one, other in zip(out, sequences, strict=True):
                np.testing.assert_array_equal(one, other)

    def test_only_steps_at_the_end_in_which_all_features_have_the_value(self):
        out = RaggedArray.from_padded(self.PADDED, padding_value=0, feature_names=["a", "b"])
        assert [x.tolist() for x in out] == [[[1, 2], [3, 4]], [[5, 0], [0, 0], [6, 7]]]
        assert out.feature_names == ["a", "b"]

    def test_categories_stay_integers(self):
        out = RaggedArray.from_padded([[3, 1, 0], [2, 0, 0]], padding_value=0)
        assert [x.tolist() for x in out] == [[3, 1], [2]]
        assert out.dtype.kind == "i"

    def test_memory_mapped(self, tmp_path):
        np.save(tmp_path / "X.npy", self.PADDED)
        mapped = np.load(tmp_path / "X.npy", mmap_mode="r")
        out = RaggedArray.from_padded(mapped, [2, 3])
        assert np.shares_memory(out.values, mapped)
        np.testing.assert_array_equal(out[0], self.PADDED[0, :2])

    @pytest.mark.parametrize("missing", [None, np.nan])
    def test_objects_and_missing_cells(self, missing):
        X = np.array([[1, missing], [2, 3]], dtype=object)
        assert [x.tolist() for x in RaggedArray.from_padded(X, padding_value=np.nan)] == [[1.0], [2.0, 3.0]]

    @pytest.mark.parametrize(("X", "parameters", "error", "message"), [
        (PADDED, {}, ValueError, "lengths and padding_value: expected one of them, got neither"),
        (PADDED, {"lengths": [2, 3], "padding_value": 0}, ValueError, "got both"),
        (PADDED, {"lengths": [2, 4]}, ValueError, r"lengths\[1\] is 4, but X\[1\] has 3 steps: expected 1 to 3"),
        (PADDED, {"lengths": [0, 3]}, ValueError, r"lengths\[0\] is 0"),
        (PADDED, {"lengths": [3]}, ValueError, "there are 1 lengths, but X has 2 sequences"),
        (PADDED, {"lengths": [2.0, 3.0]}, ValueError, "lengths has .* float64, expected integers"),
        (PADDED, {"padding_value": "0"}, TypeError, "padding_value='0': expected a number"),
        (PADDED, {"padding_value": 0, "side": "left"}, ValueError, "side='left': expected 'end' or 'start'"),
        (PADDED[:1, ::-1], {"padding_value": 0}, ValueError, r"at its end, but X\[0\] at its start.*side='start'"),
        (PADDED[:1], {"padding_value": 0, "side": "start"}, ValueError, r"at its start, but X\[0\] at its end"),
        (0 * PADDED, {"padding_value": 0}, ValueError, r"X\[0\] is 0.0 in every step"),
        (PADDED[0, 0], {"padding_value": 0}, ValueError, r"X has shape \(2,\), expected \(n, steps, features\)"),
        (DATED, {"padding_value": 0}, TypeError, "X has dtype Date in the column 'day', expected numbers"),
        ([["a"]], {"padding_value": 0}, TypeError, "X has dtype <U1, expected numbers"),
        ([[1], [2, 3]], {"padding_value": 0}, ValueError, "X is not an array"),
        ([[1, None], ["a", 2]], {"padding_value": 0}, ValueError, r"X\[1, 0\] is 'a', expected a number"),
        (csr_array(np.eye(2)), {"padding_value": 0}, TypeError, r"X is sparse, expected an array: X.toarray\(\)"),
        (PADDED, {"lengths": [[1], [1, 2]]}, ValueError, "lengths is not an array"),
        (PADDED, {"padding_value": 0, "feature_names": "ab"}, TypeError, r"expected a list of names, \['ab'\]"),
        (np.ma.masked_equal(PADDED, 0), {"padding_value": 0}, ValueError, "X has masked values.*filled"),
    ])
    def test_bad_arguments(self, X, parameters, error, message):
        with pytest.raises(error, match=message):
            RaggedArray.from_padded(X, **parameters)
