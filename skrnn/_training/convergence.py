"""Whether the loss had come to rest when training came to its last epoch."""

import numpy as np

# A smaller gain over the last tenth of the epochs, as a fraction of that of the whole fit, counts as none
LEAST_GAIN = 0.01


def unrest(epochs, tol, unit="epochs"):
    """By how much the loss, or where it was validated the score, still got better in the end, in words.

    Parameters
    ----------
    epochs : list of Epoch
        Those of one fit.
    tol : float
        A gain that is not larger counts as none, as does less than a hundredth of what all epochs gained.
    unit : str
        What the records are of.

    Returns
    -------
    str or None
        None where the mean over the last tenth of the epochs gained nothing on that over the tenth before.
    """
    validated = bool(epochs) and epochs[-1].score is not None
    name, verb, sign = ("validation score", "rose", 1) if validated else ("loss", "fell", -1)
    if len(epochs) < 2:
        return f"too early to see whether the {name} still {verb}"
    curve, n = [epoch.score if validated else epoch.loss for epoch in epochs], max(1, len(epochs) // 10)
    before, last = float(np.mean(curve[-2 * n : -n])), float(np.mean(curve[-n:]))
    gain, gain_of_all = sign * (last - before), sign * (last - curve[0])
    if gain <= max(tol, LEAST_GAIN * gain_of_all):
        return None
    of = f"means of {n} {unit} each" if n > 1 else "in the last of them"
    return f"and the {name} still {verb} by {gain:.2g}, from {before:.4g} to {last:.4g} ({of})"
