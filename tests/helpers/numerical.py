"""Central differences, and how far a gradient may be from them."""

import numpy as np


def central_differences(function, x, step=1e-4):
    """Gradient of a scalar function of the array x, which is changed in place and put back.

    Four points, error O(step⁴): (8 (f(x+h) − f(x−h)) − (f(x+2h) − f(x−2h))) / 12h.
    """
    gradient = np.empty_like(x)

    def at(index, value):
        x[index] = value
        return function()

    for index in np.ndindex(x.shape):
        value = x[index]
        near = at(index, value + step) - at(index, value - step)
        far = at(index, value + 2 * step) - at(index, value - 2 * step)
        x[index] = value
        gradient[index] = (8 * near - far) / (12 * step)
    return gradient


def assert_gradient(actual, expected, rtol=2e-7):
    """Normwise: ‖actual − expected‖ ≤ rtol · ‖expected‖."""
    assert actual.shape == expected.shape
    scale = np.linalg.norm(expected)
    assert np.linalg.norm(actual - expected) <= rtol * scale, (np.linalg.norm(actual - expected) / scale, scale)
