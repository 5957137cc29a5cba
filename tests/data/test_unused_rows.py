"""Rows of a RaggedArray that no sequence uses: they change nothing, and are not read from a file."""

import os
import tracemalloc
import warnings

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning

from skrnn import RaggedArray, RNNClassifier, RNNRegressor
from skrnn._data import sequences as sequences_module
from skrnn._data.containers import as_sequences
from skrnn._data.ragged import used_ranges
from skrnn.preprocessing import SequenceImputer, SequenceScaler

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
SMALL = {"hidden_size": 2, "max_iter": 2, "random_state": 0}
NETS = [
    RNNRegressor(**SMALL), RNNRegressor(missing="ffill", **SMALL), RNNRegressor(missing="indicator", **SMALL),
    RNNRegressor(return_sequences=True, **SMALL), RNNRegressor(solver="lbfgs", **SMALL),
]
TRANSFORMERS = [
    SequenceScaler(), SequenceScaler("minmax"), SequenceScaler("robust"), SequenceImputer(), SequenceImputer("median"),
    SequenceImputer("ffill"), SequenceImputer("interpolate", add_indicator=True),
]
rng = np.random.default_rng(0)
# Small arrays are kept as they are, of large ones the rows in use are copied, files are read where sequences are
SIZES = [(60, False), (20_000, False), (20_000, True)]
LAYOUTS = {
    "between": (np.arange(8) * 7, [3] * 8),
    "after": (np.cumsum([3] * 8) - 3, [3] * 8),
    "in another order": (rng.permutation(8) * 7, [3, 2, 5, 1, 4, 3, 3, 3]),
    "shared": ([7, 8, 9, 8, 30, 29, 31, 30], [3] * 8),
}


def mapped(folder, values):
    np.save(folder / "values.npy", values)
    return np.load(folder / "values.npy", mmap_mode="r")


def with_unused(layout, total, dtype, value, n_features=2, folder=None):
    """A RaggedArray in which rows that no sequence uses hold the value, and its sequences as a list."""
    starts, lengths = map(np.asarray, LAYOUTS[layout])
    values = np.full((total, n_features), value, dtype)
    for start, length in zip(starts, lengths, strict=True):
        values[start : start + length] = np.random.default_rng(start).integers(9, size=(length, n_features))
    X = [values[start : start + length].copy() for start, length in zip(starts, lengths, strict=True)]
    return RaggedArray(values if folder is None else mapped(folder, values), lengths, starts), X


@pytest.mark.parametrize(("total", "in_file"), SIZES)
@pytest.mark.parametrize(("layout", "dtype", "value"), [
    ("between", np.float64, np.nan), ("after", np.float32, np.inf), ("in another order", ">f8", np.nan),
    ("shared", "i2", -1), ("shared", np.float64, np.inf),
])
def test_they_change_nothing(layout, total, in_file, dtype, value, tmp_path):
    ragged, X = with_unused(layout, total, dtype, value, folder=tmp_path if in_file else None)
    chosen = np.arange(8) % 3 == 1
    for net in NETS:
        y = [x[:, 0].astype(float) for x in X] if net.return_sequences else np.arange(8.0)
        one, other = clone(net).fit(ragged, y), clone(net).fit(X, y)
        np.testing.assert_array_equal(one._fitted.model.theta, other._fitted.model.theta)
        assert one.score(ragged, y) == other.score(X, y)
        for a, b in zip(one.predict(ragged[chosen]), other.predict([X[1], X[4], X[7]]), strict=True):
            np.testing.assert_array_equal(a, b)
        states = one.predict(ragged[[5, 1]], return_state=True)[1]
        np.testing.assert_array_equal(states, other.predict([X[5], X[1]], return_state=True)[1])
    for transformer in TRANSFORMERS:
        one, other = clone(transformer).fit_transform(ragged), clone(transformer).fit_transform(X)
        for i, x in enumerate(other):
            np.testing.assert_allclose(one[i], x, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize(("total", "in_file"), SIZES)
@pytest.mark.parametrize(("layout", "value"), [
    ("between", np.nan), ("after", np.inf), ("in another order", -1), ("shared", 0.5), ("shared", 1e9),
])
def test_they_are_no_categories(layout, total, in_file, value, tmp_path):
    ragged, X = with_unused(layout, total, np.float64, value, 1, tmp_path if in_file else None)
    net = RNNClassifier(embedding_dim=2, **SMALL)
    one, other = clone(net).fit(ragged, np.arange(8) % 2), net.fit(X, np.arange(8) % 2)
    np.testing.assert_array_equal(one._fitted.model.theta, other._fitted.model.theta)
    np.testing.assert_array_equal(one.predict_proba(ragged[1:5]), other.predict_proba(X[1:5]))


@pytest.mark.parametrize("in_file", [False, True])
@pytest.mark.parametrize("total", [60, 20_000])
@pytest.mark.parametrize(("value", "kind"), [(np.nan, "NaN"), (-np.inf, "infinity")])
def test_what_is_used_is_still_named(in_file, total, value, kind, tmp_path, monkeypatch):
    """Also where the rows are looked at a few at a time."""
    monkeypatch.setattr(sequences_module, "MAX_NUMBERS_PER_CHECK", 8)
    ragged, _ = with_unused("in another order", total, np.float64, np.nan)
    values, i = ragged.values, 4
    values[ragged.starts[i] + 3, 1] = value
    X = RaggedArray(mapped(tmp_path, values) if in_file else values, ragged.lengths, ragged.starts)
    with pytest.raises(ValueError, match=f"X contains {kind}: sequence 4, step 3, feature 1"):
        RNNRegressor(**SMALL).fit(X, np.arange(8.0))
    sequences = as_sequences(RaggedArray(np.where(values == values, 1.0, 0.5)[:, :1], X.lengths, X.starts))
    rows = [np.arange(len(sequences.values))[rows] for rows in sequences.iter_used_rows()]
    assert max(map(len, rows)) == 8
    used = np.concatenate([np.arange(s, s + n) for s, n in zip(sequences.starts, X.lengths, strict=True)])
    np.testing.assert_array_equal(np.concatenate(rows), np.sort(used))


def test_ranges_in_use():
    starts, lengths = np.array([9, 2, 3, 5, 20, 12]), np.array([2, 3, 1, 1, 4, 1])
    begins, sizes = used_ranges(starts, lengths)
    assert (begins.tolist(), sizes.tolist()) == ([2, 9, 12, 20], [4, 2, 1, 4])


def in_memory_of(path):
    """Bytes of a mapped file that have been read."""
    with open("/proc/self/smaps") as lines:
        sizes, found = 0, False
        for line in lines:
            if not line.partition(" ")[0].endswith(":"):
                found = line.rstrip().endswith(str(path))
            elif found and line.startswith("Rss:"):
                sizes += int(line.split()[1]) * 1024
    return sizes


ROWS = 2**20


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::skrnn.exceptions.ConstantFeatureWarning")
@pytest.mark.skipif(not os.path.exists("/proc/self/smaps"), reason="needs Linux")
@pytest.mark.parametrize(("step", "dtype", "gap"), [
    *((step, np.float64, True) for step in (
        *NETS, RNNClassifier(embedding_dim=2, **SMALL), RNNClassifier(embedding_dim=2, return_sequences=True, **SMALL),
        *TRANSFORMERS, SequenceImputer("constant"),
    )),
    (NETS[0], np.float32, False), (NETS[0], np.int16, False), (TRANSFORMERS[0], np.int16, False),
], ids=str)
def test_they_are_not_read_from_a_file(step, dtype, gap, tmp_path):
    """Of a file of 32 MB of which 1 part in 1,000 is used less than 3 MB are read, and no more are allocated."""
    path, n_features = tmp_path / "values", 1 if getattr(step, "embedding_dim", None) else 4
    with open(path, "wb") as file:
        file.truncate(ROWS * 4 * np.dtype(dtype).itemsize)      # zeros, and no place on the disk
    if gap:
        np.memmap(path, dtype, "r+", shape=(ROWS * 4,))[ROWS * 2 + 7] = np.nan
    total = ROWS * 4 // n_features
    starts = np.concatenate([np.arange(8) * 100, [total - 100, total - 90]])
    X = RaggedArray(np.memmap(path, dtype, "r", shape=(total, n_features)), np.full(10, 90), starts)
    y = [np.arange(90) % 2.0] * 10 if getattr(step, "return_sequences", False) else np.arange(10) % 2.0
    tracemalloc.start()
    try:
        step = clone(step).fit(X, y)
        for chosen in (X, X[::3], X[[9, 0]]):
            (step.predict if hasattr(step, "predict") else step.transform)(chosen)
        assert tracemalloc.get_traced_memory()[1] < 3 * 10**6
    finally:
        tracemalloc.stop()
    assert 0 < in_memory_of(path) < 3 * 10**6


def test_a_large_selection_of_a_file_is_not_copied(tmp_path):
    path = tmp_path / "values"
    with open(path, "wb") as file:
        file.truncate(2**28)
    X = RaggedArray(np.memmap(path, np.float64, "r", shape=(2**22, 8)), np.full(2**12, 2**10))
    chosen = np.arange(2**12) % 3 == 0
    tracemalloc.start()
    try:
        large, small = X[chosen], X[[1, 4000]]
        assert tracemalloc.get_traced_memory()[1] < 10**6
    finally:
        tracemalloc.stop()
    assert np.shares_memory(large.values, X.values)
    assert large.starts.tolist() == (np.flatnonzero(chosen) * 2**10).tolist()
    assert len(small.values) == 2**11       # a copy: pickles of it are small, too


def test_no_warning_of_what_is_not_used():
    ragged, X = with_unused("between", 20_000, np.float64, np.inf)
    ragged.values[-1] = -np.inf
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.simplefilter("ignore", ConvergenceWarning)
        scaled = SequenceScaler().fit_transform(ragged)
        predicted = RNNRegressor(**SMALL).fit(ragged, np.arange(8.0)).predict(X)
        single = RNNRegressor(**SMALL).fit([x.astype(np.float32) for x in X], np.arange(8.0)).predict(ragged)
    assert all(np.isfinite(x).all() for x in scaled)
    assert np.isfinite(predicted).all()
    assert np.isfinite(single).all()
