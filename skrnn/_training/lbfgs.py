"""Training by L-BFGS on all samples at once."""

import math
from contextlib import contextmanager

import numpy as np
from scipy.optimize import minimize
from sklearn.exceptions import ConvergenceWarning
from threadpoolctl import threadpool_limits

from skrnn._training.convergence import unrest
from skrnn._training.loop import Divergence, divergence
from skrnn._training.watching import NOTHING, ON_REQUEST
from skrnn._warnings import warn_user
from skrnn.kernels import kernels_for

LIMIT = 1           # SciPy's status where max_iter or max_fun ended the iterations
ALL_ITERATIONS = "The maximum number of iterations is reached."


def train_lbfgs(model, objective, n_samples, *, max_iter, max_fun, tol, watch=NOTHING):
    """Minimize the loss of all samples by L-BFGS; the model's parameters change in place, after each iteration.

    Liu, D. C. and Nocedal, J. (1989). On the limited memory BFGS method for large scale optimization. Mathematical
    Programming 45, 503-528.

    Parameters
    ----------
    model : Model
        Its `history` is continued, with iterations in place of epochs.
    objective : Objective
        ``objective(theta, index)`` returns loss, penalty, gradient and weight of samples.
    n_samples : int
    max_iter, max_fun, tol
        The estimators' parameters.
    watch : Watch

    Returns
    -------
    reason : str
        Why training ended, a sentence.
    """
    theta, history, everything = model.theta, model.history, np.arange(n_samples)
    trial, start = np.empty_like(theta), history.n_epochs
    last_trial = []                     # loss, penalty and norm of the gradient
    running = stop = False              # an iteration; what the watch said at the end of the last one
    diverged = not_to_pass = None       # errors: of the objective; of the watch, one that SciPy takes as the end

    def value_and_gradient(x):
        nonlocal running, diverged
        if not running:
            watch.begin_epoch()
            running = True
        trial[:] = x
        loss, penalty, gradient, _ = objective(trial, everything)
        norm = kernels_for(theta.dtype).norm(gradient, objective.ranges)
        last_trial[:] = loss, penalty, norm
        if not (math.isfinite(loss + penalty) and math.isfinite(norm)):
            diverged = divergence(loss, penalty, norm, theta, history)
            raise diverged
        return loss + penalty, gradient.astype(np.float64)

    def after_iteration(intermediate_result):
        nonlocal running, stop, not_to_pass
        # What an iteration ends with is its last trial
        iteration = history.next_epoch(*last_trial, n_samples)
        theta[:] = intermediate_result.x
        history.add(iteration)
        running = False
        try:
            stop = watch.end_epoch(model, model.frozen_copy)
        except StopIteration as error:
            not_to_pass = error
            raise
        if stop:
            raise StopIteration         # which SciPy takes as the end

    try:
        with one_blas_thread():
            result = minimize(
                value_and_gradient, theta.astype(np.float64), jac=True, method="L-BFGS-B", callback=after_iteration,
                options={"maxiter": max_iter, "maxfun": max_fun, "gtol": tol},
            )
    except Divergence as error:
        if error is not diverged or history.n_epochs == start:
            raise
        warn_user(f"lbfgs stopped early: {error}", ConvergenceWarning)
        return f"Stopped early: {error}."
    if not_to_pass is not None:
        raise not_to_pass
    theta[:] = result.x
    if not history.n_epochs:            # no iteration lowered the loss
        value_and_gradient(result.x)
        history.add(history.next_epoch(*last_trial, n_samples))
        watch.end_epoch(model, model.frozen_copy)
    if stop:
        return ON_REQUEST
    found = unrest(history.epochs[start:], 0.0, "iterations")
    if result.status > LIMIT or (result.status == LIMIT and found):
        warn_user(
            f"lbfgs failed to converge after {result.nit} iterations (status={result.status}): {result.message}"
            f"{', ' + found if found else ''}. Increase max_iter or max_fun, scale the data, or use float64",
            ConvergenceWarning, "the last iteration",
        )
    return ALL_ITERATIONS if result.nit >= max_iter else f"L-BFGS ended: {result.message}."


@contextmanager
def one_blas_thread():
    """The sums of a BLAS depend on its number of threads: one inside, and those from before at the end in any case."""
    before = threadpool_limits(limits=None)     # sets nothing
    try:
        with threadpool_limits(limits=1, user_api="blas"):
            yield
    finally:
        before.restore_original_limits()
