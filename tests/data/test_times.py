"""Times since the last step and since features were seen, against loops over steps."""

import numpy as np
import pytest

from skrnn._data.sequences import Sequences
from skrnn._data.times import Times, column_of_times

LENGTHS = np.array([4, 1, 6], dtype=np.intp)


def steps_with_gaps(column, dtype=np.float64, seed=0):
    """Sequences of two features, half of which are missing, and of a time where there is a column."""
    rng = np.random.default_rng(seed)
    total = LENGTHS.sum()
    values = np.where(rng.random((total, 2)) < 0.5, np.nan, rng.normal(size=(total, 2)))
    if column is not None:
        times = np.concatenate([rng.integers(-5, 5) + np.cumsum(rng.integers(0, 5, size=T)) for T in LENGTHS])
        values = np.insert(values, column, times, axis=1)
    return Sequences(values.astype(dtype), LENGTHS, "ragged")


def expected_gaps(values, column):
    """Δ and δ of one sequence, as Che et al. (2018) define them: δ_t = Δ_t + δ_{t−1} unless seen at t − 1."""
    times = np.arange(len(values)) if column is None else values[:, column]
    features = values if column is None else np.delete(values, column, axis=1)
    elapsed, since = np.zeros(len(values)), np.zeros(features.shape)
    for t in range(1, len(values)):
        elapsed[t] = times[t] - times[t - 1]
        since[t] = elapsed[t] + np.where(np.isnan(features[t - 1]), since[t - 1], 0)
    return elapsed, since


def make(column, since, n_directions=1):
    return Times(column, 2, since, n_directions, "t", np.array([2.0, 3.0, 0.5]))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(
    ("column", "since"), [(0, ""), (2, ""), (0, "input"), (1, "input"), (0, "decay"), (2, "decay"), (None, "decay")]
)
class TestSplit:
    def test_inputs(self, column, since, dtype):
        sequences = steps_with_gaps(column, dtype)
        steps, beside, _ = make(column, since, 2).split(sequences)
        values = sequences.values
        np.testing.assert_array_equal(steps.values, values if column is None else np.delete(values, column, axis=1))
        assert beside.dtype == dtype
        for start, length in zip(sequences.starts, LENGTHS, strict=True):
            rows = slice(start, start + length)
            elapsed, delta = expected_gaps(values[rows].astype(float), column)
            parts = [] if column is None else [np.log1p(elapsed / 2)[:, np.newaxis]]
            if since == "input":
                parts.append(np.log1p(delta / [3, 0.5]))
            if since == "decay":
                backwards = values[rows][::-1].astype(float)
                if column is not None:
                    backwards[:, column] *= -1
                parts += [delta / [3, 0.5], expected_gaps(backwards, column)[1][::-1] / [3, 0.5]]
            np.testing.assert_allclose(beside[rows], np.concatenate(parts, axis=1), rtol=1e-6)

    def test_goes_on_from_a_state_with_the_same_bits(self, column, since, dtype):
        times, sequences = make(column, since), steps_with_gaps(column, dtype)
        _, expected, _ = times.split(sequences)
        for start, length in zip(sequences.starts, LENGTHS, strict=True):
            state = np.zeros((1, times.state_width), dtype)
            for row in range(start, start + length):
                one = Sequences(sequences.values[[row]], np.ones(1, np.intp), "ragged")
                _, beside, state = times.split(one, state)
                assert state.dtype == dtype
                np.testing.assert_array_equal(beside[0], expected[row])


@pytest.mark.parametrize("column", [None, 1])
def test_means_are_those_of_the_steps_after_the_first(column):
    sequences = steps_with_gaps(column)
    gaps = [expected_gaps(sequences.values[start : start + length], column) for start, length in
            zip(sequences.starts, LENGTHS, strict=True)]
    weights = np.array([2.0, 1.0, 3.0])
    of_steps = np.concatenate([np.full(max(0, length - 1), w) for w, length in zip(weights, LENGTHS, strict=True)])
    elapsed, since = (np.concatenate([gap[i][1:] for gap in gaps]) for i in range(2))
    times, _ = Times(column, 2, "decay").learn(sequences, np.arange(3), weights)
    expected = [np.average(elapsed, weights=of_steps), *np.average(since, axis=0, weights=of_steps)]
    np.testing.assert_allclose(times.means, expected, rtol=1e-12)


def test_means_of_single_steps_are_1():
    times, _ = Times(None, 2, "decay").learn(Sequences(np.ones((3, 2)), np.ones(3, np.intp), "array"), np.arange(3))
    np.testing.assert_array_equal(times.means, 1)


class TestRefuses:
    def split(self, values, state=None):
        values = np.array(values, dtype=float)
        sequences = Sequences(values, np.array([1, len(values) - 1]), "ragged")
        Times(1, 1, "", 1, "t", np.ones(2)).split(sequences, state)

    def test_a_time_that_decreases(self):
        message = r"times='t': X\[1\], step 2, has the time 4.5, less than 5 at the step before.*sort them"
        with pytest.raises(ValueError, match=message):
            self.split([[0, 9], [0, 3], [0, 5], [0, 4.5]])

    def test_a_missing_time(self):
        with pytest.raises(ValueError, match=r"times='t': X\[1\], step 1, has no time"):
            self.split([[0, 9], [0, 3], [0, np.nan], [0, 4]])

    def test_a_time_before_that_of_the_state(self):
        state = np.array([[9.0, 1], [3.5, 1]])
        with pytest.raises(ValueError, match=r"X\[1\], step 0, has the time 3, less than 3.5"):
            self.split([[0, 9], [0, 3]], state)


class TestColumn:
    @pytest.mark.parametrize(("times", "expected"), [(None, None), (0, 0), (-1, 2), ("b", 1), (np.int64(2), 2)])
    def test_by_name_or_index(self, times, expected):
        assert column_of_times(times, ["a", "b", "c"], 3) == expected

    @pytest.mark.parametrize(("times", "names", "message"), [
        (3, None, "times=3 is no feature of X, whose steps have 3: expected an index from -3 to 2"),
        (-4, None, "times=-4 is no feature"),
        ("d", ["a", "b", "c"], r"times='d' is no feature of X: expected one of \['a', 'b', 'c'\], or an index"),
        ("a", None, "times='a' is a name, but the features of a step of X have none: pass the index"),
    ])
    def test_refuses(self, times, names, message):
        with pytest.raises(ValueError, match=message):
            column_of_times(times, names, 3)

    def test_refuses_a_time_alone(self):
        with pytest.raises(ValueError, match="times=0 is the only feature of X"):
            column_of_times(0, None, 1)
