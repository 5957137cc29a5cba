"""Gradients of parts of a batch, and how they are put together: in a fixed tree, whoever computed them."""

from typing import NamedTuple

import numpy as np

from skrnn._data.ragged import rows_of


class PartialGradient(NamedTuple):
    """The mean loss of a part of a batch, and its gradient."""

    loss: float
    penalty: float
    values: np.ndarray      # (m,): the gradient in the parameters of `ranges`, one after the other
    ranges: np.ndarray      # (r, 2) intp, those of `Objective.ranges`: two of them are the same, or apart
    weight: float           # Σ w

    @classmethod
    def of(cls, loss, penalty, gradient, weight, ranges):
        """What an `Objective` has returned, whose gradient (P,) is 0 but for these ranges."""
        return cls(loss, penalty, _packed(gradient, ranges), ranges, weight)

    def unpacked(self, out):
        """The gradient (P,), of which only the parameters of the ranges are set: `out`, or the values themselves."""
        if len(self.values) == len(out):
            return self.values
        out[_places(self.ranges)] = self.values
        return out


def together(a, b):
    """The `PartialGradient` of two parts of a batch: the means over both. Either of them may be None, and has no rows.

    (w₁ g₁ + w₂ g₂) / (w₁ + w₂), so that a part by itself keeps its bits.
    """
    if a is None or b is None:
        return b if a is None else a
    weight = a.weight + b.weight
    p, q = a.weight / weight, b.weight / weight
    if np.array_equal(a.ranges, b.ranges):
        ranges, values = a.ranges, p * a.values + q * b.values
    else:
        ranges = np.unique(np.concatenate([a.ranges, b.ranges]), axis=0)
        values = np.zeros(int((ranges[:, 1] - ranges[:, 0]).sum()), a.values.dtype)
        for part, fraction in ((a, p), (b, q)):
            values[_places_within(part.ranges, ranges)] += fraction * part.values
    return PartialGradient(p * a.loss + q * b.loss, p * a.penalty + q * b.penalty, values, ranges, weight)


class Nodes:
    """Parts that belong to ranges of shards, put together as far as the tree over all shards says how.

    The tree is binary: the shards from first to last are those before a power of two, as many as there are, and those
    after them. So the sum over all shards is the same to the bit, whichever of them are put together where.

    Parameters
    ----------
    n_shards : int
    parts : dict of tuple to PartialGradient or None
        By range of shards, (first, last + 1), which is that of a node.
    """

    def __init__(self, n_shards, parts=()):
        self.n_shards, self.parts = n_shards, dict(parts)
        self._collapse(0, n_shards)

    def add(self, parts):
        """Add those of other shards."""
        self.parts.update(parts)
        self._collapse(0, self.n_shards)

    @property
    def root(self):
        """The part of all shards; a KeyError if some are lacking."""
        return self.parts[0, self.n_shards]

    def _collapse(self, first, last):
        """Whether the node of these shards is there, after its children were put together if both are."""
        if (first, last) in self.parts:
            return True
        if last - first < 2:
            return False
        middle = first + middle_of(last - first)
        both = [self._collapse(first, middle), self._collapse(middle, last)]
        if all(both):
            self.parts[first, last] = together(self.parts.pop((first, middle)), self.parts.pop((middle, last)))
        return all(both)


def middle_of(n):
    """How many of n shards, at least 2, the first child of their node has: the greatest power of two below n."""
    return 1 << ((n - 1).bit_length() - 1)


def _packed(gradient, ranges):
    """The parameters of the ranges; the gradient itself if these are all."""
    if len(ranges) == 1 and ranges[0, 0] == 0 and ranges[0, 1] == len(gradient):
        return gradient
    return gradient[_places(ranges)]


def _places(ranges):
    return rows_of(ranges[:, 0], ranges[:, 1] - ranges[:, 0])


def _places_within(ranges, all_ranges):
    """Where the values of some ranges are among those of all, whose ranges increase."""
    sizes = all_ranges[:, 1] - all_ranges[:, 0]
    begins = (np.cumsum(sizes) - sizes)[np.searchsorted(all_ranges[:, 0], ranges[:, 0])]
    return rows_of(begins, ranges[:, 1] - ranges[:, 0])
