"""Arrays that HDF5, Zarr, dask and xarray keep: the same nets as of NumPy's, read at once or by slices and chunks.

h5py is a dependency of the tests, the others are not: without one of them its tests are skipped, unless
SKRNN_REQUIRE_PEERS is set, as in continuous integration.
"""

import importlib
import os
import pickle

import numpy as np
import pytest
from sklearn.model_selection import GridSearchCV, KFold, cross_val_score, train_test_split
from sklearn.pipeline import make_pipeline

from skrnn import RNNClassifier, RNNRegressor
from skrnn._data import lazy, on_demand
from skrnn._data.containers import as_sequences
from skrnn._data.lazy import LazySequences
from skrnn._data.sequences import Sequences
from skrnn._estimators import fit_warnings
from skrnn.preprocessing import SequenceImputer, SequenceScaler

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
SMALL = {"hidden_size": 2, "max_iter": 2, "batch_size": 7, "random_state": 0}
rng = np.random.default_rng(0)
CUBE = rng.normal(size=(40, 6, 2))
LENGTHS = rng.integers(1, 9, 40)
X = [rng.normal(size=length) for length in LENGTHS]
y, WEIGHTS = CUBE[:, 0, 0].copy(), np.arange(40.0)
STEPS = np.cumsum(CUBE[:, :, 0], axis=1)


def library(name):
    """The module, or a skip."""
    return importlib.import_module(name) if os.environ.get("SKRNN_REQUIRE_PEERS") else pytest.importorskip(name)


def hdf5(values, folder, chunks=5):
    h5py = library("h5py")
    path = folder / f"{len(os.listdir(folder))}.h5"
    with h5py.File(path, "w") as file:
        if isinstance(values, list):
            data = file.create_dataset("x", (len(values),), dtype=h5py.vlen_dtype(values[0].dtype))
            for i, x in enumerate(values):
                data[i] = x
        else:
            file.create_dataset("x", data=values, chunks=(chunks, *values.shape[1:]) if chunks else None)
    return h5py.File(path, "r")["x"]


def zarr(values, folder):
    path = str(folder / f"{len(os.listdir(folder))}.zarr")
    array = library("zarr").create_array(path, shape=values.shape, chunks=(5, *values.shape[1:]), dtype=values.dtype)
    array[...] = values
    return array


def dask(values, folder):
    chunks = ((7, 1, len(values) - 8), *values.shape[1:])
    return library("dask.array").from_array(values, chunks=chunks)


def xarray(values, folder):
    return library("xarray").DataArray(values)


def xarray_of_dask(values, folder):
    return library("xarray").DataArray(dask(values, folder))


def hdf5_in_one_piece(values, folder):
    return hdf5(values, folder, chunks=None)


peer = [pytest.param(make, marks=pytest.mark.slow) for make in (zarr, dask, xarray, xarray_of_dask)]
containers = pytest.mark.parametrize("make", [hdf5, hdf5_in_one_piece, *peer])


class Stored:
    """An array as HDF5's: it takes slices and increasing indices, and records what it is asked for."""

    def __init__(self, values, per_chunk=None):
        self.values, self.shape, self.ndim, self.dtype = values, values.shape, values.ndim, values.dtype
        self.chunks = per_chunk and (per_chunk, *values.shape[1:])
        self.asked = []

    def __getitem__(self, key):
        self.asked.append(key)
        if not isinstance(key, slice) and not (np.diff(key) > 0).all():
            raise TypeError("Indexing elements must be in increasing order")
        return self.values[key].copy()

    def __array__(self, dtype=None, copy=None):
        raise AssertionError("the whole X was read at once, and not by a slice")


@pytest.fixture(params=[False, True], ids=["at once", "in parts"])
def in_parts(request, monkeypatch):
    """Whether X is read as if it were larger than memory."""
    if request.param:
        monkeypatch.setattr(on_demand, "FRACTION_READ_AT_ONCE", 0)
        monkeypatch.setattr(lazy, "MAX_BYTES_PER_READ", 1000)
    return request.param


@containers
@pytest.mark.parametrize("changed", [
    {}, {"return_sequences": True}, {"missing": "ffill"}, {"shuffle": False}, {"early_stopping": True},
    {"solver": "lbfgs"}, {"dropout": 0.3, "truncated_bptt_steps": 3},
], ids=str)
def test_the_same_net(make, changed, in_parts, tmp_path):
    """With y and weights of the library, too."""
    parameters = SMALL | changed
    values, targets = CUBE.copy(), STEPS if parameters.get("return_sequences") else y
    if "missing" in changed:
        values[3, 2:, 1] = values[8, 4:] = np.nan
    stored, stored_y, weights = (make(a, tmp_path) for a in (values, targets, WEIGHTS))
    expected = RNNRegressor(**parameters).fit(values, targets, WEIGHTS)
    net = RNNRegressor(**parameters).fit(stored, stored_y, weights)
    np.testing.assert_array_equal(net._fitted.model.theta, expected._fitted.model.theta)
    np.testing.assert_array_equal(net.predict(stored), expected.predict(values))
    assert net.score(stored, stored_y, weights) == expected.score(values, targets, WEIGHTS)


@containers
@pytest.mark.parametrize("dtype", ["f4", "i2", ">f8", "?"])
def test_dtypes(make, dtype, in_parts, tmp_path):
    values = (CUBE > 0 if dtype == "?" else 9 * CUBE).astype(dtype)
    expected = RNNRegressor(**SMALL).fit(values, y)
    net = RNNRegressor(**SMALL).fit(make(values, tmp_path), y)
    np.testing.assert_array_equal(net._fitted.model.theta, expected._fitted.model.theta)
    assert net._fitted.model.theta.dtype == (np.float32 if dtype == "f4" else np.float64)


@containers
def test_pipelines_validation_and_partial_fit(make, in_parts, tmp_path):
    stored = make(CUBE, tmp_path)
    model = make_pipeline(SequenceScaler(), SequenceImputer(), RNNRegressor(**SMALL))
    np.testing.assert_allclose(
        model.fit(stored, y).predict(stored), model.fit(CUBE, y).predict(CUBE), rtol=1e-9
    )
    net = RNNRegressor(early_stopping=True, **SMALL)
    ours = net.fit(stored, y, X_val=stored, y_val=make(y, tmp_path)).validation_scores_
    assert ours == net.fit(CUBE, y, X_val=CUBE, y_val=y).validation_scores_
    one, other = (RNNRegressor(**SMALL).partial_fit(data, y).partial_fit(data, y) for data in (stored, CUBE))
    np.testing.assert_array_equal(one._fitted.model.theta, other._fitted.model.theta)


@containers
def test_labels_and_tables(make, tmp_path):
    labels, table = np.arange(40) % 3, CUBE[:, :, 0]
    expected = RNNClassifier(**SMALL).fit(table, labels)
    net = RNNClassifier(**SMALL).fit(make(table, tmp_path), make(labels, tmp_path))
    np.testing.assert_array_equal(net.predict_proba(make(table, tmp_path)), expected.predict_proba(table))
    assert net.classes_.tolist() == [0, 1, 2]


def test_arrays_of_several_lengths(in_parts, tmp_path):
    """HDF5's of variable length, with targets of each step in another."""
    stored, steps = hdf5(X, tmp_path), [np.cumsum(x) for x in X]
    parameters = SMALL | {"return_sequences": True}
    net = RNNRegressor(**parameters).fit(stored, hdf5(steps, tmp_path))
    np.testing.assert_array_equal(net._fitted.model.theta, RNNRegressor(**parameters).fit(X, steps)._fitted.model.theta)
    scaled, expected = SequenceScaler().fit_transform(stored), SequenceScaler().fit_transform(X)
    for i in range(40):
        np.testing.assert_allclose(np.ravel(scaled[i]), expected[i], rtol=1e-12)


@pytest.mark.slow
def test_xarray_of_objects():
    items = np.empty(40, object)
    items[:] = X
    net = RNNRegressor(**SMALL).fit(xarray(items, None), y)
    np.testing.assert_array_equal(net._fitted.model.theta, RNNRegressor(**SMALL).fit(X, y)._fitted.model.theta)


@pytest.mark.slow
def test_xarray_in_memory_is_not_copied(monkeypatch):
    monkeypatch.setattr(on_demand, "FRACTION_READ_AT_ONCE", 0)
    assert np.shares_memory(as_sequences(xarray(CUBE, None)).values, CUBE)
    assert isinstance(as_sequences(xarray_of_dask(CUBE, None)), LazySequences)
    assert isinstance(as_sequences(dask(CUBE, None)), LazySequences)


def test_a_small_array_is_read_once():
    stored = Stored(CUBE)
    RNNRegressor(**SMALL).fit(stored, Stored(y), Stored(WEIGHTS))
    assert stored.asked == [slice(None)]
    assert isinstance(as_sequences(stored), Sequences)


def test_what_is_small(monkeypatch):
    """Half of what a batch may take, counted as the numbers that it becomes."""
    for dtype, n_bytes in ((np.int8, 8), (np.float32, 4), (np.float64, 8)):
        stored = Stored(CUBE.astype(dtype))
        monkeypatch.setattr(on_demand.memory, "max_bytes", lambda n_bytes=n_bytes: 2 * CUBE.size * n_bytes)
        assert isinstance(as_sequences(stored), Sequences)
        monkeypatch.setattr(on_demand.memory, "max_bytes", lambda n_bytes=n_bytes: 2 * CUBE.size * n_bytes - 2)
        assert isinstance(as_sequences(stored), LazySequences)


def test_arrays_of_arrays_that_are_not_small(tmp_path, monkeypatch):
    stored = hdf5(X, tmp_path)
    n_bytes = sum(8 * len(x) + on_demand.OBJECT_BYTES for x in X)
    monkeypatch.setattr(on_demand.memory, "max_bytes", lambda: 2 * n_bytes)
    assert isinstance(as_sequences(stored), Sequences)
    monkeypatch.setattr(on_demand.memory, "max_bytes", lambda: 2 * n_bytes - 2)
    assert isinstance(as_sequences(stored), LazySequences)


@pytest.mark.parametrize("per_chunk", [None, 1, 3])
def test_a_large_array_is_read_by_slices_of_whole_chunks(per_chunk, monkeypatch):
    """By fit to check it, by predict and for statistics: in order, and no more bytes than may be read at a time."""
    monkeypatch.setattr(on_demand, "FRACTION_READ_AT_ONCE", 0)
    monkeypatch.setattr(lazy, "MAX_BYTES_PER_READ", 4 * CUBE[0].nbytes)
    n = 3 if per_chunk == 3 else 4
    pieces = [slice(first, min(first + n, 40)) for first in range(0, 40, n)]
    net, scaler = RNNRegressor(**SMALL | {"max_iter": 1}).fit(CUBE, y), SequenceScaler()
    for call in (lambda X: net.partial_fit(X, y), net.predict, scaler.fit, scaler.transform):
        stored = Stored(CUBE, per_chunk)
        call(stored)
        assert stored.asked[:3] == [slice(1), slice(1), slice(0, 1)]
        assert stored.asked[3 : 3 + len(pieces)] == pieces
        assert call != net.predict or stored.asked[-len(pieces) :] == pieces
        assert max(len(CUBE[key]) for key in stored.asked) <= 7     # as many as a batch


def test_a_batch_of_a_large_array_is_one_read(monkeypatch):
    monkeypatch.setattr(on_demand, "FRACTION_READ_AT_ONCE", 0)
    monkeypatch.setattr(fit_warnings, "MIN_EXPLAINED", -np.inf)     # no pass more for a net that learned nothing
    stored = Stored(CUBE)
    RNNRegressor(**SMALL | {"batch_size": 4}).fit(stored, y)
    batches = stored.asked[4:]
    assert len(batches) == 2 * 10
    assert any(isinstance(key, np.ndarray) for key in batches)      # that are far from each other


@pytest.mark.parametrize("index", [
    [0], [39], [5, 6, 7], [7, 5, 6], [3, 3, 3], [0, 39], [39, 0, 39], [1, 9, 17, 25], [30, 2, 11, 2, 39, 0, 1],
    list(range(40)), list(range(39, -1, -1)), list(range(0, 40, 7)),
], ids=str)
@pytest.mark.parametrize("max_bytes", [1, 500, 10**6])
def test_rows_in_any_order(index, max_bytes, monkeypatch):
    monkeypatch.setattr(lazy, "MAX_BYTES_PER_READ", max_bytes)
    stored = Stored(CUBE)
    np.testing.assert_array_equal(on_demand.read_rows(stored, np.array(index)), CUBE[index])
    for key in stored.asked:
        rows = CUBE[key]
        assert len(rows) <= len(set(index)) or rows.nbytes <= max(max_bytes, CUBE[0].nbytes)


def test_scaled_arrays_that_are_read_later_are_pickled(monkeypatch):
    monkeypatch.setattr(on_demand, "FRACTION_READ_AT_ONCE", 0)
    scaled = SequenceScaler().fit_transform(Stored(CUBE, 3))
    again = pickle.loads(pickle.dumps(scaled))
    np.testing.assert_array_equal(again[[5, 2]][1], scaled[2])
    assert scaled.n_per_chunk == again.n_per_chunk == 3


def test_cross_validation_of_hdf5(tmp_path):
    """scikit-learn indexes it, in increasing order unless the samples are shuffled one by one."""
    stored, net = hdf5(CUBE, tmp_path), RNNRegressor(**SMALL)
    for cv in (3, KFold(3, shuffle=True, random_state=0)):
        np.testing.assert_array_equal(cross_val_score(net, stored, y, cv=cv), cross_val_score(net, CUBE, y, cv=cv))
    assert GridSearchCV(net, {"hidden_size": [1, 2]}, cv=2).fit(stored, y).best_estimator_.n_features_in_ == 2
    with pytest.raises(TypeError, match="increasing order"):
        train_test_split(stored, y)


@pytest.mark.slow
def test_cross_validation_by_dask(tmp_path):
    """It takes indices in any order, also for HDF5's and Zarr's arrays, as docs/guide/files.md says."""
    dask_array, net = library("dask.array"), RNNRegressor(**SMALL)
    for make in (hdf5, zarr):
        wrapped = dask_array.from_array(make(CUBE, tmp_path))
        for one, other in zip(
            train_test_split(wrapped, y, random_state=0), train_test_split(CUBE, y, random_state=0), strict=True
        ):
            np.testing.assert_array_equal(one, other)
        np.testing.assert_array_equal(cross_val_score(net, wrapped, y, cv=3), cross_val_score(net, CUBE, y, cv=3))


@pytest.mark.parametrize(
    ("bad", "error", "message"),
    [
        (np.nan, ValueError, "X contains NaN: sequence 31, step 2, feature 1"),
        (-np.inf, ValueError, "X contains infinity: sequence 31, step 2, feature 1"),
        (1j, ValueError, "Complex data not supported"),
    ],
)
def test_bad_values_are_named(bad, error, message, in_parts):
    values = CUBE.astype(np.result_type(bad, CUBE))
    values[31, 2, 1] = bad
    with pytest.raises(error, match=message):
        RNNRegressor(**SMALL).fit(Stored(values, 3), y)


def of_unknown_chunks(path):
    array = library("dask.array")
    return array.ones((4, 3, 2))[array.ones(4) > 0]


def of_a_closed_file(path):
    with library("h5py").File(path / "x.h5", "w") as file:
        return file.create_dataset("x", data=np.ones((4, 3, 2)))


@pytest.mark.parametrize(("make", "remedy"), [
    (of_unknown_chunks, r"Array.*: its chunks have sizes that are not known, pass \w+.compute_chunk_sizes\(\)"),
    (lambda path: library("dask").delayed(len)([1]), r"Delayed.*: pass a table in memory, \w+.compute\(\)"),
    (of_a_closed_file, "Dataset.*: its file is closed"),
], ids=["dask", "Delayed", "HDF5"])
def test_what_cannot_be_read_yet(make, remedy, tmp_path):
    """A Delayed has items without end, which NumPy would all ask for."""
    values, X, y = make(tmp_path), np.ones((4, 3, 2)), np.arange(4.0)
    net = RNNRegressor(2, max_iter=1)
    for call in (
        lambda: net.fit(values, y), lambda: net.fit(X, values), lambda: net.fit(X, y, values),
        lambda: SequenceScaler().fit(values),
    ):
        with pytest.raises(TypeError, match=remedy):
            call()
