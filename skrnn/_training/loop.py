"""Training in epochs. It sees a model's parameters, an objective and an optimizer; never a cell."""

import math
from dataclasses import dataclass
from functools import partial
from itertools import starmap
from typing import NamedTuple

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import gen_batches

from skrnn._plain import fits, plain
from skrnn._training.averaging import Average
from skrnn._training.convergence import unrest
from skrnn._training.watching import ALL_EPOCHS, NOTHING, ON_REQUEST
from skrnn._warnings import warn_user
from skrnn.kernels import kernels_for


class Epoch(NamedTuple):
    """What happened in an epoch, or in an iteration of L-BFGS, and where training stands after it."""

    loss: float                     # mean over the epoch, without the penalty
    penalty: float                  # mean over the epoch
    grad_norm: float                # mean over the updates, before clipping
    validation_loss: float | None   # of what is held out: None if nothing is, NaN if an interrupt came before
    score: float | None             # as validation_loss
    best_loss: float                # of all epochs in which nothing was held out
    best_objective: float           # the same of loss + penalty
    best_score: float               # of this fit
    best_iter: int                  # the number of the epoch that the model's parameters are kept of so far
    n_samples_seen: int             # in all epochs
    n_clipped: int                  # updates in all epochs
    n_epochs_no_improvement: int    # in a row
    n_plateaus: int                 # in all epochs: how often too many of these lowered the learning rate

    @property
    def objective(self):
        """What training minimizes."""
        return self.loss + self.penalty


# Before the first epoch
START = Epoch(math.nan, math.nan, math.nan, None, None, math.inf, math.inf, math.nan, 0, 0, 0, 0, 0)


class Validation(NamedTuple):
    """Parameters tried on what is held out."""

    loss: float
    score: float        # higher is better


# Where nothing is held out, and where an interrupt came before
NOTHING_HELD_OUT, NOT_VALIDATED = Validation(None, None), Validation(math.nan, math.nan)


@plain(make="of_columns", columns=dict)
class History:
    """The epochs of training. Each is one record that is computed first and added at once: no interrupt tears it.

    Parameters
    ----------
    epochs : iterable of Epoch
    """

    def __init__(self, epochs=()):
        self.epochs = list(epochs)

    @property
    def columns(self):
        """The fields of all epochs, lists by name."""
        return {name: [getattr(epoch, name) for epoch in self.epochs] for name in Epoch._fields}

    @classmethod
    def of_columns(cls, columns):
        """The history that has these `columns`."""
        if columns.keys() != set(Epoch._fields):
            raise ValueError(f"epochs have the fields {sorted(columns)}, expected {sorted(Epoch._fields)}")
        for name, values in columns.items():
            one_of_each_type = {type(value): value for value in values}.values()
            if not all(fits(value, Epoch.__annotations__[name]) for value in one_of_each_type):
                raise ValueError("fields of epochs are of other types than expected")
        return cls(starmap(Epoch, zip(*(columns[name] for name in Epoch._fields), strict=True)))

    @property
    def n_epochs(self):
        """How many there are."""
        return len(self.epochs)

    @property
    def last(self):
        """The last epoch, or what stands before the first one."""
        return self.epochs[-1] if self.epochs else START

    def next_epoch(
        self, loss, penalty, grad_norm, n_samples, n_clipped=0, validation=NOTHING_HELD_OUT, best=None,
        n_epochs_no_improvement=0, n_plateaus=0,
    ):
        """The record of one more epoch, without adding it; the arguments count what happened in this epoch alone.

        `best` are the `Best` parameters so far, if they are kept.
        """
        last, counts = self.last, validation.score is None
        return Epoch(
            loss, penalty, grad_norm, validation.loss, validation.score,
            min(last.best_loss, loss) if counts else last.best_loss,
            min(last.best_objective, loss + penalty) if counts else last.best_objective,
            best.score if best else math.nan, best.n_epochs if best else self.n_epochs + 1,
            last.n_samples_seen + n_samples, last.n_clipped + n_clipped, n_epochs_no_improvement,
            last.n_plateaus + n_plateaus,
        )

    def add(self, epoch):
        """Add the record of an epoch."""
        self.epochs.append(epoch)

    def copy(self):
        """A history to which epochs can be added without a change of this one."""
        return History(self.epochs)


class Best(NamedTuple):
    """The parameters with the best score on what is held out."""

    score: float
    theta: np.ndarray
    n_epochs: int       # with which they were reached


@dataclass
class Stopping:
    """When training ends.

    Parameters
    ----------
    max_iter, tol, n_iter_no_change
        The estimators' parameters, the first and the last as numbers; an infinite `n_iter_no_change` ends no training.
    validate : callable, optional
        `Validation` of theta on data that are held out; None looks at what training minimizes, loss and penalty.
    n_epochs_before : int
        The first epochs, which do not count as epochs without improvement.
    best : Best, optional
        The first to beat, then the best so far.
    average : Average, optional
        What takes the place of theta in the last epochs: in the validation, and at the end.
    """

    max_iter: int
    tol: float
    n_iter_no_change: float
    validate: object = None
    n_epochs_before: int = 0
    best: Best | None = None
    average: Average | None = None

    def averaged(self, theta):
        """What is validated and kept for theta: the average of the last epochs, if any, or theta itself."""
        return theta if self.average is None else self.average.of(theta)

    def keep_best(self, score, theta, n_epochs):
        """Keep parameters whose score is better than all before. NaN is no score."""
        if not math.isnan(score) and (self.best is None or score > self.best.score):
            self.best = Best(score, theta.copy(), n_epochs)

    def kept(self, theta):
        """The best parameters, if any were validated, or the average of the last epochs, which may be theta itself."""
        return self.averaged(theta) if self.best is None else self.best.theta

    def restore_best(self, theta):
        """Set theta to what is kept of it."""
        theta[:] = self.kept(theta)

    def stopped(self, model):
        """What the model would be if training ended now, a copy."""
        return model.frozen_copy(self.kept(model.theta))

    def judge(self, objective, score, model, best_before):
        """Epochs without improvement in a row, the one with this objective or score included, and plateaus, 0 or 1.

        If there are too many of them, and the schedule then lowers the learning rate, that is a plateau: they are
        counted anew.
        """
        history = model.history
        if score is None:
            improved = objective <= history.last.best_objective - self.tol
        else:
            improved = best_before is None or not score < best_before.score + self.tol
        if improved:
            return 0, 0
        count = 1 + (history.last.n_epochs_no_improvement if history.n_epochs > self.n_epochs_before else 0)
        lower = count > self.n_iter_no_change and model.schedule.lowers(history)
        return (0, 1) if lower else (count, 0)

    def reason(self):
        """Why training ends, in words."""
        what = "Training loss" if self.validate is None else "Validation score"
        return f"{what} did not improve more than tol={self.tol:f} for {self.n_iter_no_change} consecutive epochs."


class RunningEpoch:
    """An epoch while it runs: what its updates were, and the record that it becomes.

    Parameters
    ----------
    model : Model
    stopping : Stopping
    """

    def __init__(self, model, stopping):
        self.model, self.stopping = model, stopping
        self.number, self.best_before = model.history.n_epochs + 1, stopping.best
        self.updates = []           # loss, penalty, norm of the gradient, weight, clipped or not, samples of each
        self.validation = NOTHING_HELD_OUT if stopping.validate is None else NOT_VALIDATED

    def finish(self):
        """Add the record of the epoch, unless it is there already: after an interrupt this is called again."""
        model, stopping, score = self.model, self.stopping, self.validation.score
        if score is not None:
            stopping.keep_best(score, stopping.averaged(model.theta), self.number)
        if model.history.n_epochs >= self.number:
            return
        losses, penalties, norms, weights, clipped, n_samples = zip(*self.updates, strict=True)
        loss, penalty = weighted_mean(losses, weights), weighted_mean(penalties, weights)
        judged = stopping.judge(loss + penalty, score, model, self.best_before)
        model.history.add(model.history.next_epoch(
            loss, penalty, float(np.array(norms).mean()), sum(n_samples), sum(clipped), self.validation, stopping.best,
            *judged,
        ))


def weighted_mean(values, weights):
    """Of as many numbers as weights."""
    weights = np.array(weights)
    return float((values * weights).sum() / weights.sum())


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

    def __len__(self):
        return -(-self.n_samples // self.batch_size)


def train(model, objective, batches, stopping, max_grad_norm=None, watch=NOTHING):
    """Update a model in place until it does not get better, a watch asks to stop or the epochs are over.

    Parameters
    ----------
    model : Model
        Its `optimizer` and `schedule` are made for its `theta`; its `history` is continued.
    objective : Objective
        ``gradients(theta, batch)`` yields loss, penalty, the gradient of their sum, and weight, or raises
        `GradientsLost`; ``ranges`` are those of theta that it is of; ``checkpoint(model, batches)`` returns what brings
        both back to what they are now.
    batches : iterable
        What an epoch consists of, such as `Batches`; the length of a batch is the number of its samples, of which all
        together have ``n_samples``.
    stopping : Stopping
    max_grad_norm
        The estimators' parameter.
    watch : Watch

    Returns
    -------
    reason : str
        Why training ended, a sentence.
    """
    for _ in range(stopping.max_iter):
        watch.begin_epoch()
        train_epoch(model, objective, batches, stopping, max_grad_norm)
        stop = watch.end_epoch(model, partial(stopping.stopped, model))
        if model.history.last.n_epochs_no_improvement > stopping.n_iter_no_change:
            return stopping.reason()
        if stop:
            return ON_REQUEST
    found = unrest(model.history.epochs[stopping.n_epochs_before :], stopping.tol)
    if found:
        warn_user(
            f"Training ended after the maximum number of epochs, {stopping.max_iter}, {found}. Increase max_iter, or "
            "learning_rate_init to get there sooner",
            ConvergenceWarning, "the last epoch",
        )
    return ALL_EPOCHS


def train_epoch(model, objective, batches, stopping, max_grad_norm=None):
    """Update a model for each batch of an epoch; the parameters are those of `train`.

    After Ctrl-C the model is as far as it got, with the record of an epoch of the updates so far; KeyboardInterrupt is
    raised again.
    """
    epoch, theta = RunningEpoch(model, stopping), model.theta
    begin_again = objective.checkpoint(model, batches)
    try:
        while not _updated(model, objective, batches, epoch.updates, max_grad_norm):
            begin_again()
            epoch.updates.clear()
        if not np.isfinite(theta).all():
            raise divergence(*epoch.updates[-1][:3], theta, model.history)
        if stopping.average is not None:
            stopping.average.add(epoch.number, theta)
        if stopping.validate is not None:
            epoch.validation = stopping.validate(stopping.averaged(theta))
        epoch.finish()
    except KeyboardInterrupt:
        if epoch.updates and np.isfinite(theta).all():
            epoch.finish()
        raise


def _updated(model, objective, batches, updates, max_grad_norm):
    """Update a model for each batch of an epoch; return whether no gradient got lost. `updates` are what they were."""
    n_before = 0
    try:
        for batch in batches:
            model.optimizer.learning_rate = model.schedule.rate(model.history, n_before / batches.n_samples)
            n_samples = len(batch)
            n_before += n_samples
            for loss, penalty, gradient, weight in objective.gradients(model.theta, batch):
                norm, clipped = _update(model, loss, penalty, gradient, objective.ranges, max_grad_norm)
                updates.append((loss, penalty, norm, weight, clipped, n_samples))
                n_samples = 0           # the next stretches are of the same samples
    except GradientsLost:
        return False
    return True


def _update(model, loss, penalty, gradient, ranges, max_grad_norm):
    """One update; return the norm of the gradient, and whether it was clipped."""
    theta = model.theta
    norm = kernels_for(theta.dtype).norm(gradient, ranges)
    scale = clipping(norm, max_grad_norm)
    # Neither a loss or gradient that is not finite, nor an update too long to be squared
    longest = math.sqrt(np.finfo(theta.dtype).max)
    if not (math.isfinite(loss + penalty) and math.isfinite(norm) and norm * scale < longest):
        raise divergence(loss, penalty, norm, theta, model.history)
    model.optimizer.update(theta, gradient, scale, ranges)
    return norm, scale < 1


class GradientsLost(Exception):
    """A machine that computed gradients is gone, with what it knew of the epoch: this has to begin again."""


class Divergence(ValueError):
    """The loss, the gradient or the parameters are not finite any more."""


def divergence(loss, penalty, norm, theta, history):
    """The error that says in which epoch training diverged, and what to try."""
    what = f"the loss is {loss}"
    advice = "a smaller learning_rate_init or max_grad_norm; numbers are best read with standardize=True"
    if penalty > loss:
        what += f", the penalty {penalty}"
        advice = "a smaller alpha, or greater sample weights, by whose sum the penalty is divided"
    return Divergence(
        f"Training diverged in epoch {history.n_epochs + 1}: {what} and the gradient's norm {norm}, in {theta.dtype}. "
        f"Try {advice}"
    )
