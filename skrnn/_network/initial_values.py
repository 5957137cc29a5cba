"""Initial values of weights."""

import numpy as np

from skrnn._network.orthogonal import householder_product


def glorot_uniform(fan_in, fan_out, shape, random_state):
    """Uniform in ±√(6 / (fan_in + fan_out)) (Glorot & Bengio 2010)."""
    bound = np.sqrt(6.0 / (fan_in + fan_out))
    return random_state.uniform(-bound, bound, shape)


def orthogonal(n, random_state):
    """A random orthogonal (n, n) matrix; not from LAPACK, whose bits may depend on the number of threads."""
    return householder_product(random_state.standard_normal(n * (n + 1) // 2), n)
