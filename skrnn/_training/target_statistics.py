"""What losses have to know of targets as a whole: means, deviations, quantiles, and which are known."""

import numpy as np
from scipy.optimize import brentq
from scipy.special import logit

from skrnn._data.units import rounding_of

# The least probability, and the least distance to 1, of a best constant: float32 tells them from 0 and 1.
MIN_PROBABILITY = float(np.finfo(np.float32).eps)


def known_fraction(targets):
    """Of each row of targets the fraction that is known, (R,) float64; None where all are known.

    Not known are NaN among numbers (R, Q), and −1 among classes of several columns (R, k); classes (R,) are all known.
    """
    if targets.ndim == 1:
        return None
    known = ~np.isnan(targets) if targets.dtype.kind == "f" else targets >= 0
    return None if known.all() else known.mean(axis=1)


def of_known(function, targets, weights):
    """function(targets (R, Q), weights (R,) or None) (Q, ...), where some are not known of each output's known rows.

    It is NaN for an output of which nothing is known.
    """
    known = ~np.isnan(targets)
    if known.all():
        return function(targets, weights)
    columns = {
        q: function(targets[rows, q : q + 1], None if weights is None else weights[rows])
        for q, rows in enumerate(known.T) if rows.any()
    }
    unknown = np.full_like(next(iter(columns.values())), np.nan)
    return np.concatenate([columns.get(q, unknown) for q in range(targets.shape[1])])


def of_known_numbers(function, targets, weights):
    """`of_known` of float64 targets, and weights of 1 for None."""
    targets = np.ascontiguousarray(targets, dtype=np.float64)      # the order of sums
    weights = np.ones(len(targets)) if weights is None else np.asarray(weights, dtype=np.float64)
    return of_known(function, targets, weights)


def logit_of(p):
    """The score whose σ is p, finite also for 0 and 1."""
    return logit(np.clip(p, MIN_PROBABILITY, 1 - MIN_PROBABILITY))


def without_certainty(log_odds):
    """Log odds, 0 where they are those of probabilities 0 or 1."""
    return np.where(np.abs(log_odds) < 0.999 * logit_of(1.0), log_odds, 0.0)


def mean_and_deviation(targets, weights):
    """The weighted mean of each column and its standard deviation, 0 where that is but rounding.

    Where little of the digits is left beside large targets it is of the difference to the least target.
    """
    mean, deviation = _moments(targets, weights)
    low, high = targets.min(axis=0), targets.max(axis=0)
    largest = np.maximum(np.abs(low), np.abs(high))
    doubtful = np.flatnonzero(deviation <= len(targets) * np.finfo(np.float64).eps * largest)
    if len(doubtful):
        above, of_above = _moments((targets - low)[:, doubtful], weights)
        mean[doubtful] = low[doubtful] + above
        deviation[doubtful] = np.where(of_above > rounding_of(largest[doubtful]), of_above, 0.0)
    return np.column_stack([mean, deviation])


def _moments(targets, weights):
    """The weighted mean of each column and its standard deviation."""
    mean = np.average(targets, axis=0, weights=weights)
    # Divided first, so that no square overflows
    largest = np.abs(targets - mean).max(axis=0)
    largest[largest == 0] = 1
    variance = np.average(((targets - mean) / largest) ** 2, axis=0, weights=weights)
    return mean, np.sqrt(variance) * largest


def weighted_quantile(y, weights, q):
    """The quantile q of each column of y (R, Q); the middle of all numbers that have the fraction q of weight below."""
    order = np.argsort(y, axis=0)
    weight = np.cumsum(weights[order], axis=0)
    y = np.take_along_axis(y, order, axis=0)
    first, last = np.argmax(weight >= q * weight[-1], axis=0), np.argmax(weight > q * weight[-1], axis=0)
    columns = np.arange(y.shape[1])
    return 0.5 * (y[first, columns] + y[last, columns])


def root(slope, y, weights):
    """The constant between the numbers y (R, 1) at which slope(constant, y), which increases with it, is 0."""
    low, high = np.min(y[weights > 0]), np.max(y[weights > 0])
    if not slope(low, y) < 0 < slope(high, y):      # all are alike, but for rounding
        return 0.5 * (low + high)
    # to the last bit: an outlier must not make the rest coarse
    return brentq(slope, low, high, args=(y,), xtol=np.finfo(np.float64).tiny, maxiter=5000)


def by_output(y):
    """The columns (R, 1) of y (R,) or (R, Q), in float64."""
    columns = np.asarray(y, dtype=np.float64).reshape(len(y), -1)
    return [np.ascontiguousarray(columns[:, [q]]) for q in range(columns.shape[1])]
