"""Static features go with their sequences, whatever is done to these, in memory or read on demand."""

from functools import partial

import numpy as np
import pytest

from skrnn._data.lazy import LazySequences, in_memory, unshared
from skrnn._data.missing import without_gaps
from skrnn._data.own_units import in_own_units
from skrnn._data.sequences import Sequences
from skrnn._data.units import Units

LENGTHS = np.array([3, 1, 4, 2, 5])
STATIC = np.arange(10.0).reshape(5, 2)


def in_memory_sequences(static=STATIC):
    values = np.random.default_rng(0).normal(size=(LENGTHS.sum(), 2))
    return Sequences(values, LENGTHS, "ragged", static=static)


def on_demand(static=STATIC):
    whole = in_memory_sequences(None)
    return LazySequences(whole.copy_of, LENGTHS, "ragged", 2, whole.dtype, static=static)


def sharing_steps(static=STATIC):
    values = np.random.default_rng(0).normal(size=(9, 2))
    return Sequences(values, LENGTHS, "ragged", starts=np.array([0, 2, 1, 5, 4]), static=static)


KINDS = {"in memory": in_memory_sequences, "on demand": on_demand, "sharing steps": sharing_steps}
CHANGES = {
    "nothing": lambda sequences: sequences,
    "float32": lambda sequences: sequences.astype(np.float32),
    "filled": lambda sequences: unshared(sequences).map(partial(without_gaps, missing="indicator")),
    "own units": lambda sequences: unshared(sequences).map(
        partial(in_own_units, units=Units(np.zeros(2), np.ones(2)), missing="error")
    ),
    "own steps": unshared,
    "in memory": partial(in_memory, what="a test"),
}


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("kind", KINDS)
def test_they_stay(kind, change):
    sequences = CHANGES[change](KINDS[kind]())
    dtype = np.float32 if change == "float32" else np.float64
    np.testing.assert_array_equal(sequences.static, STATIC)
    index = np.array([4, 0, 3])
    loaded, numbers = sequences.load(index)
    np.testing.assert_array_equal(loaded.static[numbers], STATIC[index])
    parts = [part.static[numbers] for part, numbers in sequences.iter_chunks(index)]
    np.testing.assert_array_equal(np.concatenate(parts), STATIC[index])
    assert parts[0].dtype == loaded.dtype == dtype


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("kind", KINDS)
def test_without_there_are_none(kind, change):
    assert CHANGES[change](KINDS[kind](None)).static is None


@pytest.mark.parametrize(
    "select",
    [
        lambda sequences, index: sequences[index] if isinstance(sequences, LazySequences) else sequences.view_of(index),
        lambda sequences, index: sequences.load(index)[0].copy_of(
            index if isinstance(sequences, Sequences) else np.arange(len(index))
        ),
    ],
    ids=["view", "copy"],
)
@pytest.mark.parametrize("kind", KINDS)
def test_of_some_sequences(kind, select):
    index = np.array([3, 1])
    chosen = select(KINDS[kind](), index)
    np.testing.assert_array_equal(chosen.lengths, LENGTHS[index])
    np.testing.assert_array_equal(chosen.static, STATIC[index])


@pytest.mark.parametrize("kind", KINDS)
def test_too_large_for_the_dtype(kind):
    static = STATIC.copy()
    static[2, 1] = 1e39
    with pytest.raises(ValueError, match=r"too large for float32, .* sequence 2, static feature 1"):
        KINDS[kind](static).astype(np.float32)
