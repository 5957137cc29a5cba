"""Units in which numbers lose their digits, and features and targets that do not vary."""

import numpy as np

from skrnn._data.label_columns import LabelColumns
from skrnn._messages import shown
from skrnn._warnings import warn_user
from skrnn.exceptions import ConstantFeatureWarning, ConstantTargetWarning, PrecisionWarning

# A standard deviation of fewer units in the last place of the mean counts as lost
MIN_UNITS = 100
# So many features are named in a message
MAX_NAMED = 5


def check_units(center, scale, dtype, names=None, what="X"):
    """Raise a ValueError that names the first feature or output whose numbers cannot be brought to a deviation of 1.

    Parameters
    ----------
    center, scale : (D,) float64 arrays
        Mean and standard deviation, 0 for what is constant; not finite where they overflow.
    dtype : dtype
        What the net computes in.
    names : sequence of D str or int, optional
        Of the features.
    what : {"X", "y"}
    """
    limits = np.finfo(dtype)
    overflows = ~np.isfinite(center) | ~np.isfinite(scale)
    # 1 / scale has to be a normal number
    lost = overflows | (np.abs(center) > limits.max) | (scale > 1 / limits.tiny) | ((scale > 0) & (scale < limits.tiny))
    if not lost.any():
        return
    i = int(np.argmax(lost))
    where = _named([i], names, what, len(center))
    if overflows[i]:
        raise ValueError(f"{what} is too large: the standard deviation of {where} overflows float64; scale it down")
    size = "small" if np.abs(center[i]) <= limits.max and scale[i] < 1 else "large"
    raise ValueError(
        f"{what} is too {size} for {limits.dtype}: {where} is {center[i]:.4g} ± {scale[i]:.4g}; scale it"
        + ", or pass float64" * (limits.bits < 64)
    )


def warn_of_units(center, scale, dtype, names=None, what="X"):
    """Warn of features or outputs whose deviation is hardly more than the distance of numbers of a dtype there.

    The parameters are those of `check_units`.
    """
    dtype = np.dtype(dtype)
    # the kernels read what is less than the least normal number as 0
    least = float(np.finfo(dtype).tiny)
    step = np.maximum(np.spacing(np.abs(center).astype(dtype)).astype(np.float64), least)
    lost = np.flatnonzero((scale > 0) & (scale < MIN_UNITS * step))
    if not len(lost):
        return
    i = lost[0]
    others = f", and {len(lost) - 1} more like it" if len(lost) > 1 else ""
    subject = _named([i], names, what, len(center))
    wide = " or pass float64" if dtype.itemsize < 8 else ""
    if step[i] == least:
        advice = f"Scale {what} up{wide}"
    elif what == "X":
        advice = f"Subtract the mean before{' the conversion to float32,' if wide else ' all else'}{wide}"
    elif wide:
        advice = "Predictions have the dtype of X: pass X as float64, or subtract the mean from y"
    else:
        advice = "Subtract the mean from y"
    warn_user(
        f"{subject} is {center[i]:.10g} ± {scale[i]:.4g}{others}, but numbers of that size are {step[i]:.4g} apart in "
        f"{dtype}, which loses their digits. {advice}",
        PrecisionWarning, (what, len(center)),
    )


def warn_of_times(center, mean_step, dtype, times):
    """Warn of times whose distance is hardly more than that of numbers of a dtype there.

    Parameters
    ----------
    center, mean_step : float
        The mean time, and that from one step to the next.
    dtype : dtype
    times : str or int
        The parameter of the estimator.
    """
    step = float(np.spacing(np.asarray(abs(center), dtype)))
    if mean_step < MIN_UNITS * step:
        warn_user(
            f"times={times!r} are about {center:.10g} and {mean_step:.4g} apart, but numbers of that size are "
            f"{step:.4g} apart in {np.dtype(dtype)}, which loses their digits. Subtract the time of the first step"
            + " before the conversion to float32, or pass float64" * (np.dtype(dtype).itemsize < 8),
            PrecisionWarning,
        )


def warn_of_missing_features(missing, names=None, per="step"):
    """Warn of features that are missing in every step.

    Parameters
    ----------
    missing : (D,) bool array
    names : sequence of D str or int, optional
    per : {"step", "sequence"}
        What has a value of each.
    """
    found = np.flatnonzero(missing)
    if len(found):
        warn_user(
            f"{_named(found, names, 'X', len(missing))} {_is(found)} missing in every {per}: there is nothing to learn "
            f"from. Leave {'them' if len(found) > 1 else 'it'} out, unless later data have values",
            ConstantFeatureWarning, ("missing", len(missing)),
        )


def warn_of_constant_features(center, scale, names=None, per="step"):
    """Warn of features that have the same value in every step.

    Not of zeros beside features of zeros and ones: these are categories that do not occur, as in a fold.

    Parameters
    ----------
    center, scale : (D,) float64 arrays
        Of more than one step: mean and standard deviation, 0 for what is constant.
    names : sequence of D str or int, optional
    per : {"step", "sequence"}
        What has a value of each.
    """
    constant = scale == 0
    # Of the numbers from 0 to 1 with the mean m those that are 0 or 1 have the greatest variance, m (1 − m)
    m = np.where((center > 0) & (center < 1), center, 0)
    if (~constant & np.isclose(scale, np.sqrt(m * (1 - m)), rtol=1e-6, atol=0)).any():
        constant &= center != 0
    found = np.flatnonzero(constant)
    if not len(found):
        return
    values, it = _listed(f"{value:.6g}" for value in center[found]), "them" if len(found) > 1 else "it"
    message = (
        f"{_named(found, names, 'X', len(center))} {_is(found)} constant, {values} in every {per}: nothing can be "
        f"learned from {it}. "
    )
    if len(found) == len(center) and per == "step":
        message += "Sequences then differ in nothing but their lengths"
    else:
        message += f"Leave {it} out, unless later data vary"
    warn_user(message, ConstantFeatureWarning, len(center))


def warn_of_constant_targets(rows, weights, whole=True):
    """Warn of outputs whose known targets with weight are all the same.

    Parameters
    ----------
    rows : TargetRows
    weights : (R,) array, or None
        Those of the loss's terms, 0 for rows without a target.
    whole : bool
        Whether this is all data. Otherwise it is a first part, which units are learned from: one row does not do.
    """
    values, known = rows.values[rows.known if weights is None else weights > 0], None
    if isinstance(values, LabelColumns):
        values, known = values.to_array(), ~values.missing
    constant = constant_outputs(values, 2 if whole else 1, known)
    if not len(constant):
        return
    columns = values.reshape(len(values), -1)
    known = columns == columns if known is None else known
    value = _listed(shown(columns[known[:, q], q][0]) for q in constant)
    subject = _named(constant, None, "y", 1 if values.ndim == 1 else values.shape[1])
    if whole:
        message = (
            "for all that the net is trained on: there is no other number or class to learn, and this is what it will "
            "predict, whatever X is. Is y what was meant?"
        )
    else:
        message = (
            "in the first call of partial_fit, from which its mean and standard deviation are learned and kept: 1 is "
            "taken for the deviation. Begin with more of the data, or set standardize=False and scale y"
        )
    warn_user(
        f"{subject} {_is(constant)} constant, {value} {message}", ConstantTargetWarning, (whole, values.shape[1:])
    )


def constant_outputs(values, min_rows=2, known=None):
    """The outputs of which so many rows (R,) or (R, Q) or more are known, not NaN unless `known` says it, and alike."""
    if len(values) < min_rows:
        return []
    columns = values.reshape(len(values), -1)
    known = columns == columns if known is None else known          # NaN is not
    first = columns[known.argmax(axis=0), np.arange(columns.shape[1])]
    return np.flatnonzero(((columns == first) | ~known).all(axis=0) & (known.sum(axis=0) >= min_rows))


def _named(numbers, names, what, n):
    """Some of the n features of X or outputs of y in words."""
    if what == "y" and n == 1:
        return what
    labels = numbers if names is None else [names[number] for number in numbers]
    words = [repr(label) if isinstance(label, str) else str(label) for label in labels]
    kind = "output" if what == "y" else "feature"
    return f"{kind}{'s' * (len(words) > 1)} {_listed(words)} of {what}"


def _listed(words):
    """Words with commas, the first of them where they are many."""
    words = list(words)
    more = f" and {len(words) - MAX_NAMED} more" if len(words) > MAX_NAMED else ""
    return ", ".join(words[:MAX_NAMED]) + more


def _is(numbers):
    return "are" if len(numbers) > 1 else "is"
