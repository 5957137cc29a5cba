"""Training by L-BFGS on all samples at once."""

import math
import warnings

import numpy as np
from scipy.optimize import minimize
from sklearn.exceptions import ConvergenceWarning
from threadpoolctl import threadpool_limits

from skrnn._training.loop import Divergence, divergence
from skrnn.kernels import kernels_for


def train_lbfgs(model, objective, n_samples, *, max_iter, max_fun, tol, verbose=False):
    """Minimize the loss of all samples by L-BFGS; the model's parameters change in place.

    Liu, D. C. and Nocedal, J. (1989). On the limited memory BFGS method for large scale optimization. Mathematical
    Programming 45, 503-528.

    Parameters
    ----------
    model : Model
        Its `history` is continued, with iterations in place of epochs.
    objective : Objective
        ``objective(theta, index)`` returns loss, gradient and weight of samples.
    n_samples : int
    max_iter, max_fun, tol, verbose
        The estimators' parameters.
    """
    theta, history, everything = model.theta, model.history, np.arange(n_samples)
    best, start = theta.copy(), history.n_epochs

    def loss_and_gradient(x):
        theta[:] = x
        loss, gradient, _ = objective(theta, everything)
        norm = kernels_for(theta.dtype).norm(gradient, objective.ranges)
        if not (math.isfinite(loss) and math.isfinite(norm)):
            raise divergence(loss, norm, theta, history)
        return loss, gradient.astype(np.float64)

    def after_iteration(intermediate_result):
        best[:] = intermediate_result.x
        history.n_epochs += 1
        history.n_samples_seen += n_samples
        history.loss_curve.append(float(intermediate_result.fun))
        history.best_loss = min(history.best_loss, history.loss_curve[-1])
        if verbose:
            print(f"Iteration {history.n_epochs}, loss = {history.loss_curve[-1]:.8f}")

    try:
        # The sums of a BLAS depend on its number of threads.
        with threadpool_limits(1, user_api="blas"):
            result = minimize(
                loss_and_gradient, theta.astype(np.float64), jac=True, method="L-BFGS-B", callback=after_iteration,
                options={"maxiter": max_iter, "maxfun": max_fun, "gtol": tol},
            )
    except (KeyboardInterrupt, Divergence) as error:
        if history.n_epochs == start:
            raise
        theta[:] = best
        if isinstance(error, KeyboardInterrupt):
            warnings.warn("Training interrupted by user.", stacklevel=2)
        else:
            warnings.warn(f"lbfgs stopped early: {error}", ConvergenceWarning, stacklevel=2)
        return
    theta[:] = result.x
    if not history.loss_curve:       # no iteration lowered the loss
        history.loss_curve.append(float(result.fun))
        history.best_loss = history.loss_curve[-1]
    if result.status != 0:
        warnings.warn(
            f"lbfgs failed to converge after {result.nit} iterations (status={result.status}): {result.message}. "
            "Increase max_iter or max_fun, scale the data, or use float64",
            ConvergenceWarning,
            stacklevel=2,
        )
