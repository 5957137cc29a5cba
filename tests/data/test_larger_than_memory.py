"""X that is read in chunks: the same nets as in memory, in the memory of a chunk."""

import os
import pickle
import subprocess
import sys

import numpy as np
import pytest
from forms import OnDisk, array, ragged
from sklearn.ensemble import VotingRegressor
from sklearn.pipeline import make_pipeline

from skrnn import RaggedArray, RNNClassifier, RNNRegressor
from skrnn._data import lazy
from skrnn._data.containers import as_sequences
from skrnn._estimators import fit_warnings
from skrnn.preprocessing import SequenceImputer, SequenceScaler

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
SMALL = {"hidden_size": 3, "max_iter": 3, "batch_size": 7, "random_state": 0}
rng = np.random.default_rng(0)
LENGTHS = rng.integers(1, 9, 40)
X = [rng.normal(size=(length, 2)) for length in LENGTHS]
y = np.array([x[0, 0] for x in X])
STEPS = [np.cumsum(x[:, 0]) for x in X]
CUBE = rng.normal(size=(40, 6, 2))


def mapped(folder, values):
    """The same numbers as an array in a file."""
    path = folder / "X.npy"
    np.save(path, values)
    return np.load(path, mmap_mode="r")


class OfOneKind(OnDisk):
    """A sequence object that knows its shape, as HDF5's and Zarr's arrays, and may not be made an array as a whole."""

    def __init__(self, values):
        super().__init__(values)
        self.shape, self.ndim = values.shape, values.ndim

    def __array__(self, dtype=None, copy=None):
        raise AssertionError("the whole X was read at once")


@pytest.fixture(autouse=True)
def _small_parts(monkeypatch):
    """Some sequences at a time even here."""
    monkeypatch.setattr(lazy, "MAX_BYTES_PER_READ", 300)


@pytest.mark.parametrize(
    "changed",
    [
        {}, {"cell": "gru", "bidirectional": True, "pooling": "mean"}, {"missing": "indicator"},
        {"truncated_bptt_steps": 3},
        {"early_stopping": True}, {"hidden_size": (3, 2), "batch_size": 39},
        {"hidden_size": (3, 2), "dropout": 0.3, "recurrent_dropout": 0.3},
        {"dropout": 0.3, "recurrent_dropout": 0.3, "truncated_bptt_steps": 3, "missing": "ffill"},
    ],
    ids=str,
)
@pytest.mark.parametrize("per_step", [False, True])
def test_the_same_net_as_in_memory(changed, per_step):
    parameters = SMALL | {"return_sequences": per_step} | changed
    targets = STEPS if per_step else y
    weights = np.arange(40.0)
    expected = RNNRegressor(**parameters).fit(X, targets, weights)
    net = RNNRegressor(**parameters).fit(OnDisk(X), targets, weights)
    np.testing.assert_array_equal(net._fitted.model.theta, expected._fitted.model.theta)
    assert net.score(OnDisk(X), targets) == expected.score(X, targets)
    for one, other in zip(net.predict(OnDisk(X)), expected.predict(X), strict=True):
        np.testing.assert_array_equal(one, other)
    np.testing.assert_array_equal(net.transform(OnDisk(X)), expected.transform(X))


def test_states_of_what_is_read_in_parts():
    net = RNNRegressor(**SMALL).fit(X, y)
    first, state = net.predict(OnDisk(X), return_state=True)
    np.testing.assert_array_equal(first, net.predict(X))
    np.testing.assert_array_equal(state, net.predict(X, return_state=True)[1])


def test_partial_fit_and_validation_data():
    expected = RNNRegressor(**SMALL).partial_fit(X, y).partial_fit(X, y)
    net = RNNRegressor(**SMALL).partial_fit(OnDisk(X), y).partial_fit(OnDisk(X), y)
    np.testing.assert_array_equal(net._fitted.model.theta, expected._fitted.model.theta)
    expected = RNNRegressor(early_stopping=True, **SMALL).fit(X, y, X_val=X[:9], y_val=y[:9])
    net = RNNRegressor(early_stopping=True, **SMALL).fit(OnDisk(X), y, X_val=OnDisk(X[:9]), y_val=y[:9])
    assert net.validation_scores_ == expected.validation_scores_


@pytest.mark.parametrize("per_step", [False, True])
def test_categories(per_step):
    categories = [rng.integers(7, size=length) for length in LENGTHS]
    categories[3][0] = 11
    parameters = SMALL | {"embedding_dim": 2, "return_sequences": per_step}
    weights = np.ones(40)
    weights[3] = 0      # the only sequence with the last category
    targets = [x % 2 for x in categories] if per_step else np.arange(40) % 2
    expected = RNNClassifier(**parameters).fit(categories, targets, weights)
    net = RNNClassifier(**parameters).fit(OnDisk(categories), targets, weights)
    np.testing.assert_array_equal(net._fitted.model.theta, expected._fitted.model.theta)
    assert len(net.parameters_["embedding.E"]) == 8
    np.testing.assert_array_equal(net.transform(OnDisk(categories)), expected.transform(categories))
    with pytest.raises(ValueError, match=r"X\[3\]\[0\] is 0.5, expected a category"):
        net.fit(OnDisk([*categories[:3], np.array([0.5]), *categories[4:]]), targets)


@pytest.mark.parametrize(
    "change",
    [
        lambda values: values, lambda values: values.astype(np.float32), lambda values: (values * 9).astype(np.int16),
        lambda values: values.astype(">f8"), np.asfortranarray,
    ],
    ids=["float64", "float32", "int16", "other byte order", "other order"],
)
@pytest.mark.parametrize("missing", ["error", "ffill"])
def test_memory_mapped(change, missing, tmp_path):
    values = change(CUBE)
    expected = RNNRegressor(missing=missing, **SMALL).fit(values, y)
    X = mapped(tmp_path, values)
    net = RNNRegressor(missing=missing, **SMALL).fit(X, y)
    np.testing.assert_array_equal(net._fitted.model.theta, expected._fitted.model.theta)
    np.testing.assert_array_equal(net.predict(X), expected.predict(values))
    np.testing.assert_array_equal(net.predict(X[::2]), expected.predict(values[::2]))


def test_padding_of_what_is_mapped(tmp_path):
    padded = CUBE.copy()
    for i, length in enumerate(rng.integers(1, 7, 40)):
        padded[i, length:] = np.nan
    padded[0] = CUBE[0]
    parameters = SMALL | {"missing": "ffill", "return_sequences": True}
    targets = np.nan_to_num(padded[:, :, 0])
    expected = RNNRegressor(**parameters).fit(padded, targets)
    X = mapped(tmp_path, padded)
    net = RNNRegressor(**parameters).fit(X, targets)
    np.testing.assert_array_equal(net._fitted.model.theta, expected._fitted.model.theta)
    np.testing.assert_array_equal(net.predict(X), expected.predict(padded))


def test_arrays_of_other_libraries_are_not_read_whole():
    expected = RNNRegressor(return_sequences=True, **SMALL).fit(CUBE, CUBE[:, :, 0])
    net = RNNRegressor(return_sequences=True, **SMALL).fit(OfOneKind(CUBE), CUBE[:, :, 0])
    np.testing.assert_array_equal(net._fitted.model.theta, expected._fitted.model.theta)
    assert net.predict(OfOneKind(CUBE)).shape == (40, 6)


def test_only_the_batch_is_read(monkeypatch):
    """After the check of all, each epoch asks for each sequence once, a batch at a time."""
    monkeypatch.setattr(fit_warnings, "MIN_EXPLAINED", -np.inf)     # no pass more for a net that learned nothing
    data = OnDisk(X)
    RNNRegressor(**SMALL | {"shuffle": False, "max_iter": 2}).fit(data, y)
    checked, epochs = data.read[: -2 * 40], data.read[-2 * 40 :]
    assert sorted(set(checked)) == list(range(40))
    assert len(checked) <= 42
    assert epochs == [*range(40)] * 2


@pytest.mark.parametrize("transformer", [
    SequenceScaler(), SequenceScaler("minmax"), SequenceImputer(), SequenceImputer("interpolate", add_indicator=True)
], ids=str)
def test_transformers_pass_it_on_in_parts(transformer):
    gaps = [np.where(rng.random(x.shape) < 0.2, np.nan, x) for x in X]
    data = OnDisk(gaps)
    out = transformer.fit(data).transform(data)
    expected = transformer.fit_transform(gaps)
    data.read.clear()
    assert len(out) == 40
    chosen = out[[4, 2]][::-1]
    assert data.read == []
    for i, x in ((2, chosen[0]), (4, chosen[1]), (39, out[-1])):
        np.testing.assert_allclose(x, expected[i], rtol=1e-13)
    if isinstance(transformer, SequenceScaler):
        np.testing.assert_allclose(transformer.inverse_transform(out)[7], gaps[7], rtol=1e-12)
    else:
        net = RNNRegressor(**SMALL).fit(out, y)
        np.testing.assert_allclose(net.predict(out), RNNRegressor(**SMALL).fit(expected, y).predict(expected))


def test_what_the_scaler_passes_on_is_still_checked():
    gaps = [x.copy() for x in X]
    gaps[5][0, 1] = np.nan
    scaled = SequenceScaler().fit_transform(OnDisk(gaps))
    with pytest.raises(ValueError, match="X contains NaN: sequence 5, step 0, feature 1"):
        RNNRegressor(**SMALL).fit(scaled, y)
    assert RNNRegressor(missing="ffill", **SMALL).fit(scaled, y).n_features_in_ == 2


def bad_items(i, item):
    items = list(X)
    items[i] = item
    return OnDisk(items)


@pytest.mark.parametrize(
    ("data", "error", "message"),
    [
        (bad_items(31, np.full((2, 2), np.nan)), ValueError, "X contains NaN: sequence 31, step 0, feature 0"),
        (bad_items(31, np.ones((2, 3))), ValueError, r"X\[31\] has 3 features per step, expected 2"),
        (bad_items(31, np.ones((0, 2))), ValueError, r"X\[31\] has shape \(0, 2\)"),
        (bad_items(31, "text"), ValueError, r"X\[31\] is 'text', expected a number"),
        (bad_items(31, 1.0), ValueError, r"X\[31\] has shape \(\)"),
        (OnDisk([]), ValueError, "X is empty"),
        (range(40), ValueError, r"X\[0\] has shape \(\), expected \(steps, features\)"),
    ],
)
def test_all_is_checked_before_training(data, error, message):
    net = RNNRegressor(**SMALL)
    with pytest.raises(error, match=message):
        net.fit(data, y[: len(data)])
    assert not hasattr(net, "n_features_in_")


def test_what_changes_while_it_is_read():
    class Growing(OnDisk):
        def __getitem__(self, i):
            item = super().__getitem__(i)
            return np.concatenate([item, item]) if i == 9 and len(self.read) > 60 else item

    with pytest.raises(ValueError, match=rf"X\[9\] has changed while it was in use: it had {LENGTHS[9]} steps"):
        RNNRegressor(**SMALL).fit(Growing(X), y)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: RNNRegressor(solver="lbfgs", **SMALL), "solver='lbfgs'"),
        (lambda: SequenceScaler("robust"), "method='robust'"),
        (lambda: SequenceImputer("median"), "strategy='median'"),
    ],
)
def test_what_needs_all_of_X(make, message, monkeypatch):
    """It loads all of X if that fits in memory."""
    of_disk, in_memory = (vars(make().fit(data, y)) for data in (OnDisk(X), X))
    if "loss_" in in_memory:
        np.testing.assert_array_equal(of_disk["_fitted"].model.theta, in_memory["_fitted"].model.theta)
    else:
        name = next(name for name in ("center_", "statistics_") if name in in_memory)
        np.testing.assert_array_equal(of_disk[name], in_memory[name])
    monkeypatch.setattr(lazy.memory, "max_bytes", lambda: 100)
    with pytest.raises(ValueError, match=f"{message} needs all of X at once, 0.0 GB, more than half of the memory"):
        make().fit(OnDisk(X), y)


def test_items_of_several_dtypes():
    """As one array of them all would be: float64 unless all are float32."""
    mixed = [x.astype(np.float32 if i > 5 else np.float64) for i, x in enumerate(X)]
    expected = RNNRegressor(**SMALL).fit(mixed, y)
    net = RNNRegressor(**SMALL).fit(OnDisk(mixed), y)
    np.testing.assert_array_equal(net._fitted.model.theta, expected._fitted.model.theta)
    assert net._fitted.model.theta.dtype == np.float64


@pytest.mark.parametrize("change", [lambda X: X, lambda X: [x.astype(np.float32) for x in X]], ids=["double", "single"])
def test_a_net_of_another_dtype(change, tmp_path):
    net = RNNRegressor(**SMALL).fit([x.astype(np.float32) for x in X] if change(X) is X else X, y)
    np.testing.assert_array_equal(net.predict(OnDisk(change(X))), net.predict(change(X)))
    cube = mapped(tmp_path, CUBE if change(X) is X else CUBE.astype(np.float32))
    np.testing.assert_array_equal(net.predict(cube), net.predict(np.array(cube)))
    net.partial_fit(cube, y)


def test_memory_mapped_numbers_are_used_in_place(tmp_path):
    cube = mapped(tmp_path, CUBE)
    assert np.shares_memory(as_sequences(cube).values, cube)
    assert isinstance(as_sequences(cube, in_place=(np.float32,)), lazy.LazySequences)
    assert isinstance(as_sequences(cube, allow_missing=True), lazy.LazySequences)


def test_copies_of_mapped_arrays_are_in_memory(tmp_path):
    for copied in (mapped(tmp_path, CUBE).astype(np.float32), mapped(tmp_path, CUBE).copy()):
        assert isinstance(copied, np.memmap)
        assert isinstance(SequenceScaler("robust").fit_transform(copied), np.ndarray)


@pytest.mark.slow
def test_arrays_that_joblib_maps_give_the_same_net():
    """joblib hands large arrays to its workers as memory-mapped ones."""
    values = rng.normal(size=(400, 60, 8))
    net = RNNRegressor(2, max_iter=1, missing="ffill", dropout=0.3, random_state=0)
    nets = [
        ("a", make_pipeline(SequenceScaler("robust"), net)), ("b", make_pipeline(SequenceImputer("median"), net)),
        ("c", make_pipeline(SequenceScaler(), RNNRegressor(2, solver="lbfgs", max_iter=2, random_state=0))),
    ]
    one, two = (VotingRegressor(nets, n_jobs=n).fit(values, values[:, -1, 0]).predict(values[:20]) for n in (1, 2))
    np.testing.assert_array_equal(one, two)


def test_arrays_without_a_length():
    """Zarr's have a shape alone."""
    class OfShape:
        def __init__(self, values):
            self.values, self.shape, self.ndim = values, values.shape, values.ndim

        def __getitem__(self, i):
            return self.values[i]

        def __array__(self, dtype=None, copy=None):
            raise AssertionError("the whole X was read at once")

    net = RNNRegressor(**SMALL).fit(OfShape(CUBE), y)
    np.testing.assert_array_equal(net._fitted.model.theta, RNNRegressor(**SMALL).fit(CUBE, y)._fitted.model.theta)


def test_arrays_of_arrays():
    """HDF5's data sets of different lengths: of one dimension, and objects to NumPy."""
    class OfLengths(OnDisk):
        ndim = 1

        def __init__(self, items):
            super().__init__(items)
            self.shape = (len(items),)

        def __array__(self, dtype=None, copy=None):
            raise AssertionError("the whole X was read at once")

    flat = [x[:, 0] for x in X]
    net = RNNRegressor(**SMALL).fit(OfLengths(flat), y)
    np.testing.assert_array_equal(net._fitted.model.theta, RNNRegressor(**SMALL).fit(flat, y)._fitted.model.theta)


@pytest.mark.parametrize("key", [slice(3, 9), [5, 1], np.arange(40) > 30, -1, np.int64(3)], ids=str)
def test_selecting_what_is_read_later(key):
    scaled = SequenceScaler().fit(X).transform(OnDisk(X))
    expected = [SequenceScaler().fit(X).transform(X)[i] for i in np.atleast_1d(np.arange(40)[key])]
    out = [scaled[key]] if np.ndim(key) == 0 and not isinstance(key, slice) else list(scaled[key])
    for one, other in zip(out, expected, strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("key", [40, -41, [0, 40], np.ones(39, bool)], ids=str)
def test_selecting_what_is_not_there(key):
    with pytest.raises(IndexError, match="there are 40 sequences"):
        SequenceScaler().fit(X).transform(OnDisk(X))[key]


def test_arrays_in_memory_are_not_read_in_parts():
    """Those that say so by the protocols that PyTorch, JAX and others have."""
    class InMemory(OfOneKind):
        __array_interface__ = CUBE.__array_interface__

        def __array__(self, dtype=None, copy=None):
            return CUBE

    assert isinstance(as_sequences(InMemory(CUBE)), lazy.Sequences)


def test_columns_in_another_order():
    import pandas as pd

    frames = [pd.DataFrame(x, columns=["a", "b"]) for x in X]
    swapped = [*frames[:20], frames[20][["b", "a"]], *frames[21:]]
    with pytest.raises(ValueError, match=r"X\[20\] has the columns \['b', 'a'\], expected \['a', 'b'\] as in X\[0\]"):
        RNNRegressor(**SMALL).fit(OnDisk(swapped), y)


def test_names_are_those_of_what_is_passed_on():
    import pandas as pd

    gappy = [np.where(rng.random(x.shape) < 0.2, np.nan, x) for x in X]
    data = OnDisk([pd.DataFrame(x, columns=["a", "b"]) for x in gappy])
    scaled, flagged = SequenceScaler().fit_transform(data), SequenceImputer(add_indicator=True).fit_transform(data)
    assert RNNRegressor(missing="ffill", **SMALL).fit(scaled, y).feature_names_in_.tolist() == ["a", "b"]
    net = RNNRegressor(**SMALL).fit(flagged, y)
    assert net.n_features_in_ == 4
    assert not hasattr(net, "feature_names_in_")
    assert repr(scaled).startswith("40 sequences, 1 to 8 steps of 2 features, float64")
    again = pickle.loads(pickle.dumps(scaled))
    np.testing.assert_array_equal(again[3], scaled[3])


LIMITED = """
import os, resource, sys, warnings
import numpy as np
from skrnn import RNNRegressor, RaggedArray
from skrnn.preprocessing import SequenceScaler

warnings.simplefilter("ignore")
kind, path = sys.argv[1:]
n, T, D = 1200, 200, 200            # 0.38 GB of float64
if kind == "object":
    class Made:
        def __len__(self):
            return n
        def __getitem__(self, i):
            return np.full((T, D), i % 7.0)
    X = Made()
elif kind == "array":
    class Array:        # as HDF5's
        shape, ndim, dtype = (n, T, D), 3, np.dtype(np.float64)
        def __getitem__(self, key):
            return np.zeros((len(range(*key.indices(n))) if isinstance(key, slice) else len(key), T, D))
        def __array__(self, dtype=None, copy=None):
            return self[:]
    X = Array()
elif kind.startswith("ragged"):
    X = RaggedArray(np.memmap(path, np.float64, "r", shape=(n * T, D)), np.full(n, T))
else:
    X = np.memmap(path, kind, "r", shape=(n, T, D))
used = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
limit = used + 16 * 10**7           # of which a copy of X would take more than twice as much
if kind in ("object", "array"):
    assert limit < n * T * D * 8 + used
resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
try:
    np.ones(n * T * D)
    raise SystemExit("X fits in memory")
except MemoryError:
    pass
y = np.arange(n) % 3.0
missing = "ffill" if kind == "float32" else "error"
if kind in ("int16", "ragged, scaled"):
    X = SequenceScaler().fit_transform(X)
net = RNNRegressor(2, cell="rnn", patch_size=None, missing=missing, max_iter=1, random_state=0).fit(X, y)
assert np.isfinite(net.predict(X)).all()
assert np.isfinite(net.predict(X, return_state=True)[0]).all()
"""


@pytest.mark.slow
@pytest.mark.skipif(not os.path.exists("/proc/self/statm"), reason="needs Linux")
@pytest.mark.parametrize("kind", ["float64", "float32", "int16", "ragged", "ragged, scaled", "object", "array"])
def test_less_address_space_than_X_takes(kind, tmp_path):
    """X does not fit, fit and predict do; the file is mapped, so that it counts before the limit is set."""
    path = tmp_path / "X"
    with open(path, "wb") as file:
        file.truncate(1200 * 200 * 200 * 8)     # all zeros, and no place on the disk
    done = subprocess.run(
        [sys.executable, "-c", LIMITED, kind, str(path)], capture_output=True, text=True,
        env=os.environ | {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
    )
    assert done.returncode == 0, done.stderr


def test_a_ragged_array_may_be_mapped(tmp_path):
    values = np.concatenate(X)
    X_mapped = RaggedArray(mapped(tmp_path, values), LENGTHS)
    expected = RNNRegressor(**SMALL).fit(X, y)
    np.testing.assert_array_equal(
        RNNRegressor(**SMALL).fit(X_mapped, y)._fitted.model.theta, expected._fitted.model.theta
    )


def test_items_of_frames_keep_their_names():
    import pandas as pd

    net = RNNRegressor(**SMALL).fit(OnDisk([pd.DataFrame(x, columns=["a", "b"]) for x in X]), y)
    assert net.feature_names_in_.tolist() == ["a", "b"]


def test_smaller_ones_are_as_ever():
    """Lists, arrays and frames are no sequence objects."""
    for small in (ragged(), tuple(ragged()), array(), array().tolist()):
        net = RNNRegressor(**SMALL | {"batch_size": 4}).fit(small, np.arange(len(small)))
        assert net.n_features_in_ == 3
