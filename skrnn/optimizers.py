"""Optimizers on the flat parameter vector. A new optimizer is one class and one line in `OPTIMIZERS`."""

import numpy as np


class SGD:
    """Stochastic gradient descent with momentum, Nesterov's if asked.

    v ← momentum · v − η g;  θ ← θ + v, or with Nesterov θ ← θ + momentum · v − η g.
    Sutskever, I. et al. (2013). On the importance of initialization and momentum in deep learning. ICML.
    """

    def __init__(self, theta, learning_rate_init=1e-3, momentum=0.9, nesterovs_momentum=True):
        self.learning_rate = theta.dtype.type(learning_rate_init)
        self.momentum = theta.dtype.type(momentum)
        self.nesterov = nesterovs_momentum and momentum > 0
        self.velocity = np.zeros_like(theta)

    def update(self, theta, gradient):
        """One step, in place."""
        self.velocity *= self.momentum
        self.velocity -= self.learning_rate * gradient
        if self.nesterov:
            theta += self.momentum * self.velocity - self.learning_rate * gradient
        else:
            theta += self.velocity


class Adam:
    """m ← β₁ m + (1 − β₁) g;  v ← β₂ v + (1 − β₂) g²;  θ ← θ − η m̂ / (√v̂ + ε), m̂ and v̂ corrected for their start at 0.

    Kingma, D. P. and Ba, J. (2015). Adam: a method for stochastic optimization. ICLR.
    """

    def __init__(self, theta, learning_rate_init=1e-3, beta_1=0.9, beta_2=0.999, epsilon=1e-8):
        self.learning_rate, self.beta_1, self.beta_2, self.epsilon = learning_rate_init, beta_1, beta_2, epsilon
        self.t = 0
        self.mean = np.zeros_like(theta)
        self.square = np.zeros_like(theta)

    def update(self, theta, gradient):
        """One step, in place."""
        real = theta.dtype.type
        self.t += 1
        self.mean *= real(self.beta_1)
        self.mean += real(1 - self.beta_1) * gradient
        self.square *= real(self.beta_2)
        self.square += real(1 - self.beta_2) * np.square(gradient)
        step = real(self.learning_rate / (1 - self.beta_1**self.t))
        root = np.sqrt(self.square * real(1 / (1 - self.beta_2**self.t)))
        root += real(self.epsilon)
        theta -= step * self.mean / root


OPTIMIZERS = {"adam": Adam, "sgd": SGD}
