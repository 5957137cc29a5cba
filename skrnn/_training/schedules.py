"""Schedules of the learning rate. A new schedule is one class and one line in `SCHEDULES`.

A schedule is a function of the history of training. It has no state of its own, which an interrupt could tear from it.
"""

import math
from dataclasses import dataclass

MAX_LOG = 709       # less than the logarithm of the greatest float64


@dataclass(frozen=True)
class Constant:
    """The learning rate stays as it is; the base class of the schedules.

    Parameters
    ----------
    initial : float
        The rate of the first epoch.
    power_t : float
        Exponent of the schedule "invscaling".
    max_iter : int
        Number of epochs of the schedule "cosine".
    n_epochs_before, n_plateaus_before : int
        Those in the history when the schedule begins.
    """

    initial: float
    power_t: float = 0.5
    max_iter: int = 200
    n_epochs_before: int = 0
    n_plateaus_before: int = 0

    def rate(self, history):
        """The learning rate of the next epoch."""
        return self.initial

    def lowers(self, history):
        """Whether the rate becomes lower when the loss has stopped improving, to train on."""
        return False


class InverseScaling(Constant):
    """η₀ / (samples seen + 1)^power_t, from the second epoch on."""

    def rate(self, history):
        if history.n_epochs == self.n_epochs_before:
            return self.initial
        n = history.last.n_samples_seen + 1
        # Beyond the greatest float64 its inverse is 0
        return self.initial / n**self.power_t if self.power_t * math.log(n) < MAX_LOG else 0.0


class Adaptive(Constant):
    """The rate is divided by 5 each time the loss stops improving, unless it is 10⁻⁶ or less."""

    def rate(self, history):
        rate = self.initial
        for _ in range(history.last.n_plateaus - self.n_plateaus_before):
            rate /= 5
        return rate

    def lowers(self, history):
        return self.rate(history) > 1e-6


class Cosine(Constant):
    """η₀ · ½ (1 + cos(π · epochs / max_iter)), which starts again after max_iter epochs.

    Loshchilov, I. and Hutter, F. (2017). SGDR: stochastic gradient descent with warm restarts. ICLR.
    """

    def rate(self, history):
        n_epochs = (history.n_epochs - self.n_epochs_before) % self.max_iter
        return self.initial * 0.5 * (1 + math.cos(math.pi * n_epochs / self.max_iter))


SCHEDULES = {"constant": Constant, "invscaling": InverseScaling, "adaptive": Adaptive, "cosine": Cosine}
