"""Sequences in their own units, as `skrnn._data.own_units` makes them, in float32."""

import numpy as np

from skrnn._data.own_units import LEAST_DEVIATION, LEAST_RATIO
from skrnn.export._onnx.functions import fill_forward
from skrnn.export._onnx.single_precision import divisors_as_float32, high_and_low


def in_own_units(g, x, inside, units, fill):
    """Steps in units of their sequence, with both of these as further numbers.

    Parameters
    ----------
    x : str
        (n, T, D), NaN where a number is missing.
    inside : str
        (n, T, 1) bool: which steps are those of sequences.
    units : Units
        M and S of all sequences.
    fill : bool
        Whether missing numbers are filled.

    Returns
    -------
    values : str
        (n, T, 3 D).
    level, ratio : str
        (n, D): the units of targets, in those of all sequences, as in `TargetUnits`.
    """
    known = g.op("Not", g.op("IsNaN", x))
    present = g.op("And", inside, known)
    high, low = high_and_low("center of features", units.center)
    # Numbers are taken from the greatest one: those of a constant sequence are then 0 to the bit, and a mean that is
    # large beside the deviation costs no digits
    greatest = g.reduce("ReduceMax", g.where(present, x, float("-inf")), 1, keepdims=True)     # (n, 1, D)
    empty, scale = g.op("IsInf", greatest), g.constant(divisors_as_float32("scale of features", units.scale))
    greatest = g.where(empty, g.floats(high), greatest)
    x = g.div(g.sub(x, greatest), scale)
    count = g.op("Max", _sum(g, g.cast(present, np.float32)), 1.0)
    mean = g.where(empty, g.floats(low / units.scale), g.div(_sum(g, g.where(present, x, 0.0)), count))
    x = g.sub(x, mean)
    deviation = g.op("Sqrt", g.div(_sum(g, g.where(present, g.mul(x, x), 0.0)), count))
    if fill:
        x = fill_forward(g, x, known, g.floats(np.zeros((1, len(low)))))
    varies, spread = g.op("Greater", deviation, 0.0), g.op("Max", deviation, LEAST_DEVIATION)
    values = g.where(varies, g.div(x, g.where(varies, deviation, 1.0)), 0.0)
    level = g.add(g.div(g.sub(greatest, g.floats(high)), scale), g.sub(mean, g.floats(low / units.scale)))
    beside = g.concat([g.op("Asinh", level), g.op("Log", spread)], axis=2)
    beside = g.op("Expand", beside, g.concat([g.ints(1), g.shape(x, 1), g.ints(1)], axis=0))
    ratio = g.op("Sqrt", g.add(g.mul(spread, spread), LEAST_RATIO**2))
    return g.concat([values, beside], axis=2), g.squeeze(level, 1), g.squeeze(ratio, 1)


def _sum(g, x):
    return g.reduce("ReduceSum", x, 1, keepdims=True)
