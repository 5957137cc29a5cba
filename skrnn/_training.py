"""Training in epochs. It sees theta, a function that returns loss and gradient, and an optimizer; never a cell."""

import math
import warnings
from dataclasses import dataclass, field

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import gen_batches

from skrnn.cells import kernels


@dataclass
class Record:
    """What happened, epoch by epoch."""

    loss_curve: list = field(default_factory=list)
    grad_norm_curve: list = field(default_factory=list)
    best_loss: float = np.inf
    n_clipped: int = 0
    n_seen: int = 0


def clipping(norm, max_norm):
    """The factor that brings a gradient of this Euclidean norm to at most `max_norm`.

    Pascanu, R., Mikolov, T. and Bengio, Y. (2013). On the difficulty of training recurrent neural networks. ICML.
    """
    return 1.0 if max_norm is None or norm <= max_norm else max_norm / norm


def train(
    theta, objective, optimizer, n_samples, batch_size, random_state,
    *, max_iter, shuffle, tol, n_iter_no_change, max_grad_norm, verbose,
):
    """Update theta in place until the loss stops improving or max_iter epochs are over.

    Parameters
    ----------
    theta : (P,) array
    objective : callable
        (theta, index of samples) → loss, gradient, weight of the batch.
    optimizer : an entry of ``OPTIMIZERS``, made for theta
    n_samples, batch_size : int
    random_state : RandomState
        Orders the samples when `shuffle`.
    max_iter, shuffle, tol, n_iter_no_change, max_grad_norm, verbose
        The estimators' parameters.

    Returns
    -------
    Record
    """
    record = Record()
    order = np.arange(n_samples)
    without_improvement = 0
    for epoch in range(1, max_iter + 1):
        if shuffle:
            random_state.shuffle(order)
        batches = (order[batch] for batch in gen_batches(n_samples, batch_size))
        _run_epoch(theta, objective, optimizer, batches, max_grad_norm, record, epoch)
        record.n_seen += n_samples
        if verbose:
            print(f"Iteration {epoch}, loss = {record.loss_curve[-1]:.8f}")
        without_improvement = 0 if record.loss_curve[-1] <= record.best_loss - tol else without_improvement + 1
        record.best_loss = min(record.best_loss, record.loss_curve[-1])
        if without_improvement > n_iter_no_change:
            if verbose:
                print(f"Training loss did not improve more than tol={tol:f} for {n_iter_no_change} consecutive epochs.")
            return record
    warnings.warn(
        f"Stochastic Optimizer: Maximum iterations ({max_iter}) reached and the optimization hasn't converged yet.",
        ConvergenceWarning,
        stacklevel=2,
    )
    return record


def _run_epoch(theta, objective, optimizer, batches, max_grad_norm, record, epoch):
    """An update for each batch; adds to the record."""
    losses, norms, weights = [], [], []
    norm_of, longest = kernels(theta.dtype).norm, math.sqrt(np.finfo(theta.dtype).max)
    for batch in batches:
        loss, gradient, weight = objective(theta, batch)
        norm = norm_of(gradient)
        scale = clipping(norm, max_grad_norm)
        # Neither a loss or gradient that is not finite, nor an update too long to be squared
        if not (math.isfinite(loss) and math.isfinite(norm) and norm * scale < longest):
            raise _divergence(loss, norm, theta, epoch)
        optimizer.update(theta, gradient, scale)
        record.n_clipped += scale < 1
        losses.append(loss)
        norms.append(norm)
        weights.append(weight)
    if not np.isfinite(theta).all():
        raise _divergence(loss, norm, theta, epoch)
    record.loss_curve.append(float(np.average(losses, weights=weights)))
    record.grad_norm_curve.append(float(np.average(norms)))


def _divergence(loss, norm, theta, epoch):
    return ValueError(
        f"Training diverged in epoch {epoch}: the loss is {loss} and the gradient's norm {norm}, in {theta.dtype}. "
        "Try a smaller learning_rate_init or max_grad_norm, or scale X and y"
    )
