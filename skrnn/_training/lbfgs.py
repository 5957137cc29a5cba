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


class Iterations:
    """The iterations of L-BFGS while SciPy runs them: the functions that it calls, and what they have noted.

    Parameters
    ----------
    model, objective, n_samples, watch
        As in `train_lbfgs`.
    """

    def __init__(self, model, objective, n_samples, watch):
        self.model, self.objective, self.n_samples, self.watch = model, objective, n_samples, watch
        self.everything, self.trial = np.arange(n_samples), np.empty_like(model.theta)
        self.last_trial = ()        # loss, penalty and norm of the gradient
        self.running = False        # whether the watch knows of an iteration that has not ended
        self.stop = False           # what it said at the end of the last one
        self.divergence = None      # an error of the objective
        self.not_to_pass = None     # an error of the watch that SciPy takes as the end

    def value_and_gradient(self, x):
        """Loss and penalty at x, and the gradient of their sum."""
        if not self.running:
            self.watch.begin_epoch()
            self.running = True
        self.trial[:] = x
        loss, penalty, gradient, _ = self.objective(self.trial, self.everything)
        norm = kernels_for(self.trial.dtype).norm(gradient, self.objective.ranges)
        self.last_trial = loss, penalty, norm
        if not (math.isfinite(loss + penalty) and math.isfinite(norm)):
            self.divergence = divergence(loss, penalty, norm, self.model.theta, self.model.history)
            raise self.divergence
        return loss + penalty, gradient.astype(np.float64)

    def record(self):
        """The record of the iteration that ends with the last trial."""
        return self.model.history.next_epoch(*self.last_trial, self.n_samples)

    def after_iteration(self, intermediate_result):
        """Take over what an iteration has found; the name of the argument is SciPy's."""
        record = self.record()
        self.model.theta[:] = intermediate_result.x
        self.model.history.add(record)
        self.running = False
        try:
            self.stop = self.watch.end_epoch(self.model, self.model.frozen_copy)
        except StopIteration as error:
            self.not_to_pass = error
            raise
        if self.stop:
            raise StopIteration         # which SciPy takes as the end


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
    theta, history, start = model.theta, model.history, model.history.n_epochs
    iterations = Iterations(model, objective, n_samples, watch)
    try:
        with one_blas_thread():
            result = minimize(
                iterations.value_and_gradient, theta.astype(np.float64), jac=True, method="L-BFGS-B",
                callback=iterations.after_iteration, options={"maxiter": max_iter, "maxfun": max_fun, "gtol": tol},
            )
    except Divergence as error:
        if error is not iterations.divergence or history.n_epochs == start:
            raise
        warn_user(f"lbfgs stopped early: {error}", ConvergenceWarning)
        return f"Stopped early: {error}."
    if iterations.not_to_pass is not None:
        raise iterations.not_to_pass
    theta[:] = result.x
    if not history.n_epochs:            # no iteration lowered the loss
        iterations.value_and_gradient(result.x)
        history.add(iterations.record())
        watch.end_epoch(model, model.frozen_copy)
    if iterations.stop:
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
