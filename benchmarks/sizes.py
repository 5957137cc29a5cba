"""Sizes of the networks that are timed, and one network with its data: the same numbers for every contender."""

from copy import copy
from typing import NamedTuple

import numpy as np
from contenders.skrnn_ import BIASES, GATES

N_CLASSES = 10
PEER_CELLS = ("lstm", "gru", "rnn")     # those that the peers have too


class Size(NamedTuple):
    """A batch of B sequences of T steps with D features, read by K units."""

    name: str
    B: int
    T: int
    D: int
    K: int

    @property
    def rounds(self):
        """Minimum number of rounds of a race at this size."""
        return 3 if self.K >= 512 else 5


SIZES = {
    size.name: size
    for size in (
        Size("tiny", 32, 24, 4, 16),
        Size("small", 32, 50, 8, 32),
        Size("medium", 64, 100, 16, 64),
        Size("large", 64, 100, 32, 128),
        Size("xlarge", 64, 100, 64, 256),
        Size("xxlarge", 128, 100, 128, 512),
        Size("long", 32, 500, 4, 32),
        Size("wide", 256, 50, 16, 64),
        # units that do not fill whole vectors
        Size("k20", 32, 50, 8, 20),
        Size("k50", 32, 50, 8, 50),
        Size("k100", 32, 50, 8, 100),
    )
}


def forward_flops(cell, size):
    """Of the recurrent layer's two products; a training step is counted three times this."""
    return 2 * size.B * size.T * (size.D + size.K) * GATES[cell] * size.K


class Problem:
    """A network and a batch for it.

    Parameters
    ----------
    cell : str
        A key of ``GATES``.
    size : Size
    dtype : str
    n_sequences : int, optional
        Instead of the size's B.

    Attributes
    ----------
    X : (N, T, D) array
    y : (N,) int64 array
        Classes.
    weights : dict
        W (D, G·K), U (K, G·K), b (1, G·K), for a GRU (2, G·K) with the recurrent bias second, V (K, classes) and c
        (classes,); gates in PyTorch's order.
    """

    def __init__(self, cell, size, dtype="float32", n_sequences=None):
        self.cell, self.size, self.dtype = cell, size, dtype
        rng = np.random.default_rng(0)
        n, width, bound = n_sequences or size.B, GATES[cell] * size.K, size.K**-0.5
        shapes = {
            "W": (size.D, width), "U": (size.K, width), "b": (BIASES[cell], width), "V": (size.K, N_CLASSES),
            "c": (N_CLASSES,),
        }
        self.weights = {name: rng.uniform(-bound, bound, shape).astype(dtype) for name, shape in shapes.items()}
        self.y = rng.integers(0, N_CLASSES, n)
        self.X = rng.standard_normal((n, size.T, size.D), dtype=np.float32).astype(dtype)

    def part(self, i, n):
        """The same network, and the i-th of n equal parts of the batch."""
        part, rows = copy(self), slice(i * len(self.y) // n, (i + 1) * len(self.y) // n)
        part.X, part.y = self.X[rows], self.y[rows]
        return part

    @property
    def time_major(self):
        """X as (T, N, D), contiguous."""
        return np.ascontiguousarray(self.X.transpose(1, 0, 2))
