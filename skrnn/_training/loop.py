"""Training in epochs. It sees a model's parameters, an objective and an optimizer; never a cell."""

import math
import warnings
from dataclasses import dataclass, field

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import gen_batches

from skrnn.kernels import kernels_for


@dataclass
class History:
    """What happened in training, epoch by epoch."""

    loss_curve: list = field(default_factory=list)
    grad_norm_curve: list = field(default_factory=list)
    validation_scores: list = field(default_factory=list)
    best_loss: float = np.inf
    best_score: float = -np.inf
    n_epochs: int = 0
    n_clipped: int = 0
    n_samples_seen: int = 0
    n_epochs_no_improvement: int = 0        # in a row, in partial_fit


@dataclass
class Stopping:
    """When training ends.

    Parameters
    ----------
    max_iter, tol, n_iter_no_change
        The estimators' parameters.
    validate : callable, optional
        Score of theta on data that are held out, higher is better; None looks at the training loss.
    """

    max_iter: int
    tol: float
    n_iter_no_change: int
    validate: object = None
    best_theta: np.ndarray = None
    n_epochs_no_improvement: int = 0

    def start(self, theta, history):
        """Take the parameters that training continues from as the first to beat."""
        history.best_score, self.best_theta = self.validate(theta), theta.copy()

    def after_epoch(self, theta, history):
        """Look at the loss or score of an epoch; return whether there have been too many without improvement."""
        if self.validate is None:
            loss = history.loss_curve[-1]
            improved = loss <= history.best_loss - self.tol
            history.best_loss = min(history.best_loss, loss)
        else:
            score = self.validate(theta)
            history.validation_scores.append(score)
            improved = score >= history.best_score + self.tol
            if score > history.best_score or self.best_theta is None:
                history.best_score, self.best_theta = score, theta.copy()
        self.n_epochs_no_improvement = 0 if improved else self.n_epochs_no_improvement + 1
        return self.n_epochs_no_improvement > self.n_iter_no_change

    def reason(self):
        """Why training ends, in words."""
        what = "Training loss" if self.validate is None else "Validation score"
        return f"{what} did not improve more than tol={self.tol:f} for {self.n_iter_no_change} consecutive epochs."


def clipping(norm, max_norm):
    """The factor that brings a gradient of this Euclidean norm to at most `max_norm`.

    Pascanu, R., Mikolov, T. and Bengio, Y. (2013). On the difficulty of training recurrent neural networks. ICML.
    """
    return 1.0 if max_norm is None or norm <= max_norm else max_norm / norm


class Batches:
    """The samples in batches; each iteration over it is an epoch, in a new order.

    Parameters
    ----------
    n_samples, batch_size : int
    random_state : RandomState, optional
        Orders the samples; None takes them as they come.
    """

    def __init__(self, n_samples, batch_size, random_state=None):
        self.n_samples, self.batch_size, self.random_state = n_samples, batch_size, random_state
        self.order = np.arange(n_samples)

    def __iter__(self):
        if self.random_state is not None:
            self.random_state.shuffle(self.order)
        return (self.order[batch] for batch in gen_batches(self.n_samples, self.batch_size))


def train(model, objective, batches, stopping, max_grad_norm=None, verbose=False):
    """Update a model in place until it does not get better or the epochs are over.

    Parameters
    ----------
    model : Model
        Its `optimizer` and `schedule` are made for its `theta`; its `history` is continued.
    objective : Objective
        ``gradients(theta, batch)`` yields loss, gradient and weight; ``ranges`` are those of theta that it is of.
    batches : Batches, or another iterable with ``n_samples``
        What an epoch consists of.
    stopping : Stopping
    max_grad_norm, verbose
        The estimators' parameters.
    """
    history, start = model.history, model.history.n_epochs
    for _ in range(stopping.max_iter):
        try:
            train_epoch(model, objective, batches, max_grad_norm)
            model.schedule.after_epoch(history.n_samples_seen)
            stop = stopping.after_epoch(model.theta, history)
        except KeyboardInterrupt:
            if history.n_epochs == start:
                raise
            warnings.warn("Training interrupted by user.", stacklevel=2)
            return
        if verbose:
            print(f"Iteration {history.n_epochs}, loss = {history.loss_curve[-1]:.8f}")
            if stopping.validate is not None:
                print(f"Validation score: {history.validation_scores[-1]:f}")
        if stop and model.schedule.on_plateau():
            stopping.n_epochs_no_improvement = 0
        elif stop:
            if verbose:
                print(stopping.reason())
            return
    warnings.warn(
        f"Stochastic Optimizer: Maximum iterations ({stopping.max_iter}) reached and the optimization hasn't converged "
        "yet.",
        ConvergenceWarning,
        stacklevel=2,
    )


def train_epoch(model, objective, batches, max_grad_norm=None):
    """Update a model for each batch; its history grows also when the user interrupts after an update.

    The parameters are those of `train`.
    """
    theta, history = model.theta, model.history
    losses, norms, weights = [], [], []
    try:
        for batch in batches:
            for loss, gradient, weight in objective.gradients(theta, batch):
                norm = _update(model, loss, gradient, objective.ranges, max_grad_norm)
                losses.append(loss)
                norms.append(norm)
                weights.append(weight)
    finally:
        if losses and np.isfinite(theta).all():
            history.n_epochs += 1
            history.loss_curve.append(float(np.average(losses, weights=weights)))
            history.grad_norm_curve.append(float(np.average(norms)))
    if not np.isfinite(theta).all():
        raise divergence(losses[-1], norms[-1], theta, history)
    history.n_samples_seen += batches.n_samples


def _update(model, loss, gradient, ranges, max_grad_norm):
    """One update; return the norm of the gradient."""
    theta, history = model.theta, model.history
    norm = kernels_for(theta.dtype).norm(gradient, ranges)
    scale = clipping(norm, max_grad_norm)
    # Neither a loss or gradient that is not finite, nor an update too long to be squared
    if not (math.isfinite(loss) and math.isfinite(norm) and norm * scale < math.sqrt(np.finfo(theta.dtype).max)):
        raise divergence(loss, norm, theta, history)
    model.optimizer.update(theta, gradient, scale, ranges)
    history.n_clipped += scale < 1
    return norm


class Divergence(ValueError):
    """The loss, the gradient or the parameters are not finite any more."""


def divergence(loss, norm, theta, history):
    """The error that says in which epoch training diverged, and what to try."""
    return Divergence(
        f"Training diverged in epoch {history.n_epochs + 1}: the loss is {loss} and the gradient's norm {norm}, in "
        f"{theta.dtype}. Try a smaller learning_rate_init or max_grad_norm, or scale X and y"
    )
