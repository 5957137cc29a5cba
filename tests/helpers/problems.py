"""Problems to learn."""

import numpy as np

from skrnn._training.losses import LOSSES


def walks(n=80, T=8, seed=0):
    """Sequences of two features; of each whether its sum is positive."""
    X = np.random.default_rng(seed).normal(size=(n, T, 2))
    return X, (X.sum(axis=1) > 0).astype(int)


def in_domain(loss, y):
    """Numbers y as targets that a loss takes: in its interval, and whole where they have to be."""
    domain = LOSSES[loss].domain
    if domain is None:
        return y
    y = np.clip(y, domain.low, domain.high)
    return np.round(y) if domain.whole else y
