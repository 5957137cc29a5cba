"""What onnxruntime says in the place of estimators, in golden configurations.

Not in all of them, which `benchmarks/onnx_differences.py` compares: some differ in how nets were trained, and of others
the parts of a model have tests of their own.
"""

import configurations
import numpy as np
import pytest
from exported import differences

from skrnn.exceptions import ExportError

pytest.importorskip("onnxruntime")
BOUND = 1e-5        # as a share of the largest value, in float32

# What has no form in ONNX, by the part of the message that names it
NOT_IN_ONNX = {
    "SlidingWindow-group": "SlidingWindow, has no form in ONNX with group=0",
    "SlidingWindow-context": "SlidingWindow, has no form in ONNX with context=True",
    "SequenceVectorizer": "SequenceVectorizer, reads texts",
}

WITHOUT_PREDICTIONS = {"language-draws", "language-draws-word", "language-draws-lists", "language-pieces"}
WHOLE = (
    "regression", "classification", "missing_values", "forms_of_X", "pipelines", "states", "categories",
    "columns_of_classes", "survival_and_outliers",
)
EVERY_THIRD = (
    "cells", "embeddings", "losses", "language", "units_and_patches", "distributions", "static_features", "times",
)


def names_in(section):
    return [name for name, _ in getattr(configurations, section)()]


NAMES = [name for section in WHOLE for name in names_in(section)]
NAMES += [name for section in EVERY_THIRD for name in names_in(section)[::3]]


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_predictions(name):
    """Numbers within a bound, labels the same; what stands behind the ends of sequences is of no matter."""
    padding = (np.nan, 1e3)[len(name) % 2]
    if name in NOT_IN_ONNX:
        with pytest.raises(ExportError, match=NOT_IN_ONNX[name]):
            differences(name, padding)
        return
    found = differences(name, padding)
    assert found or name in WITHOUT_PREDICTIONS
    assert all(error <= (0 if output.startswith("label") else BOUND) for output, error in found.items()), found
