"""Problems to learn."""

import numpy as np


def walks(n=80, T=8, seed=0):
    """Sequences of two features; of each whether its sum is positive."""
    X = np.random.default_rng(seed).normal(size=(n, T, 2))
    return X, (X.sum(axis=1) > 0).astype(int)
