"""Training by L-BFGS on all samples at once."""

import math
import warnings

import numpy as np
from scipy.optimize import minimize
from sklearn.exceptions import ConvergenceWarning
from threadpoolctl import threadpool_limits

from skrnn._training.loop import Divergence, divergence
from skrnn.kernels import kernels_for


def train_lbfgs(theta, objective, record, n_samples, *, max_iter, max_fun, tol, verbose):
    """Minimise the loss of all samples by L-BFGS, theta in place.

    Liu, D. C. and Nocedal, J. (1989). On the limited memory BFGS method for large scale optimization. Mathematical
    Programming 45, 503-528.

    Parameters
    ----------
    theta, objective, record
        As in `train`.
    n_samples : int
    max_iter, max_fun, tol, verbose
        The estimators' parameters.
    """
    everything = np.arange(n_samples)
    best, start = theta.copy(), record.n_epochs

    def loss_and_gradient(x):
        theta[:] = x
        loss, gradient, _ = objective(theta, everything)
        norm = kernels_for(theta.dtype).norm(gradient, objective.ranges)
        if not (math.isfinite(loss) and math.isfinite(norm)):
            raise divergence(loss, norm, theta, record)
        return loss, gradient.astype(np.float64)

    def after_iteration(intermediate_result):
        best[:] = intermediate_result.x
        record.n_epochs += 1
        record.n_samples_seen += n_samples
        record.loss_curve.append(float(intermediate_result.fun))
        record.best_loss = min(record.best_loss, record.loss_curve[-1])
        if verbose:
            print(f"Iteration {record.n_epochs}, loss = {record.loss_curve[-1]:.8f}")

    try:
        # The sums of a BLAS depend on how many threads share them.
        with threadpool_limits(1, user_api="blas"):
            result = minimize(
                loss_and_gradient, theta.astype(np.float64), jac=True, method="L-BFGS-B", callback=after_iteration,
                options={"maxiter": max_iter, "maxfun": max_fun, "gtol": tol},
            )
    except (KeyboardInterrupt, Divergence) as error:
        if record.n_epochs == start:
            raise
        theta[:] = best
        if isinstance(error, KeyboardInterrupt):
            warnings.warn("Training interrupted by user.", stacklevel=2)
        else:
            warnings.warn(f"lbfgs went no further: {error}", ConvergenceWarning, stacklevel=2)
        return
    theta[:] = result.x
    if not record.loss_curve:       # nothing better than the beginning was found
        record.loss_curve.append(float(result.fun))
        record.best_loss = record.loss_curve[-1]
    if result.status != 0:
        warnings.warn(
            f"lbfgs failed to converge after {result.nit} iterations (status={result.status}): {result.message}. "
            "Increase max_iter or max_fun, scale the data, or use float64",
            ConvergenceWarning,
            stacklevel=2,
        )
