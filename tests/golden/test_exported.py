"""What onnxruntime says in the place of estimators, in all configurations."""

import numpy as np
import pytest
from configurations import CONFIGURATIONS, collected, dropout, going_on, training
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

WITHOUT_PREDICTIONS = {
    "language-draws", "language-draws-word", "language-draws-lists", "language-pieces", "stopped-by-the-loss-groups",
}
# They differ in how nets were trained
TRAINED_APART = collected(dropout, going_on, training)


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in CONFIGURATIONS if name not in TRAINED_APART])
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
