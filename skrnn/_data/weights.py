"""Weights of samples and steps."""

import numpy as np
from scipy.sparse import issparse

from skrnn._data.columns import without_columns
from skrnn._data.numbers import as_numbers, is_sized
from skrnn._data.target_checks import check_finite_rows, one_column, step_rows
from skrnn._messages import shown
from skrnn._warnings import without_warnings

MIN_WEIGHT = 1e-300       # smaller ones count as 0: the kernels read denormal numbers as 0


def as_weights(sample_weight, sequences, per_step):
    """Weights of the loss's terms, (n,) or (total,) float64, or None: finite, not negative, not all zero.

    The weight of a sequence holds for each of its steps.
    """
    if sample_weight is None:
        return None
    name = "sample_weight"
    if issparse(sample_weight):
        raise TypeError(f"{name} is sparse, expected an array or a list of weights: {name}.toarray()")
    weights = without_columns(sample_weight, name)
    if isinstance(weights, str):
        hint = "; class_weight may be 'balanced'" if weights == "balanced" else ""
        raise ValueError(f"{name} is {shown(weights)}, expected a number for each sequence{hint}")
    first = next(iter(weights), None) if is_sized(weights) else None
    each_step = is_sized(first)
    if each_step and not per_step:
        if len(first) == 1 and not is_sized(next(iter(first))):
            n = len(sequences)
            raise ValueError(f"{name} has shape ({n}, 1), expected ({n},): a weight per sequence, {name}.ravel()")
        if isinstance(weights, np.ndarray) and weights.dtype != object:
            raise ValueError(
                f"{name} has shape {weights.shape}, expected ({len(sequences)},): a weight per sequence; weights of "
                "steps are for return_sequences=True"
            )
        raise ValueError(f"{name} holds weights of steps, expected one per sequence: return_sequences is False")
    if each_step:
        weights = one_column(step_rows(weights, sequences, name), name)
    else:
        weights = as_numbers(weights, name)
        weights = np.full(len(sequences), weights) if weights.ndim == 0 else weights
        if weights.shape != (len(sequences),):
            raise ValueError(f"{name} has shape {weights.shape}, expected ({len(sequences)},): a weight per sequence")
    weights = weights.astype(np.float64)
    check_finite_rows(weights, sequences, each_step, name)
    negative = np.flatnonzero(weights < 0)
    if len(negative):
        where = sequences.label(name, negative[0], per_step=each_step)
        raise ValueError(f"Negative values in data passed to `sample_weight`: {where} is {weights[negative[0]]}")
    if per_step and not each_step:
        weights = np.repeat(weights, sequences.lengths)
    return usable_weights(
        weights, f"Sample weights must contain at least one non-zero number: {name} is 0 everywhere",
        f"{name} adds up to infinity, expected smaller weights",
    )


def multiply_weights(weights, factor):
    """Weights times a factor of each, None being 1."""
    if factor is None:
        return weights
    return factor.astype(np.float64) if weights is None else weights * factor


def usable_weights(weights, if_zero, if_infinite):
    """Weights, of which tiny ones are 0; a ValueError with one of the two messages for those that no loss can have."""
    weights = np.where(weights < MIN_WEIGHT, 0, weights)
    if not weights.any():
        raise ValueError(if_zero)
    if not np.isfinite(without_warnings(weights.sum)):
        raise ValueError(if_infinite)
    return weights
