"""Harrell's concordance index: of which fraction of the pairs that can be compared the order was predicted."""

import warnings

import numpy as np
from sklearn.exceptions import UndefinedMetricWarning


def concordance_index(y, risk, sample_weight=None):
    """The fraction of comparable pairs in which who has the event first has the greater risk; equal risks count half.

    A pair can be compared where one has an event, and the other is known to have none up to that time: a later time, or
    the same one, censored.

    Parameters
    ----------
    y : (n,) structured array
        With the fields ``event`` and ``time``.
    risk : (n,) array
    sample_weight : (n,) array, optional
        A pair has the product of both weights.

    Returns
    -------
    float
        NaN, with a warning, where no pair can be compared.
    """
    event, time = y["event"], y["time"]
    weights = np.ones(len(y)) if sample_weight is None else np.asarray(sample_weight, dtype=np.float64)
    # later ones first, so that who can be compared with an event comes before it
    order = np.lexsort([event, -time])
    event, time, weights = event[order], time[order], weights[order]
    rank = np.unique(risk[order], return_inverse=True)[1]
    # events of one time, which cannot be compared with each other, in groups; all others by themselves
    groups = np.cumsum(np.r_[False, (time[1:] != time[:-1]) | ~event[1:] | ~event[:-1]])
    everyone = np.zeros(len(y), np.intp)
    comparable = _before(everyone, weights) - _before(groups, weights)
    lower, equal = (a - b for a, b in zip(
        _ranked_before(everyone, rank, weights), _ranked_before(groups, rank, weights), strict=True
    ))
    of_event = np.where(event, weights, 0.0)
    total = of_event @ comparable
    if not total > 0:
        message = "The concordance index is not defined where no two samples can be compared."
        warnings.warn(message, UndefinedMetricWarning, stacklevel=2)
        return float("nan")
    return float(of_event @ (lower + 0.5 * equal) / total)


def _before(groups, weights):
    """The weight before each element in its group, (n,); elements of a group in their order, wherever they stand."""
    order = np.argsort(groups, kind="stable")
    sums = np.cumsum(weights[order]) - weights[order]
    first = np.r_[True, groups[order][1:] != groups[order][:-1]]
    before = np.empty(len(weights))
    before[order] = sums - sums[first][np.cumsum(first) - 1]
    return before


def _ranked_before(groups, rank, weights):
    """The weight of those of a lower rank, and of the same one, before each element in its group: two (n,) arrays.

    One bit of the ranks at a time, from the highest: where those before agree, a 0 is lower than a 1.
    """
    lower = np.zeros(len(rank))
    for bit in reversed(range(int(rank.max()).bit_length())):
        ones = (rank >> bit & 1).astype(bool)
        zeros_before = _before(groups, np.where(ones, 0.0, weights))
        lower += np.where(ones, zeros_before, 0.0)
        groups = 2 * groups + ones
        groups = np.unique(groups, return_inverse=True)[1]
    return lower, _before(groups, weights)
