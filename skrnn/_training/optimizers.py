"""Optimizers on the flat parameter vector.

A new optimizer is one class here, one line in `OPTIMIZERS`, and its equation in ``kernels/updates.pxi``. The class says
all that an estimator needs to know of it.
"""

import numpy as np

from skrnn._network.layout import full_range
from skrnn._plain import plain, with_attributes
from skrnn.kernels import kernels_for

# A step changes parameters, averages and counts in one call of the kernels: Ctrl-C comes before it or after it.
#
# Rows of an embedding whose categories are not in a batch stay as they are, and so do their moments, as in PyTorch's
# SparseAdam: they are in none of the ranges of an update.

#
# What of an `Adam` is stored
OF_ADAM = {
    "learning_rate": float, "beta_1": float, "beta_2": float, "epsilon": float, "counts": np.ndarray,
    "mean": np.ndarray, "square": np.ndarray,
}


class Optimizer:
    """Base class of the optimizers."""

    name = None                     # in `OPTIMIZERS`
    summary = None                  # a phrase for the docstrings of the estimators
    parameters = ("learning_rate_init",)   # the estimators' parameters that it takes
    decays_weights = False          # whether it decays the weights itself, so that the loss has no penalty

    @classmethod
    def make(cls, theta, parameters, decayed):
        """A new optimizer, with moments of zero.

        Parameters
        ----------
        theta : (P,) array
        parameters : mapping
            The estimator's parameters by name, of which the optimizer takes its own.
        decayed : (m, 2) intp array
            Ranges of theta that are weights: first and last + 1 of each.
        """
        return cls(theta, **{name: parameters[name] for name in cls.parameters})

    @classmethod
    def check_parameters(cls, parameters):
        """Raise a ValueError if parameters that are valid by themselves cannot be combined."""

    def update(self, theta, gradient, scale=1.0, ranges=None):
        """One step, in place.

        Parameters
        ----------
        theta, gradient : (P,) arrays
        scale : float
            Factor of the gradient.
        ranges : (m, 2) intp array, optional
            The parts of theta to update, first and last + 1 of each; None updates all.
        """
        raise NotImplementedError


@plain(make=with_attributes, learning_rate=float, momentum=float, nesterov=bool, velocity=np.ndarray)
class SGD(Optimizer):
    """Stochastic gradient descent with momentum, Nesterov's by default.

    v ← momentum · v − η g;  θ ← θ + v, or with Nesterov θ ← θ + momentum · v − η g.

    Sutskever, I. et al. (2013). On the importance of initialization and momentum in deep learning. ICML.

    Parameters
    ----------
    theta : (P,) array
    learning_rate_init, momentum, nesterovs_momentum
        The estimators' parameters.
    """

    name = "sgd"
    summary = "stochastic gradient descent with momentum"
    parameters = (*Optimizer.parameters, "momentum", "nesterovs_momentum")

    def __init__(self, theta, learning_rate_init=1e-3, momentum=0.9, nesterovs_momentum=True):
        self.learning_rate, self.momentum = learning_rate_init, momentum
        self.nesterov = nesterovs_momentum and momentum > 0
        self.velocity = np.zeros_like(theta)

    def update(self, theta, gradient, scale=1.0, ranges=None):
        kernels_for(theta.dtype).update(
            "sgd", theta, self.velocity, None, gradient, full_range(theta) if ranges is None else ranges,
            scale=scale, learning_rate=self.learning_rate, decay_1=self.momentum, nesterov=self.nesterov,
        )


@plain(make=with_attributes, **OF_ADAM)
class Adam(Optimizer):
    """m ← β₁ m + (1 − β₁) g;  v ← β₂ v + (1 − β₂) g²;  θ ← θ − η m̂ / (√v̂ + ε), m̂ and v̂ corrected for their start at 0.

    Kingma, D. P. and Ba, J. (2015). Adam: a method for stochastic optimization. ICLR.

    Parameters
    ----------
    theta : (P,) array
    learning_rate_init, beta_1, beta_2, epsilon
        The estimators' parameters.
    """

    name = "adam"
    summary = "Adam"
    parameters = (*Optimizer.parameters, "beta_1", "beta_2", "epsilon")

    def __init__(self, theta, learning_rate_init=1e-3, beta_1=0.9, beta_2=0.999, epsilon=1e-8):
        self.learning_rate, self.beta_1, self.beta_2, self.epsilon = learning_rate_init, beta_1, beta_2, epsilon
        self.counts = np.array([0.0, 1.0])      # t, and a product of momenta
        self.mean = np.zeros_like(theta)
        self.square = np.zeros_like(theta)

    def update(self, theta, gradient, scale=1.0, ranges=None, **decay):
        t = int(self.counts[0]) + 1
        kernels_for(theta.dtype).update(
            "adam", theta, self.mean, self.square, gradient, full_range(theta) if ranges is None else ranges,
            scale=scale, learning_rate=self.learning_rate / (1 - self.beta_1**t), decay_1=self.beta_1,
            decay_2=self.beta_2, correction=1 / (1 - self.beta_2**t), epsilon=self.epsilon, counts=self.counts,
            steps=t, product=1.0, **decay,
        )


@plain(make=with_attributes, decayed=np.ndarray, alpha=float, **OF_ADAM)
class AdamW(Adam):
    """Adam with θ ← (1 − η α) θ for the weights before each step, instead of a penalty in the loss.

    Loshchilov, I. and Hutter, F. (2019). Decoupled weight decay regularization. ICLR.

    Parameters
    ----------
    theta : (P,) array
    decayed : (m, 2) intp array
        Ranges of theta that are weights.
    alpha : float
        The estimators' parameter.
    **settings
        As for `Adam`.
    """

    name = "adamw"
    summary = "Adam with decoupled weight decay"
    parameters = (*Adam.parameters, "alpha")
    decays_weights = True

    def __init__(self, theta, decayed, alpha, **settings):
        super().__init__(theta, **settings)
        self.decayed, self.alpha = decayed, alpha

    @classmethod
    def make(cls, theta, parameters, decayed):
        return cls(theta, decayed, **{name: parameters[name] for name in cls.parameters})

    @classmethod
    def check_parameters(cls, parameters):
        alpha, rate = parameters["alpha"], parameters["learning_rate_init"]
        if rate * alpha >= 1:
            raise ValueError(
                f"alpha={alpha} times learning_rate_init={rate} is the fraction of the weights that {cls.name!r} takes "
                "away in each step: expected less than 1"
            )

    def update(self, theta, gradient, scale=1.0, ranges=None):
        super().update(
            theta, gradient, scale, ranges, decayed=self.decayed, keep=1 - self.learning_rate * self.alpha
        )


@plain(make=with_attributes, **OF_ADAM)
class NAdam(Adam):
    """Adam with Nesterov momentum.

    With m and v as in `Adam` and μₜ = β₁ (1 − ½ · 0.96^(0.004 t)),
    θ ← θ − η (μₜ₊₁ m / (1 − μ₁ … μₜ₊₁) + (1 − μₜ) g / (1 − μ₁ … μₜ)) / (√v̂ + ε).

    Dozat, T. (2016). Incorporating Nesterov momentum into Adam. ICLR workshop.

    Parameters
    ----------
    theta : (P,) array
    **settings
        As for `Adam`.
    """

    name = "nadam"
    summary = "Adam with Nesterov momentum"

    def _momentum(self, t):
        return self.beta_1 * (1 - 0.5 * 0.96 ** (0.004 * t))

    def update(self, theta, gradient, scale=1.0, ranges=None):
        t = int(self.counts[0]) + 1
        momentum, following = self._momentum(t), self._momentum(t + 1)
        product = float(self.counts[1]) * momentum          # μ₁ … μₜ
        kernels_for(theta.dtype).update(
            "nadam", theta, self.mean, self.square, gradient, full_range(theta) if ranges is None else ranges,
            scale=scale, learning_rate=self.learning_rate * following / (1 - product * following),
            gradient_rate=self.learning_rate * (1 - momentum) / (1 - product),
            decay_1=self.beta_1, decay_2=self.beta_2, correction=1 / (1 - self.beta_2**t), epsilon=self.epsilon,
            counts=self.counts, steps=t, product=product,
        )


@plain(make=with_attributes, learning_rate=float, epsilon=float, square=np.ndarray)
class RMSprop(Optimizer):
    """v ← ρ v + (1 − ρ) g²;  θ ← θ − η g / (√v + ε), ρ = 0.9.

    Tieleman, T. and Hinton, G. (2012). Lecture 6.5, rmsprop. COURSERA: Neural networks for machine learning.

    Parameters
    ----------
    theta : (P,) array
    learning_rate_init, epsilon
        The estimators' parameters.
    """

    name = "rmsprop"
    summary = "RMSprop"
    parameters = (*Optimizer.parameters, "epsilon")
    decay = 0.9

    def __init__(self, theta, learning_rate_init=1e-3, epsilon=1e-8):
        self.learning_rate, self.epsilon = learning_rate_init, epsilon
        self.square = np.zeros_like(theta)

    def update(self, theta, gradient, scale=1.0, ranges=None):
        kernels_for(theta.dtype).update(
            "rmsprop", theta, self.square, None, gradient, full_range(theta) if ranges is None else ranges,
            scale=scale, learning_rate=self.learning_rate, decay_1=self.decay, epsilon=self.epsilon,
        )


OPTIMIZERS = {optimizer.name: optimizer for optimizer in (Adam, AdamW, NAdam, SGD, RMSprop)}
