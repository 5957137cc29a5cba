"""Optimizers on the flat parameter vector. A new optimizer is one class, one line in `OPTIMIZERS` and its sweep in
``cells/_updates.pxi``."""

import numpy as np

from skrnn.cells import kernels


class SGD:
    """Stochastic gradient descent with momentum, Nesterov's if asked.

    v ← momentum · v − η g;  θ ← θ + v, or with Nesterov θ ← θ + momentum · v − η g.
    Sutskever, I. et al. (2013). On the importance of initialization and momentum in deep learning. ICML.
    """

    def __init__(self, theta, learning_rate_init=1e-3, momentum=0.9, nesterovs_momentum=True):
        self.learning_rate, self.momentum = learning_rate_init, momentum
        self.nesterov = nesterovs_momentum and momentum > 0
        self.velocity = np.zeros_like(theta)

    def update(self, theta, gradient, scale=1.0):
        """One step, in place, with the gradient times `scale`."""
        kernels(theta.dtype).sgd(
            theta, self.velocity, gradient, scale, self.learning_rate, self.momentum, self.nesterov
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

    def update(self, theta, gradient, scale=1.0):
        """One step, in place, with the gradient times `scale`."""
        self.t += 1
        step = self.learning_rate / (1 - self.beta_1**self.t)
        correction = 1 / (1 - self.beta_2**self.t)
        kernels(theta.dtype).adam(
            theta, self.mean, self.square, gradient, scale, self.beta_1, self.beta_2, step, correction, self.epsilon
        )


OPTIMIZERS = {"adam": Adam, "sgd": SGD}
