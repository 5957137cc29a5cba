"""All parameters of a network as one flat vector with named views, and their initial values.

Clipping, the optimizers, saving and finite differences see only the vector.
"""

import sys

import numpy as np


class ParameterLayout:
    """Where each named parameter lies in the flat vector `theta`.

    Parameters
    ----------
    shapes : dict of str to tuple of int
        The parameters in the order in which they follow each other.
    """

    def __init__(self, shapes):
        self.shapes = dict(shapes)
        self.slices = {}
        start = 0
        for name, shape in self.shapes.items():
            size = 1
            for extent in shape:
                size *= int(extent)
            self.slices[name] = slice(start, start + size)
            start += size
        if start > sys.maxsize // 8:
            raise ValueError(
                f"a network with {start} parameters does not fit into memory; expected a smaller hidden_size"
            )
        self.size = start

    def views(self, theta):
        """Each parameter as a view of `theta` in its own shape, by name."""
        return {name: theta[self.slices[name]].reshape(shape) for name, shape in self.shapes.items()}

    def is_weight(self, name):
        """Whether the parameter multiplies something, and so is decayed; biases are not."""
        return name.rpartition(".")[2] in ("W", "U", "V")

    def weight_ranges(self):
        """Where the weights lie in theta, (…, 2): first and last + 1 of each."""
        ranges = [(part.start, part.stop) for name, part in self.slices.items() if self.is_weight(name)]
        return np.array(ranges, dtype=np.intp).reshape(-1, 2)


def glorot_uniform(fan_in, fan_out, shape, random_state):
    """Uniform in ±√(6 / (fan_in + fan_out)) (Glorot & Bengio 2010)."""
    bound = np.sqrt(6.0 / (fan_in + fan_out))
    return random_state.uniform(-bound, bound, shape)


def orthogonal(n, random_state):
    """A random orthogonal (n, n) matrix, uniform over all of them, as a product of Householder reflections.

    Stewart, G. W. (1980). The efficient generation of random orthogonal matrices with an application to condition
    estimators. SIAM Journal on Numerical Analysis 17, 403-409.

    It avoids LAPACK on purpose: its bits may depend on the number of threads.
    """
    Q, signs = np.eye(n), np.empty(n)
    signs[-1] = np.copysign(1.0, random_state.standard_normal())
    for size in range(2, n + 1):
        v = random_state.standard_normal(size)
        signs[n - size] = -np.copysign(1.0, v[0])
        v[0] += np.copysign(np.sqrt(np.square(v).sum()), v[0])
        tail = Q[:, n - size :]
        # Q ← Q (I − 2 v vᵀ / vᵀv)
        tail -= (tail * v).sum(axis=1)[:, np.newaxis] * (v * (2.0 / np.square(v).sum()))
    return signs[:, np.newaxis] * Q
