"""Sequences with their targets and weights, and batches of them."""

from dataclasses import dataclass

import numpy as np
from sklearn.utils import check_consistent_length
from sklearn.utils.validation import _check_sample_weight

from skrnn._sequences import Packing, strings_named, without_columns


@dataclass
class Batch:
    """One batch, packed: R = N rows, or S rows with a target a step."""

    packing: Packing
    X: np.ndarray               # (S, D)
    targets: np.ndarray         # (R, Q) numbers, or (R,) class indices
    weights: np.ndarray | None  # (R,)


class Examples:
    """Training data in one place.

    Parameters
    ----------
    sequences : Sequences
    targets : (n, ...) array, or (total, ...) with a target a step
    weights : (n,) or (total,) array, or None
    per_step : bool
    """

    def __init__(self, sequences, targets, weights, per_step):
        self.sequences, self.targets, self.weights, self.per_step = sequences, targets, weights, per_step
        self.used = self._with_weight()

    def _with_weight(self):
        """The sequences that carry weight; the others are left out, so that a weight of 0 is the same as absence."""
        if self.weights is None:
            return np.arange(len(self.sequences))
        weights = self.weights
        if self.per_step:
            weights = np.add.reduceat(weights, self.sequences.starts)
        return np.flatnonzero(weights)

    def __len__(self):
        return len(self.used)

    def batch(self, index):
        """The samples `index` of those in use as a Batch."""
        index = self.used[index]
        packing, steps = self.sequences.pack(index)
        rows = steps if self.per_step else index[packing.order]
        weights = None if self.weights is None else self.weights[rows]
        return Batch(packing, self.sequences.values[steps], self.targets[rows], weights)


def step_rows(y, sequences, name="y"):
    """Per-step values laid end to end, (total,) or (total, k), checked against the sequences' lengths.

    Parameters
    ----------
    y : array-like (n, T) or (n, T, k), or a collection of n arrays (T_i,) or (T_i, k)
    sequences : Sequences
    name : str
        What the messages call y.
    """
    if len(y) != len(sequences):
        raise ValueError(f"{name} has {len(y)} sequences, expected {len(sequences)} as in X")
    rows = [np.asarray(values) for values in without_columns(y, name)]
    for i, (values, length) in enumerate(zip(rows, sequences.lengths, strict=True)):
        if values.ndim not in (1, 2):
            raise ValueError(
                f"{name}[{i}] has shape {values.shape}, expected ({length},) or ({length}, outputs): one value a step; "
                "with return_sequences=False give one value a sequence"
            )
        if len(values) != length:
            raise ValueError(f"{name}[{i}] has {len(values)} steps, expected {length} as in X[{i}]")
        if values.shape[1:] != rows[0].shape[1:]:
            raise ValueError(f"{name}[{i}] has shape {values.shape}, expected {(int(length), *rows[0].shape[1:])}")
    return np.concatenate(rows)


def as_weights(sample_weight, sequences, per_step):
    """Weights of the loss's terms, (n,) or (total,), or None: finite, not negative, not all zero.

    A weight a sequence holds for each of its steps.
    """
    if sample_weight is None:
        return None
    weights = without_columns(sample_weight, "sample_weight")
    each_step = per_step and hasattr(weights, "__len__") and np.ndim(next(iter(weights), 0)) > 0
    if each_step:
        weights = step_rows(weights, sequences, "sample_weight")
        if weights.ndim != 1:
            raise ValueError(f"sample_weight has {weights.shape[1]} values a step, expected one")
    terms = weights if each_step else sequences.lengths
    with strings_named(weights, lambda index: sequences.label("sample_weight", index[0], each_step)):
        weights = _check_sample_weight(weights, terms, dtype=sequences.values.dtype, ensure_non_negative=True)
    if per_step and not each_step:
        weights = np.repeat(weights, sequences.lengths)
    if not weights.any():
        raise ValueError("Sample weights must contain at least one non-zero number: sample_weight is 0 everywhere")
    return weights


def check_finite_rows(rows, sequences, per_step, name="y"):
    """Raise a ValueError that names the first sequence or step whose row is not finite."""
    bad = np.flatnonzero(~np.isfinite(rows.reshape(len(rows), -1)).all(axis=1))
    if len(bad):
        kind = "NaN" if np.isnan(rows[bad[0]]).any() else "infinity"
        where = sequences.label(name, bad[0], per_step)
        raise ValueError(f"Input {name} contains {kind}: {where}; expected finite numbers")


def check_samples(sequences, y):
    """Raise a ValueError unless X and y have the same number of samples."""
    if y is None:
        raise ValueError("requires y to be passed, but the target y is None")
    check_consistent_length(sequences.lengths, y)
