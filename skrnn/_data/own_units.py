"""Each sequence in its own units: its mean and deviation, with both beside its steps."""

from functools import partial
from typing import NamedTuple

import numpy as np

from skrnn._data.missing import filled
from skrnn._data.units import moments_of_sequences

# Deviations are told apart down to this fraction of that of all sequences
LEAST_DEVIATION = 1e-6
# A target is divided by no less than this fraction of it: a sequence that is almost constant does not rule the loss
LEAST_RATIO = 1e-2


def in_own_units(sequences, units, missing):
    """Sequences whose features are in units of the sequence, (x − mean) / deviation, with both as further features.

    After the D features come, at each step, arsinh((mean − M) / S) and log(deviation / S) of each, M and S the mean and
    deviation of all sequences: units make no difference to them, and the largest do not rule. Then the indicators of
    what is missing.

    Parameters
    ----------
    sequences : Sequences
        In memory, each with steps of its own.
    units : Units
        M and S.
    missing : {"error", "ffill", "indicator", "decay"}
        As in `filled`; before the first value that is not missing it is the mean.

    Returns
    -------
    Sequences
        Of 3 D features, or with indicators 4 D.

    References
    ----------
    Kim, T. et al. (2022). Reversible instance normalization for accurate time-series forecasting against distribution
    shift. ICLR.
    """
    D, dtype = sequences.n_features, sequences.dtype
    mean, deviation, count = moments_of_sequences(sequences, units.scale)
    mean = np.where(count > 0, mean, units.center)
    if missing != "error":
        sequences, _ = filled(sequences, missing, mean.astype(dtype))
    level = np.arcsinh((mean - units.center) / units.scale)
    spread = np.log(np.maximum(deviation / units.scale, LEAST_DEVIATION))
    mean, divisor, beside = (
        np.repeat(part, sequences.lengths, axis=0)
        for part in (mean, np.where(deviation > 0, deviation, np.inf), np.concatenate([level, spread], axis=1))
    )
    values = (sequences.values[:, :D] - mean) / divisor
    parts = [values, beside, sequences.values[:, D:]]
    return sequences.replace(values=np.concatenate(parts, axis=1, dtype=dtype, casting="same_kind"))


class TargetUnits(NamedTuple):
    """Targets in the units of their sequences: what is subtracted, and what they are then divided by, (R, Q)."""

    level: np.ndarray
    ratio: np.ndarray

    def of(self, targets):
        """Standardized targets (R, Q) in the units of their sequences."""
        return ((targets - self.level) / self.ratio).astype(targets.dtype)

    def take(self, rows):
        """Those of some of the rows."""
        return TargetUnits(self.level[rows], self.ratio[rows])

    def put_back(self, scores):
        """Scores (R, Q) in the units of all sequences."""
        return (scores * self.ratio + self.level).astype(scores.dtype)


def target_units(sequences, index, n_features, n_outputs, per_step):
    """The units of the targets of the sequences `index`, that `in_own_units` has made, one feature for each output.

    Parameters
    ----------
    sequences : Sequences or LazySequences
    index : (N,) int array
    n_features, n_outputs : int
        D, and Q, which is D unless D is 1.
    per_step : bool
        Whether each step has a target.

    Returns
    -------
    TargetUnits
    """
    beside = sequences.ask_rows(partial(_beside_first_steps, n_features=n_features), index)
    if per_step:
        beside = np.repeat(beside, sequences.lengths[index], axis=0)
    level, spread = np.sinh(beside[:, :n_features]), np.exp(beside[:, n_features:])
    shape = (len(beside), n_outputs)
    return TargetUnits(np.broadcast_to(level, shape), np.broadcast_to(np.hypot(spread, LEAST_RATIO), shape))


def _beside_first_steps(sequences, index, n_features):
    """What stands beside the first step of sequences, (N, 2 D) float64."""
    parts = [
        chunk.values[chunk.starts[numbers], n_features : 3 * n_features].astype(np.float64)
        for chunk, numbers in sequences.iter_chunks(index)
    ]
    return np.concatenate(parts)


def target_units_gradient(own, output, dlevel, dratio, n_features):
    """The gradient (n, 2 D) in what stands beside the steps of sequences, of a function of the units of one output.

    Parameters
    ----------
    own : TargetUnits
        Of sequences, not of steps.
    output : int
    dlevel, dratio : (n,) arrays
        Its gradient in these units.
    n_features : int
        D.
    """
    level, ratio = own.level[:, output], own.ratio[:, output]
    gradient, j = np.zeros((len(level), 2 * n_features)), output if n_features > 1 else 0
    # level = sinh(beside)
    gradient[:, j] = dlevel * np.hypot(1, level)
    # ratio = √(exp(beside)² + LEAST_RATIO²)
    gradient[:, n_features + j] = dratio * (ratio - LEAST_RATIO**2 / ratio)
    return gradient
