"""What the processor can reach: a large square matrix product of NumPy's BLAS."""

import numpy as np

N = 1024
FLOPS = 2 * N**3


class MatrixProduct:
    """Of two (N, N) matrices."""

    def __init__(self, dtype):
        rng = np.random.default_rng(0)
        self.A, self.B = (rng.standard_normal((N, N)).astype(dtype) for _ in range(2))
        self.out = np.empty_like(self.A)

    def step(self):
        np.matmul(self.A, self.B, out=self.out)
