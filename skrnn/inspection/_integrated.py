"""`integrated_gradients`: attributions that sum to the difference of two outputs."""

from dataclasses import replace
from numbers import Real

import numpy as np
from sklearn.exceptions import ConvergenceWarning

from skrnn._data.numbers import is_positive_int
from skrnn._data.ragged import rows_of
from skrnn._messages import shown
from skrnn._warnings import warn_user
from skrnn.inspection._explanation import Explanation
from skrnn.inspection._vectors import Vectors

# Gauss and Legendre's points of an interval (0, 1), and their weights, which sum to 1. Where there are kinks few points
# in short intervals are better than many in long ones.
N_NODES = 3
NODES, WEIGHTS = (part / 2 for part in np.polynomial.legendre.leggauss(N_NODES))
NODES += 0.5
# What parts of the way miss may cancel, but not more than so many times of what all may miss
MAX_CANCELLED = 5
# Of the sizes of the outputs, what rounding may make of their difference
ROUNDING = 1e-10


def integrated_gradients(
    net, X, *, baseline=0.0, target=None, step=None, tol=1e-3, max_points=1000, return_n_points=False
):
    """Attributions of what a net predicts to every cell of X: they sum to what it predicts beyond the baseline.

    The attribution of a cell is its difference to the baseline times the mean gradient on the straight way from the
    baseline to X. In a part of this way attributions sum to the difference of the outputs at its ends; parts in which
    they do not yet, such as around the kinks of a maximum, are halved until they do, so that the number of points is
    chosen for each sequence.

    Parameters
    ----------
    net : estimator
        A fitted net, or a Pipeline, search or other estimator around one; X then goes through the steps before it, and
        attributions are to what these give the net.
    X : as the estimator takes it
        n sequences.
    baseline : float, "mean", or sequences like those of X, default=0
        What the output is compared with. A number stands for all numbers of steps and static features; "mean" is their
        mean in training, with `standardize`; both are values of what the net reads. Sequences have as many steps as
        those of X, and go through the same steps of a Pipeline. But for sequences the baseline has the times of X, and
        categories that `fit` did not see. What is missing in X is missing in it.
    target, step
        As in `input_gradients`.
    tol : float, default=1e-3
        The attributions of a sequence sum to the difference of its outputs but for this fraction of it; or, where they
        nearly cancel, but for tol² times the sum of their absolute values.
    max_points : int, default=1000
        Points on the way at which gradients are computed at most, for each sequence. A ConvergenceWarning names a
        sequence for which they are too few.
    return_n_points : bool, default=False
        Also return how many there were.

    Returns
    -------
    attributions : like X
        In the units of the output, in the form that `input_gradients` returns. That of a category is the sum over the
        numbers of its vector, whose way begins at the vector of a category that was not seen.
    n_points : array of shape (n,)
        Only with `return_n_points`.

    Raises
    ------
    ValueError, TypeError
        When an argument does not go with the net, naming it; when the net reads each sequence in units of its own and
        the baseline is a number, from which no way leads to X without a jump.
    NotFittedError
        Before `fit`.

    Warns
    -----
    ConvergenceWarning
        When `max_points` do not reach `tol`.

    References
    ----------
    Sundararajan, M., Taly, A. and Yan, Q. (2017). Axiomatic attribution for deep networks. ICML.

    Examples
    --------
    >>> import numpy as np
    >>> from skrnn import RNNRegressor
    >>> from skrnn.inspection import integrated_gradients
    >>> X = np.random.default_rng(0).normal(size=(50, 8, 2))
    >>> net = RNNRegressor(4, random_state=0).fit(X, X[:, 0, 0])
    >>> attributions = integrated_gradients(net, X[:3])
    >>> difference = net.predict(X[:3]) - net.predict(np.zeros((3, 8, 2)))
    >>> bool(np.allclose(attributions.sum(axis=(1, 2)), difference, rtol=1e-3))
    True
    """
    if not isinstance(tol, Real) or isinstance(tol, bool) or not 0 < tol < np.inf:
        raise ValueError(f"tol={shown(tol)}: expected a positive number that is finite")
    if not is_positive_int(max_points) or max_points < 2 * N_NODES:
        raise ValueError(f"max_points={shown(max_points)}: expected an int from {2 * N_NODES} on")
    if baseline is None:
        raise ValueError('baseline=None: expected a number, "mean", or sequences like those of X')
    explanation = Explanation(net, X, target, step, baseline)
    if explanation.reading.in_own_units and isinstance(explanation.baseline, float | str):
        raise ValueError(
            f"baseline={baseline!r} is the same at all steps, but with standardize='sequence' the net reads a sequence "
            "in units of its deviation: where this begins to differ from 0 the output jumps, and attributions have no "
            "sum. Pass sequences that vary, such as other ones of as many steps"
        )
    points, not_reached = [], []

    def of_block(block):
        way = Way(explanation.explained, block, tol, max_points)
        points.append(way.n_points)
        not_reached.extend(way.not_reached())
        return way.attributions

    attributions = explanation.attributions(of_block)
    if not_reached:
        i, error, difference = not_reached[0]
        warn_user(
            f"the attributions of {len(not_reached)} of {len(explanation.sequences)} sequences do not sum to the "
            f"difference of their outputs but for tol={tol:g} of it, with max_points={max_points}: those of X[{i}] "
            f"miss {error:.3g} of {difference:.3g}. Try a greater max_points or tol, or a baseline nearer to X",
            ConvergenceWarning,
        )
    return (attributions, np.concatenate(points)) if return_n_points else attributions


class Way:
    """The straight way from the baselines of some sequences to these, with the attributions along it.

    Parameters
    ----------
    explained : Explained
    block : Block
    tol : float
    max_points : int

    Attributes
    ----------
    attributions : Vectors
    n_points : (n,) int array
    missed, errors : (n,) array
        By how much the attributions of the parts of the way miss the differences of outputs: the sum, and that of the
        absolute values.
    """

    def __init__(self, explained, block, tol, max_points):
        self.explained, self.block, self.tol, self.max_points = explained, block, tol, max_points
        n = len(block.X)
        start, end = (self._values(np.arange(n), np.full(n, fraction)) for fraction in (0.0, 1.0))
        self.difference = end - start
        self.allowed = tol * np.abs(self.difference) + ROUNDING * (np.abs(start) + np.abs(end))
        self.distance = block.X.map(np.subtract, block.baseline)
        self.attributions = block.X.map(np.zeros_like)
        self.n_points, self.missed, self.errors = np.full(n, 2 * N_NODES), np.zeros(n), np.zeros(n)
        # parts of the way: of which sequence, from where to where, and the outputs there; two of them at first, since
        # one may have the right sum by chance
        owner, ends, outputs = self._halves(
            np.arange(n), np.tile([0.0, 1.0], (n, 1)), np.stack([start, end], axis=1)
        )
        while len(owner):
            owner, ends, outputs = self._go(owner, ends, outputs)

    def not_reached(self):
        """Of each sequence whose attributions miss more than is allowed: its index in X, what they miss, and of what.
        """
        bad = np.flatnonzero(np.abs(self.missed) > self.allowed)
        return [(int(self.block.numbers[i]), abs(self.missed[i]), self.difference[i]) for i in bad]

    def _values(self, owner, fractions):
        """Outputs at fractions of the way of sequences."""
        parts = [
            self.explained.values(self._at(owner[part], fractions[part]), *self.block.of(owner[part]))
            for part in self.explained.batches(self.block.X.lengths[owner])
        ]
        return np.concatenate(parts)

    def _at(self, owner, fractions):
        return self.block.baseline.take(owner).toward(self.block.X.take(owner), fractions)

    def _go(self, owner, ends, outputs):
        """Add the attributions of parts of the way that are good enough; return the halves of the others."""
        good = np.empty(len(owner), bool)
        # whole sequences, so that none depends on the others
        sequences, n_parts = np.unique(owner, return_counts=True)
        last = np.cumsum(n_parts)
        for group in self.explained.batches(N_NODES * n_parts * self.block.X.lengths[sequences]):
            parts = slice(last[group.start] - n_parts[group.start], last[group.stop - 1])
            good[parts] = self._decide(owner[parts], ends[parts], outputs[parts])
        return self._halves(owner[~good], ends[~good], outputs[~good])

    def _halves(self, owner, ends, outputs):
        """The halves of parts of the way, those of a sequence one after the other."""
        middle = ends.mean(axis=1)
        at_middle = self._values(owner, middle) if len(owner) else middle
        halves = (
            np.concatenate([np.stack([a, b], axis=1), np.stack([b, c], axis=1)])
            for (a, c), b in ((ends.T, middle), (outputs.T, at_middle))
        )
        order = np.argsort(np.tile(owner, 2), kind="stable")
        return np.tile(owner, 2)[order], *(each[order] for each in halves)

    def _decide(self, owner, ends, outputs):
        """Add the attributions of parts of the way, but for those that should be halved; which are not, (m,) bool."""
        found = [
            self._integrate(owner[part], ends[part]) for part in self.explained.batches(
                N_NODES * self.block.X.lengths[owner]
            )
        ]
        found = found[0] if len(found) == 1 else Vectors.joined(found)
        missed = found.sums() - (outputs[:, 1] - outputs[:, 0])
        sizes = np.bincount(owner, found.map(np.abs).sums(), minlength=len(self.allowed))
        self.allowed = np.maximum(self.allowed, self.tol**2 * sizes)
        good = self._good(owner, missed)
        # The points of the halves, where there may be so many more
        n_further = 2 * N_NODES * np.bincount(owner[~good], minlength=len(self.n_points))
        n_further[self.n_points + n_further > self.max_points] = 0
        self.n_points += n_further
        good |= n_further[owner] == 0
        np.add.at(self.missed, owner[good], missed[good])
        np.add.at(self.errors, owner[good], np.abs(missed[good]))
        kept, index = found.take(np.flatnonzero(good)), owner[good]
        rows = rows_of(self.attributions.starts[index], self.attributions.lengths[index])
        of_parts = zip(self.attributions.parts, kept.parts, (rows, rows, index, index), strict=True)
        for total, part, where in of_parts:
            np.add.at(total, where, part)
        return good

    def _good(self, owner, missed):
        """Which parts are good enough, where they miss so much: all of a sequence that may miss it, else the best ones.

        Those miss half of their share at most, so that something is left for the halves of the others.
        """
        n, errors = len(self.errors), np.abs(missed)
        n_parts, left = np.bincount(owner, minlength=n), self.allowed - self.errors
        may = np.abs(self.missed + np.bincount(owner, missed, minlength=n)) <= self.allowed
        may &= self.errors + np.bincount(owner, errors, minlength=n) <= MAX_CANCELLED * self.allowed
        return may[owner] | (errors <= (0.5 * left / np.maximum(n_parts, 1))[owner])

    def _integrate(self, owner, ends):
        """The attributions of parts of the way."""
        first, width = ends[:, 0], ends[:, 1] - ends[:, 0]
        fractions = (first + width * NODES[:, np.newaxis]).reshape(-1)      # (N_NODES, m)
        owners = np.tile(owner, N_NODES)
        _, gradients = self.explained.values_and_gradients(self._at(owners, fractions), *self.block.of(owners))
        mean = replace(gradients.map(_weighted_mean), lengths=self.block.X.lengths[owner])
        of_steps, of_static = mean.per_row(width)
        distance = self.distance.take(owner)
        parts = zip(mean.parts, distance.parts, (of_steps, of_steps, of_static, of_static), strict=True)
        return Vectors(
            *(np.where(np.isnan(x), 0, d * x * fraction) for d, x, fraction in parts), mean.lengths
        )


def _weighted_mean(rows):
    """The mean (R, …) over an interval of rows (N_NODES · R, …) at its points, one point after the other."""
    return np.tensordot(WEIGHTS, rows.reshape(N_NODES, len(rows) // N_NODES, rows.shape[1]), axes=1)
