"""Optimizers on the flat parameter vector, and schedules of their learning rate.

A new optimizer is one class, one line in `OPTIMIZERS` and its sweep in ``kernels/updates.pxi``; a new schedule is one
class and one line in `SCHEDULES`.
"""

import numpy as np

from skrnn._network.parameters import full_range
from skrnn.kernels import kernels_for

# Rows of an embedding whose categories are not in a batch stay as they are, and so do their moments, as in PyTorch's
# SparseAdam: they are in none of the ranges of an update.


class SGD:
    """Stochastic gradient descent with momentum, Nesterov's if asked.

    v ← momentum · v − η g;  θ ← θ + v, or with Nesterov θ ← θ + momentum · v − η g.
    Sutskever, I. et al. (2013). On the importance of initialization and momentum in deep learning. ICML.
    """

    def __init__(self, theta, learning_rate_init=1e-3, momentum=0.9, nesterovs_momentum=True):
        self.learning_rate, self.momentum = learning_rate_init, momentum
        self.nesterov = nesterovs_momentum and momentum > 0
        self.velocity = np.zeros_like(theta)

    def update(self, theta, gradient, scale=1.0, ranges=None):
        """One step, in place, with the gradient times `scale`; of some ranges of theta only, the others stay."""
        kernels_for(theta.dtype).sgd(
            theta, self.velocity, gradient, full_range(theta) if ranges is None else ranges, scale, self.learning_rate,
            self.momentum, self.nesterov,
        )


class Adam:
    """m ← β₁ m + (1 − β₁) g;  v ← β₂ v + (1 − β₂) g²;  θ ← θ − η m̂ / (√v̂ + ε), m̂ and v̂ corrected for their start at 0.

    Kingma, D. P. and Ba, J. (2015). Adam: a method for stochastic optimization. ICLR.
    """

    def __init__(self, theta, learning_rate_init=1e-3, beta_1=0.9, beta_2=0.999, epsilon=1e-8):
        self.learning_rate, self.beta_1, self.beta_2, self.epsilon = learning_rate_init, beta_1, beta_2, epsilon
        self.t = 0
        self.mean = np.zeros_like(theta)
        self.square = np.zeros_like(theta)

    def update(self, theta, gradient, scale=1.0, ranges=None):
        """As `SGD.update`."""
        self.t += 1
        step = self.learning_rate / (1 - self.beta_1**self.t)
        correction = 1 / (1 - self.beta_2**self.t)
        kernels_for(theta.dtype).adam(
            theta, self.mean, self.square, gradient, full_range(theta) if ranges is None else ranges, scale, self.beta_1,
            self.beta_2, step, correction, self.epsilon,
        )


class AdamW(Adam):
    """Adam with θ ← (1 − η α) θ for the weights before each step, in the place of a penalty in the loss.

    Loshchilov, I. and Hutter, F. (2019). Decoupled weight decay regularization. ICLR.

    Parameters
    ----------
    decayed : (…, 2) int array
        Ranges of theta that are weights.
    alpha : float
    """

    def __init__(self, theta, decayed, alpha, **settings):
        super().__init__(theta, **settings)
        self.decayed, self.alpha = decayed, alpha

    def update(self, theta, gradient, scale=1.0, ranges=None):
        """As `SGD.update`."""
        factor = theta.dtype.type(1 - self.learning_rate * self.alpha)
        for start, stop in self.decayed:
            theta[start:stop] *= factor
        super().update(theta, gradient, scale, ranges)


class RMSprop:
    """v ← ρ v + (1 − ρ) g²;  θ ← θ − η g / (√v + ε), ρ = 0.9.

    Tieleman, T. and Hinton, G. (2012). Lecture 6.5, rmsprop. COURSERA: Neural networks for machine learning.
    """

    decay = 0.9

    def __init__(self, theta, learning_rate_init=1e-3, epsilon=1e-8):
        self.learning_rate, self.epsilon = learning_rate_init, epsilon
        self.square = np.zeros_like(theta)

    def update(self, theta, gradient, scale=1.0, ranges=None):
        """As `SGD.update`."""
        kernels_for(theta.dtype).rmsprop(
            theta, self.square, gradient, full_range(theta) if ranges is None else ranges, scale, self.decay,
            self.learning_rate, self.epsilon,
        )


OPTIMIZERS = {"adam": Adam, "adamw": AdamW, "sgd": SGD, "rmsprop": RMSprop}
