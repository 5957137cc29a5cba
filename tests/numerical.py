"""Central differences, and how far a gradient may be from them."""

import numpy as np


def central_differences(function, x, step=1e-6):
    """Gradient of a scalar function of the array x, which is changed in place and put back."""
    gradient = np.empty_like(x)
    for index in np.ndindex(x.shape):
        value = x[index]
        x[index] = value + step
        above = function()
        x[index] = value - step
        below = function()
        x[index] = value
        gradient[index] = (above - below) / (2 * step)
    return gradient


def assert_gradient(actual, expected, rtol=1e-6):
    """Normwise: ‖actual − expected‖ ≤ rtol · ‖expected‖."""
    assert actual.shape == expected.shape
    scale = np.linalg.norm(expected)
    assert np.linalg.norm(actual - expected) <= rtol * scale, (np.linalg.norm(actual - expected) / scale, scale)
