"""Arguments that several functions have."""

import numpy as np
import pytest

from skrnn import RNNClassifier
from skrnn.inspection import AttributionDisplay, HiddenStateDisplay, SequencePredictionDisplay, gradient_flow, occlusion
from skrnn.inspection._arguments import check_index

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
RAGGED = [np.arange(n)[:, np.newaxis] for n in (4.0, 2.0, 3.0)]
PADDED = np.concatenate([np.arange(9.0).reshape(3, 3, 1), np.full((3, 1, 1), np.nan)], axis=1)
LABELS = [["a", "b", "a", "b"], ["b", "a"], ["a", "a", "b"]]


@pytest.mark.parametrize(("value", "error"), [(3, ValueError), (-4, ValueError), (True, TypeError), (1.0, TypeError)])
def test_indices(value, error):
    assert check_index(-1, 3, "sequence", "sequences") == 2
    assert check_index(np.int64(2), 3, "sequence", "sequences") == 2
    with pytest.raises(error, match=f"sequence={value}: .*3 sequences"):
        check_index(value, 3, "sequence", "sequences")


@pytest.fixture(scope="module")
def per_step():
    return RNNClassifier(2, return_sequences=True, missing="ffill", max_iter=1, random_state=0).fit(RAGGED, LABELS)


class TestMeanTheSameEverywhere:
    @pytest.mark.parametrize("display", [AttributionDisplay, HiddenStateDisplay, SequencePredictionDisplay])
    def test_sequences(self, display, per_step):
        with pytest.raises(ValueError, match="sequence=3: there are 3 sequences of X, expected an index from 0 to 2"):
            display.from_estimator(per_step, RAGGED, sequence=3)
        with pytest.raises(TypeError, match=r"sequence=1\.0: expected an int, the index of one of the 3 sequences"):
            display.from_estimator(per_step, RAGGED, sequence=1.0)

    @pytest.mark.parametrize("function", [
        occlusion, lambda net, X, step: gradient_flow(net, X, net.predict(X), step=step)
    ], ids=["explanations", "gradient_flow"])
    def test_steps(self, function, per_step):
        for step in (3, -3):
            with pytest.raises(ValueError, match=rf"step={step}: X\[1\] has 2 steps, expected the index of a step"):
                function(per_step, RAGGED, step=step)
        with pytest.raises(TypeError, match=r"step=1\.0: expected an int"):
            function(per_step, RAGGED, step=1.0)
        for_all = RNNClassifier(2, max_iter=1, random_state=0).fit(RAGGED, ["a", "b", "a"])
        with pytest.raises(ValueError, match=r"step=0: the net has one output for each sequence, .*; leave it out"):
            function(for_all, RAGGED, step=0)

    def test_a_step_of_padding_is_the_last_one_before(self, per_step):
        found = occlusion(per_step, PADDED, step=3, target="a")
        np.testing.assert_array_equal(found, occlusion(per_step, PADDED, step=-1, target="a"))
