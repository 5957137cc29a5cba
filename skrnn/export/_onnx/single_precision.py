"""Numbers of nets that compute in float64, in models that compute in float32."""

import numpy as np

from skrnn.exceptions import ExportError

RANGE = np.finfo(np.float32)


def as_float32(name, values):
    """An array as float32; an ExportError that names the first number that is beyond it."""
    values = np.asarray(values)
    _check(name, values, np.abs(values) > RANGE.max)
    return values.astype(np.float32)


def divisors_as_float32(name, values):
    """Divisors (…) as float32; an ExportError that names the first one that is beyond it, or too near to 0."""
    _check(name, values, (values > RANGE.max) | (values < RANGE.tiny))
    return values.astype(np.float32)


def high_and_low(name, values):
    """Two float32 arrays whose sum is an array, but for what is small beside the second one."""
    high = as_float32(name, values)
    return high, (values - high).astype(np.float32)


def centered(g, x, center, name="the center"):
    """x − center, where float32 may have too few digits for the center."""
    high, low = high_and_low(name, center)
    x = g.sub(x, g.constant(high))
    return g.sub(x, g.constant(low)) if low.any() else x


def _check(name, values, bad):
    if bad.any():
        at = tuple(np.argwhere(bad)[0].tolist())
        raise ExportError(
            f"{name}{list(at) if at else ''} is {values[at]:.6g}, beyond float32, in which ONNX models compute; fit "
            "with numbers of a scale nearer to 1"
        )
