"""Model: a network with its loss and parameters, and how far its training has come."""

from copy import deepcopy
from dataclasses import dataclass, field, replace

import numpy as np

from skrnn._network.network import RecurrentNetwork
from skrnn._network.scores import finite_scores
from skrnn._plain import plain
from skrnn._training.loop import History
from skrnn._training.loss import Loss
from skrnn._training.optimizers import Optimizer
from skrnn._training.schedules import Constant

# Engines that a model keeps for its next calls, one for each thread that calls at the same time, and the arrays of
# groups that each may keep
MAX_ENGINES, MAX_BYTES_OF_ENGINE = 16, 2**22


@plain(
    make="of_parameters", network=RecurrentNetwork, loss=Loss, parameters=dict, random_state=np.random.RandomState,
    history=History, optimizer=Optimizer | None, schedule=Constant | None, max_iter=int | None,
)
@dataclass
class Model:
    """All that training changes and that predictions need: what is pickled, copied, sent to a worker and exported.

    Parameters
    ----------
    network : RecurrentNetwork
    loss : Loss
    theta : (P,) array
        The parameters.
    random_state : RandomState
        Source of the order of the batches and of the masks of dropout.
    history : History
        Losses and scores by epoch.
    optimizer : entry of ``OPTIMIZERS``, made; or None after L-BFGS
    schedule : entry of ``SCHEDULES``, made with the optimizer; or None
    max_iter : int or None
        Maximum number of epochs or iterations of the last training; with `partial_fit` those of the schedule.
    seconds : float or None
        That the last training took, here: it is not stored.

    Notes
    -----
    Training changes theta in place. When it is over `freeze` makes theta read-only, and the engines that are kept for
    predictions keep its weights packed. `copy` returns a model that can be trained again.
    """

    network: RecurrentNetwork
    loss: Loss
    theta: np.ndarray
    random_state: np.random.RandomState
    history: History = field(default_factory=History)
    optimizer: Optimizer | None = None
    schedule: Constant | None = None
    max_iter: int | None = None
    seconds: float | None = field(default=None, init=False, repr=False, compare=False)
    _engines: list = field(default_factory=list, init=False, repr=False, compare=False)

    def __getstate__(self):
        return {name: value for name, value in vars(self).items() if name not in {"_engines", "seconds"}}

    def __setstate__(self, state):
        vars(self).update(state, _engines=[])
        self.freeze()

    def freeze(self):
        """End training: theta stays as it is."""
        self._engines.clear()
        self.theta.flags.writeable = False

    @property
    def is_frozen(self):
        """Whether theta stays as it is, so that engines need not pack the weights in each call."""
        return not self.theta.flags.writeable

    def scores(self, sequences, initial=None, final=None, *, name="X", exponential=False):
        """Raw scores of sequences: `finite_scores` of this model, with an engine that is kept between calls.

        Parameters
        ----------
        sequences : Sequences or LazySequences
        initial, final, name, exponential
            As in `finite_scores`.
        """
        packed = self.is_frozen
        engine = self._take_engine(packed)
        try:
            return finite_scores(
                self.network, self.theta, sequences, initial, final, engine, packed, name=name,
                exponential=exponential,
            )
        finally:
            self._keep_engine(engine, packed)

    def step(self, steps, state):
        """Scores (n, Q) and states (n, width) of n streams after one more step of each, and whether all is finite.

        As `RecurrentNetwork.step`, with an engine that is kept between calls.

        Parameters
        ----------
        steps : (n, D) array, or (n,) intp array of categories
        state : (n, width) array
        """
        packed = self.is_frozen
        engine = self._take_engine(packed)
        try:
            return self.network.step(engine, self.theta, steps, state, packed)
        finally:
            self._keep_engine(engine, packed)

    def _take_engine(self, packed):
        """An engine for one call, one that was kept or a fresh one: several threads may call at the same time."""
        try:
            return self._engines.pop()
        except IndexError:
            engine = self.network.engine(self.theta.dtype)
            if packed:
                engine.pack_weights(self.theta)
            return engine

    def _keep_engine(self, engine, packed):
        """Keep an engine for the next call, unless that takes much memory, or training has ended since it was taken."""
        fits = packed or not self.is_frozen
        if fits and len(self._engines) < MAX_ENGINES and engine.memory() <= MAX_BYTES_OF_ENGINE:
            self._engines.append(engine)

    def copy(self):
        """A copy that can be trained on without a change of this one."""
        return replace(
            self, theta=self.theta.copy(), random_state=deepcopy(self.random_state), history=self.history.copy(),
            optimizer=deepcopy(self.optimizer),
        )

    def frozen_copy(self, theta=None):
        """A copy whose theta stays as it is: that of the model, or a copy of the given one."""
        copy = self.copy()
        if theta is not None:
            copy.theta[:] = theta
        copy.freeze()
        return copy

    @classmethod
    def of_parameters(cls, network, loss, parameters, **training):
        """The fitted model whose `parameters` are these arrays, a dict; `training` are the other fields."""
        model = cls(network, loss, network.layout.joined(parameters), **training)
        model.freeze()
        return model

    @property
    def learning_rate(self):
        """The learning rate of the next epoch's first update."""
        return self.schedule.rate(self.history)

    @property
    def exponential(self):
        """Whether predictions are the exponentials of the scores."""
        return self.loss.out_activation == "exp"

    @property
    def dtype(self):
        """The dtype that the network computes in."""
        return self.theta.dtype

    @property
    def parameters(self):
        """The parameters by name, as views of theta, for training: that of a fitted model does not change."""
        return self.network.layout.views(self.theta)

    @property
    def fixed_parameters(self):
        """The parameters by name, as views of theta that cannot be written to."""
        theta = self.theta.view()
        theta.flags.writeable = False
        return self.network.layout.views(theta)
