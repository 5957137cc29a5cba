"""The mean of the parameters over the last epochs of training."""

import numpy as np


class Average:
    """The mean of theta after each epoch from one on.

    Izmailov, P. et al. (2018). Averaging weights leads to wider optima and better generalization. UAI. Stochastic
    weight averaging; the learning rate is that of any schedule.

    Parameters
    ----------
    first : int
        The number of the first epoch that counts.
    """

    def __init__(self, first):
        self.first = first
        self._sum = 0, None, 0          # the last epoch, the sum, and of how many: set at once, no interrupt tears it

    def add(self, number, theta):
        """Count theta as what an epoch ended with, once for each number."""
        last, total, n = self._sum
        if number >= self.first and number != last:
            total = theta.astype(np.float64) if total is None else total + theta
            self._sum = number, total, n + 1

    def of(self, theta):
        """The mean so far in the dtype of theta, or theta itself before the first epoch that counts."""
        _, total, n = self._sum
        return theta if total is None else (total / n).astype(theta.dtype)
