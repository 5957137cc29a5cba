"""Schedules of the learning rate. A new schedule is one class and one line in `SCHEDULES`.

A schedule is a function of the history of training and of how much of the next epoch is over. It has no state of its
own, which an interrupt could tear from it.
"""

import math
from dataclasses import dataclass

from skrnn._plain import plain

MAX_LOG = 709       # less than the logarithm of the greatest float64
FIRST_RATE = 1 / 25         # the first rate of a schedule that warms up, as a fraction of the greatest
ONE_CYCLE_END = FIRST_RATE / 1e4


@plain
@dataclass(frozen=True)
class Constant:
    """The learning rate stays as it is; the base class of the schedules.

    Parameters
    ----------
    initial : float
        The rate of the first epoch, or the greatest rate of the schedules that warm up.
    power_t : float
        Exponent of the schedule "invscaling".
    max_iter : int
        Number of epochs of the schedules that come to an end; then they start again.
    n_epochs_before, n_plateaus_before : int
        Those in the history when the schedule begins.
    """

    summary = "`learning_rate_init` throughout"     # for the docstrings of the estimators
    ends = False                                    # whether the rate comes down to (almost) 0 after max_iter epochs

    initial: float
    power_t: float = 0.5
    max_iter: int = 200
    n_epochs_before: int = 0
    n_plateaus_before: int = 0

    def rate(self, history, progress=0.0):
        """The learning rate of the next update.

        Parameters
        ----------
        history : History
        progress : float
            The fraction of the samples of the next epoch that the updates before have seen.
        """
        return self.initial

    def lowers(self, history):
        """Whether the rate becomes lower when the loss has stopped improving, to train on."""
        return False


@plain
class InverseScaling(Constant):
    """η₀ / (samples seen + 1)^power_t, from the second epoch on."""

    summary = "that divided by (samples seen + 1)^power_t"

    def rate(self, history, progress=0.0):
        if history.n_epochs == self.n_epochs_before:
            return self.initial
        n = history.last.n_samples_seen + 1
        # Beyond the greatest float64 its inverse is 0
        return self.initial / n**self.power_t if self.power_t * math.log(n) < MAX_LOG else 0.0


@plain
class Adaptive(Constant):
    """The rate is divided by 5 each time the loss stops improving, unless it is 10⁻⁶ or less."""

    summary = "a fifth each time that `n_iter_no_change` epochs bring no improvement, down to 10⁻⁶"

    def rate(self, history, progress=0.0):
        rate = self.initial
        for _ in range(history.last.n_plateaus - self.n_plateaus_before):
            rate /= 5
        return rate

    def lowers(self, history):
        return self.rate(history) > 1e-6


@plain
class Cosine(Constant):
    """η₀ · ½ (1 + cos(π · epochs / max_iter)), which starts again after max_iter epochs.

    Loshchilov, I. and Hutter, F. (2017). SGDR: stochastic gradient descent with warm restarts. ICLR.
    """

    summary = "half a period of the cosine, down to 0 at `max_iter`, in steps of an epoch (Loshchilov & Hutter 2017)"
    ends = True

    def rate(self, history, progress=0.0):
        n_epochs = (history.n_epochs - self.n_epochs_before) % self.max_iter
        return self.initial * 0.5 * (1 + math.cos(math.pi * n_epochs / self.max_iter))


@plain
class WarmupCosine(Constant):
    """Up to η₀ in a straight line over the first tenth of the updates, then down to 0 by half a period of the cosine.

    With p, the fraction of max_iter epochs that is over, w = 0.1 and s = 1/25: η₀ (s + (1 − s) p / w) before w, then
    η₀ · ½ (1 + cos(π (p − w) / (1 − w))).

    Goyal, P. et al. (2017). Accurate, large minibatch SGD: training ImageNet in 1 hour. arXiv:1706.02677.
    """

    summary = (
        "up from a 25th of it in the first tenth of `max_iter`, update by update, then the cosine down to 0 (Goyal et "
        "al. 2017)"
    )
    ends = True
    warmup = 0.1            # w, a fraction of max_iter
    last = 0.0              # the rate at the end, as a fraction of the greatest

    def rate(self, history, progress=0.0):
        done = ((history.n_epochs - self.n_epochs_before) % self.max_iter + progress) / self.max_iter
        if done < self.warmup:
            return self.initial * (FIRST_RATE + (1 - FIRST_RATE) * self.rise(done / self.warmup))
        falling = 0.5 * (1 + math.cos(math.pi * (done - self.warmup) / (1 - self.warmup)))
        return self.initial * (self.last + (1 - self.last) * falling)

    def rise(self, done):
        """How far up the rate is, from 0 to 1, when such a fraction of the warm-up is over."""
        return done


@plain
class OneCycle(WarmupCosine):
    """As `WarmupCosine`, with a cosine for the warm-up as well, over 0.3 of the updates, and an end at η₀ / 250,000.

    The momentum of the optimizer stays as it is.

    Smith, L. N. and Topin, N. (2018). Super-convergence: very fast training of neural networks using large learning
    rates. arXiv:1708.07120. The fractions are those of PyTorch's OneCycleLR.
    """

    summary = (
        "by a cosine up from a 25th of it in the first 0.3 of `max_iter`, and down to almost 0, update by update, with "
        "the momentum as it is (Smith & Topin 2018)"
    )
    warmup = 0.3
    last = ONE_CYCLE_END

    def rise(self, done):
        return 0.5 * (1 - math.cos(math.pi * done))


SCHEDULES = {
    "constant": Constant, "invscaling": InverseScaling, "adaptive": Adaptive, "cosine": Cosine,
    "warmup_cosine": WarmupCosine, "one_cycle": OneCycle,
}
