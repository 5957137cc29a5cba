"""The units of features: their mean and deviation over the steps of sequences."""

from functools import partial
from typing import NamedTuple

import numpy as np

from skrnn._data.ragged import rows_of
from skrnn._plain import plain

# Steps that are summed at once; longer sequences are taken in stretches
MAX_STEPS = 1024
# Stretches whose moments are combined at once
N_STRETCHES = 256
# Numbers that are read at a time
MAX_NUMBERS = 2**18
# Numbers that lie in a range of no more units in their last place are the same, but for rounding
MAX_ROUNDING = 4
# Of smaller deviations the squares lose digits
MIN_DEVIATION = 1e-146
# Numbers of a size beyond 2 to the power of this, or minus this, are not squared as they are
MAX_EXPONENT = 100


@plain
class Units(NamedTuple):
    """What is subtracted from each feature, and what it is then divided by, float64 (D,)."""

    center: np.ndarray
    scale: np.ndarray

    def with_others(self, n):
        """Those of the features and n numbers after them that stay as they are, such as indicators."""
        return Units(*(np.append(part, np.full(n, i, part.dtype)) for i, part in enumerate(self)))

    def with_codes(self, n):
        """Those of the features with n codes of categories after them, which are not changed."""
        return Units(np.append(self.center, np.zeros(n)), np.append(self.scale, np.ones(n)))


class WeightedMoments:
    """Mean and standard deviation of each feature over weighted steps, in which missing values do not count.

    The moments of stretches of steps are combined in blocks of a fixed number, in their order, so that the bits of the
    result do not depend on how the sequences are read, nor on where they lie.

    References
    ----------
    Chan, Golub & LeVeque (1983), Algorithms for computing the sample variance: analysis and recommendations. How
    moments are combined, and the bound below which a variance counts as rounding and the feature as constant.
    """

    def __init__(self):
        self.count, self.total, self.mean, self.squares = 0, 0.0, 0.0, 0.0
        self._waiting = []

    def add(self, sequences, index, weights=None, change=None):
        """Add the sequences `index`, with weights (N,) or the same ones; of a function of their values, if it is given.
        """
        n_stretches = _n_stretches(sequences.lengths[index])
        before = np.cumsum(n_stretches) - n_stretches + sum(map(_n_of, self._waiting))
        for first, blocks, last in sequences.ask(partial(_blocks_of, change=change), index, weights, before):
            self._wait_for_more(first)
            for block in blocks:
                self._combine(*block)
            self._wait_for_more(last)

    def _wait_for_more(self, stretches):
        """Keep stretches until they are a block."""
        self._waiting.append(stretches)
        if sum(map(_n_of, self._waiting)) == N_STRETCHES:
            self._combine(*_as_block(*_joined(self._waiting)))
            self._waiting = []

    def _combine(self, count, total, of_block, within):
        """Σ w (x − mean)² of both = that of each + (difference of the means)² W V / (W + V)."""
        with np.errstate(over="ignore", invalid="ignore"):
            both = np.maximum(self.total + total, np.finfo(float).tiny)
            difference = of_block - self.mean
            self.squares = self.squares + within + difference * (difference * (self.total * total / both))
            self.mean = self.mean + difference * (total / both)
            self.total, self.count = self.total + total, self.count + count

    def units(self):
        """`Units`, with a deviation of 0 for a feature that is constant, but for rounding, or has no value."""
        with np.errstate(over="ignore", invalid="ignore"):
            if any(map(_n_of, self._waiting)):
                self._combine(*_as_block(*_joined(self._waiting)))
            self._waiting = []
            variance = self.squares / np.where(self.total > 0, self.total, 1)
            constant = is_rounding(self.mean, variance, self.count)
            return Units(self.mean, np.where(constant, 0.0, np.sqrt(variance)))


def _blocks_of(sequences, index, weights, before, change):
    """Moments of the stretches of the sequences `index`: of those that complete a block, of blocks, and of the last.

    Parameters
    ----------
    sequences, index, weights, change
        As in `WeightedMoments.add`.
    before : (N,) int array
        How many stretches of all sequences come before each of them, since the last whole block.
    """
    n_first = -int(before[0]) % N_STRETCHES
    first, blocks, waiting = None, [], []
    with np.errstate(over="ignore", invalid="ignore"):
        for values, lengths, owners in _stretches(sequences, index):
            values = values if change is None else change(values)
            of_each = np.ones(len(lengths)) if weights is None else weights[owners]
            waiting.append((*_moments_of_stretches(values, lengths), of_each))
            if sum(map(_n_of, waiting)) < (n_first if first is None else 0) + N_STRETCHES:
                continue
            parts = _joined(waiting)
            if first is None:
                first, parts = _rows_up_to(parts, n_first), _rows_from(parts, n_first)
            while _n_of(parts) >= N_STRETCHES:
                blocks.append(_as_block(*_rows_up_to(parts, N_STRETCHES)))
                parts = _rows_from(parts, N_STRETCHES)
            waiting = [parts]
    parts = _joined(waiting)
    if first is None:
        first, parts = _rows_up_to(parts, n_first), _rows_from(parts, n_first)
    return first, blocks, parts


def _as_block(count, mean, squares, weights):
    """The count, the weight, the mean and the Σ w (x − mean)² of stretches together."""
    weight = count * weights[:, np.newaxis]
    total = weight.sum(axis=0)
    of_block = (weight * mean).sum(axis=0) / np.where(total > 0, total, 1)
    within = (weights[:, np.newaxis] * squares + weight * (mean - of_block) ** 2).sum(axis=0)
    return count.sum(axis=0), total, of_block, within


def _n_of(stretches):
    """How many stretches these are the moments of."""
    return len(stretches[-1])


def _joined(parts):
    """Moments of stretches that follow each other."""
    return tuple(map(np.concatenate, zip(*parts, strict=True)))


def _rows_up_to(stretches, n):
    return tuple(part[:n] for part in stretches)


def _rows_from(stretches, n):
    return tuple(part[n:] for part in stretches)


def is_rounding(mean, variance, count):
    """Whether variances are but the rounding of `count` numbers of this mean."""
    n_eps = count * np.finfo(np.float64).eps
    return (variance <= n_eps * variance + (n_eps * mean) ** 2) & np.isfinite(variance)


def _moments_of_stretches(values, lengths):
    """Number of values, their mean and their Σ (x − mean)², (n, D), of stretches that follow each other."""
    starts = np.cumsum(lengths) - lengths
    values = values.astype(np.float64)
    missing = np.isnan(values)
    if missing.any():
        count = np.add.reduceat(~missing, starts, axis=0, dtype=np.float64)
        values[missing] = 0
    else:
        missing, count = None, np.repeat(lengths[:, np.newaxis].astype(np.float64), values.shape[1], axis=1)
    mean = np.add.reduceat(values, starts, axis=0) / np.maximum(count, 1)
    values -= np.repeat(mean, lengths, axis=0)
    if missing is not None:
        values[missing] = 0
    np.square(values, out=values)
    return count, mean, np.add.reduceat(values, starts, axis=0)


def learn_units(sequences, index, weights=None):
    """The mean and deviation of the features of the sequences `index`.

    Parameters
    ----------
    sequences : Sequences or LazySequences
        Missing values are NaN. With `sequences.units`, those of all sequences are known already.
    index : (N,) int array
    weights : (N,) array, optional
        Of the sequences; None for the same ones.

    Returns
    -------
    Units
        With a deviation of 0 for what is constant, but for rounding; the center is then its value, to the bit if it is
        always the same, and NaN where all values are missing. A deviation of infinity or NaN where it overflows.
    """
    weights = None if weights is None else that_count(weights) / weights.max()
    if sequences.units is not None and weights is None and len(index) == len(sequences):
        center, scale = sequences.units
    else:
        moments = WeightedMoments()
        moments.add(sequences, index, weights)
        center, scale = moments.units()
    doubtful = np.flatnonzero(~((scale >= MIN_DEVIATION) & np.isfinite(scale)))
    if len(doubtful):
        units = _units_in_range(sequences, index, weights, doubtful)
        center, scale = center.copy(), scale.copy()
        center[doubtful], scale[doubtful] = units
    return Units(center, scale)


def _units_in_range(sequences, index, weights, features):
    """The units of some features, from values that are first brought to the range from 0 to 1.

    So no square overflows, and no digits are lost to a mean that is large against the deviation.
    """
    low, high = _extremes(sequences, index, features)
    with np.errstate(over="ignore", invalid="ignore"):
        width = high - low
        rounding = rounding_of(np.maximum(np.abs(low), np.abs(high)))
        varies = np.flatnonzero(width > rounding)
        center, scale = low, np.zeros_like(low)
        if len(varies):
            columns, first, divisor = features[varies], low[varies], width[varies]
            moments = WeightedMoments()
            moments.add(sequences, index, weights, partial(_in_range, columns=columns, first=first, divisor=divisor))
            mean, deviation = moments.units()
            deviation = deviation * divisor
            center[varies] = first + mean * divisor
            scale[varies] = np.where(deviation <= rounding[varies], 0.0, deviation)
    return center, scale


def _in_range(values, columns, first, divisor):
    """Some columns of values, from 0 to 1."""
    return (values[:, columns] - first) / divisor


def _extremes(sequences, index, features):
    """The least and the greatest value of some features, NaN of those that have none."""
    lows, highs = zip(*sequences.ask(partial(_extremes_of, features=features), index), strict=True)
    low, high = np.fmin.reduce(lows), np.fmax.reduce(highs)
    return tuple(np.where(low > high, np.nan, part) + 0.0 for part in (low, high))     # without -0


def _extremes_of(sequences, index, features):
    """The least and the greatest value of some features, and infinities the other way round of those that have none."""
    low, high = np.full(len(features), np.inf), np.full(len(features), -np.inf)
    for values, _, _ in _stretches(sequences, index):
        values = values[:, features]
        low, high = np.fmin(low, np.fmin.reduce(values)), np.fmax(high, np.fmax.reduce(values))
    return low, high


def rounding_of(numbers):
    """How far apart numbers of this size are that are the same but for rounding in float64."""
    return MAX_ROUNDING * np.spacing(np.abs(numbers))


def that_count(weights):
    """Weights, 0 where they are so small beside others that they are but rounding of a mean, and of a deviation."""
    return np.where(weights < np.finfo(np.float64).eps ** 2 * weights.max(), 0.0, weights)


def divisors_of(center, scale):
    """What features are divided by: their deviation; those that are constant by 1, or by what their rounding may be."""
    return np.where(scale > 0, scale, np.maximum(1.0, rounding_of(center)))


def moments_of_sequences(sequences, typical):
    """Mean and standard deviation of each feature of each of some sequences in memory, (n, D); 0 without any value.

    `typical` (D,) is the size of deviations; numbers of that size are squared where they neither overflow nor vanish.
    """
    values = sequences.values[_rows(sequences.starts, sequences.lengths)]
    unit = np.exp2(np.floor(np.log2(typical)))      # a power of two, which changes no digits
    if (np.abs(np.log2(unit)) < MAX_EXPONENT).all():
        unit = 1.0
    else:
        values = values / unit
    count, mean, squares = _moments_of_stretches(values, sequences.lengths)
    variance = squares / np.maximum(count, 1)
    constant = is_rounding(mean, variance, count)
    if constant.any():      # to the bit
        greatest = np.fmax.reduceat(values, np.cumsum(sequences.lengths) - sequences.lengths, axis=0)
        mean = np.where(constant & (count > 0), greatest, mean)
    return mean * unit, np.where(constant, 0.0, np.sqrt(variance) * unit), count


def _n_stretches(lengths):
    """In how many stretches sequences of these lengths are summed."""
    return -(-lengths // MAX_STEPS)


def _stretches(sequences, index):
    """The sequences `index` in stretches, some at a time: their values, their lengths, and whose they are in index."""
    done = 0
    for chunk, numbers in sequences.iter_chunks(index):
        lengths = chunk.lengths[numbers]
        n_stretches = _n_stretches(lengths)
        owners = np.repeat(np.arange(len(numbers)), n_stretches)
        begins = (np.arange(len(owners)) - (np.cumsum(n_stretches) - n_stretches)[owners]) * MAX_STEPS
        sizes = np.minimum(lengths[owners] - begins, MAX_STEPS)
        begins += chunk.starts[numbers][owners]
        ends = np.cumsum(sizes)
        first, n_rows = 0, max(MAX_STEPS, MAX_NUMBERS // chunk.n_features)
        while first < len(sizes):
            last = int(np.searchsorted(ends, ends[first] - sizes[first] + n_rows, "right"))
            part = slice(first, last)
            yield chunk.values[_rows(begins[part], sizes[part])], sizes[part], done + owners[part]
            first = last
        done += len(numbers)


def _rows(begins, sizes):
    """The rows of stretches; a slice where they follow each other."""
    follows = (begins[1:] == begins[:-1] + sizes[:-1]).all()
    return slice(int(begins[0]), int(begins[-1] + sizes[-1])) if follows else rows_of(begins, sizes)
