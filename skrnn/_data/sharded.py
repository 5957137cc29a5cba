"""Sequences that lie in shards, maybe on other machines: what is asked of them is put together here."""

from copy import copy
from operator import methodcaller

import numpy as np

from skrnn._data.ragged import rows_of
from skrnn._data.sequences import SequenceIndex, cast_static


class ShardedSequences(SequenceIndex):
    """Sequences that lie in shards, one shard after the other; only their index and their static features are here.

    Changes of them are noted, go with each question, and are made for good by `carry_out`.

    Parameters
    ----------
    shards : Shards
    counts : (S,) int array
        How many sequences each shard has.
    lengths, kind, **index
        As in `SequenceIndex`.
    n_features : int
    dtype : dtype
    static : (n, S) array, optional
        The static features of each sequence.
    """

    def __init__(self, shards, counts, lengths, kind, n_features, dtype, static=None, **index):
        super().__init__(lengths, kind, **index)
        self.shards, self.n_features, self.dtype, self.static = shards, n_features, np.dtype(dtype), static
        self.ends = np.cumsum(counts)
        self.firsts = self.ends - counts
        self._changes, self._has_new_static = (), False

    def ask(self, function, index, *of_each):
        """As in `SequenceIndex`, with an answer of each shard that has some of the sequences and knows one.

        Function is pickled, where shards are elsewhere.
        """
        n, places = len(self.ends), places_in_shards(index, self.ends)
        arguments = [[None if values is None else values[place] for place in places] for values in of_each]
        answers = self.shards.ask(
            "report", [self._changes] * n, [function] * n, self.index_of_shards(index), *arguments
        )
        return [answer for answer in answers if answer is not None]

    def ask_rows(self, function, index, per_step=False):
        """As in `SequenceIndex`."""
        rows, order = np.concatenate(self.ask(function, index)), np.concatenate(places_in_shards(index, self.ends))
        if (order[1:] > order[:-1]).all():
            return rows
        back = np.argsort(order)
        if not per_step:
            return rows[back]
        lengths = self.lengths[index[order]]
        return rows[rows_of((np.cumsum(lengths) - lengths)[back], lengths[back])]

    def of_shards(self, rows, per_step=False):
        """Rows of all sequences, or `per_step` of all steps, as a list of those of each shard; None for None."""
        if rows is None:
            return [None] * len(self.ends)
        ends = np.append(0, np.cumsum(self.lengths))[self.ends] if per_step else self.ends
        return np.split(rows, ends[:-1])

    def index_of_shards(self, index):
        """The sequences `index`, as `index_in_shards`."""
        return index_in_shards(index, self.ends)

    def changed(self, change):
        """The sequences changed by a function of all that lie in one shard; it is pickled, where these are elsewhere.
        """
        changed = copy(self)
        changed._changes = (*self._changes, change)
        changed.category_counts = changed.units = None
        answers = self.shards.ask("probe", [changed._changes] * len(self.ends))
        changed.n_features, changed.dtype, changed.n_codes = next(answer for answer in answers if answer is not None)
        changed.static = cast_static(self.static, changed.dtype)
        return changed

    def map(self, change):
        """The sequences changed by a function, as those in memory are."""
        return self.changed(methodcaller("map", change))

    def astype(self, dtype):
        """The same sequences in another dtype."""
        return self if self.dtype == dtype else self.changed(methodcaller("astype", dtype))

    def with_static(self, static):
        """The same sequences with other static features, (n, S)."""
        changed = copy(self)
        changed.static, changed._has_new_static = static, True
        return changed

    def carry_out(self):
        """The same sequences, after the shards have made all changes."""
        if not (self._changes or self._has_new_static):
            return self
        static = self.of_shards(self.static if self._has_new_static else None)
        self.shards.tell("change", [self._changes] * len(self.ends), static)
        changed = copy(self)
        changed._changes, changed._has_new_static = (), False
        return changed


def places_in_shards(index, ends):
    """Where in an index the items of each shard are, a list of int arrays; shards follow each other, to their ends."""
    shard = np.searchsorted(ends, index, "right")
    order = np.argsort(shard, kind="stable")
    return np.split(order, np.searchsorted(shard[order], np.arange(1, len(ends))))


def index_in_shards(index, ends):
    """Items by their number among all, in their order, as a list of those of each shard by their number in it."""
    places, firsts = places_in_shards(index, ends), [0, *ends[:-1]]
    return [index[place] - first for place, first in zip(places, firsts, strict=True)]
