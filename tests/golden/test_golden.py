"""Trained parameters and predictions of small estimators in every form, against those that golden.npz keeps."""

from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from bits import has_fma, with_fma
from configurations import CONFIGURATIONS, results

from skrnn import kernels

pytestmark = pytest.mark.usefixtures("simd")
GOLDEN = Path(__file__).with_name("golden.npz")

# Machines that build wheels have no polars.
POSSIBLE = [name for name in CONFIGURATIONS if find_spec("polars") or not name.startswith("X-polars")]
# The largest difference of float32 and of float64 numbers, as a share of the array's largest value
BOUNDS = {"exact": (0, 0), "rounded": (1e-6, 1e-12), "minimised": (1e-4, 1e-9)}
# Without fma, for which the file has no bits
BASELINE = {"exact": (1e-4, 1e-12), "rounded": (1e-4, 1e-12), "minimised": (1e-4, 1e-9)}

DECISION = (
    "A change of bits is a decision, not an accident. When it is meant, name it in CHANGELOG.md and compute the file "
    "anew with `python tests/golden/regenerate.py`"
)


@pytest.fixture(scope="module")
def golden():
    with np.load(GOLDEN, allow_pickle=False) as file:
        return dict(file)


def bound_of(how, array, arrays):
    """How much an array of a configuration may differ, as a share of its largest value; 0: not in one bit."""
    without_fma = not has_fma(kernels.instruction_set)
    # What float32 numbers have led to is no more precise for being in float64, unless these are the same to the bit.
    among = arrays if without_fma or how == "minimised" else [array]
    single, double = (BASELINE if without_fma else BOUNDS)[how]
    return single if any(other.dtype == np.float32 for other in among) else double


def difference(array, expected):
    """The largest difference as a share of the largest value, NaN where only one of the two is a number."""
    largest = np.abs(expected[np.isfinite(expected)]).max(initial=0)
    with np.errstate(invalid="ignore"):
        return np.where(array == expected, 0, np.abs(array - expected)).max(initial=0) / (largest or 1)


def complaint(key, array, expected, arrays):
    """What is wrong with an array, or None."""
    if (array.dtype, array.shape) != (expected.dtype, expected.shape):
        return f"{key} is {array.dtype} of shape {array.shape}, not {expected.dtype} of shape {expected.shape}"
    if array.dtype.kind != "f":
        return None if np.array_equal(array, expected) else f"{key} is\n{array}\nand not\n{expected}"
    bound = bound_of(key.rpartition("/")[2], array, arrays)
    by = difference(array, expected)
    if array.tobytes() == expected.tobytes() or (bound and by <= bound):
        return None
    return f"{key} differs by {by:.1e} of its largest value, allowed are {bound:.0e}"


def test_the_file_has_the_configurations_and_no_others(golden):
    assert {key.partition("/")[0] for key in golden} == set(CONFIGURATIONS), DECISION


def complaints(name, golden):
    """What differs in a configuration, to the bit where the kernels compute with fma, else by more than rounding."""
    arrays, stored = results(name), {key for key in golden if key.partition("/")[0] == name}
    assert arrays.keys() == stored, DECISION
    found = [complaint(key, array, golden[key], arrays.values()) for key, array in arrays.items()]
    return [text for text in found if text is not None]


@pytest.mark.every_simd(among=with_fma(True))
@pytest.mark.parametrize("name", POSSIBLE)
def test_golden(name, golden):
    found = complaints(name, golden)
    assert not found, "\n".join([*found, DECISION])


@pytest.mark.every_simd(among=with_fma(False))
def test_golden_without_fma(golden):
    """A third of them: neighbours differ in little, and all are held to rounding alone."""
    found = [text for name in POSSIBLE[::3] for text in complaints(name, golden)]
    assert not found, "\n".join([*found, DECISION])
