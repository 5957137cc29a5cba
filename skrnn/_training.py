"""Training in epochs. It sees theta, a function that returns loss and gradient, and an optimizer; never a cell."""

import warnings
from dataclasses import dataclass, field

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import gen_batches


@dataclass
class Record:
    """What happened, epoch by epoch."""

    loss_curve: list = field(default_factory=list)
    grad_norm_curve: list = field(default_factory=list)
    best_loss: float = np.inf
    n_clipped: int = 0
    n_seen: int = 0


def clip_norm(gradient, max_norm):
    """Scale the gradient in place to at most this Euclidean norm; returns the norm it had.

    Pascanu, R., Mikolov, T. and Bengio, Y. (2013). On the difficulty of training recurrent neural networks. ICML.
    """
    norm = float(np.sqrt(np.square(gradient, dtype=np.float64).sum()))
    if max_norm is not None and norm > max_norm and np.isfinite(norm):
        gradient *= gradient.dtype.type(max_norm / norm)
    return norm


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
        # What overflows is found by `_check_converging`.
        with np.errstate(over="ignore", invalid="ignore"):
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
    for batch in batches:
        loss, gradient, weight = objective(theta, batch)
        norm = clip_norm(gradient, max_grad_norm)
        clipped = max_grad_norm is not None and norm > max_grad_norm
        _check_converging(loss, norm, max_grad_norm if clipped else norm, theta, epoch)
        optimizer.update(theta, gradient)
        record.n_clipped += clipped
        losses.append(loss)
        norms.append(norm)
        weights.append(weight)
    if not np.isfinite(theta).all():
        raise _divergence(loss, norm, theta, epoch)
    record.loss_curve.append(float(np.average(losses, weights=weights)))
    record.grad_norm_curve.append(float(np.average(norms)))


def _check_converging(loss, norm, length, theta, epoch):
    """Raise a ValueError when the loss or the gradient's norm is not finite, or the update too long to be squared."""
    if not (np.isfinite(loss) and np.isfinite(norm) and length < np.sqrt(np.finfo(theta.dtype).max)):
        raise _divergence(loss, norm, theta, epoch)


def _divergence(loss, norm, theta, epoch):
    return ValueError(
        f"Training diverged in epoch {epoch}: the loss is {loss} and the gradient's norm {norm}, in {theta.dtype}. "
        "Try a smaller learning_rate_init or max_grad_norm, or scale X and y"
    )
