"""Sequences in shards: what is asked of them, in which order it is put together, and what changes them."""

from functools import partial
from itertools import pairwise
from operator import methodcaller

import numpy as np
import pytest
from forms import OnDisk

from skrnn._data.containers import as_sequences
from skrnn._data.sharded import ShardedSequences
from skrnn._data.units import N_STRETCHES, WeightedMoments, learn_units
from skrnn._estimators.shard import Shard
from skrnn._training.sharding import LocalShards

rng = np.random.default_rng(0)
LENGTHS = rng.integers(1, 9, 2000)
LENGTHS[::150] = 3000           # of several stretches
X = [rng.normal(size=(n, 2)) * [3, 1] + [50, 0] for n in LENGTHS]


def sharded(X, sizes):
    ends = np.cumsum([0, *sizes])
    parts = [X[first:last] for first, last in pairwise(ends)]
    shards = LocalShards([Shard([part], i) for i, part in enumerate(parts)])
    for shard, part in zip(shards.shards, parts, strict=True):
        shard.sequences = as_sequences(part) if len(part) else None
    whole = as_sequences(X)
    return ShardedSequences(shards, np.array(sizes), whole.lengths, whole.kind, whole.n_features, whole.dtype)


SIZES = [[2000], [1, 1999], [256, 0, 44, 700, 1000], [100] * 20, [N_STRETCHES - 30, 1, 1, 2000 - N_STRETCHES + 28]]


@pytest.mark.parametrize("sizes", SIZES)
@pytest.mark.parametrize("weighted", [False, True])
def test_units_have_the_same_bits_wherever_the_sequences_lie(sizes, weighted):
    index = np.flatnonzero(np.arange(2000) % 7)
    weights = rng.uniform(0.5, 2, len(index)) if weighted else None
    expected = learn_units(as_sequences(X), index, weights)
    found = learn_units(sharded(X, sizes), index, weights)
    assert found.center.tobytes() == expected.center.tobytes()
    assert found.scale.tobytes() == expected.scale.tobytes()


def test_units_do_not_depend_on_how_many_sequences_are_added_at_a_time():
    whole, parts, sequences = WeightedMoments(), WeightedMoments(), as_sequences(X)
    whole.add(sequences, np.arange(2000))
    for some in np.split(np.arange(2000), [3, 300, 301, 1200]):
        parts.add(sequences, some)
    for ours, theirs in zip(parts.units(), whole.units(), strict=True):
        assert ours.tobytes() == theirs.tobytes()


def first_numbers(sequences, index):
    return sequences.values[sequences.starts[index], 0]


def numbers_of_steps(sequences, index):
    return np.concatenate([sequences.values[sequences.starts[i] :][: sequences.lengths[i], 0] for i in index])


@pytest.mark.parametrize("per_step", [False, True])
def test_rows_are_in_the_order_of_the_index(per_step):
    index = np.random.default_rng(1).permutation(2000)[:300]
    function = numbers_of_steps if per_step else first_numbers
    found = sharded(X, SIZES[2]).ask_rows(function, index, per_step)
    assert found.tobytes() == as_sequences(X).ask_rows(function, index, per_step).tobytes()


def test_rows_of_shards():
    sequences = sharded(X, [3, 0, 1997])
    of_sequences, of_steps = sequences.of_shards(np.arange(2000)), sequences.of_shards(np.arange(LENGTHS.sum()), True)
    assert list(map(len, of_sequences)) == [3, 0, 1997]
    assert list(map(len, of_steps)) == [LENGTHS[:3].sum(), 0, LENGTHS[3:].sum()]
    assert [own.tolist() for own in sequences.index_of_shards(np.array([4, 2, 1999, 0]))] == [[2, 0], [], [1, 1996]]
    assert sequences.of_shards(None) == [None] * 3


def doubled(sequences):
    return sequences.replace(values=np.repeat(2 * sequences.values, 2, axis=1))


def test_changes_are_noted_then_carried_out():
    sequences = sharded(X, [3, 0, 1997])
    shards, index = sequences.shards.shards, np.array([1, 700])
    before = shards[0].sequences
    changed = sequences.map(doubled).astype(np.float32)
    assert (changed.n_features, changed.dtype, sequences.n_features) == (4, np.float32, 2)
    assert shards[0].sequences is before
    expected = np.float32(2 * first_numbers(as_sequences(X), index))
    assert changed.ask_rows(first_numbers, index).tobytes() == expected.tobytes()
    done = changed.carry_out()
    assert shards[0].sequences.dtype == shards[2].sequences.dtype == np.float32
    assert done.ask_rows(first_numbers, index).tobytes() == expected.tobytes()
    assert done.carry_out() is done
    static = np.arange(4000.0).reshape(2000, 2)
    sequences.with_static(static).carry_out()
    assert shards[2].sequences.static.tobytes() == static[3:].tobytes()


def row_of(sequences, index, row):
    return sequences.label("X", row, per_step=False)


@pytest.mark.parametrize("form", [list, OnDisk], ids=["in memory", "read on demand"])
def test_shards_know_the_numbers_of_their_sequences(form):
    shard = Shard([X[:5], [], X[5:9]], 3)
    assert list(shard.parts) == [3, 4, 5]
    shard._read = [as_sequences(form(X[:5])), as_sequences(form(X[5:9]))]
    shard.join(np.float64, 100)
    shard.change([methodcaller("map", doubled)], None)
    assert shard.report((), partial(row_of, row=7), np.array([0])) == "X[107]"
    loaded, index = shard.sequences.load(np.array([7, 2]))
    assert [loaded.label("X", i, per_step=False) for i in index] == ["X[107]", "X[102]"]
    view = loaded.view_of(index)
    assert [view.label("X", i, per_step=False) for i in range(2)] == ["X[107]", "X[102]"]
    assert first_numbers(view, np.arange(2)).tolist() == [2 * X[7][0, 0], 2 * X[2][0, 0]]
