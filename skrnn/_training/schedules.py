"""Schedules of the learning rate. A new schedule is one class and one line in `SCHEDULES`."""

import math


class Constant:
    """The learning rate stays as it is; the base class of the schedules.

    Parameters
    ----------
    optimizer : Optimizer
        Its ``learning_rate`` is set.
    power_t : float
        Exponent of the schedule "invscaling".
    max_iter : int
        Number of epochs of the schedule "cosine".
    """

    def __init__(self, optimizer, power_t=0.5, max_iter=200):
        self.optimizer, self.initial = optimizer, optimizer.learning_rate
        self.power_t, self.max_iter, self.n_epochs = power_t, max_iter, 0

    def after_epoch(self, n_samples_seen):
        """Set the rate of the next epoch."""

    def on_plateau(self):
        """Called when the loss has stopped improving; returns whether a lower rate was set, to train on."""
        return False


class InverseScaling(Constant):
    """η₀ / (samples seen + 1)^power_t."""

    def after_epoch(self, n_samples_seen):
        self.optimizer.learning_rate = self.initial / (n_samples_seen + 1) ** self.power_t


class Adaptive(Constant):
    """The rate is divided by 5 each time the loss stops improving, unless it is 10⁻⁶ or less."""

    def on_plateau(self):
        if self.optimizer.learning_rate <= 1e-6:
            return False
        self.optimizer.learning_rate /= 5
        return True


class Cosine(Constant):
    """η₀ · ½ (1 + cos(π · epochs / max_iter)), which starts again after max_iter epochs.

    Loshchilov, I. and Hutter, F. (2017). SGDR: stochastic gradient descent with warm restarts. ICLR.
    """

    def after_epoch(self, n_samples_seen):
        self.n_epochs = (self.n_epochs + 1) % self.max_iter
        self.optimizer.learning_rate = self.initial * 0.5 * (1 + math.cos(math.pi * self.n_epochs / self.max_iter))


SCHEDULES = {"constant": Constant, "invscaling": InverseScaling, "adaptive": Adaptive, "cosine": Cosine}
