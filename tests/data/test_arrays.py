"""Arrays that are not plain: read-only, mapped, strided, of another byte order, misaligned."""

import numpy as np
import pytest

from skrnn import RNNClassifier, RNNRegressor

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def misaligned(a):
    buffer = np.zeros(a.nbytes + 1, np.uint8)[1:]
    buffer[:] = np.frombuffer(a.tobytes(), np.uint8)
    return buffer.view(a.dtype).reshape(a.shape)


def read_only(a):
    a = a.copy()
    a.flags.writeable = False
    return a


def mapped(a, tmp_path):
    path = tmp_path / "array.npy"
    np.save(path, a)
    return np.load(path, mmap_mode="r")


FORMS = {
    "read-only": read_only,
    "Fortran order": np.asfortranarray,
    "reversed": lambda a: a[::-1].copy()[::-1],
    "every second": lambda a: np.repeat(a, 2, axis=0)[::2],
    "transposed": lambda a: np.ascontiguousarray(a.swapaxes(0, -1)).swapaxes(0, -1),
    "big-endian": lambda a: a.astype(a.dtype.newbyteorder(">")),
    "misaligned": misaligned,
    "subclass": lambda a: a.view(type("Array", (np.ndarray,), {})),
}


@pytest.mark.parametrize("form", [*FORMS, "mapped"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("n_dimensions", [2, 3])
@pytest.mark.parametrize("return_sequences", [False, True])
def test_the_same_bits_as_plain_arrays(form, dtype, n_dimensions, return_sequences, tmp_path):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(20, 6, 2)[:n_dimensions]).astype(dtype)
    y = rng.normal(size=(20, 6) if return_sequences else 20)
    w = rng.uniform(size=20)
    net = RNNRegressor(4, max_iter=3, return_sequences=return_sequences, random_state=0)
    expected = net.fit(X, y, w).predict(X)
    make = FORMS.get(form, lambda a: mapped(a, tmp_path))
    odd = [make(X), make(y), make(w)] if form != "mapped" else [make(X), y, w]
    before = [np.array(a) for a in odd]
    assert net.fit(*odd).predict(odd[0]).tobytes() == expected.tobytes()
    assert net.predict(odd[0]).dtype == dtype
    for a, b in zip(odd, before, strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("dtype", [np.int8, np.uint64, bool, np.float16, np.longdouble])
def test_other_numbers_are_float64(dtype):
    X = np.random.default_rng(0).integers(0, 2, size=(20, 6, 2)).astype(dtype)
    y = np.arange(20) % 2
    net = RNNClassifier(4, max_iter=3, random_state=0)
    expected = net.fit(X.astype(np.float64), y).predict_proba(X.astype(np.float64))
    assert net.fit(X, y).predict_proba(X).tobytes() == expected.tobytes()


@pytest.mark.parametrize("missing", ["ffill", "indicator"])
def test_filling_missing_values_leaves_x_alone(missing):
    X = np.random.default_rng(0).normal(size=(20, 6, 2))
    X[3, 2, 1] = np.nan
    before = X.copy()
    RNNRegressor(4, missing=missing, max_iter=2).fit(read_only(X), np.arange(20.0)).predict(read_only(X))
    np.testing.assert_array_equal(X, before)
