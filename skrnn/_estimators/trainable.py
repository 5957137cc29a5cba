"""What estimators that are trained in epochs have in common."""

from copy import deepcopy
from numbers import Integral, Real
from typing import ClassVar

import numpy as np
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import check_is_fitted

from skrnn._data.numbers import is_size
from skrnn._training.loop import History, Stopping, train_epoch
from skrnn._training.optimizers import OPTIMIZERS
from skrnn._training.schedules import SCHEDULES
from skrnn.kernels import ACTIVATIONS, CELLS


class TrainableMixin:
    """Parameters of the layers and of the solver, the beginning of training, and the attributes that it sets."""

    _parameter_constraints: ClassVar = {
        "solver": [StrOptions(set(OPTIMIZERS))],
        "hidden_size": ["array-like", Interval(Integral, 1, None, closed="left")],
        "cell": [StrOptions(set(CELLS))],
        "activation": [StrOptions(set(ACTIVATIONS))],
        "reset_after": ["boolean"],
        "dropout": [Interval(Real, 0, 1, closed="left")],
        "recurrent_dropout": [Interval(Real, 0, 1, closed="left")],
        "alpha": [Interval(Real, 0, None, closed="left")],
        "learning_rate": [StrOptions(set(SCHEDULES))],
        "learning_rate_init": [Interval(Real, 0, None, closed="neither")],
        "power_t": [Interval(Real, 0, None, closed="left")],
        "max_iter": [Interval(Integral, 1, None, closed="left")],
        "shuffle": ["boolean"],
        "random_state": ["random_state"],
        "tol": [Interval(Real, 0, None, closed="left")],
        "verbose": ["verbose"],
        "warm_start": ["boolean"],
        "momentum": [Interval(Real, 0, 1, closed="both")],
        "nesterovs_momentum": ["boolean"],
        "early_stopping": ["boolean"],
        "validation_fraction": [Interval(Real, 0, 1, closed="neither")],
        "beta_1": [Interval(Real, 0, 1, closed="left")],
        "beta_2": [Interval(Real, 0, 1, closed="left")],
        "epsilon": [Interval(Real, 0, None, closed="neither")],
        "n_iter_no_change": [Interval(Integral, 1, None, closed="left")],
        "max_grad_norm": [None, Interval(Real, 0, None, closed="neither")],
    }

    def _check_hidden_size(self):
        sizes = np.atleast_1d(np.asarray(self.hidden_size, dtype=object))
        good = sizes.ndim == 1 and len(sizes) > 0
        if not good or not all(is_size(size) for size in sizes):
            raise ValueError(
                f"hidden_size={self.hidden_size!r}: expected a positive int, or a tuple of them with one for each layer"
            )
        return tuple(int(size) for size in sizes)

    def _check_decay(self):
        if self.solver in OPTIMIZERS:
            OPTIMIZERS[self.solver].check_parameters(vars(self))

    def _initialize(self, dtype, *, resume):
        """Parameters and records to start from."""
        self._random_state = check_random_state(self.random_state)
        if self.random_state is None:
            # partial_fit goes on from it: not a copy of the global one, which others go on from, too
            self._random_state = np.random.RandomState(self._random_state.randint(2**31 - 1))
        if resume:
            self._theta, self._history = self._theta.copy(), deepcopy(self._history)
            return
        try:
            self._theta = self._network.initialize(self._random_state, dtype)
        except MemoryError as error:
            gigabytes = self._network.layout.size * np.dtype(dtype).itemsize / 1e9
            embedding = "" if self.embedding_dim is None else f" and embedding_dim={self.embedding_dim}"
            raise MemoryError(
                f"hidden_size={self.hidden_size}{embedding} makes {gigabytes:.0f} GB of parameters"
            ) from error
        self._history = History()

    def _copy_training_state(self):
        """Copy what training changes, so that the estimator this one is a copy of stays as it is."""
        # The schedule changes the rate of its optimizer: both in one copy
        names = ("_theta", "_history", "_optimizer", "_schedule", "_random_state")
        vars(self).update(deepcopy({name: getattr(self, name) for name in names}))

    def _one_epoch(self, objective, batches, *, resume):
        """Train as `partial_fit` does."""
        if not resume or type(self._optimizer) is not OPTIMIZERS[self.solver]:
            self._optimizer, self._schedule = self._new_optimizer()
        record = self._history
        stopping = Stopping(1, self.tol, int(self.n_iter_no_change), n_epochs_no_improvement=record.n_epochs_no_improvement)
        train_epoch(self._theta, objective, self._optimizer, record, batches, max_grad_norm=self.max_grad_norm)
        self._schedule.after_epoch(record.n_samples_seen)
        if stopping.after_epoch(self._theta, record):
            self._schedule.on_plateau()
            stopping.n_epochs_no_improvement = 0
        record.n_epochs_no_improvement = stopping.n_epochs_no_improvement
        self._set_fitted_attributes()

    def _new_optimizer(self):
        """The optimizer and its schedule, at their start."""
        optimizer = OPTIMIZERS[self.solver].make(self._theta, vars(self), self._network.layout.weight_ranges())
        return optimizer, SCHEDULES[self.learning_rate](optimizer, self.power_t, int(self.max_iter))

    def _set_fitted_attributes(self):
        """The attributes that training sets."""
        record, stopped_early = self._history, self.early_stopping
        self.out_activation_ = self._loss.out_activation
        self.loss_curve_ = list(record.loss_curve)
        self.loss_ = record.loss_curve[-1]
        self.best_loss_ = None if stopped_early else record.best_loss
        self.validation_scores_ = list(record.validation_scores) if stopped_early else None
        self.best_validation_score_ = record.best_score if stopped_early else None
        self.n_iter_ = record.n_epochs
        self.t_ = record.n_samples_seen
        self.grad_norm_curve_ = list(record.grad_norm_curve)
        self.n_clipped_ = record.n_clipped

    @property
    def parameters_(self):
        """The fitted parameters by name, as views of one vector.

        ``layer0.W`` (D, G·K), ``layer0.U`` (K, G·K) and ``layer0.b`` (biases, G·K) of the first layer, its gates in the
        order of the cell; ``layer0.reverse.W`` and so on for the other direction of a bidirectional layer; ``head.V``
        (K, outputs) and ``head.c`` (outputs,); ``embedding.E`` (categories, embedding_dim): one more category than
        `fit` has seen, the last, stands for all others. Those of a language model are its `symbols_`, with the begin of
        a text in the place of its end.
        """
        check_is_fitted(self)
        return self._network.layout.views(self._theta)

    def __sklearn_is_fitted__(self):
        return hasattr(self, "_theta")
