"""From gradients in what a network reads of sequences back to those in X: the adjoint of `Reading.prepare`."""

import numpy as np

from skrnn._data.missing import last_seen
from skrnn._data.own_units import LEAST_DEVIATION
from skrnn._data.units import moments_of_sequences


def preparation_gradient(reading, sequences, prepared, d):
    """The gradient (total, D) in the numbers of steps of X, also in their times, given that in prepared ones.

    A value that is missing has none: that of what fills it belongs to the value that it was filled with. Where the
    values of a feature are all the same, the deviation that is the unit of the sequence has no derivative; 0 is taken.

    Parameters
    ----------
    reading : Reading
    sequences, prepared : Sequences
        Contiguous ones of numbers alone, as `check` returns them, and as `prepare` has changed them.
    d : (total, D') array
        The gradient in the values of `prepared`.
    """
    times, values = reading.times, sequences.values
    if times is None:
        return _of_numbers(reading, sequences, prepared.values, d)
    n = d.shape[1] - times.n_inputs
    numbers = sequences.replace(values=times.without(values))
    dX = _of_numbers(reading, numbers, prepared.values[:, :n], d[:, :n])
    if times.column is None:
        return dX
    return np.insert(dX, times.column, times.gradient(sequences, d[:, n:]), axis=1)


def filling_gradient(d, missing, starts, lengths):
    """The gradient (total, D) in values before they were filled forward, given that in filled ones.

    What lies before the first value that is not missing was filled with something else, whose gradient is left out.

    Parameters
    ----------
    d : (total, D) array
    missing : (total, D) bool array
    starts, lengths : (n,) int arrays
        Of contiguous sequences.
    """
    if not missing.any():
        return d
    # filled = values[rows]
    rows = last_seen(missing, starts, lengths)
    seen, gradient = rows >= 0, np.zeros_like(d)
    columns = np.broadcast_to(np.arange(d.shape[1]), d.shape)
    np.add.at(gradient, (rows[seen], columns[seen]), d[seen])
    return gradient


def _of_numbers(reading, sequences, prepared, d):
    """As `preparation_gradient`, of sequences without times."""
    D = sequences.n_features
    missing = np.isnan(sequences.values)
    if reading.in_own_units:
        return _own_units_gradient(sequences, reading.units, missing, prepared, d)
    return filling_gradient(d[:, :D], missing, sequences.starts, sequences.lengths)     # indicators are constant


def _own_units_gradient(sequences, units, missing, prepared, d):
    """The adjoint of `in_own_units`."""
    D, starts, lengths = sequences.n_features, sequences.starts, sequences.lengths
    mean, deviation, count = moments_of_sequences(sequences, units.scale)

    def total(rows):
        return np.add.reduceat(rows, starts, axis=0)

    def of_steps(rows):
        return np.repeat(rows, lengths, axis=0)

    # values = (filled − mean) / deviation, where values before the first one are filled with the mean
    varies = deviation > 0
    divisor = np.where(varies, deviation, np.inf)
    dfilled = d[:, :D] / of_steps(divisor)
    unseen = last_seen(missing, starts, lengths) < 0
    dmean = -total(np.where(unseen, 0, dfilled))
    ddeviation = -total(dfilled * prepared[:, :D])
    # level = arsinh((mean − M) / S)
    dmean += total(d[:, D : 2 * D]) / np.hypot(units.scale, mean - units.center)
    # spread = log(deviation / S), but for the least one
    spreads = deviation > LEAST_DEVIATION * units.scale
    ddeviation += np.where(spreads, total(d[:, 2 * D : 3 * D]) / divisor, 0)
    # mean = Σ x / count, deviation² = Σ (x − mean)² / count
    gradient = filling_gradient(dfilled, missing, starts, lengths)
    n = np.maximum(count, 1)
    gradient += of_steps(dmean / n) + of_steps(ddeviation / (n * divisor)) * (sequences.values - of_steps(mean))
    return np.where(missing, 0, gradient)
