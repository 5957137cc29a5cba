"""The files that released versions have written: this one reads them, and predicts the numbers that were kept."""

from pathlib import Path

import numpy as np
import pytest
from stored_models import MODELS, made, numbers_of

import skrnn

FOLDER = Path(__file__).with_name("files")
FILES = sorted(FOLDER.glob("*/*.skrnn"))
# Of another processor or instruction set
TOLERANCE = {"rtol": 1e-4, "atol": 1e-5}


def test_there_are_some_of_this_version():
    names = {path.stem for path in FILES if path.parent.name == skrnn.__version__}
    assert names == set(MODELS), "write them with tests/storage/keep_files.py, before the release"


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.InconsistentVersionWarning")
@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_a_kept_file(path):
    estimator = skrnn.load(path)
    _, X = made(path.stem)
    with np.load(path.with_name("expected.npz"), allow_pickle=False) as file:
        expected = {key.rpartition("/")[2]: file[key] for key in file if key.rpartition("/")[0] == path.stem}
    found = numbers_of(estimator, X)
    assert found.keys() >= expected.keys()
    for name, numbers in expected.items():
        if numbers.dtype.kind in "fc":
            np.testing.assert_allclose(found[name], numbers, **TOLERANCE)
        else:
            np.testing.assert_array_equal(found[name], numbers)
